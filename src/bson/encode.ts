import { Buffer } from 'node:buffer';
import { Binary, type Code, type DBRef } from 'bson';
import { CodedError, unreachable } from '../base/index.ts';
import { dateMillis } from './far-date.ts';
import { checkDepth } from './invalid.ts';
import { MIN_KEY_BYTE, scopeOf, TYPE } from './types.ts';
import { type Doc, RawDoc, type Value } from './values.ts';

const FIRST_BYTES = 64 * 1024;
/** A larger scratch buffer is given back after use. */
const KEPT_BYTES = 1024 * 1024;
/** Up to this many characters a loop over ASCII beats a call out of JavaScript (measured). */
const SHORT_CHARS = 24;
const MAX_UTF8_PER_UNIT = 3;
const QUIET_NAN_HIGH = 0x7ff8_0000;

/**
 * One scratch buffer for the whole process: encoding calls nobody else's code, so it is never entered twice.
 * Each `write` makes sure of its own room and moves `at`.
 */
let scratch = Buffer.allocUnsafeSlow(FIRST_BYTES);
let at = 0;

/**
 * The bytes of a document, in memory of their own. `encode(decode(bytes))` gives `bytes` back, but for fields that come
 * twice, names of array elements that are not 0, 1, 2, and NaN, of which there is one. Throws `BadValue` for what BSON
 * cannot hold, or `Overflow` when the document nests too deep.
 */
export function encode(doc: Doc): Uint8Array {
  at = 0;
  writeDoc(doc, 0);
  const bytes = Buffer.from(scratch.subarray(0, at));
  if (scratch.length > KEPT_BYTES) scratch = Buffer.allocUnsafeSlow(FIRST_BYTES);
  return bytes;
}

function room(bytes: number): void {
  if (at + bytes <= scratch.length) return;
  const larger = Buffer.allocUnsafeSlow(Math.max(2 * scratch.length, at + bytes));
  scratch.copy(larger, 0, 0, at);
  scratch = larger;
}

function writeDoc(doc: Doc, depth: number): void {
  const start = openDocument();
  for (const [name, value] of doc) writeField(name, value, depth);
  closeDocument(start);
}

function writeArray(values: readonly Value[], depth: number): void {
  const start = openDocument();
  for (let index = 0; index < values.length; index++) writeField(String(index), values[index], depth);
  closeDocument(start);
}

function openDocument(): number {
  room(4);
  const start = at;
  at += 4;
  return start;
}

function closeDocument(start: number): void {
  writeByte(0);
  scratch.writeInt32LE(at - start, start);
}

function writeField(name: string, value: Value, depth: number): void {
  const typeAt = at;
  writeByte(0);
  writeCString(name);
  // Written first: the value may have to move everything into a larger scratch buffer.
  const type = writeValue(value, depth);
  scratch[typeAt] = type;
}

/** Writes the value and returns its type byte. */
function writeValue(value: Value, depth: number): number {
  switch (typeof value) {
    case 'string':
      writeString(value);
      return TYPE.string;
    case 'number':
      writeDouble(value);
      return TYPE.double;
    case 'bigint':
      writeInt64(value);
      return TYPE.long;
    case 'boolean':
      writeByte(value ? 1 : 0);
      return TYPE.bool;
    case 'undefined':
      return TYPE.undefined;
    case 'object':
      return writeObject(value, depth);
  }
}

function writeObject(value: Value & (object | null), depth: number): number {
  if (value === null) return TYPE.null;
  if (value instanceof Map || Array.isArray(value)) {
    checkDepth(depth);
    if (value instanceof Map) {
      writeDoc(value, depth + 1);
      return TYPE.object;
    }
    writeArray(value, depth + 1);
    return TYPE.array;
  }
  if (value instanceof Date) {
    writeInt64(BigInt(dateMillis(value)));
    return TYPE.date;
  }
  if (value instanceof RawDoc) {
    writeBytes(value.bytes);
    return TYPE.object;
  }
  switch (value._bsontype) {
    case 'ObjectId':
      writeBytes(value.id);
      return TYPE.objectId;
    case 'Int32':
      writeInt32(value.value);
      return TYPE.int;
    case 'Decimal128':
      writeBytes(value.bytes);
      return TYPE.decimal;
    case 'Binary':
      writeBinary(value);
      return TYPE.binData;
    case 'Timestamp':
      writeInt32(value.i | 0);
      writeInt32(value.t | 0);
      return TYPE.timestamp;
    case 'BSONRegExp':
      writeCString(value.pattern);
      writeCString(value.options);
      return TYPE.regex;
    case 'BSONSymbol':
      writeString(value.value);
      return TYPE.symbol;
    case 'DBRef':
      writeString(pointerNamespace(value));
      writeBytes(value.oid.id);
      return TYPE.dbPointer;
    case 'Code':
      return writeCode(value, depth);
    case 'MinKey':
      return MIN_KEY_BYTE;
    case 'MaxKey':
      return TYPE.maxKey;
    default:
      return unreachable(value);
  }
}

function writeCode(code: Code, depth: number): number {
  if (code.scope === null) {
    writeString(code.code);
    return TYPE.javascript;
  }
  checkDepth(depth);
  const start = openDocument();
  writeString(code.code);
  writeDoc(scopeOf(code), depth + 1);
  scratch.writeInt32LE(at - start, start);
  return TYPE.javascriptWithScope;
}

function writeBinary(binary: Binary): void {
  const bytes = binary.value();
  const repeated = binary.sub_type === Binary.SUBTYPE_BYTE_ARRAY;
  writeInt32(repeated ? 4 + bytes.length : bytes.length);
  writeByte(binary.sub_type);
  if (repeated) writeInt32(bytes.length);
  writeBytes(bytes);
}

function writeString(text: string): void {
  const start = at;
  writeInt32(0);
  writeUtf8(text);
  writeByte(0);
  scratch.writeInt32LE(at - start - 4, start);
}

function writeCString(text: string): void {
  if (text.includes('\0')) throw new CodedError('BadValue', 'a field name or regular expression holds a NUL character');
  writeUtf8(text);
  writeByte(0);
}

/** A lone surrogate, which UTF-8 cannot say, becomes U+FFFD. */
function writeUtf8(text: string): void {
  room(text.length * MAX_UTF8_PER_UNIT);
  if (text.length <= SHORT_CHARS) {
    for (let index = 0; ; index++) {
      if (index === text.length) {
        at += index;
        return;
      }
      const unit = text.charCodeAt(index);
      if (unit > 0x7f) break;
      scratch[at + index] = unit;
    }
  }
  at += scratch.write(text, at, 'utf8');
}

function writeByte(byte: number): void {
  room(1);
  scratch[at++] = byte;
}

function writeInt32(value: number): void {
  room(4);
  at = scratch.writeInt32LE(value, at);
}

/** One NaN for all: whether JavaScript keeps the bits of another depends on the optimiser. */
function writeDouble(value: number): void {
  room(8);
  if (Number.isNaN(value)) {
    writeInt32(0);
    writeInt32(QUIET_NAN_HIGH);
  } else at = scratch.writeDoubleLE(value, at);
}

function writeInt64(value: bigint): void {
  if (value !== BigInt.asIntN(64, value)) throw new CodedError('BadValue', `${value} does not fit into 64 bits`);
  room(8);
  at = scratch.writeBigInt64LE(value, at);
}

function writeBytes(bytes: Uint8Array): void {
  room(bytes.length);
  scratch.set(bytes, at);
  at += bytes.length;
}

/** The `db.collection` that a DBPointer names; the class takes it apart when there is one dot. */
export function pointerNamespace(pointer: DBRef): string {
  return pointer.db === undefined ? pointer.collection : `${pointer.db}.${pointer.collection}`;
}

import { Buffer } from 'node:buffer';
import {
  Binary,
  BSONRegExp,
  BSONSymbol,
  Code,
  DBRef,
  Decimal128,
  Int32,
  MaxKey,
  MinKey,
  ObjectId,
  Timestamp,
} from 'bson';
import { dateFromMillis } from './far-date.ts';
import { checkDepth, invalid } from './invalid.ts';
import { MIN_KEY_BYTE, TYPE } from './types.ts';
import { asBuffer, readUtf8 } from './utf8.ts';
import type { Doc, Value } from './values.ts';
import { cstringEnd, documentSize, FieldWalker, OBJECT_ID_BYTES, rawField, stringSize } from './walk.ts';

const NO_NAMES: ReadonlySet<string> = new Set();

/**
 * The document that the bytes hold; nothing may follow it. Values are copies: they do not keep `bytes` alive.
 * Of fields with the same name the first counts, as for MongoDB. Throws `InvalidBSON`.
 */
export function decode(bytes: Uint8Array): Doc {
  return decodeWithout(bytes, NO_NAMES);
}

/** As `decode`, leaving out some top-level fields unread. */
export function decodeWithout(bytes: Uint8Array, names: ReadonlySet<string>): Doc {
  const buffer = asBuffer(bytes);
  const walker = new FieldWalker(buffer);
  if (walker.end !== buffer.length) invalid(`${buffer.length - walker.end} bytes follow the document`);
  return readDoc(walker, names, 0);
}

/** As `decode`, reading some top-level fields alone; what follows the last of them is not looked at. */
export function decodeOnly(bytes: Uint8Array, names: ReadonlySet<string>): Doc {
  const doc: Doc = new Map();
  const walker = new FieldWalker(asBuffer(bytes));
  while (doc.size < names.size && walker.next()) {
    const name = walker.name();
    if (!names.has(name) || doc.has(name)) continue;
    doc.set(name, readValue(walker.bytes, walker.type, walker.valueStart, walker.valueEnd, 0));
  }
  return doc;
}

/** The first top-level field of that name, decoded; undefined where there is none (or where it is BSON's undefined). */
export function getField(bytes: Uint8Array, name: string): Value | undefined {
  const field = rawField(bytes, name);
  return field && readValue(asBuffer(bytes), field.type, field.start, field.end, 0);
}

function readDoc(walker: FieldWalker, without: ReadonlySet<string>, depth: number): Doc {
  const doc: Doc = new Map();
  while (walker.next()) {
    const name = walker.name();
    if (without.size > 0 && without.has(name)) continue;
    const value = readValue(walker.bytes, walker.type, walker.valueStart, walker.valueEnd, depth);
    if (!doc.has(name)) doc.set(name, value);
  }
  return doc;
}

function readNestedDoc(bytes: Buffer, start: number, end: number, depth: number): Doc {
  return readDoc(nested(bytes, start, end, depth), NO_NAMES, depth + 1);
}

/** Elements in the order they stand; MongoDB, too, does not look at the names of array elements. */
function readArray(bytes: Buffer, start: number, end: number, depth: number): Value[] {
  const values: Value[] = [];
  const walker = nested(bytes, start, end, depth);
  while (walker.next()) {
    walker.name(); // Not kept, but it has to be text.
    values.push(readValue(bytes, walker.type, walker.valueStart, walker.valueEnd, depth + 1));
  }
  return values;
}

function nested(bytes: Buffer, start: number, end: number, depth: number): FieldWalker {
  checkDepth(depth);
  return new FieldWalker(bytes, start, end);
}

/** A value whose `[start, end)` is as large as the walk proved it to be for this type. */
export function readValue(bytes: Buffer, type: number, start: number, end: number, depth: number): Value {
  switch (type) {
    case TYPE.double:
      return bytes.readDoubleLE(start);
    case TYPE.string:
      return readUtf8(bytes, start + 4, end - 1);
    case TYPE.object:
      return readNestedDoc(bytes, start, end, depth);
    case TYPE.array:
      return readArray(bytes, start, end, depth);
    case TYPE.binData:
      return readBinary(bytes, start, end);
    case TYPE.undefined:
      return undefined;
    case TYPE.objectId:
      return readObjectId(bytes, start);
    case TYPE.bool:
      return bytes[start]! <= 1 ? bytes[start] === 1 : invalid('a boolean is neither 0 nor 1');
    case TYPE.date:
      return readDate(bytes, start);
    case TYPE.null:
      return null;
    case TYPE.regex:
      return readRegex(bytes, start, end);
    case TYPE.dbPointer:
      return new DBRef(readUtf8(bytes, start + 4, end - 13), readObjectId(bytes, end - OBJECT_ID_BYTES));
    case TYPE.javascript:
      return new Code(readUtf8(bytes, start + 4, end - 1));
    case TYPE.symbol:
      return new BSONSymbol(readUtf8(bytes, start + 4, end - 1));
    case TYPE.javascriptWithScope:
      return readScopedCode(bytes, start, end, depth);
    case TYPE.int:
      return new Int32(bytes.readInt32LE(start));
    case TYPE.timestamp:
      return new Timestamp({ i: bytes.readUInt32LE(start), t: bytes.readUInt32LE(start + 4) });
    case TYPE.long:
      return bytes.readBigInt64LE(start);
    case TYPE.decimal:
      return new Decimal128(Buffer.from(bytes.subarray(start, end)));
    case MIN_KEY_BYTE:
      return new MinKey();
    case TYPE.maxKey:
      return new MaxKey();
    default:
      return invalid(`unknown BSON type ${type}`);
  }
}

const idBytes = new Uint8Array(OBJECT_ID_BYTES);

/** The class copies what it is given, and copying twelve bytes by hand beats making a view on them. */
function readObjectId(bytes: Buffer, start: number): ObjectId {
  for (let at = 0; at < OBJECT_ID_BYTES; at++) idBytes[at] = bytes[start + at]!;
  return new ObjectId(idBytes);
}

function readBinary(bytes: Buffer, start: number, end: number): Binary {
  const subtype = bytes[start + 4]!;
  const from = subtype === Binary.SUBTYPE_BYTE_ARRAY ? oldBinaryStart(bytes, start, end) : start + 5;
  return new Binary(Buffer.from(bytes.subarray(from, end)), subtype);
}

/** The deprecated subtype 2 repeats the length inside its data. */
export function oldBinaryStart(bytes: Buffer, start: number, end: number): number {
  const from = start + 5 + 4;
  if (end < from || bytes.readInt32LE(start + 5) !== end - from) invalid('the two lengths of a binary value differ');
  return from;
}

function readDate(bytes: Buffer, start: number): Date {
  const high = bytes.readInt32LE(start + 4);
  // Below 2^52 the sum is exact, and nearly every date is.
  if (high > -0x10_0000 && high < 0x10_0000) return new Date(high * 0x1_0000_0000 + bytes.readUInt32LE(start));
  return dateFromMillis(bytes.readBigInt64LE(start));
}

function readRegex(bytes: Buffer, start: number, end: number): BSONRegExp {
  const patternEnd = cstringEnd(bytes, start, end);
  const regex = new BSONRegExp(readUtf8(bytes, start, patternEnd));
  // Set afterwards: the constructor would sort the options, and refuse those that it does not know.
  regex.options = readUtf8(bytes, patternEnd + 1, end - 1);
  return regex;
}

function readScopedCode(bytes: Buffer, start: number, end: number, depth: number): Code {
  const scopeStart = scopedCodeSplit(bytes, start, end);
  const code = new Code(readUtf8(bytes, start + 8, scopeStart - 1));
  code.scope = readNestedDoc(bytes, scopeStart, end, depth);
  return code;
}

/** Where the scope starts in a code with scope: after its own length and the code; it must fill the rest. */
export function scopedCodeSplit(bytes: Buffer, start: number, end: number): number {
  const scopeStart = start + 4 + stringSize(bytes, start + 4, end);
  if (scopeStart + documentSize(bytes, scopeStart, end) !== end) invalid('a code with scope has the wrong length');
  return scopeStart;
}

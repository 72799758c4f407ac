import { Buffer } from 'node:buffer';
import { type Code, type DBRef, type Decimal128, Int32, ObjectId } from 'bson';
import { assert, unreachable } from '../base/index.ts';
import { binarySize, codePointOrder } from './compare.ts';
import { pointerNamespace } from './encode.ts';
import { compareExact, decimalValue, doubleValue, type Exact, floorDouble } from './exact-number.ts';
import { dateMillis } from './far-date.ts';
import { typeRank } from './order.ts';
import type { TextKeys } from './text-order.ts';
import { scopeOf } from './types.ts';
import { asBuffer } from './utf8.ts';
import { type Doc, RawDoc, type Value } from './values.ts';

/** Below every type's rank, so that the shorter of two documents or arrays comes first. */
const END = '\x04';
const TERMINATOR = '\0';

/**
 * A value as text whose order under `<` is the value's order under `compare`, equal values giving equal text, and no
 * text beginning another, so that texts put after each other order compound keys. Only for keys in memory: the text is
 * a string of code units, not of characters. It begins with the code unit of the type's rank.
 * `descending` turns the order round. With `texts` (a collator's, an index's) strings stand in their order, and two keys
 * go together only if both were made with the same one.
 */
export function encodeKey(value: Value, descending = false, texts?: TextKeys): string {
  const key = flat(String.fromCharCode(typeRank(value)), body(value, texts));
  return descending ? invert(key) : key;
}

/**
 * Two texts after each other, as one piece in memory. `+` would make a text that refers to both, twice as large, and keys
 * are kept by the million.
 */
export function flat(first: string, second: string): string {
  return [first, second].join('');
}

function invert(key: string): string {
  let inverted = '';
  for (let at = 0; at < key.length; at++) inverted += String.fromCharCode(0xffff - key.charCodeAt(at));
  return inverted;
}

function body(value: Value, texts: TextKeys | undefined): string {
  switch (typeof value) {
    case 'string':
      return texts ? texts.key(value) + TERMINATOR : text(value);
    case 'number':
      return double(value) + EXACT;
    case 'bigint':
      return longBody(value);
    case 'boolean':
      return value ? '\x01' : '\0';
    case 'undefined':
      return '';
    case 'object':
      return objectBody(value, texts);
  }
}

function objectBody(value: Value & (object | null), texts: TextKeys | undefined): string {
  if (value === null) return '';
  if (value instanceof ObjectId) return objectId(value);
  if (value instanceof Int32) return double(value.value) + EXACT;
  if (value instanceof Map) return documentBody(value, texts);
  if (Array.isArray(value)) return arrayBody(value, texts);
  if (value instanceof Date) return int64(dateMillis(value));
  assert(!(value instanceof RawDoc), 'raw documents are only encoded, never ordered');
  switch (value._bsontype) {
    case 'Decimal128':
      return decimalBody(value);
    case 'Binary':
      return uint32(binarySize(value)) + String.fromCharCode(value.sub_type) + latin1(value.value());
    case 'Timestamp':
      return uint32(value.t) + uint32(value.i);
    case 'BSONRegExp':
      return text(value.pattern) + text(value.options);
    case 'BSONSymbol':
      return body(value.value, texts);
    case 'DBRef':
      return pointerBody(value);
    case 'Code':
      return codeBody(value);
    case 'MinKey':
    case 'MaxKey':
      return '';
    default:
      return unreachable(value);
  }
}

function documentBody(doc: Doc, texts?: TextKeys): string {
  let key = '';
  for (const [name, value] of doc) key += String.fromCharCode(typeRank(value)) + text(name) + body(value, texts);
  return key + END;
}

function arrayBody(values: readonly Value[], texts: TextKeys | undefined): string {
  let key = '';
  for (const value of values) key += encodeKey(value, false, texts);
  return key + END;
}

function codeBody(code: Code): string {
  return code.scope === null ? text(code.code) : text(code.code) + documentBody(scopeOf(code));
}

function pointerBody(pointer: DBRef): string {
  const namespace = Buffer.from(pointerNamespace(pointer));
  return uint32(namespace.length) + latin1(namespace) + objectId(pointer.oid);
}

/** NUL and U+0001, which are escaped, what does not order as its code points do, and a few that nothing happens to. */
const SPECIAL_UNITS = /[^ -\ud7ff]/g;

/** The text, NUL and U+0001 escaped, in the order of code points, and a terminator below everything else. */
function text(value: string): string {
  return value.replace(SPECIAL_UNITS, reorder) + TERMINATOR;
}

function reorder(unit: string): string {
  const code = unit.charCodeAt(0);
  return code <= 1 ? `\x01${String.fromCharCode(code + 1)}` : String.fromCharCode(codePointOrder(code));
}

/** After the eight bytes of a double: the number is that double, or it lies above it and its decimal digits follow. */
const EXACT = '\0';
const ABOVE = '\x01';

/** The greatest double that is not above the number; then, for two numbers that share it, which is greater. */
function exactNumber(value: Exact): string {
  const floor = floorDouble(value);
  if (isDouble(value, floor)) return double(floor) + EXACT;
  return double(floor) + ABOVE + digits(value);
}

function longBody(value: bigint): string {
  const nearest = Number(value);
  return BigInt(nearest) === value ? double(nearest) + EXACT : exactNumber({ coefficient: value, exponent: 0 });
}

function decimalBody(decimal: Decimal128): string {
  const value = decimalValue(decimal);
  return typeof value === 'number' ? double(value) + EXACT : exactNumber(value);
}

function isDouble(value: Exact, candidate: number): boolean {
  return Number.isFinite(candidate) && compareExact(doubleValue(candidate), value) === 0;
}

/** Above every decimal exponent (up to 6144), and with it below 2^14, so that it is two units of seven bits. */
const EXPONENT_OFFSET = 8192;

/** The order of two decimal expansions of the same sign, not zero: by exponent, then digit by digit. */
function digits(value: Exact): string {
  const negative = value.coefficient < 0n;
  const all = String(negative ? -value.coefficient : value.coefficient);
  const exponent = all.length + value.exponent + EXPONENT_OFFSET;
  const key = String.fromCharCode(exponent >> 7, exponent & 0x7f) + all.replace(/0+$/, '') + TERMINATOR;
  return negative ? key.replace(/[\0-\xff]/g, (unit) => String.fromCharCode(0xff - unit.charCodeAt(0))) : key;
}

const word = new DataView(new ArrayBuffer(8));

/** The eight bytes of a double, made to order: negative numbers inverted, the sign turned; NaN is all zero. */
function double(value: number): string {
  if (Number.isNaN(value)) return '\0\0\0\0\0\0\0\0';
  word.setFloat64(0, value + 0); // Adding 0 turns -0 into 0.
  const flip = value < 0 ? 0xffff_ffff : 0;
  return uint64(word.getUint32(0) ^ (flip | 0x8000_0000), word.getUint32(4) ^ flip);
}

function int64(value: number | bigint): string {
  word.setBigInt64(0, BigInt(value));
  return uint64(word.getUint32(0) ^ 0x8000_0000, word.getUint32(4));
}

function uint32(value: number): string {
  return String.fromCharCode(value >>> 24, (value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff);
}

function uint64(high: number, low: number): string {
  return String.fromCharCode(
    high >>> 24,
    (high >>> 16) & 0xff,
    (high >>> 8) & 0xff,
    high & 0xff,
    low >>> 24,
    (low >>> 16) & 0xff,
    (low >>> 8) & 0xff,
    low & 0xff,
  );
}

/** The twelve bytes, spelt out: this runs for every document, and a spread or a call out of JavaScript is slow. */
function objectId(value: ObjectId): string {
  const id = value.id;
  return String.fromCharCode(
    id[0]!,
    id[1]!,
    id[2]!,
    id[3]!,
    id[4]!,
    id[5]!,
    id[6]!,
    id[7]!,
    id[8]!,
    id[9]!,
    id[10]!,
    id[11]!,
  );
}

function latin1(bytes: Uint8Array): string {
  return asBuffer(bytes).toString('latin1');
}

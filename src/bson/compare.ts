import { Buffer } from 'node:buffer';
import { Binary, BSONRegExp, BSONSymbol, Code, DBRef, Decimal128, Int32, ObjectId, Timestamp } from 'bson';
import { assert } from '../base/index.ts';
import type { Collator } from './collator.ts';
import { pointerNamespace } from './encode.ts';
import { compareExact, type DecimalValue, decimalValue, doubleValue } from './exact-number.ts';
import { dateMillis } from './far-date.ts';
import { typeRank } from './order.ts';
import { scopeOf, typeAlias } from './types.ts';
import { type Doc, RawDoc, type Value } from './values.ts';

/**
 * MongoDB's order over all values: negative, 0 or positive. First by type, the four numeric types being one, and string
 * and symbol too; then by value. Numbers compare exactly across types, NaN is the lowest of them and equal to itself.
 * `Array.prototype.sort` puts `undefined` last without asking, so sort things that hold values, not bare values. The
 * collator orders strings and symbols, those within documents and arrays too; names of fields, code and regular
 * expressions never.
 */
export function compare(a: Value, b: Value, collator?: Collator): number {
  if (typeof a === 'string' && typeof b === 'string') return collator ? collator.compare(a, b) : compareText(a, b);
  if (typeof a === 'number' && typeof b === 'number') return compareMixed(a, b);
  const ranks = typeRank(a) - typeRank(b);
  return ranks === 0 ? compareSameRank(a, b, collator) : ranks;
}

export function equal(a: Value, b: Value, collator?: Collator): boolean {
  return compare(a, b, collator) === 0;
}

/** `compare` for those who hand it on: without a collator it is `compare` itself. */
export function comparison(collator: Collator | undefined): (a: Value, b: Value) => number {
  return collator ? (a, b) => compare(a, b, collator) : compare;
}

/** By Unicode code point, which is the order of the UTF-8 bytes. */
export function compareText(a: string, b: string): number {
  if (a === b) return 0;
  const shared = Math.min(a.length, b.length);
  for (let at = 0; at < shared; at++) {
    const left = a.charCodeAt(at);
    const right = b.charCodeAt(at);
    if (left !== right) return codePointOrder(left) - codePointOrder(right);
  }
  return a.length - b.length;
}

/** Moves surrogates, which stand for code points from U+10000, above the code units U+E000 to U+FFFF. */
export function codePointOrder(unit: number): number {
  if (unit < 0xd800) return unit;
  return unit < 0xe000 ? unit + 0x2000 : unit - 0x800;
}

function compareSameRank(a: Value, b: Value, collator: Collator | undefined): number {
  if (a instanceof ObjectId && b instanceof ObjectId) return Buffer.compare(a.id, b.id);
  if (isNumeric(a) && isNumeric(b)) return compareNumbers(a, b);
  if (isText(a) && isText(b)) return (collator ?? CODE_POINTS).compare(textOf(a), textOf(b));
  if (a instanceof Map && b instanceof Map) return compareDocs(a, b, collator);
  if (Array.isArray(a) && Array.isArray(b)) return compareArrays(a, b, collator);
  if (typeof a === 'boolean' && typeof b === 'boolean') return Number(a) - Number(b);
  if (a instanceof Date && b instanceof Date) return compareMixed(dateMillis(a), dateMillis(b));
  if (a instanceof Binary && b instanceof Binary) return compareBinary(a, b);
  if (a instanceof Timestamp && b instanceof Timestamp) return a.t - b.t || a.i - b.i;
  if (a instanceof BSONRegExp && b instanceof BSONRegExp) {
    return compareText(a.pattern, b.pattern) || compareText(a.options, b.options);
  }
  if (a instanceof DBRef && b instanceof DBRef) return comparePointers(a, b);
  if (a instanceof Code && b instanceof Code) return compareCode(a, b);
  // What is left has one value for each type: MinKey, MaxKey, null, undefined.
  assert(!(a instanceof RawDoc || b instanceof RawDoc), 'raw documents are only encoded, never compared');
  return 0;
}

type Numeric = number | bigint | Int32 | Decimal128;

function isNumeric(value: Value): value is Numeric {
  return (
    typeof value === 'number' || typeof value === 'bigint' || value instanceof Int32 || value instanceof Decimal128
  );
}

function compareNumbers(a: Numeric, b: Numeric): number {
  const left = a instanceof Int32 ? a.value : a;
  const right = b instanceof Int32 ? b.value : b;
  if (left instanceof Decimal128 || right instanceof Decimal128) return compareDecimals(widen(left), widen(right));
  return compareMixed(left, right);
}

/** JavaScript compares a bigint with a number exactly. */
function compareMixed(a: number | bigint, b: number | bigint): number {
  if (a < b) return -1;
  if (a > b) return 1;
  return Number(Number.isNaN(b)) - Number(Number.isNaN(a));
}

function widen(value: number | bigint | Decimal128): DecimalValue {
  if (value instanceof Decimal128) return decimalValue(value);
  if (typeof value === 'bigint') return { coefficient: value, exponent: 0 };
  return Number.isFinite(value) ? doubleValue(value) : value;
}

function compareDecimals(a: DecimalValue, b: DecimalValue): number {
  if (typeof a !== 'number' && typeof b !== 'number') return compareExact(a, b);
  // Against NaN and the infinities every finite number does the same.
  return compareMixed(typeof a === 'number' ? a : 0, typeof b === 'number' ? b : 0);
}

const CODE_POINTS = { compare: compareText };

type Text = string | BSONSymbol;

function isText(value: Value): value is Text {
  return typeof value === 'string' || value instanceof BSONSymbol;
}

function textOf(value: Text): string {
  return typeof value === 'string' ? value : value.value;
}

/** Field by field: type, then name, then value; of two where one begins the other, the shorter is less. */
function compareDocs(a: Doc, b: Doc, collator?: Collator): number {
  const others = b.entries();
  for (const [name, value] of a) {
    const other = others.next();
    if (other.done) return 1;
    const [otherName, otherValue] = other.value;
    const order =
      typeRank(value) - typeRank(otherValue) || compareText(name, otherName) || compare(value, otherValue, collator);
    if (order !== 0) return order;
  }
  return others.next().done ? 0 : -1;
}

function compareArrays(a: readonly Value[], b: readonly Value[], collator: Collator | undefined): number {
  const shared = Math.min(a.length, b.length);
  for (let index = 0; index < shared; index++) {
    const order = compare(a[index], b[index], collator);
    if (order !== 0) return order;
  }
  return a.length - b.length;
}

/** By length, subtype, bytes. The length counts what subtype 2 adds on the wire. */
function compareBinary(a: Binary, b: Binary): number {
  return binarySize(a) - binarySize(b) || a.sub_type - b.sub_type || Buffer.compare(a.value(), b.value());
}

export function binarySize(binary: Binary): number {
  return binary.position + (binary.sub_type === Binary.SUBTYPE_BYTE_ARRAY ? 4 : 0);
}

function comparePointers(a: DBRef, b: DBRef): number {
  const left = Buffer.from(pointerNamespace(a));
  const right = Buffer.from(pointerNamespace(b));
  return left.length - right.length || Buffer.compare(left, right) || Buffer.compare(a.oid.id, b.oid.id);
}

function compareCode(a: Code, b: Code): number {
  const texts = compareText(a.code, b.code);
  return texts !== 0 || a.scope === null ? texts : compareDocs(scopeOf(a), scopeOf(b));
}

/** The same type and the same bits, all the way down; the order of fields counts. */
export function identical(a: Value, b: Value): boolean {
  if (Object.is(a, b)) return true;
  if (typeAlias(a) !== typeAlias(b) || compare(a, b) !== 0) return false;
  if (typeof a === 'number') return false; // 0 and -0: equal, but not the same bits.
  if (a instanceof Decimal128 && b instanceof Decimal128) return Buffer.compare(a.bytes, b.bytes) === 0;
  if (Array.isArray(a) && Array.isArray(b)) return a.every((value, index) => identical(value, b[index]));
  if (a instanceof Map && b instanceof Map) return identicalDocs(a, b);
  if (a instanceof Code && b instanceof Code) return a.scope === null || identicalDocs(scopeOf(a), scopeOf(b));
  return true;
}

/** Of documents that compare as equal, so their fields pair off. */
function identicalDocs(a: Doc, b: Doc): boolean {
  const others = b.values();
  for (const value of a.values()) if (!identical(value, others.next().value)) return false;
  return true;
}

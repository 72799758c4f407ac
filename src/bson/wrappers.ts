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
import { CodedError } from '../base/index.ts';
import { dateFromMillis } from './far-date.ts';
import type { Doc, Value } from './values.ts';

/** Makes a value of what stands in a wrapper: `value` under the wrapper's first name, `doc` being the whole. */
type Reader = (value: Value, doc: Doc) => Value;

/**
 * The first names that make an object of Extended JSON v2 a value of a type, and how it is read: canonical and relaxed
 * forms, not the legacy ones. An object that begins so and is no such value is refused.
 */
export const WRAPPERS: ReadonlyMap<string, Reader> = new Map<string, Reader>([
  ['$oid', (value) => new ObjectId(text(value, /^[0-9a-f]{24}$/i))],
  ['$numberInt', (value) => readInt32(text(value, INTEGER))],
  ['$numberLong', (value) => readInt64(text(value, INTEGER))],
  ['$numberDouble', (value) => Number(text(value, DOUBLE))],
  ['$numberDecimal', (value) => readDecimal(text(value))],
  ['$date', readDate],
  ['$binary', readBinary],
  ['$uuid', (value) => new Binary(Buffer.from(text(value, UUID).replaceAll('-', ''), 'hex'), Binary.SUBTYPE_UUID)],
  ['$timestamp', readTimestamp],
  ['$regularExpression', readRegex],
  ['$symbol', (value) => new BSONSymbol(text(value))],
  ['$dbPointer', readPointer],
  ['$code', readCode],
  ['$undefined', (value) => (value === true ? undefined : malformed('$undefined'))],
  ['$minKey', (value) => (isOne(value) ? new MinKey() : malformed('$minKey'))],
  ['$maxKey', (value) => (isOne(value) ? new MaxKey() : malformed('$maxKey'))],
]);

const INTEGER = /^-?\d{1,19}$/;
const DOUBLE = /^(?:NaN|-?Infinity|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)$/;
const UUID = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/i;
const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;
const ISO_DATE = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,3})?(?:Z|[+-]\d\d:?\d\d)$/;

/** Takes the wrappers in a value read as JSON for what they stand for. Throws `FailedToParse`. */
export function unwrap(value: Value): Value {
  if (Array.isArray(value)) return value.map(unwrap);
  if (!(value instanceof Map)) return value;
  const doc: Doc = new Map();
  for (const [name, field] of value) doc.set(name, unwrap(field));
  for (const [name, field] of doc) {
    const read = WRAPPERS.get(name);
    if (!read) break; // The first name decides.
    if (doc.size > 1 && name !== '$code') malformed(name);
    return read(field, doc);
  }
  return doc;
}

export function malformed(what: string): never {
  throw new CodedError('FailedToParse', `Extended JSON: malformed ${what}`);
}

function text(value: Value, pattern = /^/): string {
  return typeof value === 'string' && pattern.test(value) ? value : malformed('value of a type');
}

/** The fields of an object that has these names and no others, in any order. */
function fields(value: Value, ...names: string[]): Value[] {
  if (!(value instanceof Map) || value.size !== names.length) return malformed(names.join(', '));
  return names.map((name) => (value.has(name) ? value.get(name) : malformed(name)));
}

export function fromBase64(value: Value): Buffer {
  return Buffer.from(text(value, BASE64), 'base64');
}

function readInt32(digits: string): Int32 {
  const value = Number(digits);
  return (value | 0) === value ? new Int32(value) : malformed('$numberInt');
}

function readInt64(digits: string): bigint {
  const value = BigInt(digits);
  return value === BigInt.asIntN(64, value) ? value : malformed('$numberLong');
}

function readDecimal(digits: string): Decimal128 {
  try {
    return Decimal128.fromString(digits);
  } catch {
    return malformed('$numberDecimal');
  }
}

function readDate(value: Value): Date {
  if (typeof value === 'bigint') return dateFromMillis(value);
  if (value instanceof Int32) return new Date(value.value);
  const date = new Date(text(value, ISO_DATE));
  return Number.isNaN(date.getTime()) ? malformed('$date') : date;
}

function readBinary(value: Value): Binary {
  const [base64, subtype] = fields(value, 'base64', 'subType');
  return new Binary(fromBase64(base64), Number.parseInt(text(subtype, /^[0-9a-f]{1,2}$/i), 16));
}

function readTimestamp(value: Value): Timestamp {
  const [t, i] = fields(value, 't', 'i').map(readUint32);
  return new Timestamp({ t: t!, i: i! });
}

function readUint32(value: Value): number {
  const number = value instanceof Int32 ? value.value : Number(value);
  return number >>> 0 === number ? number : malformed('$timestamp');
}

function readRegex(value: Value): BSONRegExp {
  const [pattern, options] = fields(value, 'pattern', 'options').map((part) => text(part, /^[^\0]*$/));
  const regex = new BSONRegExp(pattern!);
  regex.options = options!; // Not through the constructor, which sorts them and refuses those it does not know.
  return regex;
}

function readPointer(value: Value): DBRef {
  const [namespace, id] = fields(value, '$ref', '$id');
  return id instanceof ObjectId ? new DBRef(text(namespace), id) : malformed('$dbPointer');
}

function readCode(value: Value, doc: Doc): Code {
  const code = new Code(text(value));
  if (doc.size === 1) return code;
  const [, scope] = fields(doc, '$code', '$scope');
  code.scope = scope instanceof Map ? scope : malformed('$scope');
  return code;
}

function isOne(value: Value): boolean {
  return value instanceof Int32 && value.value === 1;
}

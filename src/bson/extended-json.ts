import { Buffer } from 'node:buffer';
import { Code, Decimal128 } from 'bson';
import { assert, unreachable } from '../base/index.ts';
import { decode } from './decode.ts';
import { encode, pointerNamespace } from './encode.ts';
import { dateMillis } from './far-date.ts';
import { parseJson } from './json.ts';
import { scopeOf } from './types.ts';
import { validate } from './validate.ts';
import { type Doc, RawDoc, type Value } from './values.ts';
import { fromBase64, malformed, unwrap, WRAPPERS } from './wrappers.ts';

/** The one field of a document that stands for another as base64. */
const RAW = '$bson';

/** The last millisecond of the year 9999, up to which relaxed Extended JSON writes a date as text. */
const LAST_ISO_MILLIS = Date.UTC(10000, 0, 1) - 1;

/**
 * The document as MongoDB Extended JSON v2 in one line of printable ASCII, without backticks: relaxed where that loses
 * nothing, canonical where it would. `fromExtendedJson` gives the same bytes back, of every valid document: one that
 * Extended JSON cannot tell from another (a field named as a type's wrapper, names that come twice, a NaN with a
 * payload) is written as `{"$bson": "<base64>"}`. Throws `InvalidBSON`.
 */
export function toExtendedJson(bytes: Uint8Array): string {
  const doc = decode(bytes);
  const exact = Buffer.compare(encode(doc), bytes) === 0 && !doc.has(RAW) && isSayable(doc);
  return exact ? printDoc(doc) : `{"${RAW}":"${Buffer.from(bytes).toString('base64')}"}`;
}

/** The bytes of a document written as Extended JSON v2, canonical or relaxed. Throws `FailedToParse`. */
export function fromExtendedJson(text: string): Uint8Array {
  const parsed = parseJson(text);
  if (!(parsed instanceof Map)) return malformed('document');
  if (parsed.has(RAW)) return fromRaw(parsed);
  const doc = unwrap(parsed);
  return doc instanceof Map ? encode(doc) : malformed('document');
}

function fromRaw(doc: Doc): Uint8Array {
  if (doc.size > 1) malformed(RAW);
  const bytes = fromBase64(doc.get(RAW));
  validate(bytes);
  return bytes;
}

/** False where the value would be read back as another one. */
function isSayable(value: Value): boolean {
  if (value instanceof Map) {
    const first = value.keys().next().value;
    if (first !== undefined && WRAPPERS.has(first)) return false;
    for (const field of value.values()) if (!isSayable(field)) return false;
    return true;
  }
  if (Array.isArray(value)) return value.every(isSayable);
  if (value instanceof Decimal128) return Buffer.compare(Decimal128.fromString(String(value)).bytes, value.bytes) === 0;
  return !(value instanceof Code) || value.scope === null || isSayable(scopeOf(value));
}

function printDoc(doc: Doc): string {
  let text = '{';
  for (const [name, value] of doc) text += `${text.length > 1 ? ',' : ''}${quote(name)}:${print(value)}`;
  return `${text}}`;
}

function print(value: Value): string {
  switch (typeof value) {
    case 'string':
      return quote(value);
    case 'number':
      return printDouble(value);
    case 'bigint':
      return `{"$numberLong":"${value}"}`;
    case 'boolean':
      return String(value);
    case 'undefined':
      return '{"$undefined":true}';
    case 'object':
      return printObject(value);
  }
}

function printObject(value: Value & (object | null)): string {
  if (value === null) return 'null';
  if (value instanceof Map) return printDoc(value);
  if (Array.isArray(value)) return `[${value.map(print).join(',')}]`;
  if (value instanceof Date) return printDate(value);
  assert(!(value instanceof RawDoc), 'a raw document is never printed');
  switch (value._bsontype) {
    case 'ObjectId':
      return `{"$oid":"${value.toHexString()}"}`;
    case 'Int32':
      return String(value.value);
    case 'Decimal128':
      return `{"$numberDecimal":"${value}"}`;
    case 'Binary': {
      const subtype = value.sub_type.toString(16).padStart(2, '0');
      return `{"$binary":{"base64":"${Buffer.from(value.value()).toString('base64')}","subType":"${subtype}"}}`;
    }
    case 'Timestamp':
      return `{"$timestamp":{"t":${value.t},"i":${value.i}}}`;
    case 'BSONRegExp':
      return `{"$regularExpression":{"pattern":${quote(value.pattern)},"options":${quote(value.options)}}}`;
    case 'BSONSymbol':
      return `{"$symbol":${quote(value.value)}}`;
    case 'DBRef':
      return `{"$dbPointer":{"$ref":${quote(pointerNamespace(value))},"$id":${print(value.oid)}}}`;
    case 'Code':
      return `{"$code":${quote(value.code)}${value.scope === null ? '' : `,"$scope":${printDoc(scopeOf(value))}`}}`;
    case 'MinKey':
      return '{"$minKey":1}';
    case 'MaxKey':
      return '{"$maxKey":1}';
    default:
      return unreachable(value);
  }
}

/** An integral double needs its wrapper, or it would be read as an integer. JavaScript prints all others losslessly. */
function printDouble(value: number): string {
  if (Number.isFinite(value) && !Number.isInteger(value)) return String(value);
  const text = Object.is(value, -0) ? '-0' : String(value);
  return `{"$numberDouble":"${/^-?\d+$/.test(text) ? `${text}.0` : text}"}`;
}

function printDate(date: Date): string {
  const millis = dateMillis(date);
  if (millis < 0 || millis > LAST_ISO_MILLIS) return `{"$date":{"$numberLong":"${millis}"}}`;
  return `{"$date":"${date.toISOString().replace('.000Z', 'Z')}"}`;
}

/** A backtick would end the block of code that a message shows the document in. */
const ESCAPED_UNITS = /[`\x7f-\uffff]/g;

/** Nothing to escape: most text. */
const PLAIN = /^[ !#-[\]-_a-~]*$/;

function quote(text: string): string {
  if (PLAIN.test(text)) return `"${text}"`;
  return JSON.stringify(text).replace(
    ESCAPED_UNITS,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

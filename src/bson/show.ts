import { Buffer } from 'node:buffer';
import { Binary, BSONRegExp, BSONSymbol, Code, DBRef, Int32, MaxKey, MinKey, ObjectId, Timestamp } from 'bson';
import { pointerNamespace } from './encode.ts';
import { dateMillis } from './far-date.ts';
import { scopeOf } from './types.ts';
import type { Doc, Value } from './values.ts';

/** Longer texts and binary values are cut, as the server cuts them in messages: from so many bytes on, to so many. */
const CUT = {
  text: { above: 159, to: 150 },
  code: { above: 79, to: 70 },
  binary: { above: 80, to: 70 },
};

/** A document as the server's messages show it (`BSONObj::toString`): not JSON, and not to be read back. */
export function showDoc(doc: Doc): string {
  const fields = [...doc].map(([name, value]) => `${name}: ${showValue(value)}`);
  return fields.length === 0 ? '{}' : `{ ${fields.join(', ')} }`;
}

/** A value as the server's messages and plans show it (`BSONElement::toString`). */
export function showValue(value: Value): string {
  switch (typeof value) {
    case 'string':
      return showText(value);
    case 'number':
      return showDouble(value);
    case 'object':
      return showObject(value);
    default:
      return String(value);
  }
}

function showObject(value: Value & (object | null)): string {
  if (value === null) return 'null';
  if (value instanceof Map) return showDoc(value);
  if (Array.isArray(value)) return value.length === 0 ? '[]' : `[ ${value.map(showValue).join(', ')} ]`;
  if (value instanceof Date) return `new Date(${dateMillis(value)})`;
  if (value instanceof ObjectId) return `ObjectId('${value.toHexString()}')`;
  if (value instanceof Int32) return String(value.value);
  if (value instanceof Binary) return showBinary(value);
  if (value instanceof Timestamp) return `Timestamp(${value.t}, ${value.i})`;
  if (value instanceof BSONRegExp) return `/${value.pattern}/${value.options}`;
  if (value instanceof BSONSymbol) return showText(value.value);
  if (value instanceof DBRef) return `DBRef('${pointerNamespace(value)}',${value.oid.toHexString()})`;
  if (value instanceof Code) return showCode(value);
  if (value instanceof MinKey) return 'MinKey';
  if (value instanceof MaxKey) return 'MaxKey';
  return String(value); // Decimal128 says itself what it is.
}

function cut(text: string, { above, to }: { above: number; to: number }): string {
  const bytes = Buffer.from(text);
  return bytes.length > above ? `${bytes.toString('utf8', 0, to)}...` : text;
}

function showText(text: string): string {
  return `"${cut(text, CUT.text)}"`;
}

function showCode(code: Code): string {
  return code.scope === null ? cut(code.code, CUT.code) : `CodeWScope( ${code.code}, ${showDoc(scopeOf(code))})`;
}

/** Sixteen digits, and a point where there is none, so that a double looks like one. */
function showDouble(value: number): string {
  if (Number.isNaN(value)) return 'nan.0';
  if (!Number.isFinite(value)) return value > 0 ? 'inf.0' : '-inf.0';
  const digits = String(Number(value.toPrecision(16)));
  return /[.e]/.test(digits) ? digits : `${digits}.0`;
}

function showBinary(binary: Binary): string {
  const bytes = Buffer.from(binary.value());
  const hex = bytes.toString('hex');
  if (binary.sub_type === Binary.SUBTYPE_UUID && bytes.length === 16) {
    return `UUID("${hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')}")`;
  }
  const shown = bytes.length > CUT.binary.above ? `${hex.slice(0, 2 * CUT.binary.to)}...` : hex;
  return `BinData(${binary.sub_type}, ${shown.toUpperCase()})`;
}

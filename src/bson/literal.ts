import { Binary, BSONRegExp, BSONValue, Code, Double, Int32, Long } from 'bson';
import { InvariantError } from '../base/index.ts';
import { decode } from './decode.ts';
import { type Doc, RawDoc, type Value } from './values.ts';

/**
 * A document written as a JavaScript literal. Integers in the range of int32 are int32, other numbers double, bigint is
 * int64; a property whose value is `undefined` is left out.
 */
export function doc(literal: object): Doc {
  const result: Doc = new Map();
  for (const [name, value] of Object.entries(literal)) if (value !== undefined) result.set(name, toValue(value));
  return result;
}

/** What `doc` does, for any value. Maps and values of the bson package's classes are kept as they are. */
export function toValue(js: unknown): Value {
  switch (typeof js) {
    case 'string':
    case 'bigint':
    case 'boolean':
    case 'undefined':
      return js;
    case 'number':
      return isInt32(js) ? new Int32(js) : js;
    case 'object':
      return js === null ? null : objectValue(js);
    default:
      throw new InvariantError(`a ${typeof js} has no place in a document`);
  }
}

function isInt32(value: number): boolean {
  return (value | 0) === value && !Object.is(value, -0);
}

function objectValue(js: object): Value {
  if (Array.isArray(js)) return js.map(toValue);
  if (js instanceof Long && js._bsontype === 'Long') return js.toBigInt(); // A Timestamp is a Long, too.
  if (js instanceof Double) return js.value;
  if (js instanceof Code && js.scope !== null) return withScope(js.code, js.scope);
  if (isValue(js)) return js;
  if (js instanceof Uint8Array) return new Binary(js);
  if (js instanceof RegExp) return new BSONRegExp(js.source, js.flags.replace(/[^imsx]/g, ''));
  return doc(js);
}

function withScope(code: string, scope: object): Code {
  const result = new Code(code);
  result.scope = scope instanceof Map ? scope : doc(scope);
  return result;
}

function isValue(js: object): js is Value & object {
  return js instanceof Map || js instanceof Date || js instanceof RawDoc || js instanceof BSONValue;
}

/**
 * Documents as plain objects, for libraries that want such. Every other value is what `scalar` makes of it, by default
 * itself, so `toValue` leads back (but int32 and integral doubles are one type to it).
 */
export function toPlain(value: Value, scalar: (value: Value) => unknown = (kept) => kept): unknown {
  if (value instanceof RawDoc) return toPlain(decode(value.bytes), scalar);
  if (Array.isArray(value)) return value.map((element) => toPlain(element, scalar));
  if (!(value instanceof Map)) return scalar(value);
  // `fromEntries` defines properties, so that a field named `__proto__` is one as any other.
  return Object.fromEntries([...value].map(([name, field]) => [name, toPlain(field, scalar)]));
}

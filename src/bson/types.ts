import { assert, unreachable } from '../base/index.ts';
import { type Doc, RawDoc, type Value } from './values.ts';

/** The type codes of bsonspec.org, as `$type` takes them. On the wire MinKey is 0xff, the same eight bits. */
export const TYPE = {
  minKey: -1,
  double: 1,
  string: 2,
  object: 3,
  array: 4,
  binData: 5,
  undefined: 6,
  objectId: 7,
  bool: 8,
  date: 9,
  null: 10,
  regex: 11,
  dbPointer: 12,
  javascript: 13,
  symbol: 14,
  javascriptWithScope: 15,
  int: 16,
  timestamp: 17,
  long: 18,
  decimal: 19,
  maxKey: 127,
} as const;

/** The largest document (the server's `BSONObjMaxUserSize`). */
export const MAX_DOCUMENT_BYTES = 16 * 1024 * 1024;

/** MongoDB's name for a BSON type. */
export type TypeAlias = keyof typeof TYPE;

/** MinKey's type code as the unsigned byte it is on the wire. */
export const MIN_KEY_BYTE = 0xff;

/**
 * Documents and arrays inside the outermost document may nest this deep (MongoDB's `maxBSONDepth`, 200 by default).
 * The recursion of every function of this room is bounded by it.
 */
export const MAX_DEPTH = 200;

/** The BSON type of a value, by MongoDB's name. */
export function typeAlias(value: Value): TypeAlias {
  switch (typeof value) {
    case 'string':
      return 'string';
    case 'number':
      return 'double';
    case 'bigint':
      return 'long';
    case 'boolean':
      return 'bool';
    case 'undefined':
      return 'undefined';
    case 'object':
      return objectAlias(value);
  }
}

function objectAlias(value: Value & (object | null)): TypeAlias {
  if (value === null) return 'null';
  if (value instanceof Map) return 'object';
  if (Array.isArray(value)) return 'array';
  if (value instanceof Date) return 'date';
  if (value instanceof RawDoc) return 'object';
  switch (value._bsontype) {
    case 'ObjectId':
      return 'objectId';
    case 'Int32':
      return 'int';
    case 'Decimal128':
      return 'decimal';
    case 'Binary':
      return 'binData';
    case 'Timestamp':
      return 'timestamp';
    case 'BSONRegExp':
      return 'regex';
    case 'BSONSymbol':
      return 'symbol';
    case 'Code':
      return value.scope === null ? 'javascript' : 'javascriptWithScope';
    case 'DBRef':
      return 'dbPointer';
    case 'MinKey':
      return 'minKey';
    case 'MaxKey':
      return 'maxKey';
    default:
      return unreachable(value);
  }
}

/** The BSON type code of a value; -1 for MinKey, 127 for MaxKey. */
export function typeNumber(value: Value): number {
  return TYPE[typeAlias(value)];
}

/** int, long, double or decimal. */
export function isNumber(value: Value): boolean {
  if (typeof value === 'number' || typeof value === 'bigint') return true;
  const alias = typeAlias(value);
  return alias === 'int' || alias === 'decimal';
}

/** A scope made by this room is a document; the class's own type does not say so. */
export function scopeOf(code: { scope: unknown }): Doc {
  assert(code.scope instanceof Map, 'the scope of a Code is a Map');
  return code.scope;
}

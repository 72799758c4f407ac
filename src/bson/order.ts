import { type TypeAlias, typeAlias } from './types.ts';
import type { Value } from './values.ts';

/**
 * Where each type stands in MongoDB's order (`canonicalizeBSONType`); types with the same rank compare by value.
 * The ranks are code units of keys in memory and never stored. Undefined is below null, so that an index tells `[]`,
 * which it holds as undefined, from null.
 */
const RANK: Readonly<Record<TypeAlias, number>> = {
  minKey: 10,
  undefined: 15,
  null: 20,
  int: 30,
  long: 30,
  double: 30,
  decimal: 30,
  string: 60,
  symbol: 60,
  object: 70,
  array: 80,
  binData: 90,
  objectId: 100,
  bool: 110,
  date: 120,
  timestamp: 130,
  regex: 140,
  dbPointer: 150,
  javascript: 160,
  javascriptWithScope: 170,
  maxKey: 240,
};

/** The place of the value's type in MongoDB's order, 10 to 240. */
export function typeRank(value: Value): number {
  if (typeof value === 'string') return RANK.string;
  if (typeof value === 'number') return RANK.double;
  return RANK[typeAlias(value)];
}

/**
 * Indexes in memory: `ordered-index.ts` keeps a collection's keys in order, `kinds/` says which keys a document has in
 * each kind of index, `intervals.ts` is the algebra of bounds, `bounds.ts` says which
 * stretch of keys they are, `duplicate-key.ts` how a conflict is told. Pure: no
 * I/O, no clock.
 */
export { isDescending, type KeyRange, keyPrefix, keyRange, keysOf } from './bounds.ts';
export { duplicateKeyError } from './duplicate-key.ts';
export {
  bracketOf,
  complement,
  EVERYTHING,
  type Interval,
  type Intervals,
  intersection,
  interval,
  isEverything,
  isPoint,
  NOTHING,
  NUMBERS,
  point,
  showIntervals,
  TEXT_HOLDERS,
  TEXTS,
  union,
} from './intervals.ts';
export { hashOf, isHashed } from './kinds/hashed.ts';
export type { DocumentKeys, IndexKey, IndexKind, KeyGenerator } from './kinds/kind.ts';
export { gridOf } from './kinds/plane.ts';
export { levelsOf } from './kinds/sphere.ts';
export { isWildcardPath, kindOf } from './kinds/table.ts';
export { WildcardPaths, wildcardsOf } from './kinds/wildcard-paths.ts';
export { checkWildcardKey, checkWildcardProjection } from './kinds/wildcard-spec.ts';
export { type Conflict, type IndexEntry, type IndexOptions, OrderedIndex } from './ordered-index.ts';

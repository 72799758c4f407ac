/**
 * Indexes in memory: `ordered-index.ts` keeps a collection's keys in order, `bounds.ts` says which stretch of it
 * answers a range, `duplicate-key.ts` how a conflict is told. Pure: no I/O, no clock.
 */
export { type FieldRange, isDescending, type KeyRange, keyRange, type Limit } from './bounds.ts';
export { duplicateKeyError } from './duplicate-key.ts';
export {
  type Conflict,
  type IndexEntry,
  type IndexKey,
  type IndexOptions,
  OrderedIndex,
  type PreparedKeys,
} from './ordered-index.ts';
export { showDoc } from './show.ts';

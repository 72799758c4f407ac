/**
 * Indexes in memory: `ordered-index.ts` keeps a collection's keys in order, `kinds/` says which keys a document has in
 * each kind of index, `bounds.ts` which stretch answers a range, `duplicate-key.ts` how a conflict is told. Pure: no
 * I/O, no clock.
 */
export { type FieldRange, isDescending, type KeyRange, keyRange, type Limit } from './bounds.ts';
export { duplicateKeyError } from './duplicate-key.ts';
export type { DocumentKeys, IndexKey, IndexKind, KeyGenerator } from './kinds/kind.ts';
export { isWildcardPath, kindOf } from './kinds/table.ts';
export { type Conflict, type IndexEntry, type IndexOptions, OrderedIndex } from './ordered-index.ts';

import type { Collection } from './collection.ts';
import type { CollectionStats } from './contract.ts';

/** `hasIdIndex`: the index on `_id` is one of those told of. */
export function statsOf(collection: Collection, hasIdIndex: boolean): CollectionStats {
  const { count, dataSize: size, cachedBytes: cached, ids, secondary } = collection;
  const indexSizes = new Map(hasIdIndex ? [['_id_', ids.bytes]] : []);
  const indexKeys = new Map(hasIdIndex ? [['_id_', count]] : []);
  for (const [name, { index }] of secondary) {
    indexSizes.set(name, index.bytes);
    indexKeys.set(name, index.size);
  }
  return { count, size, indexSizes, indexKeys, cached };
}

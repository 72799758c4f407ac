import type { Doc } from '../bson/index.ts';
import type { Collection } from './collection.ts';

/** How much a capped collection may hold. */
export interface Cap {
  /** Bytes of documents. */
  readonly size: number;
  readonly max: number;
}

/** Undefined where the options ask for none. */
export function capOf(options: Doc): Cap | undefined {
  if (options.get('capped') !== true) return undefined;
  const max = options.has('max') ? Number(options.get('max')) : Number.POSITIVE_INFINITY;
  return { size: Number(options.get('size')), max };
}

/** Takes the oldest documents out until the rest fits, in the commit that is under way. */
export function trim(collection: Collection, { size, max }: Cap): void {
  if (collection.count <= max && collection.dataSize <= size) return;
  for (const slot of collection.scan()) {
    // What came last stays, whatever the cap says: also a document that is larger than all that the collection may hold.
    if (slot.recordId === collection.lastRecordId) return;
    collection.evict(slot);
    if (collection.count <= max && collection.dataSize <= size) return;
  }
}

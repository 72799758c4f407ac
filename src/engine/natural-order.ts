import type { Collection } from './collection.ts';
import type { Slot } from './slot.ts';

/** All slots in natural order, that of insertion or in a clustered collection that of `_id`; `living`: of documents that are there. */
export function naturalScan(collection: Collection, reverse: boolean, living: boolean): Iterable<Slot> {
  if (collection.clustered) return byId(collection, reverse);
  const slots = reverse ? [...collection.slots.values()].reverse() : collection.slots.values();
  return living ? notDeleted(slots) : slots;
}

/** Which of two documents comes first in natural order. */
export function compareNatural({ clustered }: Collection, left: Slot, right: Slot): number {
  if (!clustered) return left.recordId - right.recordId;
  return left.idKey < right.idKey ? -1 : left.idKey > right.idKey ? 1 : 0;
}

function* byId(collection: Collection, reverse: boolean): Generator<Slot> {
  for (const { recordId } of collection.ids.inOrder().scan({ reverse })) {
    const slot = collection.slot(recordId);
    if (slot) yield slot;
  }
}

function* notDeleted(slots: Iterable<Slot>): Generator<Slot> {
  for (const slot of slots) if (!slot.deleted) yield slot;
}

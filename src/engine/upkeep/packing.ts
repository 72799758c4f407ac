import { type Clock, giveWay } from '../../base/index.ts';
import type { RecordRef } from '../../log/index.ts';
import type { Collection } from '../collection.ts';
import type { Slot } from '../slot.ts';

/** When a collection is packed. */
export interface PackingLimits {
  /** A collection with fewer documents stays as it was written, so that a person can read it. */
  readonly readableDocuments: number;
  /** The newest records of a larger one stay too: what was written last is what a person looks for. */
  readonly readableRecords: number;
  /** What is to be packed is left alone until there are so many records of it, */
  readonly packedAtRecords: number;
  /** or so many superseded versions in it, which nothing else removes. */
  readonly packedAtStaleEntries: number;
}

export const PACKING_LIMITS: PackingLimits = {
  readableDocuments: 1000,
  readableRecords: 200,
  packedAtRecords: 100,
  packedAtStaleEntries: 10_000,
};

/** Bytes of documents in a pack, about. A document read back costs its whole pack; more packs cost more at opening. */
export const PACK_BYTES = 1024 * 1024;
/** A record with so many bytes of documents is as good as a pack, while at least half of its entries live. */
const FULL_BYTES = PACK_BYTES / 2;
/** Slots looked at in one step. */
export const SLOTS_A_STEP = 20_000;

/** A record with what lives in it. */
interface Holding {
  readonly record: RecordRef;
  readonly slots: Slot[];
  bytes: number;
}

/** A document, where it stood when it was looked at, and its bytes. */
interface Standing {
  readonly slot: Slot;
  readonly record: RecordRef;
  readonly index: number;
  readonly bytes: Uint8Array;
}

export interface Packed {
  documents: number;
  records: number;
}

/**
 * Rewrites the cold documents of a collection into packs: those that stand alone, in short packs, or in packs that are
 * mostly superseded. Their old records become garbage, which the log removes in bulk. Resolves with what was done; rejects
 * with a `StoreError`.
 */
export async function pack(
  clock: Clock,
  collection: Collection,
  goesOn: () => boolean,
  limits: PackingLimits = PACKING_LIMITS,
): Promise<Packed> {
  const packed: Packed = { documents: 0, records: 0 };
  const poor = await poorRecords(clock, collection, limits);
  const stale = poor.reduce((sum, { record }) => sum + record.entries - record.live, 0);
  if (poor.length < limits.packedAtRecords && stale < limits.packedAtStaleEntries) return packed;
  for (const group of groups(poor)) {
    if (!goesOn()) break;
    const slots = group.flatMap((holding) => holding.slots.filter(({ record }) => record === holding.record));
    packed.documents += await rewrite(collection, slots);
    packed.records++;
  }
  return packed;
}

/** The cold records that are worth rewriting, oldest first. */
async function poorRecords(clock: Clock, collection: Collection, limits: PackingLimits): Promise<Holding[]> {
  if (collection.count < limits.readableDocuments) return [];
  const holdings = new Map<RecordRef, Holding>();
  let step = 0;
  for (const slot of collection.scan()) {
    const { record } = slot;
    const holding = holdings.get(record) ?? { record, slots: [], bytes: 0 };
    if (holding.slots.push(slot) === 1) holdings.set(record, holding);
    holding.bytes += slot.size;
    if (++step % SLOTS_A_STEP === 0) await giveWay(clock);
  }
  return [...holdings.values()]
    .filter(({ record }) => record.messageId !== undefined)
    .sort((left, right) => left.record.seq - right.record.seq)
    .slice(0, -limits.readableRecords)
    .filter(({ record, bytes }) => bytes < FULL_BYTES || record.live * 2 < record.entries);
}

function* groups(holdings: readonly Holding[]): Iterable<Holding[]> {
  let group: Holding[] = [];
  let bytes = 0;
  for (const holding of holdings) {
    if (group.length > 0 && bytes + holding.bytes > PACK_BYTES) {
      yield group;
      group = [];
      bytes = 0;
    }
    group.push(holding);
    bytes += holding.bytes;
  }
  if (group.length > 0) yield group;
}

/**
 * Writes documents anew, as one record. Fetches first, and looks again at the moment of writing: a document that was changed, deleted or moved meanwhile is
 * left out. Returns how many were written.
 */
export async function rewrite(collection: Collection, slots: readonly Slot[]): Promise<number> {
  const { log } = collection;
  const standing = await standingOf(collection, slots);
  let moved = 0;
  await log.appendLast((append) => {
    for (const { slot, record, index, bytes } of standing) {
      if (slot.deleted || slot.record !== record || slot.index !== index) continue;
      collection.move(slot, bytes);
      moved++;
    }
    // `appendLast` tells of a failure.
    collection.commit([], append).catch(() => {});
  });
  return moved;
}

/** The newest versions of `slots` as of now, in no certain order; what is deleted is left out. */
export async function standingOf(collection: Collection, slots: readonly Slot[]): Promise<Standing[]> {
  const standing: Standing[] = [];
  const absent = new Map<RecordRef, { slot: Slot; index: number }[]>();
  for (const slot of slots) {
    const { record, index } = slot;
    if (slot.deleted) continue;
    const bytes = collection.bytesOf(slot);
    if (bytes) standing.push({ slot, record, index, bytes });
    else if (absent.has(record)) absent.get(record)!.push({ slot, index });
    else absent.set(record, [{ slot, index }]);
  }
  if (absent.size === 0) return standing;
  for await (const [record, fetched] of collection.log.fetch([...absent.keys()], 'upkeep')) {
    for (const { slot, index } of absent.get(record)!) {
      const bytes = fetched.document(index);
      // A copy, so that one document does not hold on to the whole record.
      if (bytes) standing.push({ slot, record, index, bytes: bytes.slice() });
    }
  }
  return standing;
}

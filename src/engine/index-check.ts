import { type Env, giveWay } from '../base/index.ts';
import type { Doc, Value } from '../bson/index.ts';
import type { OrderedIndex } from '../indexes/index.ts';
import { compileFilter } from '../query/index.ts';
import type { Collection } from './collection.ts';
import type { IndexFault, IndexFaults } from './contract.ts';
import { buildIndex, type Loaded } from './handle.ts';
import { carryOut, eachMatch, eachOf } from './match.ts';
import type { Slot } from './slot.ts';

/** Entries that are looked at in one go. */
const CHUNK = 10_000;

const nothingToCommit = () => {};

/**
 * Compares what the indexes hold with what the documents have, while clients go on. Each document is looked at in one
 * step with its entries, so that what is missing is missing. Entries that no document was seen to have are suspects only:
 * a write may have made them since, and so their documents are looked at once more.
 */
export async function checkIndexes({ clock }: Env, loaded: Loaded): Promise<IndexFaults> {
  const { collection } = loaded;
  const missing: IndexFault[] = [];
  const expected = new Map<OrderedIndex, OrderedIndex>();
  const everything = compileFilter(new Map(), { now: new Date(0), random: () => 0 });
  const look = eachMatch(loaded, { filter: everything, limit: 0 }, ({ slot, doc }) => {
    const { recordId } = slot;
    const id = doc.get('_id');
    if (collection.ids.get(id) !== slot) {
      missing.push({ index: '_id_', recordId, id, key: new Map([['_id', id]]) });
    }
    for (const { spec, index, ready, refusal } of collection.secondary.values()) {
      if (!ready && !refusal) continue;
      const seen = expected.get(index) ?? buildIndex(spec);
      expected.set(index, seen);
      const keys = index.keysOf(doc);
      if (!keys) missing.push({ index: spec.name, recordId, id });
      for (const { key, values } of keys ?? []) {
        if (index.hasKey(recordId, key)) seen.insertKey(recordId, key);
        else missing.push({ index: spec.name, recordId, id, key: keyDoc(spec.key, values) });
      }
    }
  });
  await carryOut(loaded, look, nothingToCommit);
  const extra: IndexFault[] = [];
  for (const slot of collection.ids.values()) {
    if (collection.slots.get(slot.recordId) !== slot) extra.push({ index: '_id_', recordId: slot.recordId });
  }
  for (const { spec, index, ready, refusal } of collection.secondary.values()) {
    if (!ready && !refusal) continue;
    const suspects = new Map<number, string[]>();
    let entries = 0;
    for (const { key, recordId } of index.scan()) {
      if (++entries % CHUNK === 0) await giveWay(clock);
      if (expected.get(index)?.hasKey(recordId, key)) continue;
      suspects.set(recordId, [...(suspects.get(recordId) ?? []), key]);
    }
    const found = await confirmed(loaded, index, suspects);
    extra.push(...found.map((recordId) => ({ index: spec.name, recordId })));
  }
  return { missing, extra };
}

/** The records of those entries that no document has, one for each entry. */
async function confirmed(
  loaded: Loaded,
  index: OrderedIndex,
  suspects: ReadonlyMap<number, readonly string[]>,
): Promise<number[]> {
  const { collection } = loaded;
  const found: number[] = [];
  const convict = (recordId: number, keys: ReadonlySet<string>) => {
    for (const key of suspects.get(recordId) ?? []) {
      if (!keys.has(key) && index.hasKey(recordId, key)) found.push(recordId);
    }
  };
  const documents = [...suspects.keys()].flatMap((recordId) => liveSlot(collection, recordId) ?? []);
  const look = eachOf(collection, documents, ({ slot, doc }) =>
    convict(slot.recordId, new Set(index.keysOf(doc)?.map(({ key }) => key))),
  );
  await carryOut(loaded, look, nothingToCommit);
  for (const recordId of suspects.keys()) if (!liveSlot(collection, recordId)) convict(recordId, new Set());
  return found;
}

function liveSlot(collection: Collection, recordId: number): Slot | undefined {
  const slot = collection.slots.get(recordId);
  return slot?.deleted ? undefined : slot;
}

function keyDoc(pattern: Doc, values: readonly Value[]): Doc {
  return new Map([...pattern.keys()].map((path, field) => [path, values[field]]));
}

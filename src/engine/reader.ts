import { assert } from '../base/index.ts';
import type { FetchedRecord, RecordRef } from '../log/index.ts';
import type { Collection } from './collection.ts';
import type { RecordShelf } from './record-shelf.ts';
import type { Slot, Version } from './slot.ts';

/** A version with the bytes that it was read with. */
export interface ReadVersion extends Version {
  readonly bytes: Uint8Array;
}

interface Wanted {
  readonly slot: Slot;
  readonly index: number;
}

/** Brings evicted documents back, those that share a record, or a page of the channel, together. */
export class RecordReader {
  readonly #collection: Collection;
  readonly #shelf: RecordShelf;

  constructor(collection: Collection, shelf: RecordShelf) {
    this.#collection = collection;
    this.#shelf = shelf;
  }

  /** The newest versions of `slots`. What was deleted meanwhile is left out. */
  async readAll(slots: readonly Slot[]): Promise<Map<Slot, ReadVersion>> {
    const found = new Map<Slot, ReadVersion>();
    for (let open = slots; open.length > 0; ) open = await this.#readSome(open, found);
    return found;
  }

  /** Undefined where its record was removed meanwhile: what supersedes it is durable by then. */
  async readVersion({ record, index, bytes }: Version): Promise<Uint8Array | undefined> {
    if (bytes) return bytes;
    for await (const [, fetched] of this.#fetch([record])) return fetched.document(index);
    return undefined;
  }

  /** Returns the slots that were superseded while their records were on the way: they stand elsewhere now. */
  async #readSome(slots: readonly Slot[], found: Map<Slot, ReadVersion>): Promise<Slot[]> {
    const { cache } = this.#collection;
    const wanted = new Map<RecordRef, Wanted[]>();
    for (const slot of slots) {
      const { record, index, deleted } = slot;
      const known = deleted ? undefined : this.#collection.bytesOf(slot);
      if (known) found.set(slot, { record, index, bytes: known });
      else if (!deleted) {
        const sharing = wanted.get(record);
        if (sharing) sharing.push({ slot, index });
        else wanted.set(record, [{ slot, index }]);
      }
    }
    const moved: Slot[] = [];
    try {
      for await (const [record, fetched] of this.#fetch([...wanted.keys()])) {
        for (const { slot, index } of wanted.get(record)!) {
          const bytes = fetched.document(index);
          if (slot.record !== record || slot.index !== index) moved.push(slot);
          else if (bytes && !slot.deleted) {
            if (slot.kept === undefined) cache.put(slot, bytes);
            // A copy, so that one document does not hold on to the whole record.
            found.set(slot, { record, index, bytes: bytes.slice() });
          }
        }
        wanted.delete(record);
      }
    } catch (error) {
      // The collection has left the channel that was read.
      if (![...wanted].every(([record, rest]) => rest.every(({ slot }) => slot.deleted || slot.record !== record))) {
        throw error;
      }
    }
    for (const [record, rest] of wanted) {
      for (const { slot } of rest) {
        assert(slot.record !== record || slot.deleted, 'only a superseded record is removed');
        moved.push(slot);
      }
    }
    return moved;
  }

  async *#fetch(records: readonly RecordRef[]): AsyncGenerator<readonly [RecordRef, FetchedRecord], void, void> {
    const absent: RecordRef[] = [];
    for (const record of records) {
      const known = await this.#shelf.get(record);
      if (known) yield [record, known];
      else absent.push(record);
    }
    const [only] = absent;
    if (only && absent.length === 1) {
      const fetched = await this.#shelf.put(only, this.#fetchOne(only));
      if (fetched) yield [only, fetched];
      return;
    }
    for (const [log, some] of this.#collection.home.logsOf(absent)) {
      for await (const [record, fetched] of log.fetch(some)) {
        await this.#shelf.put(record, Promise.resolve(fetched));
        yield [record, fetched];
      }
    }
  }

  async #fetchOne(record: RecordRef): Promise<FetchedRecord | undefined> {
    for (const [log, some] of this.#collection.home.logsOf([record])) {
      for await (const [, fetched] of log.fetch(some)) return fetched;
    }
    return undefined;
  }
}

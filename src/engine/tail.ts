import { CodedError } from '../base/index.ts';
import { decode } from '../bson/index.ts';
import type { Filter } from '../query/index.ts';
import { nsText } from './collection.ts';
import type { DocCursor, FindQuery } from './contract.ts';
import { emptyCursor } from './cursor.ts';
import { Found } from './found.ts';
import type { CollectionHandle, Loaded } from './handle.ts';
import type { Slot } from './slot.ts';

/** Documents that are looked at together. */
const CHUNK = 256;

/** Opens a cursor that goes on at the end of a capped collection. */
export async function tail(
  handle: CollectionHandle,
  query: FindQuery,
  filter: Filter,
  show: (found: Found) => Uint8Array,
): Promise<DocCursor> {
  const { collection, cap } = await handle.load();
  if (!cap) {
    throw new CodedError(
      'BadValue',
      `error processing query: ns=${nsText(handle.info.ns)} tailable cursor requested on non capped collection`,
    );
  }
  // Nothing to stand on: such a cursor is dead from the start.
  return collection.count === 0 ? emptyCursor() : new TailCursor(handle, query, filter, show);
}

/** Stands on the last document that it has looked at, and ends when that one is gone. */
class TailCursor implements DocCursor {
  readonly #handle: CollectionHandle;
  readonly #filter: Filter;
  readonly #show: (found: Found) => Uint8Array;
  readonly #durable: boolean;
  #skip: number;
  /** The record id of that document; 0 before the first. */
  #last = 0;
  /** How often the collection's bell had rung when it was last looked at. */
  #rings = 0;
  #closed = false;

  constructor(handle: CollectionHandle, query: FindQuery, filter: Filter, show: (found: Found) => Uint8Array) {
    this.#handle = handle;
    this.#filter = filter;
    this.#show = show;
    this.#durable = query.read === 'durable';
    this.#skip = query.skip;
  }

  get exhausted(): boolean {
    return this.#closed;
  }

  async next(maxDocs: number, maxBytes: number, signal?: AbortSignal): Promise<Uint8Array[]> {
    const taken: Uint8Array[] = [];
    let bytes = 0;
    while (taken.length < maxDocs) {
      signal?.throwIfAborted();
      this.#handle.checkAlive();
      const loaded = await this.#handle.load();
      this.#checkPosition(loaded);
      this.#rings = loaded.collection.bell.rings;
      const slots = this.#ahead(loaded);
      if (slots.length === 0) break;
      for (const [slot, content] of await contentsOf(loaded, slots)) {
        if (taken.length === maxDocs) return taken;
        const shown = this.#match(slot, content);
        if (shown && taken.length > 0 && bytes + shown.length > maxBytes) return taken;
        this.#last = slot.recordId;
        if (!shown) continue;
        if (this.#skip > 0) {
          this.#skip--;
          continue;
        }
        taken.push(shown);
        bytes += shown.length;
      }
    }
    return taken;
  }

  async changed(): Promise<void> {
    const { collection } = await this.#handle.load();
    await collection.bell.after(this.#rings);
  }

  close(): void {
    this.#closed = true;
  }

  #match(slot: Slot, content: Uint8Array | undefined): Uint8Array | undefined {
    if (!content || slot.deleted || !this.#filter.matches(decode(content))) return undefined;
    return this.#show(new Found(slot.recordId, content));
  }

  #checkPosition({ collection }: Loaded): void {
    if (this.#last === 0 || collection.slot(this.#last)) return;
    throw new CodedError(
      'CappedPositionLost',
      `CollectionScan died due to position in capped collection being deleted. Last seen record id: RecordId(${this.#last})`,
    );
  }

  /** The documents that come next; for a durable read as far as Discord holds them. */
  #ahead({ collection }: Loaded): Slot[] {
    const slots: Slot[] = [];
    const [first] = collection.scan();
    const end = collection.lastRecordId;
    for (let id = this.#last === 0 ? (first?.recordId ?? end + 1) : this.#last + 1; id <= end; id++) {
      if (this.#durable && collection.unsettled.has(id)) break;
      const slot = collection.slot(id);
      if (slot) slots.push(slot);
      if (slots.length === CHUNK) break;
    }
    return slots;
  }
}

async function contentsOf(
  { collection, reader }: Loaded,
  slots: readonly Slot[],
): Promise<[Slot, Uint8Array | undefined][]> {
  const absent = slots.filter((slot) => !collection.bytesOf(slot));
  const fetched = absent.length > 0 ? await reader.readAll(absent) : undefined;
  return slots.map((slot) => [slot, collection.bytesOf(slot) ?? fetched?.get(slot)?.bytes]);
}

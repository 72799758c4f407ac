import type { FetchedRecord, RecordRef } from '../log/index.ts';

/** More than the newest record stays only below this. */
const SHELF_BYTES = 24 * 2 ** 20;

type Coming = Promise<FetchedRecord | undefined>;

/**
 * The records that were fetched last, over all collections: who reads one document of a pack asks for its neighbours
 * next. Those asked for at once share the request.
 */
export class RecordShelf {
  readonly #records = new Map<RecordRef, Coming>();
  /** Of those that have come. */
  readonly #sizes = new Map<RecordRef, number>();
  #bytes = 0;

  get(record: RecordRef): Coming | undefined {
    return this.#records.get(record);
  }

  /** Puts a record on the shelf, also while it is under way; the oldest go. */
  put(record: RecordRef, coming: Coming): Coming {
    this.#records.set(record, coming);
    coming.then(
      (fetched) => (fetched ? this.#arrived(record, fetched.bytes) : this.#records.delete(record)),
      () => this.#records.delete(record),
    );
    return coming;
  }

  #arrived(record: RecordRef, bytes: number): void {
    if (this.#sizes.has(record)) return;
    this.#sizes.set(record, bytes);
    this.#bytes += bytes;
    for (const [oldest, size] of this.#sizes) {
      if (this.#bytes <= SHELF_BYTES || this.#sizes.size === 1) return;
      this.#sizes.delete(oldest);
      this.#records.delete(oldest);
      this.#bytes -= size;
    }
  }
}

/** As many items as are handed on together, and what of a stage's limit they may take. */
const BATCH = 512;
const BATCH_SHARE = 1 / 8;

/** Items that are to be handed on together. */
export class Batch<T> {
  readonly #most: number;
  #items: T[] = [];
  #bytes = 0;

  /** `limit` is what the stage may hold, in bytes. */
  constructor(limit: number) {
    this.#most = BATCH_SHARE * limit;
  }

  get isEmpty(): boolean {
    return this.#items.length === 0;
  }

  get isFull(): boolean {
    return this.#items.length >= BATCH || this.#bytes > this.#most;
  }

  add(item: T, bytes: number): void {
    this.#items.push(item);
    this.#bytes += bytes;
  }

  /** The items, and begins anew. */
  take(): T[] {
    const items = this.#items;
    [this.#items, this.#bytes] = [[], 0];
    return items;
  }
}

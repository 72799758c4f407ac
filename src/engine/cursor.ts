import type { DocCursor } from './contract.ts';

/** A cursor over batches of encoded documents, as big as its source makes them; holds one. `check` throws when it must end. */
export class QueueCursor implements DocCursor {
  readonly #source: AsyncGenerator<Uint8Array[]>;
  readonly #check: () => void;
  #batch: Uint8Array[] = [];
  #at = 0;
  #ended = false;

  constructor(source: AsyncGenerator<Uint8Array[]>, check = () => {}) {
    this.#source = source;
    this.#check = check;
  }

  get exhausted(): boolean {
    return this.#ended && this.#at >= this.#batch.length;
  }

  async next(maxDocs: number, maxBytes: number, signal?: AbortSignal): Promise<Uint8Array[]> {
    this.#check();
    const taken: Uint8Array[] = [];
    let bytes = 0;
    while (taken.length < maxDocs) {
      const next = this.#batch[this.#at];
      if (!next) {
        signal?.throwIfAborted();
        if (!(await this.#refill())) break;
        continue;
      }
      if (taken.length > 0 && bytes + next.length > maxBytes) break;
      taken.push(next);
      bytes += next.length;
      this.#at++;
    }
    // As in MongoDB nobody looks for more once there is enough: the end shows when somebody asks again.
    return taken;
  }

  close(): void {
    this.#ended = true;
    this.#batch = [];
    // A generator that is waiting for a page ends after it; nobody is left to hear how.
    this.#source.return(undefined).catch(() => {});
  }

  async #refill(): Promise<boolean> {
    if (this.#ended) return false;
    const { value, done } = await this.#source.next();
    this.#batch = done ? [] : value;
    this.#at = 0;
    if (done) this.#ended = true;
    return !done;
  }
}

/** The cursor of a collection that does not exist. */
export function emptyCursor(): DocCursor {
  return { next: async () => [], exhausted: true, close() {} };
}

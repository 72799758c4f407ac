import type { Scratch } from '../../base/index.ts';
import type { Doc } from '../../bson/index.ts';
import { DOCUMENTS, type Run, Spool } from './spool.ts';

/** Documents that are written and read together. */
interface Page {
  readonly from: number;
  readonly run: Run;
}

/** Documents from the place `from` on. */
export interface Part {
  readonly from: number;
  readonly docs: readonly Doc[];
}

/** Documents that were put aside, by their places; there may be gaps between those that were put aside together. */
export class Pages {
  readonly #spool: Spool<Doc>;
  readonly #size: number;
  readonly #pages: Page[] = [];
  #end = 0;

  /** `size` is what the documents of a page count for, about. */
  constructor(scratch: Scratch, size: number) {
    this.#spool = new Spool(scratch, DOCUMENTS);
    this.#size = size;
  }

  /** All that was written to the file. */
  get bytes(): number {
    return this.#spool.bytes;
  }

  /** Documents behind those that were written before, with what each counts for. */
  async write(from: number, docs: readonly Doc[], sizes: readonly number[]): Promise<void> {
    for (let at = 0; at < docs.length; ) {
      let to = at;
      for (let bytes = 0; to < docs.length && bytes < this.#size; to++) bytes += sizes[to]!;
      this.#pages.push({ from: from + at, run: await this.#spool.write([docs.slice(at, to)]) });
      at = to;
    }
    this.#end = from + docs.length;
  }

  /** The page with the document at that place; undefined where it is behind all. */
  async read(place: number): Promise<Part | undefined> {
    if (place >= this.#end) return undefined;
    let [low, high] = [0, this.#pages.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#pages[middle]!.from > place) high = middle;
      else low = middle + 1;
    }
    const { from, run } = this.#pages[low - 1]!;
    const docs: Doc[] = [];
    for await (const chunk of this.#spool.read(run)) docs.push(...chunk);
    return { from, docs };
  }

  async close(): Promise<void> {
    await this.#spool.close();
  }
}

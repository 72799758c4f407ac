import type { CodedError, Scratch } from '../../base/index.ts';
import type { Doc, Value } from '../../bson/index.ts';
import { Batch } from './batch.ts';
import { type Codec, type Run, Spool } from './spool.ts';

/** What sorters have done, in bytes but for `spills`, the runs that they put into files. */
export class SortWork {
  sorted = 0;
  spills = 0;
  stored = 0;

  /** What went to the disk, as stages tell it. */
  spilling(): Doc {
    return new Map<string, Value>([
      ['usedDisk', this.spills > 0],
      ['spills', BigInt(this.spills)],
      ['spilledDataStorageSize', BigInt(this.stored)],
    ]);
  }
}

export interface SorterOptions<T> {
  readonly compare: (left: T, right: T) => number;
  /** How many from the front anybody looks at. */
  readonly keep: number;
  /** What an item counts for, in bytes. */
  readonly size: (item: T) => number;
  /** How much may be held in memory. */
  readonly limit: number;
  /** Where the rest goes; a function: it may go nowhere, and what it makes is thrown; undefined: all is held. */
  readonly beyond: Scratch | (() => CodedError) | undefined;
  readonly codec: Codec<T>;
  /** Where it adds what it does. */
  readonly work?: SortWork;
}

/** So many runs are merged to one of the next level: each has a chunk in memory while they are merged. */
const MERGED_TOGETHER = 32;

/**
 * Sorts more than fits into memory: sorted runs go to a file, and are merged at the end (Knuth, TAOCP 3, 5.4). Items that
 * compare alike keep their order.
 */
export class Sorter<T> {
  readonly #options: SorterOptions<T>;
  readonly #spool: Spool<T> | undefined;
  /** From the oldest on; the levels fall. */
  readonly #runs: { readonly run: Run; readonly level: number }[] = [];
  #held: T[] = [];
  #bytes = 0;
  /** Beyond it nothing is kept. */
  #last: T | undefined;

  constructor(options: SorterOptions<T>) {
    const { beyond, codec } = options;
    this.#options = options;
    this.#spool = beyond && typeof beyond !== 'function' ? new Spool(beyond, codec) : undefined;
  }

  async add(items: Iterable<T>): Promise<void> {
    const { compare, keep, size, limit, beyond, work } = this.#options;
    const before = this.#bytes;
    for (const item of items) {
      if (this.#last !== undefined && compare(item, this.#last) >= 0) continue;
      this.#held.push(item);
      this.#bytes += size(item);
    }
    if (work) work.sorted += this.#bytes - before;
    if (this.#held.length > 2 * keep) this.#cut(keep);
    if (this.#bytes <= limit) return;
    if (typeof beyond === 'function') throw beyond();
    if (this.#spool) await this.#spill(this.#spool);
  }

  /** All of them that are to be kept, in order. */
  async *sorted(): AsyncGenerator<T[]> {
    let left = this.#options.keep;
    for await (const batch of this.#inOrder()) {
      yield batch.length <= left ? batch : batch.slice(0, left);
      left -= batch.length;
      if (left <= 0) return;
    }
  }

  async *#inOrder(): AsyncGenerator<T[]> {
    const held = this.#held.sort(this.#options.compare);
    this.#held = [];
    if (this.#runs.length === 0) {
      yield held;
      return;
    }
    const streams = this.#runs.map(({ run }) => this.#spool!.read(run));
    yield* this.#merged([...streams, one(held)]);
  }

  async close(): Promise<void> {
    this.#held = [];
    await this.#spool?.close();
  }

  #cut(keep: number): void {
    const { compare, size } = this.#options;
    this.#held = this.#held.sort(compare).slice(0, keep);
    this.#last = this.#held.at(-1);
    this.#bytes = this.#held.reduce((sum, item) => sum + size(item), 0);
  }

  async #spill(spool: Spool<T>): Promise<void> {
    const run = this.#held.sort(this.#options.compare).slice(0, this.#options.keep);
    this.#held = [];
    this.#bytes = 0;
    this.#last = undefined;
    const before = spool.bytes;
    this.#runs.push({ run: await spool.write([run]), level: 0 });
    await this.#join(spool);
    const { work } = this.#options;
    if (!work) return;
    work.spills++;
    work.stored += spool.bytes - before;
  }

  /** Merges the youngest runs where there are enough of their level. */
  async #join(spool: Spool<T>): Promise<void> {
    for (;;) {
      const last = this.#runs.slice(-MERGED_TOGETHER);
      const { level } = last.at(-1)!;
      if (last.length < MERGED_TOGETHER || last[0]!.level !== level) return;
      const run = await spool.write(this.#merged(last.map((each) => spool.read(each.run))));
      this.#runs.splice(-MERGED_TOGETHER, MERGED_TOGETHER, { run, level: level + 1 });
    }
  }

  #merged(streams: readonly AsyncGenerator<T[]>[]): AsyncGenerator<T[]> {
    return merged(streams, this.#options);
  }
}

async function* one<T>(items: T[]): AsyncGenerator<T[]> {
  yield items;
}

/** A run that is being merged. */
interface Head<T> {
  readonly stream: AsyncGenerator<T[]>;
  /** Of runs whose items compare alike the older one goes first. */
  readonly age: number;
  batch: T[];
  at: number;
}

async function* merged<T>(
  streams: readonly AsyncGenerator<T[]>[],
  { compare, size, limit }: Pick<SorterOptions<T>, 'compare' | 'size' | 'limit'>,
): AsyncGenerator<T[]> {
  const order = (left: Head<T>, right: Head<T>) =>
    compare(left.batch[left.at]!, right.batch[right.at]!) || left.age - right.age;
  const heads: Head<T>[] = [];
  // The last head is the first in order: taking it off costs nothing.
  const place = (head: Head<T>) => {
    let [low, high] = [0, heads.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (order(head, heads[middle]!) > 0) high = middle;
      else low = middle + 1;
    }
    heads.splice(low, 0, head);
  };
  const refill = async (head: Head<T>): Promise<void> => {
    for (;;) {
      const { value, done } = await head.stream.next();
      if (done) return;
      if (value.length === 0) continue;
      head.batch = value;
      head.at = 0;
      place(head);
      return;
    }
  };
  for (const [age, stream] of streams.entries()) await refill({ stream, age, batch: [], at: 0 });
  const batch = new Batch<T>(limit);
  for (let head = heads.pop(); head; head = heads.pop()) {
    const item = head.batch[head.at++]!;
    batch.add(item, size(item));
    if (head.at < head.batch.length) place(head);
    else await refill(head);
    if (batch.isFull) yield batch.take();
  }
  if (!batch.isEmpty) yield batch.take();
}

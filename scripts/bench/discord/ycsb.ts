import { type Random, randomInt } from '../../../src/base/index.ts';
import type { Side } from './side.ts';

/** The constant of the Yahoo! Cloud Serving Benchmark. */
const ZIPFIAN = 0.99;
/** Spreads the popular records over the ids. A prime, so it visits all of any number of records that it does not divide. */
const SCATTER = 7919;
const SCAN_MAX = 100;

/** Ranks from 0 on, rank r with a chance in proportion to 1 / (r + 1)^0.99. */
export class Zipfian {
  readonly #random: Random;
  readonly #sums: Float64Array;

  constructor(random: Random, size: number) {
    this.#random = random;
    this.#sums = new Float64Array(size);
    let sum = 0;
    for (let rank = 0; rank < size; rank++) this.#sums[rank] = sum += 1 / (rank + 1) ** ZIPFIAN;
  }

  next(): number {
    const sums = this.#sums;
    const drawn = this.#random.next() * sums[sums.length - 1]!;
    let low = 0;
    for (let high = sums.length - 1; low < high; ) {
      const middle = (low + high) >> 1;
      if (sums[middle]! <= drawn) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

export const WORKLOADS = {
  A: 'A: 50 % read, 50 % update',
  B: 'B: 95 % read, 5 % update',
  C: 'C: 100 % read',
  D: 'D: 95 % read of the latest, 5 % insert',
  E: 'E: 95 % scan of up to 100, 5 % insert',
  F: 'F: 50 % read, 50 % read-modify-write',
} as const;

export type Workload = keyof typeof WORKLOADS;

/** Of operations that write: what the limits bound where reads are answered from memory. */
export const WRITE_SHARE: Record<Workload, number> = { A: 0.5, B: 0.05, C: 0, D: 0.05, E: 0.05, F: 0.5 };

/** The six workloads by name, over `records` documents with ids from 0 on. */
export class Ycsb {
  readonly #side: Side;
  readonly #random: Random;
  readonly #workload: Workload;
  readonly #records: number;
  readonly #zipfian: Zipfian;
  /** Ids below this are taken, those below `#readable` can be read. */
  #taken: number;
  #readable: number;

  constructor(side: Side, random: Random, workload: Workload, records: number) {
    this.#side = side;
    this.#random = random;
    this.#workload = workload;
    this.#records = records;
    this.#zipfian = new Zipfian(random, records);
    this.#taken = records;
    this.#readable = records;
  }

  async turn(client: number): Promise<void> {
    const side = this.#side;
    const writes = this.#random.next() < WRITE_SHARE[this.#workload];
    switch (this.#workload) {
      case 'A':
      case 'B':
      case 'C':
        return writes ? side.update(client, this.#popular()) : side.read(client, this.#popular());
      case 'D':
        return writes ? this.#insert(client) : side.read(client, this.#readable - 1 - this.#zipfian.next());
      case 'E':
        return writes
          ? this.#insert(client)
          : side.scan(client, this.#popular(), 1 + randomInt(this.#random, SCAN_MAX));
      case 'F': {
        const id = this.#popular();
        await side.read(client, id);
        return writes ? side.update(client, id) : undefined;
      }
    }
  }

  #popular(): number {
    return (this.#zipfian.next() * SCATTER) % this.#records;
  }

  /** Both sides take inserts in the order in which they are given, so an answer speaks for those before it too. */
  async #insert(client: number): Promise<void> {
    const id = this.#taken++;
    await this.#side.insert(client, [id]);
    if (id >= this.#readable) this.#readable = id + 1;
  }
}

import type { Doc, Value } from '../../../bson/index.ts';
import { SortWork } from '../sorter.ts';
import type { Running } from './partition.ts';

/** What a `$setWindowFields` has done, for `explain`; sizes are bytes of BSON, about. */
export class WindowWork {
  /** Of its sort, and of the partitions that were put aside. */
  readonly sort = new SortWork();
  readonly #most: Map<string, number>;
  #total = 0;

  constructor(fields: readonly string[]) {
    this.#most = new Map(fields.map((field) => [field, 0]));
  }

  /** What the functions hold now, and with the documents in memory all together. */
  holds(functions: readonly { readonly name: string; readonly running: Running }[], total: number): void {
    for (const { name, running } of functions) {
      if (running.held > this.#most.get(name)!) this.#most.set(name, running.held);
    }
    this.#total = Math.max(this.#total, total);
  }

  figures(): Doc {
    return new Map<string, Value>([
      ['maxFunctionMemoryUsageBytes', new Map([...this.#most].map(([field, bytes]) => [field, BigInt(bytes)]))],
      ['maxTotalMemoryUsageBytes', BigInt(Math.round(this.#total))],
      ...this.sort.spilling(),
    ]);
  }
}

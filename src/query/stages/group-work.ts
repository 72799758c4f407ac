import type { Doc, Value } from '../../bson/index.ts';
import { sizeOfValue } from '../size.ts';
import type { Entry } from './group-table.ts';

/** What a `$group` has done, for `explain`; sizes are bytes of BSON, about. */
export class GroupWork {
  readonly #held: Map<string, number>;
  #made = 0;
  #spills = 0;
  #stored = 0;
  #put = 0;
  #records = 0;

  constructor(fields: Iterable<string>) {
    this.#held = new Map([...fields].map((field) => [field, 0]));
  }

  /** Groups were put aside. */
  evicted(groups: readonly Entry[]): void {
    this.#spills++;
    this.#records += groups.length;
    for (const { bytes } of groups) this.#put += bytes;
  }

  stored(bytes: number): void {
    this.#stored += bytes;
  }

  /** Groups are finished; before that their accumulators hold the most. */
  finishing(groups: Iterable<Entry>): void {
    const held = new Map<string, number>();
    for (const { group } of groups) {
      for (const [field, bytes] of group.holds()) held.set(field, (held.get(field) ?? 0) + bytes);
    }
    for (const [field, bytes] of held) this.#held.set(field, Math.max(bytes, this.#held.get(field) ?? 0));
  }

  made(doc: Doc): void {
    this.#made += sizeOfValue(doc);
  }

  figures(): Doc {
    return new Map<string, Value>([
      ['maxAccumulatorMemoryUsageBytes', new Map([...this.#held].map(([field, bytes]) => [field, BigInt(bytes)]))],
      ['totalOutputDataSizeBytes', BigInt(this.#made)],
      ['usedDisk', this.#spills > 0],
      ['spills', BigInt(this.#spills)],
      ['spilledDataStorageSize', BigInt(this.#stored)],
      ['numBytesSpilledEstimate', BigInt(this.#put)],
      ['spilledRecords', BigInt(this.#records)],
    ]);
  }
}

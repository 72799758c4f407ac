import type { RecordHeader } from './header.ts';

/**
 * Tells the records of an owner that had already lost the log. Each epoch names the first sequence that it could write;
 * what a lower epoch wrote from there on came too late, wherever in the channel it stands. Ask in order, highest epoch
 * first.
 */
export class EpochFilter {
  #epoch: number | undefined;
  #since = 0;
  /** From here on only higher epochs than `#epoch` count. */
  #bound = Number.POSITIVE_INFINITY;

  isZombie({ epoch, since, seq }: RecordHeader): boolean {
    if (this.#epoch === undefined || epoch < this.#epoch) {
      if (this.#epoch !== undefined) this.#bound = Math.min(this.#bound, this.#since);
      this.#epoch = epoch;
      this.#since = since;
    }
    return seq >= this.#bound;
  }
}

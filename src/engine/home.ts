import type { Log, RecordRef } from '../log/index.ts';

/** The log that a collection has left, and the records of it that were newest then. */
interface FormerLog {
  readonly log: Log;
  readonly records: ReadonlySet<RecordRef>;
}

/** The log that a collection lives in, and after a move for a while the one that it has left. */
export class Home {
  #log: Log;
  #former: FormerLog | undefined;
  /** Where the log does not count yet: resolves when it does. */
  #entered: Promise<void> | undefined;

  constructor(log: Log) {
    this.#log = log;
  }

  get log(): Log {
    return this.#log;
  }

  /** `newest` are the records that have been read from so far; the new log counts once `entered` resolves. */
  move(log: Log, newest: ReadonlySet<RecordRef>, entered: Promise<void>): void {
    this.#former = { log: this.#log, records: newest };
    this.#log = log;
    this.#entered = entered;
    const counts = () => {
      this.#entered = undefined;
    };
    // Whoever waits for it is told of its failure.
    entered.then(counts, () => {});
  }

  /** The log before is read no more. */
  forgetFormer(): void {
    this.#former = undefined;
  }

  /** What Discord holds in this log is durable once the log counts. */
  durable(stored: Promise<void>): Promise<unknown> {
    return this.#entered ? Promise.all([stored, this.#entered]) : stored;
  }

  /** The logs that hold these records: what was asked for before a move stands in the one before. */
  logsOf(records: readonly RecordRef[]): readonly (readonly [Log, readonly RecordRef[]])[] {
    const former = this.#former;
    if (!former) return [[this.#log, records]];
    const isFormer = (record: RecordRef) => former.records.has(record);
    const parts = [
      [former.log, records.filter(isFormer)],
      [this.#log, records.filter((record) => !isFormer(record))],
    ] as const;
    return parts.filter(([, some]) => some.length > 0);
  }
}

import { secondsAhead } from './id-lead.ts';
import { LiveSet } from './live-set.ts';
import { asLogRecord, type LogRecord } from './log-record.ts';
import type { Entry, Placement } from './types.ts';

/** Which records hold newest versions, in the order in which records are sealed: what each header says of the log. */
export class Liveness {
  documents = 0;
  superseding = 0;
  nextRecordId = 1;
  /** See `secondsAhead`: the most among all documents whose messages are known. */
  ahead = 0;
  readonly live = new LiveSet();
  readonly #records = new Set<LogRecord>();

  /** The records of `live`. */
  get records(): ReadonlySet<LogRecord> {
    return this.#records;
  }

  /** Takes in a record that was found in the channel, its slots judged. Returns false when it holds no newest version. */
  adopt(record: LogRecord): boolean {
    if (record.live === 0) {
      record.die();
      return false;
    }
    this.live.add(record.seq);
    this.#records.add(record);
    return true;
  }

  /**
   * Applies a record that has just got its sequence. Returns the records that hold no newest version any more, oldest
   * knowledge first; the record itself may be among them.
   */
  seal(record: LogRecord, entries: readonly Entry[]): LogRecord[] {
    const dead: LogRecord[] = [];
    for (const [slot, { op, recordId, previous }] of entries.entries()) {
      if (recordId >= this.nextRecordId) this.nextRecordId = recordId + 1;
      if (previous) this.#supersede(previous, record, dead);
      if (op === 'put') {
        record.live++;
        if (previous) this.superseding++;
        else this.documents++;
      } else {
        record.deletions++;
        record.retire(slot);
        this.superseding++;
        if (previous) this.documents--;
      }
    }
    if (!this.adopt(record)) dead.push(record);
    return dead;
  }

  /** A document stands in a message that was posted then. */
  posted(document: Uint8Array, postedAt: number): void {
    const ahead = secondsAhead(document, postedAt);
    if (ahead > this.ahead) this.ahead = ahead;
  }

  /** The record goes out again under another sequence. */
  renumber(record: LogRecord, seq: number): void {
    if (record.live > 0) {
      this.live.delete(record.seq);
      this.live.add(seq);
    }
    record.seq = seq;
  }

  #supersede({ record: ref, slot }: Placement, record: LogRecord, dead: LogRecord[]): void {
    const older = asLogRecord(ref);
    older.live--;
    older.retire(slot);
    if (older === record) return;
    record.supersedes(older);
    if (older.live > 0) return;
    older.die();
    this.live.delete(older.seq);
    this.#records.delete(older);
    dead.push(older);
  }
}

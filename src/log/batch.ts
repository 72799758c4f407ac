import { type Deferred, deferred } from '../base/index.ts';
import type { Checkpoint } from './checkpoint.ts';
import { ENTRY_FRAME_BYTES, MARK_FRAME_BYTES } from './frame.ts';
import { LogRecord } from './log-record.ts';
import { markKeys } from './mark-horizon.ts';
import { RECORD_BYTES_MAX } from './record.ts';
import type { Entry, FetchedRecord, Placement, RetryMark } from './types.ts';

/** Bytes that an entry takes in a record, at most. */
export function entrySize(entry: Entry): number {
  return ENTRY_FRAME_BYTES + entry.bytes.length;
}

export function markSize(mark: RetryMark): number {
  return MARK_FRAME_BYTES + mark.result.length;
}

/** What waits to become one record, and who waits for it. */
export class Batch implements FetchedRecord {
  readonly record = new LogRecord();
  readonly entries: Entry[] = [];
  readonly marks: RetryMark[] = [];
  /** Set where the batch is one, and carries nothing else. */
  checkpoint: Checkpoint | undefined;
  readonly durable: Deferred<void> = deferred();
  bytes = 0;

  fits(bytes: number): boolean {
    return this.bytes + bytes <= RECORD_BYTES_MAX;
  }

  add(entry: Entry): Placement {
    const slot = this.entries.push(entry) - 1;
    this.record.entries = this.entries.length;
    this.bytes += entrySize(entry);
    return { record: this.record, slot };
  }

  mark(mark: RetryMark): void {
    this.marks.push(mark);
    this.bytes += markSize(mark);
  }

  /** Nothing joins any more. */
  close(seq: number): void {
    this.record.seq = seq;
    this.record.marks = markKeys(this.marks);
  }

  document(slot: number): Uint8Array | undefined {
    const entry = this.entries[slot];
    return entry?.op === 'put' ? entry.bytes : undefined;
  }
}

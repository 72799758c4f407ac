import type { Checkpoint } from './checkpoint.ts';
import type { Entry, RetryMark } from './types.ts';

/** An entry as it is written: what it supersedes follows from the log. */
export type StoredEntry = Pick<Entry, 'op' | 'recordId' | 'bytes'>;

/** What a record carries. */
export interface Payload {
  readonly entries: readonly StoredEntry[];
  readonly marks: readonly RetryMark[];
  /** Then there is nothing else. */
  readonly checkpoint?: Checkpoint | undefined;
}

import type { RetryMark } from './types.ts';

/** As long as MongoDB keeps an idle session (`localLogicalSessionTimeoutMinutes`): later nobody repeats its writes. */
export const MARK_LIFETIME_MS = 30 * 60 * 1000;

/** A command in a session: all statements of one command share it. */
export interface MarkKey {
  readonly session: string;
  readonly txnNumber: bigint;
}

interface Newest {
  txnNumber: bigint;
  /** When its record was posted. */
  at: number;
}

/** Which retryable writes may still be repeated: a session that moved on never goes back to an older command. */
export class MarkHorizon {
  readonly #newest = new Map<string, Newest>();

  /** Takes in the marks of a durable record posted `at`. */
  note(keys: readonly MarkKey[], at: number): void {
    for (const { session, txnNumber } of keys) {
      const newest = this.#newest.get(session);
      if (!newest) this.#newest.set(session, { txnNumber, at });
      else if (txnNumber > newest.txnNumber) Object.assign(newest, { txnNumber, at });
    }
  }

  /** True when no client will ask for this mark any more. */
  isPast({ session, txnNumber }: MarkKey, at: number, now: number): boolean {
    if (now - at > MARK_LIFETIME_MS) return true;
    const newest = this.#newest.get(session);
    return newest !== undefined && newest.txnNumber > txnNumber;
  }

  /** Forgets sessions whose newest mark is past by its age. */
  prune(now: number): void {
    for (const [session, { at }] of this.#newest) if (now - at > MARK_LIFETIME_MS) this.#newest.delete(session);
  }
}

/** The distinct commands that `marks` belong to; undefined when there are none. */
export function markKeys(marks: readonly RetryMark[]): readonly MarkKey[] | undefined {
  if (marks.length === 0) return undefined;
  const keys = new Map<string, MarkKey>();
  for (const mark of marks) {
    const key = { session: sessionOf(mark), txnNumber: mark.txnNumber };
    keys.set(`${key.session} ${key.txnNumber}`, key);
  }
  return [...keys.values()];
}

export function isOf(mark: RetryMark, { session, txnNumber }: MarkKey): boolean {
  return mark.txnNumber === txnNumber && sessionOf(mark) === session;
}

function sessionOf({ lsid }: RetryMark): string {
  return Buffer.from(lsid.buffer, lsid.byteOffset, lsid.length).toString('base64');
}

import { CodedError } from '../base/index.ts';
import { type Doc, decode, encode } from '../bson/index.ts';
import type { RetryMark } from '../log/index.ts';
import type { RetryIdentity } from './contract.ts';

/** An executed statement: its result, and when that is safe to repeat to the client. */
export interface Executed {
  readonly result: Doc;
  readonly durable: Promise<void>;
}

interface SessionWrites {
  txnNumber: bigint;
  readonly statements: Map<number, Executed>;
  /** Milliseconds since the epoch of the last write. */
  usedAt: number;
}

/** As `localLogicalSessionTimeoutMinutes`: a client that is silent for longer has given its session up. */
export const SESSION_TIMEOUT_MS = 30 * 60_000;

/**
 * The statements that a collection executed under retryable writes: for each session those of its newest transaction
 * number. Filled by writes and, on opening, by the marks that they left in the log.
 */
export class RetryTable {
  readonly #sessions = new Map<string, SessionWrites>();
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** What statement `stmtId` answered before, if it ran. TransactionTooOld when the session has moved on. */
  find(key: string, txnNumber: bigint, stmtId: number): Executed | undefined {
    const session = this.#sessions.get(key);
    if (!session || session.txnNumber < txnNumber) return undefined;
    if (session.txnNumber > txnNumber) {
      throw new CodedError(
        'TransactionTooOld',
        `Retryable write with txnNumber ${txnNumber} is prohibited on session ${key} because a newer retryable write with txnNumber ${session.txnNumber} has already started on this session.`,
      );
    }
    return session.statements.get(stmtId);
  }

  record(key: string, txnNumber: bigint, stmtId: number, executed: Executed): void {
    let session = this.#sessions.get(key);
    if (!session || session.txnNumber < txnNumber) {
      session = { txnNumber, statements: new Map(), usedAt: 0 };
      // Re-inserted, so that the Map's order is that of last use.
      this.#sessions.delete(key);
      this.#sessions.set(key, session);
    }
    if (session.txnNumber > txnNumber) return;
    session.statements.set(stmtId, executed);
    session.usedAt = this.#now();
    this.#expire();
  }

  /** Takes over what recovery found; all of it is durable. */
  restore(marks: readonly RetryMark[]): void {
    for (const mark of marks) {
      const executed = { result: decode(mark.result), durable: Promise.resolve() };
      this.record(sessionKey(mark.lsid), mark.txnNumber, mark.stmtId, executed);
    }
  }

  /** Everything that may still be repeated, as `restore` takes it. */
  marks(): RetryMark[] {
    this.#expire();
    return [...this.#sessions].flatMap(([key, { txnNumber, statements }]) => {
      const lsid = Buffer.from(key, 'hex');
      return [...statements].map(([stmtId, { result }]) => ({ lsid, txnNumber, stmtId, result: encode(result) }));
    });
  }

  #expire(): void {
    for (const [key, session] of this.#sessions) {
      if (this.#now() - session.usedAt <= SESSION_TIMEOUT_MS) return;
      this.#sessions.delete(key);
    }
  }
}

/** The statement id of statement `index` (driver specification "Retryable Writes": sequential from 0 where none is sent). */
export function statementId(retry: RetryIdentity, index: number): number {
  return retry.stmtIds[index] ?? (retry.stmtIds[0] ?? 0) + index;
}

/** What a session goes by here: its UUID in hexadecimal digits. */
export function sessionKey(lsid: Uint8Array): string {
  return Buffer.from(lsid.buffer, lsid.byteOffset, lsid.length).toString('hex');
}

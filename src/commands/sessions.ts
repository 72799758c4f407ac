import { type Clock, CodedError, type Timer } from '../base/index.ts';

/** `logicalSessionTimeoutMinutes` of hello. */
export const SESSION_TIMEOUT_MINUTES = 30;
const SESSION_TIMEOUT_MS = SESSION_TIMEOUT_MINUTES * 60_000;
/** MongoDB's `maxSessions`. */
const MAX_SESSIONS = 1_000_000;

interface Session {
  lastUse: number;
  /** The highest transaction number used. */
  txnNumber: bigint;
}

/** Sessions by the UUID of their `lsid`, as 32 hexadecimal digits. */
export type SessionKey = string;

export function sessionKey(lsid: Uint8Array): SessionKey {
  return Buffer.from(lsid.buffer, lsid.byteOffset, lsid.length).toString('hex');
}

/** The form in which MongoDB's messages show a session: a UUID with its dashes. */
export function showSession(key: SessionKey): string {
  return key.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

/** The logical sessions that clients use. A session begins by being used and ends by the client or after 30 idle minutes. */
export class SessionRegistry {
  readonly #clock: Clock;
  readonly #onEnd: (key: SessionKey) => void;
  /** In order of last use, so that the first is the next to expire. */
  readonly #sessions = new Map<SessionKey, Session>();
  #timer: Timer | undefined;

  /** `onEnd` frees what belongs to a session that is over. */
  constructor(clock: Clock, onEnd: (key: SessionKey) => void) {
    this.#clock = clock;
    this.#onEnd = onEnd;
  }

  get size(): number {
    return this.#sessions.size;
  }

  has(key: SessionKey): boolean {
    return this.#sessions.has(key);
  }

  /** Marks a session as used now, and begins it when it is new. */
  touch(key: SessionKey): void {
    const session = this.#sessions.get(key) ?? { lastUse: 0, txnNumber: -1n };
    if (!this.#sessions.delete(key) && this.#sessions.size >= MAX_SESSIONS) {
      throw new CodedError('TooManyLogicalSessions', 'cannot add session into the cache: too many are active');
    }
    session.lastUse = this.#clock.monotonic();
    this.#sessions.set(key, session);
    this.#schedule();
  }

  /** Numbers of a session's writes only grow; an old one comes from a request that a newer one has overtaken. */
  useTxnNumber(key: SessionKey, txnNumber: bigint): void {
    const session = this.#sessions.get(key);
    if (!session) return;
    if (txnNumber < session.txnNumber) {
      throw new CodedError(
        'TransactionTooOld',
        `Retryable write with txnNumber ${txnNumber} is prohibited on session ${showSession(key)} because a newer ` +
          `retryable write with txnNumber ${session.txnNumber} has already started on this session.`,
      );
    }
    session.txnNumber = txnNumber;
  }

  end(key: SessionKey): void {
    if (this.#sessions.delete(key)) this.#onEnd(key);
  }

  /** Every session, with the time of its last use. */
  all(): { key: SessionKey; lastUse: Date }[] {
    const since = this.#clock.now() - this.#clock.monotonic();
    return [...this.#sessions].map(([key, { lastUse }]) => ({ key, lastUse: new Date(Math.round(since + lastUse)) }));
  }

  keys(): readonly SessionKey[] {
    return [...this.#sessions.keys()];
  }

  close(): void {
    this.#timer?.cancel();
    this.#sessions.clear();
  }

  #schedule(): void {
    if (this.#timer) return;
    const [oldest] = this.#sessions.values();
    if (!oldest) return;
    const due = oldest.lastUse + SESSION_TIMEOUT_MS - this.#clock.monotonic();
    this.#timer = this.#clock.timer(
      Math.max(0, due),
      () => {
        this.#timer = undefined;
        this.#expire();
        this.#schedule();
      },
      { unref: true },
    );
  }

  #expire(): void {
    const limit = this.#clock.monotonic() - SESSION_TIMEOUT_MS;
    for (const [key, session] of this.#sessions) {
      if (session.lastUse > limit) return;
      this.end(key);
    }
  }
}

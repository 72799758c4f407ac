import { type Clock, sleep } from '../base/index.ts';
import type { RetryMark } from './types.ts';

/** A session counts as company for this long after its last write. */
const COMPANY_MS = 1000;
/** So many sessions writing at once are worth waiting for; PostgreSQL's `commit_siblings` is the same idea. */
const COMPANY_SESSIONS = 2;
/** A pause of so many usual gaps between two writes means that whoever would come has come. */
const QUIET_GAPS = 4;
const QUIET_MS_MIN = 5;
const QUIET_MS_MAX = 150;
/** Weight of the newest gap in the usual one. */
const NEWEST_GAP = 1 / 8;
/** No write waits longer than this for others: the pace at which a channel takes messages anyway (discord-facts, 1a). */
const GATHER_MS_MAX = 1000;

/**
 * When to wait for company before a commit leaves. One client after another gets its commit at once; when several
 * sessions write at the same time, a commit leaves at the first pause, and carries them all.
 */
export class Company {
  readonly #clock: Clock;
  /** When each session last wrote, longest ago first. */
  readonly #wrote = new Map<string, number>();
  #lastWrite = Number.NEGATIVE_INFINITY;
  /** A moving average over the writes that share a commit: across commits writers wait for us, not we for them. */
  #usualGap = QUIET_MS_MIN;
  #first = true;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** A write has come; its marks say of which session. */
  note(marks: readonly RetryMark[]): void {
    const now = this.#clock.monotonic();
    const gap = Math.min(now - this.#lastWrite, QUIET_MS_MAX);
    if (!this.#first) this.#usualGap += (gap - this.#usualGap) * NEWEST_GAP;
    this.#first = false;
    this.#lastWrite = now;
    for (const { lsid } of marks.slice(0, 1)) {
      const session = Buffer.from(lsid.buffer, lsid.byteOffset, lsid.length).toString('latin1');
      this.#wrote.delete(session);
      this.#wrote.set(session, now);
    }
    for (const [session, at] of this.#wrote) {
      if (now - at <= COMPANY_MS) break;
      this.#wrote.delete(session);
    }
  }

  get expected(): boolean {
    return this.#wrote.size >= COMPANY_SESSIONS;
  }

  /** A commit leaves: the next write begins another. */
  left(): void {
    this.#first = true;
  }

  /** Resolves at the first pause of the writes. */
  async gather(): Promise<void> {
    const end = this.#clock.monotonic() + GATHER_MS_MAX;
    for (;;) {
      const quiet = Math.min(Math.max(this.#usualGap * QUIET_GAPS, QUIET_MS_MIN), QUIET_MS_MAX);
      const wait = Math.min(this.#lastWrite + quiet, end) - this.#clock.monotonic();
      if (wait <= 0) return;
      await sleep(this.#clock, Math.ceil(wait));
    }
  }
}

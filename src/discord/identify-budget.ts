import type { Clock } from '../base/index.ts';

/**
 * Discord resets a token after 1,000 IDENTIFYs in a day. Below this remainder none is sent, so that a process that crashes
 * and starts again all day long, and knows nothing of the ones before, stops far from there.
 */
export const IDENTIFY_RESERVE = 200;
/** IDENTIFYs of one process in a day, whatever Discord's count says. */
export const IDENTIFIES_PER_DAY = 200;
const DAY_MS = 24 * 60 * 60_000;
/** Discord takes one in five seconds; a little for the clocks. */
const SPACING_MS = 5_500;
const SPACING_MAX_MS = 15 * 60_000;
/** A session that lasted so long was a good one. */
export const STABLE_MS = 10 * 60_000;
/** Shortest and longest wait where Discord's count forbids. */
const RESET_MIN_MS = 60_000;

/** `session_start_limit` of GET /gateway/bot. */
export interface SessionStartLimit {
  readonly remaining: number;
  readonly resetAfterMs: number;
}

/** When the next IDENTIFY of one bot may leave. */
export class IdentifyBudget {
  readonly #clock: Clock;
  /** Of the last day, oldest first. */
  readonly #times: number[] = [];
  /** Since the last good session. */
  #streak = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Milliseconds to wait before asking again; 0: it may leave now. */
  waitMs({ remaining, resetAfterMs }: SessionStartLimit): number {
    const now = this.#clock.monotonic();
    while (this.#times[0] !== undefined && this.#times[0] <= now - DAY_MS) this.#times.shift();
    const last = this.#times.at(-1) ?? Number.NEGATIVE_INFINITY;
    const pause = Math.min(SPACING_MAX_MS, SPACING_MS * 2 ** Math.max(0, this.#streak - 1));
    const own = this.#times.length >= IDENTIFIES_PER_DAY ? this.#times[0]! + DAY_MS - now : 0;
    const discords = remaining > IDENTIFY_RESERVE ? 0 : Math.min(DAY_MS, Math.max(RESET_MIN_MS, resetAfterMs));
    return Math.max(0, last + pause - now, own, discords);
  }

  spent(): void {
    this.#times.push(this.#clock.monotonic());
    this.#streak += 1;
  }

  /** The last session was a good one: the next IDENTIFY is not part of a series of failures. */
  stable(): void {
    this.#streak = 0;
  }
}

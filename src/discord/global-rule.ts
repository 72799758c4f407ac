import type { Rule } from './gate.ts';

/** Every authenticated call of one token (docs: topics/rate-limits.mdx). */
const GLOBAL_LIMIT = 50;
/** Discord's second, and something for the way. */
const GLOBAL_WINDOW_MS = 1050;

/**
 * The budget of one token over all routes. A place is free again one window after its request was answered, not after it
 * began: whenever Discord counted it in between, no second ever holds more than the limit.
 */
export class GlobalRule implements Rule {
  readonly #limit: number;
  #inFlight = 0;
  /** When the places of answered requests come back, oldest first. */
  readonly #returns: number[] = [];
  #pausedUntil = 0;

  constructor(limited: boolean) {
    this.#limit = limited ? GLOBAL_LIMIT : Number.POSITIVE_INFINITY;
  }

  tokens(now: number, waiting: number): number {
    if (now < this.#pausedUntil) return 0;
    this.#forget(now);
    if (this.#limit === Number.POSITIVE_INFINITY) return waiting;
    return Math.max(0, this.#limit - this.#inFlight - this.#returns.length);
  }

  nextChange(now: number): number | undefined {
    return now < this.#pausedUntil ? this.#pausedUntil : this.#returns[0];
  }

  began(_now: number): void {
    this.#inFlight += 1;
  }

  ended(now: number): void {
    this.#inFlight -= 1;
    if (this.#limit !== Number.POSITIVE_INFINITY) this.#returns.push(now + GLOBAL_WINDOW_MS);
  }

  /** Discord (or the edge before it) wants silence from this token. */
  pause(now: number, ms: number): void {
    this.#pausedUntil = Math.max(this.#pausedUntil, now + ms);
  }

  #forget(now: number): void {
    while (this.#returns[0] !== undefined && this.#returns[0] <= now) this.#returns.shift();
  }
}

import type { Clock } from '../base/index.ts';

/** Discord bans an address for 10,000 invalid requests in ten minutes, shared with every other bot on it. */
export const INVALID_REQUEST_BUDGET = 1000;
const WINDOW_MS = 10 * 60 * 1000;

/** Counts the replies that Discord holds against the address: 401, 403, and 429 of any scope but `shared`. */
export class InvalidRequests {
  readonly #clock: Clock;
  /** When each was answered, oldest first. */
  readonly #times: number[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** True when the budget is used up with this one, and nothing more may be sent. */
  note(): boolean {
    this.#times.push(this.#clock.monotonic());
    return this.count > INVALID_REQUEST_BUDGET;
  }

  get count(): number {
    const horizon = this.#clock.monotonic() - WINDOW_MS;
    while (this.#times[0] !== undefined && this.#times[0] <= horizon) this.#times.shift();
    return this.#times.length;
  }
}

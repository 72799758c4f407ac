import type { Clock } from '../base/index.ts';
import type { LimitMode } from './types.ts';

/** IDENTIFYs of one bot in a day; beyond it Discord ends all its sessions and resets its token. */
export const IDENTIFY_TOTAL = 1000;
export const IDENTIFY_WINDOW_MS = 24 * 60 * 60_000;

/** IDENTIFYs that may be under way at once, for each window. */
export const MAX_CONCURRENCY = 1;
export const CONCURRENCY_WINDOW_MS = 5000;

/** The `session_start_limit` of GET /gateway/bot. */
export type SessionStartLimit = {
  readonly total: number;
  readonly remaining: number;
  /** Milliseconds. */
  readonly reset_after: number;
  readonly max_concurrency: number;
};

interface Spent {
  readonly since: number;
  count: number;
}

/** How often each bot may begin a session. RESUME costs nothing. */
export class IdentifyBudget {
  readonly #clock: Clock;
  readonly #mode: () => LimitMode;
  readonly #days = new Map<string, Spent>();
  readonly #recent = new Map<string, Spent>();

  /** With `mode` off nothing is counted. */
  constructor(clock: Clock, mode: () => LimitMode = () => 'discord') {
    this.#clock = clock;
    this.#mode = mode;
  }

  limit(botId: string): SessionStartLimit {
    const day = this.#window(this.#days, botId, IDENTIFY_WINDOW_MS);
    return {
      total: IDENTIFY_TOTAL,
      remaining: Math.max(0, IDENTIFY_TOTAL - day.count),
      reset_after: day.count === 0 ? 0 : day.since + IDENTIFY_WINDOW_MS - this.#clock.monotonic(),
      max_concurrency: MAX_CONCURRENCY,
    };
  }

  /** `exhausted`: the day's budget is gone. `too-soon`: within the window of another one (same shard key). */
  take(botId: string, shardId: number): 'ok' | 'exhausted' | 'too-soon' {
    if (this.#mode() === 'off') return 'ok';
    const recent = this.#window(this.#recent, `${botId}:${shardId % MAX_CONCURRENCY}`, CONCURRENCY_WINDOW_MS);
    if (recent.count > 0) return 'too-soon';
    const day = this.#window(this.#days, botId, IDENTIFY_WINDOW_MS);
    if (day.count >= IDENTIFY_TOTAL) return 'exhausted';
    recent.count++;
    day.count++;
    return 'ok';
  }

  #window(windows: Map<string, Spent>, key: string, lengthMs: number): Spent {
    const now = this.#clock.monotonic();
    const current = windows.get(key);
    if (current && now - current.since < lengthMs) return current;
    const fresh = { since: now, count: 0 };
    windows.set(key, fresh);
    return fresh;
  }
}

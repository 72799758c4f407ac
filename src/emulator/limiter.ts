import { createHash } from 'node:crypto';
import type { Clock } from '../base/index.ts';
import { ApiError } from './errors.ts';
import { GLOBAL_LIMIT, INVALID_REQUEST_LIMIT, type LimitRule } from './limits.ts';
import type { LimitMode } from './types.ts';

export type Scope = 'user' | 'global' | 'shared';
type Headers = Readonly<Record<string, string>>;

/** A bucket is forgotten once it is full again; they are looked through when there are this many more. */
const SWEEP_EVERY = 1024;
const COUNTED_STATUSES: ReadonlySet<number> = new Set([401, 403, 429]);

/** A refusal for rate: the body of Discord, and the headers that go with its scope. */
export class RateLimited extends ApiError {
  readonly headers: Headers;
  readonly scope: Scope;

  constructor(waitMs: number, scope: Scope, headers: Headers = {}, code?: number) {
    const wait = Math.max(1, Math.ceil(waitMs - ROUNDING)) / 1000;
    super(429, {
      message:
        code === undefined ? 'You are being rate limited.' : (CODE_MESSAGE[code] ?? 'You are being rate limited.'),
      retry_after: wait,
      global: scope === 'global',
      ...(code === undefined ? {} : { code }),
    });
    this.scope = scope;
    this.headers = {
      ...headers,
      'retry-after': String(Math.ceil(wait)),
      'x-ratelimit-scope': scope,
      ...(scope === 'global' ? { 'x-ratelimit-global': 'true' } : {}),
    };
  }
}

const CODE_MESSAGE: Readonly<Record<number, string>> = {
  20028: 'The write action you are performing on the channel has hit the write rate limit.',
  30046: 'Maximum number of edits to messages older than 1 hour reached. Try again later.',
};

/**
 * One counter, kept as a debt: each request adds its share of the window in milliseconds, and the debt may not exceed
 * the window. Whole milliseconds stay whole, which counted tokens would not.
 */
interface Bucket {
  readonly rule: LimitRule;
  debt: number;
  /** `leaky`: when `debt` was right. `window`: when the window began. */
  at: number;
}

/** Shares such as a third of a second do not add up to a whole one in binary. */
const ROUNDING = 1e-6;

/** Discord's rate limits: every counter, what a request costs, and what the headers say of it. */
export class Limiter {
  mode: LimitMode;
  readonly #clock: Clock;
  readonly #buckets = new Map<string, Bucket>();
  readonly #globals = new Map<string, { count: number; start: number }>();
  readonly #invalid = new Map<string, { count: number; start: number; bannedUntil: number }>();
  #sweepAt = SWEEP_EVERY;

  constructor(clock: Clock, mode: LimitMode) {
    this.#clock = clock;
    this.mode = mode;
  }

  /** Counts a request against the bot's global limit. */
  takeGlobal(botId: string): void {
    if (this.mode === 'off') return;
    const now = this.#clock.now();
    const window = this.#globals.get(botId);
    if (!window || now >= window.start + GLOBAL_LIMIT.windowMs) {
      this.#globals.set(botId, { count: 1, start: now });
    } else if (++window.count > GLOBAL_LIMIT.limit) {
      throw new RateLimited(window.start + GLOBAL_LIMIT.windowMs - now, 'global');
    }
  }

  /** Counts a request against a rule and returns the headers that show it; throws `RateLimited` with the same. */
  take(rule: LimitRule, botId: string, majorId: string): Headers {
    if (this.mode === 'off') return {};
    const now = this.#clock.now();
    const key = `${rule.name}:${rule.shared ? '' : botId}:${majorId}`;
    const bucket = this.#bucket(key, rule, now);
    settle(bucket, now);
    const allowed = bucket.debt + share(rule) <= rule.windowMs + ROUNDING;
    if (allowed) bucket.debt += share(rule);
    const headers = rule.hidden ? {} : describe(bucket, now);
    if (allowed) return headers;
    throw new RateLimited(untilAllowed(bucket, now), rule.shared ? 'shared' : 'user', headers, rule.code);
  }

  /** Counts an answer towards the ban of an address. */
  countInvalid(remote: string, status: number, scope: Scope | undefined): void {
    if (this.mode === 'off' || !COUNTED_STATUSES.has(status) || scope === 'shared') return;
    const now = this.#clock.now();
    const before = this.#invalid.get(remote);
    const isOver = !before || now >= before.start + INVALID_REQUEST_LIMIT.windowMs;
    const record = isOver ? { count: 0, start: now, bannedUntil: before?.bannedUntil ?? 0 } : before;
    this.#invalid.set(remote, record);
    if (++record.count >= INVALID_REQUEST_LIMIT.limit) record.bannedUntil = now + INVALID_REQUEST_LIMIT.banMs;
  }

  isBanned(remote: string): boolean {
    return this.mode === 'discord' && this.#clock.now() < (this.#invalid.get(remote)?.bannedUntil ?? 0);
  }

  /** Forgets all counters and bans. */
  reset(): void {
    this.#buckets.clear();
    this.#globals.clear();
    this.#invalid.clear();
  }

  #bucket(key: string, rule: LimitRule, now: number): Bucket {
    let bucket = this.#buckets.get(key);
    if (bucket) return bucket;
    bucket = { rule, debt: 0, at: now };
    this.#buckets.set(key, bucket);
    if (this.#buckets.size >= this.#sweepAt) this.#sweep(now);
    return bucket;
  }

  #sweep(now: number): void {
    for (const [key, bucket] of this.#buckets) {
      settle(bucket, now);
      if (bucket.debt === 0) this.#buckets.delete(key);
    }
    this.#sweepAt = this.#buckets.size + SWEEP_EVERY;
  }
}

/** What one request costs, in milliseconds. */
function share({ windowMs, limit }: LimitRule): number {
  return windowMs / limit;
}

/** Takes off the debt what time has paid. */
function settle(bucket: Bucket, now: number): void {
  if (bucket.rule.refill === 'leaky') {
    bucket.debt = Math.max(0, bucket.debt - Math.max(0, now - bucket.at));
    bucket.at = now;
  } else if (bucket.debt === 0 || now >= bucket.at + bucket.rule.windowMs) {
    // The window begins with the first request in it.
    bucket.debt = 0;
    bucket.at = now;
  }
}

function untilAllowed({ rule, debt, at }: Bucket, now: number): number {
  return rule.refill === 'leaky' ? debt + share(rule) - rule.windowMs : at + rule.windowMs - now;
}

/** The headers of discord-facts 1c. `Reset` is when the bucket is full again, so it slides with a leaky one. */
function describe({ rule, debt, at }: Bucket, now: number): Headers {
  const untilFull = rule.refill === 'leaky' ? debt : at + rule.windowMs - now;
  return {
    'x-ratelimit-limit': String(rule.limit),
    'x-ratelimit-remaining': String(Math.floor((rule.windowMs - debt + ROUNDING) / share(rule))),
    'x-ratelimit-reset': ((now + untilFull) / 1000).toFixed(3),
    'x-ratelimit-reset-after': (Math.ceil(untilFull - ROUNDING) / 1000).toFixed(3),
    'x-ratelimit-bucket': createHash('md5').update(rule.name).digest('hex'),
  };
}

import type { Clock } from '../base/index.ts';
import type { Priority } from '../store/index.ts';
import { BucketRule } from './bucket-rule.ts';
import { Gate } from './gate.ts';
import { GlobalRule } from './global-rule.ts';
import { type LimitRefusal, readNotice, readRefusal } from './limit-headers.ts';
import type { Route } from './routes.ts';
import type { TransportReply } from './transport.ts';

/** Past this many buckets the idle ones are forgotten; they are learned again at their next use. */
const BUCKETS_TO_KEEP = 1000;

/**
 * - `discord`: a global budget, and the first request of an unknown bucket goes alone while the others wait for what it teaches.
 * - `off`: nothing is held back until a header or a 429 speaks of a limit. For the embedded Discord, which counts nothing.
 */
export type LimitMode = 'discord' | 'off';

interface Bucket {
  key: string;
  readonly rule: BucketRule;
  readonly gate: Gate;
  /** The bucket that this one turned out to be. */
  successor: Bucket | undefined;
}

export interface SchedulerMetrics {
  readonly buckets: number;
  readonly waiting: number;
  readonly refusals: Readonly<Record<LimitRefusal['scope'], number>>;
}

/**
 * Lets requests go when every limit of one token allows. A counter is found by bucket hash and major id; until a reply has
 * named the hash, by route and major id.
 */
export class Scheduler {
  readonly #clock: Clock;
  readonly #mode: LimitMode;
  readonly #globalRule: GlobalRule;
  readonly #global: Gate;
  /** Route key to bucket hash, as last seen. */
  readonly #hashes = new Map<string, string>();
  readonly #buckets = new Map<string, Bucket>();
  readonly #refusals = { user: 0, shared: 0, global: 0, edge: 0 };
  #stopped: { reason: unknown } | undefined;

  constructor(clock: Clock, mode: LimitMode) {
    this.#clock = clock;
    this.#mode = mode;
    this.#globalRule = new GlobalRule(mode === 'discord');
    this.#global = new Gate(clock, this.#globalRule);
  }

  /** Calls `send` at the moment when the request may leave, and learns from its reply, whatever the status. */
  async run(route: Route, priority: Priority, send: () => Promise<TransportReply>): Promise<TransportReply> {
    for (;;) {
      if (this.#stopped) throw this.#stopped.reason;
      const bucket = this.#bucketOf(route);
      if (!bucket) return this.#exchange(route, undefined, priority, send);
      const reply = await bucket.gate.run(priority, async () =>
        bucket.successor ? undefined : this.#exchange(route, bucket, priority, send),
      );
      if (reply) return reply;
    }
  }

  /** When a request on `route` that comes now could leave. */
  roomAt(route: Route): number {
    const bucket = this.#buckets.get(this.#key(route));
    return Math.max(this.#global.roomAt(), bucket?.gate.roomAt() ?? 0);
  }

  stop(reason: unknown): void {
    this.#stopped = { reason };
    this.#global.stop(reason);
    for (const bucket of this.#buckets.values()) bucket.gate.stop(reason);
  }

  metrics(): SchedulerMetrics {
    let waiting = this.#global.waiting;
    for (const bucket of this.#buckets.values()) waiting += bucket.gate.waiting;
    return { buckets: this.#buckets.size, waiting, refusals: { ...this.#refusals } };
  }

  async #exchange(
    route: Route,
    bucket: Bucket | undefined,
    priority: Priority,
    send: () => Promise<TransportReply>,
  ): Promise<TransportReply> {
    let reply: TransportReply;
    try {
      reply = await this.#global.run(priority, send);
    } catch (error) {
      bucket?.rule.lost(this.#clock.monotonic());
      throw error;
    }
    this.#learn(route, bucket, reply);
    return reply;
  }

  #learn(route: Route, bucket: Bucket | undefined, reply: TransportReply): void {
    const now = this.#clock.monotonic();
    if (reply.status === 429) {
      this.#refused(route, bucket, readRefusal(reply), now);
      return;
    }
    if (route.strayNotFound && reply.status === 404) return;
    const notice = readNotice(reply.headers);
    if (notice) {
      const named = this.#named(route, bucket, notice.bucket ?? route.key);
      named.rule.learn(notice, now, named === bucket ? named.rule.inFlight - 1 : named.rule.inFlight);
      named.gate.settle();
    } else if (reply.status >= 500) bucket?.rule.lost(now);
    else bucket?.rule.learnNothing();
  }

  #refused(route: Route, bucket: Bucket | undefined, refusal: LimitRefusal, now: number): void {
    this.#refusals[refusal.scope] += 1;
    if (refusal.scope === 'global' || refusal.scope === 'edge') {
      this.#globalRule.pause(now, refusal.waitMs);
      this.#global.settle();
      return;
    }
    const owner = bucket ?? this.#create(this.#key(route));
    owner.rule.refused(refusal, now);
    owner.gate.settle();
  }

  #key(route: Route): string {
    return `${this.#hashes.get(route.key) ?? route.key} ${route.major}`;
  }

  #bucketOf(route: Route): Bucket | undefined {
    const key = this.#key(route);
    const bucket = this.#buckets.get(key);
    if (bucket || (this.#mode === 'off' && !this.#hashes.has(route.key))) return bucket;
    return this.#create(key);
  }

  #create(key: string): Bucket {
    if (this.#buckets.size >= BUCKETS_TO_KEEP) this.#forgetIdle();
    const rule = new BucketRule();
    const bucket: Bucket = { key, rule, gate: new Gate(this.#clock, rule), successor: undefined };
    this.#buckets.set(key, bucket);
    return bucket;
  }

  /** The bucket of this hash: the one at hand under its right name, or the one that has the name already. */
  #named(route: Route, bucket: Bucket | undefined, hash: string): Bucket {
    this.#hashes.set(route.key, hash);
    const key = this.#key(route);
    if (bucket?.key === key) return bucket;
    const known = this.#buckets.get(key);
    if (!bucket) return known ?? this.#create(key);
    this.#buckets.delete(bucket.key);
    if (!known) {
      bucket.key = key;
      this.#buckets.set(key, bucket);
      return bucket;
    }
    bucket.successor = known;
    bucket.rule.release();
    bucket.gate.settle();
    return known;
  }

  #forgetIdle(): void {
    const now = this.#clock.monotonic();
    for (const [key, bucket] of this.#buckets) {
      if (bucket.gate.waiting === 0 && bucket.rule.idle(now)) this.#buckets.delete(key);
    }
  }
}

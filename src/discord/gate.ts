import Bottleneck from 'bottleneck';
import { type Clock, type Deferred, deferred, type Timer } from '../base/index.ts';
import type { Priority } from '../store/index.ts';

/** How many requests one limit lets go, as a function of time and of what happened. It holds no timer and no queue. */
export interface Rule {
  /** How many of the `waiting` requests may begin now. */
  tokens(now: number, waiting: number): number;
  /** When `tokens` may next grow by time alone. */
  nextChange(now: number): number | undefined;
  began(now: number): void;
  ended(now: number): void;
}

/** Smaller goes first in bottleneck. Rank 0 is kept for requests that had their turn already and lost it. */
const RANK: Record<Priority, number> = { commit: 1, read: 2, load: 3, upkeep: 4 };
const RANK_OF_RETURNED = 0;
/** While upkeep waits, every sixteenth turn is upkeep's. */
const UPKEEP_SHARE = 16;

/** What each waiting request is taken to cost those behind it, where limits are compared. */
const TURN_MS = 1000;

interface Waiting {
  readonly priority: Priority;
  readonly start: () => void;
  readonly refuse: (reason: unknown) => void;
}

/**
 * One limit with those who wait for it. bottleneck owns the queue, its order and the reservoir; the rule says how full the
 * reservoir ought to be, and the gate passes on the difference. Each waiting request holds a ticket in bottleneck's queue;
 * what runs on a ticket is decided when it comes up, so that a request is made at the moment it may leave.
 */
export class Gate {
  readonly #clock: Clock;
  readonly #rule: Rule;
  readonly #waiting = new Set<Waiting>();
  /** Those of `#waiting` with that priority. */
  readonly #upkeep = new Set<Waiting>();
  #limiter: Bottleneck | undefined;
  /** What the rule granted and no request has taken yet: the reservoir, and the tickets on their way out of it. */
  #unspent = 0;
  #tickets = 0;
  #turnsPastUpkeep = 0;
  /** The wall clock as last seen. */
  #wall = 0;
  #timer: Timer | undefined;
  #stopped: { reason: unknown } | undefined;

  constructor(clock: Clock, rule: Rule) {
    this.#clock = clock;
    this.#rule = rule;
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  /** An estimate of when a request that comes now could begin. */
  roomAt(): number {
    const now = this.#clock.monotonic();
    const waiting = this.#waiting.size;
    if (this.#rule.tokens(now, waiting + 1) > waiting) return now;
    return (this.#rule.nextChange(now) ?? now + TURN_MS) + waiting * TURN_MS;
  }

  /** Runs `task` when the rule and the requests before it let it. Rejects as `task` does, or with the reason of `stop`. */
  run<T>(priority: Priority, task: () => Promise<T>): Promise<T> {
    if (this.#stopped) return Promise.reject(this.#stopped.reason);
    // Nobody to queue behind: bottleneck's own way to the same answer takes three timers. `settle` books what was taken.
    if (this.#waiting.size === 0 && this.#rule.tokens(this.#clock.monotonic(), 1) > 0) return this.#carryOut(task);
    const result: Deferred<T> = deferred();
    const waiting: Waiting = {
      priority,
      start: () => void this.#carryOut(task).then(result.resolve, result.reject),
      refuse: result.reject,
    };
    this.#waiting.add(waiting);
    if (priority === 'upkeep') this.#upkeep.add(waiting);
    this.#queue(waiting, RANK[priority]);
    this.settle();
    return result.promise;
  }

  /** Brings the reservoir to what the rule says now. To be called after anything that the rule was told. */
  settle(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    if (this.#waiting.size === 0) return;
    this.#watchWall();
    const now = this.#clock.monotonic();
    const tokens = this.#rule.tokens(now, this.#waiting.size);
    this.#refill(tokens - this.#unspent);
    this.#unspent = tokens;
    const next = this.#rule.nextChange(now);
    if (next !== undefined) this.#timer = this.#clock.timer(Math.max(1, next - now), () => this.settle());
  }

  /** Refuses whoever waits or comes after; what is under way goes on. */
  stop(reason: unknown): void {
    this.#stopped = { reason };
    this.#timer?.cancel();
    for (const waiting of this.#waiting) waiting.refuse(reason);
    this.#waiting.clear();
    this.#upkeep.clear();
    this.#limiter = undefined;
  }

  async #carryOut<T>(task: () => Promise<T>): Promise<T> {
    this.#rule.began(this.#clock.monotonic());
    try {
      return await task();
    } finally {
      this.#rule.ended(this.#clock.monotonic());
      this.settle();
    }
  }

  /** The ticket ends as soon as its request begins: how many are under way is the rule's to count. */
  #queue(waiting: Waiting, priority: number): void {
    // Made at the first need, and with an id of its own for each ticket, so that bottleneck draws on no chance.
    this.#limiter ??= new Bottleneck({ reservoir: 0 });
    const limiter = this.#limiter;
    const id = String(this.#tickets++);
    limiter.schedule({ priority, id }, async () => this.#comeUp(waiting, limiter)).catch(waiting.refuse);
  }

  #comeUp(waiting: Waiting, limiter: Bottleneck): void {
    if (limiter !== this.#limiter) return;
    // It had its turn on another's ticket, so this one goes back.
    if (!this.#waiting.has(waiting)) {
      this.#refill(1);
      return;
    }
    if (this.#unspent < 1) {
      // The rule took the token back while the ticket was on its way.
      this.#refill(1);
      this.#queue(waiting, RANK_OF_RETURNED);
      return;
    }
    const turn = this.#turnOf(waiting);
    if (turn !== waiting) this.#queue(waiting, RANK_OF_RETURNED);
    this.#unspent -= 1;
    this.#waiting.delete(turn);
    this.#upkeep.delete(turn);
    turn.start();
  }

  /**
   * bottleneck lets no job go before the wall-clock time of the one before it, so a clock that is set back would stop it
   * for as long. Then all tickets are drawn anew from a fresh one.
   */
  #watchWall(): void {
    const wall = this.#clock.now();
    const setBack = wall < this.#wall;
    this.#wall = wall;
    if (!setBack) return;
    this.#limiter = undefined;
    this.#unspent = 0;
    for (const waiting of this.#waiting) this.#queue(waiting, RANK[waiting.priority]);
  }

  #turnOf(waiting: Waiting): Waiting {
    const [upkeep] = this.#upkeep;
    this.#turnsPastUpkeep = upkeep === undefined || this.#upkeep.has(waiting) ? 0 : this.#turnsPastUpkeep + 1;
    if (upkeep === undefined || this.#turnsPastUpkeep < UPKEEP_SHARE) return waiting;
    this.#turnsPastUpkeep = 0;
    return upkeep;
  }

  #refill(tokens: number): void {
    if (tokens !== 0) void this.#limiter?.incrementReservoir(tokens);
  }
}

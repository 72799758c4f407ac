import type { Rule } from './gate.ts';
import type { LimitNotice, LimitRefusal } from './limit-headers.ts';

/** Added to every time that Discord names: its clock and the way back are not exact. */
const SAFETY_MS = 50;
/** An end that moves this much, while it lay at least `FAR_MS` ahead, did not move by jitter. */
const MOVED_MS = 250;
const FAR_MS = 500;
/** So many moves in a row show that the bucket leaks. */
const MOVES_TO_BELIEVE = 2;

/**
 * One counter of Discord's, as its headers describe it. Some are fixed windows, most refill steadily since 2022, and no
 * header says which, so a bucket is taken for a window (wait for the end, then all at once), which is right for both, until
 * its end is seen to move away while it still lies ahead: only a steady refill does that. Then a token is counted as back
 * every `resetAfter / used`, which is never too early, because `used` is rounded up.
 */
export class BucketRule implements Rule {
  /** `unknown`: one request goes alone, and teaches. `free`: Discord names no counter here. */
  #state: 'unknown' | 'free' | 'counted' = 'unknown';
  #limit = 1;
  /** In a window: requests that may still begin before `#fullAt`. */
  #left = 0;
  /** When the bucket is full again, if nothing more begins. */
  #fullAt = 0;
  /** The longest time to full yet seen. */
  #periodMs = 0;
  #tokenMs: number | undefined;
  #moves = 0;
  #inFlight = 0;
  #pausedUntil = 0;

  /** Nothing under way, nothing to remember. */
  idle(now: number): boolean {
    return this.#inFlight === 0 && now >= this.#fullAt && now >= this.#pausedUntil;
  }

  tokens(now: number, waiting: number): number {
    if (now < this.#pausedUntil) return 0;
    if (this.#state === 'free') return waiting;
    if (this.#state === 'unknown') return this.#inFlight === 0 ? 1 : 0;
    if (now >= this.#fullAt) return Math.max(0, this.#limit - this.#inFlight);
    if (this.#tokenMs === undefined) return Math.max(0, this.#left);
    return Math.max(0, Math.floor(this.#limit - (this.#fullAt - now) / this.#tokenMs) - this.#inFlight);
  }

  nextChange(now: number): number | undefined {
    if (now < this.#pausedUntil) return this.#pausedUntil;
    if (this.#state !== 'counted' || now >= this.#fullAt) return undefined;
    if (this.#tokenMs === undefined) return this.#fullAt;
    const back = Math.floor(this.#limit - (this.#fullAt - now) / this.#tokenMs);
    return this.#fullAt - (this.#limit - back - 1) * this.#tokenMs;
  }

  began(now: number): void {
    this.#inFlight += 1;
    this.#left = now >= this.#fullAt ? this.#limit - this.#inFlight : this.#left - 1;
  }

  ended(_now: number): void {
    this.#inFlight -= 1;
  }

  /** What a reply said. `others` are the requests of this bucket under way beside the answered one: perhaps not yet counted. */
  learn(notice: LimitNotice, now: number, others: number): void {
    const end = now + notice.resetAfterMs + SAFETY_MS;
    const used = notice.limit - notice.remaining;
    const fresh = this.#state !== 'counted' || now >= this.#fullAt;
    if (!fresh) this.#watchEnd(end, now, notice.resetAfterMs, used);
    if (this.#tokenMs !== undefined && used > 0) this.#tokenMs = Math.max(1, notice.resetAfterMs / used);
    this.#state = 'counted';
    this.#limit = notice.limit;
    this.#left = fresh ? notice.remaining - others : Math.min(this.#left, notice.remaining - others);
    this.#fullAt = fresh ? end : Math.max(this.#fullAt, end);
    this.#periodMs = Math.max(this.#periodMs, notice.resetAfterMs);
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  /** A reply came without any header. */
  learnNothing(): void {
    if (this.#state === 'unknown') this.#state = 'free';
  }

  /** No reply came, or none from Discord itself: the request may have been counted. */
  lost(now: number): void {
    if (this.#state !== 'counted') return;
    if (this.#tokenMs === undefined) this.#fullAt = Math.max(this.#fullAt, now + this.#periodMs + SAFETY_MS);
    else this.#fullAt = Math.max(this.#fullAt, now) + this.#tokenMs;
  }

  /** A 429 of this bucket. Unless a hidden limit refused, what was believed of the bucket is wrong, and is learned anew. */
  refused(refusal: LimitRefusal, now: number): void {
    this.#pausedUntil = Math.max(this.#pausedUntil, now + refusal.waitMs + SAFETY_MS);
    if (refusal.scope !== 'user' || refusal.sublimit) return;
    this.#state = 'unknown';
    this.#tokenMs = undefined;
    this.#moves = Number.NEGATIVE_INFINITY;
  }

  /** Lets everybody go: their requests belong to another bucket. */
  release(): void {
    this.#state = 'free';
    this.#pausedUntil = 0;
  }

  #watchEnd(end: number, now: number, resetAfterMs: number, used: number): void {
    const step = Math.max(MOVED_MS, resetAfterMs / used / 2);
    const moved = used >= 2 && this.#fullAt - now > FAR_MS && end - this.#fullAt > step;
    this.#moves = moved ? this.#moves + 1 : Math.min(this.#moves, 0);
    if (this.#moves >= MOVES_TO_BELIEVE) this.#tokenMs ??= resetAfterMs / used;
  }
}

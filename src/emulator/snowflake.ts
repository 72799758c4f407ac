import type { Clock } from '../base/index.ts';

/** First second of 2015: snowflakes count milliseconds from here (Discord, reference). */
const DISCORD_EPOCH_MS = 1_420_070_400_000;

const WORKER = 1n;
const PROCESS = 0n;
const INCREMENT_LIMIT = 4096;
/** 64 bits of an unsigned integer: what Discord takes for an id. */
const MAX_SNOWFLAKE = (1n << 64n) - 1n;

/** When the thing with this id was made, in milliseconds since the Unix epoch. */
export function snowflakeTime(id: string): number {
  return Number(BigInt(id) >> 22n) + DISCORD_EPOCH_MS;
}

/** The smallest id of a moment. */
export function snowflakeAt(ms: number): string {
  return (BigInt(Math.max(0, Math.floor(ms) - DISCORD_EPOCH_MS)) << 22n).toString();
}

/** Orders canonical decimals by their number. */
export function compareIds(a: string, b: string): number {
  if (a.length !== b.length) return a.length - b.length;
  return a < b ? -1 : a > b ? 1 : 0;
}

/** The canonical decimal of an id as a client wrote it, or undefined for what is no unsigned 64-bit integer. */
export function parseSnowflake(text: string): string | undefined {
  if (!/^\d{1,20}$/.test(text)) return undefined;
  const id = BigInt(text);
  return id > MAX_SNOWFLAKE ? undefined : id.toString();
}

/** Makes ids that always grow, also when the clock steps back or the process starts again. */
export class SnowflakeSource {
  readonly #clock: Clock;
  #lastMs = 0;
  #increment = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  next(): string {
    const now = Math.floor(this.#clock.now()) - DISCORD_EPOCH_MS;
    if (now > this.#lastMs) {
      this.#lastMs = now;
      this.#increment = 0;
    } else if (++this.#increment === INCREMENT_LIMIT) {
      this.#lastMs++;
      this.#increment = 0;
    }
    return ((BigInt(this.#lastMs) << 22n) | (WORKER << 17n) | (PROCESS << 12n) | BigInt(this.#increment)).toString();
  }

  /** An id that was given out before: later ones will be above it. */
  observe(id: string): void {
    const value = BigInt(id);
    const ms = Number(value >> 22n);
    const increment = Number(value & 0xfffn);
    if (ms > this.#lastMs) {
      this.#lastMs = ms;
      this.#increment = increment;
    } else if (ms === this.#lastMs && increment > this.#increment) {
      this.#increment = increment;
    }
  }
}

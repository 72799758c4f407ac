import { type Clock, systemClock } from './clock.ts';
import { type Log, silentLog } from './log.ts';
import { type Random, systemRandom } from './random.ts';
import type { Scratch } from './scratch.ts';

/** The world as one process sees it: time, chance, and where it says what happens. Handed down from `compose.ts`. */
export interface Env {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** Absent: what must wait does so in memory. */
  readonly scratch?: Scratch | undefined;
}

export function systemEnv(log: Log = silentLog): Env {
  return { clock: systemClock, random: systemRandom, log };
}

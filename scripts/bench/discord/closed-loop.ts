import { percentile } from '../table.ts';
import type { World } from './world.ts';

/** What a row of the table says of one side; rates are by Discord's time. */
export interface Measured {
  readonly perSecond: number;
  /** Milliseconds from asking to the answer. */
  readonly median: number;
  readonly p99: number;
  /** Of all kinds, upkeep and downloads included, for each document or operation. */
  readonly requestsPerOperation: number;
}

export interface Loop {
  readonly clients: number;
  /** Turns that are measured, after those of the warm-up, which empty the limits' bursts. */
  readonly turns: number;
  readonly warmUp: number;
  /** Documents or operations of one turn. */
  readonly each?: number;
  /** Pause of a client between two turns, in milliseconds. */
  readonly pauseMs?: number;
  /** Ends when this has resolved: what was answered early is durable then. */
  readonly settle?: () => Promise<void>;
}

/** Clients that each ask, wait for the answer, and ask again. `turn` is told the client and how many turns went before. */
export async function closedLoop(
  world: World,
  { clients, turns, warmUp, each = 1, pauseMs = 0, settle }: Loop,
  turn: (client: number, count: number) => Promise<void>,
): Promise<Measured> {
  const { clock } = world;
  let begun = 0;
  let ended = 0;
  let start = clock.now();
  let requests = world.requests;
  const latencies: number[] = [];
  const client = async (number: number) => {
    while (begun < turns + warmUp) {
      const count = begun++;
      const asked = clock.now();
      await turn(number, count);
      if (++ended > warmUp) latencies.push(clock.now() - asked);
      if (ended === warmUp) {
        start = clock.now();
        requests = world.requests;
      }
      if (pauseMs > 0) await new Promise<void>((resolve) => clock.timer(pauseMs, resolve));
    }
  };
  await Promise.all(Array.from({ length: clients }, (_, number) => client(number)));
  await settle?.();
  const seconds = (clock.now() - start) / 1000;
  const operations = turns * each;
  latencies.sort((left, right) => left - right);
  return {
    perSecond: operations / seconds,
    median: percentile(latencies, 0.5),
    p99: percentile(latencies, 0.99),
    requestsPerOperation: (world.requests - requests) / operations,
  };
}

import { sleep } from '../../../src/base/index.ts';
import { DiscoDb } from './discodb.ts';
import { PlainWay } from './plain-way.ts';
import { range } from './side.ts';
import type { World } from './world.ts';

/** What happens once: how long it takes in Discord's time, and what it asks of Discord. */
export interface Span {
  readonly seconds: number;
  readonly requests: number;
}

export interface SpanRow {
  readonly name: string;
  readonly discodb: (world: World) => Promise<Span>;
  readonly plain?: (world: World) => Promise<Span>;
  /** Seconds that it takes any client, by Discord's headers. */
  readonly allowed: number;
}

const PAGE = 100;
/** Pages of a channel: 5 in 5 seconds, and a burst of 5 (discord-facts 1a). */
const pagesTake = (messages: number) => Math.max(0, messages / PAGE - 5);
/** Bulk deletes of a hundred messages: one in 3 seconds. */
const deletesTake = (messages: number) => Math.max(0, (messages / 100) * 3 - 3);
const LOOK_MS = 1000;

async function timed(world: World, work: () => Promise<void>): Promise<Span> {
  const start = world.clock.now();
  const { requests } = world;
  await work();
  return { seconds: (world.clock.now() - start) / 1000, requests: world.requests - requests };
}

/** From a process just started to its first document found by `_id`, which needs the whole directory. */
function opening(count: number, atOnce: number): SpanRow {
  return {
    name: `open ${count.toLocaleString('en-US')} documents, ${atOnce === 1 ? 'one' : atOnce.toLocaleString('en-US')} a message`,
    async discodb(world) {
      await DiscoDb.load(world, count, atOnce);
      const side = await DiscoDb.open(world);
      const span = await timed(world, () => side.read(0, 0));
      await side.close();
      return span;
    },
    async plain(world) {
      const side = await PlainWay.open(world, count);
      return timed(world, () => side.read(0, 0));
    },
    allowed: pagesTake(count / atOnce),
  };
}

/** From the opening of a collection whose upkeep was switched off, until what is superseded is gone. */
function clearing(updates: number, atOnce: number, documents: number): SpanRow {
  const messages = updates / atOnce;
  return {
    name: `upkeep after ${updates.toLocaleString('en-US')} updates, ${atOnce === 1 ? 'one' : atOnce} a message`,
    async discodb(world) {
      await DiscoDb.load(world, documents);
      const channel = await world.channelNamed('things');
      const before = world.emulator.messageCount(channel);
      const untidy = await DiscoDb.open(world, { near: true, untidy: true });
      untidy.retryable = false;
      for (let done = 0; done < updates; done += atOnce) {
        await untidy.updateAll(
          0,
          range(done, atOnce).map((number) => number % documents),
        );
      }
      await untidy.close();
      const side = await DiscoDb.open(world);
      await side.read(0, 0);
      // Less than a hundred wait for company, and so much holds what is new.
      const enough = before + documents / atOnce + 100;
      const span = await timed(world, async () => {
        while (world.emulator.messageCount(channel) > enough) await sleep(world.clock, LOOK_MS);
      });
      await side.close();
      return span;
    },
    allowed: deletesTake(messages),
  };
}

export function spans(): SpanRow[] {
  return [
    opening(10_000, 1),
    opening(10_000, 1000),
    opening(100_000, 1000),
    clearing(10_000, 1, 100),
    clearing(1_000_000, 64, 10_000),
  ];
}

import { expect, test } from 'vitest';
import type { Env } from '../../../src/base/index.ts';
import { seededRandom } from '../../../src/base/index.ts';
import { Ownership } from '../../../src/log/index.ts';
import type { Store } from '../../../src/store/index.ts';
import { ids, put, World } from './world.ts';

async function claimEpoch(store: Store, channel: string, env: Env): Promise<number> {
  return (await Ownership.claim(store, channel, env)).epoch;
}

test('each claim gets a higher epoch, with two requests', async () => {
  const world = await World.make();
  world.requests();
  expect(await claimEpoch(world.store, world.channel, world.env)).toBe(1);
  expect(world.requests()).toEqual({ page: 1, append: 1 });
  expect(await claimEpoch(world.store, world.channel, world.env)).toBe(2);
  const [first] = world.memory.peek(world.channel);
  expect(first!.content).toMatch(/^-# discodb 2 fence epoch 1 since 1 seq 1 /);
});

test('two processes that claim at the same moment get different epochs', async () => {
  const world = await World.make();
  world.memory.faults.latency = 50;
  const claims = [7, 8].map((seed) => {
    return claimEpoch(world.store, world.channel, { ...world.env, random: seededRandom(seed) });
  });
  expect((await world.clock.run(Promise.all(claims))).sort()).toEqual([1, 2]);
});

test('a fence is found behind chatter', async () => {
  const world = await World.make();
  expect(await claimEpoch(world.store, world.channel, world.env)).toBe(1);
  for (let at = 0; at < 150; at++) world.memory.chat(world.channel, 'hello');
  expect(await claimEpoch(world.store, world.channel, world.env)).toBe(2);
});

test('a fenced log takes nothing more of its former owner, also when nothing else is written', async () => {
  const world = await World.make();
  const former = world.open();
  former.startEmpty();
  await world.clock.run(former.append([put(1)]).durable);
  const owner = await world.recovered();
  expect(ids(owner.found)).toEqual([1]);
  world.requests();
  await world.clock.run(owner.log.fence());
  expect(world.requests()).toEqual({ append: 1 });
  await world.clock.run(former.append([put(2)]).durable);
  const { found } = await world.recovered();
  expect(ids(found)).toEqual([1]);
  expect(world.problems.map(({ kind }) => kind)).toEqual(['epoch']);
  expect(world.memory.peek(world.channel)[1]!.content).toMatch(/^-# discodb 2 fence epoch 2 since 2 seq 2 entries 0 /);
});

import { expect, test } from 'vitest';
import type { LiveEntry, Log } from '../../../src/log/index.ts';
import { del, put, World } from './world.ts';

/** A channel with one document in each message. */
async function filled(count: number): Promise<World> {
  const world = await World.make();
  const log = world.open();
  log.startEmpty();
  for (let recordId = 1; recordId <= count; recordId++) await log.append([put(recordId)]).durable;
  await log.close();
  world.requests();
  return world;
}

async function take(entries: AsyncIterable<LiveEntry[]>, limit = Number.POSITIVE_INFINITY): Promise<number[]> {
  const taken: number[] = [];
  for await (const some of entries) {
    taken.push(...some.map(({ recordId }) => recordId));
    if (taken.length >= limit) break;
  }
  return taken.slice(0, limit);
}

const upTo = (count: number) => Array.from({ length: count }, (_, at) => at + 1);

test.each([0, 1, 99])('a channel of %i messages is opened, scanned and recovered with one request', async (count) => {
  const world = await filled(count);
  const log = world.open();
  expect(await log.summary()).toMatchObject({ seq: count, documents: count, superseding: 0 });
  expect(await take(log.scanOldest())).toEqual(upTo(count));
  expect(await take(log.scanNewest())).toEqual(upTo(count).reverse());
  let found = 0;
  await log.recover(() => found++);
  expect(found).toBe(count);
  expect(world.requests()).toEqual({ page: 1 });
});

test('the first documents of a longer channel cost two requests, the newest ones one', async () => {
  const world = await filled(350);
  const oldest = world.open();
  await oldest.summary();
  expect(await take(oldest.scanOldest(), 10)).toEqual(upTo(10));
  expect(world.requests()).toEqual({ page: 2 });
  const newest = world.open();
  await newest.summary();
  expect(await take(newest.scanNewest(), 10)).toEqual(upTo(350).reverse().slice(0, 10));
  expect(world.requests()).toEqual({ page: 1 });
});

test.each([100, 200, 350])('a scan of %i messages sees every document once, in order', async (count) => {
  const world = await filled(count);
  expect(await take(world.open().scanOldest())).toEqual(upTo(count));
  expect(await take(world.open().scanNewest())).toEqual(upTo(count).reverse());
  expect((await world.recovered()).found.length).toBe(count);
});

test('message order need not be log order', async () => {
  const world = await filled(350);
  const swap = (messages: readonly { id: bigint }[], at: number) => [messages[at + 1]!.id, messages[at]!.id];
  world.memory.tamper(world.channel, (messages) => {
    const ids = messages.map(({ id }) => id);
    for (const at of [0, 99, 199, 249, 348]) [ids[at], ids[at + 1]] = swap(messages, at) as [bigint, bigint];
    const swapped = messages.map((message, at) => ({ ...message, id: ids[at]! }));
    return swapped.sort((left, right) => (left.id < right.id ? -1 : 1));
  });
  expect(await take(world.open().scanOldest())).toEqual(upTo(350));
  expect(await take(world.open().scanNewest())).toEqual(upTo(350).reverse());
  const { found, told } = await world.recovered();
  expect(found.map(({ recordId }) => recordId)).toEqual(upTo(350).reverse());
  expect(told.problems).toEqual([]);
});

test('a scan ends where the log stood when it began', async () => {
  const world = await filled(150);
  const reader = world.open();
  const writer: Log = (await world.recovered()).log;
  await reader.summary();
  const { durable } = writer.append([put(151)]);
  await durable;
  expect(await take(reader.scanOldest())).toEqual(upTo(150));
});

test('packs in files are scanned too', async () => {
  const world = await World.make();
  const log = world.open();
  log.startEmpty();
  const many = upTo(2000).map((recordId) => put(recordId, { text: 'x'.repeat(100) }));
  await log.append(many.slice(0, 1500)).durable;
  await log.append(many.slice(1500)).durable;
  world.requests();
  const reader = world.open();
  expect(await take(reader.scanOldest())).toEqual(upTo(2000));
  expect(await take(reader.scanNewest())).toEqual(upTo(2000).reverse());
  expect(world.requests()).toEqual({ page: 1, download: 4 });
});

test('the summary counts what superseded', async () => {
  const world = await World.make();
  const log = world.open();
  log.startEmpty();
  const [first, second] = log.append([put(1), put(2)]).placements;
  await log.append([put(1, { v: 2 }, first!), del(2, second!)]).durable;
  expect(await world.open().summary()).toEqual({ seq: 2, epoch: 1, documents: 1, superseding: 2, ahead: 0 });
});

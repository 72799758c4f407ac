import { expect, test } from 'vitest';
import type { Log, Placement, RetryMark } from '../../../src/log/index.ts';
import { StoreError } from '../../../src/store/index.ts';
import { del, ids, put, World } from './world.ts';

async function started(): Promise<{ world: World; log: Log }> {
  const world = await World.make();
  const log = world.open();
  log.startEmpty();
  return { world, log };
}

async function insertEach(log: Log, count: number, first = 1): Promise<Placement[]> {
  const records: Placement[] = [];
  for (let recordId = first; recordId < first + count; recordId++) {
    const { placements, durable } = log.append([put(recordId)]);
    await durable;
    records.push(placements[0]!);
  }
  return records;
}

const left = (world: World) => world.memory.peek(world.channel).length;

test('every hundredth update removes a hundred superseded messages, in one request', async () => {
  const { world, log } = await started();
  let [record] = await insertEach(log, 1);
  world.requests();
  for (let version = 1; version <= 1000; version++) {
    const { placements, durable } = log.append([put(1, { version }, record)]);
    await durable;
    record = placements[0]!;
  }
  await world.clock.settle();
  expect(world.requests()).toEqual({ append: 1000, remove: 10 });
  expect(left(world)).toBe(1);
});

test('10,000 deletes cost at most 102 requests in the background', async () => {
  const { world, log } = await started();
  const records = await insertEach(log, 10_000);
  world.requests();
  await log.append(records.map((record, at) => del(at + 1, record))).durable;
  expect(world.requests()).toMatchObject({ append: 1 });
  await log.clean();
  const { remove = 0, page = 0, ...others } = world.requests();
  expect(others).toEqual({});
  expect(remove + page).toBeLessThanOrEqual(102);
  expect(left(world)).toBe(1);
});

test('a record with a live document stays, and so does the newest record', async () => {
  const { world, log } = await started();
  const [one, two] = log.append([put(1), put(2)]).placements;
  const last = log.append([del(1, one!)]);
  await last.durable;
  await log.clean();
  expect(left(world)).toBe(2);
  await log.append([del(2, two!)]).durable;
  await log.clean();
  // The deletion of 1 went once the record that held 1 was seen to be gone.
  expect(left(world)).toBe(1);
  expect((await world.recovered()).found).toEqual([]);
});

test('a deletion stays while an older version may still stand in the channel', async () => {
  const { world, log } = await started();
  const [insert] = await insertEach(log, 1);
  await log.append([del(1, insert!)]).durable;
  await log.append([put(2)]).durable;
  world.memory.faults.forgetRemovals = true;
  await log.clean();
  await log.clean();
  expect(left(world)).toBe(3);
  expect(ids((await world.recovered()).found)).toEqual([2]);
  world.memory.faults.forgetRemovals = false;
  await log.clean();
  await log.clean();
  expect(left(world)).toBe(1);
  expect(world.problems).toEqual([]);
});

test('an older version in a record that has other documents keeps the deletion, through later versions', async () => {
  const { world, log } = await started();
  const [both] = log.append([put(1), put(2)]).placements;
  const update = log.append([put(1, { v: 2 }, both!)]);
  await update.durable;
  await log.append([del(1, update.placements[0]!)]).durable;
  await log.append([put(3)]).durable;
  await log.clean();
  expect(left(world)).toBe(3);
  await log.close();
  const { found, log: next } = await world.recovered();
  expect(ids(found)).toEqual([2, 3]);
  await next.clean();
  expect(left(world)).toBe(3);
  expect(world.problems).toEqual([]);
});

test('nothing is removed while what superseded it is under way', async () => {
  const { world, log } = await started();
  const [insert] = await insertEach(log, 1);
  world.memory.faults.latency = 100;
  const { durable } = log.append([put(1, { v: 2 }, insert!)]);
  await world.clock.advance(150);
  // Discord holds the update by now, but has not said so.
  await world.clock.run(log.clean());
  expect(left(world)).toBe(2);
  await world.clock.run(durable);
  await world.clock.run(log.clean());
  expect(left(world)).toBe(1);
});

const mark = (session: number, txnNumber: bigint): RetryMark => {
  return { lsid: new Uint8Array(16).fill(session), txnNumber, stmtId: 0, result: put(1).bytes };
};

test('a superseded record stays while its retry mark may be asked for', async () => {
  const { world, log } = await started();
  const first = log.append([put(1)], [mark(1, 1n)]);
  await world.clock.run(first.durable);
  const second = log.append([put(1, { v: 2 }, first.placements[0]!)], [mark(2, 1n)]);
  await world.clock.run(second.durable);
  await log.clean();
  expect(left(world)).toBe(2);
  const third = log.append([put(1, { v: 3 }, second.placements[0]!)], [mark(1, 2n)]);
  await world.clock.run(third.durable);
  await log.clean();
  // Session 1 moved on; session 2 may still repeat its write.
  expect(left(world)).toBe(2);
  await world.clock.advance(31 * 60 * 1000);
  await log.clean();
  expect(left(world)).toBe(1);
});

test('marks are handed back by recovery, as long as they may be asked for', async () => {
  const { world, log } = await started();
  const big = { ...mark(3, 1n), result: put(9, { text: 'x'.repeat(3000) }).bytes };
  await world.clock.run(log.append([put(1)], [mark(1, 1n)]).durable);
  await world.clock.run(log.append([], [mark(2, 7n)]).durable);
  await world.clock.run(log.append([put(2)], [big]).durable);
  const plain = (marks: readonly RetryMark[]) =>
    marks.map(({ lsid, txnNumber, result }) => [lsid[0], txnNumber, Buffer.from(result).toString('hex')]);
  expect(plain((await world.recovered()).told.marks)).toEqual(plain([big, mark(2, 7n), mark(1, 1n)]));
  await world.clock.advance(31 * 60 * 1000);
  expect((await world.recovered()).told.marks).toEqual([]);
});

test('a pass that fails harms nothing and is made up for', async () => {
  const { world, log } = await started();
  const [insert] = await insertEach(log, 1);
  await log.append([put(1, { v: 2 }, insert!)]).durable;
  world.memory.faults.fail = (request) => (request === 'remove' ? new StoreError('forbidden', 'no') : undefined);
  await expect(log.clean()).rejects.toMatchObject({ code: 'forbidden' });
  world.memory.faults.fail = undefined;
  await log.clean();
  expect(left(world)).toBe(1);
});

test('garbage near the age where each message costs a request goes first, and of what is older only some', async () => {
  const { world, log } = await started();
  const day = 24 * 60 * 60 * 1000;
  const old = await insertEach(log, 150);
  await world.clock.advance(day);
  const aging = await insertEach(log, 30, 151);
  await world.clock.advance(12.5 * day);
  world.memory.faults.fail = (request) => (request === 'remove' ? new StoreError('forbidden', 'no') : undefined);
  await log.append([...old, ...aging].map((place, at) => put(at + 1, { v: 2 }, place))).durable;
  await world.clock.advance(0.5 * day + 1000);
  world.memory.faults.fail = undefined;
  expect(log.standing()).toMatchObject({ garbage: 180, agingGarbage: 30 });
  await log.clean();
  expect(log.standing()).toMatchObject({ garbage: 100, agingGarbage: 0 });
});

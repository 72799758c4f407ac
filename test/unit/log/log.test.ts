import { expect, test } from 'vitest';
import { deferred } from '../../../src/base/index.ts';
import { StoreError } from '../../../src/store/index.ts';
import { del, documents, ids, put, World } from './world.ts';

test('an insert is one readable message', async () => {
  const world = await World.make();
  const log = world.open();
  log.startEmpty();
  const { placements, durable } = log.append([put(1, { name: 'Ada', note: 'back`tick, \u00e9' })]);
  expect(placements).toEqual([{ record: expect.objectContaining({ entries: 1 }), slot: 0 }]);
  await durable;
  const [message] = world.memory.peek(world.channel);
  expect(message!.content).toMatch(/^-# discodb 2 doc epoch 1 since 1 seq 1 entries 1 docs 1 superseding 0 live 1 /);
  expect(message!.content).toContain('"name":"Ada"');
  expect(placements[0]!.record).toMatchObject({ seq: 1, live: 1, messageId: message!.id });
});

test('what was written is recovered, newest record first, with one request', async () => {
  const world = await World.make();
  const log = world.open();
  log.startEmpty();
  const first = log.append([put(1), put(2)]);
  const second = log.append([put(3)]);
  const third = log.append([put(1, { v: 2 }, first.placements[0]!), del(3, second.placements[0]!)]);
  await third.durable;
  world.requests();
  const { found, told } = await world.recovered();
  expect(world.requests()).toEqual({ page: 1 });
  expect(found.map(({ recordId }) => recordId)).toEqual([1, 2]);
  expect(found[0]!.bytes).toEqual(put(1, { v: 2 }).bytes);
  expect(told).toMatchObject({ nextRecordId: 4, problems: [], marks: [] });
  expect(told.summary).toMatchObject({ documents: 2, superseding: 2 });
});

test('1,000 inserts are one request, and so are 10,000 deletes', async () => {
  const world = await World.make();
  const log = world.open();
  log.startEmpty();
  const many = Array.from({ length: 10_000 }, (_, at) => put(at + 1, { text: 'x'.repeat(150) }));
  const small = log.append(many.slice(0, 1000));
  await small.durable;
  expect(world.requests()).toEqual({ channels: 1, append: 1 });
  const rest = log.append(many.slice(1000));
  await rest.durable;
  const records = [...small.placements, ...rest.placements];
  world.requests();
  await log.append(records.map((record, at) => del(at + 1, record))).durable;
  expect(world.requests()).toEqual({ append: 1 });
  const { found, told } = await world.recovered();
  expect(found).toEqual([]);
  expect(told.problems).toEqual([]);
});

test('100,000 documents of 200 bytes need at most 4 requests, and are read back from files', async () => {
  const world = await World.make();
  const log = world.open();
  log.startEmpty();
  const many = Array.from({ length: 100_000 }, (_, at) => put(at + 1, { text: 'x'.repeat(175) }));
  await log.append(many).durable;
  expect(world.requests().append).toBeLessThanOrEqual(4);
  const { found } = await world.recovered();
  expect(found.length).toBe(100_000);
  expect(Buffer.compare(found.at(-1)!.bytes, many[0]!.bytes)).toBe(0);
});

test('what is appended while a record is under way goes along with the next one', async () => {
  const world = await World.make();
  world.memory.faults.latency = 50;
  const log = world.open();
  log.startEmpty();
  const durables = Array.from({ length: 100 }, (_, at) => log.append([put(at + 1)]).durable);
  await world.clock.run(Promise.all(durables));
  expect(world.requests().append).toBe(2);
});

test('a batch is sealed when its request may leave', async () => {
  const world = await World.make();
  const gate = deferred();
  world.memory.faults.gate = gate.promise;
  const log = world.open();
  log.startEmpty();
  const durables = Array.from({ length: 100 }, (_, at) => log.append([put(at + 1)]).durable);
  await world.clock.settle();
  gate.resolve();
  await Promise.all(durables);
  expect(world.requests().append).toBe(1);
});

test('a record under way is fetched from memory, a durable one from the channel', async () => {
  const world = await World.make();
  world.memory.faults.latency = 50;
  const log = world.open();
  log.startEmpty();
  const { placements, durable } = log.append([put(1), put(2)]);
  const { record } = placements[0]!;
  expect(record.messageId).toBeUndefined();
  expect(await documents(log, record)).toEqual([put(1).bytes, put(2).bytes]);
  await world.clock.run(durable);
  world.requests();
  const removed = log.append([del(1, placements[0]!)]);
  expect(await world.clock.run(documents(log, record))).toEqual([put(1).bytes, put(2).bytes]);
  await world.clock.run(removed.durable);
  expect(await world.clock.run(documents(log, removed.placements[0]!.record))).toEqual([undefined]);
});

test('a refusal stops the writer: what waits rejects, what comes later throws', async () => {
  const world = await World.make();
  const log = world.open();
  log.startEmpty();
  const refusal = new StoreError('forbidden', 'no');
  world.memory.faults.fail = () => refusal;
  const [one, two] = [log.append([put(1)]), log.append([put(2)])];
  await expect(one.durable).rejects.toBe(refusal);
  await expect(two.durable).rejects.toBe(refusal);
  expect(() => log.append([put(3)])).toThrow(refusal);
  await expect(log.flush()).rejects.toBe(refusal);
  await expect(log.room()).rejects.toBe(refusal);
  await log.close();
});

test('a full queue makes writers wait', async () => {
  const world = await World.make();
  world.memory.faults.latency = 50;
  const log = world.open();
  log.startEmpty();
  await log.room();
  const big = 'x'.repeat(15 * 1024 * 1024);
  for (let recordId = 1; recordId <= 5; recordId++) void log.append([put(recordId, { big })]).durable;
  let open = false;
  const room = log.room().then(() => {
    open = true;
  });
  await world.clock.settle();
  expect(open).toBe(false);
  await world.clock.run(room);
  await world.clock.run(log.flush());
  expect(ids((await world.recovered()).found)).toEqual([1, 2, 3, 4, 5]);
});

test('a record that Discord changes is written again at once, as a file, and said', async () => {
  const world = await World.make();
  const log = world.open();
  log.startEmpty();
  world.memory.faults.alter = (draft) => {
    world.memory.faults.alter = undefined;
    return { ...draft, content: draft.content.replace('Ada', 'A*a') };
  };
  const { placements, durable } = log.append([put(1, { name: 'Ada' })]);
  await durable;
  expect(world.problems).toMatchObject([{ kind: 'checksum', fromSeq: 1 }]);
  expect(placements[0]!.record.seq).toBe(2);
  expect(await documents(log, placements[0]!.record)).toEqual([put(1, { name: 'Ada' }).bytes]);
  await log.close();
  const { found, told } = await world.recovered();
  expect(found).toMatchObject([{ recordId: 1, bytes: put(1, { name: 'Ada' }).bytes }]);
  expect(told.problems).toEqual([]);
});

import { expect, test } from 'vitest';
import { StoreError } from '../../../src/store/index.ts';
import { del, documents, ids, put, World } from './world.ts';

/** A channel with one document in each message. */
async function filled(count: number): Promise<World> {
  const world = await World.make();
  const log = world.open();
  log.startEmpty();
  for (let recordId = 1; recordId <= count; recordId++) await log.append([put(recordId)]).durable;
  await log.close();
  return world;
}

test('what a person says in the channel is reported and disturbs nothing', async () => {
  const world = await filled(3);
  const id = world.memory.chat(world.channel, 'what is this?');
  const { found, told, log } = await world.recovered();
  expect(ids(found)).toEqual([1, 2, 3]);
  expect(told.problems).toMatchObject([{ kind: 'foreign', messageId: id }]);
  await log.append([put(4)]).durable;
  expect(ids((await world.recovered()).found)).toEqual([1, 2, 3, 4]);
});

test('a summary is found behind a page of chatter', async () => {
  const world = await filled(3);
  for (let at = 0; at < 150; at++) world.memory.chat(world.channel, 'hello');
  expect(await world.open().summary()).toMatchObject({ seq: 3, documents: 3 });
  expect(ids((await world.recovered()).found)).toEqual([1, 2, 3]);
});

test('a blank is not a deletion, and what it may hide is not written over', async () => {
  const world = await filled(3);
  const blanked = world.memory.peek(world.channel)[2]!;
  world.memory.tamper(world.channel, (messages) =>
    messages.map((message) => (message === blanked ? { ...message, content: '' } : message)),
  );
  const { found, told, log } = await world.recovered();
  expect(ids(found)).toEqual([1, 2]);
  expect(told.problems.map(({ kind }) => kind)).toEqual(['blank']);
  const { placements, durable } = log.append([del(1, found[1]!.placement)]);
  await durable;
  expect(placements[0]!.record.seq).toBe(4);
  await log.append([put(told.nextRecordId)]).durable;
  await log.clean();
  const all = world.memory.peek(world.channel);
  expect(all.some(({ id }) => id === placements[0]!.record.messageId)).toBe(true);
  expect(all.some(({ id }) => id === blanked.id)).toBe(true);
});

test('an edited record is reported, never taken for true', async () => {
  const world = await filled(3);
  world.memory.tamper(world.channel, (messages) =>
    messages.map((message, at) => (at === 1 ? { ...message, content: message.content.replace('2', '5') } : message)),
  );
  const { found, told } = await world.recovered();
  expect(ids(found)).toEqual([1, 3]);
  expect(told.problems.map(({ kind }) => kind)).toEqual(['checksum', 'live-set']);
  expect(told.problems[1]).toMatchObject({ fromSeq: 2, toSeq: 2 });
});

test('several missing records are reported with the gaps they may be in', async () => {
  const world = await filled(10);
  world.memory.tamper(world.channel, (messages) => messages.filter((_, at) => ![1, 2, 6].includes(at)));
  const { found, told } = await world.recovered();
  expect(ids(found)).toEqual([1, 4, 5, 6, 8, 9, 10]);
  expect(told.problems).toMatchObject([{ kind: 'live-set', fromSeq: 2, toSeq: 7 }]);
  expect(told.problems[0]!.text).toContain('missing sequences: 7, 2 to 3');
});

test('a deletion that somebody removed is reported: the document is back', async () => {
  const world = await filled(2);
  const { log, found } = await world.recovered();
  await log.append([del(1, found[1]!.placement)]).durable;
  await log.append([put(3)]).durable;
  world.memory.tamper(world.channel, (messages) => messages.filter((_, at) => at !== 2));
  const { told } = await world.recovered();
  expect(told.problems).toMatchObject([{ kind: 'live-set', fromSeq: 1, toSeq: 1 }]);
});

test('a lost file is reported', async () => {
  const world = await World.make();
  const log = world.open();
  log.startEmpty();
  await log.append([put(1, { text: 'x'.repeat(3000) })]).durable;
  await log.append([put(2)]).durable;
  const download = world.memory.download.bind(world.memory);
  world.memory.download = async () => undefined;
  const { found, told } = await world.recovered();
  expect(ids(found)).toEqual([2]);
  expect(told.problems.map(({ kind }) => kind)).toEqual(['live-set', 'gap']);
  world.memory.download = download;
  expect(ids((await world.recovered()).found)).toEqual([1, 2]);
});

test('a record met twice counts once', async () => {
  const world = await filled(3);
  world.memory.tamper(world.channel, (messages) => [...messages, { ...messages[1]!, id: messages[2]!.id + 1n }]);
  const { found, told, log } = await world.recovered();
  expect(ids(found)).toEqual([1, 2, 3]);
  expect(told.problems).toEqual([]);
  await log.clean();
  expect(world.memory.peek(world.channel).length).toBe(3);
});

test('a process that another one has replaced may not open the log', async () => {
  const world = await filled(1);
  const { log } = await world.recovered();
  await log.append([put(2)]).durable;
  await expect(world.open(world.store, 1).recover(() => {})).rejects.toBeInstanceOf(StoreError);
});

test('what a replaced process writes does not count', async () => {
  const world = await filled(1);
  const { log: old } = await world.recovered();
  const { log } = await world.recovered();
  await log.append([put(2, { by: 'new' })]).durable;
  await old.append([put(2, { by: 'old' })]).durable;
  await old.append([put(3, { by: 'old' })]).durable;
  const { found, told } = await world.recovered();
  expect(found.map(({ bytes }) => bytes)).toEqual([put(2, { by: 'new' }).bytes, put(1).bytes]);
  expect(told.problems.map(({ kind }) => kind)).toEqual(['epoch', 'epoch']);
});

test('a fetch of a record that is gone says so', async () => {
  const world = await filled(2);
  const { log, found } = await world.recovered();
  world.memory.tamper(world.channel, (messages) => messages.slice(1));
  await expect(documents(log, found[1]!.placement.record)).rejects.toMatchObject({ code: 'gone' });
  expect(world.problems).toMatchObject([{ kind: 'gap', fromSeq: 1 }]);
});

import { beforeEach, describe, expect, it } from 'vitest';
import { type Doc, doc } from '../../../src/bson/index.ts';
import { KeyRing } from '../../../src/log/index.ts';
import { StoreError } from '../../../src/store/index.ts';
import { NS, Stage } from './stage.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;

/** Moving a collection into a fresh channel. */
let stage: Stage;
beforeEach(async () => {
  stage = await Stage.open();
});

const ids = async () => (await stage.values('_id')).map(Number);
const range = (count: number) => Array.from({ length: count }, (_, n) => n);
const fill = (count: number) => stage.insert(range(count).map((_id) => ({ _id, n: _id })));
const compact = () => stage.run(stage.engine.compact(NS));
/** Collections' channels, oldest first, with the messages in each. */
const channels = async () => {
  const texts = (await stage.run(stage.store.channels())).filter(({ topic }) => topic.startsWith('DiscoDB collection'));
  const held = texts.map(async ({ id }) => (await stage.store.pageBefore(id, undefined, 100)).length);
  return stage.run(Promise.all(held));
};

it('leaves the documents as they were, and nothing of the old channel', async () => {
  await fill(50);
  for (let n = 0; n < 60; n++) await stage.update({ _id: 7 }, { $inc: { n: 1 } });
  await stage.delete({ _id: { $gte: 40 } });
  expect(await channels()).toEqual([62]);
  expect(await compact()).toBe(true);
  await stage.clock.advance(2 * MINUTE_MS);
  expect((await channels())[0]).toBeLessThan(45);
  expect(await channels()).toHaveLength(1);
  const before = await stage.find();
  expect(before).toHaveLength(40);
  await stage.insert([{ _id: 'later' }]);
  await stage.reopen();
  expect(await stage.find()).toEqual([...before, doc({ _id: 'later' })]);
});

it('keeps natural order, also where the new channel is read without a directory', async () => {
  await fill(300);
  await stage.update({ _id: 3 }, { $set: { n: 'new' } });
  await compact();
  await stage.reopen();
  expect(await ids()).toEqual(range(300));
});

describe('while clients go on', () => {
  beforeEach(async () => {
    await fill(400);
    stage.store.faults.latency = 40;
  });

  it('nothing that they write is lost', async () => {
    const moving = stage.engine.compact(NS);
    let moved = false;
    moving.then(() => {
      moved = true;
    });
    const kept = new Map(range(400).map((_id) => [_id, _id]));
    for (let n = 0; !moved; n++) {
      await stage.update({ _id: n % 300 }, { $set: { n: -n } });
      kept.set(n % 300, -n);
      if (n % 7 === 0) {
        await stage.delete({ _id: 300 + n / 7 });
        kept.delete(300 + n / 7);
      }
      await stage.insert([{ _id: 1000 + n, n }]);
      kept.set(1000 + n, n);
    }
    expect(await stage.run(moving)).toBe(true);
    const state = async () =>
      new Map((await stage.find()).map((each) => [Number(each.get('_id')), Number(each.get('n'))]));
    expect(await state()).toEqual(kept);
    await stage.reopen();
    expect(await state()).toEqual(kept);
  });

  it('reads under way go on in the channel that is left', async () => {
    await stage.reopen(1);
    const cursor = await stage.run(stage.engine.find(NS, stage.query({ n: { $gte: 0 } })));
    const first = await stage.run(cursor.next(20, 2 ** 24));
    expect(await compact()).toBe(true);
    const rest: Uint8Array[] = [];
    while (!cursor.exhausted) rest.push(...(await stage.run(cursor.next(100, 2 ** 24))));
    expect(first.length + rest.length).toBe(400);
  });

  it('a write that was repeated is answered once, also by the next process', async () => {
    const retry = { lsid: new Uint8Array(16).fill(7), txnNumber: 1n, stmtIds: [0] };
    await stage.update({ _id: 5 }, { $inc: { n: 1 } }, { retry });
    await compact();
    await stage.reopen();
    const again = await stage.update({ _id: 5 }, { $inc: { n: 1 } }, { retry });
    expect(again.retriedStmtIds).toEqual([0]);
    expect(await stage.values('n', { _id: 5 })).toEqual([6]);
  });
});

describe('a crash', () => {
  const DOCUMENTS = 12;

  /** What became of it, and how many requests it made. */
  async function crashAfter(requests: number): Promise<{ moved: boolean; made: number }> {
    await fill(DOCUMENTS);
    await stage.update({ _id: 3 }, { $set: { n: 'new' } });
    const before = await stage.find();
    let made = 0;
    stage.store.faults.fail = () => (made++ < requests ? undefined : new StoreError('closed', 'the process is gone'));
    const moved = await stage.run(stage.engine.compact(NS)).catch(() => false);
    await stage.clock.advance(2 * MINUTE_MS);
    stage.store.faults.fail = undefined;
    await stage.reopen();
    expect(await stage.find()).toEqual(before);
    await stage.clock.advance(2 * MINUTE_MS);
    expect(await channels()).toHaveLength(1);
    await stage.insert([{ _id: 'later' }]);
    await stage.reopen();
    expect(await stage.find()).toEqual([...before, doc({ _id: 'later' })]);
    return { moved, made };
  }

  it.each(range(30))('after %i requests leaves one whole collection', async (requests) => {
    await crashAfter(requests);
  });

  it('is tried at every step of the way', async () => {
    const { moved, made } = await crashAfter(29);
    expect(moved).toBe(true);
    expect(made).toBeLessThan(29);
  });
});

it('of a collection that is dropped meanwhile comes to nothing', async () => {
  await fill(300);
  stage.store.faults.latency = 50;
  const moving = stage.engine.compact(NS);
  moving.catch(() => {});
  await stage.clock.advance(500);
  await stage.run(stage.engine.dropCollection(NS));
  await expect(stage.run(moving)).rejects.toMatchObject({ codeName: 'QueryPlanKilled' });
  await stage.clock.advance(2 * MINUTE_MS);
  expect(await channels()).toEqual([]);
  await stage.insert([{ _id: 1 }]);
  expect(await stage.find()).toEqual([doc({ _id: 1 }) as Doc]);
});

it('is what upkeep does with much garbage that Discord deletes only one by one', async () => {
  await fill(20);
  stage.store.faults.forgetRemovals = true;
  for (let n = 0; n < 600; n++) await stage.update({ _id: 1 }, { $inc: { n: 1 } });
  stage.store.faults.forgetRemovals = false;
  await stage.clock.advance(15 * DAY_MS);
  await stage.reopen();
  const before = await stage.find({ n: { $gte: 0 } });
  const [old] = await stage.run(stage.store.channels()).then((all) => all.filter(({ name }) => name === NS.coll));
  await stage.clock.advance(6 * MINUTE_MS);
  const [fresh, ...others] = (await stage.run(stage.store.channels())).filter(({ name }) => name === NS.coll);
  expect(others).toEqual([]);
  expect(fresh!.id).not.toBe(old!.id);
  expect(await channels()).toEqual([expect.any(Number)]);
  expect((await channels())[0]).toBeLessThan(30);
  expect(await stage.find()).toEqual(before);
});

it('reseals what an older key has sealed', async () => {
  const [older, newer] = ['a', 'b'].map((digit) => digit.repeat(64));
  await stage.reopen(undefined, KeyRing.parse(older!));
  await fill(20);
  await stage.reopen(undefined, KeyRing.parse(`${newer}\n${older}`));
  await stage.insert([{ _id: 'more' }]);
  const before = await stage.find();
  await stage.clock.advance(3 * DAY_MS);
  await stage.reopen(undefined, KeyRing.parse(newer!));
  expect(await stage.find()).toEqual(before);
});

import { describe, expect, test } from 'vitest';
import type { Doc } from '../../../src/bson/index.ts';
import { NS, Stage } from './stage.ts';

/** Long enough for a quiet collection to be found, and looked at. */
const QUIET_MS = 150_000;
const CACHE_NOTHING = { cacheBytes: 0 };

/** How many stand in the collection's channel. */
async function messages(stage: Stage): Promise<number> {
  const channel = (await stage.run(stage.store.channels())).find(({ name }) => name === NS.coll);
  return stage.store.peek(channel!.id).length;
}

async function inserted(count: number, options?: { cacheBytes?: number }): Promise<Stage> {
  const stage = await Stage.open(options);
  for (let n = 0; n < count; n++) await stage.insert([{ _id: n, text: `text ${n}` }]);
  return stage;
}

function upkeep(stage: Stage): Doc {
  return stage.engine.status().get('upkeep') as Doc;
}

describe('packing', () => {
  test('rewrites the cold part of a large collection, keeps the newest messages and the natural order', async () => {
    const stage = await inserted(1500);
    expect(await messages(stage)).toBe(1500);
    await stage.clock.advance(QUIET_MS);
    // One pack, the newest 200, and what the last pass of cleaning leaves.
    expect(await messages(stage)).toBeLessThan(320);
    const expected = Array.from({ length: 1500 }, (_, n) => n);
    const numbers = (found: Doc[]) => found.map((each) => Number(String(each.get('_id'))));
    expect(numbers(await stage.find())).toEqual(expected);
    await stage.reopen();
    expect(numbers(await stage.find())).toEqual(expected);
  });

  test('leaves a small collection as it was written', async () => {
    const stage = await inserted(900);
    await stage.clock.advance(QUIET_MS);
    expect(await messages(stage)).toBe(900);
  });

  test('fetches what is not in memory, and does not push out what is', async () => {
    const stage = await inserted(1300, CACHE_NOTHING);
    const before = { ...stage.store.requests };
    await stage.clock.advance(QUIET_MS);
    expect(await messages(stage)).toBeLessThan(320);
    // 1,100 records stand together on eleven pages or so.
    expect(stage.store.requests.page - before.page).toBeLessThan(20);
    expect(stage.store.requests.read - before.read).toBe(0);
    expect((await stage.find({ _id: 7 }))[0]!.get('text')).toBe('text 7');
  });

  test('leaves out what is changed or deleted while it is being packed', async () => {
    const stage = await inserted(1300, CACHE_NOTHING);
    stage.store.faults.latency = 400;
    await stage.clock.advance(121_000);
    // The pages are being read now.
    const updated = stage.update({ _id: 3 }, { $set: { text: 'new' } });
    const deleted = stage.delete({ _id: 4 });
    await Promise.all([updated, deleted]);
    await stage.clock.advance(QUIET_MS);
    expect(await messages(stage)).toBeLessThan(330);
    const check = async () => {
      const found = await stage.find();
      expect(found).toHaveLength(1299);
      expect(found[3]!.get('text')).toBe('new');
      expect(found.some((each) => String(each.get('_id')) === '4')).toBe(false);
    };
    await check();
    await stage.reopen(0);
    await check();
  });

  test('can be paused, and be watched', async () => {
    const stage = await inserted(1300);
    stage.engine.upkeepPaused = true;
    await stage.clock.advance(QUIET_MS);
    expect(await messages(stage)).toBe(1300);
    expect(upkeep(stage).get('paused')).toBe(true);
    stage.engine.upkeepPaused = false;
    await stage.clock.advance(QUIET_MS);
    expect(await messages(stage)).toBeLessThan(320);
    expect(String((upkeep(stage).get('packed') as Doc).get('documents'))).toBe('1100');
  });
});

import { expect, test } from 'vitest';
import type { Doc } from '../../../src/bson/index.ts';
import { StoreError } from '../../../src/store/index.ts';
import { NS, Stage } from './stage.ts';

/** Long enough for a quiet collection to be found, and looked at. */
const QUIET_MS = 150_000;

async function channelOf(stage: Stage): Promise<string> {
  return (await stage.run(stage.store.channels())).find(({ name }) => name === NS.coll)!.id;
}

/** 100,000 documents in messages of 50, packed, with the garbage still there: nothing can be deleted. */
async function packed(): Promise<Stage> {
  const stage = await Stage.open({ cacheBytes: 0 });
  stage.store.faults.fail = (request) => (request === 'remove' ? new StoreError('forbidden', 'no') : undefined);
  for (let batch = 0; batch < 2000; batch++) {
    await stage.insert(Array.from({ length: 50 }, (_, n) => ({ _id: batch * 50 + n, text: 'x'.repeat(150) })));
  }
  await stage.clock.advance(QUIET_MS);
  return stage;
}

test('100,000 packed documents are opened with at most five pages, whatever garbage stands', async () => {
  const stage = await packed();
  const channel = await channelOf(stage);
  const messages = stage.store.peek(channel);
  expect(messages.length).toBeGreaterThan(2000);
  expect(messages.filter(({ content }) => content.includes('2 checkpoint')).length).toBe(1);
  const upkeep = stage.engine.status().get('upkeep') as Doc;
  expect(String(upkeep.get('checkpoints'))).toBe('1');
  await stage.run(stage.engine.close());
  await stage.reopen(0);
  const before = stage.store.requests.page;
  const { count } = await stage.run(stage.engine.stats(NS));
  expect(count).toBe(100_000);
  expect(stage.store.requests.page - before).toBeLessThanOrEqual(5);
  // A checkpoint that is damaged costs time, and nothing else.
  await stage.run(stage.engine.close());
  stage.store.tamper(channel, (all) =>
    all.map((one) => (one.content.includes('2 checkpoint') ? { ...one, attachments: [] } : one)),
  );
  await stage.reopen(0);
  const again = stage.store.requests.page;
  expect((await stage.run(stage.engine.stats(NS))).count).toBe(100_000);
  expect(stage.store.requests.page - again).toBeGreaterThan(20);
}, 60_000);

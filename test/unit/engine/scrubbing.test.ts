import { expect, test } from 'vitest';
import type { Doc } from '../../../src/bson/index.ts';
import { NS, Stage } from './stage.ts';

const DAY_MS = 24 * 60 * 60 * 1000;

async function stageWith(count: number): Promise<{ stage: Stage; channel: string }> {
  const stage = await Stage.open();
  for (let n = 0; n < count; n++) await stage.insert([{ _id: n, text: `text ${n}.` }]);
  const channel = (await stage.run(stage.store.channels())).find(({ name }) => name === NS.coll)!.id;
  return { stage, channel };
}

const upkeep = (stage: Stage, section: string) => (stage.engine.status().get('upkeep') as Doc).get(section) as Doc;

test('a deletion that no event told of is found by walking the channel, and followed', async () => {
  const { stage, channel } = await stageWith(250);
  stage.store.tamper(channel, (messages) => messages.filter(({ content }) => !content.includes('text 7.')));
  expect(await stage.find()).toHaveLength(250);
  const before = stage.store.requests.page;
  await stage.clock.advance(DAY_MS + 5 * 60_000);
  expect(await stage.find()).toHaveLength(249);
  expect(stage.store.peek(channel).at(-1)!.content).toContain('-8 {"_id":7}');
  expect(String(upkeep(stage, 'scrubbed').get('missing'))).toBe('1');
  // Three pages, and one to make sure; other channels of this guild are not walked.
  expect(stage.store.requests.page - before).toBeLessThanOrEqual(5);
});

test('what is damaged is counted, and nothing is taken out for it', async () => {
  const { stage, channel } = await stageWith(10);
  stage.store.tamper(channel, (messages) =>
    messages.map((one) => (one.content.includes('text 3.') ? { ...one, content: `${one.content} ` } : one)),
  );
  await stage.clock.advance(DAY_MS + 5 * 60_000);
  expect(await stage.find()).toHaveLength(10);
  expect(String((stage.engine.status().get('upkeep') as Doc).get('problems'))).toBe('1');
  // The catalog's too.
  expect(String(upkeep(stage, 'scrubbed').get('channels'))).toBe('2');
});

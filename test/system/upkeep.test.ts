import { expect, test } from 'vitest';
import type { Doc } from '../../src/bson/index.ts';
import { Process, Stage } from '../support/stage.ts';

const DB = 'upkeep';
const COLL = 'things';
const RECORDS = 2300;
const QUARTER_MS = 15 * 60 * 1000;
/** Of the bucket that GETs of a channel share. */
const WINDOW_MS = 5000;

function section(process: Process, name: string): Doc {
  return (process.engine.status().get('upkeep') as Doc).get(name) as Doc;
}

const count = (of: Doc, name: string) => Number(String(of.get(name)));

/** A collection of documents in a message each, under Discord's limits. */
async function filled(stage: Stage): Promise<{ process: Process; run: (command: object) => Promise<Doc> }> {
  const process = await new Process(stage).start();
  const run = process.connect();
  await run({ setParameter: 1, discodbUpkeepPaused: true, $db: 'admin' });
  for (let n = 0; n < RECORDS; n++) {
    await run({ insert: COLL, documents: [{ _id: n, text: `text ${n}` }], $db: DB });
  }
  return { process, run };
}

test('under full write load upkeep advances, and under upkeep a read waits little', { timeout: 120_000 }, async () => {
  await Stage.run({ seed: 7, limits: 'discord', cacheBytes: 0 }, async (stage) => {
    const { process, run } = await filled(stage);
    let writing = true;
    let writes = 0;
    // The channel takes no more messages than this: as soon as one is answered, the next is asked for.
    const write = async (client: number): Promise<void> => {
      const send = process.connect();
      while (writing) {
        const update = { q: { _id: client }, u: { $set: { writes: writes++ } } };
        await send({ update: COLL, updates: [update], $db: DB });
      }
    };
    const writers = [write(1), write(2)];
    expect(count(section(process, 'packed'), 'documents')).toBe(0);
    const was = await run({ setParameter: 1, discodbUpkeepPaused: false, $db: 'admin' });
    expect(was.get('was')).toBe(true);
    const waits: number[] = [];
    const end = stage.clock.now() + QUARTER_MS;
    for (let n = 100; stage.clock.now() < end; n += 7) {
      const began = stage.clock.monotonic();
      const found = await run({ find: COLL, filter: { _id: 200 + (n % 500) }, $db: DB });
      expect(((found.get('cursor') as Doc).get('firstBatch') as unknown[]).length).toBe(1);
      waits.push(stage.clock.monotonic() - began);
      await stage.sleep(1000);
    }
    writing = false;
    await Promise.all(writers);
    expect(count(section(process, 'packed'), 'documents')).toBeGreaterThan(RECORDS - 500);
    expect(count(section(process, 'records'), 'live')).toBeLessThan(400);
    waits.sort((left, right) => left - right);
    // Most find their pack at hand. One that does not may meet a bucket that upkeep has just emptied: then it waits for the
    // next window, and goes first in it.
    expect(waits[waits.length >> 1]).toBeLessThan(200);
    expect(waits.at(-1)).toBeLessThan(WINDOW_MS + 1000);
    expect(writes).toBeGreaterThan(800);
    await process.close();
    expect(stage.errors).toEqual([]);
  });
});

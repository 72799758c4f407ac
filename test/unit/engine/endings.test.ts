import { beforeEach, describe, expect, it } from 'vitest';
import { doc, encode } from '../../../src/bson/index.ts';
import { NS, Stage } from './stage.ts';

const TO = { db: 'test', coll: 'renamed' };
const KILLED = { codeName: 'QueryPlanKilled' };

/** What commands under way meet when their collection is dropped or renamed, while no document is in memory. */
let stage: Stage;
beforeEach(async () => {
  stage = await Stage.open({ cacheBytes: 1 });
  await stage.insert(Array.from({ length: 1000 }, (_, _id) => ({ _id, pad: 'x'.repeat(200) })));
  stage.store.faults.latency = 50;
});

const update = () => {
  const statement = { filter: doc({}), update: doc({ $set: { a: 1 } }), multi: true, upsert: false };
  return stage.engine.update(NS, [statement], stage.writing());
};
const count = () => stage.engine.count(NS, stage.query({ pad: { $exists: true } }));

describe.each<[string, () => Promise<unknown>]>([
  ['dropped', () => stage.engine.dropCollection(NS)],
  ['renamed', () => stage.engine.renameCollection(NS, TO, false)],
])('when it is %s', (_, end) => {
  it.each<[string, () => Promise<unknown>]>([
    ['an update', update],
    ['a count', count],
  ])('%s is killed, and does not blame Discord', async (_name, command) => {
    const ending = end();
    await stage.clock.advance(60);
    const running = command();
    running.catch(() => {});
    await stage.run(ending);
    await expect(stage.run(running)).rejects.toMatchObject(KILLED);
  });

  it('a cursor is killed, and does not end as if that were all', async () => {
    const cursor = await stage.run(stage.engine.find(NS, stage.query({})));
    expect(await stage.run(cursor.next(10, 2 ** 24))).toHaveLength(10);
    await stage.run(end());
    await expect(stage.run(cursor.next(2000, 2 ** 24))).rejects.toMatchObject(KILLED);
  });
});

it('a collection can be read under one of its two names at any moment of a rename', async () => {
  const renaming = stage.engine.renameCollection(NS, TO, false);
  let renamed = false;
  renaming.then(() => {
    renamed = true;
  });
  await stage.clock.advance(150);
  const late = stage.engine.insert(NS, [encode(doc({ _id: 'late' }))], stage.writing());
  while (!renamed) {
    expect(stage.engine.collection(NS) ?? stage.engine.collection(TO)).toBeDefined();
    await stage.clock.advance(1);
  }
  await stage.run((await late).durable);
  expect(await stage.run(stage.engine.count(TO, stage.query({})))).toBe(1001);
});

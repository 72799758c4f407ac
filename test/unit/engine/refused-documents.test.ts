import { expect, test } from 'vitest';
import { doc, encode } from '../../../src/bson/index.ts';
import { openLog } from '../../../src/log/index.ts';
import { NS, Stage } from './stage.ts';

/** A place that no index of the sphere takes, put into the log as a server did that was not so strict. */
async function keepPlace(stage: Stage, recordId: number, epoch: number): Promise<void> {
  const { env, store } = stage;
  const channel = (await store.channels()).find(({ kind, name }) => kind === 'text' && name === NS.coll)!.id;
  const log = openLog({ env, store, channel, epoch, onProblem: () => {} });
  await stage.run(log.recover(() => {}));
  const bytes = encode(doc({ _id: recordId, at: { type: 'Point', coordinates: [500, 500] } }));
  await stage.run(log.append([{ op: 'put', recordId, bytes }]).durable);
  await stage.run(log.close());
}

async function stagesOf(stage: Stage, filter: object): Promise<string> {
  const explained = await stage.run(stage.engine.explain(NS, stage.query(filter), { kind: 'find' }, 'queryPlanner'));
  return JSON.stringify([...(explained.get('queryPlanner') as Map<string, Map<string, unknown>>).get('winningPlan')!]);
}

test('a document that an index refuses takes the index out of use, and not the collection', async () => {
  const stage = await Stage.open();
  await stage.run(stage.engine.createIndexes(NS, [doc({ key: { at: '2dsphere' }, name: 'places' })]));
  await stage.insert([{ _id: 1, at: { type: 'Point', coordinates: [1, 1] } }]);
  await keepPlace(stage, 2, 1);
  await stage.reopen();
  const within = { at: { $geoWithin: { $centerSphere: [[1, 1], 0.1] } } };
  expect(await stage.values('_id')).toEqual([1, 2]);
  expect(await stagesOf(stage, within)).toContain('COLLSCAN');
  expect((await stage.run(stage.engine.checkIndexes(NS))).missing).toMatchObject([{ index: 'places', recordId: 2 }]);
  // What is written is checked as before, and what is refused can go.
  await stage.insert([{ _id: 3, at: { type: 'Point', coordinates: [1, 1] } }]);
  await expect(stage.insert([{ _id: 4, at: { type: 'Point', coordinates: [500, 500] } }])).resolves.toMatchObject({
    n: 0,
  });
  await stage.update({ _id: 2 }, { $set: { at: { type: 'Point', coordinates: [2, 2] } } });
  await keepPlace(stage, 9, 2);
  await stage.reopen();
  await stage.delete({ _id: 9 });
  await stage.reopen();
  expect(await stagesOf(stage, within)).not.toContain('COLLSCAN');
  expect(await stage.run(stage.engine.checkIndexes(NS))).toEqual({ missing: [], extra: [] });
  expect((await stage.values('_id', within)).length).toBe(3);
});

import { beforeEach, expect, it } from 'vitest';
import { doc } from '../../../src/bson/index.ts';
import { StoreError } from '../../../src/store/index.ts';
import { NS, Stage } from './stage.ts';

/** `$out` of more than one record holds: all of it counts at once, or nothing. */
const OLD = 5;
const NEW = 24;
const MEGABYTE = 1024 * 1024;
const MINUTE_MS = 60_000;

let stage: Stage;
beforeEach(async () => {
  stage = await Stage.open({ cacheBytes: 64 * MEGABYTE });
  await stage.insert(Array.from({ length: OLD }, (_, n) => ({ _id: n, n: `old${n}` })));
  const index = doc({ key: { n: 1 }, name: 'n_1', unique: true });
  await stage.run(stage.engine.createIndexes(NS, [index]));
});

const pad = 'x'.repeat(MEGABYTE);

/** Replaces the collection's content by documents of a megabyte. */
async function replace(count: number, same = false): Promise<void> {
  const made = { $range: [0, count] };
  const pipeline = [
    { $documents: [{ n: made }] },
    { $unwind: '$n' },
    { $project: { _id: '$n', n: same ? { $literal: 1 } : '$n', pad: { $literal: pad } } },
    { $out: NS.coll },
  ].map((each) => doc(each));
  const options = { context: stage.context, read: 'local' as const };
  const cursor = await stage.run(stage.engine.aggregate({ db: NS.db, coll: '$cmd.aggregate' }, pipeline, options));
  while (!cursor.exhausted) await stage.run(cursor.next(100, 2 ** 24));
}

const isNew = async () => (await stage.values('_id')).length === NEW;
const channels = async () =>
  (await stage.run(stage.store.channels())).filter(({ topic }) => topic.startsWith('DiscoDB collection')).length;

it('goes into a channel of its own, and the old one goes', async () => {
  const [before] = stage.engine.collections(NS.db);
  await replace(NEW);
  expect(await stage.values('n')).toEqual(Array.from({ length: NEW }, (_, n) => n));
  const [after] = stage.engine.collections(NS.db);
  expect(after!.uuid).not.toEqual(before!.uuid);
  expect(after!.indexes).toEqual(before!.indexes);
  await stage.clock.advance(2 * MINUTE_MS);
  expect(await channels()).toBe(1);
  await stage.insert([{ _id: 'later', n: 'later' }]);
  await stage.reopen(64 * MEGABYTE);
  expect(await stage.values('_id')).toEqual([...Array.from({ length: NEW }, (_, n) => n), 'later']);
  expect((await stage.find({ n: 7 }, { hint: 'n_1' })).length).toBe(1);
});

it('with little to write stays in its channel, with one commit', async () => {
  const [before] = stage.engine.collections(NS.db);
  const appends = stage.store.requests.append;
  await replace(12);
  expect(stage.store.requests.append - appends).toBe(1);
  expect(stage.engine.collections(NS.db)[0]!.uuid).toEqual(before!.uuid);
});

it('changes nothing where the new documents cannot be', async () => {
  await expect(replace(NEW, true)).rejects.toMatchObject({ codeName: 'DuplicateKey' });
  expect(await stage.values('_id')).toEqual([0, 1, 2, 3, 4]);
  expect(await channels()).toBe(1);
});

it('is there or not there after a crash at any request', async () => {
  const outcomes: boolean[] = [];
  for (let survived = 0; ; survived++) {
    stage = await Stage.open({ cacheBytes: 64 * MEGABYTE });
    await stage.insert(Array.from({ length: OLD }, (_, n) => ({ _id: n, n: `old${n}` })));
    let requests = 0;
    stage.store.faults.fail = () => (++requests > survived ? new StoreError('closed', 'killed') : undefined);
    const ended = await replace(NEW).then(
      () => true,
      () => false,
    );
    stage.store.faults.fail = undefined;
    await stage.reopen(64 * MEGABYTE);
    const found = await stage.values('_id');
    expect(found).toEqual(Array.from({ length: (await isNew()) ? NEW : OLD }, (_, n) => n));
    if (ended) expect(found).toHaveLength(NEW);
    outcomes.push(found.length === NEW);
    await stage.clock.advance(2 * MINUTE_MS);
    expect(await channels()).toBe(1);
    if (ended) break;
  }
  // Once it has come to count it stays so.
  expect(outcomes).toEqual([...outcomes].sort());
  expect(outcomes.length).toBeGreaterThan(4);
  expect(outcomes.at(0)).toBe(false);
});

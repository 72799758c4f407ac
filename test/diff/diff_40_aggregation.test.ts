import { expect, test } from 'vitest';
import { Long } from '../support/driver.ts';
import { ownServer } from '../support/own-server.ts';

const own = ownServer();

test('$collStats refuses what is not measured', async () => {
  await own.things.insertOne({ _id: 1 });
  for (const name of ['latencyStats', 'queryExecStats']) {
    const stats = own.things.aggregate([{ $collStats: { [name]: {} } }]).toArray();
    await expect(stats).rejects.toMatchObject({ code: 238 });
  }
});

test('$currentOp shows nothing idle', async () => {
  const pipeline = [{ $currentOp: { allUsers: true, idleConnections: true, idleCursors: true, idleSessions: true } }];
  const { cursor } = await own.admin({ aggregate: 1, pipeline, cursor: {} });
  expect(cursor.firstBatch.every(({ active }: { active: boolean }) => active)).toBe(true);
});

test('beyond 100 MB stages fail without the disk', async () => {
  const pad = 'x'.repeat(15 * 2 ** 20);
  for (let _id = 10; _id < 18; _id++) await own.things.insertOne({ _id, pad });
  const sorted = [{ $sort: { pad: 1, _id: -1 } }, { $project: { _id: 1 } }];
  const found = await own.things.aggregate(sorted).toArray();
  expect(found.slice(-8).map(({ _id }) => _id)).toEqual([17, 16, 15, 14, 13, 12, 11, 10]);
  const refused = own.things.aggregate(sorted, { allowDiskUse: false }).toArray();
  await expect(refused).rejects.toMatchObject({ code: 292 });
  const groups = (field: object) => [{ $group: { _id: '$_id', field } }, { $project: { _id: 1 } }];
  for (const field of [{ $first: '$pad' }, { $max: '$pad' }, { $lastN: { n: 1, input: '$pad' } }, { $push: '$pad' }]) {
    const grouped = own.things.aggregate(groups(field), { allowDiskUse: false }).toArray();
    await expect(grouped).rejects.toMatchObject({ code: 292 });
  }
  expect((await own.things.aggregate(groups({ $sum: 1 }), { allowDiskUse: false }).toArray()).length).toBe(
    found.length,
  );
  const output = { docs: { $push: { pad: { $substrBytes: ['$pad', 0, 1] } } } };
  const buckets = [{ $match: { _id: { $gte: 10 } } }, { $bucketAuto: { groupBy: '$_id', buckets: 1, output } }];
  expect((await own.things.aggregate(buckets).toArray())[0]!.docs).toHaveLength(8);
  await expect(own.things.aggregate(buckets, { allowDiskUse: false }).toArray()).rejects.toMatchObject({ code: 292 });
  const first = { $substrBytes: ['$pad', 0, 1] };
  const all = { $match: { _id: { $gte: 10 } } };
  const windows = [all, { $setWindowFields: { output: { n: { $count: {} } } } }, { $project: { first, n: 1 } }];
  expect((await own.things.aggregate(windows).toArray()).map(({ n }) => n)).toEqual(Array(8).fill(8));
  const noRoom = own.things.aggregate(windows, { allowDiskUse: false }).toArray();
  await expect(noRoom).rejects.toMatchObject({ code: 5643011 });
  const read = [all, { $facet: { all: [{ $project: { first } }] } }, { $unwind: '$all' }];
  expect(await own.things.aggregate(read, { allowDiskUse: false }).toArray()).toHaveLength(8);
});

test('what fails within a $group has the code that it has elsewhere', async () => {
  await own.things.insertOne({ _id: 20, zero: 0 });
  const failing = (accumulator: object) =>
    own.things.aggregate([{ $match: { _id: 20 } }, { $group: { _id: null, r: accumulator } }]).toArray();
  await expect(failing({ $sum: { $divide: [1, '$zero'] } })).rejects.toMatchObject({ code: 2 });
  await expect(failing({ $sum: { $mod: [1, '$zero'] } })).rejects.toMatchObject({ code: 16610 });
  await expect(failing({ $mergeObjects: '$zero' })).rejects.toMatchObject({ code: 40400 });
});

test('errors name no shard', async () => {
  await own.things.insertOne({ _id: 30, n: 0 });
  const failing = { $expr: { $eq: [1, { $divide: [1, '$n'] }] } };
  const { cursor } = await own.db.command({ find: 'things', filter: { _id: 30, ...failing }, batchSize: 0 });
  await expect(own.db.command({ getMore: Long.fromValue(cursor.id), collection: 'things' })).rejects.toMatchObject({
    errmsg: expect.stringMatching(/^Executor error during getMore :: /),
  });
  await expect(own.db.command({ count: 'things', query: { _id: 30, ...failing } })).rejects.toMatchObject({
    errmsg: "can't $divide by zero",
  });
});

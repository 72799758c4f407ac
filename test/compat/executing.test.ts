import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Db, type Document, Long } from '../support/driver.ts';
import { startServer, type TestServer } from '../support/server.ts';

/** Where errors say that they happened: those of what runs tell of the command, those of parsing and planning do not. */
let server: TestServer;
let db: Db;

beforeAll(async () => {
  server = await startServer();
  db = (await server.client()).db('executing');
  await db.collection<Document & { _id: number }>('c').insertMany([
    { _id: 1, n: 2 },
    { _id: 2, n: 0 },
  ]);
  await db.createCollection('v', { viewOn: 'c', pipeline: [] });
});

afterAll(() => server?.close());

const zero = (operand: unknown) => ({ $divide: [1, operand] });
const PIPELINE = [{ $project: { r: zero('$n') } }];
const FILTER = { $expr: { $eq: [1, zero('$n')] } };
const AGGREGATE = 'PlanExecutor error during aggregation :: caused by :: ';
const ZERO = "can't $divide by zero";

test.each([
  ['aggregate', { aggregate: 'c', pipeline: PIPELINE, cursor: {} }, AGGREGATE],
  ['$match, which is a query', { aggregate: 'c', pipeline: [{ $match: FILTER }], cursor: {} }, AGGREGATE],
  [
    '$count, which is a count',
    { aggregate: 'c', pipeline: [{ $match: FILTER }, { $count: 'n' }], cursor: {} },
    AGGREGATE,
  ],
  [
    'a pipeline inside another',
    { aggregate: 'c', pipeline: [{ $lookup: { from: 'c', as: 'a', pipeline: PIPELINE } }], cursor: {} },
    AGGREGATE,
  ],
  ['$documents', { aggregate: 1, pipeline: [{ $documents: [{ n: 0 }] }, ...PIPELINE], cursor: {} }, AGGREGATE],
  ['find', { find: 'c', filter: FILTER }, 'Executor error during find command: executing.c :: caused by :: '],
  ['find on a view', { find: 'v', filter: FILTER }, AGGREGATE],
  ['distinct', { distinct: 'c', key: 'n', query: FILTER }, 'Executor error during distinct command :: caused by :: '],
  ['distinct on a view', { distinct: 'v', key: 'n', query: FILTER }, AGGREGATE],
  ['count', { count: 'c', query: FILTER }, ''],
  ['count on a view', { count: 'v', query: FILTER }, AGGREGATE],
  [
    'findAndModify',
    { findAndModify: 'c', query: { _id: 2 }, update: [{ $set: { r: zero('$n') } }] },
    'Plan executor error during findAndModify :: caused by :: ',
  ],
])('an error of %s', async (_, command, where) => {
  await expect(db.command(command)).rejects.toMatchObject({ errmsg: where + ZERO });
});

test.each([
  { update: 'c', updates: [{ q: { _id: 2 }, u: [{ $set: { r: zero('$n') } }] }] },
  { update: 'c', updates: [{ q: FILTER, u: { $set: { r: 1 } } }] },
  { delete: 'c', deletes: [{ q: FILTER, limit: 0 }] },
])('an error of a write tells nothing of the command: %j', async (command) => {
  expect((await db.command(command)).writeErrors).toMatchObject([{ errmsg: ZERO }]);
});

test.each([
  { find: 'c', filter: FILTER, batchSize: 0 },
  { aggregate: 'c', pipeline: PIPELINE, cursor: { batchSize: 0 } },
])('an error of getMore, after %j', async (command) => {
  const { cursor } = await db.command(command);
  await expect(db.command({ getMore: Long.fromValue(cursor.id), collection: 'c' })).rejects.toMatchObject({
    errmsg: `Executor error during getMore :: caused by :: ${ZERO}`,
  });
});

describe('what does not run yet', () => {
  test.each([
    [[{ $project: { r: { $nope: 1 } } }], 'Invalid $project :: caused by :: Unknown expression $nope'],
    [[{ $project: { r: zero(0) } }], `Failed to optimize pipeline :: caused by :: ${ZERO}`],
    [[{ $match: { $text: { $search: 'x' } } }], 'text index required for $text query'],
    [
      [{ $geoNear: { near: [0, 0], distanceField: 'd' } }],
      '$geoNear requires a 2d or 2dsphere index, but none were found',
    ],
    [[{ $indexStats: 1 }], 'The $indexStats stage specification must be an empty object'],
  ])('%j', async (pipeline, errmsg) => {
    await expect(db.collection('c').aggregate(pipeline).toArray()).rejects.toMatchObject({ errmsg });
  });

  test.each([
    [{ $match: { n: 1 } }],
    [{ $match: {} }, { $count: 'n' }],
    [{ $group: { _id: '$n' } }],
  ])('a hint that there is not, before %j', async (...pipeline) => {
    await expect(
      db.collection('c').aggregate(pipeline, { hint: 'nope', batchSize: 0 }).toArray(),
    ).rejects.toMatchObject({
      code: 2,
      errmsg: expect.stringMatching(
        /^error processing query: [\s\S]*hint provided does not correspond to an existing index$/,
      ),
    });
  });
});

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Collection, Db, Document } from '../support/driver.ts';
import { startServer, type TestServer } from '../support/server.ts';

/** How `explain` shows the plans of all commands, as a client reads them. */
let server: TestServer;
let db: Db;
let things: Collection;

beforeAll(async () => {
  server = await startServer();
  db = (await server.client()).db('explained');
  things = db.collection('things');
  await things.createIndexes([
    { key: { a: 1, b: -1 } },
    { key: { tags: 1 } },
    { key: { u: 1 }, unique: true, sparse: true },
    { key: { h: 'hashed' } },
    { key: { 'w.$**': 1 } },
    { key: { 'q.r': 1 } },
    { key: { p: 1 }, partialFilterExpression: { p: { $gt: 5 } } },
  ]);
  await things.insertMany(
    Array.from({ length: 100 }, (_, n) => ({
      _id: n as never,
      a: n % 10,
      b: n,
      tags: [n % 3, n],
      h: n,
      w: { x: n },
      q: { r: n % 4, s: n },
      p: n,
      z: n,
    })),
  );
});

beforeAll(async () => {
  const arrays = db.collection('arrays');
  await arrays.createIndex({ n: 1, tags: 1 });
  await arrays.insertMany(Array.from({ length: 20 }, (_, n) => ({ n: n % 2, tags: [n, -n - 1] })));
});

afterAll(() => server?.close());

const explain = (command: Document, verbosity = 'queryPlanner') => db.command({ explain: command, verbosity });
const plan = async (command: Document) => (await explain(command)).queryPlanner.winningPlan;
const find = (filter: Document, more: Document = {}) => plan({ find: 'things', filter, ...more });

/** The stages from the top down. */
function stages(shown: Document): string[] {
  const inputs: Document[] = shown.inputStages ?? (shown.inputStage ? [shown.inputStage] : []);
  return [shown.stage, ...inputs.flatMap(stages)];
}

/** The deepest first stage, which finds documents. */
function leaf(shown: Document): Document {
  const input = shown.inputStage ?? shown.inputStages?.[0];
  return input ? leaf(input) : shown;
}

describe('the bounds of a field', () => {
  test.each<[Document, Document]>([
    [{ a: 5 }, { a: ['[5, 5]'], b: ['[MaxKey, MinKey]'] }],
    [{ a: { $gt: 1 } }, { a: ['(1, inf.0]'], b: ['[MaxKey, MinKey]'] }],
    [{ a: { $lte: 3 } }, { a: ['[-inf.0, 3]'], b: ['[MaxKey, MinKey]'] }],
    [{ a: { $gte: 1, $lt: 5 } }, { a: ['[1, 5)'], b: ['[MaxKey, MinKey]'] }],
    [{ a: { $in: [3, 1] } }, { a: ['[1, 1]', '[3, 3]'], b: ['[MaxKey, MinKey]'] }],
    [
      { a: 1, b: { $gte: 5, $lt: 9 } },
      { a: ['[1, 1]'], b: ['(9, 5]'] },
    ],
    [
      { a: { $gt: 1 }, b: 5 },
      { a: ['(1, inf.0]'], b: ['[5, 5]'] },
    ],
    [
      { a: { $in: [1, 3] }, b: { $in: [7, 3] } },
      { a: ['[1, 1]', '[3, 3]'], b: ['[7, 7]', '[3, 3]'] },
    ],
    [
      { a: { $ne: 5 }, b: { $lt: 50 } },
      { a: ['[MinKey, 5)', '(5, MaxKey]'], b: ['(50, -inf.0]'] },
    ],
    [{ a: { $ne: 5 } }, { a: ['[MinKey, 5)', '(5, MaxKey]'], b: ['[MaxKey, MinKey]'] }],
    [{ a: { $not: { $gt: 5 } } }, { a: ['[MinKey, 5]', '(inf.0, MaxKey]'], b: ['[MaxKey, MinKey]'] }],
    [{ a: null }, { a: ['[null, null]'], b: ['[MaxKey, MinKey]'] }],
    [{ a: { $exists: false } }, { a: ['[null, null]'], b: ['[MaxKey, MinKey]'] }],
    [{ a: /^ab/ }, { a: ['["ab", "ac")', '[/^ab/, /^ab/]'], b: ['[MaxKey, MinKey]'] }],
    [{ a: /b/ }, { a: ['["", {})', '[/b/, /b/]'], b: ['[MaxKey, MinKey]'] }],
    [{ a: { $gt: 'x' } }, { a: ['("x", {})'], b: ['[MaxKey, MinKey]'] }],
    [{ tags: { $gt: 1, $lt: 5 } }, { tags: ['[-inf.0, 5)'] }],
    [{ tags: { $elemMatch: { $gt: 1, $lt: 5 } } }, { tags: ['(1, 5)'] }],
    [{ u: { $exists: true } }, { u: ['[MinKey, MaxKey]'] }],
    [{ h: 1 }, { h: ['[5902408780260971510, 5902408780260971510]'] }],
    [{ 'w.x': { $gt: 97 } }, { $_path: ['["w.x", "w.x"]'], 'w.x': ['(97, inf.0]'] }],
    [{ p: { $gte: 90 } }, { p: ['[90, inf.0]'] }],
  ])('%j', async (filter, bounds) => {
    expect(leaf(await find(filter))).toMatchObject({ stage: 'IXSCAN', indexBounds: bounds });
  });
});

describe('the stages', () => {
  test.each<[string, Document, Document, string[]]>([
    ['of no filter', {}, {}, ['COLLSCAN']],
    ['of _id', { _id: 5 }, {}, ['EXPRESS_IXSCAN']],
    ['of _id, for other fields', { _id: 5 }, { projection: { a: 1 } }, ['EXPRESS_IXSCAN']],
    ['of _id, for fields within others', { _id: 5 }, { projection: { 'w.x': 1 } }, ['PROJECTION_DEFAULT', 'IDHACK']],
    ['of _id behind another', { _id: 5 }, { skip: 1 }, ['SKIP', 'IDHACK']],
    ['of one document of an index', { a: 5 }, { limit: 1 }, ['EXPRESS_IXSCAN']],
    ['of one that is sorted', { a: 5 }, { limit: 1, sort: { b: 1 } }, ['LIMIT', 'FETCH', 'IXSCAN']],
    ['of one by null', { a: null }, { limit: 1 }, ['LIMIT', 'FETCH', 'IXSCAN']],
    ['of an index', { a: 5 }, {}, ['FETCH', 'IXSCAN']],
    ['that a sparse index cannot serve', { u: null }, {}, ['COLLSCAN']],
    ['that a sparse index cannot sort', {}, { sort: { u: 1 } }, ['SORT', 'COLLSCAN']],
    ['that a partial index cannot serve', { p: { $gte: 3 } }, {}, ['COLLSCAN']],
    ['that a hash cannot serve', { h: { $gt: 3 } }, {}, ['COLLSCAN']],
    ['of a sort by index', {}, { sort: { a: 1, b: -1 } }, ['FETCH', 'IXSCAN']],
    ['of a sort by index backwards', {}, { sort: { a: -1 } }, ['FETCH', 'IXSCAN']],
    ['of a sort after equality', { a: 3 }, { sort: { b: 1 } }, ['FETCH', 'IXSCAN']],
    ['of a sort in memory', { a: 3 }, { sort: { z: 1 }, limit: 5 }, ['SORT', 'FETCH', 'IXSCAN']],
    ['of a skip and a limit', {}, { skip: 2, limit: 3 }, ['LIMIT', 'SKIP', 'COLLSCAN']],
    [
      'of a projection',
      { a: 1 },
      { projection: { a: 1 }, limit: 1 },
      ['LIMIT', 'PROJECTION_SIMPLE', 'FETCH', 'IXSCAN'],
    ],
    ['of a dotted one', {}, { projection: { 'w.x': 1 } }, ['PROJECTION_DEFAULT', 'COLLSCAN']],
    ['of $or', { $or: [{ a: 1 }, { h: 5 }] }, {}, ['SUBPLAN', 'FETCH', 'OR', 'IXSCAN', 'FETCH', 'IXSCAN']],
    ['of $or with a branch that no index serves', { $or: [{ a: 1 }, { z: 5 }] }, {}, ['COLLSCAN']],
  ])('%s', async (_, filter, more, expected) => {
    expect(stages(await find(filter, more))).toEqual(expected);
  });

  test.each<[string, Document, string[]]>([
    ['count', { count: 'things', query: { a: 5 } }, ['COUNT', 'COUNT_SCAN']],
    ['count of a list', { count: 'things', query: { a: { $in: [1, 5] } } }, ['COUNT', 'IXSCAN']],
    ['count by a filter', { count: 'things', query: { z: 5 } }, ['COUNT', 'COLLSCAN']],
    ['count of all', { count: 'things', query: {} }, ['RECORD_STORE_FAST_COUNT']],
    ['update', { update: 'things', updates: [{ q: { a: 5 }, u: { $set: { x: 1 } } }] }, ['UPDATE', 'FETCH', 'IXSCAN']],
    ['delete', { delete: 'things', deletes: [{ q: { z: 5 }, limit: 0 }] }, ['DELETE', 'COLLSCAN']],
    [
      'findAndModify',
      { findAndModify: 'things', query: { a: 5 }, sort: { z: 1 }, remove: true },
      ['DELETE', 'SORT', 'FETCH', 'IXSCAN'],
    ],
    ['aggregate', { aggregate: 'things', pipeline: [{ $match: { a: 5 } }], cursor: {} }, ['FETCH', 'IXSCAN']],
    ['nothing', { find: 'none' }, ['EOF']],
  ])('of %s', async (_, command, expected) => {
    expect(stages(await plan(command))).toEqual(expected);
  });

  test('of a pipeline stand around its cursor', async () => {
    const shown = await explain({
      aggregate: 'things',
      pipeline: [{ $match: { a: 5 } }, { $group: { _id: '$b' } }],
      cursor: {},
    });
    expect(stages(shown.stages[0].$cursor.queryPlanner.winningPlan)).toEqual(
      expect.arrayContaining(['PROJECTION_COVERED', 'DISTINCT_SCAN']),
    );
    expect(shown.stages[1]).toMatchObject({ $groupByDistinctScan: { newRoot: { _id: '$b' } } });
  });

  test.each<[string, Document[], string, number]>([
    ['by the first field of an index', [{ $group: { _id: '$a' } }], '$groupByDistinctScan', 10],
    ['by a dotted path', [{ $group: { _id: '$q.r' } }], '$groupByDistinctScan', 4],
    ['behind a sort', [{ $sort: { a: -1 } }, { $group: { _id: '$a' } }], '$groupByDistinctScan', 10],
    ['with a sum', [{ $group: { _id: '$a', n: { $sum: 1 } } }], '$group', 0],
    ['with the first of each', [{ $group: { _id: '$a', n: { $first: '$b' } } }], '$groupByDistinctScan', 10],
    [
      'with the last of each',
      [{ $group: { _id: '$a', n: { $last: { $add: ['$b', '$a'] } } } }],
      '$groupByDistinctScan',
      10,
    ],
    [
      'with the first in an order',
      [{ $sort: { a: -1, b: 1 } }, { $group: { _id: '$a', n: { $first: '$b' } } }],
      '$groupByDistinctScan',
      10,
    ],
    [
      'with the last in an order',
      [{ $match: { a: { $gt: 6 } } }, { $sort: { a: 1, b: -1 } }, { $group: { _id: '$a', n: { $last: '$b' } } }],
      '$groupByDistinctScan',
      3,
    ],
    ['with the first and the last', [{ $group: { _id: '$a', n: { $first: '$b' }, m: { $last: '$b' } } }], '$group', 0],
    [
      'with the first in an order that no index has',
      [{ $sort: { a: 1, b: 1 } }, { $group: { _id: '$a', n: { $last: '$b' } } }],
      '$group',
      0,
    ],
    [
      'with the first in an order by something else',
      [{ $match: { a: 3 } }, { $sort: { b: 1 } }, { $group: { _id: '$a', n: { $first: '$b' } } }],
      '$group',
      10,
    ],
    ['with the first of what is not in the index', [{ $group: { _id: '$a', n: { $first: '$z' } } }], '$group', 0],
    ['behind a limit', [{ $limit: 50 }, { $group: { _id: '$a' } }], '$group', 0],
    ['of arrays', [{ $group: { _id: '$tags' } }], '$group', 0],
  ])('of a group %s', async (_, pipeline, stage, keys) => {
    const shown = await explain({ aggregate: 'things', pipeline, cursor: {} }, 'executionStats');
    expect(Object.keys(shown.stages[1])).toContain(stage);
    expect(shown.stages[0].$cursor.executionStats.totalKeysExamined).toBe(keys);
  });

  test.each<[Document[], (a: number) => number]>([
    [[{ $group: { _id: '$a', n: { $first: '$b' } } }], (a) => 90 + a],
    [[{ $group: { _id: '$a', n: { $last: '$b' } } }], (a) => a],
    [[{ $sort: { a: 1, b: -1 } }, { $group: { _id: '$a', n: { $first: '$b' } } }], (a) => 90 + a],
    [[{ $sort: { a: 1, b: -1 } }, { $group: { _id: '$a', n: { $last: '$b' } } }], (a) => a],
    [[{ $sort: { a: -1, b: 1 } }, { $group: { _id: '$a', n: { $first: '$b' } } }], (a) => a],
    [[{ $sort: { a: -1, b: 1 } }, { $group: { _id: '$a', n: { $last: '$b' } } }], (a) => 90 + a],
    [[{ $sort: { a: 1, b: 1 } }, { $group: { _id: '$a', n: { $last: '$b' } } }], (a) => 90 + a],
  ])('of groups found key by key have what is first or last in each: %j', async (pipeline, n) => {
    const groups = await things.aggregate([...pipeline, { $sort: { _id: 1 } }]).toArray();
    expect(groups).toEqual(Array.from({ length: 10 }, (_, a) => ({ _id: a, n: n(a) })));
  });

  test('of groups found key by key give each group once', async () => {
    const groups = await things.aggregate([{ $group: { _id: '$q.r' } }, { $sort: { _id: 1 } }]).toArray();
    expect(groups).toEqual([0, 1, 2, 3].map((_id) => ({ _id })));
  });
});

/** The stages of a pipeline as they ran, in the driver's numbers. */
async function ran(pipeline: Document[], coll: string | 1 = 'things'): Promise<Document[]> {
  const { stages } = await explain({ aggregate: coll, pipeline, cursor: {} }, 'executionStats');
  return stages.map(({ executionTimeMillisEstimate, ...stage }: Document) => {
    expect(executionTimeMillisEstimate).toBeGreaterThanOrEqual(0);
    return stage;
  });
}

const notSpilled = { usedDisk: false, spills: 0, spilledDataStorageSize: 0 };

describe('a pipeline that ran tells of each stage what it has done', () => {
  test.each<[string, Document[], Document[]]>([
    [
      '$group and $sort with its limit',
      [
        { $match: { z: { $gte: 40 } } },
        { $group: { _id: '$a', n: { $sum: 1 }, all: { $push: '$b' } } },
        { $sort: { n: -1 } },
        { $limit: 2 },
      ],
      [
        { $cursor: { executionStats: { nReturned: 60, totalDocsExamined: 100 } }, nReturned: 60 },
        {
          $group: { _id: '$a', n: { $sum: 1 }, all: { $push: '$b' } },
          maxAccumulatorMemoryUsageBytes: { n: expect.any(Number), all: expect.any(Number) },
          totalOutputDataSizeBytes: expect.any(Number),
          ...notSpilled,
          numBytesSpilledEstimate: 0,
          spilledRecords: 0,
          nReturned: 10,
        },
        {
          $sort: { sortKey: { n: -1 }, limit: 2 },
          totalDataSizeSortedBytesEstimate: expect.any(Number),
          ...notSpilled,
          nReturned: 2,
        },
      ],
    ],
    [
      '$lookup by an index, with its $unwind',
      [
        { $match: { z: 7 } },
        { $lookup: { from: 'things', localField: 'a', foreignField: 'q.r', as: 'o' } },
        { $lookup: { from: 'things', localField: 'z', foreignField: 'a', as: 'j' } },
        { $unwind: { path: '$j', includeArrayIndex: 'at' } },
        { $project: { _id: 0 } },
      ],
      [
        { nReturned: 1 },
        // No document has 7 there: the index is asked, and nothing is read.
        {
          $lookup: { from: 'things' },
          totalDocsExamined: 0,
          totalKeysExamined: 0,
          collectionScans: 0,
          indexesUsed: ['q.r_1'],
          nReturned: 1,
        },
        {
          $lookup: { as: 'j', unwinding: { preserveNullAndEmptyArrays: false, includeArrayIndex: 'at' } },
          totalDocsExamined: 10,
          totalKeysExamined: 10,
          collectionScans: 0,
          indexesUsed: ['a_1_b_-1'],
          nReturned: 10,
        },
        { $project: { _id: 0 }, nReturned: 10 },
      ],
    ],
    [
      '$lookup without one, and stages that cut',
      [
        { $lookup: { from: 'things', localField: 'a', foreignField: 'z', as: 'j' } },
        { $unset: 'j' },
        { $match: { $expr: { $gt: ['$b', 49] } } },
        { $sortByCount: '$a' },
      ],
      [
        { nReturned: 50 },
        { totalDocsExamined: 100, totalKeysExamined: 0, collectionScans: 1, indexesUsed: [], nReturned: 50 },
        { $unset: 'j', nReturned: 50 },
        { $sortByCount: '$a', nReturned: 10 },
      ],
    ],
    [
      '$setWindowFields and $bucketAuto',
      [
        {
          $setWindowFields: { partitionBy: '$a', sortBy: { b: 1 }, output: { r: { $rank: {} }, all: { $push: '$z' } } },
        },
        { $bucketAuto: { groupBy: '$r', buckets: 2 } },
      ],
      [
        { nReturned: 100 },
        {
          // The ten numbers of a partition, each with about what a field takes.
          maxFunctionMemoryUsageBytes: { r: 0, all: 120 },
          maxTotalMemoryUsageBytes: expect.any(Number),
          ...notSpilled,
          nReturned: 100,
        },
        { ...notSpilled, nReturned: 2 },
      ],
    ],
    [
      'a $group by a scan of distinct values',
      [{ $group: { _id: '$a' } }, { $count: 'n' }],
      [{ nReturned: 10 }, { $groupByDistinctScan: { newRoot: { _id: '$a' } }, nReturned: 10 }, { nReturned: 1 }],
    ],
  ])('%s', async (_, pipeline, expected) => {
    const shown = await ran(pipeline);
    expect(shown).toHaveLength(expected.length);
    expect(shown).toMatchObject(expected);
  });

  test('also where there is no collection', async () => {
    const shown = await ran([{ $unionWith: 'things' }, { $count: 'n' }], 'none');
    expect(shown).toMatchObject([{ nReturned: 0 }, { nReturned: 100 }, { $count: 'n', nReturned: 1 }]);
    expect(await ran([{ $documents: [{ a: 1 }, { a: 2 }] }, { $match: { a: 2 } }], 1)).toMatchObject([
      { nReturned: 2 },
      { $match: { a: 2 }, nReturned: 1 },
    ]);
  });

  test('and writes nothing', async () => {
    for (const last of [{ $out: 'written' }, { $merge: 'written' }]) {
      const shown = await ran([{ $match: { a: 1 } }, last]);
      expect(shown).toMatchObject([{ nReturned: 10 }, { ...last, nReturned: 0 }]);
    }
    expect(await db.listCollections({ name: 'written' }).toArray()).toEqual([]);
  });

  test('and its stages are checked', async () => {
    const broken = explain({ aggregate: 'things', pipeline: [{ $group: { a: 1 } }], cursor: {} });
    await expect(broken).rejects.toMatchObject({ code: 40234 });
  });

  test('the plan alone has nothing of it', async () => {
    const shown = await explain({
      aggregate: 'things',
      pipeline: [{ $sort: { z: 1 } }, { $group: { _id: '$s' } }],
      cursor: {},
    });
    expect(shown.stages[1]).toEqual({ $group: { _id: '$s' } });
  });
});

test('a sort in memory tells what it sorted', async () => {
  const { executionStats } = await explain({ find: 'things', sort: { z: 1 } }, 'executionStats');
  expect(executionStats.executionStages).toMatchObject({
    isCached: false,
    stage: 'SORT',
    totalDataSizeSorted: expect.any(Number),
    ...notSpilled,
  });
  expect(executionStats.executionStages.totalDataSizeSorted).toBeGreaterThan(5000);
});

test('a plan says what it is', async () => {
  const { queryPlanner, serverInfo } = await explain({ find: 'things', filter: { a: { $gt: 1 }, z: 3, tags: 2 } });
  expect(queryPlanner).toMatchObject({
    namespace: 'explained.things',
    parsedQuery: { $and: [{ tags: { $eq: 2 } }, { z: { $eq: 3 } }, { a: { $gt: 1 } }] },
    indexFilterSet: false,
    planCacheKey: expect.stringMatching(/^[0-9A-F]{8}$/),
    winningPlan: {
      isCached: false,
      stage: 'FETCH',
      filter: { $and: [{ tags: { $eq: 2 } }, { z: { $eq: 3 } }, { a: { $gt: 1 } }] },
      inputStage: {
        stage: 'IXSCAN',
        keyPattern: { tags: 1 },
        indexName: 'tags_1',
        isMultiKey: true,
        multiKeyPaths: { tags: ['tags'] },
        isUnique: false,
        isSparse: false,
        isPartial: false,
        indexVersion: 2,
        direction: 'forward',
        indexBounds: { tags: ['[2, 2]'] },
      },
    },
    rejectedPlans: [{ inputStage: { indexName: 'a_1_b_-1' } }],
  });
  expect(serverInfo).toMatchObject({ version: expect.any(String) });
});

test.each<[string, Document, Document]>([
  [
    'a find',
    { find: 'things', filter: { a: 5, z: { $gt: 50 } } },
    { nReturned: 5, totalKeysExamined: 10, totalDocsExamined: 10 },
  ],
  [
    'a value behind a range',
    { find: 'things', filter: { a: { $gte: 3, $lte: 4 }, b: 53 } },
    // The one, the next, the first of 4, and the next behind the place where 53 would be.
    { nReturned: 1, totalKeysExamined: 4, totalDocsExamined: 1 },
  ],
  [
    'a projection that the index covers',
    { find: 'things', filter: { a: 5 }, projection: { _id: 0, b: 1, a: true } },
    {
      nReturned: 10,
      totalKeysExamined: 10,
      totalDocsExamined: 0,
      executionStages: {
        stage: 'PROJECTION_COVERED',
        transformBy: { _id: 0, b: 1, a: true },
        inputStage: { stage: 'IXSCAN', nReturned: 10 },
      },
    },
  ],
  [
    'a dotted projection that the index covers',
    { find: 'things', filter: { 'q.r': 2 }, projection: { _id: 0, 'q.r': 1 } },
    { nReturned: 25, totalDocsExamined: 0, executionStages: { stage: 'PROJECTION_COVERED' } },
  ],
  [
    'a path that a wildcard index covers',
    { find: 'things', filter: { 'w.x': { $lt: 5 } }, projection: { _id: 0, 'w.x': 1 } },
    {
      nReturned: 5,
      totalDocsExamined: 0,
      executionStages: { stage: 'PROJECTION_COVERED', inputStage: { keyPattern: { $_path: 1, 'w.x': 1 } } },
    },
  ],
  [
    'a document that a wildcard index takes apart',
    { find: 'things', filter: { w: { $exists: true } }, projection: { _id: 0, w: 1 }, hint: 'w.$**_1' },
    { nReturned: 100, totalDocsExamined: 100 },
  ],
  [
    'a field beside arrays in an index',
    { find: 'arrays', filter: { n: 1 }, projection: { _id: 0, n: 1 } },
    {
      nReturned: 10,
      totalKeysExamined: 20,
      totalDocsExamined: 0,
      executionStages: { stage: 'PROJECTION_COVERED', inputStage: { isMultiKey: true, multiKeyPaths: { n: [] } } },
    },
  ],
  [
    'arrays beside it',
    { find: 'arrays', filter: { n: 1 }, projection: { _id: 0, n: 1, tags: 1 } },
    { nReturned: 10, totalDocsExamined: 10 },
  ],
  [
    'arrays that it is found by',
    { find: 'arrays', filter: { n: 1, tags: 5 }, projection: { _id: 0, n: 1 } },
    { nReturned: 1, totalKeysExamined: 1, totalDocsExamined: 1 },
  ],
  [
    'a count beside arrays',
    { count: 'arrays', query: { n: 1 } },
    { totalKeysExamined: 20, totalDocsExamined: 0, executionStages: { inputStage: { stage: 'COUNT_SCAN' } } },
  ],
  [
    'distinct values beside arrays',
    { distinct: 'arrays', key: 'n' },
    { nReturned: 2, totalKeysExamined: 2, totalDocsExamined: 0 },
  ],
  [
    'one of a document whose field is indexed',
    { find: 'things', filter: { 'q.r': 2 }, projection: { _id: 0, q: 1 } },
    { nReturned: 25, totalDocsExamined: 25 },
  ],
  [
    'distinct values of a dotted path',
    { distinct: 'things', key: 'q.r' },
    { totalKeysExamined: 4, totalDocsExamined: 0, executionStages: { inputStage: { stage: 'DISTINCT_SCAN' } } },
  ],
  [
    'one that asks for _id as well',
    { find: 'things', filter: { a: 5 }, projection: { a: 1 } },
    { totalDocsExamined: 10 },
  ],
  [
    'one of an index that holds arrays',
    { find: 'things', filter: { tags: 50 }, projection: { _id: 0, tags: 1 } },
    { nReturned: 1, totalDocsExamined: 1 },
  ],
  [
    'distinct values',
    { distinct: 'things', key: 'a' },
    {
      totalKeysExamined: 10,
      totalDocsExamined: 0,
      executionStages: {
        stage: 'PROJECTION_COVERED',
        inputStage: { stage: 'DISTINCT_SCAN', indexName: 'a_1_b_-1', keysExamined: 10 },
      },
    },
  ],
  [
    'distinct values within bounds',
    { distinct: 'things', key: 'b', query: { a: 3, b: { $gt: 50 } } },
    { totalKeysExamined: 5, totalDocsExamined: 0, executionStages: { inputStage: { stage: 'DISTINCT_SCAN' } } },
  ],
  ['distinct values of arrays', { distinct: 'things', key: 'tags' }, { totalDocsExamined: 100 }],
  ['a limit', { find: 'things', sort: { a: 1 }, limit: 3 }, { nReturned: 3 }],
  ['a count', { count: 'things', query: { a: 5 } }, { nReturned: 10, totalKeysExamined: 10, totalDocsExamined: 0 }],
  [
    'an update',
    { update: 'things', updates: [{ q: { a: 5 }, u: { $set: { z: 5 } }, multi: true }] },
    { executionStages: { stage: 'UPDATE', nMatched: 10, nWouldModify: 9 } },
  ],
  [
    'a delete',
    { delete: 'things', deletes: [{ q: { a: 5 }, limit: 1 }] },
    { executionStages: { stage: 'DELETE', nWouldDelete: 1 } },
  ],
  [
    'an upsert',
    { update: 'things', updates: [{ q: { a: 77 }, u: { $set: { z: 5 } }, upsert: true }] },
    { executionStages: { nMatched: 0, nWouldUpsert: 1 } },
  ],
])('%s tells what it took, and changes nothing', async (_, command, expected) => {
  const { executionStats, discord } = await explain(command, 'executionStats');
  expect(executionStats).toMatchObject({ executionSuccess: true, ...expected });
  expect(discord.requests).toMatchObject({ pages: 0, appends: 0 });
  expect(await things.countDocuments({ z: 5 })).toBe(1);
});

test('the stages tell what each did', async () => {
  const { executionStats } = await explain({ find: 'things', filter: { tags: { $in: [0, 6] } } }, 'allPlansExecution');
  expect(executionStats).toMatchObject({
    nReturned: 34,
    allPlansExecution: [],
    executionStages: {
      stage: 'FETCH',
      nReturned: 34,
      docsExamined: 34,
      inputStage: {
        stage: 'IXSCAN',
        nReturned: 34,
        keysExamined: 35,
        dupsTested: 35,
        dupsDropped: 1,
        seeks: 2,
        isEOF: 1,
      },
    },
  });
});

describe('one lookup, without a plan', () => {
  const express = (indexName: string, keyPattern: string) => ({
    isCached: false,
    stage: 'EXPRESS_IXSCAN',
    keyPattern,
    indexName,
  });

  test.each<[Document, Document, string, string]>([
    [{ _id: 5 }, {}, '_id_', '{ _id: 1 }'],
    [{ _id: 5 }, { sort: { z: 1 }, projection: { z: 1, _id: 0 } }, '_id_', '{ _id: 1 }'],
    [{ _id: { $eq: 5 } }, {}, '_id_', '{ _id: 1 }'],
    [{ u: 5 }, {}, 'u_1', '{ u: 1 }'],
    [{ a: 5 }, { limit: 1 }, 'a_1_b_-1', '{ a: 1, b: -1 }'],
    [{ p: 8 }, { limit: 1 }, 'p_1', '{ p: 1 }'],
    [{ tags: 5 }, { limit: 1 }, 'tags_1', '{ tags: 1 }'],
    [{ 'q.r': 2 }, { limit: 1 }, 'q.r_1', '{ q.r: 1 }'],
  ])('%j with %j', async (filter, more, name, key) => {
    expect(await find(filter, more)).toEqual(express(name, key));
  });

  test.each<[Document, Document]>([
    [{ p: 3 }, { limit: 1 }],
    [{ h: 3 }, { limit: 1 }],
    [{ 'w.x': 3 }, { limit: 1 }],
    [{ a: 5 }, { limit: 1, hint: { a: 1, b: -1 } }],
    [{ u: 5 }, { projection: { u: 1 } }],
    [{ a: 5 }, { limit: 2 }],
    [{ tags: [1] }, { limit: 1 }],
    [{ _id: { $gt: 5 } }, { limit: 1 }],
    [{ _id: 'x' }, { collation: { locale: 'en' } }],
  ])('not for %j with %j', async (filter, more) => {
    expect(stages(await find(filter, more)).join()).not.toContain('EXPRESS');
  });

  test('it tells what was looked at, in one piece', async () => {
    const { queryPlanner, executionStats } = await explain({ find: 'things', filter: { _id: 5 } }, 'executionStats');
    expect(queryPlanner.rejectedPlans).toEqual([]);
    expect(executionStats).toMatchObject({ nReturned: 1, totalKeysExamined: 1, totalDocsExamined: 1 });
    expect(executionStats.executionStages).toEqual({
      ...express('_id_', '{ _id: 1 }'),
      keysExamined: 1,
      docsExamined: 1,
      nReturned: 1,
    });
    const one = await explain({ find: 'things', filter: { a: 5 }, limit: 1 }, 'executionStats');
    expect(one.executionStats).toMatchObject({ nReturned: 1, totalKeysExamined: 1, totalDocsExamined: 1 });
  });

  test('pipelines begin with it too, and clustered collections have one of their own', async () => {
    const pipeline = [{ $match: { _id: 5 } }, { $group: { _id: '$a', n: { $sum: 1 } } }];
    const piped = await explain({ aggregate: 'things', pipeline, cursor: {} });
    expect(JSON.stringify(piped)).toContain('"stage":"EXPRESS_IXSCAN"');
    await db.createCollection('clustered', { clusteredIndex: { key: { _id: 1 }, unique: true } });
    await db.collection('clustered').insertOne({});
    expect(await plan({ find: 'clustered', filter: { _id: 5 } })).toEqual({
      isCached: false,
      stage: 'EXPRESS_CLUSTERED_IXSCAN',
    });
  });
});

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Db, type Document, Int32, Long } from '../support/driver.ts';
import { startServer, type TestServer } from '../support/server.ts';

/** What stages give, as a client meets it. */
let server: TestServer;
let db: Db;

interface Row extends Document {
  _id: unknown;
}

const day = (text: string) => new Date(`${text}T00:00:00Z`);
const COLLECTIONS: Record<string, Row[]> = {
  none: [],
  things: [
    { _id: 1, k: 'a', n: 5, t: ['x', 'y'] },
    { _id: 2, k: 'b', n: 7, t: [] },
    { _id: 3, k: 'a', n: 2, t: 'z' },
    { _id: 4, n: 1.5 },
  ],
  others: [
    { _id: 'a', v: 1, w: ['x'] },
    { _id: 'b', v: 2, w: ['y', 'z'] },
    { _id: 'c', v: null },
  ],
  people: [
    { _id: 1, name: 'Dev' },
    { _id: 2, name: 'Eliot', boss: 'Dev' },
    { _id: 3, name: 'Ron', boss: 'Eliot' },
    { _id: 4, name: 'Andrew', boss: 'Eliot' },
    { _id: 5, name: 'Dan', boss: 'Andrew' },
  ],
  numbers: Array.from({ length: 10 }, (_, at) => ({ _id: at, v: at * at, p: at % 2 ? 'odd' : 'even' })),
  dates: [
    { _id: 1, at: day('2024-01-31'), v: 1 },
    { _id: 2, at: day('2024-04-30') },
    { _id: 3, at: day('2024-05-31'), v: 6 },
  ],
};

beforeAll(async () => {
  server = await startServer();
  db = (await server.client()).db('stages');
  for (const [name, rows] of Object.entries(COLLECTIONS)) {
    await db.createCollection(name);
    if (rows.length > 0) await db.collection<Row>(name).insertMany(rows);
  }
});

afterAll(() => server?.close());

const without = (...names: string[]) => ({ $unset: names });

/** A `$unionWith` within others. */
function nested(depth: number): Document {
  return { $unionWith: { coll: 'others', pipeline: depth > 1 ? [nested(depth - 1)] : [] } };
}

const GIVEN: Record<string, [from: string, pipeline: Document[], result: Document[]][]> = {
  $unwind: [
    [
      'things',
      [{ $unwind: '$t' }, { $project: { t: 1 } }],
      [
        { _id: 1, t: 'x' },
        { _id: 1, t: 'y' },
        { _id: 3, t: 'z' },
      ],
    ],
    [
      'things',
      [
        { $unwind: { path: '$t', includeArrayIndex: 'i', preserveNullAndEmptyArrays: true } },
        { $project: { t: 1, i: 1 } },
      ],
      [
        { _id: 1, t: 'x', i: 0 },
        { _id: 1, t: 'y', i: 1 },
        { _id: 2, i: null },
        { _id: 3, t: 'z', i: null },
        { _id: 4, i: null },
      ],
    ],
  ],
  $lookup: [
    [
      'things',
      [{ $lookup: { from: 'others', localField: 'k', foreignField: '_id', as: 'o' } }, { $project: { o: '$o.v' } }],
      [
        { _id: 1, o: [1] },
        { _id: 2, o: [2] },
        { _id: 3, o: [1] },
        { _id: 4, o: [] },
      ],
    ],
    [
      'things',
      [{ $lookup: { from: 'others', localField: 't', foreignField: 'w', as: 'o' } }, { $project: { o: '$o._id' } }],
      [
        { _id: 1, o: ['a', 'b'] },
        { _id: 2, o: ['c'] },
        { _id: 3, o: ['b'] },
        { _id: 4, o: ['c'] },
      ],
    ],
    [
      'things',
      [
        { $match: { _id: { $lte: 2 } } },
        {
          $lookup: {
            from: 'others',
            let: { key: '$k', least: { $subtract: ['$n', 5] } },
            pipeline: [
              { $match: { $expr: { $and: [{ $eq: ['$_id', '$$key'] }, { $gte: ['$v', '$$least'] }] } } },
              { $project: { _id: 0, v: 1 } },
            ],
            as: 'o',
          },
        },
        { $project: { o: 1 } },
      ],
      [
        { _id: 1, o: [{ v: 1 }] },
        { _id: 2, o: [{ v: 2 }] },
      ],
    ],
    [
      'things',
      [
        { $limit: 1 },
        {
          $lookup: {
            from: 'others',
            localField: 'k',
            foreignField: '_id',
            let: { n: '$n' },
            pipeline: [{ $set: { n: '$$n' } }],
            as: 'o',
          },
        },
        { $unwind: '$o' },
        { $replaceWith: '$o' },
      ],
      [{ _id: 'a', v: 1, w: ['x'], n: 5 }],
    ],
    [
      'things',
      [
        { $limit: 1 },
        {
          $lookup: {
            localField: 'k',
            foreignField: 'q',
            pipeline: [{ $documents: [{ q: 'a' }, { q: 'b' }] }],
            as: 'o',
          },
        },
        { $project: { o: 1 } },
      ],
      [{ _id: 1, o: [{ q: 'a' }] }],
    ],
    [
      'things',
      [{ $lookup: { from: 'others', pipeline: [{ $count: 'n' }], as: 'o.p' } }, { $limit: 1 }, { $project: { o: 1 } }],
      [{ _id: 1, o: { p: [{ n: 3 }] } }],
    ],
    [
      'things',
      [
        { $limit: 1 },
        { $lookup: { from: 'absent', localField: 'k', foreignField: 'x', as: 'o' } },
        { $project: { o: 1 } },
      ],
      [{ _id: 1, o: [] }],
    ],
  ],
  $graphLookup: [
    [
      'people',
      [
        { $match: { name: 'Dan' } },
        {
          $graphLookup: {
            from: 'people',
            startWith: '$boss',
            connectFromField: 'boss',
            connectToField: 'name',
            as: 'up',
            depthField: 'd',
          },
        },
        { $project: { up: { $sortArray: { input: '$up', sortBy: { d: 1 } } } } },
        { $project: { up: { $map: { input: '$up', in: ['$$this.name', '$$this.d'] } } } },
      ],
      [
        {
          _id: 5,
          up: [
            ['Andrew', 0],
            ['Eliot', 1],
            ['Dev', 2],
          ],
        },
      ],
    ],
    [
      'people',
      [
        { $match: { name: 'Dan' } },
        {
          $graphLookup: {
            from: 'people',
            startWith: '$boss',
            connectFromField: 'boss',
            connectToField: 'name',
            as: 'up',
            maxDepth: 1,
            restrictSearchWithMatch: { name: { $ne: 'Dev' } },
          },
        },
        { $project: { up: { $size: '$up' } } },
      ],
      [{ _id: 5, up: 2 }],
    ],
  ],
  $unionWith: [
    [
      'none',
      [{ $unionWith: 'others' }, { $sort: { _id: -1 } }, { $project: { _id: 1 } }],
      [{ _id: 'c' }, { _id: 'b' }, { _id: 'a' }],
    ],
    [
      'others',
      [
        { $project: { _id: 1 } },
        { $limit: 1 },
        {
          $unionWith: {
            pipeline: [
              { $documents: [{ _id: 'z' }] },
              { $unionWith: { coll: 'others', pipeline: [{ $match: { v: 2 } }] } },
            ],
          },
        },
        { $project: { _id: 1 } },
      ],
      [{ _id: 'a' }, { _id: 'z' }, { _id: 'b' }],
    ],
  ],
  $facet: [
    [
      'things',
      [
        {
          $facet: {
            all: [{ $count: 'n' }],
            none: [{ $match: { n: 99 } }],
            most: [{ $sort: { n: -1 } }, { $limit: 1 }, { $project: { n: 1 } }],
          },
        },
      ],
      [{ all: [{ n: 4 }], none: [], most: [{ _id: 2, n: 7 }] }],
    ],
    ['none', [{ $facet: { a: [] } }], [{ a: [] }]],
  ],
  $bucket: [
    [
      'numbers',
      [{ $bucket: { groupBy: '$v', boundaries: [0, 10, 50], default: 'rest' } }],
      [
        { _id: 0, count: 4 },
        { _id: 10, count: 4 },
        { _id: 'rest', count: 2 },
      ],
    ],
  ],
  $bucketAuto: [
    [
      'numbers',
      [{ $bucketAuto: { groupBy: '$v', buckets: 3 } }],
      [
        { _id: { min: 0, max: 9 }, count: 3 },
        { _id: { min: 9, max: 36 }, count: 3 },
        { _id: { min: 36, max: 81 }, count: 4 },
      ],
    ],
    [
      'numbers',
      [{ $bucketAuto: { groupBy: '$v', buckets: 3, granularity: 'R5' } }],
      [
        { _id: { min: 0, max: 6.300000000000001 }, count: 3 },
        { _id: { min: 6.300000000000001, max: 40 }, count: 4 },
        { _id: { min: 40, max: 100 }, count: 3 },
      ],
    ],
    [
      'numbers',
      [{ $bucketAuto: { groupBy: '$_id', buckets: 2, granularity: 'POWERSOF2', output: { all: { $push: '$p' } } } }],
      [
        { _id: { min: 0, max: 8 }, all: ['even', 'odd', 'even', 'odd', 'even', 'odd', 'even', 'odd'] },
        { _id: { min: 8, max: 16 }, all: ['even', 'odd'] },
      ],
    ],
  ],
  $densify: [
    [
      'things',
      [
        { $project: { _id: 0, n: { $toInt: '$_id' } } },
        { $match: { n: { $ne: 2 } } },
        { $densify: { field: 'n', range: { step: 1, bounds: 'full' } } },
      ],
      [{ n: 1 }, { n: 2 }, { n: 3 }, { n: 4 }],
    ],
    ['none', [{ $densify: { field: 'n', range: { step: 2, bounds: [0, 5] } } }], [{ n: 0 }, { n: 2 }, { n: 4 }]],
    [
      'dates',
      [{ $densify: { field: 'at', range: { step: 1, unit: 'month', bounds: 'full' } } }, without('_id', 'v')],
      ['2024-01-31', '2024-02-29', '2024-03-29', '2024-04-29', '2024-04-30', '2024-05-29', '2024-05-31'].map((at) => ({
        at: day(at),
      })),
    ],
    [
      'numbers',
      [
        { $match: { _id: { $lte: 5 } } },
        { $project: { _id: 0, p: 1, at: '$_id' } },
        { $densify: { field: 'at', partitionByFields: ['p'], range: { step: 1, bounds: 'partition' } } },
      ],
      [...[0, 1, 2, 3, 4].map((at) => ({ p: 'even', at })), ...[1, 2, 3, 4, 5].map((at) => ({ p: 'odd', at }))],
    ],
  ],
  $fill: [
    [
      'dates',
      [{ $fill: { output: { v: { value: 0 } } } }, without('at')],
      [
        { _id: 1, v: 1 },
        { _id: 2, v: 0 },
        { _id: 3, v: 6 },
      ],
    ],
    [
      'dates',
      [{ $fill: { sortBy: { at: 1 }, output: { v: { method: 'locf' } } } }, without('at')],
      [
        { _id: 1, v: 1 },
        { _id: 2, v: 1 },
        { _id: 3, v: 6 },
      ],
    ],
    [
      'dates',
      [{ $fill: { sortBy: { _id: 1 }, output: { v: { method: 'linear' } } } }, without('at')],
      [
        { _id: 1, v: 1 },
        { _id: 2, v: 3.5 },
        { _id: 3, v: 6 },
      ],
    ],
  ],
  '$densify and $fill, in the order of MongoDB': [
    [
      'none',
      [
        { $unionWith: { pipeline: [{ $documents: [{ p: 1, v: 1 }, { p: 2, v: 3 }, { p: 1, v: 4.5 }, { p: null }] }] } },
        { $densify: { field: 'v', partitionByFields: ['p'], range: { step: 1, bounds: 'full' } } },
      ],
      [
        { p: null },
        { p: 1, v: 1 },
        ...[1, 2, 3].map((v) => ({ p: 2, v })),
        ...[2, 3, 4, 4.5].map((v) => ({ p: 1, v })),
        { p: 2, v: 4 },
      ],
    ],
    [
      'none',
      [
        {
          $unionWith: {
            pipeline: [
              {
                $documents: [
                  { p: 2, v: 7 },
                  { p: 1, v: 1.5 },
                ],
              },
            ],
          },
        },
        { $densify: { field: 'v', partitionByFields: ['p'], range: { step: 1, bounds: [0, 3] } } },
      ],
      [{ p: 1, v: 0 }, { p: 1, v: 1 }, { p: 1, v: 1.5 }, ...[0, 1, 2, 7].map((v) => ({ p: 2, v })), { p: 1, v: 2 }],
    ],
    [
      'numbers',
      [
        { $match: { _id: { $lt: 4 } } },
        { $unset: ['v'] },
        { $fill: { sortBy: { _id: -1 }, partitionBy: '$p', output: { v: { value: { $add: ['$_id', 1] } } } } },
      ],
      [0, 1, 2, 3].map((_id) => ({ _id, p: _id % 2 ? 'odd' : 'even', v: _id + 1 })),
    ],
    [
      'numbers',
      [
        { $match: { _id: { $lt: 4 } } },
        { $unset: ['v'] },
        { $fill: { sortBy: { _id: -1 }, partitionBy: '$p', output: { v: { method: 'locf' } } } },
      ],
      [2, 0, 3, 1].map((_id) => ({ _id, p: _id % 2 ? 'odd' : 'even', v: null })),
    ],
  ],
  'null for what may be left out': [
    [
      'others',
      [{ $setWindowFields: { sortBy: null, output: { n: { $sum: 1 } } } }, { $project: { n: 1 } }],
      ['a', 'b', 'c'].map((_id) => ({ _id, n: 3 })),
    ],
    [
      'others',
      [
        { $densify: { field: 'v', partitionByFields: null, range: { step: 1, bounds: [1, 3], unit: null } } },
        { $fill: { sortBy: null, partitionByFields: null, output: { w: { method: null, value: 0 } } } },
        without('_id'),
      ],
      [
        { v: null, w: 0 },
        { v: 1, w: ['x'] },
        { v: 2, w: ['y', 'z'] },
      ],
    ],
  ],
  'windows of documents in no order': [
    [
      'others',
      [
        { $setWindowFields: { sortBy: {}, output: { both: { $push: '$v', window: { documents: [-1, 0] } } } } },
        { $project: { both: 1 } },
      ],
      [
        { _id: 'a', both: [1] },
        { _id: 'b', both: [1, 2] },
        { _id: 'c', both: [2, null] },
      ],
    ],
  ],
  'windows of a range': [
    [
      'none',
      [
        { $unionWith: { pipeline: [{ $documents: [{ k: 1 }, { k: 1 }, { k: 2 }, { k: 0.1 }, { k: 0.3 }] }] } },
        {
          $setWindowFields: {
            sortBy: { k: 1 },
            output: {
              on: { $push: '$k', window: { range: ['current', 1] } },
              up: { $push: '$k', window: { range: ['unbounded', 'current'] } },
              near: { $push: '$k', window: { range: [0, 0.2] } },
              before: { $push: '$k', window: { range: [-5, -1] } },
            },
          },
        },
      ],
      [
        { k: 0.1, on: [0.1, 0.3, 1, 1], up: [0.1], near: [0.1, 0.3], before: [] },
        // The double is a little less than the decimal that the window begins with.
        { k: 0.3, on: [0.3, 1, 1], up: [0.1, 0.3], near: [], before: [] },
        { k: 1, on: [1, 1, 2], up: [0.1, 0.3, 1], near: [1, 1], before: [] },
        { k: 1, on: [1, 2], up: [0.1, 0.3, 1, 1], near: [1, 1], before: [] },
        { k: 2, on: [2], up: [0.1, 0.3, 1, 1, 2], near: [2], before: [0.1, 0.3, 1, 1] },
      ],
    ],
  ],
  'accumulators that rank keep the first of equals': [
    [
      'others',
      [
        {
          $group: {
            _id: 1,
            top: { $top: { sortBy: { x: 1 }, output: '$_id' } },
            bottom: { $bottom: { sortBy: { x: 1 }, output: '$_id' } },
            topN: { $topN: { n: 2, sortBy: { x: 1 }, output: '$_id' } },
            bottomN: { $bottomN: { n: 2, sortBy: { x: 1 }, output: '$_id' } },
          },
        },
      ],
      [{ _id: 1, top: 'a', bottom: 'a', topN: ['a', 'b'], bottomN: ['a', 'b'] }],
    ],
    [
      'numbers',
      [{ $group: { _id: 1, n: { $bottomN: { n: 2, sortBy: { v: 1 }, output: '$_id' } } } }],
      [{ _id: 1, n: [8, 9] }],
    ],
  ],
  'fields of references': [
    [
      'none',
      [
        { $unionWith: { pipeline: [{ $documents: [{ a: { k: 1 } }] }] } },
        { $set: { a: { $setField: { field: { $literal: '$id' }, input: '$a', value: 7 } } } },
        { $match: { 'a.$id': 7 } },
        { $sort: { 'a.$id': 1 } },
        { $project: { 'a.$id': 1, b: '$a.$id' } },
      ],
      [{ a: { $id: 7 }, b: 7 }],
    ],
  ],
  '$bucket between constant expressions': [
    [
      'things',
      [{ $bucket: { groupBy: '$n', boundaries: [{ $add: [1, 0] }, 5], default: { $concat: ['more'] }, output: {} } }],
      [{ _id: 1 }, { _id: 'more' }],
    ],
  ],
  'pipelines within pipelines': [['none', [nested(20), { $count: 'n' }], [{ n: 60 }]]],
  $redact: [
    [
      'things',
      [
        { $match: { _id: 1 } },
        { $set: { in: [{ l: 1 }, { l: 2, x: 1 }] } },
        { $redact: { $cond: [{ $eq: ['$l', 1] }, '$$PRUNE', '$$DESCEND'] } },
        { $project: { in: 1 } },
      ],
      [{ _id: 1, in: [{ l: 2, x: 1 }] }],
    ],
  ],
  $sample: [['numbers', [{ $sample: { size: 99 } }, { $count: 'n' }], [{ n: 10 }]]],
  $sortByCount: [
    [
      'things',
      [{ $match: { k: { $exists: true } } }, { $sortByCount: '$k' }],
      [
        { _id: 'a', count: 2 },
        { _id: 'b', count: 1 },
      ],
    ],
  ],
  $count: [
    ['things', [{ $count: 'n' }], [{ n: 4 }]],
    ['none', [{ $count: 'n' }], []],
  ],
  $group: [
    ['things', [{ $group: { _id: 1, n: { $sum: 1 } } }], [{ _id: 1, n: 4 }]],
    ['none', [{ $group: { _id: null, n: { $sum: 1 } } }], []],
    ['things', [{ $group: { _id: '$k', n: { $sum: '$n' } } }, { $match: { _id: 'a' } }], [{ _id: 'a', n: 7 }]],
  ],
  $replaceRoot: [['things', [{ $limit: 1 }, { $replaceRoot: { newRoot: { a: '$n' } } }], [{ a: 5 }]]],
  $planCacheStats: [['things', [{ $planCacheStats: {} }], []]],
  '$skip and $limit': [
    ['numbers', [{ $limit: 5 }, { $skip: 2 }, { $limit: 2 }, { $project: { _id: 1 } }], [{ _id: 2 }, { _id: 3 }]],
    ['numbers', [{ $limit: 2 }, { $skip: 5 }], []],
  ],
};

describe.each(Object.entries(GIVEN))('%s gives', (_, cases) => {
  test.each(cases)('of %s by %j', async (from, pipeline, result) => {
    expect(await db.collection(from).aggregate(pipeline).toArray()).toEqual(result);
  });
});

describe('the command', () => {
  test.each([
    [
      { aggregate: 'things', pipeline: [] },
      9,
      "The 'cursor' option is required, except for aggregate with the explain argument",
    ],
    [{ aggregate: 'things', pipeline: 1, cursor: {} }, 14, "'pipeline' option must be specified as an array"],
    [{ aggregate: 'things', pipeline: [1], cursor: {} }, 14, "Each element of the 'pipeline' array must be an object"],
    [
      { aggregate: 'things', pipeline: Array(1001).fill({ $match: {} }), cursor: {} },
      7749501,
      'Pipeline length must be no longer than 1000 stages.',
    ],
    [
      { aggregate: 1, pipeline: [{ $match: {} }], cursor: {} },
      73,
      "{aggregate: 1} is not valid for '$match'; a collection is required.",
    ],
    [{ aggregate: 1, pipeline: [], cursor: {} }, 73, '{aggregate: 1} is not valid for an empty pipeline.'],
    [
      { aggregate: 'things', pipeline: [{ $documents: [] }], cursor: {} },
      73,
      "'$documents' can only be run with {aggregate: 1}",
    ],
  ] as [Document, number, string][])('%#: is refused', async (command, code, message) => {
    await expect(db.command(command)).rejects.toMatchObject({ code, message });
  });

  test('gives nothing first where batchSize is 0', async () => {
    const { cursor } = await db.command({
      aggregate: 'numbers',
      pipeline: [{ $match: { v: 4 } }],
      cursor: { batchSize: 0 },
    });
    expect(cursor.firstBatch).toEqual([]);
    const { cursor: more } = await db.command({ getMore: Long.fromValue(cursor.id), collection: 'numbers' });
    expect(more.nextBatch).toEqual([{ _id: 2, v: 4, p: 'even' }]);
  });

  test('takes let, and $documents without a collection', async () => {
    const pipeline = [{ $documents: [{ x: '$$y' }, { x: 2 }] }, { $match: { $expr: { $eq: ['$x', '$$y'] } } }];
    const { cursor } = await db.command({ aggregate: 1, pipeline, let: { y: 7 }, cursor: {} });
    expect(cursor.firstBatch).toEqual([{ x: 7 }]);
  });
});

describe('sources', () => {
  test('$collStats tells counts and sizes', async () => {
    const ask = (spec: Document) =>
      db
        .collection('things')
        .aggregate([{ $collStats: spec }])
        .next();
    const stats = await ask({ count: {}, storageStats: { scale: new Int32(1) } });
    expect(stats).toMatchObject({
      ns: 'stages.things',
      count: 4,
      storageStats: { count: 4, nindexes: 1, scaleFactor: 1, indexSizes: { _id_: expect.anything() } },
    });
    expect(Object.keys((await ask({ count: null, latencyStats: null }))!)).toEqual(['ns', 'host', 'localTime']);
    const scaled = await ask({ storageStats: { scale: Number.POSITIVE_INFINITY } });
    expect(scaled?.storageStats.scaleFactor).toBe(2 ** 31 - 1);
    await expect(
      db
        .collection('absent')
        .aggregate([{ $collStats: { count: {} } }])
        .toArray(),
    ).rejects.toMatchObject({ code: 26 });
  });

  test('$indexStats tells the indexes', async () => {
    const stats = await db
      .collection('things')
      .aggregate([{ $indexStats: {} }])
      .toArray();
    expect(stats).toMatchObject([{ name: '_id_', key: { _id: 1 }, spec: { v: 2, name: '_id_' } }]);
  });

  test('$currentOp lists what runs, itself at least', async () => {
    const admin = (await server.client()).db('admin');
    const running = await admin
      .aggregate([{ $currentOp: { localOps: true } }, { $match: { 'command.aggregate': 1 } }])
      .toArray();
    expect(running).toMatchObject([
      { type: 'op', active: true, ns: 'admin.$cmd.aggregate', command: { aggregate: 1 } },
    ]);
    await expect(admin.aggregate([{ $currentOp: { x: 1 } }]).toArray()).rejects.toMatchObject({ code: 9 });
  });

  test('$listLocalSessions and $listSessions list the session of the asking client', async () => {
    const client = await server.client();
    const session = client.startSession();
    await client.db('stages').collection('things').findOne({}, { session });
    const local = await client
      .db('stages')
      .aggregate([{ $listLocalSessions: {} }], { session })
      .toArray();
    expect(local.some(({ _id }) => _id.id.buffer.equals(session.id!.id.buffer))).toBe(true);
    const kept = await client
      .db('config')
      .collection('system.sessions')
      .aggregate([{ $listSessions: {} }], { session })
      .toArray();
    expect(kept.some(({ _id }) => _id.id.buffer.equals(session.id!.id.buffer))).toBe(true);
    await session.endSession();
  });
});

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Db, type Document, Int32, Long } from '../support/driver.ts';
import { startServer, type TestServer } from '../support/server.ts';

/** What stages give and refuse, as a client meets it. */
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

/** A `$unionWith` within others. */
function nested(depth: number): Document {
  return { $unionWith: { coll: 'others', pipeline: depth > 1 ? [nested(depth - 1)] : [] } };
}

const REFUSED: [pipeline: unknown[], code: number, message: string][] = [
  [[{ $nope: 1 }], 40324, "Unrecognized pipeline stage name: '$nope'"],
  [[{}], 40323, 'A pipeline stage specification object must contain exactly one field.'],
  [[{ $match: {}, $limit: 1 }], 40323, 'A pipeline stage specification object must contain exactly one field.'],
  [[{ $out: 'x' }, { $match: {} }], 40601, '$out can only be the final stage in the pipeline'],
  [[{ $match: {} }, { $collStats: {} }], 40602, '$collStats is only valid as the first stage in a pipeline.'],
  [[{ $match: 1 }], 15959, 'the match filter must be an expression in an object'],
  [[{ $limit: 0 }], 15958, 'the limit must be positive'],
  [[{ $limit: -1 }], 5107201, 'invalid argument to $limit stage: Expected a non-negative number in: $limit: -1'],
  [[{ $limit: 1.5 }], 5107201, 'invalid argument to $limit stage: Expected an integer: $limit: 1.5'],
  [[{ $skip: 'x' }], 5107200, 'invalid argument to $skip stage: Expected a number in: $skip: "x"'],
  [[{ $sort: {} }], 15976, '$sort stage must have at least one sort key'],
  [[{ $count: 1 }], 40156, 'the count field must be a non-empty string'],
  [[{ $count: 'a.b' }], 40160, "the count field cannot contain '.'"],
  [[{ $unwind: '$' }], 16872, "'$' by itself is not a valid FieldPath"],
  [[{ $unwind: { path: '$a', x: 1 } }], 28811, 'unrecognized option to $unwind stage: x'],
  [[{ $sample: {} }], 28749, '$sample stage must specify a size'],
  [[{ $sample: { size: -1 } }], 28747, 'size argument to $sample must be a positive integer'],
  [[{ $bucket: {} }], 40198, "$bucket requires 'groupBy' and 'boundaries' to be specified."],
  [
    [{ $bucket: { groupBy: '$a', boundaries: [1] } }],
    40192,
    "The $bucket 'boundaries' field must have at least 2 values, but found 1 value(s).",
  ],
  [
    [{ $bucket: { groupBy: '$a', boundaries: [2, 1] } }],
    40194,
    "The 'boundaries' option to $bucket must be sorted, but elements 0 and 1 are not in ascending order (2 is not less than 1).",
  ],
  [
    [{ $bucket: { groupBy: '$a', boundaries: [1, 'x'] } }],
    40193,
    "All values in the the 'boundaries' option to $bucket must have the same type. Found conflicting types int and string.",
  ],
  [
    [{ $bucket: { groupBy: '$a', boundaries: [1, 3], default: 2 } }],
    40199,
    "The $bucket 'default' field must be less than the lowest boundary or greater than or equal to the highest boundary.",
  ],
  [
    [{ $bucket: { groupBy: 1, boundaries: [1, 3] } }],
    40202,
    "The $bucket 'groupBy' field must be defined as a $-prefixed path or an expression, but found: 1.",
  ],
  [
    [{ $bucket: { groupBy: '$a', boundaries: [1, '$n'] } }],
    40191,
    `The $bucket 'boundaries' field must be an array of constant values, but found value: "$n".`,
  ],
  [
    [{ $bucket: { groupBy: '$a', boundaries: [1, 3], default: '$n' } }],
    40195,
    `The $bucket 'default' field must be a constant expression, but found: "$n".`,
  ],
  [[{ $bucket: { x: 1, groupBy: 1 } }], 40197, 'Unrecognized option to $bucket: x.'],
  [
    [{ $bucket: { groupBy: '$n', boundaries: [100, 200] } }],
    7158303,
    'PlanExecutor error during aggregation :: caused by :: $switch could not find a matching branch for an input, and no default was specified.',
  ],
  [
    [{ $bucketAuto: { groupBy: '$a', buckets: 0 } }],
    40243,
    "The $bucketAuto 'buckets' field must be greater than 0, but found: 0",
  ],
  [
    [{ $bucketAuto: { groupBy: 'a', buckets: 1 } }],
    40239,
    `The $bucketAuto 'groupBy' field must be defined as a $-prefixed path or an expression object, but found: "a"`,
  ],
  [[{ $bucketAuto: { groupBy: '$a', buckets: 1, granularity: 'R7' } }], 40257, "Unknown rounding granularity 'R7'"],
  [[{ $densify: 1 }], 9, 'The $densify stage specification must be an object, found int'],
  [[{ $densify: { range: {} } }], 40414, "BSON field '$densify.field' is missing but a required field"],
  [
    [{ $densify: { field: 'a', range: { step: 0, bounds: 'full' } } }],
    5733401,
    'The step parameter in a range statement must be a strictly positive numeric value',
  ],
  [
    [{ $densify: { field: 'a', range: { step: 1, bounds: 'partition' } } }],
    5733408,
    "One cannot specify the bounds as 'partition' without specifying a non-empty array of partitionByFields. You may have meant to specify 'full' bounds.",
  ],
  [
    [{ $densify: { field: 'a', range: { step: 1.5, unit: 'day', bounds: 'full' } } }],
    6586400,
    'The step parameter in a range statement must be a whole number when densifying a date range',
  ],
  [
    [{ $densify: { field: 'a', range: { step: 1, bounds: [1] } } }],
    5733403,
    'A bounding array in a range statement must have exactly two elements',
  ],
  [
    [{ $fill: { output: {} } }],
    6050203,
    "The output field in '$fill' must contain an object with at least one element",
  ],
  [[{ $fill: { output: { a: { method: 'x' } } } }], 6050202, 'Method must be either locf or linear'],
  [
    [{ $fill: { output: { a: 1 } } }],
    6050200,
    'Each fill output specification must be an object with exactly one field',
  ],
  [
    [{ $fill: { output: { a: { method: 'locf', value: 1 } } } }],
    6050201,
    "Each fill output specification must have exactly one of 'method' or 'value' fields, not both",
  ],
  [
    [{ $fill: { partitionBy: 1, output: { a: { value: 1 } } } }],
    14,
    "BSON field '$fill.partitionBy' is the wrong type 'int', expected types '[string, object]'",
  ],
  [
    [{ $fill: { output: { a: { method: 'linear' } } } }],
    605001,
    '$linearFill must be specified with a top level sortBy expression with exactly one element',
  ],
  [
    [{ $setWindowFields: { output: { a: { $sum: 1 }, 'a.b': { $sum: 1 } } } }],
    6307900,
    "$setWindowFields 'output' specification contains two conflicting paths",
  ],
  [[{ $setWindowFields: { output: { a: { $first: '$n', x: 1 } } } }], 9, '$first got unexpected argument: x'],
  [[{ $setWindowFields: { output: { a: { $summ: '$n', x: 1 } } } }], 9, 'Unrecognized window function, $summ'],
  [
    [{ $fill: { partitionBy: '$a', partitionByFields: ['b'], output: { a: { value: 1 } } } }],
    6050204,
    "Maximum one of 'partitionBy' and 'partitionByFields can be specified in '$fill'",
  ],
  [[{ $facet: {} }], 40169, 'the $facet specification must be a non-empty object, but found: $facet: {}'],
  [
    [{ $facet: { 'a.b': [] } }],
    16412,
    "$facet pipeline names must follow the naming rules of field path expressions. :: caused by :: FieldPath field names may not contain '.'. Consider using $getField or $setField.",
  ],
  [
    [{ $facet: { a: [1] } }],
    40171,
    'elements of arrays in $facet spec must be non-empty objects, a argument contained an element of type int: 0: 1',
  ],
  [[{ $facet: { a: 1 } }], 40170, 'arguments to $facet must be arrays, a is type int'],
  [[{ $facet: { a: [{ $facet: { b: [] } }] } }], 40600, '$facet is not allowed to be used within a $facet stage'],
  [[{ $lookup: 1 }], 9, 'the $lookup stage specification must be an object, but found int'],
  [
    [{ $lookup: { from: 'x', as: 'y' } }],
    9,
    "$lookup requires either 'pipeline' or both 'localField' and 'foreignField' to be specified",
  ],
  [[{ $lookup: { from: 'x', localField: 'y', foreignField: 'z' } }], 9, "must specify 'as' field for a $lookup"],
  [[{ $lookup: { from: 'x', as: 'y', pipeline: 1 } }], 14, "'pipeline' option must be specified as an array"],
  [
    [{ $lookup: { from: 'x', as: 'y', pipeline: [{ $out: 'z' }] } }],
    51047,
    "$out is not allowed within a $lookup's sub-pipeline",
  ],
  [
    [{ $lookup: { from: 'x', as: 'y', pipeline: [], let: { A: 1 } } }],
    16867,
    "'A' starts with an invalid character for a user variable name",
  ],
  [
    [{ $lookup: { as: 'y', pipeline: [] } }],
    9,
    '$lookup stage without explicit collection must have a pipeline with $documents as first stage',
  ],
  [[{ $lookup: { from: '', as: 'y', localField: 'a', foreignField: 'b' } }], 73, 'invalid $lookup namespace: stages.'],
  [[{ $graphLookup: { as: 'x' } }], 9, `missing 'from' option to $graphLookup stage specification: { as: "x" }`],
  [[{ $graphLookup: { from: '.x' } }], 73, 'invalid $graphLookup namespace: stages..x'],
  [[nested(21)], 232, 'Maximum number of nested sub-pipelines exceeded. Limit is 20'],
  [
    [{ $graphLookup: { from: 'x' } }],
    40105,
    "$graphLookup requires 'from', 'as', 'startWith', 'connectFromField', and 'connectToField' to be specified.",
  ],
  [[{ $graphLookup: { from: 'x', maxDepth: -1 } }], 40101, 'maxDepth requires a nonnegative argument, found: -1'],
  [[{ $graphLookup: { from: 'x', x: 1 } }], 40104, 'Unknown argument to $graphLookup: x'],
  [[{ $unionWith: 1 }], 9, 'the $unionWith stage specification must be an object or string, but found int'],
  [[{ $unionWith: { coll: 'x', y: 1 } }], 40415, "BSON field '$unionWith.y' is an unknown field."],
  [
    [{ $unionWith: { coll: 'x', pipeline: [{ $out: 'y' }] } }],
    31441,
    "$out is not allowed within a $unionWith's sub-pipeline",
  ],
  [[{ $replaceRoot: {} }], 40231, 'no newRoot specified for the $replaceRoot stage'],
  [[{ $collStats: 1 }], 40166, '$collStats must take a nested object but found: $collStats: 1'],
  [[{ $collStats: { x: 1 } }], 40415, "BSON field '$collStats.x' is an unknown field."],
  [[{ $indexStats: 1 }], 28803, 'The $indexStats stage specification must be an empty object'],
  [[{ $currentOp: {} }], 73, "$currentOp must be run against the 'admin' database with {aggregate: 1}"],
];

test.each(REFUSED)('%j is refused', async (pipeline, code, message) => {
  const failing = db
    .collection('things')
    .aggregate(pipeline as Document[])
    .toArray();
  await expect(failing).rejects.toMatchObject({ code, message });
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
    const [stats] = await db
      .collection('things')
      .aggregate([{ $collStats: { count: {}, storageStats: { scale: new Int32(1) } } }])
      .toArray();
    expect(stats).toMatchObject({
      ns: 'stages.things',
      count: 4,
      storageStats: { count: 4, nindexes: 1, scaleFactor: 1, indexSizes: { _id_: expect.anything() } },
    });
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

import { describe, expect, test } from 'vitest';
import { Decimal128, type Doc, doc } from '../../../src/bson/index.ts';
import { checkPipeline, DEFAULT_LIMITS, runPipeline } from '../../../src/query/index.ts';
import { expectCoded, pipelineContext, show } from './support.ts';

async function* stream(documents: object[]): AsyncGenerator<Doc[]> {
  for (const document of documents) yield [doc(document)];
}

const stagesOf = (stages: object[]) => stages.map((stage) => doc(stage));
const shown = (documents: object[]) => documents.map((item) => show(doc(item)));

async function run(stages: object[], documents: object[], collections?: Record<string, object[]>): Promise<string[]> {
  const result: string[] = [];
  for await (const batch of runPipeline(stagesOf(stages), stream(documents), pipelineContext(collections))) {
    result.push(...batch.map(show));
  }
  return result;
}

const decimal = (text: string) => Decimal128.fromString(text);
const double = (field: string, value: number): Doc => new Map([[field, value]]);
const SALES = [
  { _id: 1, k: 'a', n: 5, t: ['x', 'y'] },
  { _id: 2, k: 'b', n: 7n, t: ['y'] },
  { _id: 3, k: 'a', n: 2, t: [] },
  { _id: 4, n: 1.5 },
];

const CASES: [
  name: string,
  stages: object[],
  result: object[],
  documents?: object[] | undefined,
  collections?: Record<string, object[]>,
][] = [
  ['nothing', [], SALES],
  [
    '$match and $sort',
    [{ $match: { k: 'a' } }, { $sort: { n: 1 } }, { $project: { n: 1 } }],
    [
      { _id: 3, n: 2 },
      { _id: 1, n: 5 },
    ],
  ],
  ['$skip and $limit', [{ $skip: 1 }, { $limit: 2 }, { $project: { _id: 1 } }], [{ _id: 2 }, { _id: 3 }]],
  [
    '$project that computes',
    [{ $limit: 1 }, { $project: { _id: 0, m: { $add: ['$n', 1] }, 'q.r': '$k' } }],
    [{ m: 6, q: { r: 'a' } }],
  ],
  [
    '$addFields in place and at the end',
    [{ $limit: 1 }, { $addFields: { k: 'z', 'o.p': { $size: '$t' } } }, { $unset: 't' }],
    [{ _id: 1, k: 'z', n: 5, o: { p: 2 } }],
  ],
  ['$set through arrays', [{ $set: { 'a.b': 9 } }], [{ a: [{ x: 1, b: 9 }, { b: 9 }] }], [{ a: [{ x: 1 }, 5] }]],
  ['$set of a document merges', [{ $set: { a: { b: 2 } } }], [{ a: { x: 1, b: 2 } }], [{ a: { x: 1 } }]],
  ['$set to $$REMOVE', [{ $set: { a: '$$REMOVE' } }], [{ b: 1 }], [{ a: 1, b: 1 }]],
  ['$count', [{ $match: { n: { $gt: 1.9 } } }, { $count: 'c' }], [{ c: 3 }]],
  ['$count of nothing', [{ $match: { n: 99 } }, { $count: 'c' }], []],
  [
    '$group keeps number types',
    [{ $group: { _id: '$k', s: { $sum: '$n' }, c: { $sum: 1 }, x: { $max: '$n' } } }, { $sort: { _id: 1 } }],
    [
      { _id: null, s: 1.5, c: 1, x: 1.5 },
      { _id: 'a', s: 7, c: 2, x: 5 },
      { _id: 'b', s: 7n, c: 1, x: 7n },
    ],
  ],
  [
    '$group with every accumulator',
    [
      {
        $group: {
          _id: null,
          f: { $first: '$k' },
          l: { $last: '$k' },
          p: { $push: '$k' },
          u: { $addToSet: '$k' },
          n: { $count: {} },
          m: { $min: '$n' },
          a: { $avg: '$_id' },
          fn: { $firstN: { input: '$_id', n: 2 } },
          t: { $top: { sortBy: { n: -1 }, output: '$_id' } },
          b: { $bottomN: { sortBy: { n: -1 }, output: '$_id', n: 2 } },
          md: { $median: { input: '$_id', method: 'approximate' } },
        },
      },
      { $unset: 'md' },
    ],
    [
      {
        _id: null,
        f: 'a',
        l: null,
        p: ['a', 'b', 'a'],
        u: ['a', 'b'],
        n: 4,
        m: 1.5,
        a: 2.5,
        fn: [1, 2],
        t: 2,
        b: [3, 4],
      },
    ],
  ],
  [
    '$group by a document, numbers by value',
    [{ $group: { _id: { v: '$v' }, c: { $sum: 1 } } }],
    [
      { _id: { v: 1 }, c: 3 },
      { _id: {}, c: 1 },
    ],
    [{ v: 1 }, { v: 1n }, { v: decimal('1.0') }, {}],
  ],
  [
    '$sum of int32 beyond its range',
    [{ $group: { _id: 1, s: { $sum: '$v' } } }],
    [{ _id: 1, s: 2147483648n }],
    [{ v: 2147483647 }, { v: 1 }],
  ],
  [
    '$sum of decimals',
    [{ $group: { _id: 1, s: { $sum: '$v' } } }],
    [{ _id: 1, s: decimal('0.3') }],
    [{ v: decimal('0.1') }, { v: decimal('0.2') }],
  ],
  [
    '$sum of doubles without drift',
    [{ $group: { _id: 1, s: { $sum: '$v' } } }],
    [{ _id: 1, s: 0.5 }],
    [{ v: 1e16 }, { v: 0.5 }, { v: -1e16 }],
  ],
  [
    '$unwind',
    [{ $unwind: '$t' }, { $project: { t: 1 } }],
    [
      { _id: 1, t: 'x' },
      { _id: 1, t: 'y' },
      { _id: 2, t: 'y' },
    ],
  ],
  [
    '$unwind that preserves',
    [
      { $match: { _id: { $gte: 2 } } },
      { $unwind: { path: '$t', preserveNullAndEmptyArrays: true, includeArrayIndex: 'i' } },
      { $project: { t: 1, i: 1 } },
    ],
    [
      { _id: 2, t: 'y', i: 0n },
      { _id: 3, i: null },
      { _id: 4, i: null },
    ],
  ],
  ['$unwind of no array', [{ $unwind: '$a.b' }], [{ a: { b: 5 } }], [{ a: { b: 5 } }, { a: 1 }, {}]],
  ['$replaceRoot', [{ $replaceRoot: { newRoot: { i: '$_id' } } }, { $limit: 1 }], [{ i: 1 }]],
  [
    '$replaceWith',
    [{ $match: { _id: 4 } }, { $replaceWith: { $mergeObjects: [{ d: 0 }, '$$ROOT'] } }],
    [{ d: 0, _id: 4, n: 1.5 }],
  ],
  ['$sample', [{ $sample: { size: 2 } }, { $count: 'c' }], [{ c: 2 }]],
  [
    '$sortByCount',
    [{ $unwind: '$t' }, { $sortByCount: '$t' }],
    [
      { _id: 'y', count: 2 },
      { _id: 'x', count: 1 },
    ],
  ],
  [
    '$bucket',
    [{ $bucket: { groupBy: '$n', boundaries: [0, 3, 6], default: 'rest' } }],
    [
      { _id: 0, count: 2 },
      { _id: 3, count: 1 },
      { _id: 'rest', count: 1 },
    ],
  ],
  [
    '$bucketAuto',
    [{ $bucketAuto: { groupBy: '$v', buckets: 2 } }],
    [
      { _id: { min: 1, max: 3 }, count: 2 },
      { _id: { min: 3, max: 4 }, count: 2 },
    ],
    [{ v: 4 }, { v: 1 }, { v: 3 }, { v: 2 }],
  ],
  [
    '$facet',
    [{ $facet: { a: [{ $count: 'c' }], b: [{ $match: { k: 'b' } }, { $project: { _id: 1 } }] } }],
    [{ a: [{ c: 4 }], b: [{ _id: 2 }] }],
  ],
  [
    '$lookup by fields',
    [{ $lookup: { from: 'o', localField: 'k', foreignField: 'key', as: 'o' } }, { $project: { o: 1 } }],
    [
      {
        _id: 1,
        o: [
          { key: 'a', v: 1 },
          { key: ['c', 'a'], v: 2 },
        ],
      },
      { _id: 2, o: [] },
      {
        _id: 3,
        o: [
          { key: 'a', v: 1 },
          { key: ['c', 'a'], v: 2 },
        ],
      },
      { _id: 4, o: [{ v: 3 }] },
    ],
    undefined,
    { o: [{ key: 'a', v: 1 }, { key: ['c', 'a'], v: 2 }, { v: 3 }] },
  ],
  [
    '$lookup by pipeline',
    [
      { $limit: 1 },
      {
        $lookup: { from: 'o', let: { n: '$n' }, pipeline: [{ $match: { $expr: { $gt: ['$v', '$$n'] } } }], as: 'o.p' },
      },
      { $project: { o: 1 } },
    ],
    [{ _id: 1, o: { p: [{ v: 6 }] } }],
    undefined,
    { o: [{ v: 1 }, { v: 6 }] },
  ],
  [
    '$lookup from a local array',
    [{ $lookup: { from: 'o', localField: 'ids', foreignField: '_id', as: 'o' } }],
    [{ ids: [2, 1], o: [{ _id: 1 }, { _id: 2 }] }],
    [{ ids: [2, 1] }],
    { o: [{ _id: 1 }, { _id: 2 }, { _id: 3 }] },
  ],
  [
    '$graphLookup',
    [
      { $limit: 1 },
      {
        $graphLookup: {
          from: 'g',
          startWith: '$k',
          connectFromField: 'next',
          connectToField: 'name',
          as: 'g',
          depthField: 'd',
          maxDepth: 1,
        },
      },
      { $project: { g: 1 } },
    ],
    [
      {
        _id: 1,
        g: [
          { _id: 1, name: 'a', next: 'b', d: 0n },
          { _id: 2, name: 'b', next: 'a', d: 1n },
        ],
      },
    ],
    undefined,
    {
      g: [
        { _id: 1, name: 'a', next: 'b' },
        { _id: 2, name: 'b', next: 'a' },
      ],
    },
  ],
  [
    '$unionWith',
    [{ $project: { _id: 1 } }, { $limit: 1 }, { $unionWith: { coll: 'o', pipeline: [{ $match: { v: 2 } }] } }],
    [{ _id: 1 }, { v: 2 }],
    undefined,
    { o: [{ v: 1 }, { v: 2 }] },
  ],
  [
    '$redact',
    [{ $redact: { $cond: [{ $eq: ['$l', 'secret'] }, '$$PRUNE', '$$DESCEND'] } }],
    [{ a: 1, b: [{ y: 2 }] }],
    [{ a: 1, x: { l: 'secret' }, b: [{ l: 'secret' }, { y: 2 }] }],
  ],
  [
    '$setWindowFields',
    [
      {
        $setWindowFields: {
          partitionBy: '$k',
          sortBy: { v: 1 },
          output: {
            run: { $sum: '$v', window: { documents: ['unbounded', 'current'] } },
            near: { $sum: 1, window: { range: [-1, 1] } },
            rank: { $rank: {} },
            dense: { $denseRank: {} },
            no: { $documentNumber: {} },
            prev: { $shift: { output: '$v', by: -1, default: 0 } },
          },
        },
      },
    ],
    [
      { k: 'a', v: 1, run: 1, near: 2, rank: 1, dense: 1, no: 1, prev: 0 },
      { k: 'a', v: 1, run: 2, near: 2, rank: 1, dense: 1, no: 2, prev: 1 },
      { k: 'a', v: 5, run: 7, near: 1, rank: 3, dense: 2, no: 3, prev: 1 },
      { k: 'b', v: 2, run: 2, near: 1, rank: 1, dense: 1, no: 1, prev: 0 },
    ],
    [
      { k: 'a', v: 5 },
      { k: 'b', v: 2 },
      { k: 'a', v: 1 },
      { k: 'a', v: 1 },
    ],
  ],
  [
    '$densify',
    [{ $densify: { field: 'v', range: { step: 1, bounds: 'full' } } }],
    [{ v: 1 }, { v: 2 }, { v: 3 }, { v: 4, x: 1 }],
    [{ v: 4, x: 1 }, { v: 1 }],
  ],
  [
    '$densify of dates',
    [{ $densify: { field: 'd', range: { step: 12, unit: 'hour', bounds: [new Date(0), new Date(86_400_000)] } } }],
    [{ d: new Date(0) }, { d: new Date(43_200_000) }],
    [{ d: new Date(0) }],
  ],
  [
    '$fill',
    [{ $fill: { sortBy: { t: 1 }, output: { a: { value: 'none' }, b: { method: 'locf' }, c: { method: 'linear' } } } }],
    [
      { t: 1, b: 7, c: 1, a: 'none' },
      { t: 2, c: 1.5, a: 'x', b: 7 },
      { t: 3, c: 2, b: 7, a: 'none' },
    ],
    [
      { t: 3, c: 2 },
      { t: 1, b: 7, c: 1 },
      { t: 2, c: null, a: 'x' },
    ],
  ],
  ['$documents', [{ $documents: [{ a: 1 }, { a: { $add: [1, 1] } }] }], [{ a: 1 }, { a: 2 }]],
  ['$collStats', [{ $collStats: { count: {} } }], [{ stage: '$collStats' }]],
];

describe('pipelines', () => {
  test.each(CASES)('%s', async (_, stages, result, documents = SALES, collections) => {
    expect(await run(stages, documents, collections)).toEqual(shown(result));
  });

  test('$median is a double', async () => {
    const stages = [
      { $group: { _id: null, m: { $median: { input: '$_id', method: 'approximate' } } } },
      { $unset: '_id' },
    ];
    expect(await run(stages, SALES)).toEqual([show(double('m', 2))]);
  });

  test('$out and $merge hand over their documents and give none', async () => {
    const context = pipelineContext();
    for (const stages of [[{ $out: 'o' }], [{ $merge: { into: 'm', on: 'k', whenMatched: 'replace' } }]]) {
      for await (const batch of runPipeline(stagesOf(stages), stream([{ k: 1 }]), context)) expect(batch).toEqual([]);
    }
    expect(context.written).toEqual([
      ['test', 'o', shown([{ k: 1 }])],
      [
        { into: { db: 'test', coll: 'm' }, on: ['k'], whenMatched: 'replace', whenNotMatched: 'insert' },
        shown([{ k: 1 }]),
      ],
    ]);
  });

  test('a pipeline pulls no more than it needs', async () => {
    let pulled = 0;
    async function* source(): AsyncGenerator<Doc[]> {
      for (;;) yield [doc({ n: pulled++ })];
    }
    const result: Doc[] = [];
    for await (const batch of runPipeline(
      stagesOf([{ $match: { n: { $gt: 2 } } }, { $limit: 2 }]),
      source(),
      pipelineContext(),
    )) {
      result.push(...batch);
    }
    expect(result.map(show)).toEqual(shown([{ n: 3 }, { n: 4 }]));
    expect(pulled).toBe(5);
  });

  const ERRORS: [object[], string | number, string?][] = [
    [[{ $x: 1 }], 40324, "Unrecognized pipeline stage name: '$x'"],
    [[{ $match: {}, $limit: 1 }], 40323, 'A pipeline stage specification object must contain exactly one field.'],
    [[{}], 40323],
    [[{ $out: 'x' }, { $limit: 1 }], 40601, '$out can only be the final stage in the pipeline'],
    [[{ $limit: 1 }, { $collStats: {} }], 40602, '$collStats is only valid as the first stage in a pipeline.'],
    [[{ $facet: { a: [{ $out: 'x' }] } }], 40600, '$out is not allowed to be used within a $facet stage'],
    [[{ $match: 1 }], 15959, 'the match filter must be an expression in an object'],
    [[{ $match: { $x: 1 } }], 'BadValue'],
    [[{ $sort: {} }], 15976, '$sort stage must have at least one sort key'],
    [[{ $sort: 1 }], 15973],
    [[{ $limit: 0 }], 15958, 'the limit must be positive'],
    [[{ $limit: 'x' }], 5107201, 'invalid argument to $limit stage: Expected a number in: $limit: "x"'],
    [[{ $skip: -1 }], 5107200],
    [[{ $project: {} }], 51272],
    [
      [{ $project: { a: { $elemMatch: {} } } }],
      'InvalidPipelineOperator',
      'Invalid $project :: caused by :: Cannot use $elemMatch in this context',
    ],
    [[{ $project: { 'a.$': 1 } }], 31324],
    [[{ $addFields: 1 }], 40272],
    [[{ $set: { a: 1, 'a.b': 1 } }], 40176],
    [[{ $group: 1 }], 15947, "a group's fields must be specified in an object"],
    [[{ $group: {} }], 15955, 'a group specification must include an _id'],
    [[{ $group: { a: 1 } }], 40234, "The field 'a' must be an accumulator object"],
    [[{ $group: { _id: { a: 1 } } }], 17390, '$group does not support inclusion-style expressions'],
    [[{ $group: { _id: { a: '$a', b: true } } }], 17390, '$group does not support inclusion-style expressions'],
    ...[
      [1, 40149, 'the sortByCount field must be specified as a string or as an object'] as const,
      [
        'a',
        40148,
        'the sortByCount field must be defined as a $-prefixed path or an expression inside an object',
      ] as const,
      [
        { a: 1 },
        40147,
        'the sortByCount field must be defined as a $-prefixed path or an expression inside an object',
      ] as const,
    ].map(([field, ...error]): [object[], number, string] => [[{ $sortByCount: field }], ...error]),
    [[{ $group: { _id: 1, a: 1 } }], 40234, "The field 'a' must be an accumulator object"],
    [[{ $group: { _id: 1, a: { $nope: 1 } } }], 15952, "unknown group operator '$nope'"],
    [[{ $group: { _id: 1, 'a.b': { $sum: 1 } } }], 40235],
    [[{ $unwind: 1 }], 15981],
    [[{ $unwind: 'a' }], 28818, "path option to $unwind stage should be prefixed with a '$': a"],
    [[{ $unwind: {} }], 28812],
    [[{ $count: '' }], 40157],
    [[{ $replaceRoot: {} }], 'IDLFailedToParse', "BSON field '$replaceRoot.newRoot' is missing but a required field"],
    [[{ $lookup: { from: 'x', as: 'y' } }], 'FailedToParse'],
    [[{ $sample: { size: -1 } }], 28747],
    [[{ $geoNear: {} }], 5860400],
  ];
  test.each(ERRORS)('%o is refused as %s', (stages, code, message) => {
    expectCoded(() => runPipeline(stagesOf(stages), stream([]), pipelineContext()), code, message);
  });

  test.each([
    [{ $sort: { n: 1 } }, 'Sort exceeded memory limit of 100 bytes, but did not opt in to external sorting.'],
    [
      { $group: { _id: '$n' } },
      "Exceeded memory limit for $group, but didn't allow external sort. Pass allowDiskUse:true to opt in.",
    ],
    [{ $group: { _id: null, all: { $push: '$n' } } }, /^Exceeded memory limit for \$group/],
  ])('%o without the disk holds no more than it may', async (stage, message) => {
    const documents = Array.from({ length: 20 }, (_, n) => ({ n }));
    const context = { ...pipelineContext(), limits: { ...DEFAULT_LIMITS, sort: 100, group: 100, bucketAuto: 100 } };
    const pulled = async (allowDiskUse?: boolean) => {
      const found: Doc[] = [];
      for await (const batch of runPipeline([doc(stage)], stream(documents), { ...context, allowDiskUse }))
        found.push(...batch);
      return found.length;
    };
    await expect(pulled(false)).rejects.toMatchObject({
      codeName: 'QueryExceededMemoryLimitNoDiskUseAllowed',
      message: typeof message === 'string' ? message : expect.stringMatching(message),
    });
    expect(await pulled()).toBeGreaterThan(0);
  });

  test('checkPipeline knows names and places alone', () => {
    expect(() => checkPipeline(stagesOf([{ $match: 1 }]))).not.toThrow();
    expectCoded(() => checkPipeline(stagesOf([{ $lookup: { pipeline: [{ $y: 1 }] } }])), 40324);
  });

  test('$replaceRoot refuses what is no document', async () => {
    await expect(run([{ $replaceWith: '$n' }], [{ n: 1 }])).rejects.toThrow(/must evaluate to an object.*'int'/);
  });
});

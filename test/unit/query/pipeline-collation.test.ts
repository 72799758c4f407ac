import { describe, expect, test } from 'vitest';
import { Collator, type Doc, doc } from '../../../src/bson/index.ts';
import { compileProjection, runPipeline } from '../../../src/query/index.ts';
import { pipelineContext, context as plain, show } from './support.ts';

/** Upper and lower case are one. */
const collator = () => Collator.of(doc({ locale: 'en', strength: 2 }));

async function* stream(documents: object[]): AsyncGenerator<Doc[]> {
  for (const document of documents) yield [doc(document)];
}

async function run(stages: object[], documents: object[], collections: Record<string, object[]> = {}) {
  const context = { ...pipelineContext(collections), collator: collator() };
  const result: string[] = [];
  const pipeline = stages.map((stage) => doc(stage));
  for await (const batch of runPipeline(pipeline, stream(documents), context)) result.push(...batch.map(show));
  return result;
}

describe('an expression under a collation', () => {
  const DOC = { x: 'a', X: 'A', list: ['b', 'A', 'B'] };
  test.each([
    [{ $eq: ['$x', '$X'] }, true],
    [{ $ne: ['$x', '$X'] }, false],
    [{ $cmp: ['b', 'A'] }, 1],
    [{ $cmp: ['B', 'b'] }, 0],
    [{ $gt: ['a', 'B'] }, false],
    [{ $gte: ['$x', '$X'] }, true],
    [{ $lt: ['$x', '$X'] }, false],
    [{ $lte: ['$X', '$x'] }, true],
    [{ $in: ['a', '$list'] }, true],
    [{ $indexOfArray: ['$list', 'a'] }, 1],
    [{ $setUnion: ['$list', ['c', 'C']] }, ['A', 'b', 'c']],
    [{ $setIntersection: ['$list', ['a']] }, ['A']],
    [{ $setDifference: ['$list', ['a']] }, ['b']],
    [{ $setEquals: ['$list', ['a', 'b']] }, true],
    [{ $setIsSubset: [['a'], '$list'] }, true],
    [{ $min: '$list' }, 'A'],
    [{ $max: '$list' }, 'b'],
    [{ $minN: { n: 1, input: '$list' } }, ['A']],
    [{ $maxN: { n: 2, input: '$list' } }, ['b', 'B']],
    [{ $sortArray: { input: '$list', sortBy: 1 } }, ['A', 'b', 'B']],
    [{ $sortArray: { input: [{ k: 'b' }, { k: 'A' }], sortBy: { k: 1 } } }, [{ k: 'A' }, { k: 'b' }]],
    [{ $sortArray: { input: [{ k: 'a' }, { k: 'B' }], sortBy: { k: 1 } } }, [{ k: 'a' }, { k: 'B' }]],
    [{ $cond: [{ $eq: ['$x', 'A'] }, 1, 2] }, 1],
    [{ $filter: { input: '$list', cond: { $eq: ['$$this', 'b'] } } }, ['b', 'B']],
    // What looks at letters, and not at an order, does not care.
    [{ $strcasecmp: ['a', 'B'] }, -1],
    [{ $indexOfCP: ['xA', 'a'] }, -1],
    [{ $indexOfBytes: ['xA', 'a'] }, -1],
    [{ $regexMatch: { input: 'A', regex: 'a' } }, false],
    [{ $replaceAll: { input: 'A', find: 'a', replacement: 'b' } }, 'A'],
    [{ $split: ['aAb', 'a'] }, ['', 'Ab']],
  ])('%o', (expression, expected) => {
    const context = { ...plain, collator: collator() };
    const projection = compileProjection(doc({ _id: 0, v: expression }), { context });
    expect(show(projection.apply(doc(DOC)))).toBe(show(doc({ v: expected })));
  });
});

describe('a stage under a collation', () => {
  const WORDS = ['b', 'A', 'B', 'a', 'c'].map((k, n) => ({ _id: n, k, n }));
  test.each([
    [
      '$match',
      [{ $match: { k: 'a' } }, { $project: { k: 1 } }],
      [
        { _id: 1, k: 'A' },
        { _id: 3, k: 'a' },
      ],
    ],
    ['$sort', [{ $sort: { k: 1 } }, { $project: { _id: 1 } }], [1, 3, 0, 2, 4].map((_id) => ({ _id }))],
    [
      '$group',
      [{ $group: { _id: '$k', n: { $sum: 1 } } }],
      [
        { _id: 'b', n: 2 },
        { _id: 'A', n: 2 },
        { _id: 'c', n: 1 },
      ],
    ],
    [
      '$group by a document',
      [{ $group: { _id: { k: '$k' }, n: { $sum: 1 } } }, { $limit: 1 }],
      [{ _id: { k: 'b' }, n: 2 }],
    ],
    [
      'accumulators',
      [
        {
          $group: {
            _id: null,
            min: { $min: '$k' },
            max: { $max: '$k' },
            set: { $addToSet: '$k' },
            top: { $top: { sortBy: { k: 1, n: -1 }, output: '$k' } },
            minN: { $minN: { n: 2, input: '$k' } },
            maxN: { $maxN: { n: 1, input: '$k' } },
          },
        },
      ],
      [{ _id: null, min: 'A', max: 'c', set: ['b', 'A', 'c'], top: 'a', minN: ['A', 'a'], maxN: ['c'] }],
    ],
    [
      '$sortByCount',
      [{ $sortByCount: '$k' }, { $limit: 2 }],
      [
        { _id: 'b', count: 2 },
        { _id: 'A', count: 2 },
      ],
    ],
    [
      '$bucket',
      [{ $bucket: { groupBy: '$k', boundaries: ['A', 'b', 'D'] } }],
      [
        { _id: 'A', count: 2 },
        { _id: 'b', count: 3 },
      ],
    ],
    [
      '$bucketAuto',
      [{ $bucketAuto: { groupBy: '$k', buckets: 2 } }],
      [
        { _id: { min: 'A', max: 'c' }, count: 4 },
        { _id: { min: 'c', max: 'c' }, count: 1 },
      ],
    ],
    [
      '$lookup',
      [
        { $limit: 1 },
        { $lookup: { from: 'other', localField: 'k', foreignField: 'k', as: 'found' } },
        { $project: { found: 1 } },
      ],
      [{ _id: 0, found: [{ _id: 5, k: 'B' }] }],
    ],
    [
      '$lookup by pipeline',
      [
        { $limit: 1 },
        {
          $lookup: {
            from: 'other',
            let: { k: '$k' },
            pipeline: [{ $match: { $expr: { $eq: ['$k', '$$k'] } } }],
            as: 'found',
          },
        },
        { $project: { found: 1 } },
      ],
      [{ _id: 0, found: [{ _id: 5, k: 'B' }] }],
    ],
    [
      '$graphLookup',
      [
        { $limit: 1 },
        {
          $graphLookup: {
            from: 'other',
            startWith: '$k',
            connectFromField: 'next',
            connectToField: 'k',
            as: 'found',
          },
        },
        { $project: { found: 1 } },
      ],
      [{ _id: 0, found: [{ _id: 5, k: 'B' }] }],
    ],
    [
      '$unionWith',
      [{ $match: { k: 'a' } }, { $unionWith: { coll: 'other', pipeline: [{ $match: { k: 'b' } }] } }, { $count: 'n' }],
      [{ n: 3 }],
    ],
    [
      '$setWindowFields',
      [
        { $setWindowFields: { partitionBy: '$k', sortBy: { n: 1 }, output: { r: { $documentNumber: {} } } } },
        { $project: { r: 1 } },
      ],
      [
        { _id: 1, r: 1 },
        { _id: 3, r: 2 },
        { _id: 0, r: 1 },
        { _id: 2, r: 2 },
        { _id: 4, r: 1 },
      ],
    ],
    [
      '$fill',
      [
        { $project: { k: 1, v: { $cond: [{ $lt: ['$n', 2] }, '$n', null] } } },
        { $fill: { partitionBy: '$k', sortBy: { _id: 1 }, output: { v: { method: 'locf' } } } },
        { $sort: { _id: 1 } },
        { $limit: 4 },
        { $group: { _id: null, v: { $push: '$v' } } },
      ],
      [{ _id: null, v: [0, 1, 0, 1] }],
    ],
  ])('%s', async (_, stages, expected) => {
    const others = {
      other: [
        { _id: 5, k: 'B' },
        { _id: 6, k: 'x' },
      ],
    };
    expect(await run(stages, WORDS, others)).toEqual((expected as object[]).map((each) => show(doc(each))));
  });
});

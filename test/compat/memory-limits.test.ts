import { beforeAll, describe, expect, test } from 'vitest';
import { Decimal128, type Document, Long } from '../support/driver.ts';
import { ownServer } from '../support/own-server.ts';

/** What pipelines may hold in memory, as server parameters set it. */
const own = ownServer();

beforeAll(async () => {
  const pad = 'x'.repeat(100);
  await own.things.insertMany(Array.from({ length: 50 }, (_, _id) => ({ _id, group: _id % 5, pad })));
});

const set = (name: string, value: unknown) => own.admin({ setParameter: 1, [name]: value });

const SORT = 'internalQueryMaxBlockingSortMemoryUsageBytes';
const SORT_MESSAGE = 'Sort exceeded memory limit of 1000 bytes, but did not opt in to external sorting.';
const WINDOWS = 'internalDocumentSourceSetWindowFieldsMaxMemoryBytes';
/** Refused without the disk, or with it as well, or with it alone (without it another refusal comes first). */
type When = 'without the disk' | 'always' | 'with the disk';
const PIPELINES: [string, Document, number, string, When?][] = [
  [SORT, { $sort: { pad: 1 } }, 292, SORT_MESSAGE],
  [SORT, { $setWindowFields: { sortBy: { pad: 1 }, output: { n: { $sum: 1 } } } }, 292, SORT_MESSAGE],
  [
    WINDOWS,
    { $setWindowFields: { output: { n: { $sum: 1 } } } },
    5643011,
    "Exceeded max memory. Set 'allowDiskUse: true' to spill to disk",
  ],
  [
    WINDOWS,
    { $setWindowFields: { sortBy: { _id: 1 }, output: { all: { $push: '$pad', window: { documents: [-20, 20] } } } } },
    5414201,
    'Exceeded memory limit in DocumentSourceSetWindowFields, used ',
    'with the disk',
  ],
  [
    'internalDocumentSourceBucketAutoMaxMemoryBytes',
    { $bucketAuto: { groupBy: '$_id', buckets: 3, output: { pad: { $last: '$pad' } } } },
    292,
    SORT_MESSAGE,
  ],
  [
    'internalDocumentSourceGroupMaxMemoryBytes',
    { $group: { _id: '$_id', pad: { $first: '$pad' } } },
    292,
    "Exceeded memory limit for $group, but didn't allow external sort. Pass allowDiskUse:true to opt in.",
  ],
  [
    'internalQueryMaxPushBytes',
    { $group: { _id: '$group', all: { $push: '$pad' } } },
    146,
    '$push used too much memory and cannot spill to disk. Memory limit: 1000 bytes',
    'always',
  ],
  [
    'internalQueryMaxAddToSetBytes',
    { $group: { _id: '$group', all: { $addToSet: { id: '$_id', pad: '$pad' } } } },
    146,
    '$addToSet used too much memory and cannot spill to disk. Memory limit: 1000 bytes',
    'always',
  ],
  [
    'internalQueryTopNAccumulatorBytes',
    { $group: { _id: '$group', all: { $firstN: { n: 20, input: '$pad' } } } },
    146,
    '$firstN used too much memory and cannot spill to disk. Memory limit: 1000 bytes',
    'always',
  ],
  [
    'internalDocumentSourceGraphLookupMaxMemoryBytes',
    { $graphLookup: { from: 'things', startWith: 3, connectFromField: 'group', connectToField: 'group', as: 'all' } },
    40099,
    '$graphLookup reached maximum memory consumption',
    'always',
  ],
  [
    'internalDocumentSourceDensifyMaxMemoryBytes',
    { $densify: { field: 'group', partitionByFields: ['_id'], range: { step: 1, bounds: 'partition' } } },
    6007200,
    '$densify exceeded memory limit of ',
    'always',
  ],
  [
    'internalQueryMaxAllowedDensifyDocs',
    { $densify: { field: '_id', range: { step: 1, bounds: [0, 2000] } } },
    5897900,
    'Generated 1001 documents in $densify, which is over the limit of 1000.',
    'always',
  ],
  [
    'internalQueryFacetMaxOutputDocSizeBytes',
    { $facet: { all: [{ $limit: 20 }] } },
    4031700,
    'document constructed by $facet is ',
    'always',
  ],
];

describe('beyond its limit', () => {
  test('a window holds no more than it must', async () => {
    const near = { $push: '$pad', window: { documents: [-2, 2] } };
    const stage = {
      $setWindowFields: { sortBy: { _id: 1 }, output: { near, before: { $shift: { output: '$_id', by: -1 } } } },
    };
    const run = () => own.things.aggregate([stage], { allowDiskUse: false }).toArray();
    const expected = await run();
    await set(WINDOWS, 2500);
    try {
      expect(await run()).toEqual(expected);
    } finally {
      await set(WINDOWS, 100 * 2 ** 20);
    }
  });

  test.each(PIPELINES)('%s: %o', async (name, stage, code, message, when = 'without the disk') => {
    const run = (allowDiskUse: boolean) => own.things.aggregate([stage], { allowDiskUse }).toArray();
    const expected = await run(true);
    const { was } = await set(name, 1000);
    try {
      const refusal = { code, message: expect.stringContaining(message) };
      if (when !== 'with the disk') await expect(run(false)).rejects.toMatchObject(refusal);
      if (when !== 'without the disk') await expect(run(true)).rejects.toMatchObject(refusal);
      else expect(await run(true)).toHaveLength(expected.length);
    } finally {
      await set(name, was);
    }
    expect(await run(false)).toHaveLength(expected.length);
  });

  test('the sort of a find', async () => {
    await set(SORT, 1000);
    const sorted = own.things.find().sort({ pad: 1 });
    await expect(sorted.clone().allowDiskUse(false).toArray()).rejects.toMatchObject({
      code: 292,
      message: expect.stringContaining(SORT_MESSAGE),
    });
    const plan = await sorted.clone().explain();
    await set(SORT, 100 * 2 ** 20);
    expect(plan).toMatchObject({
      queryPlanner: { winningPlan: { stage: 'SORT', memLimit: 1000 } },
      serverParameters: { [SORT]: 1000, internalQueryMaxAddToSetBytes: 104857600 },
    });
  });
});

test('whether the disk is used where a command does not say', async () => {
  const queries = [
    (allowDiskUse?: boolean) =>
      own.things.aggregate([{ $set: { more: 1 } }, { $sort: { pad: 1 } }], { ...(allowDiskUse && { allowDiskUse }) }),
    (allowDiskUse?: boolean) => own.things.find({}, { sort: { pad: 1 }, ...(allowDiskUse && { allowDiskUse }) }),
  ];
  await set(SORT, 1000);
  for (const query of queries) expect(await query().toArray()).toHaveLength(50);
  expect(await set('allowDiskUseByDefault', false)).toMatchObject({ was: true });
  for (const query of queries) {
    await expect(query().toArray()).rejects.toMatchObject({ code: 292 });
    expect(await query(true).toArray()).toHaveLength(50);
  }
  await set('allowDiskUseByDefault', true);
  await set(SORT, 100 * 2 ** 20);
});

test('what $lookup joins', async () => {
  const LOOKUP = 'internalLookupStageIntermediateDocumentMaxSizeBytes';
  const large = own.db.collection<{ _id: number }>('large');
  for (const _id of [1, 2]) await large.insertOne({ _id, pad: 'x'.repeat(9 * 2 ** 20) } as never);
  const join = { $lookup: { from: 'large', pipeline: [], as: 'all' } };
  const run = () => own.things.aggregate([{ $limit: 1 }, join, { $project: { n: { $size: '$all' } } }]).toArray();
  expect(await run()).toMatchObject([{ n: 2 }]);
  const { was } = await set(LOOKUP, 16_793_600);
  await expect(run()).rejects.toMatchObject({
    code: 4568,
    message: expect.stringContaining(
      "Total size of documents in large matching pipeline's $lookup stage exceeds 16793600 bytes",
    ),
  });
  await set(LOOKUP, was);
  expect(await run()).toMatchObject([{ n: 2 }]);
});

const LONG = 'internalDocumentSourceGroupMaxMemoryBytes';
const INT = 'internalQueryMaxPushBytes';
const invalid = (name: string, why: string) => `Invalid value for parameter ${name}: ${why}`;
const failed = (name: string, why: string) => `Failed validating ${name}: ${why}`;

test.each<[string, unknown, (name: string, why: string) => string, string]>([
  [LONG, 'x', failed, 'Unable to coerce value to integral type'],
  [LONG, null, failed, 'Unable to coerce value to integral type'],
  [LONG, Number.NaN, failed, 'Unable to coerce NaN/Inf to integral type'],
  [LONG, Decimal128.fromString('-Infinity'), failed, 'Unable to coerce NaN/Inf to integral type'],
  [LONG, 2 ** 63, failed, 'Out of bounds coercing to integral value'],
  [LONG, 0, invalid, '0 is not greater than 0'],
  [LONG, 0.9, invalid, '0 is not greater than 0'],
  [LONG, Long.fromNumber(-1), invalid, '-1 is not greater than 0'],
  [INT, 2 ** 31, failed, 'Out of bounds coercing to integral value'],
  [INT, false, invalid, '0 is not greater than 0'],
  [SORT, -1, invalid, '-1 is not greater than or equal to 0'],
  [
    'internalLookupStageIntermediateDocumentMaxSizeBytes',
    16_793_599,
    invalid,
    '16793599 is not greater than or equal to 16793600',
  ],
])('%s is not %o', async (name, value, message, why) => {
  await expect(set(name, value)).rejects.toMatchObject({ code: 2, message: message(name, why) });
});

test.each<[string, unknown, unknown]>([
  [SORT, 0, Long.fromNumber(0)],
  [LONG, 1.9, Long.fromNumber(1)],
  [LONG, true, Long.fromNumber(1)],
  [LONG, Long.MAX_VALUE, Long.MAX_VALUE],
  [LONG, Decimal128.fromString('7.5'), Long.fromNumber(7)],
  ['internalQueryMaxAddToSetBytes', 5, Long.fromNumber(5)],
  [INT, 2 ** 31 - 1, 2 ** 31 - 1],
  ['internalQueryTopNAccumulatorBytes', Long.fromNumber(5), 5],
])('%s can be %o, and is told as %o', async (name, value, expected) => {
  const { was } = await set(name, value);
  const told = await own.db.admin().command({ getParameter: 1, [name]: 1 }, { promoteLongs: false });
  await set(name, was);
  expect(told[name]).toEqual(expected);
});

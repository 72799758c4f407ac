import { beforeAll, describe, expect, test } from 'vitest';
import { type Document, Long } from '../support/driver.ts';
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
    'internalLookupStageIntermediateDocumentMaxSizeBytes',
    { $lookup: { from: 'things', localField: 'group', foreignField: 'group', as: 'all' } },
    4568,
    "Total size of documents in things matching pipeline's $lookup stage exceeds 1000 bytes",
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

test.each([
  ['x', 'it must be a number of bytes'],
  [1.5, 'it must be a number of bytes'],
  [0, '0 is not greater than 0'],
  [-1, '-1 is not greater than 0'],
])('a limit is not %o', async (value, why) => {
  await expect(set(SORT, value)).rejects.toMatchObject({
    code: 2,
    message: `Invalid value for parameter ${SORT}: ${why}`,
  });
});

test('limits are told in the types that MongoDB has them in', async () => {
  const asked = { getParameter: 1, [SORT]: 1, internalQueryMaxPushBytes: 1 };
  const told = await own.db.admin().command(asked, { promoteLongs: false });
  expect(told).toMatchObject({ [SORT]: Long.fromNumber(104857600), internalQueryMaxPushBytes: 104857600 });
});

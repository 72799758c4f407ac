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
const PIPELINES: [string, Document, number, string, boolean?][] = [
  [SORT, { $sort: { pad: 1 } }, 292, SORT_MESSAGE],
  [SORT, { $setWindowFields: { sortBy: { pad: 1 }, output: { n: { $sum: 1 } } } }, 292, SORT_MESSAGE],
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
    true,
  ],
  [
    'internalQueryMaxAddToSetBytes',
    { $group: { _id: '$group', all: { $addToSet: { id: '$_id', pad: '$pad' } } } },
    146,
    '$addToSet used too much memory and cannot spill to disk. Memory limit: 1000 bytes',
    true,
  ],
  [
    'internalQueryTopNAccumulatorBytes',
    { $group: { _id: '$group', all: { $firstN: { n: 20, input: '$pad' } } } },
    146,
    '$firstN used too much memory and cannot spill to disk. Memory limit: 1000 bytes',
    true,
  ],
  [
    'internalDocumentSourceGraphLookupMaxMemoryBytes',
    { $graphLookup: { from: 'things', startWith: 3, connectFromField: 'group', connectToField: 'group', as: 'all' } },
    40099,
    '$graphLookup reached maximum memory consumption',
    true,
  ],
  [
    'internalLookupStageIntermediateDocumentMaxSizeBytes',
    { $lookup: { from: 'things', localField: 'group', foreignField: 'group', as: 'all' } },
    4568,
    "Total size of documents in things matching pipeline's $lookup stage exceeds 1000 bytes",
    true,
  ],
  [
    'internalQueryFacetMaxOutputDocSizeBytes',
    { $facet: { all: [{ $limit: 20 }] } },
    4031700,
    'document constructed by $facet is ',
    true,
  ],
];

describe('beyond its limit', () => {
  test.each(PIPELINES)('%s: %o', async (name, stage, code, message, always = false) => {
    const run = (allowDiskUse: boolean) => own.things.aggregate([stage], { allowDiskUse }).toArray();
    const expected = await run(true);
    const { was } = await set(name, 1000);
    try {
      const refusal = { code, message: expect.stringContaining(message) };
      await expect(run(false)).rejects.toMatchObject(refusal);
      if (always) await expect(run(true)).rejects.toMatchObject(refusal);
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

import { expect, test } from 'vitest';
import { type Doc, doc } from '../../../src/bson/index.ts';
import { defaultLimits, runPipeline } from '../../../src/query/index.ts';
import { pipelineContext, show } from './support.ts';

/** Runs a `$facet` that holds next to nothing over the numbers up to 100; tells how many were read. */
async function run(spec: object): Promise<{ shown: unknown; read: number }> {
  let read = 0;
  async function* source(): AsyncGenerator<Doc[]> {
    for (let n = 1; n <= 100; n++) {
      read++;
      yield [doc({ n })];
    }
  }
  const context = { ...pipelineContext(), limits: { ...defaultLimits(), facetBuffer: 1 } };
  for await (const batch of runPipeline([doc({ $facet: spec })], source(), context)) {
    return { shown: show(batch[0]!), read };
  }
  throw new Error('nothing came');
}

const SUM = [{ $group: { _id: null, sum: { $sum: '$n' } } }];

test('all of its pipelines see all documents', async () => {
  const { shown, read } = await run({
    sum: SUM,
    first: [{ $limit: 2 }],
    few: [{ $match: { n: { $gt: 98 } } }],
    none: [{ $match: { n: 0 } }],
  });
  expect(shown).toEqual(
    show(doc({ sum: [{ _id: null, sum: 5050 }], first: [{ n: 1 }, { n: 2 }], few: [{ n: 99 }, { n: 100 }], none: [] })),
  );
  expect(read).toBe(100);
});

test('what none of them reads is not read', async () => {
  const { shown, read } = await run({ one: [{ $limit: 1 }], three: [{ $skip: 1 }, { $limit: 3 }] });
  expect(shown).toEqual(show(doc({ one: [{ n: 1 }], three: [{ n: 2 }, { n: 3 }, { n: 4 }] })));
  expect(read).toBe(4);
});

test('the first that fails ends it', async () => {
  const fails = (at: number) => [{ $set: { x: { $divide: [1, { $subtract: ['$n', at] }] } } }];
  await expect(
    run({ sum: SUM, late: fails(50), early: [{ $set: { x: { $toInt: { $cond: [{ $eq: ['$n', 7] }, 'x', 1] } } } }] }),
  ).rejects.toThrow("Failed to parse number 'x'");
});

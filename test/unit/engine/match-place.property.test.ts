import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decode, doc, encode, toExtendedJson } from '../../../src/bson/index.ts';
import { NS, Stage } from './stage.ts';

const scalar = fc.constantFrom<unknown>(null, 1, 2, 3n, 2.5, 'a', 'b', true);
const value = fc.oneof(scalar, fc.array(scalar, { maxLength: 3 }), fc.record({ x: scalar }, { requiredKeys: [] }));
const document = fc.record({ a: value, b: value, c: scalar }, { requiredKeys: [] });
const path = fc.constantFrom('a', 'b', 'c', 'a.x');
const condition = fc.oneof(
  scalar,
  fc.record({ $gt: scalar, $lte: scalar }, { requiredKeys: ['$gt'] }),
  fc.record({ $in: fc.array(scalar, { maxLength: 3 }) }),
  fc.record({ $ne: scalar }),
  fc.record({ $exists: fc.boolean() }),
  fc.record({ $elemMatch: fc.record({ $gte: scalar }) }),
);
const flat = fc.dictionary(path, condition, { maxKeys: 2 });
const filter: fc.Arbitrary<object> = fc.oneof(
  flat,
  fc.record({ $or: fc.array(flat, { minLength: 1, maxLength: 2 }) }),
  fc.record({ $nor: fc.array(flat, { minLength: 1, maxLength: 2 }) }),
  fc.record({ $expr: fc.record({ $gt: fc.tuple(fc.constant('$c'), scalar) }) }),
);

/** Stages that leave the fields alone that filters look at, with what makes their mark go away. */
const neutral = fc.constantFrom<object[]>(
  [{ $addFields: { z: { $add: [1, 1] } } }],
  [{ $set: { z: '$a' } }],
  [{ $project: { a: 1, b: 1, c: 1, z: { $literal: 1 } } }],
  [{ $sort: { _id: -1 } }],
  [{ $lookup: { from: 'things', localField: 'c', foreignField: '_id', as: 'z' } }],
  [{ $replaceWith: { $mergeObjects: ['$$ROOT', { z: 1 }] } }],
  [{ $unset: 'nothing' }],
  [{ $unionWith: { coll: 'none' } }],
  [{ $setWindowFields: { sortBy: { _id: 1 }, output: { z: { $documentNumber: {} } } } }],
);

async function run(stage: Stage, pipeline: readonly object[]): Promise<string[]> {
  const query = { read: 'local', context: stage.context } as const;
  const stages = [...pipeline, { $unset: 'z' }, { $sort: { _id: 1 } }].map((each) => doc(each));
  const cursor = await stage.run(stage.engine.aggregate(NS, stages, query));
  const found: string[] = [];
  while (!cursor.exhausted) {
    for (const bytes of await stage.run(cursor.next(100, 2 ** 24))) found.push(toExtendedJson(encode(decode(bytes))));
  }
  return found;
}

test('$match first, last and in between gives the same', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(document, { minLength: 1, maxLength: 12 }),
      fc.array(fc.tuple(filter, neutral), { minLength: 1, maxLength: 6 }),
      async (documents, asked) => {
        const stage = await Stage.open();
        const specs = [{ a: 1 }, { c: -1, b: 1 }].map((key) => doc({ key, name: JSON.stringify(key) }));
        await stage.run(stage.engine.createIndexes(NS, specs));
        await stage.insert(documents.map((each, n) => ({ _id: n, ...each })));
        for (const [$match, stages] of asked) {
          const label = JSON.stringify([$match, stages], (_, each) => (typeof each === 'bigint' ? `${each}n` : each));
          const first = await run(stage, [{ $match }, ...stages]);
          // Document numbers are given before or after, and are taken off again.
          expect(await run(stage, [...stages, { $match }]), label).toEqual(first);
          expect(await run(stage, [...stages, { $match }, ...stages]), label).toEqual(first);
          expect(await run(stage, [{ $match }, ...stages, { $match }]), label).toEqual(first);
        }
      },
    ),
    { numRuns: 60 },
  );
}, 60_000);

import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Doc, decode, doc, encode, type Value } from '../../../src/bson/index.ts';
import { optimize, runPipeline } from '../../../src/query/index.ts';
import { pipelineContext, show } from '../query/support.ts';
import { NS, Stage } from './stage.ts';

const OTHER = { db: NS.db, coll: 'other' };

/** Numbers of several types, what is missing, null, arrays and documents at the same few paths. */
const scalar = fc.constantFrom<unknown>(0, 1, 2, 3, 2.5, null, 'x', 'y', undefined);
const value = fc.oneof(
  { weight: 5, arbitrary: scalar },
  { weight: 2, arbitrary: fc.array(fc.constantFrom<unknown>(0, 1, 2, null, 'x'), { maxLength: 3 }) },
  { weight: 2, arbitrary: fc.record({ b: scalar, c: scalar }) },
  { weight: 1, arbitrary: fc.array(fc.record({ b: scalar }), { maxLength: 2 }) },
);
const document = fc.record({
  a: value,
  b: value,
  k: fc.integer({ min: 0, max: 9 }),
  t: fc.array(scalar, { maxLength: 3 }),
});

const path = fc.constantFrom('a', 'b', 'k', 't', 'a.b', 'a.c', 'b.b', '_id', 'n', 'o');
const operand = fc.constantFrom<unknown>(0, 1, 2, 2.5, 'x', null);
const condition = fc.oneof(
  fc.tuple(path, operand).map(([name, wanted]) => ({ [name]: wanted })),
  fc
    .tuple(path, fc.constantFrom('$gt', '$gte', '$lt', '$lte', '$ne'), operand)
    .map(([name, operator, wanted]) => ({ [name]: { [operator]: wanted } })),
  fc.tuple(path, fc.boolean()).map(([name, wanted]) => ({ [name]: { $exists: wanted } })),
  fc.tuple(path, fc.array(operand, { minLength: 1, maxLength: 3 })).map(([name, list]) => ({ [name]: { $in: list } })),
  fc.tuple(path, operand).map(([name, wanted]) => ({ $expr: { $eq: [`$${name}`, wanted] } })),
);
const filter = fc.oneof(
  condition,
  fc.array(condition, { minLength: 1, maxLength: 3 }).map((all) => ({ $and: all })),
  fc.array(condition, { minLength: 1, maxLength: 2 }).map((any) => ({ $or: any })),
);
const expression = fc.oneof(
  path.map((name) => `$${name}`),
  fc.constantFrom<unknown>(
    '$$ROOT',
    { $ifNull: ['$a', '$$ROOT.k'] },
    { $cond: [{ $gt: ['$k', 4] }, '$a', '$$REMOVE'] },
    7,
  ),
);
/** Every sort ends with `_id`, for what is equal may come in any order. */
const sort = fc
  .tuple(path, fc.constantFrom(1, -1))
  .map(([name, direction]) => ({ $sort: { [name]: direction, _id: 1 } }));
const plainStage = fc.oneof(
  { weight: 5, arbitrary: filter.map(($match) => ({ $match })) },
  sort,
  fc.constantFrom<object>(
    { $project: { a: 1, 'b.b': 1 } },
    { $project: { k: 1, _id: 0, n: '$a' } },
    { $project: { a: 0 } },
    { $project: { 'a.b': 0, t: 0 } },
    { $project: { a: { b: 1 } } },
    { $unset: ['a.b', 't'] },
    { $unwind: '$t' },
    { $unwind: { path: '$t', includeArrayIndex: 'n', preserveNullAndEmptyArrays: true } },
    { $unwind: '$a' },
    { $count: 'n' },
    { $sortByCount: '$k' },
    { $group: { _id: null, n: { $sum: 1 } } },
    { $replaceRoot: { newRoot: { a: '$a', k: '$k', _id: '$_id' } } },
    { $lookup: { from: 'other', localField: 'k', foreignField: '_id', as: 'o' } },
    // Of several values; by `v` their documents would come in the order of its index, and by `_id` in natural order too.
    { $lookup: { from: 'other', localField: 'a', foreignField: '_id', as: 'o' } },
    {
      $lookup: {
        from: 'other',
        localField: 'a.b',
        foreignField: 'w',
        as: 'o.p',
        pipeline: [{ $match: { _id: { $lt: 6 } } }],
      },
    },
    {
      $lookup: {
        from: 'other',
        let: { x: '$a', k: '$k' },
        pipeline: [{ $match: { $expr: { $and: [{ $eq: ['$v', '$$x'] }, { $lte: ['$_id', '$$k'] }] } } }],
        as: 'o',
      },
    },
    { $lookup: { from: 'other', pipeline: [{ $match: { v: 1 } }, { $project: { w: 0 } }], as: 'o' } },
    { $graphLookup: { from: 'other', startWith: '$k', connectFromField: 'up', connectToField: '_id', as: 'o' } },
    { $unionWith: { coll: 'other', pipeline: [{ $addFields: { k: '$v' } }] } },
  ),
  fc
    .tuple(fc.constantFrom('n', 'a', 'a.b', 'o'), expression)
    .map(([name, given]) => ({ $addFields: { [name]: given } })),
  fc
    .tuple(path, path)
    .map(([by, of]) => ({ $group: { _id: `$${by}`, n: { $sum: `$${of}` }, most: { $max: `$${of}` } } })),
  fc.tuple(path, path).map(([by, and]) => ({ $group: { _id: { a: `$${by}`, b: `$${and}` }, n: { $min: '$b' } } })),
);
const unwoundLookup = [
  { $lookup: { from: 'other', localField: 'k', foreignField: 'v', as: 'o' } },
  { $unwind: { path: '$o', includeArrayIndex: 'n', preserveNullAndEmptyArrays: true } },
];
const cut = fc.oneof(
  fc.integer({ min: 0, max: 8 }).map(($skip) => ({ $skip })),
  fc.integer({ min: 1, max: 20 }).map(($limit) => ({ $limit })),
);
/** Where an index is gone by, what has no order may come in any: nothing may be cut off. */
const uncut = pipelineOf(plainStage);
const any = pipelineOf(fc.oneof({ weight: 3, arbitrary: plainStage }, { weight: 1, arbitrary: cut }));

function pipelineOf(stage: fc.Arbitrary<object>): fc.Arbitrary<object[]> {
  const some = fc.oneof(
    { weight: 12, arbitrary: stage.map((each) => [each]) },
    { weight: 1, arbitrary: fc.constant<object[]>(unwoundLookup) },
  );
  return fc.array(some, { maxLength: 6 }).map((parts) => parts.flat());
}

const OTHERS = Array.from({ length: 40 }, (_, _id) => ({ _id, v: _id % 4, w: [_id % 3, 'x'], up: (_id * 7) % 40 }));
const PARAMETERS = { numRuns: 60 };

describe('what goes down to indexes and to the channel', () => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await Stage.open();
    await stage.run(
      stage.engine.insert(
        OTHER,
        OTHERS.map((each) => encode(doc(each))),
        stage.writing(),
      ),
    );
    await stage.run(stage.engine.createIndexes(OTHER, [doc({ key: { v: 1 }, name: 'v_1' })]));
  });
  afterAll(() => stage.run(stage.engine.close()));

  it('gives what the pipeline gives as it stands', () => check(any, (found) => found));

  it('gives the same by indexes, in whatever order', async () => {
    const specs = ['k', 'a', 'a.b', 't'].map((path) => doc({ key: { [path]: 1 }, name: `${path}_1` }));
    await stage.run(stage.engine.createIndexes(NS, specs));
    await check(uncut, (found) => [...found].sort());
  });

  async function check(pipelines: fc.Arbitrary<object[]>, comparable: (found: string[]) => string[]): Promise<void> {
    const property = fc.asyncProperty(
      fc.array(document, { minLength: 8, maxLength: 16 }),
      fc.array(pipelines, { minLength: 5, maxLength: 10 }),
      async (documents, all) => {
        const stored = documents.map((each, _id) => ({ _id, ...withoutUndefined(each) }));
        await stage.delete({});
        await stage.insert(stored);
        for (const stages of all) {
          const given = stages.map((each) => doc(each));
          const [here, there] = [
            await outcome(pushedDown(given)),
            await outcome(
              asItStands(
                given,
                stored.map((each) => doc(each)),
              ),
            ),
          ];
          const shown = `${given.map(show)} run as ${optimize(given).map(show)}`;
          if (typeof there === 'string' || typeof here === 'string') expect(here, shown).toBe(there);
          else expect(comparable(here), shown).toEqual(comparable(there));
        }
      },
    );
    await fc.assert(property, PARAMETERS);
  }

  async function pushedDown(stages: Doc[]): Promise<string[]> {
    const cursor = await stage.run(stage.engine.aggregate(NS, stages, { read: 'local', context: stage.context }));
    const found: string[] = [];
    while (!cursor.exhausted) {
      for (const bytes of await stage.run(cursor.next(1000, 2 ** 24))) found.push(show(decode(bytes)));
    }
    return found;
  }
});

async function asItStands(stages: Doc[], documents: Doc[]): Promise<string[]> {
  const source = async function* () {
    yield documents;
  };
  const found: string[] = [];
  for await (const batch of runPipeline(stages, source(), pipelineContext({ other: OTHERS })))
    found.push(...batch.map(show));
  return found;
}

/** What a pipeline gives, or the code of what it throws. */
async function outcome(running: Promise<string[]>): Promise<string[] | string> {
  try {
    return await running;
  } catch (error) {
    return String((error as { codeName?: string }).codeName ?? error);
  }
}

function withoutUndefined(record: Record<string, unknown>): Record<string, Value> {
  return Object.fromEntries(Object.entries(record).filter(([, each]) => each !== undefined)) as Record<string, Value>;
}

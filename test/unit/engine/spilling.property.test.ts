import fc from 'fast-check';
import { expect, test } from 'vitest';
import { MemoryScratch } from '../../../src/base/index.ts';
import { type Doc, decode, doc } from '../../../src/bson/index.ts';
import { NS, Stage } from './stage.ts';

/** What takes too much memory goes to temporary files, and nobody can tell but by how long it takes. */
const THRESHOLD = 4000;

const words = fc.string({ unit: fc.constantFrom('a', 'b', 'c', ' '), maxLength: 60 });
const document = fc.record({ a: fc.integer({ min: -5, max: 5 }), b: words, c: fc.array(fc.nat(9), { maxLength: 4 }) });
const sort = fc.constantFrom<object>({ a: 1 }, { a: -1, b: 1 }, { b: 1 }, { c: 1 }, { c: -1, a: 1 });
const limits = fc.record({ skip: fc.constantFrom(0, 0, 7), limit: fc.constantFrom(0, 0, 5, 60) });
const TOP = { output: '$_id', sortBy: { b: 1, _id: 1 } };
/** Of a few groups, that take much: they are put aside when there is more of them to come. */
const ALL = {
  _id: { $mod: ['$a', 3] },
  ...{ count: { $count: {} }, sum: { $sum: { $divide: ['$a', 7] } }, decimal: { $sum: { $toDecimal: '$a' } } },
  ...{ avg: { $avg: '$a' }, pop: { $stdDevPop: '$a' }, samp: { $stdDevSamp: '$a' } },
  ...{ least: { $min: '$b' }, most: { $max: '$c' }, first: { $first: '$none' }, last: { $last: '$b' } },
  ...{
    list: { $push: '$b' },
    set: { $addToSet: '$b' },
    merged: { $mergeObjects: { $arrayToObject: [[{ k: { $concat: ['k', '$b'] }, v: '$a' }]] } },
  },
  ...{ firsts: { $firstN: { n: 3, input: '$b' } }, lasts: { $lastN: { n: 3, input: '$b' } } },
  ...{ mins: { $minN: { n: 3, input: '$b' } }, maxs: { $maxN: { n: 3, input: '$b' } } },
  ...{ top: { $top: TOP }, tops: { $topN: { n: 3, ...TOP } }, bottoms: { $bottomN: { n: 3, ...TOP } } },
  ...{ median: { $median: { input: '$a', method: 'approximate' } } },
};
const group = fc.constantFrom<object>(
  { _id: '$b', n: { $sum: '$a' }, first: { $first: '$_id' }, all: { $push: '$c' } },
  { _id: { a: '$a', b: '$b' }, last: { $last: '$_id' }, least: { $min: '$c' } },
  { _id: '$_id', avg: { $avg: '$a' } },
  ALL,
  { ...ALL, _id: '$b' },
);

const { _id: _, ...output } = ALL;
const blocking = fc.constantFrom<object>(
  { $bucketAuto: { groupBy: '$b', buckets: 3, output } },
  { $bucketAuto: { groupBy: { $abs: '$a' }, buckets: 4, granularity: 'R5', output } },
  { $bucketAuto: { groupBy: '$a', buckets: 200 } },
);

const documents = fc.constantFrom<unknown[]>(
  [-1, 1],
  [2, 40],
  [-40, -2],
  ['unbounded', 'current'],
  ['current', 'unbounded'],
);
const range = fc.constantFrom<unknown[]>(
  [-1, 1],
  [2, 40],
  [-40, 'current'],
  ['unbounded', 5],
  ['current', 'unbounded'],
);
const moving = fc.oneof(
  fc.constant({}),
  documents.map((bounds) => ({ window: { documents: bounds } })),
  range.map((bounds) => ({ window: { range: bounds } })),
);
/** Functions that need documents of their partition ahead of them, behind them, and none but their own. */
const functions = fc.record({
  all: moving.map((window) => ({ $push: '$c', ...window })),
  sum: moving.map((window) => ({ $sum: '$a', ...window })),
  top: moving.map((window) => ({ $topN: { n: 2, ...TOP }, ...window })),
  slope: documents.map((bounds) => ({ $derivative: { input: '$a' }, window: { documents: bounds } })),
  area: moving.map((window) => ({ $integral: { input: '$a' }, ...window })),
  'at.other': fc.integer({ min: -50, max: 50 }).map((by) => ({ $shift: { output: '$b', by } })),
  filled: fc.constantFrom({ $linearFill: '$gap' }, { $locf: '$gap' }),
  rank: fc.constantFrom({ $rank: {} }, { $expMovingAvg: { input: '$a', N: 3 } }),
});
const windows = fc.record({
  partitionBy: fc.constantFrom<unknown>(null, '$a', { $mod: ['$a', 2] }),
  output: functions,
});
const FACET = {
  $facet: {
    all: [{ $sort: { b: 1 } }],
    few: [{ $limit: 5 }],
    groups: [{ $group: ALL }, { $sort: { _id: 1 } }],
    n: [{ $count: 'n' }],
  },
};
const WHOLE = { $setWindowFields: { output: { first: { $first: '$b' }, all: { $push: '$_id' } } } };
const GAP = { $set: { gap: { $cond: [{ $lt: [{ $mod: ['$_id', 50] }, 9] }, '$a', null] } } };

async function aggregate(stage: Stage, pipeline: readonly object[], allowDiskUse?: boolean): Promise<Doc[]> {
  const options = { context: stage.context, read: 'local' as const, allowDiskUse };
  const stages = pipeline.map((each) => doc(each));
  const cursor = await stage.run(stage.engine.aggregate(NS, stages, options));
  const found: Doc[] = [];
  while (!cursor.exhausted) found.push(...(await stage.run(cursor.next(100, 2 ** 24))).map(decode));
  return found;
}

const byId = (docs: readonly Doc[]) =>
  docs.map((each) => JSON.stringify([...each], (_, value) => (value instanceof Map ? [...value] : value))).sort();

test('stages give what they give in memory', async () => {
  let spilled = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(document, { minLength: 60, maxLength: 300 }),
      sort,
      limits,
      group,
      blocking,
      windows,
      async (documents, by, window, spec, stage, output) => {
        const scratch = new MemoryScratch(THRESHOLD);
        const [held, spilling] = [await Stage.open(), await Stage.open({ scratch })];
        spilling.engine.limits.facetBuffer = THRESHOLD;
        const docs = documents.map((each, _id) => ({ _id, ...each }));
        for (const stage of [held, spilling]) await stage.insert(docs);
        const sorted = { sort: doc(by), ...window };
        expect(await spilling.find({}, sorted)).toEqual(await held.find({}, sorted));
        const pipeline = [{ $set: { more: 1 } }, { $sort: by }, ...(window.limit ? [{ $limit: window.limit }] : [])];
        expect(await aggregate(spilling, pipeline)).toEqual(await aggregate(held, pipeline));
        expect(byId(await aggregate(spilling, [{ $group: spec }]))).toEqual(
          byId(await aggregate(held, [{ $group: spec }])),
        );
        const setting = [GAP, { $setWindowFields: { ...output, sortBy: { _id: 1 } } }];
        for (const stages of [[stage], setting, [WHOLE], [FACET]]) {
          expect(await aggregate(spilling, stages)).toEqual(await aggregate(held, stages));
        }
        const drawn = await aggregate(spilling, [{ $set: { more: 1 } }, { $sample: { size: 70 } }]);
        expect(new Set(drawn.map((each) => String(each.get('_id')))).size).toBe(Math.min(70, docs.length));
        expect(scratch.open).toBe(0);
        spilled += scratch.written;
      },
    ),
    { numRuns: 40 },
  );
  expect(spilled).toBeGreaterThan(100);
});

async function filled(scratch: MemoryScratch): Promise<Stage> {
  const stage = await Stage.open({ scratch });
  await stage.insert(Array.from({ length: 400 }, (_, n) => ({ _id: n, n: (n * 7) % 400, text: 'x'.repeat(40) })));
  return stage;
}

const PIPELINES: [string, object[]][] = [
  ['a sort', [{ $sort: { n: 1 } }, { $set: { more: 1 } }]],
  ['a sort behind another stage', [{ $set: { more: 1 } }, { $sort: { n: 1 } }]],
  ['a group', [{ $group: { _id: '$n', docs: { $push: '$$ROOT' } } }]],
  ['a partition', [{ $setWindowFields: { output: { all: { $sum: '$n' } } } }]],
];

test.each(PIPELINES)('%s that is killed leaves nothing behind', async (_, pipeline) => {
  const scratch = new MemoryScratch(THRESHOLD);
  const stage = await filled(scratch);
  const options = { context: stage.context, read: 'local' as const };
  const cursor = await stage.run(
    stage.engine.aggregate(
      NS,
      pipeline.map((each) => doc(each)),
      options,
    ),
  );
  expect(await stage.run(cursor.next(10, 2 ** 24))).toHaveLength(10);
  expect(scratch.open).toBeGreaterThan(0);
  cursor.close();
  await stage.clock.advance(1000);
  expect(scratch.open).toBe(0);
});

test.each(PIPELINES)('%s whose collection is dropped leaves nothing behind when it is killed', async (_, pipeline) => {
  const scratch = new MemoryScratch(THRESHOLD);
  const stage = await filled(scratch);
  const options = { context: stage.context, read: 'local' as const };
  const stages = pipeline.map((each) => doc(each));
  const cursor = await stage.run(stage.engine.aggregate(NS, stages, options));
  await stage.run(cursor.next(10, 2 ** 24));
  await stage.run(stage.engine.dropCollection(NS));
  expect(scratch.open).toBeGreaterThan(0);
  cursor.close();
  await stage.clock.advance(1000);
  expect(scratch.open).toBe(0);
});

test.each(PIPELINES)('%s that fails half way leaves nothing behind', async (_, pipeline) => {
  const scratch = new MemoryScratch(THRESHOLD);
  const stage = await filled(scratch);
  const failing = [...pipeline, { $set: { fails: { $divide: [1, { $cond: [{ $eq: ['$n', 350] }, 0, 1] }] } } }];
  const grouped = [...pipeline, { $set: { fails: { $divide: [1, { $cond: [{ $eq: ['$_id', 350] }, 0, 1] }] } } }];
  await expect(aggregate(stage, '$group' in pipeline[0]! ? grouped : failing)).rejects.toThrow('divide by zero');
  expect(scratch.written).toBeGreaterThan(0);
  expect(scratch.open).toBe(0);
});

test('groups that grow leave memory', async () => {
  const scratch = new MemoryScratch(THRESHOLD);
  const stage = await filled(scratch);
  const grown = [{ $group: { _id: { $mod: ['$n', 5] }, texts: { $push: '$text' }, n: { $sum: 1 } } }];
  const found = await aggregate(stage, grown);
  expect(found.map((each) => [Number(each.get('n')), (each.get('texts') as unknown[]).length])).toEqual(
    Array.from({ length: 5 }, () => [80, 80]),
  );
  expect(scratch.written).toBeGreaterThan(0);
  expect(scratch.open).toBe(0);
});

test("an accumulator's n may hang on its group's id", async () => {
  const stage = await filled(new MemoryScratch(THRESHOLD));
  const n = { $cond: [{ $eq: ['$odd', 1] }, 1, 2] };
  const spec = { _id: { odd: { $mod: ['$n', 2] } }, some: { $firstN: { n, input: '$_id' } } };
  const found = await aggregate(stage, [
    { $group: spec },
    { $sort: { _id: 1 } },
    { $set: { some: { $size: '$some' } } },
  ]);
  expect(found.map((each) => Number(each.get('some')))).toEqual([2, 1]);
});

test('without the disk neither uses it', async () => {
  const scratch = new MemoryScratch(THRESHOLD);
  const stage = await filled(scratch);
  for (const [, pipeline] of PIPELINES) expect((await aggregate(stage, pipeline, false)).length).toBe(400);
  expect(await stage.find({}, { sort: doc({ n: 1 }), allowDiskUse: false })).toHaveLength(400);
  expect(scratch.written).toBe(0);
});

test('what documents carry, and how deep they nest, is kept', async () => {
  const scratch = new MemoryScratch(THRESHOLD);
  const stage = await Stage.open({ scratch });
  let deep: object = { text: 'cat' };
  for (let level = 0; level < 170; level++) deep = { deep };
  await stage.insert(Array.from({ length: 100 }, (_, n) => ({ _id: n, text: 'cat '.repeat(1 + (n % 9)), deep })));
  await stage.run(stage.engine.createIndexes(NS, [doc({ key: { text: 'text' }, name: 'text' })]));
  const pipeline = [
    { $match: { $text: { $search: 'cat' } } },
    { $set: { more: { $meta: 'textScore' } } },
    { $sort: { _id: -1 } },
    { $project: { same: { $eq: ['$more', { $meta: 'textScore' }] }, deep: 1 } },
  ];
  const found = await aggregate(stage, pipeline);
  expect(found.map((each) => [Number(each.get('_id')), each.get('same')])).toEqual(
    Array.from({ length: 100 }, (_, at) => [99 - at, true]),
  );
  expect(found[0]!.get('deep')).toEqual(doc({ deep }).get('deep'));
  expect(scratch.written).toBeGreaterThan(0);
});

test.each(PIPELINES)('%s that the disk has no room for fails, and leaves nothing behind', async (_, pipeline) => {
  const scratch = new MemoryScratch(THRESHOLD);
  const stage = await filled(scratch);
  scratch.room = 2;
  await expect(aggregate(stage, pipeline)).rejects.toMatchObject({ codeName: 'OutOfDiskSpace' });
  expect(scratch.open).toBe(0);
});

test('a $facet of which one pipeline fails leaves nothing behind of the others', async () => {
  const scratch = new MemoryScratch(THRESHOLD);
  const stage = await filled(scratch);
  const fails = [{ $set: { fails: { $divide: [1, { $subtract: ['$n', 350] }] } } }];
  const facet = {
    $facet: { sorted: [{ $sort: { n: 1 } }], fails, grouped: [{ $group: { _id: '$n', all: { $push: '$text' } } }] },
  };
  await expect(aggregate(stage, [facet])).rejects.toThrow('divide by zero');
  stage.engine.limits.facetBuffer = THRESHOLD;
  await expect(aggregate(stage, [facet])).rejects.toThrow('divide by zero');
  expect(scratch.written).toBeGreaterThan(0);
  expect(scratch.open).toBe(0);
});

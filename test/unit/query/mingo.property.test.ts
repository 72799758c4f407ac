import fc from 'fast-check';
import { aggregate, Query, updateOne } from 'mingo';
import { expect, test } from 'vitest';
import { doc } from '../../../src/bson/index.ts';
import { compileFilter, compileUpdate, runPipeline } from '../../../src/query/index.ts';
import { context, pipelineContext, show } from './support.ts';

/*
 * mingo is an implementation of the same language by others, on plain objects. Where BSON's types, its order across them,
 * and null do not come in, it is right, and so both must agree: a mistake in common is unlikely. Left out is where 7.2 is
 * known to be wrong: `$bucket`; `$count` of nothing; `$addToSet` where values stand twice; exclusion within what `$unwind`
 * made several of.
 */

const number = fc.integer({ min: -3, max: 3 });
const word = fc.constantFrom('a', 'ab', 'b', 'B', '');
const inner = fc.record({ x: number, y: word, z: fc.array(number, { maxLength: 3 }) });
const document = fc.record({
  n: number,
  s: word,
  f: fc.boolean(),
  list: fc.uniqueArray(number, { maxLength: 4 }),
  inner,
  all: fc.array(inner, { maxLength: 3 }),
});
const documents = fc
  .array(document, { minLength: 1, maxLength: 8 })
  // Objects as a driver would give them: those of fast-check may have no prototype.
  .map((all) => all.map((one, _id) => JSON.parse(JSON.stringify({ _id, ...one })) as { _id: number }));

const onNumber = fc.oneof(
  number,
  fc.record({ $gt: number }),
  fc.record({ $gte: number, $lt: number }),
  fc.record({ $ne: number }),
  fc.record({ $in: fc.array(number, { maxLength: 3 }) }),
  fc.record({ $nin: fc.array(number, { maxLength: 3 }) }),
  fc.record({ $mod: fc.tuple(fc.constantFrom(2, 3), fc.constantFrom(0, 1)) }),
  fc.record({ $not: fc.record({ $lte: number }) }),
  fc.record({ $exists: fc.boolean() }),
);
const onWord = fc.oneof(
  word,
  fc.record({ $gte: word }),
  fc.record({ $in: fc.array(word, { maxLength: 2 }) }),
  fc.record({ $regex: fc.constantFrom('^a', 'b$', 'a.', '[aB]'), $options: fc.constantFrom('', 'i') }),
);
const onList = fc.oneof(
  onNumber,
  fc.array(number, { maxLength: 2 }),
  fc.record({ $size: fc.nat(3) }),
  fc.record({ $all: fc.array(number, { minLength: 1, maxLength: 2 }) }),
  fc.record({ $elemMatch: fc.record({ $gt: number, $lt: number }) }),
);
const leaf = fc.oneof(
  ...['n', 'inner.x', 'all.x'].map((path) => onNumber.map((condition) => ({ [path]: condition }))),
  ...['s', 'inner.y', 'all.y'].map((path) => onWord.map((condition) => ({ [path]: condition }))),
  ...['list', 'inner.z'].map((path) => onList.map((condition) => ({ [path]: condition }))),
  fc.boolean().map((f) => ({ f })),
  fc.record({ all: fc.record({ $elemMatch: fc.record({ x: onNumber, y: onWord }) }) }),
  inner.map((value) => ({ inner: value })),
);
const several = (filters: fc.Arbitrary<object>) => fc.array(filters, { minLength: 1, maxLength: 3 });
const filter = fc.letrec<{ tree: object }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 3, depthSize: 'small' },
    leaf,
    several(tie('tree')).map(($and) => ({ $and })),
    several(tie('tree')).map(($or) => ({ $or })),
    several(tie('tree')).map(($nor) => ({ $nor })),
  ),
})).tree;

/** Of Extended JSON, with all numbers alike: mingo knows one kind. */
const plain = (text: string) =>
  JSON.parse(text, (_, value) =>
    typeof value?.$numberDouble === 'string' ? Number(value.$numberDouble) : value,
  ) as unknown;

test('a filter finds what mingo finds', () => {
  fc.assert(
    fc.property(documents, filter, (all, spec) => {
      const compiled = compileFilter(doc(spec), context);
      const found = all.filter((one) => compiled.matches(doc(one)));
      expect(found).toEqual(new Query(spec).find(all).all());
    }),
    { numRuns: 2000 },
  );
});

const numeric = fc.letrec<{ tree: unknown }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 3, depthSize: 'small' },
    fc.constantFrom('$n', '$inner.x', { $size: '$list' }, { $sum: '$list' }, { $strLenCP: '$s' }, { $size: '$all' }),
    number,
    fc.tuple(tie('tree'), tie('tree')).map(($add) => ({ $add })),
    fc.tuple(tie('tree'), tie('tree')).map(($subtract) => ({ $subtract })),
    fc.tuple(tie('tree'), tie('tree')).map(($multiply) => ({ $multiply })),
    tie('tree').map(($abs) => ({ $abs })),
    fc.tuple(tie('tree'), tie('tree')).map(($max) => ({ $max })),
    fc.tuple(tie('truth'), tie('tree'), tie('tree')).map(($cond) => ({ $cond })),
    fc.record({
      $reduce: fc.record({
        input: fc.constant('$list'),
        initialValue: number,
        in: fc.constant({ $add: ['$$value', '$$this'] }),
      }),
    }),
  ),
  truth: fc.oneof(
    { maxDepth: 2, depthSize: 'small' },
    fc.constantFrom('$f', { $in: ['$n', '$list'] }),
    fc.tuple(tie('tree'), tie('tree')).map(($gt) => ({ $gt })),
    fc.tuple(tie('tree'), tie('tree')).map(($eq) => ({ $eq })),
    fc.tuple(tie('truth'), tie('truth')).map(($and) => ({ $and })),
    fc.tuple(tie('truth')).map(($not) => ({ $not })),
  ),
})).tree;
const textual = fc.oneof(
  fc.constant({ $concat: ['$s', '-', '$inner.y'] }),
  fc.constant({ $toUpper: '$s' }),
  fc.nat(2).map((from) => ({ $substrCP: ['$s', from, 1] })),
  fc.constant({ $ifNull: [{ $arrayElemAt: ['$all.y', 0] }, 'none'] }),
);
const listed = fc.oneof(
  number.map((above) => ({ $filter: { input: '$list', as: 'each', cond: { $gt: ['$$each', above] } } })),
  number.map((by) => ({ $map: { input: '$list', as: 'each', in: { $multiply: ['$$each', by] } } })),
  fc.constantFrom({ $reverseArray: '$list' }, { $concatArrays: ['$list', '$inner.z'] }, '$all.x', {
    $slice: ['$list', 2],
  }),
);
const stage = fc.oneof(
  filter.map(($match) => ({ $match })),
  fc.record({ $set: fc.record({ n: numeric, s: textual, list: listed }, { requiredKeys: [] }).filter(hasFields) }),
  fc.record({ $unwind: fc.constantFrom('$list') }).map((one) => [one, { $set: { list: ['$list'] } }]),
  fc.constant([{ $sort: { n: 1, s: -1, _id: 1 } }]),
  fc.record({ $skip: fc.nat(3) }),
  fc.record({ $limit: fc.integer({ min: 1, max: 5 }) }),
);
const last = fc.oneof(
  fc.constant([]),
  fc.constantFrom('$n', '$s', '$f', { a: '$n', b: '$f' }).map((_id) => [
    {
      $group: {
        _id,
        sum: { $sum: '$n' },
        least: { $min: '$s' },
        first: { $first: '$_id' },
        lists: { $push: '$list' },
        avg: { $avg: '$n' },
      },
    },
  ]),
  fc.constant([{ $project: { n: 1, 'inner.y': 1, twice: { $multiply: ['$n', 2] } } }]),
  fc.constant([{ $project: { all: 0, s: 0 } }]),
  fc.constant([{ $replaceRoot: { newRoot: { $mergeObjects: ['$inner', { n: '$n' }] } } }]),
);

function hasFields(fields: object): boolean {
  return Object.keys(fields).length > 0;
}

/** Groups come in no order. */
const inOrder = (all: readonly unknown[]) => all.map((one) => JSON.stringify(one)).sort();

test('a pipeline gives what mingo gives', async () => {
  await fc.assert(
    fc.asyncProperty(documents, fc.array(stage, { maxLength: 4 }), last, async (all, stages, end) => {
      const pipeline = [...stages.flat(), ...end] as Record<string, unknown>[];
      const source = async function* () {
        yield all.map((one) => doc(one));
      };
      const found: unknown[] = [];
      const compiled = pipeline.map((one) => doc(one));
      for await (const batch of runPipeline(compiled, source(), pipelineContext()))
        found.push(...batch.map((one) => plain(show(one))));
      const expected = plain(JSON.stringify(aggregate(structuredClone(all), structuredClone(pipeline)))) as unknown[];
      const grouped = pipeline.some((one) => '$group' in one);
      if (grouped) expect(inOrder(found)).toEqual(inOrder(expected));
      else expect(found).toEqual(expected);
    }),
    { numRuns: 1500 },
  );
});

const update = fc.oneof(
  number.map((n) => ({ $set: { n, 'inner.x': n, 'new.deep': n } })),
  number.map((n) => ({ $inc: { n, 'inner.x': 1 } })),
  number.map((n) => ({ $mul: { n } })),
  number.map((n) => ({ $min: { n }, $max: { 'inner.x': n } })),
  fc.constant({ $unset: { s: '', 'inner.y': '' } }),
  fc.constant({ $rename: { s: 't' } }),
  fc.array(number, { maxLength: 3 }).map(($each) => ({ $push: { list: { $each } } })),
  fc
    .tuple(fc.array(number, { maxLength: 3 }), fc.integer({ min: 0, max: 3 }), fc.integer({ min: -3, max: 3 }))
    .map(([$each, $position, $slice]) => ({ $push: { list: { $each, $position, $slice } } })),
  fc.array(number, { maxLength: 3 }).map(($each) => ({ $push: { list: { $each, $sort: 1 } } })),
  fc.array(number, { maxLength: 3 }).map(($each) => ({ $addToSet: { list: { $each } } })),
  fc.constantFrom(1, -1).map((end) => ({ $pop: { list: end } })),
  number.map((n) => ({ $pull: { list: { $gte: n } } })),
  number.map((n) => ({ $pull: { all: { x: n } } })),
  fc.array(number, { maxLength: 3 }).map((gone) => ({ $pullAll: { list: gone } })),
  number.map((n) => ({ $inc: { 'all.$[].x': n } })),
);

test('an update makes what mingo makes', () => {
  fc.assert(
    fc.property(document, update, (fields, change) => {
      const before = JSON.parse(JSON.stringify({ _id: 0, ...fields })) as { _id: number };
      const after = plain(show(compileUpdate(doc(change), { context }).apply(doc(before), {})));
      const expected = [structuredClone(before)];
      updateOne(expected, { _id: 0 }, change as object);
      // Also zeros alike.
      expect(after).toEqual(plain(JSON.stringify(expected[0])));
    }),
    { numRuns: 1500 },
  );
});

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Collator, compare, type Doc, doc, encode } from '../../../src/bson/index.ts';
import { compileSort } from '../../../src/query/index.ts';
import { NS, Stage } from './stage.ts';

const scalar = fc.constantFrom<unknown>(
  null,
  1,
  2,
  2.5,
  3,
  10n,
  'a',
  'A',
  'ab',
  'B',
  'á',
  true,
  new Date(5),
  Number.NaN,
);
const small = fc.record({ x: scalar, y: scalar }, { requiredKeys: [] });
const element = fc.oneof({ weight: 3, arbitrary: scalar }, small, fc.array(scalar, { maxLength: 2 }));
const nested = fc.record(
  { x: fc.oneof(scalar, fc.array(scalar, { maxLength: 2 })), y: fc.oneof(scalar, fc.array(scalar, { maxLength: 2 })) },
  { requiredKeys: [] },
);
const fieldValue = fc.oneof(
  { weight: 4, arbitrary: scalar },
  fc.array(element, { maxLength: 3 }),
  fc.array(nested, { maxLength: 3 }),
  nested,
);
const document = fc.record({ a: fieldValue, b: fieldValue, c: scalar }, { requiredKeys: [] });
/** Indexes stand in for documents without arrays alone. */
const arrayless = fc.record(
  { a: fc.oneof(scalar, small), b: fc.oneof(scalar, small), c: scalar },
  { requiredKeys: [] },
);

const PATHS = ['a', 'b', 'c', 'a.x', 'a.y', 'b.x'];
const path = fc.constantFrom(...PATHS);
const operand = fc.oneof({ weight: 5, arbitrary: scalar }, fc.array(scalar, { maxLength: 2 }), small);
const rangeOperators = fc
  .record({ $gt: operand, $gte: operand, $lt: operand, $lte: operand }, { requiredKeys: [] })
  .filter((operators) => Object.keys(operators).length > 0);
const regex = fc.constantFrom(/^a/, /^ab?$/, /b/, /^a.*/, /^A/i);
const list = fc.array(fc.oneof({ weight: 8, arbitrary: operand }, regex), { maxLength: 4 });
const operators: fc.Arbitrary<object> = fc.oneof(
  { weight: 4, arbitrary: rangeOperators },
  fc.record({ $eq: operand }),
  fc.record({ $ne: operand }),
  fc.record({ $in: list }),
  fc.record({ $nin: list }),
  fc.record({ $exists: fc.boolean() }),
  fc.record({ $type: fc.constantFrom('number', 'string', 'null', 'array', 'double', 'date', 'object', 'undefined') }),
  fc.record({ $mod: fc.constant([2, 1]) }),
  fc.record({ $all: fc.array(operand, { minLength: 1, maxLength: 2 }) }),
  fc.record({ $not: rangeOperators }),
  fc.record({ $elemMatch: rangeOperators }),
  fc.record({ $elemMatch: fc.record({ x: fc.oneof(operand, rangeOperators), y: operand }, { requiredKeys: ['x'] }) }),
);
const condition = fc.oneof(operand, regex, operators);
const flat = fc
  .array(fc.tuple(path, condition), { minLength: 1, maxLength: 3 })
  .map((entries): object => Object.fromEntries(entries));
const filter: fc.Arbitrary<object> = fc.oneof(
  { weight: 5, arbitrary: flat },
  fc.record({ $and: fc.array(flat, { minLength: 1, maxLength: 2 }) }),
  fc.record({ $or: fc.array(flat, { minLength: 1, maxLength: 3 }) }),
  fc.tuple(flat, flat, flat).map(([one, two, three]) => ({ ...one, $or: [two, three] })),
  fc.record({ $nor: fc.array(flat, { minLength: 1, maxLength: 2 }) }),
);
const direction = fc.constantFrom(1, -1);
const pattern = fc
  .uniqueArray(fc.tuple(path, direction), { minLength: 1, maxLength: 3, selector: ([name]) => name })
  .map((entries): object => Object.fromEntries(entries));
/** Upper and lower case are one, or accents too; the last is the order without a collation, asked for by name. */
const collation = fc.constantFrom<object | undefined>(
  undefined,
  undefined,
  { locale: 'en', strength: 2 },
  { locale: 'en', strength: 1 },
  { locale: 'simple' },
);
const special: fc.Arbitrary<[object, object]> = fc.constantFrom<[object, object]>(
  [{ c: 'hashed' }, {}],
  [{ 'a.x': 'hashed', b: 1 }, {}],
  [{ b: -1, c: 'hashed', a: 1 }, { sparse: true }],
  [{ '$**': 1 }, {}],
  [{ '$**': -1 }, { wildcardProjection: { a: 1 } }],
  [{ '$**': 1 }, { wildcardProjection: { 'a.x': 0, b: 0 } }],
  [{ 'a.$**': 1 }, {}],
  [{ c: 1, 'a.$**': -1 }, {}],
  [{ 'a.$**': 1, c: 1, b: 1 }, {}],
);
const plainIndex: fc.Arbitrary<[object, object, object | undefined]> = fc.tuple(
  pattern,
  fc.oneof(
    { weight: 3, arbitrary: fc.constant({}) },
    fc.constant({ sparse: true }),
    fc.record({
      partialFilterExpression: fc.oneof(
        fc.record({ c: fc.record({ $gt: fc.constantFrom(1, 'a') }) }),
        fc.record({ a: fc.record({ $exists: fc.constant(true) }) }),
      ),
    }),
  ),
  collation,
);
const specialIndex = fc
  .tuple(special, collation)
  .map(([[key, options], order]): [object, object, object | undefined] => [key, options, order]);
const index = fc.oneof({ weight: 2, arbitrary: plainIndex }, specialIndex);
const query = fc.record({
  filter,
  sort: fc.option(pattern, { nil: undefined }),
  limit: fc.constantFrom(0, 0, 0, 2),
  collation,
  projection: fc.constantFrom<object>(
    { c: 1, _id: 0 },
    { a: 1, _id: 0 },
    { _id: 0, b: true, c: 1 },
    { _id: 1 },
    { c: 1 },
    { 'a.x': 1, _id: 0 },
    { 'a.y': 1, 'a.x': 1, c: 1, _id: 0 },
    { 'b.x': 1, 'a.x': 1, _id: 0 },
  ),
});

const shown = (value: unknown) =>
  JSON.stringify(value, (_, each) =>
    typeof each === 'bigint' ? `${each}n` : each instanceof RegExp ? String(each) : each,
  );

test('a plan by index gives what a scan gives, in the order asked for', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(document, arrayless).chain((each) => fc.array(each, { minLength: 5, maxLength: 25 })),
      fc.uniqueArray(index, { minLength: 1, maxLength: 3, selector: ([key]) => JSON.stringify(key) }),
      fc.array(query, { minLength: 5, maxLength: 12 }),
      async (documents, indexes, queries) => {
        const stage = await Stage.open();
        const specs = indexes.map(([key, options, order], n) =>
          doc({ key, name: `i${n}`, ...options, collation: order }),
        );
        await stage.run(stage.engine.createIndexes(NS, specs));
        // What an index cannot hold (parallel arrays) is left out.
        await stage.insert(
          documents.map((each, n) => ({ _id: n, ...each })),
          { ordered: false },
        );
        const stored = await stage.find();
        for (const { filter: asked, sort: by, limit, collation: order, projection } of queries) {
          const sort = by && doc(by);
          const collation = order && doc(order);
          const compareBy = sort ? compileSort(sort, Collator.of(collation)) : () => 0;
          if (stored.some((each) => !isSortable(each, compareBy))) continue;
          const natural = await stage.find(asked, { hint: doc({ $natural: 1 }), sort, collation });
          const seen = async (hint: string | Doc | undefined) =>
            (await stage.find(asked, { hint, collation, projection: doc(projection) })).map(bytesOf).sort();
          const expected = await seen(doc({ $natural: 1 }));
          const hints = indexes.flatMap(([key, options], n) =>
            Object.keys(options).length > 0 || hasWildcard(key) ? [] : [`i${n}`],
          );
          for (const hint of [undefined, ...hints]) {
            const found = await stage.find(asked, { sort, hint, limit, collation });
            const label = `${shown(asked)} by ${hint} sorted ${shown(by)} under ${shown(order)}`;
            if (limit === 0) expect(ids(found).sort(), label).toEqual(ids(natural).sort());
            else expect(found.length, label).toBe(Math.min(limit, natural.length));
            const place = (each: Doc, at: number) => compareBy(each, natural[at]!);
            if (sort) expect(found.map(place), label).toEqual(found.map(() => 0));
            else expect(ids(natural), label).toEqual(expect.arrayContaining(ids(found)));
            expect(await seen(hint), `${label} ${shown(projection)}`).toEqual(expected);
          }
          const [path] = Object.keys(projection).filter((name) => name !== '_id');
          const values = async (asking: object) =>
            await stage.run(stage.engine.distinct(NS, path ?? '_id', stage.query(asked, { collation, ...asking })));
          const distinct = { distinct: path ?? '_id', paths: new Set([path ?? '_id']) };
          expect(await values(distinct), `distinct ${path} of ${shown(asked)}`).toEqual(await values({}));
          const groups = async (hint?: Doc) => {
            const stages = [{ $match: asked }, { $group: { _id: `$${path ?? '_id'}` } }];
            const all = (await stage.aggregate(stages, { hint, collation })).map(bytesOf).sort();
            // Which of the texts that are one stands for them, the order of the plan tells.
            return order ? all.length : all;
          };
          expect(await groups(), `groups by ${path} of ${shown(asked)}`).toEqual(await groups(doc({ $natural: 1 })));
          if (!order && path !== undefined && path !== 'c' && stored.every((each) => !hasArray(each))) {
            const extremes = async (operator: string, hint?: Doc) => {
              const group = { _id: `$${path}`, c: { [operator]: '$c' } };
              const stages = [{ $match: asked }, { $sort: { [path]: 1, c: -1 } }, { $group: group }];
              const all = await stage.aggregate(stages, { hint });
              return all.sort((left, right) => compare(left.get('_id'), right.get('_id')));
            };
            for (const operator of ['$first', '$last']) {
              const expected = await extremes(operator, doc({ $natural: 1 }));
              const found = await extremes(operator);
              const label = `${operator} by ${path} of ${shown(asked)}`;
              expect(found.length, label).toBe(expected.length);
              // Of values that are equal any may be the first.
              const differ = (each: Doc, at: number) => compare(each.get('c'), expected[at]!.get('c'));
              expect(found.map(differ), label).toEqual(found.map(() => 0));
            }
          }
          const counted = await stage.run(stage.engine.count(NS, stage.query(asked, { collation })));
          expect(counted, shown(asked)).toBe(natural.length);
        }
      },
    ),
    { numRuns: 100 },
  );
}, 60_000);

const hasArray = (each: Doc): boolean =>
  [...each.values()].some((value) => Array.isArray(value) || (value instanceof Map && hasArray(value)));

const hasWildcard = (key: object) => Object.keys(key).some((path) => path.endsWith('$**'));

/** What a document holds, to the byte, in whatever order. */
const bytesOf = (each: Doc) => Buffer.from(encode(byName(each))).toString('hex');

function byName(each: Doc): Doc {
  const sorted = [...each].sort(([left], [right]) => (left < right ? -1 : 1));
  return new Map(sorted.map(([name, value]) => [name, value instanceof Map ? byName(value) : value]));
}

const ids = (docs: readonly Doc[]) => docs.map((each) => Number(each.get('_id')));

/** No sort has a place for a document with arrays in two of its fields. */
function isSortable(each: Doc, compareBy: (left: Doc, right: Doc) => number): boolean {
  try {
    return compareBy(each, each) === 0;
  } catch (error) {
    if (String(error).includes('parallel arrays')) return false;
    throw error;
  }
}

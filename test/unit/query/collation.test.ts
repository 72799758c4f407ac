import { describe, expect, test } from 'vitest';
import { BSONRegExp, BSONSymbol, Collator, doc, encode, keptDoc } from '../../../src/bson/index.ts';
import { compileFilter, compileSort, compileUpdate, type QueryContext } from '../../../src/query/index.ts';
import { context as plain, show } from './support.ts';

const collated = (options: object): QueryContext => ({ ...plain, collator: Collator.of(doc(options)) });
/** Upper and lower case are one, accents are not. */
const context = collated({ locale: 'en', strength: 2 });
const numeric = collated({ locale: 'en', numericOrdering: true });

describe('a filter under a collation', () => {
  test.each([
    [{ a: 'x' }, { a: 'X' }, true],
    [{ a: 'x' }, { a: 'ẋ' }, false],
    [{ a: 'x' }, { a: ['y', 'X'] }, true],
    [{ a: 'x' }, { a: new BSONSymbol('X') }, true],
    [{ a: { $eq: { b: ['x'] } } }, { a: { b: ['X'] } }, true],
    [{ a: { $eq: { b: 'x' } } }, { a: { B: 'x' } }, false],
    [{ a: { $ne: 'x' } }, { a: 'X' }, false],
    [{ a: { $gt: 'x' } }, { a: 'X' }, false],
    [{ a: { $gte: 'x' } }, { a: 'X' }, true],
    [{ a: { $lt: 'b' } }, { a: 'A' }, true],
    [{ a: { $lt: 'B' } }, { a: 'a' }, true],
    [{ a: { $lte: 'X' } }, { a: 'x' }, true],
    [{ a: { $gt: 5 } }, { a: 'x' }, false],
    [{ a: { $in: ['y', 'X'] } }, { a: 'x' }, true],
    [{ a: { $in: ['y', 5] } }, { a: 'Y' }, true],
    [{ a: { $nin: ['y', 'X'] } }, { a: 'x' }, false],
    [{ a: { $all: ['x', 'Y'] } }, { a: ['y', 'X'] }, true],
    [{ a: { $elemMatch: { $eq: 'x' } } }, { a: ['X'] }, true],
    [{ a: { $elemMatch: { b: { $in: ['x'] } } } }, { a: [{ b: 'X' }] }, true],
    [{ a: { $not: { $eq: 'x' } } }, { a: 'X' }, false],
    [{ $or: [{ a: 'x' }, { a: 'y' }] }, { a: 'Y' }, true],
    [{ $nor: [{ a: 'x' }] }, { a: 'X' }, false],
    [{ a: new BSONRegExp('^x') }, { a: 'X' }, false],
    [{ a: { $in: [new BSONRegExp('x')] } }, { a: 'X' }, false],
    [{ a: { $type: 'string' } }, { a: 'X' }, true],
    [{ $expr: { $eq: ['$a', 'x'] } }, { a: 'X' }, true],
    [{ $jsonSchema: { properties: { a: { enum: ['x'] } } } }, { a: 'X' }, false],
  ])('%o of %o: %s', (filter, document, matches) => {
    const compiled = compileFilter(doc(filter), context);
    expect(compiled.matches(doc(document))).toBe(matches);
    const kept = keptDoc(encode(doc(document)));
    expect(compiled.matches(kept)).toBe(matches);
  });

  test('compares numbers within texts', () => {
    const filter = compileFilter(doc({ a: { $gt: 'x9', $lt: 'x11' } }), numeric);
    expect(['x10', 'x8', 'x9', 'x100'].map((a) => filter.matches(doc({ a })))).toEqual([true, false, false, false]);
  });
});

test('a sort follows the collation, arrays by their extreme elements', () => {
  const order = compileSort(doc({ a: 1 }), numeric.collator);
  const sorted = [{ a: 'x10' }, { a: ['x9', 'x2'] }, { a: 'X1' }, { a: 7 }, { a: 'x1' }].map((each) => doc(each));
  expect(sorted.sort(order).map(show)).toEqual(
    [{ a: 7 }, { a: 'x1' }, { a: 'X1' }, { a: ['x9', 'x2'] }, { a: 'x10' }].map((each) => show(doc(each))),
  );
});

describe('an update under a collation', () => {
  test.each([
    ['$pull', { $pull: { a: 'x' } }, { a: ['X', 'y'] }, { a: ['y'] }],
    ['$pull by condition', { $pull: { a: { $in: ['x'] } } }, { a: ['X', 'y'] }, { a: ['y'] }],
    ['$pull by filter', { $pull: { a: { b: 'x' } } }, { a: [{ b: 'X' }, { b: 'y' }] }, { a: [{ b: 'y' }] }],
    ['$pullAll', { $pullAll: { a: ['x', 'y'] } }, { a: ['X', 'Y', 'z'] }, { a: ['z'] }],
    ['$addToSet', { $addToSet: { a: { $each: ['x', 'z', 'Z'] } } }, { a: ['X'] }, { a: ['X', 'z'] }],
    ['$min', { $min: { a: 'X' } }, { a: 'x' }, { a: 'x' }],
    ['$min by order', { $min: { a: 'a' } }, { a: 'B' }, { a: 'a' }],
    ['$max by order', { $max: { a: 'B' } }, { a: 'a' }, { a: 'B' }],
    ['$push and $sort', { $push: { a: { $each: ['B'], $sort: 1 } } }, { a: ['c', 'a'] }, { a: ['a', 'B', 'c'] }],
    [
      '$push and $sort by field',
      { $push: { a: { $each: [{ b: 'B' }], $sort: { b: -1 } } } },
      { a: [{ b: 'a' }, { b: 'c' }] },
      { a: [{ b: 'c' }, { b: 'B' }, { b: 'a' }] },
    ],
    ['$set', { $set: { a: 'X' } }, { a: 'x' }, { a: 'X' }],
  ])('%s', (_, update, before, after) => {
    expect(show(compileUpdate(doc(update), { context }).apply(doc(before), {}))).toBe(show(doc(after)));
  });

  test('arrayFilters', () => {
    const updater = compileUpdate(doc({ $set: { 'a.$[e]': 1 } }), { context, arrayFilters: [doc({ e: 'x' })] });
    expect(show(updater.apply(doc({ a: ['X', 'y'] }), {}))).toBe(show(doc({ a: [1, 'y'] })));
  });

  test('the _id stays as it is, letter by letter', () => {
    const updater = compileUpdate(doc({ _id: 'X' }), { context });
    expect(() => updater.apply(doc({ _id: 'x' }), {})).toThrow(expect.objectContaining({ codeName: 'ImmutableField' }));
  });
});

import { expect, it } from 'vitest';
import { doc } from '../../../src/bson/index.ts';
import { findOrMake, type Work } from '../../../src/engine/match.ts';
import { duplicateKeyError } from '../../../src/indexes/index.ts';

/** An upsert that finds nothing, perhaps after a fetch, and whose document somebody else has made by then. */
function run(filter: object, keyValue: object, fetches: boolean): string[] {
  const done: string[] = [];
  function* look(): Work<boolean> {
    done.push('look');
    if (fetches && done.length === 1) yield [];
    return done.includes('make');
  }
  const make = () => {
    done.push('make');
    const pattern = Object.fromEntries(Object.keys(keyValue).map((path) => [path, 1]));
    throw duplicateKeyError('db.coll', { name: 'index', key: doc(pattern) }, doc(keyValue));
  };
  const work = findOrMake(doc(filter), look, make);
  while (!work.next(new Map()).done);
  return done;
}

it.each([
  ['the _id', { _id: 'a' }, { _id: 'a' }],
  ['the _id, as an operator', { _id: { $eq: 'a' } }, { _id: 'a' }],
  ['a compound key, in another order', { b: 2, a: 1 }, { a: 1, b: 2 }],
])('what somebody made during a fetch is looked for again, where the filter asks for %s', (_, filter, keyValue) => {
  expect(run(filter, keyValue, true)).toEqual(['look', 'make', 'look']);
});

it.each([
  ['asks for more', { _id: 'a', g: 1 }, { _id: 'a' }],
  ['asks for another key', { u: 1 }, { _id: 'a' }],
  ['asks for another value', { _id: 'a' }, { _id: 'b' }],
  ['asks for a range', { _id: { $gte: 'a' } }, { _id: 'a' }],
])('the duplicate key is refused where the filter %s', (_, filter, keyValue) => {
  expect(() => run(filter, keyValue, true)).toThrow('E11000');
});

it('the duplicate key is refused where nothing can have come between', () => {
  expect(() => run({ _id: 'a' }, { _id: 'a' }, false)).toThrow('E11000');
});

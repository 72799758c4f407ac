import fc from 'fast-check';
import { expect, test } from 'vitest';
import { CodedError } from '../../../src/base/index.ts';
import { compare, type Doc, doc, type Value } from '../../../src/bson/index.ts';
import { compileSort } from '../../../src/query/index.ts';
import { anyValue } from '../bson/arbitraries.ts';

/** Few values, so that many are equal, and any value at all. */
const few = fc.constantFrom<Value>(null, undefined, 1, 2, 1n, 'a', 'b', '', Number.NaN, true, new Date(0));
const scalar = fc.oneof({ weight: 5, arbitrary: few }, anyValue);
const small = fc.dictionary(fc.constantFrom('x', 'y'), scalar).map((fields): Value => new Map(Object.entries(fields)));
const value = fc.oneof({ weight: 3, arbitrary: scalar }, fc.array(fc.oneof(scalar, small), { maxLength: 3 }), small);
const document = fc.dictionary(fc.constantFrom('a', 'b'), value).map((fields): Doc => new Map(Object.entries(fields)));
const sorts = fc
  .uniqueArray(fc.tuple(fc.constantFrom('a', 'b', 'a.x', 'b.y'), fc.constantFrom(1, -1)), {
    minLength: 1,
    maxLength: 3,
    selector: ([path]) => path,
  })
  .map((keys) => doc(Object.fromEntries(keys)));

/** Undefined where the document cannot be sorted: two keys through arrays of their own. */
function order(sort: Doc, left: Doc, right: Doc): number | undefined {
  try {
    return Math.sign(compileSort(sort)(left, right));
  } catch (error) {
    if (error instanceof CodedError && error.message === 'cannot sort with keys that are parallel arrays')
      return undefined;
    throw error;
  }
}

test('a sort is a total order: antisymmetric, transitive, and every document is its own equal', () => {
  fc.assert(
    fc.property(sorts, document, document, document, (sort, one, two, three) => {
      const between = (left: Doc, right: Doc) => order(sort, left, right);
      if ([between(one, one), between(two, two), between(three, three)].includes(undefined)) return;
      expect([between(one, one), between(two, two), between(three, three)]).toEqual([0, 0, 0]);
      const first = between(one, two)!;
      const second = between(two, three)!;
      const third = between(one, three)!;
      expect(between(two, one)! + first).toBe(0);
      if (first <= 0 && second <= 0) {
        expect(third).toBeLessThanOrEqual(0);
        // Equal documents are equal to the same ones.
        if (first < 0 || second < 0) expect(third).toBeLessThan(0);
      }
    }),
    { numRuns: 5000 },
  );
});

test('the order of values is one, too', () => {
  fc.assert(
    fc.property(scalar, scalar, scalar, (one, two, three) => {
      expect(compare(one, one)).toBe(0);
      expect(Math.sign(compare(one, two)) + Math.sign(compare(two, one))).toBe(0);
      if (compare(one, two) <= 0 && compare(two, three) <= 0) expect(compare(one, three)).toBeLessThanOrEqual(0);
    }),
    { numRuns: 5000 },
  );
});

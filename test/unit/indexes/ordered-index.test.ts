import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compare, type Doc, doc, MaxKey, ObjectId, toValue, type Value } from '../../../src/bson/index.ts';
import {
  EVERYTHING,
  type IndexOptions,
  type Interval,
  interval,
  isDescending,
  type KeyRange,
  keyPrefix,
  keyRange,
  kindOf,
  NUMBERS,
  OrderedIndex,
  point,
  TEXTS,
} from '../../../src/indexes/index.ts';
import { anyValue, numeric } from '../bson/arbitraries.ts';

function emptyIndex(key: object, options: Partial<IndexOptions> & { sparse?: boolean } = {}): OrderedIndex {
  const definition = doc({ key, sparse: options.sparse });
  return new OrderedIndex({ ...options, key: doc(key), generator: kindOf(doc(key)).generator(definition) });
}

function indexOf(key: object, docs: readonly object[], options: Parameters<typeof emptyIndex>[1] = {}): OrderedIndex {
  const index = emptyIndex(key, options);
  docs.forEach((literal, at) => {
    index.insert(at + 1, doc(literal));
  });
  return index;
}

/** The stretch of an index after some fields' values, where the next one lies in an interval. */
function stretch(index: OrderedIndex, values: readonly Value[], next: Interval = EVERYTHING[0]!): KeyRange {
  const descending = [...index.pattern.values()].map(isDescending);
  return keyRange(keyPrefix(descending, values), next, descending[values.length]);
}

const ids = (index: OrderedIndex, range?: Parameters<OrderedIndex['scan']>[0]) =>
  [...index.scan(range)].map((entry) => entry.recordId);

describe('an ordered index', () => {
  test('gives records in the order of the key, equal keys in the order of the records', () => {
    const index = indexOf({ a: 1, b: -1 }, [{ a: 2 }, { a: 1, b: 1 }, { a: 1, b: 2 }, {}, { a: 1, b: 1 }]);
    expect(ids(index)).toEqual([4, 3, 2, 5, 1]);
    expect(ids(index, { reverse: true })).toEqual([1, 5, 2, 3, 4]);
  });

  test('forgets what is removed, and counts', () => {
    const index = indexOf({ a: 1 }, [{ a: [1, 2, 2] }, { a: 3 }]);
    expect(index.size).toBe(3);
    expect(index.bytes).toBeGreaterThan(0);
    index.remove(1, doc({ a: [1, 2, 2] }));
    index.remove(1, doc({ a: 1 }));
    expect(ids(index)).toEqual([2]);
    index.remove(2, doc({ a: 3 }));
    expect([index.size, index.bytes]).toEqual([0, 0]);
    expect(ids(index, { reverse: true })).toEqual([]);
  });

  test('is multikey from the first array on', () => {
    const index = indexOf({ 'a.b': 1 }, [{ a: { b: 1 } }]);
    expect(index.multikey).toBe(false);
    index.insert(2, doc({ a: [{ b: 1 }] }));
    index.remove(2, doc({ a: [{ b: 1 }] }));
    expect(index.multikey).toBe(true);
  });

  test('tells missing as null from an empty array', () => {
    const index = indexOf({ a: 1 }, [{}, { a: null }, { a: [] }]);
    expect(ids(index, stretch(index, [null]))).toEqual([1, 2]);
    expect(ids(index, stretch(index, [undefined]))).toEqual([3]);
  });

  test('sparse leaves out documents with none of the fields', () => {
    const docs = [{}, { a: 1 }, { b: 1 }, { a: [{ c: 1 }] }];
    expect(ids(indexOf({ a: 1, b: 1 }, docs, { sparse: true }))).toEqual([3, 2, 4]);
    expect(ids(indexOf({ a: 1 }, docs, { sparse: true }))).toEqual([2, 4]);
  });

  test('partial leaves out what the expression refuses', () => {
    const partial = (candidate: Doc) => candidate.has('b');
    const index = indexOf({ a: 1 }, [{ a: 1 }, { a: 1, b: 1 }], { partial, unique: true });
    expect(ids(index)).toEqual([2]);
    expect(index.conflict(3, doc({ a: 1 }))).toBeUndefined();
    expect(index.conflict(3, doc({ a: 1, b: 2 }))).toEqual({ recordId: 2, keyValue: doc({ a: 1 }) });
  });

  test('an error leaves it as it was', () => {
    const index = indexOf({ a: 1, b: 1 }, []);
    expect(() => index.insert(1, doc({ a: [1], b: [1] }))).toThrow('cannot index parallel arrays');
    expect([index.size, index.multikey]).toEqual([0, false]);
    expect(() => index.insert(0, doc({}))).toThrow('positive safe integer');
  });

  test('keeps records with ids up to the largest apart and in order', () => {
    const index = indexOf({ a: 1 }, []);
    const records = [Number.MAX_SAFE_INTEGER, 2 ** 32, 2 ** 32 - 1, 1, 2 ** 48 + 255];
    for (const record of records) index.insert(record, doc({ a: 'x' }));
    expect(ids(index)).toEqual(records.sort((a, b) => a - b));
  });
});

describe('a unique index', () => {
  test('names the key that another record has', () => {
    const index = indexOf({ a: 1, 'b.c': 1 }, [{ a: 1, b: { c: 'x' } }], { unique: true });
    expect(index.conflict(2, doc({ a: 1n, b: { c: 'x' } }))).toEqual({
      recordId: 1,
      keyValue: new Map<string, Value>([
        ['a', 1n],
        ['b.c', 'x'],
      ]),
    });
    expect(index.conflict(1, doc({ a: 1, b: { c: 'x' } }))).toBeUndefined();
    expect(index.conflict(2, doc({ a: 1, b: { c: 'y' } }))).toBeUndefined();
  });

  test('takes missing for null, and looks at every element', () => {
    const index = indexOf({ a: 1 }, [{}, { a: ['x', 'y'] }], { unique: true });
    expect(index.conflict(3, doc({ a: null }))?.recordId).toBe(1);
    expect(index.conflict(3, doc({ a: ['z', 'y'] }))).toEqual({ recordId: 2, keyValue: doc({ a: 'y' }) });
    expect(indexOf({ a: 1 }, [{}], { unique: true, sparse: true }).conflict(2, doc({}))).toBeUndefined();
  });

  test('only a unique one conflicts', () => {
    expect(indexOf({ a: 1 }, [{ a: 1 }]).conflict(2, doc({ a: 1 }))).toBeUndefined();
  });
});

describe('a scan', () => {
  const docs = [1, 2, 2, 3, 'x', null, Number.NaN, Number.NEGATIVE_INFINITY].map((a) => ({ a }));

  test.each([
    ['above', interval(2, false, NUMBERS.high, true), [4]],
    ['from', interval(2, true, NUMBERS.high, true), [2, 3, 4]],
    ['below', interval(NUMBERS.low, true, 2, false), [8, 1]],
    ['up to', interval(NUMBERS.low, true, 2, true), [8, 1, 2, 3]],
    ['NaN', point(Number.NaN), [7]],
    ['between', interval(1, false, 3, false), [2, 3]],
    ['a type', TEXTS, [5]],
    ['null', point(null), [6]],
    ['everything', EVERYTHING[0]!, [6, 7, 8, 1, 2, 3, 4, 5]],
  ] satisfies [string, Interval, number[]][])('%s, up and down, in either index', (_, range, expected) => {
    for (const direction of [1, -1]) {
      const index = indexOf({ a: direction }, docs);
      const found = ids(index, stretch(index, [], range));
      expect([...found].sort()).toEqual([...expected].sort());
      expect(ids(index, { ...stretch(index, [], range), reverse: true })).toEqual(found.reverse());
    }
    const index = indexOf({ a: 1 }, docs);
    expect(ids(index, stretch(index, [], range))).toEqual(expected);
  });

  test('by the first fields, then by a range of the next', () => {
    const index = indexOf({ a: 1, b: -1 }, [
      { a: 1, b: 1 },
      { a: 1, b: 2 },
      { a: 1, b: 'x' },
      { a: 2, b: 1 },
      { a: 11 },
    ]);
    const one = [toValue(1)];
    expect(ids(index, stretch(index, one))).toEqual([3, 2, 1]);
    expect(ids(index, stretch(index, one, interval(1, false, NUMBERS.high, true)))).toEqual([2]);
    expect(ids(index, stretch(index, [toValue(1), toValue(2)]))).toEqual([2]);
  });

  test('leaves out a whole value, whatever the next field is', () => {
    const rest = [null, 1, 'x', {}, [[]], new ObjectId(), true, new Date(0), new MaxKey()];
    for (const [a, b] of [
      [1, 1],
      [1, -1],
      [-1, 1],
      [-1, -1],
    ]) {
      const index = indexOf({ a, b }, [...rest.map((value) => ({ a: 1, b: value })), { a: 2 }, { a: 0 }]);
      const above = stretch(index, [], interval(1, false, NUMBERS.high, true));
      const upTo = stretch(index, [], interval(NUMBERS.low, true, 1, true));
      for (const reverse of [false, true]) {
        expect(ids(index, { ...above, reverse })).toEqual([rest.length + 1]);
        expect(ids(index, { ...upTo, reverse })).toHaveLength(rest.length + 1);
      }
    }
  });

  test('gives each entry once while others come and go', () => {
    for (const reverse of [false, true]) {
      const index = indexOf({ a: 1 }, [{ a: 1 }, { a: 2 }, { a: 3 }]);
      const seen: number[] = [];
      for (const { recordId } of index.scan({ reverse })) {
        seen.push(recordId);
        index.insert(100 + recordId, doc({ a: reverse ? 9 : -9 }));
      }
      expect(seen).toEqual(reverse ? [3, 2, 1] : [1, 2, 3]);
    }
  });

  test('goes on where it was when the index changes', () => {
    for (const reverse of [false, true]) {
      const index = indexOf({ a: 1 }, [{ a: 1 }, { a: 3 }, { a: 5 }]);
      const seen: number[] = [];
      for (const { recordId } of index.scan({ reverse })) {
        seen.push(recordId);
        if (recordId !== 2) continue;
        index.remove(2, doc({ a: 3 }));
        index.insert(4, doc({ a: 4 }));
        index.insert(5, doc({ a: 2 }));
      }
      expect(seen).toEqual(reverse ? [3, 2, 5, 1] : [1, 2, 4, 3]);
    }
  });
});

describe('for any documents', () => {
  const pair = fc.tuple(anyValue, anyValue).map(
    ([a, b]): Doc =>
      new Map([
        ['a', a],
        ['b', b],
      ]),
  );
  const direction = fc.constantFrom(1, -1);

  test('the order is that of the fields', () => {
    fc.assert(
      fc.property(fc.array(pair, { maxLength: 12 }), direction, direction, (docs, down, up) => {
        const single = docs.filter(
          (candidate) => !Array.isArray(candidate.get('a')) && !Array.isArray(candidate.get('b')),
        );
        const index = emptyIndex({ a: down, b: up });
        single.forEach((candidate, at) => {
          index.insert(at + 1, candidate);
        });
        const sorted = single
          .map((value, at) => ({ value, id: at + 1 }))
          .sort(
            (x, y) =>
              compare(x.value.get('a'), y.value.get('a')) * down ||
              compare(x.value.get('b'), y.value.get('b')) * up ||
              x.id - y.id,
          );
        expect(ids(index)).toEqual(sorted.map(({ id }) => id));
      }),
    );
  });

  function isWithin(value: Value, { low, lowInclusive, high, highInclusive }: Interval): boolean {
    const [above, below] = [compare(value, low), compare(value, high)];
    return (lowInclusive ? above >= 0 : above > 0) && (highInclusive ? below <= 0 : below < 0);
  }

  const limits = fc.tuple(fc.oneof(numeric, anyValue), fc.oneof(numeric, anyValue), fc.boolean(), fc.boolean());
  const ranges = limits.map(([one, other, lowInclusive, highInclusive]) => {
    const [low, high] = compare(one, other) <= 0 ? [one, other] : [other, one];
    return interval(low, lowInclusive, high, highInclusive);
  });

  test('a range finds what lies in it, after equal fields or at once', () => {
    const values = fc.array(fc.tuple(fc.constantFrom('x', 'y', 1), fc.oneof(numeric, anyValue)), { maxLength: 16 });
    fc.assert(
      fc.property(values, ranges, direction, direction, (pairs, range, first, second) => {
        const single = pairs.filter(([, value]) => !Array.isArray(value));
        const compound = emptyIndex({ a: first, b: second });
        const simple = emptyIndex({ b: second });
        single.forEach(([a, b], at) => {
          for (const index of [compound, simple])
            index.insert(
              at + 1,
              new Map<string, Value>([
                ['a', a],
                ['b', b],
              ]),
            );
        });
        const expected = single.flatMap(([a, b], at) => (isWithin(b, range) ? [{ a, id: at + 1 }] : []));
        const found = (index: OrderedIndex, prefix: Value[], reverse: boolean) =>
          ids(index, { ...stretch(index, prefix, range), reverse }).sort((x, y) => x - y);
        for (const reverse of [false, true]) {
          expect(found(simple, [], reverse)).toEqual(expected.map(({ id }) => id));
          const x = expected.filter(({ a }) => a === 'x').map(({ id }) => id);
          expect(found(compound, ['x'], reverse)).toEqual(x);
        }
      }),
      { numRuns: 500 },
    );
  });
});

import { describe, expect, test } from 'vitest';
import { Decimal128, doc, MaxKey, MinKey, ObjectId, Timestamp } from '../../../src/bson/index.ts';
import { compileSort } from '../../../src/query/index.ts';
import { expectCoded, show } from './support.ts';

function sorted(sort: object, documents: object[]): string[] {
  const docs = documents.map((item) => doc(item));
  return docs.sort(compileSort(doc(sort))).map(show);
}

const shown = (documents: object[]) => documents.map((item) => show(doc(item)));

describe('sort', () => {
  const ORDER = [
    { a: new MinKey() },
    { a: [] },
    {},
    { a: null },
    { a: -1.5 },
    { a: 1 },
    { a: 2n },
    { a: Decimal128.fromString('2.5') },
    { a: 'A' },
    { a: 'a' },
    { a: { b: 1 } },
    { a: new ObjectId('65a000000000000000000001') },
    { a: false },
    { a: true },
    { a: new Date(0) },
    { a: new Timestamp({ t: 1, i: 0 }) },
    { a: new MaxKey() },
  ];
  test('goes through the types in BSON order, a missing field as null', () => {
    expect(
      sorted(
        { a: 1 },
        [...ORDER].reverse().sort(() => 0),
      )[0],
    ).toBe(show(doc(ORDER[0]!)));
    const ascending = sorted({ a: 1 }, ORDER);
    expect(ascending).toEqual(shown(ORDER));
    expect(sorted({ a: -1 }, [{}, { a: 1 }, { a: 'x' }])).toEqual(shown([{ a: 'x' }, { a: 1 }, {}]));
  });

  test('takes arrays by their least element, or their greatest when descending', () => {
    const documents = [{ a: [5, 1] }, { a: 3 }, { a: [2, 9] }];
    expect(sorted({ a: 1 }, documents)).toEqual(shown([{ a: [5, 1] }, { a: [2, 9] }, { a: 3 }]));
    expect(sorted({ a: -1 }, documents)).toEqual(shown([{ a: [2, 9] }, { a: [5, 1] }, { a: 3 }]));
    expect(sorted({ 'a.b': 1 }, [{ a: [{ b: 4 }, { b: 2 }] }, { a: { b: 3 } }])).toEqual(
      shown([{ a: [{ b: 4 }, { b: 2 }] }, { a: { b: 3 } }]),
    );
  });

  test('compares by several keys and is stable', () => {
    const documents = [
      { a: 1, b: 1 },
      { a: 2, b: 2 },
      { a: 1, b: 3 },
      { a: 1, b: 1, c: 1 },
    ];
    expect(sorted({ a: -1, b: -1 }, documents)).toEqual(
      shown([
        { a: 2, b: 2 },
        { a: 1, b: 3 },
        { a: 1, b: 1 },
        { a: 1, b: 1, c: 1 },
      ]),
    );
  });

  test('sorts arrays as the keys of an index would stand', () => {
    const documents = [{ a: [{ b: 2 }, null] }, { a: { b: 1 } }, { a: [{ b: 3 }, { b: 0 }] }];
    expect(sorted({ 'a.b': 1 }, documents)).toEqual(shown([documents[0]!, documents[2]!, documents[1]!]));
    // Keys of one element stay together.
    const pairs = [
      {
        a: [
          { b: 1, c: 9 },
          { b: 5, c: 0 },
        ],
      },
      { a: [{ b: 1, c: 3 }] },
    ];
    expect(sorted({ 'a.b': 1, 'a.c': 1 }, pairs)).toEqual(shown([pairs[1]!, pairs[0]!]));
  });

  test('refuses parallel arrays when it meets them', () => {
    const compare = compileSort(doc({ a: 1, b: 1 }));
    expectCoded(
      () => compare(doc({ a: [1], b: [2] }), doc({ a: 1 })),
      'BadValue',
      'cannot sort with keys that are parallel arrays',
    );
  });

  test.each([
    [{ a: 'x' }, 15974, 'Illegal key in $sort specification: a: "x"'],
    [{ a: 2 }, 15975, '$sort key ordering must be 1 (for ascending) or -1 (for descending)'],
    [{ a: 0 }, 15975, undefined],
    [{ a: { $meta: 'unknown' } }, 31138, 'Illegal $meta sort: $meta: "unknown"'],
    [{ a: { $meta: 'textScore', x: 1 } }, 'FailedToParse', 'Cannot have additional keys in a $meta sort specification'],
    [{ a: { b: 1 } }, 17312, '$meta is the only expression supported by $sort right now'],
    [{ 'a.': 1 }, 40353, undefined],
    [{ $a: 1 }, 16410, undefined],
  ])('%j is refused', (sort, code, message) => {
    expectCoded(() => compileSort(doc(sort)), code, message);
  });
});

import { describe, expect, test } from 'vitest';
import { doc, expandPaths, pathValues, toValue } from '../../../src/bson/index.ts';

describe('pathValues', () => {
  test.each([
    ['a field', { a: 1 }, 'a', [1], false],
    ['a nested field', { a: { b: { c: 1 } } }, 'a.b.c', [1], false],
    ['no field', { b: 1 }, 'a', [], true],
    ['a field below something else', { a: 1 }, 'a.b', [], true],
    ['null', { a: null }, 'a', [null], false],
    ['elements', { a: [1, 2] }, 'a', [1, 2], false],
    ['an empty array', { a: [] }, 'a', [undefined], false],
    ['below an empty array', { a: [] }, 'a.b', [], true],
    ['fields of elements', { a: [{ b: 1 }, { b: 2 }] }, 'a.b', [1, 2], false],
    ['fields of some elements', { a: [{ b: 1 }, {}, 5] }, 'a.b', [1], true],
    ['arrays in elements', { a: [{ b: [1, 2] }, { b: [] }] }, 'a.b', [1, 2, undefined], false],
    ['an array right in an array', { a: [[1, 2], 3] }, 'a', [[1, 2], 3], false],
    ['nothing below an array right in an array', { a: [[{ b: 1 }]] }, 'a.b', [], true],
    ['an element by its number', { a: [5, 6] }, 'a.1', [6], false],
    ['a number that is no index', { a: [5, 6] }, 'a.2', [], true],
    ['a field of an element by its number', { a: [{ b: 1 }, { b: 2 }] }, 'a.1.b', [2], false],
    ['an array in an element by its number', { a: [{ b: [1, 2] }] }, 'a.0.b', [1, 2], false],
    ['an array by its number stays whole', { a: [[1, 2]] }, 'a.0', [[1, 2]], false],
    ['an empty array by its number', { a: [[]] }, 'a.0', [undefined], false],
    ['below an array by its number', { a: [[{ b: 1 }, { b: 2 }]] }, 'a.0.b', [1, 2], false],
    ['a field named as a number', { a: [{ 7: 'x' }] }, 'a.7', ['x'], false],
    ['a field named as a number in an object', { a: { 0: 'x' } }, 'a.0', ['x'], false],
  ])('%s', (_, literal, path, values, missing) => {
    const found = pathValues(doc(literal), path);
    expect(found.values).toEqual(toValue(values));
    expect(found.missing).toBe(missing);
  });

  test('says whether there was an array on the way', () => {
    expect(pathValues(doc({ a: { b: 1 } }), 'a.b').array).toBe(false);
    expect(pathValues(doc({ a: [] }), 'a.b').array).toBe(true);
  });

  test('refuses a number that is an element and a field', () => {
    const ambiguous = doc({ a: [{ 0: 'x' }] });
    expect(() => pathValues(ambiguous, 'a.0')).toThrow(expect.objectContaining({ codeName: 'Location16746' }));
  });
});

describe('expandPaths', () => {
  const rows = (literal: object, ...paths: string[]) =>
    expandPaths(
      doc(literal),
      paths.map((path) => path.split('.')),
    ).rows.map((row) => [...row.values, row.missing]);

  test('goes through a shared array together', () => {
    const shared = { a: [{ b: 1, c: 2 }, { b: 3 }], d: 9 };
    expect(rows(shared, 'a.b', 'a.c', 'd')).toEqual([
      [...[1, 2, 9].map(toValue), 0],
      [...[3, null, 9].map(toValue), 1],
    ]);
  });

  test('repeats other fields for each element', () => {
    expect(rows({ a: ['x', 'y'], b: 'z' }, 'b', 'a')).toEqual([
      ['z', 'x', 0],
      ['z', 'y', 0],
    ]);
  });

  test('mixes an element by its number with all elements', () => {
    expect(rows({ a: ['x', 'y'] }, 'a', 'a.0')).toEqual([
      ['x', 'x', 0],
      ['y', 'x', 0],
    ]);
  });

  test('takes the whole element along with its fields', () => {
    expect(rows({ a: [{ b: 'x' }] }, 'a', 'a.b')).toEqual([[doc({ b: 'x' }), 'x', 0]]);
  });

  test('refuses parallel arrays, at any depth', () => {
    const parallel = (text: string) =>
      expect.objectContaining({ codeName: 'CannotIndexParallelArrays', message: text });
    expect(() => rows({ a: [1], b: [2] }, 'a', 'b')).toThrow(parallel('cannot index parallel arrays [b] [a]'));
    expect(() => rows({ x: { a: [], c: [] } }, 'x.a.y', 'x.c')).toThrow(
      parallel('cannot index parallel arrays [c] [a]'),
    );
    expect(() => rows({ a: [{ b: [1], c: [2] }] }, 'a.b', 'a.c')).toThrow(
      parallel('cannot index parallel arrays [c] [b]'),
    );
  });
});

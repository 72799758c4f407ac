import { describe, expect, test } from 'vitest';
import { doc, hashValue, Int32, type Value } from '../../../src/bson/index.ts';
import { kindOf } from '../../../src/indexes/index.ts';

const one = new Int32(1);

/** The values of a document's keys in an index, without the order that they stand in. */
function keysOf(key: object, document: object, options: object = {}): Value[][] {
  const definition = doc({ key, ...options });
  return kindOf(doc(key))
    .generator(definition)
    .keys(doc(document))
    .keys.map(({ values }) => [...values]);
}

function check(key: object, options: object = {}): void {
  kindOf(doc(key)).check(doc({ key, ...options }));
}

describe('a hash', () => {
  test('is the one that MongoDB has', () => {
    expect(hashValue(one)).toBe(5902408780260971510n);
    expect(hashValue('hello')).toBe(5347277839332858538n);
  });

  test.each([
    [one, 1],
    [one, 1n],
    [one, 1.75],
    [0, -0],
    [doc({ a: 1 }), new Map([['a', 1]])],
  ])('of %o is that of %o', (left, right) => {
    expect(hashValue(left)).toBe(hashValue(right));
  });

  test.each([
    [one, 2],
    ['1', one],
    [doc({ a: 1 }), doc({ b: 1 })],
    [[one], doc({ 0: 1 })],
    [null, undefined],
  ])('of %o is not that of %o', (left, right) => {
    expect(hashValue(left)).not.toBe(hashValue(right));
  });
});

describe('a hashed index', () => {
  test('holds the hash of one field, and others as they are', () => {
    expect(keysOf({ a: 'hashed' }, { a: 1 })).toEqual([[hashValue(one)]]);
    expect(keysOf({ a: 'hashed' }, {})).toEqual([[hashValue(null)]]);
    expect(keysOf({ a: 'hashed' }, {}, { sparse: true })).toEqual([]);
    expect(keysOf({ b: 1, 'a.x': 'hashed' }, { a: { x: 'y' }, b: ['p', 'q'] })).toEqual([
      ['p', hashValue('y')],
      ['q', hashValue('y')],
    ]);
  });

  test.each([
    [{ a: [1] }, 'a'],
    [{ a: [] }, 'a'],
  ])('refuses %j', (document, path) => {
    const message = `Error: hashed indexes do not currently support array values. Found array at path: ${path}`;
    expect(() => keysOf({ 'a.b': 'hashed' }, document)).toThrow(
      expect.objectContaining({ codeName: 'Location16766', message }),
    );
  });

  test('has one hashed field, and is not unique', () => {
    check({ a: 1, b: 'hashed' });
    expect(() => check({ a: 'hashed', b: 'hashed' })).toThrow(expect.objectContaining({ codeName: 'Location31303' }));
    expect(() => check({ a: 'hashed' }, { unique: true })).toThrow(
      expect.objectContaining({ codeName: 'Location16764' }),
    );
  });
});

describe('a wildcard index', () => {
  const document = { _id: 9, a: { x: 'p', y: ['q', { z: 'r' }, ['s'], {}] }, b: {}, c: [], 'd.e': 't' };

  test.each([
    ['all but _id', { '$**': 1 }, {}, ['p', 'q', 'r', ['s'], doc({}), doc({}), undefined]],
    ['what is below a path', { 'a.y.$**': 1 }, {}, ['q', 'r', ['s'], doc({})]],
    ['what a projection includes', { '$**': 1 }, { wildcardProjection: { 'a.x': 1, b: 1 } }, ['p', doc({})]],
    ['what it does not exclude', { '$**': 1 }, { wildcardProjection: { a: 0 } }, [doc({}), undefined]],
    ['_id where it is asked for', { '$**': 1 }, { wildcardProjection: { _id: 1, a: 0, b: 0, c: 0 } }, [new Int32(9)]],
  ])('holds %s', (_, key, options, values) => {
    expect(keysOf(key, document, options)).toEqual(values.map((value) => [value]));
  });

  test('of several fields holds them with each path, and alone where there is none', () => {
    expect(keysOf({ b: 1, 'a.$**': 1 }, { a: { x: 'p', y: 'q' }, b: 'z' })).toEqual([
      ['z', 'p'],
      ['z', 'q'],
    ]);
    expect(keysOf({ b: 1, 'a.$**': 1 }, { b: 'z' })).toHaveLength(1);
  });

  test.each([
    [{ '$**': 1 }, { unique: true }, 'CannotCreateIndex'],
    [{ '$**': 1 }, { sparse: true }, 'CannotCreateIndex'],
    [{ '$**': 1 }, { expireAfterSeconds: 5 }, 'CannotCreateIndex'],
  ])('by %j with %j is refused', (key, options, codeName) => {
    expect(() => check(key, options)).toThrow(expect.objectContaining({ codeName }));
  });

  test.each([
    [{ b: 1, '$**': 1 }, { wildcardProjection: { b: 0 } }],
    [{ b: 1, '$**': -1 }, { wildcardProjection: { c: 1 } }],
    [{ b: 1, 'a.$**': 1 }, {}],
  ])('may be by %j with %j', (key, options) => {
    check(key, options);
  });
});

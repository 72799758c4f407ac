import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  Binary,
  BSONRegExp,
  BSONSymbol,
  Code,
  compare,
  DBRef,
  Decimal128,
  dateFromMillis,
  doc,
  encodeKey,
  equal,
  Int32,
  identical,
  isNumber,
  MaxKey,
  MinKey,
  ObjectId,
  Timestamp,
  toValue,
  typeAlias,
  typeNumber,
  type Value,
} from '../../../src/bson/index.ts';
import { anyValue, numeric, text } from './arbitraries.ts';

const decimal = (digits: string) => Decimal128.fromString(digits);
const keyOrder = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);
const id = (end: string) => new ObjectId(`0123456789abcdef012345${end}`);
const scoped = (code: string, scope: object) => {
  const value = new Code(code);
  value.scope = doc(scope);
  return value;
};

/** Each list is in strictly rising order, written by hand from MongoDB's documentation and its `compareElements`. */
const RISING: Record<string, Value[]> = {
  types: [
    new MinKey(),
    undefined,
    null,
    Number.NaN,
    new Int32(5),
    'a',
    doc({}),
    [],
    new Binary(new Uint8Array(0)),
    id('00'),
    false,
    true,
    new Date(0),
    new Timestamp({ t: 0, i: 0 }),
    new BSONRegExp(''),
    new DBRef('a.b', id('00')),
    new Code(''),
    scoped('', {}),
    new MaxKey(),
  ],
  numbers: [
    Number.NaN,
    Number.NEGATIVE_INFINITY,
    decimal('-1E400'),
    -Number.MAX_VALUE,
    -(2n ** 63n),
    -(2n ** 53n) - 1n,
    -(2 ** 53),
    new Int32(-1),
    decimal('-0.1'),
    -Number.MIN_VALUE,
    decimal('-1E-6176'),
    0,
    decimal('1E-6176'),
    Number.MIN_VALUE,
    decimal('0.1'),
    0.1,
    decimal('0.1000000000000000055511151231257828'),
    new Int32(1),
    2 ** 53,
    2n ** 53n + 1n,
    decimal('9007199254740993.5'),
    2n ** 53n + 2n,
    2n ** 63n - 1n,
    2 ** 63,
    Number.MAX_VALUE,
    decimal('1E400'),
    Number.POSITIVE_INFINITY,
  ],
  strings: [
    '',
    '\0',
    '\0a',
    '\x01',
    'a',
    'a\0',
    'a\x01',
    'a\x02',
    'aa',
    'b',
    '\ud7ff',
    '\ue000',
    '\uffff',
    '\u{10000}',
  ],
  documents: [
    doc({}),
    doc({ a: 1 }),
    doc({ a: 1, b: 1 }),
    doc({ a: 2 }),
    doc({ b: 1 }),
    doc({ a: 'x' }), // A number below a string counts before the names do.
    doc({ b: 'x' }),
  ],
  arrays: [[], toValue([1]), toValue([1, 1]), toValue([2]), toValue([[]])],
  binaries: [
    new Binary(new Uint8Array([9])),
    new Binary(new Uint8Array([1, 2]), 0),
    new Binary(new Uint8Array([1, 3]), 0),
    new Binary(new Uint8Array([1, 2]), 4),
    new Binary(new Uint8Array([1, 2, 3])),
    new Binary(new Uint8Array([0]), 2), // Five bytes on the wire.
  ],
  dates: [dateFromMillis(-(2n ** 63n)), new Date(-1), new Date(0), new Date(1), dateFromMillis(2n ** 63n - 1n)],
  timestamps: [
    new Timestamp({ t: 0, i: 0xffff_ffff }),
    new Timestamp({ t: 1, i: 0 }),
    new Timestamp({ t: 0x8000_0000, i: 0 }),
  ],
  regexes: [new BSONRegExp('a'), new BSONRegExp('a', 'i'), new BSONRegExp('ab')],
  pointers: [new DBRef('z', id('00')), new DBRef('z', id('01')), new DBRef('aa', id('00'))],
  codes: [new Code('a'), new Code('b'), scoped('a', {}), scoped('a', { x: 1 }), scoped('b', {})],
};

describe('compare', () => {
  test.each(Object.entries(RISING))('%s', (_, values) => {
    for (const [left, a] of values.entries()) {
      for (const [right, b] of values.entries()) {
        expect(Math.sign(compare(a, b)), `${left} with ${right}`).toBe(Math.sign(left - right));
      }
    }
  });

  test('sees one value behind different types', () => {
    const ones: Value[] = [1, 1n, new Int32(1), decimal('1'), decimal('1.0'), decimal('10E-1')];
    for (const a of ones) for (const b of ones) expect(equal(a, b)).toBe(true);
    expect(equal(0, -0)).toBe(true);
    expect(equal(decimal('-0'), 0)).toBe(true);
    expect(equal(decimal('0E+100'), new Int32(0))).toBe(true);
    expect(equal(Number.NaN, decimal('NaN'))).toBe(true);
    expect(equal(Number.POSITIVE_INFINITY, decimal('Infinity'))).toBe(true);
    expect(equal(decimal('0.5'), 0.5)).toBe(true);
    expect(equal(new BSONSymbol('a'), 'a')).toBe(true);
  });

  test('takes a decimal with too large a coefficient for zero, as IEEE 754 does', () => {
    const bytes = new Uint8Array(16).fill(0xff);
    bytes[15] = 0x6f;
    expect(equal(new Decimal128(bytes), 0)).toBe(true);
    bytes[15] = 0x31;
    expect(equal(new Decimal128(bytes), 0)).toBe(true);
  });

  test('is a total order', () => {
    fc.assert(
      fc.property(anyValue, anyValue, anyValue, (a, b, c) => {
        expect(compare(a, a)).toBe(0);
        expect(Math.sign(compare(a, b))).toBe(-Math.sign(compare(b, a)) + 0);
        const [low, middle, high] = [{ v: a }, { v: b }, { v: c }].sort((x, y) => compare(x.v, y.v));
        expect(compare(low?.v, middle?.v)).toBeLessThanOrEqual(0);
        expect(compare(middle?.v, high?.v)).toBeLessThanOrEqual(0);
        expect(compare(low?.v, high?.v)).toBeLessThanOrEqual(0);
      }),
    );
  });

  test('orders text as its UTF-8 bytes', () => {
    fc.assert(
      fc.property(text, text, (a, b) => {
        expect(Math.sign(compare(a, b))).toBe(Buffer.compare(Buffer.from(a), Buffer.from(b)));
      }),
    );
  });
});

describe('encodeKey', () => {
  test.each(Object.entries(RISING))('%s', (_, values) => {
    expect(values.map((value) => encodeKey(value))).toEqual(values.map((value) => encodeKey(value)).sort(keyOrder));
    expect(new Set(values.map((value) => encodeKey(value))).size).toBe(values.length);
  });

  const pairs = fc.oneof(fc.tuple(anyValue, anyValue), fc.tuple(numeric, numeric), fc.tuple(text, text));

  test('has the order of compare', () => {
    fc.assert(
      fc.property(pairs, ([a, b]) => {
        const order = Math.sign(compare(a, b));
        expect(keyOrder(encodeKey(a), encodeKey(b))).toBe(order);
        expect(keyOrder(encodeKey(b, true), encodeKey(a, true))).toBe(order);
      }),
      { numRuns: 5000 },
    );
  });

  test('is never the beginning of another key', () => {
    fc.assert(
      fc.property(pairs, ([a, b]) => {
        if (equal(a, b)) return;
        expect(encodeKey(a).startsWith(encodeKey(b))).toBe(false);
        expect(encodeKey(a, true).startsWith(encodeKey(b, true))).toBe(false);
      }),
      { numRuns: 2000 },
    );
  });

  test('orders compound keys field by field, in either direction', () => {
    const direction = fc.boolean();
    fc.assert(
      fc.property(pairs, pairs, direction, direction, ([a1, b1], [a2, b2], down1, down2) => {
        const first = compare(a1, b1) * (down1 ? -1 : 1);
        const order = Math.sign(first !== 0 ? first : compare(a2, b2) * (down2 ? -1 : 1));
        const a = encodeKey(a1, down1) + encodeKey(a2, down2);
        const b = encodeKey(b1, down1) + encodeKey(b2, down2);
        expect(keyOrder(a, b)).toBe(order + 0);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('identical', () => {
  test('wants the same type and bits', () => {
    expect(identical(1, new Int32(1))).toBe(false);
    expect(identical(0, -0)).toBe(false);
    expect(identical(Number.NaN, Number.NaN)).toBe(true);
    expect(identical(decimal('1.0'), decimal('1'))).toBe(false);
    expect(identical(decimal('1.0'), decimal('1.0'))).toBe(true);
    expect(identical(new BSONSymbol('a'), 'a')).toBe(false);
    expect(identical(doc({ a: 1, b: 2 }), doc({ b: 2, a: 1 }))).toBe(false);
    expect(identical(doc({ a: [1] }), doc({ a: [1n] }))).toBe(false);
    expect(identical(scoped('a', { x: 0 }), scoped('a', { x: 0n }))).toBe(false);
    expect(identical(doc({ a: [1, { b: null }] }), doc({ a: [1, { b: null }] }))).toBe(true);
  });
});

describe('types', () => {
  test.each([
    [new MinKey(), -1, 'minKey'],
    [1, 1, 'double'],
    ['a', 2, 'string'],
    [doc({}), 3, 'object'],
    [[], 4, 'array'],
    [new Binary(new Uint8Array(0)), 5, 'binData'],
    [undefined, 6, 'undefined'],
    [id('00'), 7, 'objectId'],
    [true, 8, 'bool'],
    [new Date(), 9, 'date'],
    [null, 10, 'null'],
    [new BSONRegExp(''), 11, 'regex'],
    [new DBRef('a', id('00')), 12, 'dbPointer'],
    [new Code(''), 13, 'javascript'],
    [new BSONSymbol(''), 14, 'symbol'],
    [scoped('', {}), 15, 'javascriptWithScope'],
    [new Int32(1), 16, 'int'],
    [new Timestamp({ t: 0, i: 0 }), 17, 'timestamp'],
    [1n, 18, 'long'],
    [decimal('1'), 19, 'decimal'],
    [new MaxKey(), 127, 'maxKey'],
  ] satisfies [Value, number, string][])('%s is %i, %s', (value, number, alias) => {
    expect(typeNumber(value)).toBe(number);
    expect(typeAlias(value)).toBe(alias);
    expect(isNumber(value)).toBe(['int', 'long', 'double', 'decimal'].includes(alias));
  });
});

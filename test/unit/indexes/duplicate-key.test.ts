import { describe, expect, test } from 'vitest';
import {
  Binary,
  BSONRegExp,
  BSONSymbol,
  Code,
  DBRef,
  Decimal128,
  dateFromMillis,
  doc,
  MaxKey,
  MinKey,
  ObjectId,
  showDoc,
  Timestamp,
} from '../../../src/bson/index.ts';
import { duplicateKeyError } from '../../../src/indexes/index.ts';

test('a duplicate key is told as the server tells it', () => {
  const error = duplicateKeyError('shop.users', { name: 'email_1', key: doc({ email: 1 }) }, doc({ email: 'a@b.c' }));
  expect(error.message).toBe(
    'E11000 duplicate key error collection: shop.users index: email_1 dup key: { email: "a@b.c" }',
  );
  expect(error.codeName).toBe('DuplicateKey');
  expect(error.details.get('keyPattern')).toEqual(doc({ email: 1 }));
  expect(error.details.get('keyValue')).toEqual(doc({ email: 'a@b.c' }));
  expect(error.details.has('collation')).toBe(false);
});

test('and with the collation of the index, where it has one', () => {
  const index = { name: 'a_1', key: doc({ a: 1 }), collation: doc({ locale: 'en', strength: 1 }) };
  const error = duplicateKeyError('shop.users', index, doc({ a: 'x' }));
  expect(error.message).toBe(
    'E11000 duplicate key error collection: shop.users index: a_1 collation: { locale: "en", strength: 1 } dup key: { a: "x" }',
  );
  expect(error.details.get('collation')).toEqual(index.collation);
});

describe('values in messages', () => {
  const id = new ObjectId('0123456789abcdef01234567');
  const scoped = new Code('f');
  scoped.scope = doc({ x: 1 });

  test.each([
    ['a "b"', '"a "b""'],
    [5, '5'],
    [5n, '5'],
    [5e9, '5000000000.0'],
    [1.5, '1.5'],
    [0.1 + 0.2, '0.3'],
    [Decimal128.fromString('1.50'), '1.50'],
    [true, 'true'],
    [null, 'null'],
    [[], '[]'],
    [[1, 'x'], '[ 1, "x" ]'],
    [{}, '{}'],
    [{ a: { b: 1 } }, '{ a: { b: 1 } }'],
    [new Date(5), 'new Date(5)'],
    [dateFromMillis(2n ** 63n - 1n), 'new Date(9223372036854775807)'],
    [id, "ObjectId('0123456789abcdef01234567')"],
    [new Timestamp({ t: 1, i: 2 }), 'Timestamp(1, 2)'],
    [new BSONRegExp('a', 'i'), '/a/i'],
    [new BSONSymbol('a'), '"a"'],
    [new DBRef('a.b', id), "DBRef('a.b',0123456789abcdef01234567)"],
    [new Code('f'), 'f'],
    [scoped, 'CodeWScope( f, { x: 1 })'],
    [new MinKey(), 'MinKey'],
    [new MaxKey(), 'MaxKey'],
    [new Binary(new Uint8Array([1, 0xab])), 'BinData(0, 01AB)'],
    [new Binary(new Uint8Array(16), 4), 'UUID("00000000-0000-0000-0000-000000000000")'],
    ['x'.repeat(159), `"${'x'.repeat(159)}"`],
    ['x'.repeat(160), `"${'x'.repeat(150)}..."`],
    [new Binary(new Uint8Array(81)), `BinData(0, ${'00'.repeat(70)}...)`],
  ])('%o', (value, shown) => {
    expect(showDoc(doc({ f: value }))).toBe(`{ f: ${shown} }`);
  });

  test('undefined, which a literal cannot hold', () => {
    expect(showDoc(new Map([['f', undefined]]))).toBe('{ f: undefined }');
  });
});

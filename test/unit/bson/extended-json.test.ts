import { EJSON } from 'bson';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  Binary,
  BSONSymbol,
  Code,
  Decimal128,
  dateFromMillis,
  decode,
  doc,
  encode,
  fromExtendedJson,
  Int32,
  MAX_DEPTH,
  MinKey,
  ObjectId,
  Timestamp,
  toExtendedJson,
  type Value,
} from '../../../src/bson/index.ts';
import { document } from './arbitraries.ts';

const print = (literal: object) => toExtendedJson(encode(doc(literal)));
const refused = expect.objectContaining({ codeName: 'FailedToParse' });

describe('toExtendedJson', () => {
  test.each([
    [{ a: 5 }, '{"a":5}'],
    [{ a: 5n }, '{"a":{"$numberLong":"5"}}'],
    [{ a: 1.5 }, '{"a":1.5}'],
    [{ a: 1e-7 }, '{"a":1e-7}'],
    [{ a: 3e9 }, '{"a":{"$numberDouble":"3000000000.0"}}'],
    [{ a: 1e300 }, '{"a":{"$numberDouble":"1e+300"}}'],
    [{ a: -0 }, '{"a":{"$numberDouble":"-0.0"}}'],
    [{ a: Number.NaN }, '{"a":{"$numberDouble":"NaN"}}'],
    [{ a: new Date(0) }, '{"a":{"$date":"1970-01-01T00:00:00Z"}}'],
    [{ a: new Date(1) }, '{"a":{"$date":"1970-01-01T00:00:00.001Z"}}'],
    [{ a: new Date(-1) }, '{"a":{"$date":{"$numberLong":"-1"}}}'],
    [{ a: dateFromMillis(2n ** 63n - 1n) }, '{"a":{"$date":{"$numberLong":"9223372036854775807"}}}'],
    [{ a: 'é`\u{1f600}\n"' }, '{"a":"\\u00e9\\u0060\\ud83d\\ude00\\n\\""}'],
    [{ a: new ObjectId('0123456789abcdef01234567') }, '{"a":{"$oid":"0123456789abcdef01234567"}}'],
    [{ a: Decimal128.fromString('1.10') }, '{"a":{"$numberDecimal":"1.10"}}'],
    [{ a: new Uint8Array([1, 2]) }, '{"a":{"$binary":{"base64":"AQI=","subType":"00"}}}'],
    [{ a: [null, true, {}] }, '{"a":[null,true,{}]}'],
    [{}, '{}'],
  ])('%o', (literal, text) => {
    expect(print(literal)).toBe(text);
  });

  test('gives every document back, byte for byte, from one line of printable ASCII', () => {
    fc.assert(
      fc.property(document, (value) => {
        const bytes = encode(value);
        const text = toExtendedJson(bytes);
        expect(text).toMatch(/^[ -_a-~]*$/);
        expect(Buffer.compare(fromExtendedJson(text), bytes)).toBe(0);
      }),
      { numRuns: 1000 },
    );
  });

  test('is understood by the bson package', () => {
    const value = { a: 1, b: 1.5, c: 'é', d: new Date(1), e: [null], f: { g: true } };
    expect(EJSON.parse(print(value))).toEqual(value);
  });

  test('falls back to base64 for what Extended JSON would confuse', () => {
    expect(print({ a: { $oid: 'not an id' } })).toMatch(/^\{"\$bson":"/);
    expect(print({ $bson: 1 })).toMatch(/^\{"\$bson":"/);
    expect(print({ a: { b: 1, $oid: 'later names mean nothing' } })).toContain('"$oid"');
    const twice = Buffer.from('13000000106100010000001061000200000000', 'hex');
    expect(toExtendedJson(twice)).toMatch(/^\{"\$bson":"/);
    expect(Buffer.compare(fromExtendedJson(toExtendedJson(twice)), twice)).toBe(0);
  });

  test('the deepest document that is allowed survives', () => {
    let value: Value = 'x';
    for (let level = 0; level < MAX_DEPTH; level++) value = [value];
    const bytes = encode(new Map([['a', value]]));
    expect(Buffer.compare(fromExtendedJson(toExtendedJson(bytes)), bytes)).toBe(0);
  });
});

describe('fromExtendedJson', () => {
  const read = (text: string) => decode(fromExtendedJson(text));

  test('keeps the order of names that look like numbers', () => {
    expect([...read(' { "10" : 1 , "9" : [ ] , "b" : { } } ').keys()]).toEqual(['10', '9', 'b']);
  });

  test('reads canonical and relaxed forms', () => {
    expect(read('{"a":{"$numberInt":"5"},"b":{"$numberDouble":"5"},"c":5000000000,"d":1e2,"e":-0}')).toEqual(
      new Map<string, Value>([
        ['a', new Int32(5)],
        ['b', 5],
        ['c', 5_000_000_000n],
        ['d', 100],
        ['e', -0],
      ]),
    );
    expect(read('{"a":{"$date":{"$numberLong":"7"}},"b":{"$date":"2020-01-01T00:00:00.5+01:00"}}')).toEqual(
      doc({ a: new Date(7), b: new Date('2019-12-31T23:00:00.500Z') }),
    );
    expect(read('{"a":{"$uuid":"00112233-4455-6677-8899-aabbccddeeff"}}').get('a')).toMatchObject({ sub_type: 4 });
  });

  test('reads what the bson package prints', () => {
    const value = {
      i: new Int32(1),
      d: 1.5,
      l: 5n,
      o: new ObjectId(),
      t: new Timestamp({ t: 1, i: 2 }),
      n: new MinKey(),
    };
    const more = {
      b: new Binary(new Uint8Array([1, 2]), 4),
      c: new Code('f', { x: 1 }),
      s: new BSONSymbol('s'),
      w: new Date(5),
    };
    for (const relaxed of [true, false]) {
      const text = EJSON.stringify({ ...value, ...more }, { relaxed });
      const expected = encode(doc({ ...value, ...more, l: relaxed ? new Int32(5) : 5n }));
      expect(Buffer.compare(fromExtendedJson(text), expected)).toBe(0);
    }
  });

  test.each([
    '',
    '[]',
    '5',
    '{',
    '{"a":1',
    '{"a" 1}',
    '{"a":1,}',
    '{a:1}',
    '{"a":01}',
    '{"a":1}x',
    '{"a":1,"a":2}',
    '{"a":"\\x"}',
    '{"a":"\n"}',
    '{"a":tru}',
    '{"a":{"$oid":"zz"}}',
    '{"a":{"$oid":"0123456789abcdef01234567","b":1}}',
    '{"a":{"$numberInt":"2147483648"}}',
    '{"a":{"$numberLong":"9223372036854775808"}}',
    '{"a":{"$numberDouble":"x"}}',
    '{"a":{"$numberDecimal":"x"}}',
    '{"a":{"$date":"yesterday"}}',
    '{"a":{"$date":"2020-13-01T00:00:00Z"}}',
    '{"a":{"$binary":{"base64":"?","subType":"00"}}}',
    '{"a":{"$binary":{"base64":""}}}',
    '{"a":{"$timestamp":{"t":-1,"i":0}}}',
    '{"a":{"$code":"x","$scope":1}}',
    '{"a":{"$minKey":2}}',
    '{"a":{"$undefined":false}}',
    '{"$oid":"0123456789abcdef01234567"}',
    `${'{"a":'.repeat(2 * MAX_DEPTH + 10)}1${'}'.repeat(2 * MAX_DEPTH + 10)}`,
  ])('refuses %s', (text) => {
    expect(() => fromExtendedJson(text)).toThrow(refused);
  });

  test('ends with a coded error or bytes, whatever the text', () => {
    const token = fc.constantFrom(
      '{',
      '}',
      '[',
      ']',
      ',',
      ':',
      '"a"',
      '"$date"',
      '"$oid"',
      '1',
      '-',
      '1.5',
      'null',
      ' ',
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.json(),
          fc.array(token).map((tokens) => tokens.join('')),
        ),
        (text) => {
          try {
            decode(fromExtendedJson(text));
          } catch (error) {
            expect(error).toHaveProperty('codeName');
          }
        },
      ),
      { numRuns: 1000 },
    );
  });
});

import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  BSONSymbol,
  Collator,
  doc,
  encode,
  encodeKey,
  KeyTypes,
  keyEnd,
  keyValue,
  UNTOLD,
} from '../../../src/bson/index.ts';
import { anyValue, numeric, text } from './arbitraries.ts';

const field = fc.tuple(fc.oneof(anyValue, numeric, text), fc.boolean());

test('the values of a compound key end where they were put together', () => {
  fc.assert(
    fc.property(fc.array(field, { minLength: 1, maxLength: 4 }), fc.boolean(), (fields, collated) => {
      const texts = collated ? Collator.of(doc({ locale: 'de' }))!.newOrder() : undefined;
      const keys = fields.map(([value, descending]) => encodeKey(value, descending, texts));
      const key = `${keys.join('')}\0\0\0\0\0\0\x01`;
      let at = 0;
      for (const [field, [, descending]] of fields.entries()) {
        const end = keyEnd(key, at, descending);
        expect(key.slice(at, end)).toBe(keys[field]);
        at = end;
      }
    }),
    { numRuns: 3000 },
  );
});

const shown = (value: unknown) => Buffer.from(encode(doc({ value }))).toString('hex');

test('a value that its key tells is the one that was put in, to the byte', () => {
  const told = new Set<string>();
  fc.assert(
    fc.property(
      fc.array(fc.oneof(anyValue, numeric, text), { minLength: 1, maxLength: 3 }),
      fc.boolean(),
      (values, descending) => {
        const types = new KeyTypes();
        for (const value of values) types.note([value]);
        for (const value of values) {
          const read = keyValue(`${encodeKey(value, descending)}\0`, 0, descending, types.of(0));
          if (read === UNTOLD) continue;
          expect(shown(read)).toBe(shown(value));
          told.add(value === null ? 'null' : typeof value === 'object' ? value.constructor.name : typeof value);
        }
      },
    ),
    { numRuns: 5000 },
  );
  const types = [
    'Binary',
    'Date',
    'Int32',
    'MaxKey',
    'MinKey',
    'ObjectId',
    'Timestamp',
    'bigint',
    'boolean',
    'number',
    'string',
  ];
  expect([...told].filter((type) => type !== 'FarDate').sort()).toEqual(types);
});

test.each<[string, unknown[], unknown]>([
  ['null, which may be missing', [null], null],
  ['an int where there are longs', [1, 2n], 1],
  ['a double that an int could be', [1, 2.5], 1],
  ['zero where there is one below', [0.5, -0], -0],
  ['a string where there are symbols', [new BSONSymbol('x'), 'a'], 'a'],
  ['text that is written otherwise', ['\0'], '\0'],
  ['a document', [{ a: 1 }], { a: 1 }],
])('a key does not tell %s', (_, seen, value) => {
  const types = new KeyTypes();
  for (const one of seen) types.note([...doc({ one }).values()]);
  const [encoded] = doc({ value }).values();
  expect(keyValue(encodeKey(encoded), 0, false, types.of(0))).toBe(UNTOLD);
});

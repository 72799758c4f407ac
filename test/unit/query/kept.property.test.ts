import fc from 'fast-check';
import { expect, test } from 'vitest';
import { BSONSymbol, Decimal128, decode, doc, encode, Int32, keptDoc, MinKey } from '../../../src/bson/index.ts';
import { compileFilter } from '../../../src/query/index.ts';
import { context } from './support.ts';

const scalar = fc.oneof(
  fc.integer({ min: -2, max: 2 }),
  fc.constantFrom<unknown>(0.5, -0, Number.NaN, 1n, 2n ** 60n, 'a', 'é', '', null, undefined, true, new Date(0)),
  fc.constantFrom<unknown>(
    new Int32(1),
    new BSONSymbol('a'),
    Decimal128.fromString('1.0'),
    new MinKey(),
    Buffer.from('a'),
    /a/i,
  ),
);
const { value: stored } = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    { arbitrary: scalar, weight: 4 },
    { arbitrary: fc.array(tie('value'), { maxLength: 3 }), weight: 1 },
    { arbitrary: fc.record({ b: tie('value'), 1: tie('value'), é: tie('value') }, { requiredKeys: [] }), weight: 1 },
  ),
}));
const document = fc.record({ x: stored, a: stored, b: stored, é: stored }, { requiredKeys: [] });
const path = fc.constantFrom('a', 'b', 'é', 'a.b', 'a.1', 'a.b.1', 'a.1.b', 'a.é', 'ab', 'a.b.b');
const filters = fc.oneof(
  fc.tuple(path, fc.oneof(scalar, fc.array(scalar, { maxLength: 2 }))),
  fc.tuple(
    path,
    fc.tuple(
      fc.constantFrom('$gt', '$lte', '$eq'),
      scalar.filter((value) => !(value instanceof RegExp)),
    ),
  ),
  fc.tuple(
    path,
    fc.constantFrom({ $exists: false }, { $exists: true }, { $type: 'array' }, { $size: 2 }, { $in: [1, 'a'] }),
  ),
);

/** `[operator, operand]` as a condition, anything else as it is. */
function literal([name, condition]: [string, unknown]): object {
  const operator = Array.isArray(condition) && typeof condition[0] === 'string' && condition[0].startsWith('$');
  return { [name]: operator ? { [condition[0]]: condition[1] } : condition };
}

test('a filter says the same of a document as it is kept and as it is decoded', () => {
  fc.assert(
    fc.property(filters, fc.array(document, { minLength: 1, maxLength: 5 }), (condition, documents) => {
      const filter = compileFilter(doc(literal(condition as [string, unknown])), context);
      for (const bytes of documents.map((each) => encode(doc(each)))) {
        const decoded = [filter.matches(decode(bytes)), filter.positional(decode(bytes))];
        expect([filter.matches(keptDoc(bytes)), filter.positional(keptDoc(bytes))]).toEqual(decoded);
      }
    }),
    { numRuns: 2000 },
  );
});

test('of fields with the same name the first counts', () => {
  const [one, two] = [encode(doc({ a: 1 })), encode(doc({ a: 2 }))];
  const both = Buffer.concat([one.subarray(0, -1), two.subarray(4)]);
  both.writeInt32LE(both.length, 0);
  expect(compileFilter(doc({ a: 1 }), context).matches(keptDoc(both))).toBe(true);
  expect(compileFilter(doc({ a: 2 }), context).matches(keptDoc(both))).toBe(false);
});

test('what is cut off or of no known type is refused as decoding refuses it', () => {
  const whole = encode(doc({ x: 'text', y: [1, 'two'], z: 3 }));
  const filter = compileFilter(doc({ z: 3 }), context);
  for (let length = 0; length < whole.length; length++) {
    expect(() => filter.matches(keptDoc(whole).slice(0, length))).toThrow();
  }
  const strange = Uint8Array.from(whole);
  strange[4] = 0x7a;
  expect(() => filter.matches(keptDoc(strange))).toThrow('unknown BSON type');
});

test.each([
  [{ a: 'ab' }, { a: ['x', 'ab'] }, true],
  [{ a: 'ab' }, { a: ['x', 'abc', 'é'] }, false],
  [{ a: 'ab' }, { a: ['x'], b: 'ab' }, false],
  [{ a: 'ab' }, { a: [new BSONSymbol('ab')] }, true],
  [{ 'a.b': 'ab' }, { a: [{ c: 'ab' }, { b: ['ab'] }] }, true],
  [{ 'a.b': 'ab' }, { a: [{ c: 'ab' }] }, false],
  [{ a: { $ne: 'ab' } }, { a: ['x'] }, true],
  [{ a: { $ne: 'ab' } }, { a: ['ab'] }, false],
  [{ a: 'é' }, { a: ['é'] }, true],
  [{ a: '' }, { a: ['x', ''] }, true],
])('%o of the texts in %o, as kept and as decoded: %s', (condition, document, matches) => {
  const filter = compileFilter(doc(condition), context);
  const bytes = encode(doc(document));
  expect([filter.matches(decode(bytes)), filter.matches(keptDoc(bytes))]).toEqual([matches, matches]);
});

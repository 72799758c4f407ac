import { Buffer } from 'node:buffer';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Doc, doc, encode, Int32, toExtendedJson, type Value } from '../../../src/bson/index.ts';
import { compileFilter, compileUpdate } from '../../../src/query/index.ts';
import { anyValue, document, fieldName } from '../bson/arbitraries.ts';
import { context } from './support.ts';

/** Any document with a field of our own at its end. */
function withField(value: fc.Arbitrary<Value>): fc.Arbitrary<Doc> {
  return fc.tuple(document, value).map(([fields, own]) => new Map([...fields, ['own', own]]));
}

function apply(updates: readonly object[], before: Doc): Doc {
  return updates.reduce<Doc>((current, update) => {
    const updater = compileUpdate(doc(update), { context });
    return updater.apply(current, {});
  }, before);
}

function expectSame(after: Doc, before: Doc): void {
  expect(toExtendedJson(encode(after))).toBe(toExtendedJson(encode(before)));
  expect(Buffer.compare(encode(after), encode(before)), 'byte for byte').toBe(0);
}

/** An operand about our own field; unlike a literal, it keeps an undefined. */
const own = (value: Value, path = 'own'): Doc => new Map([[path, value]]);

/** Sums of these stay within their type. */
const int = fc.integer({ min: -(2 ** 29), max: 2 ** 29 }).map((value) => new Int32(value));
const long = fc.bigInt({ min: -(2n ** 61n), max: 2n ** 61n });
const whole = fc.integer();

test.each<[string, fc.Arbitrary<Value>, (value: Value) => Value]>([
  ['an int', int, (value) => new Int32(-(value as Int32).value)],
  ['a long', long, (value) => -(value as bigint)],
  ['a double', whole, (value) => -(value as number)],
])('$inc by %s and back', (_, number, negate) => {
  fc.assert(
    fc.property(withField(number), number, (before, by) => {
      expectSame(apply([{ $inc: { own: by } }, { $inc: { own: negate(by) } }], before), before);
    }),
  );
});

test('$push and $pop, at the end and in front', () => {
  fc.assert(
    fc.property(withField(fc.array(anyValue, { maxLength: 4 })), anyValue, (before, item) => {
      expectSame(apply([{ $push: own(item) }, { $pop: { own: 1 } }], before), before);
      const inFront = { $push: { own: { $each: [item], $position: 0 } } };
      expectSame(apply([inFront, { $pop: { own: -1 } }], before), before);
    }),
  );
});

test('$set of a new field and $unset', () => {
  fc.assert(
    fc.property(document, anyValue, (before, value) => {
      if (before.has('own')) return;
      expectSame(apply([{ $set: own(value) }, { $unset: { own: '' } }], before), before);
      expectSame(apply([{ $set: own(value, 'own.deep.er') }, { $unset: { own: '' } }], before), before);
    }),
  );
});

test('$set of another value and of the old one', () => {
  fc.assert(
    fc.property(withField(anyValue), anyValue, (before, value) => {
      expectSame(apply([{ $set: own(value) }, { $set: own(before.get('own')) }], before), before);
    }),
  );
});

test('$rename of the last field and back', () => {
  const name = fieldName.filter((each) => /^[a-z0-9]+$/.test(each) && each !== 'own');
  fc.assert(
    fc.property(withField(anyValue), name, (before, other) => {
      if (before.has(other)) return;
      expectSame(apply([{ $rename: { own: other } }, { $rename: { [other]: 'own' } }], before), before);
    }),
  );
});

test('$addToSet of what is not there and $pull of it', () => {
  fc.assert(
    fc.property(withField(fc.array(fc.integer(), { maxLength: 4 })), fc.string(), (before, item) => {
      expectSame(apply([{ $addToSet: { own: item } }, { $pullAll: { own: [item] } }], before), before);
    }),
  );
});

test('$bit twice with xor', () => {
  fc.assert(
    fc.property(withField(int), int, (before, mask) => {
      expectSame(apply([{ $bit: { own: { xor: mask } } }, { $bit: { own: { xor: mask } } }], before), before);
    }),
  );
});

test('a document that was set by its fields is found by them', () => {
  fc.assert(
    fc.property(document, int, (before, value) => {
      const after = apply([{ $set: { own: value } }], before);
      expect(compileFilter(doc({ own: value }), context).matches(after)).toBe(true);
    }),
  );
});

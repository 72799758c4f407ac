import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { type Doc, doc } from '../../../src/bson/index.ts';
import { implies } from '../../../src/engine/implies.ts';
import { compileFilter } from '../../../src/query/index.ts';

const context = { now: new Date(0), random: () => 0 };
const says = (filter: object, partial: object) => implies(doc(filter), doc(partial));

describe('what a filter implies', () => {
  it.each([
    [{ a: 5 }, { a: { $gt: 3 } }],
    [{ a: { $gt: 3 } }, { a: { $gt: 3 } }],
    [{ a: { $gte: 4 } }, { a: { $gt: 3 } }],
    [{ a: { $in: [4, 5] } }, { a: { $gte: 4 } }],
    [{ a: { $lt: 0 } }, { a: { $exists: true } }],
    [{ a: 1, b: 'x' }, { b: 'x' }],
    [{ $and: [{ a: 1 }, { b: 2 }] }, { a: 1, b: 2 }],
    [{ $or: [{ a: 1 }, { a: 2 }] }, { a: { $lt: 3 } }],
    [{ a: 1 }, { $or: [{ a: 1 }, { b: 1 }] }],
    [{ a: { $type: 'string' } }, { a: { $type: 'string' } }],
  ])('%j implies %j', (filter, partial) => expect(says(filter, partial)).toBe(true));

  it.each([
    [{}, { a: 1 }],
    [{ a: { $gte: 3 } }, { a: { $gt: 3 } }],
    [{ a: 'x' }, { a: { $gt: 3 } }],
    [{ a: null }, { a: { $exists: true } }],
    [{ a: { $ne: 1 } }, { a: { $exists: true } }],
    [{ a: { $in: [1, 9] } }, { a: { $lt: 3 } }],
    [{ $or: [{ a: 1 }, { b: 2 }] }, { a: 1 }],
    [{ a: 1 }, { a: { $type: 'int' } }],
    [{ a: { $regex: 'x', $options: 'i' } }, { a: { $regex: 'x' } }],
  ])('%j does not imply %j', (filter, partial) => expect(says(filter, partial)).toBe(false));
});

const scalar = fc.oneof(fc.integer({ min: -2, max: 2 }), fc.constantFrom(0.5, 1n, 'a', 'b', null, true));
const stored = fc.oneof(scalar, fc.array(scalar, { maxLength: 3 }));
const operator = fc.constantFrom('$gt', '$gte', '$lt', '$lte', '$eq', '$ne');
const condition = fc.oneof(
  stored,
  fc.tuple(operator, scalar).map(([name, value]) => ({ [name]: value })),
  fc.record({ $in: fc.array(scalar, { maxLength: 3 }) }),
  fc.record({ $exists: fc.boolean() }),
);
const flat = fc.record({ a: condition, b: condition }, { requiredKeys: [] });
const some = fc.array(flat, { minLength: 1, maxLength: 2 });
const filter = fc.oneof(flat, fc.record({ $and: some }), fc.record({ $or: some }));
const documents = fc.array(fc.record({ a: stored, b: stored }, { requiredKeys: [] }), { minLength: 30, maxLength: 30 });

test('no document matches a filter and not what it implies', () => {
  let implied = 0;
  const property = fc.property(filter, filter, documents, (wanted, partial, items) => {
    if (!says(wanted, partial)) return;
    implied++;
    const [inner, outer] = [wanted, partial].map((each) => compileFilter(doc(each) as Doc, context));
    for (const item of items) {
      if (inner!.matches(doc(item))) expect(outer!.matches(doc(item)), JSON.stringify(item, show)).toBe(true);
    }
  });
  fc.assert(property, { numRuns: 3000, seed: 4 });
  expect(implied).toBeGreaterThan(50);
});

function show(_name: string, value: unknown): unknown {
  return typeof value === 'bigint' ? `${value}n` : value;
}

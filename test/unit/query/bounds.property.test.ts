import fc from 'fast-check';
import { expect, test } from 'vitest';
import { compare, type Doc, doc, type Value } from '../../../src/bson/index.ts';
import { compileFilter, type FieldPredicate, fieldPredicates } from '../../../src/query/index.ts';
import { context } from './support.ts';

const scalar = fc.oneof(fc.integer({ min: -2, max: 2 }), fc.constantFrom(0.5, 1n, 'a', 'b', null, true));
const stored = fc.oneof(scalar, fc.array(scalar, { maxLength: 3 }));
const document = fc.record({ a: stored, b: stored }, { requiredKeys: [] });
const operators = fc.oneof(
  fc
    .record({ $gt: scalar, $lte: scalar, $ne: scalar }, { requiredKeys: [] })
    .filter((ops) => Object.keys(ops).length > 0),
  fc.record({ $in: fc.array(scalar, { maxLength: 3 }) }),
  fc.record({ $eq: stored }),
);
const condition = fc.oneof(stored, operators);
const flat = fc.record({ a: condition, b: condition }, { requiredKeys: [] });
const filter = fc.oneof(
  flat,
  fc.record({ $and: fc.array(flat, { minLength: 1, maxLength: 2 }) }),
  fc.record({ $or: fc.array(flat, { minLength: 1, maxLength: 2 }) }),
);

/** The values that an index on the field would hold. */
function keys(item: Doc, name: string): Value[] {
  const value = item.get(name) ?? null;
  return Array.isArray(value) ? [...value, value] : [value];
}

function meets(values: readonly Value[], predicate: FieldPredicate): boolean {
  const some = (test: (value: Value) => boolean) => values.some(test);
  const { lower, upper } = predicate;
  return (
    (!('eq' in predicate) || some((value) => compare(value, predicate.eq) === 0)) &&
    (!predicate.in || some((value) => predicate.in!.some((wanted) => compare(value, wanted) === 0))) &&
    (!lower || some((value) => compare(value, lower.value) >= (lower.inclusive ? 0 : 1))) &&
    (!upper || some((value) => compare(value, upper.value) <= (upper.inclusive ? 0 : -1)))
  );
}

test('whatever matches a filter meets its field predicates', () => {
  fc.assert(
    fc.property(filter, fc.array(document, { minLength: 1, maxLength: 8 }), (spec, documents) => {
      const compiled = compileFilter(doc(spec), context);
      const predicates = fieldPredicates(doc(spec));
      for (const item of documents.map((literal) => doc(literal))) {
        if (!compiled.matches(item)) continue;
        for (const [name, predicate] of predicates) expect(meets(keys(item, name), predicate)).toBe(true);
      }
    }),
    { numRuns: 500 },
  );
});

import { describe, expect, test } from 'vitest';
import { BSONRegExp, Decimal128, type Doc, doc, Timestamp } from '../../../src/bson/index.ts';
import { compileFilter, compileUpdate } from '../../../src/query/index.ts';
import { context, expectCoded, NOW, show } from './support.ts';

interface Extra {
  filter?: object;
  arrayFilters?: object[];
  inserting?: boolean;
}

function apply(update: object | object[], before: object, extra: Extra = {}): { before: Doc; after: Doc } {
  const spec = Array.isArray(update) ? update.map((stage) => doc(stage)) : doc(update);
  const arrayFilters = extra.arrayFilters?.map((filter) => doc(filter));
  const updater = compileUpdate(spec, { context, arrayFilters });
  const document = doc(before);
  const filter = extra.filter && compileFilter(doc(extra.filter), context);
  if (filter && !filter.matches(document)) throw new Error('the filter of the test does not match');
  const positional = filter && (() => filter.positional(document));
  const shown = show(document);
  const after = updater.apply(document, { positional, inserting: extra.inserting ?? false });
  expect(show(document), 'the argument is not changed').toBe(shown);
  return { before: document, after };
}

const decimal = (text: string) => Decimal128.fromString(text);
const MAX = 9223372036854775807n;

/** before, update, after, extras. */
const CASES: [before: object, update: object | object[], after: object, extra?: Extra][] = [
  [{ _id: 1, a: 1 }, { $set: { a: 2, b: 'x' } }, { _id: 1, a: 2, b: 'x' }],
  [{ _id: 1 }, { $set: { b: 1, a: 1, 'x.10': 1, 'x.9': 1 } }, { _id: 1, a: 1, b: 1, x: { 9: 1, 10: 1 } }],
  [{}, { $set: { 'a.b.c': 1 } }, { a: { b: { c: 1 } } }],
  [{ a: [1, 2] }, { $set: { 'a.1': 5 } }, { a: [1, 5] }],
  [{ a: [1] }, { $set: { 'a.3': 5 } }, { a: [1, null, null, 5] }],
  [{ a: [1] }, { $set: { 'a.1.b': 5 } }, { a: [1, { b: 5 }] }],
  [{ a: 1 }, { $set: { a: 1.5 } }, { a: 1.5 }],
  [{ a: 1, b: 2 }, { $unset: { a: '', 'c.d': 1 } }, { b: 2 }],
  [{ a: [1, 2, 3] }, { $unset: { 'a.1': 1 } }, { a: [1, null, 3] }],
  [{ a: 5 }, { $unset: { 'a.b': 1 } }, { a: 5 }],
  [{ a: { b: 1, c: 2 } }, { $unset: { 'a.b': 1 } }, { a: { c: 2 } }],
  [{ a: 1 }, { $setOnInsert: { b: 2 } }, { a: 1 }],
  [{ a: 1 }, { $setOnInsert: { b: 2 } }, { a: 1, b: 2 }, { inserting: true }],
  // Numbers keep or widen their type.
  [{ a: 1 }, { $inc: { a: 2 } }, { a: 3 }],
  [{ a: 2147483647 }, { $inc: { a: 1 } }, { a: 2147483648n }],
  [{ a: -2147483648 }, { $inc: { a: -1 } }, { a: -2147483649n }],
  [{ a: 1n }, { $inc: { a: 1 } }, { a: 2n }],
  [{ a: 1 }, { $inc: { a: 0.5 } }, { a: 1.5 }],
  [{ a: 1n }, { $inc: { a: 0.5 } }, { a: 1.5 }],
  [{ a: 0.1 }, { $inc: { a: decimal('0.2') } }, { a: decimal('0.300000000000000') }],
  [{ a: decimal('0.1') }, { $inc: { a: decimal('0.2') } }, { a: decimal('0.3') }],
  [
    { a: decimal('9.999999999999999999999999999999999') },
    { $inc: { a: 1 } },
    { a: decimal('11.00000000000000000000000000000000') },
  ],
  [{}, { $inc: { a: 5n } }, { a: 5n }],
  [{ a: 65536 }, { $mul: { a: 65536 } }, { a: 4294967296n }],
  [{ a: 3 }, { $mul: { a: decimal('1.5') } }, { a: decimal('4.5') }],
  [{}, { $mul: { a: 5n } }, { a: 0n }],
  [{}, { $mul: { a: decimal('2') } }, { a: decimal('0') }],
  [{ a: 5 }, { $min: { a: 3, b: 1 } }, { a: 3, b: 1 }],
  [{ a: 5 }, { $max: { a: 'x' } }, { a: 'x' }],
  [{ a: 5 }, { $max: { a: 3 } }, { a: 5 }],
  [{ a: 1 }, { $rename: { a: 'b.c' } }, { b: { c: 1 } }],
  [{ a: 1, b: 2 }, { $rename: { a: 'b' } }, { b: 1 }],
  [{ b: 2 }, { $rename: { a: 'b' } }, { b: 2 }],
  [{ a: { x: 1, y: 2 } }, { $rename: { 'a.x': 'z' } }, { a: { y: 2 }, z: 1 }],
  [{}, { $currentDate: { a: true } }, { a: NOW }],
  [
    {},
    { $currentDate: { a: { $type: 'timestamp' } } },
    { a: new Timestamp({ t: Math.floor(NOW.getTime() / 1000), i: 1 }) },
  ],
  [{ a: 13 }, { $bit: { a: { and: 10 } } }, { a: 8 }],
  [{ a: 13 }, { $bit: { a: { or: 2n } } }, { a: 15n }],
  [{}, { $bit: { a: { xor: 5 } } }, { a: 5 }],
  // Arrays.
  [{ a: [1] }, { $push: { a: 2 } }, { a: [1, 2] }],
  [{}, { $push: { a: 2 } }, { a: [2] }],
  [{ a: [1] }, { $push: { a: [2, 3] } }, { a: [1, [2, 3]] }],
  [{ a: [1, 4] }, { $push: { a: { $each: [2, 3], $position: 1 } } }, { a: [1, 2, 3, 4] }],
  [{ a: [1, 4] }, { $push: { a: { $each: [9], $position: -1 } } }, { a: [1, 9, 4] }],
  [{ a: [3, 1] }, { $push: { a: { $each: [2], $sort: -1 } } }, { a: [3, 2, 1] }],
  [
    { a: [{ b: 3 }, { b: 1 }] },
    { $push: { a: { $each: [{ b: 2 }], $sort: { b: 1 }, $slice: -2 } } },
    { a: [{ b: 2 }, { b: 3 }] },
  ],
  [{ a: [1, 2, 3] }, { $push: { a: { $each: [], $slice: 2 } } }, { a: [1, 2] }],
  [{ a: [1] }, { $push: { a: { $each: [2], $slice: 0 } } }, { a: [] }],
  [{ a: [1, 2] }, { $addToSet: { a: 3 } }, { a: [1, 2, 3] }],
  [{ a: [1, 2] }, { $addToSet: { a: 2n } }, { a: [1, 2] }],
  [{}, { $addToSet: { a: { $each: [1, 1, 2] } } }, { a: [1, 2] }],
  [
    { a: [{ x: 1, y: 2 }] },
    { $addToSet: { a: { y: 2, x: 1 } } },
    {
      a: [
        { x: 1, y: 2 },
        { y: 2, x: 1 },
      ],
    },
  ],
  [{ a: [1, 2, 3] }, { $pop: { a: 1 } }, { a: [1, 2] }],
  [{ a: [1, 2, 3] }, { $pop: { a: -1 } }, { a: [2, 3] }],
  [{ a: [1, 2, 1] }, { $pull: { a: 1 } }, { a: [2] }],
  [{ a: [1, 2, 3] }, { $pull: { a: { $gte: 2 } } }, { a: [1] }],
  [{ a: ['ab', 'c'] }, { $pull: { a: new BSONRegExp('^a') } }, { a: ['c'] }],
  [{ a: [{ b: 1, c: 2 }, { b: 2 }] }, { $pull: { a: { b: 1 } } }, { a: [{ b: 2 }] }],
  [{ a: [{ b: 1 }, { b: 5 }] }, { $pull: { a: { b: { $gt: 2 } } } }, { a: [{ b: 1 }] }],
  [{ a: [{ b: [1, 2] }, { b: [3] }] }, { $pull: { a: { b: 2 } } }, { a: [{ b: [3] }] }],
  [{ a: [1, 2, 3] }, { $pull: { a: { $in: [1, 3] } } }, { a: [2] }],
  [{ a: [1, 2, 3] }, { $pullAll: { a: [1, 3] } }, { a: [2] }],
  // Positional operators.
  [{ a: [1, 5, 2] }, { $set: { 'a.$': 9 } }, { a: [1, 9, 2] }, { filter: { a: { $gt: 4 } } }],
  [{ a: [{ b: 1 }, { b: 2 }] }, { $inc: { 'a.$.b': 10 } }, { a: [{ b: 1 }, { b: 12 }] }, { filter: { 'a.b': 2 } }],
  [{ a: [1, 2] }, { $inc: { 'a.$[]': 10 } }, { a: [11, 12] }],
  [{ a: [{ b: [1, 2] }, { b: [] }] }, { $mul: { 'a.$[].b.$[]': 2 } }, { a: [{ b: [2, 4] }, { b: [] }] }],
  [{ a: [1, 5, 9] }, { $set: { 'a.$[x]': 0 } }, { a: [1, 0, 0] }, { arrayFilters: [{ x: { $gte: 5 } }] }],
  [
    {
      a: [
        { k: 1, v: 1 },
        { k: 2, v: 1 },
      ],
    },
    { $set: { 'a.$[e].v': 7 } },
    {
      a: [
        { k: 1, v: 1 },
        { k: 2, v: 7 },
      ],
    },
    { arrayFilters: [{ 'e.k': 2 }] },
  ],
  [
    { a: [{ k: 1 }] },
    { $set: { 'a.$[].p': 1, 'a.$[e].q': 2 } },
    { a: [{ k: 1, p: 1, q: 2 }] },
    { arrayFilters: [{ $or: [{ 'e.k': 1 }, { 'e.k': 3 }] }] },
  ],
  // Replacements and pipelines.
  [{ _id: 1, a: 1 }, { b: 2 }, { _id: 1, b: 2 }],
  [
    { _id: 1, a: 1 },
    { b: 2, _id: 1 },
    { b: 2, _id: 1 },
  ],
  [{ _id: 1, a: 1 }, [{ $set: { b: { $add: ['$a', 1] } } }, { $unset: 'a' }], { _id: 1, b: 2 }],
  [{ _id: 1, a: { x: 1 } }, [{ $replaceWith: '$a' }], { _id: 1, x: 1 }],
  [{ _id: 1, a: 1, b: 2 }, [{ $project: { a: 1 } }], { _id: 1, a: 1 }],
];

describe('updates', () => {
  test.each(CASES)('%o with %o', (before, update, after, extra) => {
    const result = apply(update, before, extra).after;
    expect(show(result)).toBe(show(doc(after)));
  });

  const NOOPS: [object, object, Extra?][] = [
    [{ a: 1 }, { $set: { a: 1 } }],
    [{ a: 1 }, { $inc: { a: 0 } }],
    [{ a: [1] }, { $addToSet: { a: 1 } }],
    [{ a: [1] }, { $pull: { a: 9 } }],
    [{ a: [] }, { $pop: { a: 1 } }],
    [{ a: 1 }, { $unset: { b: 1 } }],
    [{ a: 3 }, { $max: { a: 3 } }],
    [{ a: [1, 2] }, { $push: { a: { $each: [] } } }],
    [{ a: [1, 2] }, { $set: { 'a.$[x]': 0 } }, { arrayFilters: [{ x: 9 }] }],
    [{ _id: 1, a: 1 }, { a: 1 }],
    [{ a: 1 }, { $setOnInsert: { b: 1 } }],
    [{ a: 1 }, { $set: {} }],
  ];
  test.each(NOOPS)('%o with %o changes nothing and gives the same object', (before, update, extra) => {
    const result = apply(update, before, extra);
    expect(result.after).toBe(result.before);
  });

  test('copies only along the changed path', () => {
    const { before, after } = apply({ $set: { 'a.b': 2 } }, { a: { b: 1, c: { d: 1 } }, e: [1] });
    expect(after.get('e')).toBe(before.get('e'));
    expect((after.get('a') as Doc).get('c')).toBe((before.get('a') as Doc).get('c'));
  });

  const ERRORS: [
    before: object,
    update: object | object[],
    code: string | number,
    message?: string | undefined,
    extra?: Extra,
  ][] = [
    [
      {},
      { $set: { a: 1 }, $inc: { a: 1 } },
      'ConflictingUpdateOperators',
      "Updating the path 'a' would create a conflict at 'a'",
    ],
    [
      {},
      { $set: { a: 1, 'a.b': 1 } },
      'ConflictingUpdateOperators',
      "Updating the path 'a.b' would create a conflict at 'a'",
    ],
    [
      {},
      { $set: { 'a.b': 1 }, $unset: { a: 1 } },
      'ConflictingUpdateOperators',
      "Updating the path 'a' would create a conflict at 'a'",
    ],
    [
      { a: [1] },
      { $set: { 'a.$': 1, 'a.0': 2 } },
      'ConflictingUpdateOperators',
      "Update created a conflict at 'a.0'",
      { filter: { a: 1 } },
    ],
    [{ a: [1] }, { $set: { 'a.$[]': 1, 'a.0': 2 } }, 'ConflictingUpdateOperators'],
    [{}, { $rename: { a: 'b' }, $set: { a: 1 } }, 'ConflictingUpdateOperators'],
    [
      { _id: 1 },
      { $set: { _id: 2 } },
      'ImmutableField',
      "Performing an update on the path '_id' would modify the immutable field '_id'",
    ],
    [{ _id: 1 }, { $unset: { _id: 1 } }, 'ImmutableField'],
    [
      { _id: { a: 1 } },
      { $set: { '_id.b': 2 } },
      'ImmutableField',
      "Updating the path '_id' to _id: { a: 1, b: 2 } would modify the immutable field '_id'",
    ],
    [
      { _id: { a: { x: 1 } } },
      { $inc: { '_id.a.b.c': 2 } },
      'ImmutableField',
      "Updating the path '_id.a' to a: { x: 1, b: { c: 2 } } would modify the immutable field '_id'",
    ],
    [
      { _id: { a: 1 } },
      { $set: { '_id.a': 2 } },
      'ImmutableField',
      "Performing an update on the path '_id.a' would modify the immutable field '_id'",
    ],
    [
      { _id: 1 },
      { _id: 2, a: 1 },
      'ImmutableField',
      "After applying the update, the (immutable) field '_id' was found to have been altered to _id: 2",
    ],
    [{ _id: 1 }, [{ $set: { _id: 2 } }], 'ImmutableField'],
    [
      { _id: 1, a: 'x' },
      { $inc: { a: 1 } },
      'TypeMismatch',
      "Cannot apply $inc to a value of non-numeric type. {_id: 1} has the field 'a' of non-numeric type string",
    ],
    [{}, { $inc: { a: 'x' } }, 'TypeMismatch', 'Cannot increment with non-numeric argument: {a: "x"}'],
    [{}, { $mul: { a: null } }, 'TypeMismatch', 'Cannot multiply with non-numeric argument: {a: null}'],
    [
      { _id: 1, a: MAX },
      { $inc: { a: 1 } },
      'BadValue',
      'Failed to apply $inc operations to current value ((NumberLong)9223372036854775807) for document {_id: 1}',
    ],
    [{ a: 5 }, { $set: { 'a.b': 1 } }, 'PathNotViable', "Cannot create field 'b' in element {a: 5}"],
    [{ a: null }, { $set: { 'a.b': 1 } }, 'PathNotViable', "Cannot create field 'b' in element {a: null}"],
    [{ a: [1] }, { $set: { 'a.b': 1 } }, 'PathNotViable', "Cannot create field 'b' in element {a: [ 1 ]}"],
    [
      { a: 5 },
      { $pop: { 'a.b': 1 } },
      'PathNotViable',
      'Cannot use the part (b) of (a.b) to traverse the element ({a: 5})',
    ],
    [{ a: [1] }, { $set: { 'a.2000000': 1 } }, 'CannotBackfillArray'],
    [
      {},
      { $foo: { a: 1 } },
      'FailedToParse',
      'Unknown modifier: $foo. Expected a valid update modifier or pipeline-style update specified as an array',
    ],
    [
      {},
      { $set: { a: 1 }, b: 1 },
      'FailedToParse',
      'Unknown modifier: b. Expected a valid update modifier or pipeline-style update specified as an array',
    ],
    [
      {},
      { $set: 5 },
      'FailedToParse',
      'Modifiers operate on fields but we found type int instead. For example: {$mod: {<field>: ...}} not {$set: 5}',
    ],
    [{}, { b: 1, $set: { a: 1 } }, 'DollarPrefixedFieldName'],
    [{}, { $set: { $a: 1 } }, 'DollarPrefixedFieldName'],
    [{}, { $set: { '': 1 } }, 'EmptyFieldName', 'An empty update path is not valid.'],
    [
      {},
      { $set: { 'a..b': 1 } },
      'EmptyFieldName',
      "The update path 'a..b' contains an empty field name, which is not allowed.",
    ],
    [
      { a: 1 },
      { $push: { a: 1 } },
      'BadValue',
      "The field 'a' must be an array but is of type int in document {no id}",
    ],
    [
      {},
      { $push: { a: { $each: 1 } } },
      'BadValue',
      'The argument to $each in $push must be an array but it was of type: int',
    ],
    [{}, { $push: { a: { $each: [], $foo: 1 } } }, 'BadValue', 'Unrecognized clause in $push: $foo'],
    [{}, { $push: { a: { $each: [], $slice: 1.5 } } }, 'BadValue'],
    [{}, { $push: { a: { $each: [], $sort: 2 } } }, 'BadValue', 'The $sort element value must be either 1 or -1'],
    [
      { a: 1 },
      { $addToSet: { a: 1 } },
      'BadValue',
      "Cannot apply $addToSet to non-array field. Field named 'a' has non-array type int",
    ],
    [{}, { $addToSet: { a: { $each: 1 } } }, 'TypeMismatch'],
    [{ a: 1 }, { $pop: { a: 1 } }, 'TypeMismatch', "Path 'a' contains an element of non-array type 'int'"],
    [{}, { $pop: { a: 2 } }, 'FailedToParse', '$pop expects 1 or -1, found: 2'],
    [{ a: 1 }, { $pull: { a: 1 } }, 'BadValue', 'Cannot apply $pull to a non-array value'],
    [{}, { $pullAll: { a: 1 } }, 'BadValue', '$pullAll requires an array argument but was given a int'],
    [{ a: 1.5 }, { $bit: { a: { and: 1 } } }, 'BadValue'],
    [{}, { $bit: { a: { nand: 1 } } }, 'BadValue'],
    [{}, { $bit: { a: {} } }, 'BadValue'],
    [{}, { $rename: { a: 1 } }, 'BadValue', "The 'to' field for $rename must be a string: a: 1"],
    [{}, { $rename: { a: 'a.b' } }, 'BadValue'],
    [{ a: [{ b: 1 }] }, { $rename: { 'a.0.b': 'c' } }, 'BadValue'],
    [{}, { $currentDate: { a: 1 } }, 'BadValue'],
    [{}, { $set: { 'a.$': 1 } }, 'BadValue', 'The positional operator did not find the match needed from the query.'],
    [{}, { $set: { 'a.$.b.$': 1 } }, 'BadValue', "Too many positional (i.e. '$') elements found in path 'a.$.b.$'"],
    [{}, { $set: { '$.a': 1 } }, 'BadValue'],
    [
      {},
      { $set: { 'a.$[]': 1 } },
      'BadValue',
      "The path 'a' must exist in the document in order to apply array updates.",
    ],
    [{ a: 1 }, { $set: { 'a.$[]': 1 } }, 'BadValue', 'Cannot apply array updates to non-array element a: 1'],
    [{}, { $set: { 'a.$[x]': 1 } }, 'BadValue', "No array filter found for identifier 'x' in path 'a.$[x]'"],
    [
      {},
      { $set: { a: 1 } },
      'FailedToParse',
      "The array filter for identifier 'x' was not used in the update { $set: { a: 1 } }",
      { arrayFilters: [{ x: 1 }] },
    ],
    [
      {},
      { $set: { 'a.$[x]': 1 } },
      'FailedToParse',
      'Found multiple array filters with the same top-level field name x',
      { arrayFilters: [{ x: 1 }, { x: 2 }] },
    ],
    [{}, { $set: { 'a.$[X]': 1 } }, 'BadValue', undefined, { arrayFilters: [{ X: 1 }] }],
    [{}, [{ $match: {} }], 'InvalidOptions', '$match is not allowed to be used within an update'],
  ];
  test.each(ERRORS)('%o with %o is refused as %s', (before, update, code, message, extra) => {
    expectCoded(() => apply(update, before, extra), code, message);
  });
});

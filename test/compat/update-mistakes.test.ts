import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { BSON, type Collection, type Db, type Document } from '../support/driver.ts';
import { startServer, type TestServer } from '../support/server.ts';

/**
 * Which mistake of several an update is told of, and what becomes of paths that lead nowhere: after the sources of
 * MongoDB 8.0 (`src/mongo/db/update`: `update_object_node.cpp`, `modifier_node.cpp`, `path_support.cpp`,
 * `rename_node.cpp`, `storage_validation.cpp`, `produce_document_for_upsert.cpp`).
 */
let server: TestServer;
let db: Db;
let things: Collection<Document>;

beforeAll(async () => {
  server = await startServer();
  db = (await server.client()).db('mistakes');
  things = db.collection('things');
});

afterAll(() => server?.close());

type Update = Document | Document[];
interface More {
  readonly q?: Document;
  readonly arrayFilters?: Document[];
  readonly upsert?: boolean;
  readonly multi?: boolean;
}

const show = (value: unknown) => BSON.EJSON.stringify(value);

async function run(before: Document | null, u: Update, more: More = {}): Promise<Document> {
  await things.deleteMany({});
  if (before) await things.insertOne({ _id: 1, ...before } as Document);
  return db.command({ update: 'things', updates: [{ q: { _id: 1 }, u, ...more }] });
}

type Refusal = [before: Document | null, u: Update, code: number, errmsg: string, more?: More];

function refuses(name: string, rows: readonly Refusal[]): void {
  describe(name, () => {
    test.each(
      rows.map((row) => [`${show(row[0])} ${show(row[1])} ${show(row[4] ?? {})}`, row] as const),
    )('%s', async (_, [before, u, code, errmsg, more]) => {
      const { writeErrors, n } = await run(before, u, more);
      expect(writeErrors ?? `none, n ${n}`).toEqual([{ index: 0, code, errmsg }]);
      expect(await things.find().toArray()).toEqual(before ? [{ _id: 1, ...before }] : []);
    });
  });
}

/** `modified` tells whether the document counts as changed. */
type Result = [before: Document | null, u: Update, after: Document, modified: 0 | 1, more?: More];

function makes(name: string, rows: readonly Result[]): void {
  describe(name, () => {
    test.each(
      rows.map((row) => [`${show(row[0])} ${show(row[1])} ${show(row[4] ?? {})}`, row] as const),
    )('%s', async (_, [before, u, after, modified, more]) => {
      const reply = await run(before, u, more);
      expect(reply.writeErrors).toBeUndefined();
      expect(reply.nModified).toBe(modified);
      expect(show(await things.find({}, { projection: { _id: 0 } }).toArray())).toBe(show([after]));
    });
  });
}

const REPLACED =
  "is not allowed in the context of an update's replacement document. Consider using an aggregation pipeline with $replaceWith.";

refuses('the path, then the operand, then identifiers and conflicts', [
  [{}, { $inc: { '': 'x' } }, 56, 'An empty update path is not valid.'],
  [{}, { $inc: { 'a..b': 'x' } }, 56, "The update path 'a..b' contains an empty field name, which is not allowed."],
  [{}, { $inc: { 'a.$.$': 'x' } }, 2, "Too many positional (i.e. '$') elements found in path 'a.$.$'"],
  [{}, { $inc: { '$.$': 'x' } }, 2, "Too many positional (i.e. '$') elements found in path '$.$'"],
  [{}, { $inc: { $: 'x' } }, 2, "Cannot have positional (i.e. '$') element in the first position in path '$'"],
  [{}, { $inc: { '$[]': 'x' } }, 14, 'Cannot increment with non-numeric argument: {$[]: "x"}'],
  [
    {},
    { $set: { '$[x].a': 1 } },
    2,
    "Cannot have array filter identifier (i.e. '$[<id>]') element in the first position in path '$[x].a'",
  ],
  [
    {},
    { $set: { a: 1, 'a.$[x]': 1 } },
    40,
    "Updating the path 'a.$[x]' would create a conflict at 'a'",
    { arrayFilters: [{ x: 1 }] },
  ],
  [{}, { $set: { 'a.$[x]': 1 }, $nope: 1 }, 2, "No array filter found for identifier 'x' in path 'a.$[x]'"],
  [{}, { $set: { 'a.$[x]': 1, 'b.$[x]': 1, b: 1 } }, 2, "No array filter found for identifier 'x' in path 'a.$[x]'"],
  [{}, { $rename: { '': 1 } }, 56, 'An empty update path is not valid.'],
  [{}, { $rename: { a: 'b.' } }, 56, "The update path 'b.' contains an empty field name, which is not allowed."],
  [{}, { $rename: { 'a.b': '$' } }, 2, "Cannot have positional (i.e. '$') element in the first position in path '$'"],
  [
    {},
    { $set: { a: 1 } },
    9,
    "The array filter for identifier 'x' was not used in the update { $set: { a: 1 } }",
    { arrayFilters: [{ y: 1 }, { x: 1 }] },
  ],
]);

refuses('array filters, then the update, then the filter', [
  [
    {},
    { $nope: 1 },
    9,
    'Unknown modifier: $nope. Expected a valid update modifier or pipeline-style update specified as an array',
    { q: { $bad: 1 } },
  ],
  [{}, { a: 1 }, 9, 'multi update is not supported for replacement-style update', { q: { $bad: 1 }, multi: true }],
  [
    {},
    { $nope: 1 },
    2,
    'Error parsing array filter :: caused by :: unknown operator: $bad',
    { arrayFilters: [{ x: { $bad: 1 } }] },
  ],
  [
    {},
    [{ $set: { a: 1 } }],
    2,
    "Error parsing array filter :: caused by :: The top-level field name must be an alphanumeric string beginning with a lowercase letter, found 'X'",
    { arrayFilters: [{ X: 1 }] },
  ],
  [
    {},
    { $set: { 'a.$[x]': 1 } },
    9,
    'Cannot use an expression without a top-level field name in arrayFilters',
    { arrayFilters: [{ $alwaysTrue: 1 }] },
  ],
  [
    {},
    { $set: { 'a.$[x]': 1 } },
    224,
    'Error parsing array filter :: caused by :: $expr is not allowed in this context',
    { arrayFilters: [{ $expr: { $eq: ['$a', 1] } }] },
  ],
  [
    {},
    { $set: { 'a.$[x]': 1 } },
    2,
    'Error parsing array filter :: caused by :: $text is not allowed in this context',
    { arrayFilters: [{ $text: { $search: 'x' } }] },
  ],
]);

refuses('paths through what has no fields', [
  [{ a: 1 }, { $pop: { 'a.b.c': 1 } }, 28, 'Cannot use the part (b) of (a.b.c) to traverse the element ({a: 1})'],
  [
    { a: [1] },
    { $pull: { 'a.x.y': 1 } },
    28,
    'Cannot use the part (x) of (a.x.y) to traverse the element ({a: [ 1 ]})',
  ],
  [
    { a: 1 },
    { $set: { 'a.b.d': 1 }, $pop: { 'a.b.c': 1 } },
    28,
    'Cannot use the part (b) of (a.b.c) to traverse the element ({a: 1})',
  ],
  [{ a: 1 }, { $pop: { 'a.b.d': 1 }, $set: { 'a.b.c': 1 } }, 28, "Cannot create field 'b' in element {a: 1}"],
  [{ a: 1 }, { $unset: { 'a.b': 1 }, $set: { 'a.c': 1 } }, 28, "Cannot create field 'c' in element {a: 1}"],
  [
    { a: 1 },
    { $set: { 'a.b.$[]': 1 } },
    2,
    "The path 'a.b' must exist in the document in order to apply array updates.",
  ],
  [
    { a: [1] },
    { $unset: { 'a.x.$[].y': 1 } },
    2,
    "The path 'a.x' must exist in the document in order to apply array updates.",
  ],
  [{ a: 1 }, { $set: { 'a.b.$.c': 1 } }, 2, 'The positional operator did not find the match needed from the query.'],
  [{ a: [1] }, { $set: { 'a.4294967296': 1 } }, 28, "Cannot create field '4294967296' in element {a: [ 1 ]}"],
  [{ a: [1] }, { $set: { 'a.4294967295': 1 } }, 34, "can't backfill more than 1500000 elements"],
  [
    { a: [{ b: [{}] }] },
    { $set: { 'a.$[].b.$[]': 1, 'a.$[x].b.0': 1 } },
    40,
    "Update created a conflict at 'a.0.b'",
    { arrayFilters: [{ 'x.b': { $exists: true } }] },
  ],
  [
    { a: { b: 'x' } },
    { $bit: { 'a.b': { or: 1 } } },
    2,
    'Cannot apply $bit to a value of non-integral type._id: 1 has the field b of non-integer type string',
  ],
]);

makes('operators with nothing to do where a path leads nowhere', [
  [{ a: 1 }, { $setOnInsert: { 'a.b.c': 1 } }, { a: 1 }, 0],
  [{ a: 1 }, { $rename: { x: 'a.b' } }, { a: 1 }, 0],
  [{ a: { b: 1 } }, { $rename: { 'a.x': 'c' } }, { a: { b: 1 } }, 0],
  [{ a: 1 }, { $unset: { 'a.b': 1, 'a.c.d': 1 } }, { a: 1 }, 0],
  [{ a: [1, 2] }, { $rename: { 'a.5': 'b' } }, { a: [1, 2] }, 0],
  [{ a: [1, 2] }, { $set: { 'a.01': 5 } }, { a: [1, 5] }, 1],
]);

refuses('what $rename leads through', [
  [{ a: 1 }, { $rename: { 'a.b': 'c' } }, 28, 'cannot use the part (a of a.b) to traverse the element ({a: 1})'],
  [
    { a: { b: [1] } },
    { $rename: { 'a.b.x': 'c' } },
    28,
    'cannot use the part (b of a.b.x) to traverse the element ({b: [ 1 ]})',
  ],
  [
    { a: [{ b: [{ c: 1 }] }] },
    { $rename: { 'a.0.b.0.c': 'd' } },
    2,
    "The source field cannot be an array element, 'a.0.b.0.c' in doc with _id: 1 has an array field called 'b'",
  ],
  [
    { a: 1, b: [1] },
    { $rename: { a: 'b.x' } },
    2,
    "The destination field cannot be an array element, 'b.x' in doc with _id: 1 has an array field called 'b'",
  ],
  [{ a: 1, b: 1 }, { $rename: { a: 'b.x' } }, 28, "Cannot create field 'x' in element {b: 1}"],
]);

refuses('names that begin with a dollar, at the top of what is stored', [
  [{}, { $set: { $a: 1 } }, 52, `The dollar ($) prefixed field '$a' in '$a' ${REPLACED}`],
  [{}, { $set: { '$a.b': 1 } }, 52, `The dollar ($) prefixed field '$a' in '$a' ${REPLACED}`],
  [{ a: 1 }, { $rename: { a: '$b' } }, 52, `The dollar ($) prefixed field '$b' in '$b' ${REPLACED}`],
  [{ a: 1 }, { b: 1, $c: 2 }, 52, `The dollar ($) prefixed field '$c' in '$c' ${REPLACED}`],
  [{}, { $set: { $id: 1, $ref: 'x' } }, 55, 'Found $id field without a $ref before it, which is invalid.'],
  [{}, { $set: { $ref: 'x' } }, 55, 'The DBRef $ref field must be followed by a $id field'],
  [{}, { $set: { $ref: 1 } }, 55, 'The DBRef $ref field must be a String, not a int'],
  [{}, { $set: { $db: 1 } }, 55, 'The DBRef $db field must be a String, not a int'],
  [{}, { $set: { $db: 'x' } }, 55, 'Found $db field without a $id before it, which is invalid.'],
  [
    null,
    { a: 1 },
    52,
    `The dollar ($) prefixed field '$a' in '_id.$a' ${REPLACED}`,
    { q: { _id: { $eq: { $a: 1 } } }, upsert: true },
  ],
]);

makes('names that begin with a dollar, where they may', [
  [{ a: 1 }, { $unset: { $b: 1 } }, { a: 1 }, 0],
  [{ a: 1 }, { $setOnInsert: { $b: 1 } }, { a: 1 }, 0],
  [{ a: 1, $b: 1 }, { $unset: { $b: 1 } }, { a: 1 }, 1],
  [{ $b: { c: 1 } }, { $set: { '$b.c': 2 } }, { $b: { c: 2 } }, 1],
  // The driver takes it for a reference, whose own fields come first.
  [{ a: 1 }, { b: 1, $ref: 'x', $id: 2 }, { $ref: 'x', $id: 2, b: 1 }, 1],
  [null, { $set: { $b: 1 } }, { $b: 1 }, 0, { upsert: true }],
  [null, { a: 1, $b: 1 }, { a: 1, $b: 1 }, 0, { upsert: true }],
  [
    { a: 1 },
    [{ $replaceWith: { $setField: { field: { $literal: '$b' }, input: '$$ROOT', value: 1 } } }],
    { a: 1, $b: 1 },
    1,
  ],
]);

makes('a replacement takes no notice of array filters', [
  [{ a: 1 }, { b: 1 }, { b: 1 }, 1, { arrayFilters: [{ x: 1 }] }],
]);

refuses('an _id that nothing may have', [
  [{}, { _id: [1] }, 53, "The '_id' value cannot be of type array"],
  [{}, { _id: /x/ }, 53, "The '_id' value cannot be of type regex"],
  [{}, [{ $set: { _id: [1] } }], 53, "The '_id' value cannot be of type array"],
  [
    null,
    { _id: [1] },
    54,
    "After applying the update to the document, the (immutable) field '_id' was found to be an array or array descendant.",
    { q: { a: 1 }, upsert: true },
  ],
  [null, { _id: /x/ }, 53, "The '_id' value cannot be of type regex", { q: { a: 1 }, upsert: true }],
]);

makes('what was pushed, sorted or cut counts as changed, though all is as before', [
  [{ a: [1, 2] }, { $push: { a: { $each: [], $sort: 1 } } }, { a: [1, 2] }, 1],
  [{ a: [1] }, { $push: { a: { $each: [2], $slice: 1 } } }, { a: [1] }, 1],
  [{ a: [1] }, { $push: { a: { $each: [], $slice: 1 } } }, { a: [1] }, 0],
  [{ a: [1] }, { $push: { a: { $each: [], $position: 0 } } }, { a: [1] }, 0],
]);

refuses('clauses of $push in their order', [
  [
    { a: [] },
    { $push: { a: { $each: [], $position: 'x', $sort: 2, $slice: 'x' } } },
    2,
    'The value for $slice must be an integer value but was given type: string',
  ],
  [
    { a: [] },
    { $push: { a: { $each: [], $position: 'x', $sort: 2 } } },
    2,
    'The $sort element value must be either 1 or -1',
  ],
]);

refuses('what $pull asks of elements', [
  [
    { a: [] },
    { $pull: { a: { $nope: 1 } } },
    2,
    "unknown top level operator: $nope. If you have a field name that starts with a '$' symbol, consider using $getField or $setField.",
  ],
  [
    { a: [] },
    { $pull: { a: { $not: { $gt: 1 } } } },
    2,
    'unknown top level operator: $not. If you are trying to negate an entire expression, use $nor.',
  ],
  [{ a: [] }, { $pull: { a: { $gt: 1, $nope: 1 } } }, 2, 'unknown operator: $nope'],
  [{ a: [] }, { $pull: { a: { $expr: { $eq: ['$b', 1] } } } }, 224, '$expr is not allowed in this context'],
  [{ a: [] }, { $pull: { a: { $where: '1' } } }, 2, '$where is not allowed in this context'],
]);

test('what is wrong with a constant of a pipeline is only found with a document', async () => {
  expect(await run(null, [{ $set: { a: { $add: ['x', 1] } } }])).toMatchObject({ ok: 1, n: 0 });
  expect(await run({ a: 1 }, [{ $set: { a: { $add: ['x', 1] } } }])).toMatchObject({ writeErrors: [{ code: 14 }] });
  const { writeErrors } = await run(null, [{ $set: { a: { $add: [{ $nope: 1 }, 1] } } }]);
  expect(writeErrors).toMatchObject([{ code: 168 }]);
});

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  BSON,
  type Collection,
  type Db,
  Decimal128,
  type Document,
  Double,
  Long,
  MaxKey,
  MinKey,
  ObjectId,
} from '../support/driver.ts';
import { startServer, type TestServer } from '../support/server.ts';

/** What updates make of documents, types and order of fields included, and what they refuse, as a client meets it. */
let server: TestServer;
let db: Db;
let things: Collection<Document>;

beforeAll(async () => {
  server = await startServer();
  db = (await server.client()).db('updates');
  things = db.collection('things');
});

afterAll(() => server?.close());

const decimal = (text: string) => Decimal128.fromString(text);
const long = (text: string) => Long.fromString(text);
const double = (value: number) => new Double(value);
const MAX_LONG = '9223372036854775807';

/** Canonical Extended JSON tells types and order. */
const show = (doc: unknown) => BSON.EJSON.stringify(doc, { relaxed: false });

interface Options {
  readonly q?: Document;
  readonly arrayFilters?: Document[];
  readonly multi?: boolean;
  readonly upsert?: boolean;
  readonly sort?: Document;
  readonly c?: Document;
}

async function update(before: Document | null, u: Document | Document[], options: Options = {}) {
  await things.deleteMany({});
  if (before) await things.insertOne({ _id: 1, ...before } as Document);
  return db.command({ update: 'things', updates: [{ q: { _id: 1 }, u, ...options }] });
}

async function stored(): Promise<string> {
  const docs = await things.find({}, { promoteValues: false, promoteLongs: false, bsonRegExp: true }).toArray();
  return docs.map((doc) => show(doc)).join();
}

/** before, update, after (`same` for a match that changes nothing), options. */
type Row = [before: Document, u: Document | Document[], after: Document | 'same', options?: Options];

async function expectUpdate([before, u, after, options]: Row): Promise<void> {
  const reply = await update(before, u, options);
  expect(reply).toMatchObject({ ok: 1, n: 1, nModified: after === 'same' ? 0 : 1 });
  expect(reply).not.toHaveProperty('writeErrors');
  expect(await stored()).toBe(show({ _id: 1, ...(after === 'same' ? before : after) }));
}

/** before, update, code, text, options. */
type Refusal = [before: Document, u: Document | Document[], code: number, errmsg: string | RegExp, options?: Options];

async function expectRefusal([before, u, code, errmsg, options]: Refusal): Promise<void> {
  const reply = await update(before, u, options);
  const text = typeof errmsg === 'string' ? errmsg : expect.stringMatching(errmsg);
  expect(reply.writeErrors?.[0] ?? 'no error').toMatchObject({ index: 0, code, errmsg: text });
  expect(await stored()).toBe(show({ _id: 1, ...before }));
}

const named = (rows: readonly (Row | Refusal)[]) =>
  rows.map((row) => [`${show(row[0])} ${show(row[1])}`, row] as const);

function table(name: string, rows: readonly Row[], refusals: readonly Refusal[] = []): void {
  describe(name, () => {
    if (rows.length > 0) test.each(named(rows))('%s', (_, row) => expectUpdate(row as Row));
    if (refusals.length > 0) test.each(named(refusals))('%s is refused', (_, row) => expectRefusal(row as Refusal));
  });
}

table(
  '$set and $unset',
  [
    [{ a: 1 }, { $set: { a: 1 } }, 'same'],
    [{ a: 1 }, { $set: { a: double(1) } }, { a: double(1) }],
    [{ a: 1 }, { $set: {} }, 'same'],
    [{ a: { x: 1, y: 2 } }, { $set: { a: { y: 2, x: 1 } } }, { a: { y: 2, x: 1 } }],
    [{}, { $set: { b: 1, a: 2 } }, { a: 2, b: 1 }],
    [{}, { $set: { 10: 1, 9: 2, b: 3, a: 4 } }, { 9: 2, 10: 1, a: 4, b: 3 }],
    [{}, { $set: { 'a.b.c': 1 } }, { a: { b: { c: 1 } } }],
    [{}, { $set: { 'a.0': 1 } }, { a: { 0: 1 } }],
    [{ a: [] }, { $set: { 'a.2': 1 } }, { a: [null, null, 1] }],
    [{ a: [{}] }, { $set: { 'a.0.x.y': 1 } }, { a: [{ x: { y: 1 } }] }],
    [{ a: [1, 2] }, { $set: { 'a.0': 5, 'a.2': 6 } }, { a: [5, 2, 6] }],
    [{ z: 1, a: 1 }, { $set: { z: 2 } }, { z: 2, a: 1 }],
    [{}, { $set: { 'a.$b': 1 } }, { a: { $b: 1 } }],
    [{}, { $set: { a: { $b: 1 } } }, { a: { $b: 1 } }],
    [{ a: 1, b: 2 }, { $unset: { a: '' } }, { b: 2 }],
    [{ a: 1 }, { $unset: { b: '' } }, 'same'],
    [{ a: [1, 2, 3] }, { $unset: { 'a.1': 1 } }, { a: [1, null, 3] }],
    [{ a: [1] }, { $unset: { 'a.5': 1 } }, 'same'],
    [{ a: 1 }, { $unset: { 'a.b.c': 1 } }, 'same'],
    [{ a: { b: 1 } }, { $unset: { 'a.b': 1 } }, { a: {} }],
    [{ a: 1 }, { $setOnInsert: { a: 2 } }, 'same'],
  ],
  [
    [{ a: 1 }, { $set: { 'a.b': 1 } }, 28, "Cannot create field 'b' in element {a: 1}"],
    [{ a: { b: 'x' } }, { $set: { 'a.b.c.d': 1 } }, 28, 'Cannot create field \'c\' in element {b: "x"}'],
    [{ a: null }, { $set: { 'a.b': 1 } }, 28, "Cannot create field 'b' in element {a: null}"],
    [{ a: [1] }, { $set: { 'a.x': 1 } }, 28, "Cannot create field 'x' in element {a: [ 1 ]}"],
    [{ a: [] }, { $set: { 'a.1500001': 1 } }, 34, /can't backfill more than 1500000 elements/i],
    [
      {},
      { $set: 5 },
      9,
      'Modifiers operate on fields but we found type int instead. For example: {$mod: {<field>: ...}} not {$set: 5}',
    ],
    [
      {},
      { $nope: { a: 1 } },
      9,
      'Unknown modifier: $nope. Expected a valid update modifier or pipeline-style update specified as an array',
    ],
    [
      {},
      { $set: { a: 1 }, b: 1 },
      9,
      'Unknown modifier: b. Expected a valid update modifier or pipeline-style update specified as an array',
    ],
    [{}, { $set: { '': 1 } }, 56, 'An empty update path is not valid.'],
    [{}, { $set: { 'a.': 1 } }, 56, "The update path 'a.' contains an empty field name, which is not allowed."],
    [{}, { $set: { '.a': 1 } }, 56, "The update path '.a' contains an empty field name, which is not allowed."],
    [{}, { $set: { 'a..b': 1 } }, 56, "The update path 'a..b' contains an empty field name, which is not allowed."],
    [{}, { $set: { $a: 1 } }, 52, /The dollar \(\$\) prefixed field '\$a' in '\$a' is not (valid for storage|allowed)/],
    [{}, { $set: { _id: 2 } }, 66, "Performing an update on the path '_id' would modify the immutable field '_id'"],
    [{}, { $unset: { _id: 1 } }, 66, "Performing an update on the path '_id' would modify the immutable field '_id'"],
    [{}, { $set: { '_id.x': 2 } }, 28, "Cannot create field 'x' in element {_id: 1}"],
    [{}, { $set: { a: 1 }, $unset: { a: 1 } }, 40, "Updating the path 'a' would create a conflict at 'a'"],
    [{}, { $set: { a: 1, 'a.b': 1 } }, 40, "Updating the path 'a.b' would create a conflict at 'a'"],
    [{}, { $set: { 'a.b': 1, a: 1 } }, 40, "Updating the path 'a' would create a conflict at 'a'"],
  ],
);

table(
  '$inc and $mul',
  [
    [{ a: 1 }, { $inc: { a: 2 } }, { a: 3 }],
    [{ a: 1 }, { $inc: { a: 0 } }, 'same'],
    [{ a: 1 }, { $inc: { a: long('2') } }, { a: long('3') }],
    [{ a: 1 }, { $inc: { a: double(2) } }, { a: double(3) }],
    [{ a: double(1.5) }, { $inc: { a: 1 } }, { a: double(2.5) }],
    [{ a: 1 }, { $inc: { a: decimal('0.5') } }, { a: decimal('1.5') }],
    [{ a: 2147483647 }, { $inc: { a: 1 } }, { a: long('2147483648') }],
    [{ a: -2147483648 }, { $inc: { a: -1 } }, { a: long('-2147483649') }],
    [{ a: long('1') }, { $inc: { a: 1 } }, { a: long('2') }],
    // Equal is the same, as -0 is 0 and 2.5 is 2.50: then the value stays.
    [{ a: decimal('-0') }, { $inc: { a: decimal('0') } }, 'same'],
    [{ a: double(-0) }, { $inc: { a: double(0) } }, 'same'],
    [{ a: decimal('-0') }, { $mul: { a: decimal('-1') } }, 'same'],
    [{ a: decimal('2.5') }, { $mul: { a: decimal('1.0') } }, 'same'],
    [{ a: 0 }, { $inc: { a: double(0) } }, { a: double(0) }],
    [{}, { $inc: { a: long('5') } }, { a: long('5') }],
    [{}, { $inc: { 'a.b': double(5) } }, { a: { b: double(5) } }],
    [{ a: 3 }, { $mul: { a: 2 } }, { a: 6 }],
    [{ a: 3 }, { $mul: { a: double(2) } }, { a: double(6) }],
    [{ a: 65536 }, { $mul: { a: 65536 } }, { a: long('4294967296') }],
    [{ a: double(2) }, { $mul: { a: decimal('1.5') } }, { a: decimal('3.000000000000000') }],
    [{}, { $mul: { a: 5 } }, { a: 0 }],
    [{}, { $mul: { a: long('5') } }, { a: long('0') }],
    [{}, { $mul: { a: double(5) } }, { a: double(0) }],
    [{}, { $mul: { a: decimal('5') } }, { a: decimal('0') }],
    [{ a: [1, 2] }, { $inc: { 'a.1': 5 } }, { a: [1, 7] }],
  ],
  [
    [
      { a: 'x' },
      { $inc: { a: 1 } },
      14,
      "Cannot apply $inc to a value of non-numeric type. {_id: 1} has the field 'a' of non-numeric type string",
    ],
    [
      { a: null },
      { $mul: { a: 1 } },
      14,
      "Cannot apply $mul to a value of non-numeric type. {_id: 1} has the field 'a' of non-numeric type null",
    ],
    [{ a: 1 }, { $inc: { a: 'x' } }, 14, 'Cannot increment with non-numeric argument: {a: "x"}'],
    [{ a: 1 }, { $mul: { a: true } }, 14, 'Cannot multiply with non-numeric argument: {a: true}'],
    [
      { a: long(MAX_LONG) },
      { $inc: { a: 1 } },
      2,
      `Failed to apply $inc operations to current value ((NumberLong)${MAX_LONG}) for document {_id: 1}`,
    ],
    [
      { a: 5 },
      { $mul: { a: long(MAX_LONG) } },
      2,
      'Failed to apply $mul operations to current value ((NumberInt)5) for document {_id: 1}',
    ],
  ],
);

table('$min and $max', [
  [{ a: 5 }, { $min: { a: 3 } }, { a: 3 }],
  [{ a: 5 }, { $min: { a: 7 } }, 'same'],
  [{ a: 5 }, { $min: { a: double(5) } }, 'same'],
  [{ a: 5 }, { $max: { a: 7 } }, { a: 7 }],
  [{ a: 5 }, { $max: { a: 'x' } }, { a: 'x' }],
  [{ a: 'x' }, { $min: { a: 5 } }, { a: 5 }],
  [{ a: 5 }, { $min: { a: null } }, { a: null }],
  [{ a: null }, { $max: { a: 5 } }, { a: 5 }],
  [{ a: 5 }, { $min: { a: new MinKey() }, $max: { b: new MaxKey() } }, { a: new MinKey(), b: new MaxKey() }],
  [{}, { $max: { 'a.b': 5 } }, { a: { b: 5 } }],
  [{ a: [1, 2] }, { $max: { a: [1, 3] } }, { a: [1, 3] }],
]);

table(
  '$currentDate',
  [[{ a: 1 }, { $currentDate: {} }, 'same']],
  [
    [
      {},
      { $currentDate: { a: 1 } },
      2,
      "int is not valid type for $currentDate. Please use a boolean ('true') or a $type expression ({$type: 'timestamp/date'}).",
    ],
    [
      {},
      { $currentDate: { a: { $type: 'x' } } },
      2,
      "The '$type' string field is required to be 'date' or 'timestamp': {$currentDate: {field : {$type: 'date'}}}",
    ],
    [{}, { $currentDate: { a: { $foo: 'date' } } }, 2, 'Unrecognized $currentDate option: $foo'],
  ],
);

test('$currentDate sets the time, as a date or a timestamp', async () => {
  await update({}, { $currentDate: { a: true, b: { $type: 'date' }, c: { $type: 'timestamp' }, d: false } });
  const types = await things
    .aggregate([
      { $project: { _id: 0, a: { $type: '$a' }, b: { $type: '$b' }, c: { $type: '$c' }, d: { $type: '$d' } } },
    ])
    .toArray();
  expect(types).toEqual([{ a: 'date', b: 'date', c: 'timestamp', d: 'date' }]);
});

table(
  '$rename',
  [
    [{ a: 1, b: 2 }, { $rename: { a: 'c' } }, { b: 2, c: 1 }],
    [{ a: 1, b: 2 }, { $rename: { a: 'b' } }, { b: 1 }],
    [{ a: 1 }, { $rename: { x: 'y' } }, 'same'],
    [{ a: { b: 1 } }, { $rename: { 'a.b': 'c.d' } }, { a: {}, c: { d: 1 } }],
    [
      { a: 1, b: 2 },
      { $rename: { a: 'x' }, $set: { b: 3 } },
      { b: 3, x: 1 },
    ],
  ],
  [
    [{}, { $rename: { a: 1 } }, 2, "The 'to' field for $rename must be a string: a: 1"],
    [{}, { $rename: { a: 'a' } }, 2, 'The source and target field for $rename must differ: a: "a"'],
    [
      {},
      { $rename: { a: 'a.b' } },
      2,
      'The source and target field for $rename must not be on the same path: a: "a.b"',
    ],
    [{}, { $rename: { 'a.$': 'b' } }, 2, 'The source field for $rename may not be dynamic: a.$'],
    [{}, { $rename: { a: 'b.$[]' } }, 2, 'The destination field for $rename may not be dynamic: b.$[]'],
    [{}, { $rename: { a: '' } }, 56, 'An empty update path is not valid.'],
    [
      { a: [{ b: 1 }] },
      { $rename: { 'a.0.b': 'c' } },
      2,
      "The source field cannot be an array element, 'a.0.b' in doc with _id: 1 has an array field called 'a'",
    ],
    [
      { a: 1, b: [1] },
      { $rename: { a: 'b.0' } },
      2,
      "The destination field cannot be an array element, 'b.0' in doc with _id: 1 has an array field called 'b'",
    ],
    [
      { a: 1 },
      { $rename: { _id: 'b' } },
      66,
      "Performing an update on the path '_id' would modify the immutable field '_id'",
    ],
    [{ a: 1 }, { $rename: { a: 'b', b: 'c' } }, 40, "Updating the path 'b' would create a conflict at 'b'"],
  ],
);

table(
  '$push',
  [
    [{ a: [1] }, { $push: { a: 2 } }, { a: [1, 2] }],
    [{ a: [1] }, { $push: { a: [2, 3] } }, { a: [1, [2, 3]] }],
    [{}, { $push: { 'a.b': 1 } }, { a: { b: [1] } }],
    [{ a: [1] }, { $push: { a: { $each: [] } } }, 'same'],
    [{}, { $push: { a: { $each: [] } } }, { a: [] }],
    [{ a: [1] }, { $push: { a: { $each: [2, 3] } } }, { a: [1, 2, 3] }],
    [{ a: [1, 4] }, { $push: { a: { $each: [2, 3], $position: 1 } } }, { a: [1, 2, 3, 4] }],
    [{ a: [1, 4] }, { $push: { a: { $each: [3], $position: -1 } } }, { a: [1, 3, 4] }],
    [{ a: [1, 4] }, { $push: { a: { $each: [0], $position: -9 } } }, { a: [0, 1, 4] }],
    [{ a: [1, 4] }, { $push: { a: { $each: [5], $position: 9 } } }, { a: [1, 4, 5] }],
    [{ a: [1, 2] }, { $push: { a: { $each: [3, 4], $slice: 3 } } }, { a: [1, 2, 3] }],
    [{ a: [1, 2] }, { $push: { a: { $each: [3, 4], $slice: -3 } } }, { a: [2, 3, 4] }],
    [{ a: [1, 2] }, { $push: { a: { $each: [3], $slice: 0 } } }, { a: [] }],
    [{ a: [1, 2] }, { $push: { a: { $each: [], $slice: -1 } } }, { a: [2] }],
    [{ a: [3, 1] }, { $push: { a: { $each: [2], $sort: 1 } } }, { a: [1, 2, 3] }],
    [{ a: [3, 'x', null] }, { $push: { a: { $each: [double(2.5)], $sort: -1 } } }, { a: ['x', 3, double(2.5), null] }],
    [
      { a: [{ x: 2 }, { x: 1, y: 1 }] },
      { $push: { a: { $each: [{ y: 5 }], $sort: { x: 1 } } } },
      { a: [{ y: 5 }, { x: 1, y: 1 }, { x: 2 }] },
    ],
    [
      { a: [{ b: { c: 2 } }, { b: { c: 1 } }] },
      { $push: { a: { $each: [], $sort: { 'b.c': 1 } } } },
      { a: [{ b: { c: 1 } }, { b: { c: 2 } }] },
    ],
    [{ a: [1] }, { $push: { a: { $each: [5, 4], $sort: -1, $slice: 2, $position: 0 } } }, { a: [5, 4] }],
    [{ a: [[1], [2]] }, { $push: { 'a.1': 3 } }, { a: [[1], [2, 3]] }],
    [{ a: [1] }, { $push: { a: { x: 1 } } }, { a: [1, { x: 1 }] }],
  ],
  [
    [{ a: 1 }, { $push: { a: 2 } }, 2, "The field 'a' must be an array but is of type int in document {_id: 1}"],
    [
      { a: [] },
      { $push: { a: { $each: 1 } } },
      2,
      'The argument to $each in $push must be an array but it was of type: int',
    ],
    [{ a: [] }, { $push: { a: { $each: [], $nope: 1 } } }, 2, 'Unrecognized clause in $push: $nope'],
    [
      { a: [] },
      { $push: { a: { $each: [], $slice: 'x' } } },
      2,
      'The value for $slice must be an integer value but was given type: string',
    ],
    [
      { a: [] },
      { $push: { a: { $each: [], $position: 1.5 } } },
      2,
      'The value for $position must be an integer value, not of type: double',
    ],
    [{ a: [] }, { $push: { a: { $each: [], $sort: 2 } } }, 2, 'The $sort element value must be either 1 or -1'],
    [
      { a: [] },
      { $push: { a: { $each: [], $sort: {} } } },
      2,
      'The $sort pattern is empty when it should be a set of fields.',
    ],
    [
      { a: [] },
      { $push: { a: { $each: [], $sort: 'x' } } },
      2,
      'The $sort is invalid: use 1/-1 to sort the whole element, or {field:1/-1} to sort embedded fields',
    ],
    [
      { a: [] },
      { $push: { a: { $each: [], $sort: { 'x.': 1 } } } },
      2,
      'The $sort field is a dotted field but has an empty part: x.',
    ],
  ],
);

table(
  '$addToSet, $pop, $pull and $pullAll',
  [
    [{ a: [1] }, { $addToSet: { a: 1 } }, 'same'],
    [{ a: [1] }, { $addToSet: { a: long('1') } }, 'same'],
    [{ a: [1] }, { $addToSet: { a: { $each: [2, 1, 2, double(2)] } } }, { a: [1, 2] }],
    [{ a: [1] }, { $addToSet: { a: [1] } }, { a: [1, [1]] }],
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
    [{}, { $addToSet: { a: { $each: [] } } }, { a: [] }],
    [{ a: [1, 2, 3] }, { $pop: { a: 1 } }, { a: [1, 2] }],
    [{ a: [1, 2, 3] }, { $pop: { a: double(-1) } }, { a: [2, 3] }],
    [{ a: [] }, { $pop: { a: 1 } }, 'same'],
    [{}, { $pop: { a: 1 } }, 'same'],
    [{ a: [1, 2, 1, double(1)] }, { $pull: { a: 1 } }, { a: [2] }],
    [{ a: [1, 5, 9] }, { $pull: { a: { $gte: 5, $lt: 9 } } }, { a: [1, 9] }],
    [{ a: ['x', 'y', 1] }, { $pull: { a: { $in: ['x', 1] } } }, { a: ['y'] }],
    [{ a: [{ x: 1, y: 1 }, { x: 2 }] }, { $pull: { a: { x: 1 } } }, { a: [{ x: 2 }] }],
    [{ a: [{ x: [1, 2] }, { x: 3 }] }, { $pull: { a: { x: { $elemMatch: { $gt: 1 } } } } }, { a: [{ x: 3 }] }],
    [{ a: [{ x: 1 }, { x: 2 }, 3] }, { $pull: { a: { $or: [{ x: 1 }, { x: 2 }] } } }, { a: [3] }],
    [{ a: [[1], [2], 1] }, { $pull: { a: [1] } }, { a: [[2], 1] }],
    // A condition looks into elements that are arrays, a value does not.
    [{ a: [[4, 7], [7], 9, [1]] }, { $pull: { a: { $gt: 6 } } }, { a: [[1]] }],
    [{ a: [['p', 'q', 'r'], ['p'], 'p'] }, { $pull: { a: { $all: ['p', 'q'] } } }, { a: [['p'], 'p'] }],
    [{ a: [[4, 7], [7], 4] }, { $pull: { a: { $ne: 4 } } }, { a: [[4, 7], 4] }],
    [{ a: [['xy'], ['z']] }, { $pull: { a: /y$/ } }, { a: [['z']] }],
    [{ a: [null, 1, { x: null }] }, { $pull: { a: null } }, { a: [1, { x: null }] }],
    [{ a: ['abc', 'b'] }, { $pull: { a: /a/ } }, { a: ['b'] }],
    [{}, { $pull: { a: 1 } }, 'same'],
    [{ a: [1, 2, 1, 3] }, { $pullAll: { a: [1, 3] } }, { a: [2] }],
    [{ a: [{ x: 1, y: 2 }] }, { $pullAll: { a: [{ x: 1 }] } }, 'same'],
    [{}, { $pullAll: { 'a.b': [1] } }, 'same'],
  ],
  [
    [
      { a: 1 },
      { $addToSet: { a: 1 } },
      2,
      "Cannot apply $addToSet to non-array field. Field named 'a' has non-array type int",
    ],
    [
      { a: [] },
      { $addToSet: { a: { $each: 1 } } },
      14,
      'The argument to $each in $addToSet must be an array but it was of type int',
    ],
    [
      { a: [] },
      { $addToSet: { a: { $each: [], $slice: 1 } } },
      2,
      'Found unexpected fields after $each in $addToSet: { $each: [], $slice: 1 }',
    ],
    [{ a: 1 }, { $pop: { a: 1 } }, 14, "Path 'a' contains an element of non-array type 'int'"],
    [{ a: [] }, { $pop: { a: 2 } }, 9, '$pop expects 1 or -1, found: 2'],
    [{ a: [] }, { $pop: { a: 'x' } }, 9, 'Expected a number in: a: "x"'],
    [{ a: [] }, { $pop: { a: 1.5 } }, 9, 'Expected an integer: a: 1.5'],
    [{ a: 1 }, { $pull: { a: 1 } }, 2, 'Cannot apply $pull to a non-array value'],
    [{ a: 1 }, { $pullAll: { a: [1] } }, 2, 'Cannot apply $pull to a non-array value'],
    [{ a: [] }, { $pullAll: { a: 1 } }, 2, '$pullAll requires an array argument but was given a int'],
  ],
);

table(
  '$bit',
  [
    [{ a: 13 }, { $bit: { a: { and: 10 } } }, { a: 8 }],
    [{ a: 3 }, { $bit: { a: { or: 5 } } }, { a: 7 }],
    [{ a: 1 }, { $bit: { a: { xor: 5 } } }, { a: 4 }],
    [{ a: 1 }, { $bit: { a: { or: long('4') } } }, { a: long('5') }],
    [{ a: 8 }, { $bit: { a: { or: 1, and: 9 } } }, { a: 9 }],
    [{}, { $bit: { a: { or: 5 } } }, { a: 5 }],
    [{ a: 5 }, { $bit: { a: { or: 5 } } }, 'same'],
  ],
  [
    [
      { a: 1 },
      { $bit: { a: 1 } },
      2,
      'The $bit modifier is not compatible with a int. You must pass in an embedded document: {$bit: {field: {and/or/xor: #}}',
    ],
    [
      { a: 1 },
      { $bit: { a: {} } },
      2,
      'You must pass in at least one bitwise operation. The format is: {$bit: {field: {and/or/xor: #}}',
    ],
    [
      { a: 1 },
      { $bit: { a: { not: 1 } } },
      2,
      "The $bit modifier only supports 'and', 'or', and 'xor', not 'not' which is an unknown operator: {not: 1}",
    ],
    [
      { a: 1 },
      { $bit: { a: { or: double(1) } } },
      2,
      "The $bit modifier field must be an Integer(32/64 bit); a 'double' is not supported here: {or: 1.0}",
    ],
    [
      { a: 'x' },
      { $bit: { a: { or: 1 } } },
      2,
      'Cannot apply $bit to a value of non-integral type._id: 1 has the field a of non-integer type string',
    ],
  ],
);

table(
  'elements: $, $[] and $[id]',
  [
    [{ a: [1, 2, 3] }, { $set: { 'a.$': 9 } }, { a: [1, 9, 3] }, { q: { a: 2 } }],
    [
      {
        a: [
          { b: 1, c: 1 },
          { b: 2, c: 1 },
        ],
      },
      { $inc: { 'a.$.c': 5 } },
      {
        a: [
          { b: 1, c: 1 },
          { b: 2, c: 6 },
        ],
      },
      { q: { 'a.b': 2 } },
    ],
    [
      {
        a: [
          { b: 1, c: 1 },
          { b: 1, c: 2 },
        ],
      },
      { $set: { 'a.$.x': 1 } },
      {
        a: [
          { b: 1, c: 1 },
          { b: 1, c: 2, x: 1 },
        ],
      },
      { q: { a: { $elemMatch: { b: 1, c: 2 } } } },
    ],
    [{ a: [1, 2] }, { $unset: { 'a.$': 1 } }, { a: [null, 2] }, { q: { a: 1 } }],
    [{ a: [1, 2] }, { $inc: { 'a.$[]': 1 } }, { a: [2, 3] }],
    [{ a: [{ b: [1, 2] }, { b: [3] }] }, { $inc: { 'a.$[].b.$[]': 1 } }, { a: [{ b: [2, 3] }, { b: [4] }] }],
    [{ a: [1, 5, 9] }, { $set: { 'a.$[big]': 0 } }, { a: [1, 0, 0] }, { arrayFilters: [{ big: { $gte: 5 } }] }],
    [
      { a: [{ b: 1 }, { b: 2 }] },
      { $set: { 'a.$[x].c': 1 } },
      { a: [{ b: 1 }, { b: 2, c: 1 }] },
      { arrayFilters: [{ 'x.b': { $gt: 1 } }] },
    ],
    [
      { a: [{ b: [1, 2] }, { b: [3] }] },
      { $set: { 'a.$[x].b.$[y]': 0 } },
      { a: [{ b: [1, 0] }, { b: [3] }] },
      { arrayFilters: [{ 'x.b': 1 }, { y: 2 }] },
    ],
    [{ a: [1, 2] }, { $set: { 'a.$[x]': 0 } }, 'same', { arrayFilters: [{ x: 5 }] }],
    [{ a: [1, 2, 3] }, { $set: { 'a.$[x]': 0 } }, { a: [0, 2, 0] }, { arrayFilters: [{ $or: [{ x: 1 }, { x: 3 }] }] }],
    [{ a: [] }, { $set: { 'a.$[]': 1 } }, 'same'],
  ],
  [
    [{ a: [1] }, { $set: { 'a.$': 2 } }, 2, 'The positional operator did not find the match needed from the query.'],
    [{ a: [1] }, { $set: { 'a.$.$': 2 } }, 2, "Too many positional (i.e. '$') elements found in path 'a.$.$'"],
    [{ a: [1] }, { $set: { 'a.$[x]': 2 } }, 2, "No array filter found for identifier 'x' in path 'a.$[x]'"],
    [{ a: 1 }, { $set: { 'a.$[]': 2 } }, 2, 'Cannot apply array updates to non-array element a: 1'],
    [{}, { $set: { 'a.$[]': 2 } }, 2, "The path 'a' must exist in the document in order to apply array updates."],
    [
      { a: [1] },
      { $set: { 'a.$[].$': 2 } },
      2,
      'The positional operator did not find the match needed from the query.',
    ],
    [
      { a: [1] },
      { $set: { 'a.$[x]': 2, 'a.$[y]': 3 } },
      40,
      "Update created a conflict at 'a.0'",
      { arrayFilters: [{ x: 1 }, { y: 1 }] },
    ],
    [
      { a: [1] },
      { $set: { b: 2 } },
      9,
      /^The array filter for identifier 'x' was not used in the update \{ \$set: \{ b: 2 \} \}$/,
      { arrayFilters: [{ x: 1 }] },
    ],
    [
      { a: [1] },
      { $set: { 'a.$[x]': 2 } },
      9,
      'Found multiple array filters with the same top-level field name x',
      { arrayFilters: [{ x: 1 }, { x: 2 }] },
    ],
    [
      { a: [1] },
      { $set: { 'a.$[X]': 2 } },
      2,
      "Error parsing array filter :: caused by :: The top-level field name must be an alphanumeric string beginning with a lowercase letter, found 'X'",
      { arrayFilters: [{ X: 1 }] },
    ],
    [
      { a: [1] },
      { $set: { 'a.$[x]': 2 } },
      9,
      /^Error parsing array filter :: caused by :: Expected a single top-level field name, found 'x' and 'y'$/,
      { arrayFilters: [{ x: 1, y: 2 }] },
    ],
    [
      { a: [1] },
      { $set: { 'a.$[x]': 2 } },
      9,
      'Cannot use an expression without a top-level field name in arrayFilters',
      { arrayFilters: [{}] },
    ],
    [
      { a: [1] },
      [{ $set: { a: 1 } }],
      9,
      'arrayFilters may not be specified for pipeline-style updates',
      { arrayFilters: [{ x: 1 }] },
    ],
  ],
);

table(
  'replacement',
  [
    [{ a: 1, b: 2 }, { b: 2 }, { b: 2 }],
    [{ a: 1 }, {}, {}],
    [{ a: 1 }, { a: 1 }, 'same'],
    [{ a: 1 }, { _id: 1, a: 2 }, { a: 2 }],
    [{ a: 1 }, { a: { $x: 1, 'y.z': 2 } }, { a: { $x: 1, 'y.z': 2 } }],
    [{ a: 1 }, { 'a.b': 1 }, { 'a.b': 1 }],
  ],
  [
    [
      { a: 1 },
      { _id: 2 },
      66,
      "After applying the update, the (immutable) field '_id' was found to have been altered to _id: 2",
    ],
    [{ a: 1 }, { b: 1 }, 9, 'multi update is not supported for replacement-style update', { multi: true }],
    [
      { a: 1 },
      { b: 1, $c: 2 },
      52,
      "The dollar ($) prefixed field '$c' in '$c' is not allowed in the context of an update's replacement document. Consider using an aggregation pipeline with $replaceWith.",
    ],
  ],
);

table(
  'pipelines',
  [
    [{ a: 1 }, [{ $set: { b: { $add: ['$a', 1] } } }], { a: 1, b: 2 }],
    [{ a: 1 }, [{ $addFields: { 'c.d': '$a' } }, { $unset: 'a' }], { c: { d: 1 } }],
    [{ a: 1, b: 2 }, [{ $unset: ['a', 'b'] }], {}],
    [{ a: { x: 1 } }, [{ $replaceWith: '$a' }], { x: 1 }],
    [{ a: { x: 1 } }, [{ $replaceRoot: { newRoot: { $mergeObjects: ['$a', { y: 2 }] } } }], { x: 1, y: 2 }],
    [{ a: 1, b: 2 }, [{ $project: { b: 1 } }], { b: 2 }],
    [{ a: 1 }, [], 'same'],
    [{ a: 1 }, [{ $set: { a: 1 } }], 'same'],
    [
      { a: 1 },
      [{ $set: { b: '$$NOW', c: { $literal: '$x' } } }, { $set: { b: { $type: '$b' } } }],
      { a: 1, b: 'date', c: '$x' },
    ],
    [{ a: 1 }, [{ $set: { b: '$$mine' } }], { a: 1, b: 7 }, { c: { mine: 7 } }],
  ],
  [
    [{ a: 1 }, [{ $match: { a: 1 } }], 72, '$match is not allowed to be used within an update'],
    [{ a: 1 }, [{ $set: { a: { $add: ['x', 1] } } }], 14, /\$add only supports numeric or date types, not string$/],
    [{ a: 1 }, [{ $set: { a: { $divide: [1, 0] } } }], 2, /can't \$divide by zero$/],
    [{ a: 1 }, [{ $nope: 1 }], 40324, "Unrecognized pipeline stage name: '$nope'"],
    [
      { a: 1 },
      [{ $set: { a: 1 }, $unset: 'b' }],
      40323,
      'A pipeline stage specification object must contain exactly one field.',
    ],
    [
      { a: 1 },
      [{ $set: { _id: 5 } }],
      66,
      "After applying the update, the (immutable) field '_id' was found to have been altered to _id: 5",
    ],
    [
      { a: 1 },
      [{ $replaceWith: '$a' }],
      40228,
      /^'replacement document' must evaluate to an object, but resulting value was: 1\. Type of resulting value: 'int'/,
    ],
    [
      { a: 1 },
      { $set: { b: 1 } },
      51198,
      'Constant values may only be specified for pipeline updates',
      { c: { x: 1 } },
    ],
  ],
);

describe('upserts', () => {
  const id = { _id: 1 };
  const UPSERTS: [q: Document, u: Document | Document[], after: Document][] = [
    [{ _id: 1 }, { $set: { a: 1 } }, { ...id, a: 1 }],
    [{ _id: 1, b: 2, c: { $gt: 5 } }, { $set: { a: 1 } }, { ...id, b: 2, a: 1 }],
    [{ _id: 1, 'x.y': 2 }, { $setOnInsert: { 'x.z': 3 } }, { ...id, x: { y: 2, z: 3 } }],
    [{ $and: [{ _id: 1 }, { b: { $eq: 5 } }] }, { $inc: { b: 1 } }, { ...id, b: 6 }],
    [{ _id: 1, $or: [{ b: 3 }] }, { $set: { a: 1 } }, { ...id, b: 3, a: 1 }],
    [{ _id: 1, b: { $in: [4] } }, { $set: { a: 1 } }, { ...id, b: 4, a: 1 }],
    [{ _id: 1, b: { $all: [4] } }, { $set: { a: 1 } }, { ...id, b: 4, a: 1 }],
    [{ _id: 1, b: { $in: [4, 5] } }, { $set: { a: 1 } }, { ...id, a: 1 }],
    [{ _id: 1, b: [1, 2] }, { $push: { b: 3 } }, { ...id, b: [1, 2, 3] }],
    [{ _id: 1, b: 5 }, { a: 1 }, { ...id, a: 1 }],
    [{ b: 5 }, { _id: 1, a: 1 }, { ...id, a: 1 }],
    [{ b: 5 }, { $set: { _id: 1 } }, { ...id, b: 5 }],
    [{ _id: 1, b: 5 }, [{ $set: { c: '$b' } }], { ...id, b: 5, c: 5 }],
    [{ _id: 1, b: /x/, c: { $ne: 1 }, d: null }, { $set: { a: 1 } }, { ...id, d: null, a: 1 }],
    [{ _id: 1 }, { $unset: { a: 1 } }, id],
    [{ _id: 1 }, { $min: { a: 5 }, $mul: { b: 3 }, $addToSet: { c: 1 } }, { ...id, a: 5, b: 0, c: [1] }],
  ];

  test.each(UPSERTS.map((row) => [`${show(row[0])} ${show(row[1])}`, row] as const))('%s', async (_, [q, u, after]) => {
    const reply = await update(null, u, { q, upsert: true });
    expect(reply).toMatchObject({ n: 1, nModified: 0, upserted: [{ index: 0, _id: 1 }] });
    expect(await stored()).toBe(show(after));
  });

  const REFUSED: [q: Document, u: Document, code: number, errmsg: string][] = [
    [
      { $and: [{ a: 1 }, { a: 2 }] },
      { $set: { b: 1 } },
      54,
      "cannot infer query fields to set, path 'a' is matched twice",
    ],
    [
      { a: 1, 'a.b': 2 },
      { $set: { c: 1 } },
      54,
      "cannot infer query fields to set, both paths 'a.b' and 'a' are matched",
    ],
    [{ '_id.x': 2 }, { a: 1 }, 111, "field at '_id' must be exactly specified, field at sub-path '_id.x'found"],
    [
      { _id: 1 },
      { $set: { _id: 2 } },
      66,
      "Performing an update on the path '_id' would modify the immutable field '_id'",
    ],
    [
      { _id: 1 },
      { _id: 2 },
      66,
      "After applying the update, the (immutable) field '_id' was found to have been altered to _id: 2",
    ],
    [{ a: 1 }, { $set: { 'a.b': 1 } }, 28, "Cannot create field 'b' in element {a: 1}"],
    [
      { $expr: { $eq: ['$a', 1] } },
      { $set: { b: 1 } },
      224,
      '$expr is not allowed in the query predicate for an upsert',
    ],
    [{ a: 1 }, { $set: { _id: [1] } }, 53, "The '_id' value cannot be of type array"],
  ];
  test.each(REFUSED.map((row) => [`${show(row[0])} ${show(row[1])}`, row] as const))('%s is refused', async (_, [
    q,
    u,
    code,
    errmsg,
  ]) => {
    const reply = await update(null, u, { q, upsert: true });
    expect(reply.writeErrors?.[0] ?? 'no error').toMatchObject({ code, errmsg });
    expect(await stored()).toBe('');
  });

  test('make an id where there is none', async () => {
    const reply = await update(null, { $set: { a: 1 } }, { q: { b: 1 }, upsert: true });
    expect(reply.upserted[0]._id).toBeInstanceOf(ObjectId);
    expect(Object.keys((await things.findOne({}))!)).toEqual(['_id', 'b', 'a']);
  });
});

describe('which document', () => {
  test('sort says which of several', async () => {
    await things.deleteMany({});
    await things.insertMany([3, 1, 2].map((n): Document => ({ _id: n, n })));
    await db.command({ update: 'things', updates: [{ q: {}, u: { $set: { x: 1 } }, sort: { n: -1 } }] });
    expect(await things.findOne({ x: 1 })).toMatchObject({ _id: 3 });
  });

  test('sort and multi do not go together', async () => {
    await expect(update({}, { $set: { x: 1 } }, { sort: { n: 1 }, multi: true })).rejects.toMatchObject({ code: 9 });
  });

  test('what fails half-way counts for nothing', async () => {
    await things.deleteMany({});
    await things.insertMany([1, 'x', 1].map((a, _id): Document => ({ _id, a })));
    const reply = await db.command({ update: 'things', updates: [{ q: {}, u: { $inc: { a: 1 } }, multi: true }] });
    expect(reply).toMatchObject({ n: 0, nModified: 0, writeErrors: [{ index: 0, code: 14 }] });
    expect((await things.find().toArray()).map(({ a }) => a)).toEqual([2, 'x', 1]);
  });

  test('a document may not outgrow 16 MB', async () => {
    const reply = await update({ a: 'x'.repeat(9_000_000) }, [{ $set: { b: '$a' } }]);
    expect(reply.writeErrors[0]).toMatchObject({
      code: 17419,
      errmsg: /Resulting document after update is larger than 16777216/,
    });
  });
});

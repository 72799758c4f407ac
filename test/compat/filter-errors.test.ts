import { afterAll, beforeAll, expect, test } from 'vitest';
import { BSONRegExp, Code, type Collection, type Document } from '../support/driver.ts';
import { startServer, type TestServer } from '../support/server.ts';

/** What MongoDB refuses in a filter, by code and text, as a client meets it. */
let server: TestServer;
let things: Collection;

beforeAll(async () => {
  server = await startServer();
  things = (await server.client()).db('filters').collection('things');
  await things.insertOne({ a: 1 });
});

afterAll(() => server?.close());

const REFUSED: readonly [Document, number, string][] = [
  [{ a: { $in: 1 } }, 2, '$in needs an array'],
  [{ a: { $nin: {} } }, 2, '$nin needs an array'],
  [{ a: { $in: [{ $gt: 1 }] } }, 2, 'cannot nest $ under $in'],
  [{ a: { $ne: /x/ } }, 2, "Can't have regex as arg to $ne."],
  [{ a: { $gt: /x/ } }, 2, "Can't have RegEx as arg to predicate over field 'a'."],
  [{ $and: {} }, 2, '$and must be an array'],
  [{ $or: [] }, 2, '$and/$or/$nor must be a nonempty array'],
  [{ $nor: [1] }, 2, '$or/$and/$nor entries need to be full objects'],
  [{ a: { $not: 1 } }, 2, '$not needs a regex or a document'],
  [{ a: { $not: {} } }, 2, '$not cannot be empty'],
  [{ a: { $all: 1 } }, 2, '$all needs an array'],
  [{ a: { $all: [{ $gt: 1 }] } }, 2, 'no $ expressions in $all'],
  [{ a: { $all: [{ $elemMatch: {} }, 1] } }, 2, '$all/$elemMatch has to be consistent'],
  [{ a: { $elemMatch: 1 } }, 2, '$elemMatch needs an Object'],
  [{ a: { $regex: 1 } }, 2, '$regex has to be a string'],
  [{ a: { $options: 'i' } }, 2, '$options needs a $regex'],
  [{ a: { $regex: 'x', $options: 1 } }, 2, '$options has to be a string'],
  [{ a: { $regex: new BSONRegExp('x', 'i'), $options: 'm' } }, 51075, 'options set in both $regex and $options'],
  [{ a: { $regex: 'x', $options: 'g' } }, 51108, ' invalid flag in regex options: g'],
  [{ a: { $bitsAllSet: 'x' } }, 2, 'a takes an Array, a number, or a BinData but received: $bitsAllSet: "x"'],
  [{ a: { $bitsAnySet: -1 } }, 9, 'Expected a non-negative number in: $bitsAnySet: -1'],
  [{ a: { $bitsAnyClear: 1.5 } }, 9, 'Expected an integer: $bitsAnyClear: 1.5'],
  [{ a: { $bitsAllClear: [-1] } }, 2, 'Failed to parse bit position. Expected a non-negative number in: 0: -1'],
  [{ a: { $nope: 1 } }, 2, 'unknown operator: $nope'],
  [{ a: { $eq: 1, $comment: 'x' } }, 2, 'unknown operator: $comment'],
  [{ a: { $where: 'true' } }, 2, '$where cannot be applied to a field'],
  [{ a: { $elemMatch: { x: 1, $expr: true } } }, 2, '$expr can only be applied to the top-level document'],
  [{ a: { $regex: 'x', $options: 'i', $not: 1 } }, 2, '$not needs a regex or a document'],
  [{ a: { $options: 'm', $regex: new BSONRegExp('x', 'i') } }, 51074, 'options set in both $regex and $options'],
  [{ a: { $regex: '(' } }, 51091, 'Regular expression is invalid: missing closing parenthesis'],
  [
    { a: { $in: [new BSONRegExp('[')] } },
    51091,
    'Regular expression is invalid: missing terminating ] for character class',
  ],
  [{ a: { $bitsAllSet: ['x'] } }, 2, 'Failed to parse bit position. Expected a number in: 0: "x"'],
  [{ a: { $bitsAllSet: Number.NaN } }, 9, 'Expected an integer, but found NaN in: $bitsAllSet: nan.0'],
  [{ a: { $size: 1.5 } }, 2, 'Failed to parse $size. Expected an integer: $size: 1.5'],
  [{ a: { $size: { $gte: 3 } } }, 2, 'Failed to parse $size. Expected a number in: $size: { $gte: 3 }'],
  [{ a: { $type: 0 } }, 2, 'Invalid numerical type code: 0. Instead use {$exists:false}.'],
  [{ a: { $type: 42 } }, 2, 'Invalid numerical type code: 42'],
  [{ a: { $type: 'float' } }, 2, 'Unknown type name alias: float'],
  [
    { a: { $type: 'missing' } },
    2,
    "'missing' is not a legal type name. To query for non-existence of a field, use {$exists:false}.",
  ],
  [{ a: { $type: null } }, 14, 'type must be represented as a number or a string'],
  [{ a: { $type: [] } }, 9, 'a must match at least one type'],
  [{ a: { $mod: null } }, 2, 'malformed mod, needs to be an array'],
  [{ a: { $mod: [] } }, 2, 'malformed mod, not enough elements'],
  [{ a: { $mod: [1] } }, 2, 'malformed mod, not enough elements'],
  [{ a: { $mod: [1, 2, 3] } }, 2, 'malformed mod, too many elements'],
  [{ a: { $mod: ['1', 2] } }, 2, 'malformed mod, divisor not a number'],
  [{ a: { $mod: [1, '2'] } }, 2, 'malformed mod, remainder not a number'],
  [{ a: { $mod: [0.5, 2] } }, 2, 'divisor cannot be 0'],
  [
    { a: { $mod: [Number.NaN, 2] } },
    2,
    'malformed mod, divisor value is invalid :: caused by :: Unable to coerce NaN/Inf to integral type',
  ],
  [
    { a: { $mod: [2, 1e20] } },
    2,
    'malformed mod, remainder value is invalid :: caused by :: Out of bounds coercing to integral value',
  ],
  [{ $alwaysTrue: 2 }, 9, '$alwaysTrue must be an integer value of 1'],
  [{ $alwaysFalse: 'x' }, 9, 'Expected a number in: $alwaysFalse: "x"'],
  [
    { $not: { a: 1 } },
    2,
    'unknown top level operator: $not. If you are trying to negate an entire expression, use $nor.',
  ],
  [
    { $nope: 1 },
    2,
    "unknown top level operator: $nope. If you have a field name that starts with a '$' symbol, consider using $getField or $setField.",
  ],
  [{ $jsonSchema: 1 }, 14, '$jsonSchema must be an object'],
  [{ $jsonSchema: { nope: 1 } }, 9, 'Unknown $jsonSchema keyword: nope'],
  [{ a: { $elemMatch: { $where: 'x' } } }, 2, '$where can only be applied to the top-level document'],
  [{ a: { $elemMatch: { x: 1, $sampleRate: 1 } } }, 2, '$sampleRate can only be applied to the top-level document'],
  [{ $sampleRate: 'x' }, 2, 'argument to $sampleRate must be a numeric type'],
  [{ [Array(201).fill('a').join('.')]: 1 }, 5729100, 'FieldPath is too long'],
  [{ $sampleRate: 2 }, 2, 'numeric argument to $sampleRate must be in [0, 1]'],
  [{ $where: 1 }, 2, '$where got bad type'],
  // As of a server started with server-side JavaScript off.
  [{ $where: 'this.a === 1' }, 6108304, 'no globalScriptEngine in $where parsing'],
  [{ $or: [{ $where: new Code('true') }] }, 6108304, 'no globalScriptEngine in $where parsing'],
];

test.each(REFUSED)('%j', async (filter, code, errmsg) => {
  await expect(things.find(filter).toArray()).rejects.toMatchObject({ code, errmsg });
  // A writing statement tells the same as an error of that statement.
  await expect(things.deleteOne(filter)).rejects.toMatchObject({ code, errmsg });
});

test('nothing of it removed anything', async () => {
  expect(await things.countDocuments()).toBe(1);
});

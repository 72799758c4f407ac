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
  [{ a: { $bitsAllSet: 'x' } }, 2, '$bitsAllSet takes an Array, a number, or a BinData but received: $bitsAllSet: "x"'],
  [{ a: { $bitsAnySet: -1 } }, 9, 'Expected a non-negative number in: $bitsAnySet: -1'],
  [{ a: { $bitsAnyClear: 1.5 } }, 9, 'Expected an integer: $bitsAnyClear: 1.5'],
  [{ a: { $bitsAllClear: [-1] } }, 2, 'bit positions must be >= 0 but got: 0: -1'],
  [{ a: { $nope: 1 } }, 2, 'unknown operator: $nope'],
  [{ a: { $where: 'true' } }, 2, '$where cannot be applied to a field'],
  [{ a: { $elemMatch: { x: 1, $expr: true } } }, 2, '$expr can only be applied to the top-level document'],
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

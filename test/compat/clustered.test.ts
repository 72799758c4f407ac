import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { Db, Document } from '../support/driver.ts';
import { startServer, type TestServer } from '../support/server.ts';

/** Clustered collections, expiring documents, and the options of create that stand alone. */
let server: TestServer;
let db: Db;

beforeAll(async () => {
  server = await startServer();
  db = (await server.client()).db('clustered');
});

afterAll(() => server?.close());

beforeEach(() => db.dropDatabase());

const KEY = { key: { _id: 1 }, unique: true };

test('a clustered collection shows its index, and works as any other', async () => {
  await db.createCollection('ordered', { clusteredIndex: { ...KEY, name: 'by id' }, expireAfterSeconds: 3600 });
  expect(await db.listCollections().toArray()).toMatchObject([
    { options: { clusteredIndex: { v: 2, key: { _id: 1 }, name: 'by id', unique: true }, expireAfterSeconds: 3600 } },
  ]);
  const ordered = db.collection<{ _id: number }>('ordered');
  expect(await ordered.indexes()).toEqual([{ v: 2, key: { _id: 1 }, name: 'by id', unique: true, clustered: true }]);
  await ordered.insertMany([{ _id: 2 }, { _id: 1 }]);
  await expect(ordered.insertOne({ _id: 1 })).rejects.toMatchObject({ code: 11000 });
  expect(await ordered.find().sort({ _id: 1 }).toArray()).toEqual([{ _id: 1 }, { _id: 2 }]);
});

test('the natural order of a clustered collection is that of _id', async () => {
  await db.createCollection('ordered', { clusteredIndex: KEY });
  const ordered = db.collection<{ _id: number | string; even?: boolean }>('ordered');
  await ordered.insertMany([{ _id: 'b' }, { _id: 10, even: true }, { _id: 9 }, { _id: 2, even: true }]);
  await ordered.insertOne({ _id: 'a' });
  await ordered.deleteOne({ _id: 'b' });
  const ids = async (filter = {}, options = {}) =>
    (await ordered.find(filter, options).toArray()).map(({ _id }) => _id);
  expect(await ids()).toEqual([2, 9, 10, 'a']);
  expect(await ids({}, { sort: { $natural: -1 } })).toEqual(['a', 10, 9, 2]);
  expect(await ids({ even: true })).toEqual([2, 10]);
  expect(await ids({}, { limit: 2, skip: 1 })).toEqual([9, 10]);
  expect(await ids({}, { readConcern: { level: 'majority' } })).toEqual([2, 9, 10, 'a']);
  expect((await ordered.aggregate([{ $match: {} }, { $limit: 1 }]).toArray())[0]).toEqual({ _id: 2, even: true });
  // The first in natural order is the one that is changed.
  await ordered.updateOne({}, { $set: { even: false } });
  expect(await ordered.findOne({ even: false })).toEqual({ _id: 2, even: false });
});

test('collMod changes when its documents expire', async () => {
  await db.createCollection('ordered', { clusteredIndex: KEY });
  const options = async () => ((await db.listCollections({ name: 'ordered' }).toArray()) as Document[])[0]?.options;
  await db.command({ collMod: 'ordered', expireAfterSeconds: 60 });
  expect(await options()).toMatchObject({ expireAfterSeconds: 60 });
  await db.command({ collMod: 'ordered', expireAfterSeconds: 'off' });
  expect(await options()).not.toHaveProperty('expireAfterSeconds');
});

test('documents go when their date has passed', async () => {
  const client = await server.client();
  await client.db('admin').command({ setParameter: 1, ttlMonitorSleepSecs: 1 });
  const sessions = db.collection<{ _id: number; at: Date }>('sessions');
  await sessions.createIndex({ at: 1 }, { expireAfterSeconds: 0 });
  await sessions.insertMany([
    { _id: 1, at: new Date(0) },
    { _id: 2, at: new Date(2 ** 42) },
  ]);
  await expect.poll(() => sessions.distinct('_id'), { timeout: 30_000 }).toEqual([2]);
  const { metrics } = await client.db('admin').command({ serverStatus: 1 });
  expect(metrics.ttl.deletedDocuments).toBeGreaterThanOrEqual(1);
  expect(metrics.ttl.passes).toBeGreaterThanOrEqual(1);
});

const CAPPED = "'capped' field needs to be true when either the 'size' or 'max' fields are present";

const REFUSED: readonly [Document, number, string][] = [
  [
    { create: 'x', clusteredIndex: { key: { a: 1 }, unique: true } },
    197,
    'The clusteredIndex option is only supported for key: {_id: 1}',
  ],
  [
    { create: 'x', clusteredIndex: { key: { a: 1 } } },
    5979700,
    'The clusteredIndex option requires unique: true to be specified',
  ],
  [
    { create: 'x', clusteredIndex: { ...KEY, v: 1, name: 'n' } },
    5979704,
    'Invalid clusteredIndex specification { v: 1, key: { _id: 1 }, name: "n", unique: true }; cannot create a clusteredIndex with v=1',
  ],
  [
    { create: 'x', clusteredIndex: { unique: true } },
    40414,
    "BSON field 'create.clusteredIndex.key' is missing but a required field",
  ],
  [
    { create: 'x', clusteredIndex: KEY, capped: true },
    6127800,
    "Clustered capped collection only available with 'enableTestCommands' server parameter",
  ],
  [
    { create: 'x', clusteredIndex: KEY, capped: true, size: 100 },
    6049200,
    "'size' field for capped collections is not allowed on clustered collections. Did you mean 'capped: true' with 'expireAfterSeconds'?",
  ],
  [
    { create: 'x', clusteredIndex: KEY, max: 100 },
    6049204,
    "'max' field for capped collections is not allowed on clustered collections. Did you mean 'capped: true' with 'expireAfterSeconds'?",
  ],
  [
    { create: 'x', clusteredIndex: KEY, expireAfterSeconds: -1 },
    72,
    "TTL index 'expireAfterSeconds' option cannot be less than 0",
  ],
  [
    { create: 'x', clusteredIndex: KEY, expireAfterSeconds: 2 ** 40 },
    72,
    "TTL index 'expireAfterSeconds' option must be within an acceptable range, try a lower number",
  ],
  [
    { create: 'x', clusteredIndex: KEY, idIndex: { key: { _id: 1 }, name: '_id_' } },
    72,
    "The 'clusteredIndex' option is not supported with the 'idIndex' option",
  ],
  [
    { create: 'x', clusteredIndex: KEY, autoIndexId: false },
    6026501,
    "The 'clusteredIndex' option does not support {autoIndexId: false}",
  ],
  [
    { create: 'x', autoIndexId: false },
    50001,
    'autoIndexId:false is not allowed for collection clustered.x because it can be replicated',
  ],
  [{ create: 'x', capped: true }, 72, 'specify size:<n> when capped is true'],
  [{ create: 'x', size: 100 }, 72, `the ${CAPPED}`],
  [
    { create: 'x', expireAfterSeconds: 10 },
    72,
    "'expireAfterSeconds' is only supported on time-series collections or when the 'clusteredIndex' option is specified",
  ],
  [{ create: 'x', temp: true }, 72, "the 'temp' field is an invalid option"],
  [{ create: 'x', nope: 1 }, 40415, "BSON field 'create.nope' is an unknown field."],
  [{ create: 'x', pipeline: [] }, 72, "'pipeline' requires 'viewOn' to also be specified"],
  [
    { create: 'x', idIndex: { key: { a: 1 }, name: 'a' } },
    2,
    "The field 'key' for an _id index must be {_id: 1}, but got { a: 1 }",
  ],
  [
    { create: 'x', idIndex: { key: { _id: 1 } } },
    9,
    "The 'name' field is a required property of an index specification",
  ],
  [
    { create: 'x', idIndex: { key: { _id: 1 }, name: '_id_', sparse: true } },
    197,
    'The field \'sparse\' is not valid for an _id index specification. Specification: { key: { _id: 1 }, name: "_id_", sparse: true }',
  ],
  [
    { create: 'x', idIndex: { key: { _id: 1 }, name: '_id_', collation: { locale: 'de' } } },
    2,
    "'idIndex' must have the same collation as the collection.",
  ],
  [
    { create: 'x', viewOn: 'plain', idIndex: { key: { _id: 1 }, name: '_id_' } },
    72,
    "'idIndex' is not allowed with 'viewOn': { key: { _id: 1 }, name: \"_id_\" }",
  ],
  [
    { collMod: 'plain', expireAfterSeconds: 10 },
    72,
    "'expireAfterSeconds' option is only supported on collections clustered by _id",
  ],
  [
    { collMod: 'plain', expireAfterSeconds: 'on' },
    72,
    "Invalid string value for the 'clusteredIndex::expireAfterSeconds' option. Got: 'on'. Accepted value is 'off'",
  ],
  [
    { collMod: 'held', index: { name: 'c', hidden: true } },
    6011800,
    "The 'hidden' option is not supported for a clusteredIndex",
  ],
  [{ dropIndexes: 'held', index: 'c' }, 5979800, 'It is illegal to drop the clusteredIndex'],
  [{ dropIndexes: 'held', index: { _id: 1 } }, 5979800, 'It is illegal to drop the clusteredIndex'],
  [{ dropIndexes: 'plain', index: { _id: 1 } }, 72, 'cannot drop _id index'],
  [{ dropIndexes: 'plain', index: { a: 1, b: -1 } }, 27, "can't find index with key: { a: 1, b: -1 }"],
  [{ dropIndexes: 'plain', index: 'a_1' }, 27, 'index not found with name [a_1]'],
  [{ dropIndexes: 'none', index: '*' }, 26, 'ns not found clustered.none'],
];

test.each(REFUSED)('%j is refused', async (command, code, errmsg) => {
  await db.createCollection('plain');
  await db.createCollection('held', { clusteredIndex: { ...KEY, name: 'c' } });
  await expect(db.command(command)).rejects.toMatchObject({ code, errmsg });
  expect(await db.listCollections({ name: 'x' }).toArray()).toEqual([]);
});

test('what is there with other options is told', async () => {
  await db.command({ create: 'held', validator: { a: 1 } });
  await db.createCollection('seen', { viewOn: 'held', pipeline: [{ $match: { a: 1 } }] });
  const refusal = (command: Document) => db.command(command).catch((error: Document) => [error.code, error.errmsg]);
  expect(await refusal({ create: 'held' })).toEqual([
    48,
    expect.stringMatching(
      /^namespace clustered\.held already exists, but with different options: \{ uuid: UUID\("[0-9a-f-]{36}"\), validator: \{ a: 1 \}, validationLevel: "strict", validationAction: "error" \}$/,
    ),
  ]);
  expect(await refusal({ create: 'seen', viewOn: 'other', pipeline: [] })).toEqual([
    48,
    'namespace clustered.seen already exists, but is a view on clustered.held rather than clustered.other',
  ]);
  expect(await refusal({ create: 'seen', viewOn: 'held', pipeline: [] })).toEqual([
    48,
    'namespace clustered.seen already exists, but with pipeline { 0: { $match: { a: 1 } } } rather than {}',
  ]);
});

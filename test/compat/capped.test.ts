import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type Collection, type Db, type Document, Long } from '../support/driver.ts';
import { startServer, type TestServer } from '../support/server.ts';

/** Capped collections and the cursors that follow them, as a client meets them. */
let server: TestServer;
let db: Db;
type Numbered = { _id: number } & Document;
let ring: Collection<Numbered>;

beforeAll(async () => {
  server = await startServer();
  db = (await server.client()).db('capped');
});

afterAll(() => server?.close());

beforeEach(async () => {
  await db.dropDatabase();
  await db.createCollection('ring', { capped: true, size: 1000, max: 3 });
  ring = db.collection('ring');
});

const ids = async (of = ring) => (await of.find().toArray()).map(({ _id }) => _id);
const numbered = (...all: number[]) => all.map((_id) => ({ _id }));

test('listCollections and collStats tell the cap, in steps of 256 bytes', async () => {
  expect(await db.listCollections().toArray()).toMatchObject([{ options: { capped: true, size: 1024, max: 3 } }]);
  expect(await db.command({ collStats: 'ring' })).toMatchObject({ capped: true, max: 3, maxSize: 1024 });
  const [stats] = await ring.aggregate([{ $collStats: { storageStats: {} } }]).toArray();
  expect(stats?.storageStats).toMatchObject({ capped: true, max: 3, maxSize: 1024 });
  expect(await ring.isCapped()).toBe(true);
  expect(await db.command({ create: 'ring', capped: true, size: 1000, max: 3 })).toMatchObject({ ok: 1 });
  await expect(db.command({ create: 'ring', capped: true, size: 5000 })).rejects.toMatchObject({ code: 48 });
});

test('the oldest go when there are too many', async () => {
  await ring.insertMany(numbered(1, 2));
  await ring.insertMany(numbered(3, 4));
  expect(await ids()).toEqual([2, 3, 4]);
  await ring.insertMany(numbered(5, 6, 7, 8, 9));
  expect(await ids()).toEqual([7, 8, 9]);
  expect(await ring.countDocuments()).toBe(3);
  expect(await ring.find().sort({ $natural: -1 }).toArray()).toEqual(numbered(9, 8, 7));
  // A name that has gone is free again.
  await ring.insertOne({ _id: 1 });
  expect(await ids()).toEqual([8, 9, 1]);
});

test('the oldest go when they are too large, and one that is larger than the cap is alone', async () => {
  await db.createCollection('bytes', { capped: true, size: 1024 });
  const bytes = db.collection<Numbered>('bytes');
  for (let _id = 1; _id <= 5; _id++) await bytes.insertOne({ _id, text: 'x'.repeat(400) });
  expect(await ids(bytes)).toEqual([4, 5]);
  await bytes.insertOne({ _id: 9, text: 'x'.repeat(2000) });
  expect(await ids(bytes)).toEqual([9]);
  await bytes.insertOne({ _id: 10 });
  expect(await ids(bytes)).toEqual([10]);
});

test('upserts and bulk writes keep the cap, and indexes forget what has gone', async () => {
  await ring.createIndex({ a: 1 }, { unique: true });
  await ring.insertMany([1, 2, 3].map((_id) => ({ _id, a: _id })));
  await ring.updateOne({ _id: 4 }, { $set: { a: 4 } }, { upsert: true });
  await ring.findOneAndUpdate({ _id: 5 }, { $set: { a: 5 } }, { upsert: true });
  await ring.bulkWrite([{ insertOne: { document: { _id: 6, a: 1 } } }]);
  expect(await ids()).toEqual([4, 5, 6]);
  expect(
    await ring
      .find({ a: { $lt: 5 } })
      .sort({ a: 1 })
      .toArray(),
  ).toEqual([
    { _id: 6, a: 1 },
    { _id: 4, a: 4 },
  ]);
});

test('documents may grow and be deleted', async () => {
  await ring.insertMany(numbered(1, 2, 3));
  await ring.updateOne({ _id: 2 }, { $set: { text: 'longer than before' } });
  await ring.deleteOne({ _id: 1 });
  expect(await ids()).toEqual([2, 3]);
});

test('the cap and the order outlive the server', async () => {
  await ring.insertMany(numbered(1, 2, 3, 4));
  const { disk } = server;
  await server.close();
  server = await startServer({ disk });
  db = (await server.client()).db('capped');
  ring = db.collection('ring');
  expect(await ids()).toEqual([2, 3, 4]);
  await ring.insertOne({ _id: 5 });
  expect(await ids()).toEqual([3, 4, 5]);
});

test('collMod and convertToCapped change the cap', async () => {
  await ring.insertMany(numbered(1, 2, 3));
  await db.command({ collMod: 'ring', cappedMax: 2 });
  await ring.insertOne({ _id: 4 });
  expect(await ids()).toEqual([3, 4]);
  // None at all is no limit.
  await db.command({ collMod: 'ring', cappedMax: 0 });
  await ring.insertMany(numbered(5, 6));
  expect(await ids()).toEqual([3, 4, 5, 6]);
  const plain = db.collection<Numbered>('plain');
  await plain.insertMany([1, 2, 3].map((_id) => ({ _id, text: 'x'.repeat(400) })));
  await plain.createIndex({ text: 1 });
  await db.command({ convertToCapped: 'plain', size: 1000 });
  expect(await plain.isCapped()).toBe(true);
  expect(await ids(plain)).toEqual([2, 3]);
  expect((await plain.indexes()).map(({ name }) => name)).toEqual(['_id_']);
});

test('a tailable cursor goes on where it was', async () => {
  await ring.insertMany(numbered(1, 2));
  const cursor = ring.find({ _id: { $ne: 3 } }, { tailable: true });
  expect([await cursor.tryNext(), await cursor.tryNext(), await cursor.tryNext()]).toEqual([...numbered(1, 2), null]);
  await ring.insertMany(numbered(3, 4));
  expect(await cursor.tryNext()).toEqual({ _id: 4 });
  expect(cursor.closed).toBe(false);
  await cursor.close();
});

test('a getMore of an awaitData cursor waits until there is more', async () => {
  await ring.insertOne({ _id: 1 });
  const { cursor } = await db.command({ find: 'ring', tailable: true, awaitData: true });
  expect(cursor.firstBatch).toEqual([{ _id: 1 }]);
  const more = db.command({ getMore: Long.fromBigInt(BigInt(cursor.id)), collection: 'ring', maxTimeMS: 60_000 });
  // Another connection writes while that one waits.
  const other = await server.client();
  await other.db('capped').collection<Numbered>('ring').insertOne({ _id: 2 });
  expect((await more).cursor.nextBatch).toEqual([{ _id: 2 }]);
});

test('at the end it answers with nothing, and keeps its id', async () => {
  await ring.insertOne({ _id: 1 });
  const { cursor } = await db.command({ find: 'ring', tailable: true, awaitData: true });
  const getMore = Long.fromBigInt(BigInt(cursor.id));
  const { cursor: more } = await db.command({ getMore, collection: 'ring', maxTimeMS: 1 });
  expect(more).toMatchObject({ nextBatch: [], id: cursor.id });
  await db.command({ killCursors: 'ring', cursors: [getMore] });
});

test('while one waits nothing is asked of Discord', async () => {
  await ring.insertOne({ _id: 1 });
  const { cursor } = await db.command({ find: 'ring', tailable: true, awaitData: true });
  await server.requests();
  const getMore = Long.fromBigInt(BigInt(cursor.id));
  await db.command({ getMore, collection: 'ring', maxTimeMS: 50 });
  expect(await server.requests()).toEqual({});
});

test('a cursor whose place has gone is dead', async () => {
  await ring.insertOne({ _id: 1 });
  const cursor = ring.find({}, { tailable: true });
  expect(await cursor.tryNext()).toEqual({ _id: 1 });
  await ring.insertMany(numbered(2, 3, 4));
  await expect(cursor.tryNext()).rejects.toMatchObject({ code: 136, codeName: 'CappedPositionLost' });
});

test('dropping the collection ends what waits', async () => {
  await ring.insertOne({ _id: 1 });
  const { cursor } = await db.command({ find: 'ring', tailable: true, awaitData: true });
  const getMore = Long.fromBigInt(BigInt(cursor.id));
  const more = db.command({ getMore, collection: 'ring', maxTimeMS: 60_000 });
  const ended = expect(more).rejects.toMatchObject({ code: 175 });
  await (await server.client()).db('capped').collection('ring').drop();
  await ended;
});

test('a cursor on nothing is dead from the start', async () => {
  expect((await db.command({ find: 'ring', tailable: true })).cursor).toMatchObject({ firstBatch: [], id: 0 });
  expect((await db.command({ find: 'nowhere', tailable: true })).cursor).toMatchObject({ firstBatch: [], id: 0 });
});

const REFUSED: readonly [Document, number, string | RegExp][] = [
  [{ create: 'x', capped: true }, 72, 'specify size:<n> when capped is true'],
  [
    { collMod: 'ring', index: { name: 'a_1', expireAfterSeconds: 5 } },
    72,
    'TTL indexes are not supported for capped collections.',
  ],
  [
    { createIndexes: 'ring', indexes: [{ key: { a: 1 }, name: 'a_1', expireAfterSeconds: 5 }] },
    67,
    'Cannot create TTL index on a capped collection',
  ],
  [
    { create: 'x', size: 100 },
    72,
    "the 'capped' field needs to be true when either the 'size' or 'max' fields are present",
  ],
  [
    { create: 'x', max: 100 },
    72,
    "the 'capped' field needs to be true when either the 'size' or 'max' fields are present",
  ],
  [{ create: 'x', capped: true, size: 2 ** 51 }, 2, 'size cannot exceed 1 PB'],
  [{ create: 'x', capped: true, size: 1, max: 2 ** 31 }, 2, 'max in a capped collection has to be < 2^31 or not set'],
  [{ find: 'plain', tailable: true }, 2, / tailable cursor requested on non capped collection$/],
  [{ find: 'ring', awaitData: true }, 9, "Cannot set 'awaitData' without also setting 'tailable'"],
  [
    { find: 'ring', tailable: true, sort: { a: 1 } },
    2,
    'cannot use tailable option with a sort other than {$natural: 1}',
  ],
  [{ find: 'ring', tailable: true, singleBatch: true }, 2, "cannot use tailable option with the 'singleBatch' option"],
  [{ convertToCapped: 'nowhere', size: 100 }, 26, 'source collection capped.nowhere does not exist'],
];

test.each(REFUSED)('%j is refused', async (command, code, errmsg) => {
  await db.createCollection('plain');
  const message = typeof errmsg === 'string' ? errmsg : expect.stringMatching(errmsg);
  await expect(db.command(command)).rejects.toMatchObject({ code, errmsg: message });
});

test('$out cannot replace a capped collection', async () => {
  await ring.insertOne({ _id: 1 });
  const out = ring.aggregate([{ $out: 'ring' }]).toArray();
  await expect(out).rejects.toMatchObject({ code: 17152 });
  expect(await ids()).toEqual([1]);
});

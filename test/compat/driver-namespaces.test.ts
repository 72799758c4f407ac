import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Db, Document, MongoClient } from '../support/driver.ts';
import { startServer, type TestServer } from '../support/server.ts';

/** Indexes, collections and databases as the driver makes, lists, renames and drops them. */
let server: TestServer;
let client: MongoClient;
let db: Db;

beforeAll(async () => {
  server = await startServer();
  client = await server.client();
  db = client.db('names');
});

afterAll(() => server?.close());

describe('indexes', () => {
  test('are listed with their options in the order of MongoDB', async () => {
    const collection = db.collection('listed');
    expect(await collection.createIndex({ a: 1, b: -1 }, { unique: true, background: true })).toBe('a_1_b_-1');
    const specs = [
      { key: { c: 1 }, name: 'mine', sparse: true, unique: false },
      { key: { d: 1 }, partialFilterExpression: { d: { $gt: 3 } } },
      { key: { at: 1 }, expireAfterSeconds: 3600 },
    ] as const;
    expect(await collection.createIndexes([...specs])).toEqual(['mine', 'd_1', 'at_1']);
    const { cursor } = await db.command({ listIndexes: 'listed' });
    expect(cursor).toMatchObject({ id: 0, ns: 'names.listed' });
    expect(cursor.firstBatch.map((index: Document) => Object.entries(index))).toEqual([
      Object.entries({ v: 2, key: { _id: 1 }, name: '_id_' }),
      Object.entries({ v: 2, key: { a: 1, b: -1 }, name: 'a_1_b_-1', unique: true, background: true }),
      Object.entries({ v: 2, key: { c: 1 }, name: 'mine', sparse: true }),
      Object.entries({ v: 2, key: { d: 1 }, name: 'd_1', partialFilterExpression: { d: { $gt: 3 } } }),
      Object.entries({ v: 2, key: { at: 1 }, name: 'at_1', expireAfterSeconds: 3600 }),
    ]);
    expect(await collection.listIndexes({ batchSize: 2 }).toArray()).toHaveLength(5);
  });

  test('are made once', async () => {
    const command = { createIndexes: 'once', indexes: [{ key: { a: 1 }, name: 'a_1' }] };
    expect(await db.command(command)).toMatchObject({
      numIndexesBefore: 1,
      numIndexesAfter: 2,
      createdCollectionAutomatically: true,
      ok: 1,
    });
    expect(await db.command(command)).toMatchObject({
      numIndexesBefore: 2,
      numIndexesAfter: 2,
      createdCollectionAutomatically: false,
      note: 'all indexes already exist',
    });
    const collection = db.collection('once');
    await expect(collection.createIndex({ a: 1 }, { unique: true })).rejects.toMatchObject({
      code: 86,
      codeName: 'IndexKeySpecsConflict',
    });
    await expect(collection.createIndex({ a: 1 }, { name: 'other' })).rejects.toMatchObject({
      code: 85,
      codeName: 'IndexOptionsConflict',
    });
    await expect(collection.createIndex({ b: 1 }, { name: 'a_1' })).rejects.toMatchObject({
      code: 86,
      codeName: 'IndexKeySpecsConflict',
    });
  });

  test('a unique index refuses what is there twice, with pattern and value', async () => {
    const collection = db.collection<{ _id: number; user: { mail?: string }; n?: number }>('unique');
    await collection.createIndex({ 'user.mail': 1, n: -1 }, { unique: true });
    await collection.insertMany([
      { _id: 1, user: { mail: 'a@b.c' }, n: 1 },
      { _id: 2, user: { mail: 'a@b.c' }, n: 2 },
    ]);
    const duplicate = {
      code: 11000,
      keyPattern: { 'user.mail': 1, n: -1 },
      keyValue: { 'user.mail': 'a@b.c', n: 1 },
      message:
        'E11000 duplicate key error collection: names.unique index: user.mail_1_n_-1 dup key: { user.mail: "a@b.c", n: 1 }',
    };
    await expect(collection.insertOne({ _id: 3, user: { mail: 'a@b.c' }, n: 1 })).rejects.toMatchObject(duplicate);
    await expect(collection.updateOne({ _id: 2 }, { $set: { n: 1 } })).rejects.toMatchObject(duplicate);
    await expect(collection.findOneAndUpdate({ _id: 2 }, { $set: { n: 1 } })).rejects.toMatchObject({
      ...duplicate,
      message: `Plan executor error during findAndModify :: caused by :: ${duplicate.message}`,
      codeName: 'DuplicateKey',
    });
    await collection.insertOne({ _id: 4, user: {} });
    await expect(collection.insertOne({ _id: 5, user: {} })).rejects.toMatchObject({
      keyValue: { 'user.mail': null, n: null },
    });
    expect(await collection.distinct('_id')).toEqual([1, 2, 4]);
    await collection.deleteOne({ _id: 1 });
    expect(await collection.updateOne({ _id: 2 }, { $set: { n: 1 } })).toMatchObject({ modifiedCount: 1 });
  });

  test('a unique index is not built over duplicates', async () => {
    const collection = db.collection('doubles');
    await collection.insertMany([{ a: 1 }, { a: 1 }]);
    await expect(collection.createIndex({ a: 1 }, { unique: true })).rejects.toMatchObject({ code: 11000 });
    expect(await collection.indexes()).toHaveLength(1);
    await collection.insertOne({ a: 1 });
  });

  test('are dropped by name, by key and together', async () => {
    const collection = db.collection('dropped');
    await collection.createIndexes([{ key: { a: 1 } }, { key: { b: 1 } }, { key: { c: 1 } }, { key: { d: 1 } }]);
    expect(await db.command({ dropIndexes: 'dropped', index: 'a_1' })).toMatchObject({ nIndexesWas: 5, ok: 1 });
    expect(await db.command({ dropIndexes: 'dropped', index: { b: 1 } })).toMatchObject({ nIndexesWas: 4 });
    await expect(collection.dropIndex('a_1')).rejects.toMatchObject({ code: 27, codeName: 'IndexNotFound' });
    await expect(collection.dropIndex('_id_')).rejects.toMatchObject({ code: 72, codeName: 'InvalidOptions' });
    await collection.dropIndexes();
    expect((await collection.indexes()).map(({ name }) => name)).toEqual(['_id_']);
  });

  test('serve queries, as explain tells', async () => {
    const collection = db.collection('explained');
    await collection.insertMany(Array.from({ length: 100 }, (_, n) => ({ n, tag: n % 2 ? 'odd' : 'even' })));
    const stage = async (filter: Document) => {
      const { queryPlanner } = await collection.find(filter).explain('queryPlanner');
      return queryPlanner.winningPlan;
    };
    expect(await stage({ n: 3 })).toMatchObject({ stage: 'COLLSCAN' });
    await collection.createIndex({ n: 1 });
    expect(await stage({ n: 3 })).toMatchObject({
      stage: 'FETCH',
      inputStage: { stage: 'IXSCAN', keyPattern: { n: 1 }, indexName: 'n_1' },
    });
    const explained = await collection.find({ n: { $gte: 90 } }).explain('executionStats');
    expect(explained).toMatchObject({
      explainVersion: '1',
      queryPlanner: { namespace: 'names.explained', indexFilterSet: false, rejectedPlans: [] },
      executionStats: { executionSuccess: true, nReturned: 10, totalKeysExamined: 10, totalDocsExamined: 10 },
      command: { find: 'explained' },
      ok: 1,
    });
    expect(await collection.find({ n: 3 }).explain('queryPlanner')).not.toHaveProperty('executionStats');
    expect(await stage({ _id: 1 })).toMatchObject({ stage: /IDHACK|EXPRESS/ });
  });
});

describe('collections', () => {
  test('are created with their options, and listed', async () => {
    const made = client.db('made');
    await made.createCollection('b');
    await made.collection('a').insertOne({});
    const listed = await made.listCollections().toArray();
    expect(listed).toHaveLength(2);
    expect(listed.find(({ name }) => name === 'a')).toMatchObject({
      type: 'collection',
      options: {},
      info: { readOnly: false },
      idIndex: { v: 2, key: { _id: 1 }, name: '_id_' },
    });
    expect(await made.listCollections({ name: 'b' }, { nameOnly: true }).toArray()).toEqual([
      { name: 'b', type: 'collection' },
    ]);
    await made.createCollection('b');
    await expect(made.createCollection('bad$name')).rejects.toMatchObject({ code: 73, codeName: 'InvalidNamespace' });
  });

  test('are renamed with what is in them', async () => {
    await db.collection('before').insertOne({ a: 1 });
    await db.collection('before').createIndex({ a: 1 });
    const after = await db.collection('before').rename('after');
    expect(await after.countDocuments({ a: 1 })).toBe(1);
    expect(await after.indexExists('a_1')).toBe(true);
    expect(await db.collection('before').countDocuments()).toBe(0);
    await db.collection('taken').insertOne({ b: 1 });
    await expect(db.collection('after').rename('taken')).rejects.toMatchObject({ code: 48 });
    await db.collection('after').rename('taken', { dropTarget: true });
    expect(
      await db
        .collection('taken')
        .find({}, { projection: { _id: 0 } })
        .toArray(),
    ).toEqual([{ a: 1 }]);
    await expect(db.collection('after').rename('again')).rejects.toMatchObject({ code: 26 });
  });

  test('are dropped, and are empty when they come back', async () => {
    await db.collection('lost').insertOne({ a: 1 });
    expect(await db.command({ drop: 'lost' })).toMatchObject({ nIndexesWas: 1, ns: 'names.lost', ok: 1 });
    expect(await db.listCollections({ name: 'lost' }).toArray()).toEqual([]);
    expect(await db.collection('lost').find().toArray()).toEqual([]);
    await db.collection('lost').insertOne({ b: 1 });
    expect(await db.collection('lost').countDocuments()).toBe(1);
    expect(await db.collection('never').drop()).toBe(true);
  });

  test('a cursor on a dropped collection ends with an error', async () => {
    await db.collection('cut').insertMany(Array.from({ length: 10 }, (_, n) => ({ n })));
    const cursor = db.collection('cut').find({}, { batchSize: 2 });
    await cursor.next();
    await db.collection('cut').drop();
    await expect(cursor.toArray()).rejects.toMatchObject({ code: 175, codeName: 'QueryPlanKilled' });
  });
});

describe('databases', () => {
  test('appear with their first collection and go when dropped', async () => {
    const names = async () => (await client.db().admin().listDatabases()).databases.map(({ name }) => name);
    expect(await names()).not.toContain('short');
    await client.db('short').collection('a').insertOne({ a: 1 });
    await client.db('short').collection('b').insertOne({ a: 1 });
    expect(await names()).toContain('short');
    expect(await client.db('short').stats()).toMatchObject({
      db: 'short',
      collections: 2,
      objects: 2,
      indexes: 2,
      ok: 1,
    });
    expect(await client.db('short').dropDatabase()).toBe(true);
    expect(await names()).not.toContain('short');
    expect(await client.db('short').collection('a').countDocuments()).toBe(0);
    expect(
      await client.db('admin').command({ listDatabases: 1, nameOnly: true, filter: { name: /^na/ } }),
    ).toMatchObject({
      databases: [{ name: 'names' }],
    });
  });

  test("DiscoDB's own collections are out of reach", async () => {
    const { databases } = await client.db().admin().listDatabases();
    expect(databases.map(({ name }) => name)).not.toContain('discodb');
  });
});

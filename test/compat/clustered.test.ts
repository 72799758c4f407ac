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

const REFUSED: readonly [Document, number][] = [
  [{ create: 'x', clusteredIndex: { key: { a: 1 }, unique: true } }, 5979701],
  [{ create: 'x', clusteredIndex: { key: { _id: 1 } } }, 5979700],
  [{ create: 'x', clusteredIndex: { ...KEY, v: 1 } }, 5979704],
  [{ create: 'x', clusteredIndex: { unique: true } }, 40414],
  [{ create: 'x', clusteredIndex: KEY, capped: true, size: 100 }, 6127800],
  [{ create: 'x', clusteredIndex: KEY, expireAfterSeconds: -1 }, 72],
  [{ create: 'x', expireAfterSeconds: 10 }, 72],
  [{ create: 'x', temp: true }, 72],
  [{ create: 'x', nope: 1 }, 40415],
  [{ collMod: 'plain', expireAfterSeconds: 10 }, 72],
  [{ collMod: 'plain', expireAfterSeconds: 'on' }, 72],
];

test.each(REFUSED)('%j is refused', async (command, code) => {
  await db.createCollection('plain');
  await expect(db.command(command)).rejects.toMatchObject({ code });
  expect(await db.listCollections({ name: 'x' }).toArray()).toEqual([]);
});

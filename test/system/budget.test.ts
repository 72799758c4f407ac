import type { Collection, Document } from 'mongodb';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { MemoryDisk } from '../../src/emulator/index.ts';
import { startServer, type TestServer } from '../support/server.ts';

const POST = 'POST /channels/:id/messages';
const LIST = 'GET /channels/:id/messages';
const GET_ONE = 'GET /channels/:id/messages/:id';
const BULK = 'POST /channels/:id/messages/bulk-delete';

/** About 200 bytes of BSON. */
function document(n: number): Document {
  return { n, name: `name ${n}`, padding: 'x'.repeat(140) };
}

/** The table of DESIGN.md, section 12: what an operation may ask of Discord, counted by the emulator. */
describe('request budget', () => {
  let server: TestServer;
  let things: Collection;

  beforeEach(async () => {
    server = await startServer();
    things = (await server.client()).db('budget').collection('things');
    await things.insertOne({ n: -1 });
    await server.requests();
  });
  afterEach(() => server.close());

  async function spent(work: () => Promise<unknown>): Promise<Record<string, number>> {
    await server.requests();
    await work();
    return server.requests();
  }

  it('writes one document with one POST', async () => {
    expect(await spent(() => things.insertOne(document(1)))).toEqual({ [POST]: 1 });
    expect(await spent(() => things.updateOne({ n: 1 }, { $set: { name: 'new' } }))).toEqual({ [POST]: 1 });
    expect(await spent(() => things.findOneAndUpdate({ n: 1 }, { $inc: { n: 1 } }))).toEqual({ [POST]: 1 });
    expect(await spent(() => things.deleteOne({ n: 2 }))).toEqual({ [POST]: 1 });
  });

  it('inserts 1,000 documents with one POST', async () => {
    const docs = Array.from({ length: 1000 }, (_, n) => document(n));
    expect(await spent(() => things.insertMany(docs))).toEqual({ [POST]: 1 });
    expect(await things.countDocuments()).toBe(1001);
  });

  it('inserts 100,000 documents with at most four POSTs', async () => {
    const docs = Array.from({ length: 100_000 }, (_, n) => document(n));
    const requests = await spent(() => things.insertMany(docs));
    expect(Object.keys(requests)).toEqual([POST]);
    expect(requests[POST]).toBeLessThanOrEqual(4);
    expect(await things.estimatedDocumentCount()).toBe(100_001);
  });

  it('writes 100 documents inserted at the same time with at most six POSTs', async () => {
    // Connections first: making a hundred takes longer than the inserts.
    await Promise.all(Array.from({ length: 100 }, () => things.findOne()));
    const inserts = () => Promise.all(Array.from({ length: 100 }, (_, n) => things.insertOne(document(n))));
    const counts: number[] = [];
    // Real time, and a driver that takes its own to send them: on a busy machine they need not come at the same time. In
    // virtual time they do (limits.test.ts).
    for (let round = 0; round < 3; round++) {
      const requests = await spent(inserts);
      expect(Object.keys(requests)).toEqual([POST]);
      counts.push(requests[POST]!);
    }
    expect(Math.min(...counts)).toBeLessThanOrEqual(6);
  });

  it('updates and deletes 10,000 documents with one POST each', async () => {
    await things.insertMany(Array.from({ length: 10_000 }, (_, n) => document(n)));
    const updated = await spent(() => things.updateMany({ n: { $gte: 0 } }, { $inc: { n: 1 } }));
    expect(updated[POST]).toBe(1);
    expect(updated[BULK] ?? 0).toBeLessThanOrEqual(102);
    const deleted = await spent(() => things.deleteMany({ n: { $gte: 0 } }));
    expect(deleted[POST]).toBe(1);
    expect(deleted[BULK] ?? 0).toBeLessThanOrEqual(102);
    expect(await things.countDocuments()).toBe(1);
  });

  it('deletes superseded messages in bulk, 100 a request', async () => {
    const requests = await spent(async () => {
      for (let n = 0; n < 250; n++) await things.updateOne({}, { $set: { n } });
    });
    expect(requests[POST]).toBe(250);
    expect(requests[BULK] ?? 0).toBeGreaterThanOrEqual(1);
    expect(requests[BULK] ?? 0).toBeLessThanOrEqual(3);
  });

  it('drops a collection with one POST and one DELETE', async () => {
    const requests = await spent(async () => {
      await things.drop();
      await expect.poll(() => server.requests(), { timeout: 5000 }).toHaveProperty('DELETE /channels/:id', 1);
    });
    expect(requests).toEqual({});
  });

  it('reads what is in memory for nothing', async () => {
    await things.insertMany(Array.from({ length: 100 }, (_, n) => document(n)));
    const requests = await spent(async () => {
      await things.find().toArray();
      await things.findOne({ n: 7 });
      await things.countDocuments();
      await things.distinct('name');
      await things.find({}, { readConcern: { level: 'majority' } }).toArray();
      await things.aggregate([{ $group: { _id: null, n: { $sum: '$n' } } }]).toArray();
    });
    expect(requests).toEqual({});
  });

  it('answers the first find().limit(10) of an unopened collection with at most two GETs', async () => {
    for (let batch = 0; batch < 250; batch++) await things.insertOne(document(batch));
    const disk = server.disk as MemoryDisk;
    await server.close();
    server = await startServer({ disk });
    const reopened = (await server.client()).db('budget').collection('things');
    await server.requests();
    const found = await reopened.find().limit(10).toArray();
    expect(found.map(({ n }) => n)).toEqual([-1, 0, 1, 2, 3, 4, 5, 6, 7, 8]);
    const requests = await server.requests();
    expect(Object.keys(requests)).toEqual([LIST]);
    expect(requests[LIST]).toBeLessThanOrEqual(2);
  });

  it('reads an evicted document with one GET, and one download when it is in a file', async () => {
    await server.close();
    server = await startServer({ cacheBytes: 0 });
    const uncached = (await server.client()).db('budget').collection<{ _id: number }>('things');
    await uncached.insertOne({ _id: 1 });
    await uncached.insertMany(Array.from({ length: 1000 }, (_, n) => ({ _id: n + 10, ...document(n) })));
    await uncached.insertOne({ _id: 2 });
    expect(await spent(() => uncached.findOne({ _id: 1 }))).toEqual({ [GET_ONE]: 1 });
    const { [GET_ONE]: gets, ...rest } = await spent(() => uncached.findOne({ _id: 500 }));
    expect(gets).toBe(1);
    expect(rest).toEqual({});
  });

  it('reads evicted documents that share a pack with one GET together', async () => {
    await server.close();
    server = await startServer({ cacheBytes: 0 });
    const uncached = (await server.client()).db('budget').collection<{ _id: number }>('things');
    for (const from of [0, 1000]) {
      await uncached.insertMany(Array.from({ length: 1000 }, (_, n) => ({ _id: from + n, ...document(n) })));
    }
    // Another pack takes the place on the shelf of what was read last.
    await uncached.findOne({ _id: 1500 });
    const wanted = { _id: { $in: [3, 300, 600, 900] } };
    const requests = await spent(async () => expect(await uncached.find(wanted).toArray()).toHaveLength(4));
    expect(requests).toEqual({ [GET_ONE]: 1 });
    const atOnce = () => Promise.all([1, 2, 3, 4].map((_id) => uncached.findOne({ _id })));
    await uncached.findOne({ _id: 1501 });
    expect(await spent(atOnce)).toEqual({});
  });

  it('draws a sample with one GET for each record that it takes from', async () => {
    await server.close();
    server = await startServer({ cacheBytes: 0 });
    const uncached = (await server.client()).db('budget').collection<{ _id: number }>('things');
    await uncached.createIndex({ kind: 1 });
    for (const from of [0, 1000, 2000]) {
      const kind = `kind ${from / 1000}`;
      await uncached.insertMany(Array.from({ length: 1000 }, (_, n) => ({ ...document(n), _id: from + n, kind })));
    }
    const sample = (...before: object[]) => uncached.aggregate([...before, { $sample: { size: 1 } }]).toArray();
    expect(await spent(async () => expect(await sample()).toHaveLength(1))).toEqual({ [GET_ONE]: 1 });
    const one = { $match: { kind: 'kind 1' } };
    const drawn = new Set<number>();
    const requests = await spent(async () => {
      for (let times = 0; times < 20; times++) for (const { _id } of await sample(one)) drawn.add(Number(_id));
    });
    expect(drawn.size).toBeGreaterThan(10);
    for (const id of drawn) expect(Math.floor(id / 1000)).toBe(1);
    // The record that was read last is still at hand.
    expect(requests[GET_ONE] ?? 0).toBeLessThanOrEqual(1);
  });

  it('answers from an index what it holds, and asks for no document', async () => {
    await server.close();
    server = await startServer({ cacheBytes: 0 });
    const uncached = (await server.client()).db('budget').collection('things');
    await uncached.createIndex({ kind: 1, n: 1 });
    await uncached.insertMany(Array.from({ length: 1000 }, (_, n) => ({ ...document(n), kind: n % 10, n })));
    const fields = { _id: 0, kind: 1, n: 1 };
    const requests = await spent(async () => {
      const found = await uncached.find({ kind: 3 }).project(fields).sort({ n: -1 }).toArray();
      expect(found.length).toBe(100);
      expect(found[0]).toEqual({ kind: 3, n: 993 });
      expect(await uncached.distinct('kind')).toHaveLength(10);
      const sums = [{ $match: { kind: { $gte: 5 } } }, { $group: { _id: '$kind', sum: { $sum: '$n' } } }];
      expect(await uncached.aggregate(sums).toArray()).toHaveLength(5);
    });
    expect(requests).toEqual({});
  });
});

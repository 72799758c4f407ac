import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { MemoryDisk } from '../../src/emulator/index.ts';
import { type Collection, Long, type MongoClient } from '../support/driver.ts';
import { startServer, type TestServer } from '../support/server.ts';

/** What clients see when documents are no longer in memory, or were never in this process's memory. */
interface Doc {
  _id: number;
  n: number;
  text: string;
  touched?: boolean;
}

const COUNT = 3000;
/** Holds a thirtieth of the documents. */
const CACHE_BYTES = 100_000;

let disk: MemoryDisk;
let server: TestServer;
let client: MongoClient;
let docs: Collection<Doc>;

beforeEach(async () => {
  disk = new MemoryDisk();
  await start();
  await docs.insertMany(Array.from({ length: COUNT }, (_, _id) => ({ _id, n: (_id * 7919) % COUNT, text: text(_id) })));
});

afterEach(() => server.close());

async function start(): Promise<void> {
  server = await startServer({ disk, cacheBytes: CACHE_BYTES });
  client = await server.client();
  docs = client.db('cold').collection<Doc>('docs');
}

/** The next process on the same Discord. */
async function restart(): Promise<void> {
  await server.close();
  await start();
}

/** Requests for messages since the last look. */
async function messageReads(): Promise<number> {
  const gets = Object.entries(await server.requests()).filter(([route]) => /^GET .*\/messages/.test(route));
  return gets.reduce((sum, [, count]) => sum + count, 0);
}

function text(seed: number): string {
  return `${seed} `.repeat(1000 / `${seed} `.length);
}

describe('a collection bigger than the cache', () => {
  test('is read in batches, in natural order and sorted', async () => {
    let at = 0;
    for await (const doc of docs.find({}, { batchSize: 100 })) {
      expect(doc).toEqual({ _id: at, n: (at * 7919) % COUNT, text: text(at) });
      at++;
    }
    expect(at).toBe(COUNT);
    const sorted = docs.find({}, { projection: { n: 1 }, sort: { n: -1 }, batchSize: 500 });
    expect((await sorted.toArray()).map(({ n }) => n)).toEqual(Array.from({ length: COUNT }, (_, n) => COUNT - 1 - n));
    expect(await docs.findOne({ _id: 17 })).toMatchObject({ text: text(17) });
  });

  test('is updated, searched by index and deleted from', async () => {
    await docs.createIndex({ n: 1 }, { unique: true });
    expect(await docs.updateMany({ n: { $lt: 1000 } }, { $set: { touched: true } })).toMatchObject({
      modifiedCount: 1000,
    });
    await server.requests();
    expect(await docs.countDocuments({ touched: true })).toBe(1000);
    // Three records hold the documents, in turns; a scan meets each of them in a handful of steps.
    expect(await messageReads()).toBeLessThan(50);
    await expect(docs.updateOne({ n: 5 }, { $set: { n: 2500 } })).rejects.toMatchObject({ code: 11000 });
    const last = await docs.findOneAndUpdate({ touched: true }, { $unset: { touched: 1 } }, { sort: { n: -1 } });
    expect(last?.n).toBe(999);
    expect((await docs.deleteMany({ n: { $gte: 1000 } })).deletedCount).toBe(2000);
    const [sum] = await docs
      .aggregate([{ $group: { _id: '$touched', n: { $sum: '$n' } } }, { $sort: { _id: -1 } }])
      .toArray();
    expect(sum).toEqual({ _id: true, n: (998 * 999) / 2 });
  });

  test('bears many clients at once', async () => {
    const reads = Array.from({ length: 50 }, (_, at) => docs.findOne({ _id: at * 60 }));
    const writes = Array.from({ length: 50 }, (_, at) => docs.updateOne({ _id: at * 60 }, { $inc: { n: COUNT } }));
    const found = await Promise.all(reads);
    await Promise.all(writes);
    expect(found.map((doc) => doc?.text)).toEqual(Array.from({ length: 50 }, (_, at) => text(at * 60)));
    expect(await docs.countDocuments({ n: { $gte: COUNT } })).toBe(50);
  });

  test('gets indexes while it is written to', async () => {
    const writes = Array.from({ length: 100 }, (_, at) => [
      docs.insertOne({ _id: COUNT + at, n: COUNT + at, text: 'new' }),
      docs.updateOne({ _id: at * 7 }, { $set: { text: 'changed' } }),
      docs.deleteOne({ _id: at * 7 + 1 }),
    ]);
    await Promise.all([docs.createIndex({ n: 1 }, { unique: true }), docs.createIndex({ text: 1 }), ...writes.flat()]);
    expect(await docs.find({ n: { $gte: 0 } }, { hint: 'n_1' }).toArray()).toHaveLength(COUNT);
    expect(await docs.countDocuments({ text: 'changed' }, { hint: 'text_1' })).toBe(100);
    const doubles = await Promise.allSettled([1, 2, 3].map((at) => docs.insertOne({ _id: -at, n: -1, text: '' })));
    expect(doubles.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });
});

describe('after a restart', () => {
  test('documents, indexes and names are the same', async () => {
    await docs.createIndex({ text: 1, n: 1 }, { partialFilterExpression: { n: { $gt: 10 } } });
    await docs.updateMany({ _id: { $lt: 10 } }, { $set: { touched: true } });
    await docs.deleteMany({ _id: { $gte: 2990 } });
    await client.db('other').collection('gone').insertOne({});
    await client.db('other').dropDatabase();
    await docs.rename('renamed');
    const renamed = () => client.db('cold').collection('renamed');
    const bytes = async () => Buffer.concat((await renamed().find({}, { raw: true }).toArray()) as unknown as Buffer[]);
    const [before, indexes] = [await bytes(), await renamed().indexes()];
    await restart();
    expect((await bytes()).equals(before)).toBe(true);
    expect(await renamed().indexes()).toEqual(indexes);
    expect((await client.db().admin().listDatabases()).databases.map(({ name }) => name)).toEqual(['cold']);
    expect(await client.db('cold').listCollections().toArray()).toHaveLength(1);
  });

  test('the first page needs no more than two requests', async () => {
    await restart();
    await server.requests();
    expect((await docs.find().limit(10).toArray()).map(({ _id }) => _id)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(await messageReads()).toBeLessThanOrEqual(2);
  });

  test('a write that is repeated is still answered once', async () => {
    const session = client.startSession();
    const update = {
      update: 'docs',
      updates: [{ q: { _id: 1 }, u: { $inc: { n: 1 } } }],
      txnNumber: Long.fromNumber(99),
    };
    await client.db('cold').command(update, { session });
    const lsid = session.id;
    await session.endSession();
    await restart();
    const again = client.startSession();
    Object.assign(again.id!.id, lsid!.id);
    expect(again.id).toEqual(lsid);
    const answer = await client.db('cold').command(update, { session: again });
    expect(answer).toMatchObject({ n: 1, nModified: 1, retriedStmtIds: [0] });
    expect((await docs.findOne({ _id: 1 }))?.n).toBe((7919 % COUNT) + 1);
    await again.endSession();
  });
});

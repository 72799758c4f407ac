import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { BSON, type ClientSession, type Collection, type Document, Long, type MongoClient } from '../support/driver.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { WireClient } from '../support/wire-client.ts';
import { opMsg } from '../support/wire-messages.ts';

/** Sessions, concerns, retries and many clients at once. */
interface Item extends Document {
  _id: number | string;
}

let server: TestServer;
let client: MongoClient;

beforeAll(async () => {
  server = await startServer();
  client = await server.client();
});

afterAll(() => server?.close());

function items(name: string): Collection<Item> {
  return client.db('sessions').collection(name);
}

describe('sessions', () => {
  test('an explicit session carries reads, writes and causal order', async () => {
    await client.withSession({ causalConsistency: true }, async (session) => {
      await items('explicit').insertOne({ _id: 1 }, { session });
      expect(session.operationTime?.toString()).toMatch(/^[1-9]\d+$/);
      expect(await items('explicit').findOne({ _id: 1 }, { session })).toEqual({ _id: 1 });
      await items('explicit').insertMany([{ _id: 2 }, { _id: 3 }, { _id: 4 }], { session });
      const cursor = items('explicit').find({}, { session, batchSize: 2 }).sort({ _id: -1 });
      expect((await cursor.toArray()).map(({ _id }) => _id)).toEqual([4, 3, 2, 1]);
    });
  });

  test('the cursor of a session ends with it', async () => {
    await items('ended').insertMany([{ _id: 1 }, { _id: 2 }, { _id: 3 }]);
    const db = client.db('sessions');
    const session = client.startSession();
    const { cursor } = await db.command({ find: 'ended', batchSize: 1 }, { session, promoteLongs: false });
    await client.db('admin').command({ killSessions: [session.id] });
    await expect(db.command({ getMore: cursor.id, collection: 'ended' }, { session })).rejects.toMatchObject({
      code: 43,
    });
    await session.endSession();
  });

  test('a transaction is refused honestly, and at once', async () => {
    const attempts: number[] = [];
    const session = client.startSession();
    const refused = session.withTransaction(async () => {
      attempts.push(1);
      await items('txn').insertOne({ _id: 1 }, { session });
    });
    await expect(refused).rejects.toMatchObject({ name: 'MongoServerError', message: /transactions/ });
    await session.endSession();
    expect(attempts).toHaveLength(1);
    expect(await items('txn').countDocuments()).toBe(0);
  });
});

describe('concerns', () => {
  test.each([
    { w: 0 },
    { w: 1 },
    { w: 'majority' },
    { w: 1, j: true },
    { w: 'majority', wtimeoutMS: 10_000 },
  ] as const)('write concern %j', async (writeConcern) => {
    const collection = client.db('sessions').collection<Item>('concerns', { writeConcern });
    const { acknowledged } = await collection.insertOne({ _id: JSON.stringify(writeConcern) });
    expect(acknowledged).toBe(writeConcern.w !== 0);
    await expect.poll(() => collection.countDocuments({ _id: JSON.stringify(writeConcern) })).toBe(1);
    await collection.updateOne({ _id: JSON.stringify(writeConcern) }, { $set: { seen: true } });
    await expect.poll(() => collection.countDocuments({ _id: JSON.stringify(writeConcern), seen: true })).toBe(1);
  });

  test('a tag that nobody defined is told as a write concern error, with the write kept', async () => {
    const insert = { insert: 'tags', documents: [{ _id: 1 }], writeConcern: { w: 'nobody' } };
    await expect(client.db('sessions').command(insert)).rejects.toMatchObject({ code: 79 });
    expect(await items('tags').countDocuments()).toBe(1);
  });

  test.each(['local', 'available', 'majority', 'linearizable'] as const)('read concern %s', async (level) => {
    await items('levels').updateOne({ _id: 1 }, { $set: { n: 1 } }, { upsert: true });
    expect(await items('levels').find({}, { readConcern: { level } }).toArray()).toEqual([{ _id: 1, n: 1 }]);
  });

  test('a snapshot read is refused, not faked', async () => {
    await expect(items('levels').findOne({}, { readConcern: { level: 'snapshot' } })).rejects.toMatchObject({
      code: 238,
      codeName: 'NotImplemented',
    });
  });
});

describe('retryable writes', () => {
  /** A client of its own: what is done here to the numbers of its sessions would trouble later writes. */
  let retrying: MongoClient;
  beforeAll(async () => {
    retrying = await server.client();
  });

  /** Sends one command twice under the same session and transaction number, as a driver that lost the first reply. */
  async function twice(command: Document, txnNumber: number, session: ClientSession): Promise<[Document, Document]> {
    const send = () =>
      retrying.db('sessions').command({ ...command, txnNumber: Long.fromNumber(txnNumber) }, { session });
    const first = await send();
    return [first, await send()];
  }

  test('a write that is repeated is answered once', async () => {
    await retrying.withSession(async (session) => {
      const insert = {
        insert: 'retried',
        documents: [
          { _id: 1, n: 0 },
          { _id: 2, n: 0 },
        ],
      };
      const [, inserted] = await twice(insert, 1, session);
      expect(inserted).toMatchObject({ n: 2, ok: 1, retriedStmtIds: [0, 1] });
      expect(inserted).not.toHaveProperty('writeErrors');

      const updates = [
        { q: { _id: 1 }, u: { $inc: { n: 1 } } },
        { q: { _id: 9 }, u: { $inc: { n: 5 } }, upsert: true },
      ];
      const [updated, again] = await twice({ update: 'retried', updates }, 2, session);
      expect(updated).toMatchObject({ n: 2, nModified: 1, upserted: [{ index: 1, _id: 9 }] });
      expect(again).toMatchObject({ n: 2, nModified: 1, upserted: [{ index: 1, _id: 9 }], retriedStmtIds: [0, 1] });

      const modify = { findAndModify: 'retried', query: { _id: 1 }, update: { $inc: { n: 1 } }, new: true };
      const [modified, repeated] = await twice(modify, 3, session);
      expect(modified.value).toEqual({ _id: 1, n: 2 });
      expect(repeated).toMatchObject({ value: { _id: 1, n: 2 }, lastErrorObject: { n: 1, updatedExisting: true } });

      const [deleted, gone] = await twice(
        { delete: 'retried', deletes: [{ q: { n: { $gte: 0 } }, limit: 1 }] },
        4,
        session,
      );
      expect([deleted.n, gone.n]).toEqual([1, 1]);
    });
    expect(await items('retried').find().toArray()).toEqual([
      { _id: 2, n: 0 },
      { _id: 9, n: 5 },
    ]);
  });

  test('an older transaction number is refused', async () => {
    await retrying.withSession(async (session) => {
      await twice({ insert: 'old', documents: [{ _id: 1 }] }, 17, session);
      await expect(twice({ insert: 'old', documents: [{ _id: 2 }] }, 16, session)).rejects.toMatchObject({
        code: 225,
        codeName: 'TransactionTooOld',
      });
    });
  });
});

describe('many at once', () => {
  test('100 inserts and 100 increments at the same time', async () => {
    const collection = items('busy');
    await Promise.all(Array.from({ length: 100 }, (_, _id) => collection.insertOne({ _id })));
    expect(await collection.countDocuments()).toBe(100);
    await Promise.all(Array.from({ length: 100 }, () => collection.updateOne({ _id: 0 }, { $inc: { n: 1 } })));
    expect(await collection.findOne({ _id: 0 })).toEqual({ _id: 0, n: 100 });
  });

  test('upserts of one key at the same time make one document', async () => {
    const collection = items('upserts');
    await collection.createIndex({ key: 1 }, { unique: true });
    const upsert = (filter: Document) => collection.updateOne(filter, { $inc: { n: 1 } }, { upsert: true });
    await Promise.all(Array.from({ length: 50 }, () => upsert({ _id: 'one' })));
    await Promise.all(Array.from({ length: 50 }, () => upsert({ key: 'two' })));
    await Promise.all(
      Array.from({ length: 50 }, () => collection.findOneAndUpdate({ key: 3 }, { $inc: { n: 1 } }, { upsert: true })),
    );
    expect(await collection.find({}, { projection: { _id: 0, n: 1 } }).toArray()).toEqual([
      { n: 50 },
      { n: 50 },
      { n: 50 },
    ]);
  });

  test('of many takers of a job each gets another', async () => {
    const collection = items('jobs');
    await collection.insertMany(Array.from({ length: 60 }, (_, _id) => ({ _id, taken: false })));
    const take = () => collection.findOneAndUpdate({ taken: false }, { $set: { taken: true } }, { sort: { _id: 1 } });
    const taken = await Promise.all(Array.from({ length: 60 }, take));
    expect(new Set(taken.map((job) => job?._id)).size).toBe(60);
    expect(await take()).toBeNull();
  });

  test('20 clients with cursors of their own', async () => {
    await items('shared').insertMany(Array.from({ length: 500 }, (_, _id) => ({ _id })));
    const clients = await Promise.all(Array.from({ length: 20 }, () => server.client()));
    const reads = clients.map((each) => each.db('sessions').collection('shared').find({}, { batchSize: 50 }).toArray());
    for (const read of await Promise.all(reads)) expect(read).toHaveLength(500);
  });

  test('clients that hang up in the middle of anything trouble nobody', async () => {
    // A server of its own, where nobody else comes and goes.
    const quiet = await startServer();
    const db = (await quiet.client()).db('rude');
    await db.collection('many').insertMany(Array.from({ length: 500 }, (_, n) => ({ n })));
    const connections = async () => (await db.command({ serverStatus: 1 })).connections.current;
    const before = await connections();
    const address = new URL(quiet.uri).host;
    const [whole, half, silent, greedy] = await Promise.all([1, 2, 3, 4].map(() => WireClient.connect(address)));
    const insert = (_id: string) => opMsg(BSON.serialize({ insert: 'rude', documents: [{ _id }], $db: 'rude' }));
    whole!.send(insert('whole'));
    half!.send(insert('half').subarray(0, 40));
    const find = opMsg(BSON.serialize({ find: 'many', batchSize: 2, $db: 'rude' }));
    for (let ask = 0; ask < 50; ask++) greedy!.send(find);
    await Promise.all([whole!.next(), greedy!.next()]);
    expect(await connections()).toBe(before + 4);
    for (const rude of [whole!, half!, silent!, greedy!]) {
      const closed = once(rude.socket, 'close');
      rude.socket.resetAndDestroy();
      await closed;
    }
    await expect.poll(connections).toBe(before);
    expect(await db.collection('rude').distinct('_id')).toEqual(['whole']);
    await quiet.close();
  });
});

import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import {
  type AnyBulkWriteOperation,
  type Collection,
  type Document,
  Long,
  type MongoBulkWriteError,
  type MongoClient,
  type WriteError,
} from '../support/driver.ts';
import { startServer, type TestServer } from '../support/server.ts';

interface Item extends Document {
  _id: number | string;
}

/** The Node.js driver's reads and writes, over TCP, on the embedded Discord. */
let server: TestServer;
let client: MongoClient;
let items: Collection<Item>;

beforeAll(async () => {
  server = await startServer();
  client = await server.client({ monitorCommands: true });
});

afterAll(() => server?.close());

beforeEach(async ({ task }) => {
  items = client.db('crud').collection(`c${task.id}`);
});

function numbers(count: number): { _id: number; n: number; even: boolean }[] {
  return Array.from({ length: count }, (_, _id) => ({ _id, n: count - _id, even: _id % 2 === 0 }));
}

function writeErrors({ writeErrors: errors }: MongoBulkWriteError): readonly WriteError[] {
  return [errors].flat();
}

/** Commands of one name that the driver sends while `run` runs. */
async function sent(name: string, run: () => Promise<unknown>): Promise<Document[]> {
  const commands: Document[] = [];
  const listen = (event: { commandName: string; command: Document }) => {
    if (event.commandName === name) commands.push(event.command);
  };
  client.on('commandStarted', listen);
  try {
    await run();
  } finally {
    client.off('commandStarted', listen);
  }
  return commands;
}

describe('writes', () => {
  test('insertOne and insertMany answer with the ids', async () => {
    const { insertedId } = await items.insertOne({ _id: 'first', a: 1 });
    expect(insertedId).toBe('first');
    const many = await items.insertMany(numbers(3));
    expect(many.insertedCount).toBe(3);
    expect(await items.find().toArray()).toEqual([{ _id: 'first', a: 1 }, ...numbers(3)]);
  });

  test('updateOne, updateMany and replaceOne count what they met and what they changed', async () => {
    await items.insertMany(numbers(10));
    expect(await items.updateOne({ _id: 1 }, { $set: { n: 9 } })).toMatchObject({ matchedCount: 1, modifiedCount: 0 });
    expect(await items.updateMany({ even: true }, { $inc: { n: 100 } })).toMatchObject({
      matchedCount: 5,
      modifiedCount: 5,
    });
    expect(await items.replaceOne({ _id: 3 }, { fresh: true })).toMatchObject({ matchedCount: 1, modifiedCount: 1 });
    expect(await items.findOne({ _id: 3 })).toEqual({ _id: 3, fresh: true });
    expect(await items.countDocuments({ n: { $gt: 100 } })).toBe(5);
  });

  test('update operators and pipelines', async () => {
    await items.insertOne({ _id: 1, list: [5, 1], deep: { x: 1, gone: true }, n: 2 });
    const operators: Document = {
      $push: { list: { $each: [3], $sort: 1 } },
      $unset: { 'deep.gone': '' },
      $mul: { n: 10 },
      $min: { low: 4 },
      $rename: { 'deep.x': 'deep.y' },
    };
    await items.updateOne({ _id: 1 }, operators);
    expect(await items.findOne()).toEqual({ _id: 1, list: [1, 3, 5], deep: { y: 1 }, n: 20, low: 4 });
    await items.updateOne({ _id: 1 }, [{ $set: { sum: { $sum: '$list' } } }, { $unset: ['list', 'deep'] }]);
    expect(await items.findOne()).toEqual({ _id: 1, n: 20, low: 4, sum: 9 });
  });

  test('array filters and the positional operator reach single elements', async () => {
    await items.insertOne({ _id: 1, grades: [80, 95, 60] });
    await items.updateOne({ _id: 1, grades: { $gt: 90 } }, { $set: { 'grades.$': 100 } });
    await items.updateOne({ _id: 1 }, { $inc: { 'grades.$[low]': 5 } }, { arrayFilters: [{ low: { $lt: 70 } }] });
    expect(await items.findOne()).toEqual({ _id: 1, grades: [80, 100, 65] });
  });

  test('upserts take equalities of the filter into the new document', async () => {
    const upserted = await items.updateOne({ _id: 7, 'a.b': 2, n: { $gt: 1 } }, { $set: { c: 3 } }, { upsert: true });
    expect(upserted).toMatchObject({ matchedCount: 0, modifiedCount: 0, upsertedCount: 1, upsertedId: 7 });
    expect(await items.findOne()).toEqual({ _id: 7, a: { b: 2 }, c: 3 });
    const again = await items.updateOne({ _id: 7 }, { $setOnInsert: { c: 4 } }, { upsert: true });
    expect(again).toMatchObject({ matchedCount: 1, modifiedCount: 0, upsertedCount: 0, upsertedId: null });
    const replaced = await items.replaceOne({ sku: 1 }, { price: 2 }, { upsert: true });
    expect(replaced.upsertedId).toHaveProperty('_bsontype', 'ObjectId');
    expect(await items.findOne({ price: 2 }, { projection: { _id: 0 } })).toEqual({ price: 2 });
  });

  test('deleteOne and deleteMany', async () => {
    await items.insertMany(numbers(10));
    expect((await items.deleteOne({ even: true })).deletedCount).toBe(1);
    expect((await items.deleteMany({ even: true })).deletedCount).toBe(4);
    expect((await items.deleteMany({ even: true })).deletedCount).toBe(0);
    expect(await items.distinct('_id')).toEqual([1, 3, 5, 7, 9]);
  });

  test('a duplicate _id is refused with its key', async () => {
    await items.insertOne({ _id: 'twice' });
    await expect(items.insertOne({ _id: 'twice' })).rejects.toMatchObject({
      name: 'MongoServerError',
      code: 11000,
      message: `E11000 duplicate key error collection: ${items.namespace} index: _id_ dup key: { _id: "twice" }`,
      keyPattern: { _id: 1 },
      keyValue: { _id: 'twice' },
    });
  });

  test('the _id cannot be changed', async () => {
    await items.insertOne({ _id: 1 });
    await expect(items.updateOne({ _id: 1 }, { $set: { _id: 2 } })).rejects.toMatchObject({ code: 66 });
    await expect(items.replaceOne({ _id: 1 }, { _id: 2 } as Document)).rejects.toMatchObject({ code: 66 });
  });
});

describe('findOneAnd...', () => {
  test('returns the document before or after', async () => {
    await items.insertMany(numbers(4));
    expect(await items.findOneAndUpdate({ _id: 1 }, { $inc: { n: 1 } })).toMatchObject({ n: 3 });
    expect(await items.findOneAndUpdate({ _id: 1 }, { $inc: { n: 1 } }, { returnDocument: 'after' })).toMatchObject({
      n: 5,
    });
    expect(await items.findOneAndReplace({ _id: 2 }, { r: 1 }, { returnDocument: 'after' })).toEqual({ _id: 2, r: 1 });
    expect(await items.findOneAndDelete({}, { sort: { _id: -1 }, projection: { _id: 1 } })).toEqual({ _id: 3 });
    expect(await items.findOneAndUpdate({ _id: 'none' }, { $set: { n: 1 } })).toBeNull();
  });

  test('tells of upserts in lastErrorObject', async () => {
    const options = { upsert: true, includeResultMetadata: true, returnDocument: 'after' } as const;
    expect(await items.findOneAndUpdate({ _id: 'new' }, { $setOnInsert: { n: 1 } }, options)).toMatchObject({
      ok: 1,
      value: { _id: 'new', n: 1 },
      lastErrorObject: { n: 1, updatedExisting: false, upserted: 'new' },
    });
    expect(await items.findOneAndUpdate({ _id: 'new' }, { $inc: { n: 1 } }, options)).toMatchObject({
      value: { n: 2 },
      lastErrorObject: { n: 1, updatedExisting: true },
    });
  });
});

describe('bulkWrite', () => {
  const operations: AnyBulkWriteOperation<Item>[] = [
    { insertOne: { document: { _id: 1 } } },
    { updateOne: { filter: { _id: 1 }, update: { $set: { a: 1 } } } },
    { insertOne: { document: { _id: 1 } } },
    { replaceOne: { filter: { _id: 2 }, replacement: { b: 1 }, upsert: true } },
    { deleteMany: { filter: { b: 1 } } },
  ];

  test('ordered: stops at the first error', async () => {
    const error: MongoBulkWriteError = await items.bulkWrite(operations).then(
      () => expect.unreachable('the third operation must fail'),
      (thrown) => thrown,
    );
    expect(error).toMatchObject({ name: 'MongoBulkWriteError', code: 11000 });
    expect(writeErrors(error)).toHaveLength(1);
    expect(writeErrors(error)[0]).toMatchObject({ index: 2, code: 11000 });
    expect(error.result).toMatchObject({ insertedCount: 1, modifiedCount: 1, upsertedCount: 0, deletedCount: 0 });
    expect(await items.find().toArray()).toEqual([{ _id: 1, a: 1 }]);
  });

  test('unordered: does all that it can', async () => {
    const error: MongoBulkWriteError = await items.bulkWrite(operations, { ordered: false }).then(
      () => expect.unreachable('the third operation must fail'),
      (thrown) => thrown,
    );
    expect(writeErrors(error).map(({ index }) => index)).toEqual([2]);
    expect(error.result).toMatchObject({ insertedCount: 1, modifiedCount: 1, upsertedCount: 1, deletedCount: 1 });
    expect(Object.values(error.result.upsertedIds)).toEqual([2]);
  });

  test('insertMany unordered reports each error with its index', async () => {
    const docs = [{ _id: 1 }, { _id: 1 }, { _id: 2 }, { _id: 2 }, { _id: 3 }];
    const error: MongoBulkWriteError = await items.insertMany(docs, { ordered: false }).then(
      () => expect.unreachable('two documents must fail'),
      (thrown) => thrown,
    );
    expect(writeErrors(error).map(({ index }) => index)).toEqual([1, 3]);
    expect(error.insertedCount).toBe(3);
    expect(await items.countDocuments()).toBe(3);
  });
});

describe('reads', () => {
  test('cursors fetch batch after batch', async () => {
    await items.insertMany(numbers(250));
    let read: Document[] = [];
    const batches = await sent('getMore', async () => {
      read = await items.find({}, { batchSize: 40 }).toArray();
    });
    expect(read).toEqual(numbers(250));
    expect(batches).toHaveLength(6);
    const byDefault = await sent('getMore', async () => {
      read = await items.find().sort({ n: 1 }).toArray();
    });
    expect(read.map(({ n }) => n)).toEqual(Array.from({ length: 250 }, (_, at) => at + 1));
    expect(byDefault).toHaveLength(1);
  });

  test('limit, skip, sort and projection', async () => {
    await items.insertMany(numbers(30));
    const page = items
      .find({ even: true }, { projection: { n: 1, _id: 0 } })
      .sort({ n: 1 })
      .skip(2)
      .limit(3);
    expect(await page.toArray()).toEqual([{ n: 6 }, { n: 8 }, { n: 10 }]);
    expect(await items.find().limit(-2).toArray()).toHaveLength(2);
    expect(await items.findOne({ n: { $in: [7, 8] } }, { sort: { n: -1 } })).toMatchObject({ n: 8 });
  });

  test('a cursor that is closed is gone from the server', async () => {
    await items.insertMany(numbers(10));
    const cursor = items.find({}, { batchSize: 2 });
    await cursor.next();
    const id = Long.fromString(String(cursor.id));
    expect(id.isZero()).toBe(false);
    const killed = await sent('killCursors', () => cursor.close());
    expect(killed).toHaveLength(1);
    const collection = items.collectionName;
    await expect(client.db('crud').command({ getMore: id, collection })).rejects.toMatchObject({
      code: 43,
      codeName: 'CursorNotFound',
    });
    const again = await client.db('crud').command({ killCursors: collection, cursors: [id] });
    expect(again).toMatchObject({ cursorsKilled: [], cursorsNotFound: [id], cursorsAlive: [], ok: 1 });
  });

  test('counts, distinct values and aggregation', async () => {
    await items.insertMany(numbers(10));
    expect(await items.estimatedDocumentCount()).toBe(10);
    expect(await items.countDocuments({ n: { $lte: 4 } })).toBe(4);
    expect(await items.countDocuments({}, { skip: 3, limit: 5 })).toBe(5);
    expect(await items.distinct('even', { n: 1 })).toEqual([false]);
    const grouped = items.aggregate([
      { $match: { n: { $gt: 2 } } },
      { $group: { _id: '$even', total: { $sum: '$n' }, ids: { $push: '$_id' } } },
      { $sort: { _id: -1 } },
    ]);
    expect(await grouped.toArray()).toEqual([
      { _id: true, total: 28, ids: [0, 2, 4, 6] },
      { _id: false, total: 24, ids: [1, 3, 5, 7] },
    ]);
    const batched = await sent('getMore', async () => {
      expect(await items.aggregate([{ $project: { n: 1 } }], { batchSize: 4 }).toArray()).toHaveLength(10);
    });
    expect(batched).toHaveLength(2);
  });

  test('a collection that is not there is empty', async () => {
    expect(await items.find().toArray()).toEqual([]);
    expect(await items.distinct('x')).toEqual([]);
    expect(await items.countDocuments()).toBe(0);
    expect(await items.estimatedDocumentCount()).toBe(0);
    expect(await items.findOneAndDelete({})).toBeNull();
    expect((await items.deleteMany({})).deletedCount).toBe(0);
  });

  test('$lookup joins, $out writes', async () => {
    const db = client.db('crud');
    await items.insertMany([
      { _id: 1, pet: 'cat' },
      { _id: 2, pet: 'dog' },
    ]);
    await db.collection<{ _id: string; legs: number }>('pets').insertMany([{ _id: 'cat', legs: 4 }]);
    const lookup = { from: 'pets', localField: 'pet', foreignField: '_id', as: 'found' };
    const joined = await items.aggregate([{ $lookup: lookup }, { $sort: { _id: 1 } }]).toArray();
    expect(joined).toEqual([
      { _id: 1, pet: 'cat', found: [{ _id: 'cat', legs: 4 }] },
      { _id: 2, pet: 'dog', found: [] },
    ]);
    await items.aggregate([{ $project: { pet: 1 } }, { $out: 'copied' }]).toArray();
    expect(await db.collection('copied').countDocuments()).toBe(2);
  });

  test('maxTimeMS ends what takes longer', async () => {
    await items.insertMany(numbers(3000));
    const cross = { from: items.collectionName, pipeline: [{ $match: { n: -1 } }], as: 'none' };
    await expect(items.aggregate([{ $lookup: cross }], { maxTimeMS: 5 }).toArray()).rejects.toMatchObject({
      code: 50,
      codeName: 'MaxTimeMSExpired',
    });
    expect(await items.countDocuments({}, { maxTimeMS: 60_000 })).toBe(3000);
  });

  test.each([
    [{ $nope: 1 }, 2],
    [{ a: { $nope: 1 } }, 2],
    [{ $and: [] }, 2],
    [{ a: { $in: 3 } }, 2],
  ])('the filter %j is refused', async (filter, code) => {
    await expect(items.find(filter as Document).toArray()).rejects.toMatchObject({ code });
  });
});

import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { ClientBulkWriteModel, ClientBulkWriteOptions, Db, Document, MongoClient } from '../support/driver.ts';
import { startServer, type TestServer } from '../support/server.ts';

/** The command of MongoDB 8.0 that writes to many collections, by the driver's `client.bulkWrite` and by itself. */
let server: TestServer;
let client: MongoClient;
let db: Db;
let a: string;
let b: string;

beforeAll(async () => {
  server = await startServer();
  client = await server.client();
});

afterAll(() => server?.close());

beforeEach(({ task }) => {
  db = client.db(`bulk${task.id.replace(/\W/g, '_')}`.slice(0, 60));
  a = `${db.databaseName}.a`;
  b = `${db.databaseName}.b`;
});

function run(command: Document): Promise<Document> {
  return client.db('admin').command({ bulkWrite: 1, ...command });
}

/** Ids are numbers here, which the driver's types for models do not foresee. */
function bulkWrite(models: readonly Document[], options?: ClientBulkWriteOptions) {
  return client.bulkWrite(models as readonly ClientBulkWriteModel<Record<string, Document>>[], options);
}

const ids = async (coll: string) => (await db.collection(coll).find().toArray()).map(({ _id }) => _id);

describe('client.bulkWrite', () => {
  test('writes of all kinds to two collections', async () => {
    const result = await bulkWrite(
      [
        { name: 'insertOne', namespace: a, document: { _id: 1, n: 1 } },
        { name: 'insertOne', namespace: b, document: { _id: 2, n: 1 } },
        { name: 'updateOne', namespace: a, filter: { _id: 1 }, update: { $inc: { n: 1 } } },
        { name: 'updateMany', namespace: b, filter: {}, update: { $set: { n: 1 } } },
        { name: 'replaceOne', namespace: a, filter: { _id: 7 }, replacement: { n: 7 }, upsert: true },
        { name: 'deleteOne', namespace: b, filter: { _id: 2 } },
        { name: 'deleteMany', namespace: a, filter: { n: 2 } },
      ],
      { verboseResults: true },
    );
    expect(result).toMatchObject({
      insertedCount: 2,
      matchedCount: 2,
      modifiedCount: 1,
      upsertedCount: 1,
      deletedCount: 2,
    });
    expect(result.updateResults?.get(4)).toMatchObject({ matchedCount: 1, modifiedCount: 0, upsertedId: 7 });
    expect(result.deleteResults?.get(6)).toEqual({ deletedCount: 1 });
    expect([await ids('a'), await ids('b')]).toEqual([[7], []]);
  });

  test('with order, the first error is the last operation; without, the others are done', async () => {
    const models = [1, 1, 2].map((_id) => ({ name: 'insertOne', namespace: a, document: { _id } }));
    const failed = await bulkWrite(models).catch((error) => error);
    expect([...failed.writeErrors.keys()]).toEqual([1]);
    expect(failed.writeErrors.get(1).code).toBe(11000);
    expect(await ids('a')).toEqual([1]);
    const rest = await bulkWrite(models, { ordered: false }).catch((error) => error);
    expect([...rest.writeErrors.keys()]).toEqual([0, 1]);
    expect(await ids('a')).toEqual([1, 2]);
  });
});

describe('the command', () => {
  test('answers with an item for each operation, in its order, page by page', async () => {
    const ops = [
      { insert: 0, document: { _id: 1 } },
      { insert: 1, document: { _id: 1 } },
      { update: 0, filter: { _id: 1 }, updateMods: [{ $set: { x: '$$by' } }] },
      { update: 0, filter: { _id: 5 }, updateMods: { $set: { x: 1 } }, upsert: true },
      { delete: 1, filter: {}, multi: true },
    ];
    const reply = await run({ ops, nsInfo: [{ ns: a }, { ns: b }], let: { by: 3 }, cursor: { batchSize: 2 } });
    expect(reply).toMatchObject({ nErrors: 0, nInserted: 2, nMatched: 1, nModified: 1, nUpserted: 1, nDeleted: 1 });
    expect(reply.cursor).toMatchObject({ ns: 'admin.$cmd.bulkWrite' });
    const more = await client.db('admin').command({ getMore: reply.cursor.id, collection: '$cmd.bulkWrite' });
    expect([...reply.cursor.firstBatch, ...more.cursor.nextBatch]).toEqual([
      { ok: 1, idx: 0, n: 1 },
      { ok: 1, idx: 1, n: 1 },
      { ok: 1, idx: 2, n: 1, nModified: 1 },
      { ok: 1, idx: 3, n: 1, nModified: 0, upserted: { _id: 5 } },
      { ok: 1, idx: 4, n: 1 },
    ]);
    expect(await db.collection('a').findOne({ _id: 1 as never })).toEqual({ _id: 1, x: 3 });
  });

  test('errorsOnly leaves out what went well', async () => {
    const ops = [1, 1, 2].map((_id) => ({ insert: 0, document: { _id } }));
    const reply = await run({ ops, nsInfo: [{ ns: a }], ordered: false, errorsOnly: true });
    expect(reply).toMatchObject({ nErrors: 1, nInserted: 2 });
    expect(reply.cursor.firstBatch).toMatchObject([{ ok: 0, idx: 1, code: 11000, n: 0, keyValue: { _id: 1 } }]);
  });

  test('operations on one collection are one message', async () => {
    await db.collection('a').insertOne({ _id: 0 as never });
    await server.requests();
    const ops = [
      { insert: 0, document: { _id: 1 } },
      { update: 0, filter: {}, updateMods: { $set: { x: 1 } }, multi: true },
      { delete: 0, filter: { _id: 0 }, multi: false },
    ];
    await run({ ops, nsInfo: [{ ns: a }] });
    const requests = await server.requests();
    expect(requests['POST /channels/:id/messages']).toBe(1);
  });

  test('a repetition answers the same and writes nothing', async () => {
    const lsid = client.startSession();
    const ops = [
      { insert: 0, document: { _id: 1 } },
      { update: 0, filter: { _id: 1 }, updateMods: { $inc: { n: 1 } } },
      { insert: 1, document: { _id: 2 } },
      { delete: 1, filter: { _id: 2 }, multi: false },
    ];
    const command = { ops, nsInfo: [{ ns: a }, { ns: b }], txnNumber: 1n, lsid: lsid.id, stmtIds: [4, 5, 6, 7] };
    const first = await run(command);
    const again = await run(command);
    expect(again.cursor.firstBatch).toEqual(first.cursor.firstBatch);
    expect(again.retriedStmtIds).toEqual([4, 5, 6, 7]);
    expect(await db.collection('a').findOne()).toEqual({ _id: 1, n: 1 });
    const multi = { ...command, txnNumber: 2n, stmtIds: [0], ops: [{ delete: 0, filter: {}, multi: true }] };
    expect((await run(multi)).cursor.firstBatch).toMatchObject([
      { ok: 0, code: 72, errmsg: 'Cannot use retryable writes with multi=true' },
    ]);
    await lsid.endSession();
  });

  const good = { insert: 0, document: { _id: 1 } };
  const REFUSED: readonly [string, Document, number, string][] = [
    ['no document', { insert: 0 }, 40414, "BSON field 'bulkWrite.ops.document' is missing but a required field"],
    ['unknown field', { delete: 0, filter: {}, x: 1 }, 40415, "BSON field 'bulkWrite.ops.x' is an unknown field."],
    ['unknown kind', { upsert: 0 }, 40415, "BSON field 'bulkWrite.upsert' is an unknown field."],
    [
      'no such namespace',
      { insert: 5, document: { _id: 2 } },
      2,
      'BulkWrite ops entry { insert: 5, document: { _id: 2 } } has an invalid nsInfo index.',
    ],
    ['below zero', { insert: -1, document: {} }, 2, "BSON field 'insert' value must be >= 0, actual value '-1'"],
    [
      'no number',
      { insert: '0', document: {} },
      14,
      "BSON field 'bulkWrite.ops.insert' is the wrong type 'string', expected types '[long, int, decimal, double]'",
    ],
    ['no update', { update: 0, filter: {}, updateMods: 5 }, 9, 'Update argument must be either an object or an array'],
    [
      'no filter',
      { update: 0, updateMods: {} },
      40414,
      "BSON field 'bulkWrite.ops.filter' is missing but a required field",
    ],
    ['hint', { delete: 0, filter: {}, hint: 5 }, 9, 'Hint must be a string or an object'],
    [
      'multi',
      { delete: 0, filter: {}, multi: 1 },
      14,
      "BSON field 'bulkWrite.ops.multi' is the wrong type 'int', expected type 'bool'",
    ],
  ];
  test.each(REFUSED)('%s: refused before anything is written', async (_, bad, code, message) => {
    const work = run({ ops: [good, bad], nsInfo: [{ ns: a }] });
    await expect(work).rejects.toMatchObject({ code, errmsg: message });
    expect(await ids('a')).toEqual([]);
  });

  test('what is wrong with the command as a whole', async () => {
    const nsInfo = [{ ns: a }];
    await expect(run({ ops: [], nsInfo })).rejects.toMatchObject({ code: 16 });
    await expect(run({ ops: [good], nsInfo: [{ ns: a }, { ns: 'nodot' }] })).rejects.toMatchObject({
      code: 73,
      errmsg: "Invalid namespace specified for bulkWrite: 'nodot'",
    });
    await expect(run({ ops: [good], nsInfo, stmtIds: [1, 2] })).rejects.toMatchObject({ code: 16 });
    await expect(run({ ops: [good], nsInfo, stmtIds: [1], stmtId: 1 })).rejects.toMatchObject({ code: 72 });
    await expect(db.command({ bulkWrite: 1, ops: [good], nsInfo })).rejects.toMatchObject({ code: 13 });
    expect(await ids('a')).toEqual([]);
  });

  test('what the field of the command says is not looked at', async () => {
    const asked = run({ bulkWrite: 'all', ops: [{ insert: 0, document: { _id: 1 } }], nsInfo: [{ ns: a }] });
    await expect(asked).resolves.toMatchObject({ ok: 1, nInserted: 1 });
  });
});

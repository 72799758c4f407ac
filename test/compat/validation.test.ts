import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { Collection, Db, Document } from '../support/driver.ts';
import { startServer, type TestServer } from '../support/server.ts';

/** What a collection's validator does to writes, as a client meets it. */
let server: TestServer;
let db: Db;
let things: Collection<{ _id: number } & Document>;

const VALIDATOR = { qty: { $gt: 0 } };

beforeAll(async () => {
  server = await startServer();
  db = (await server.client()).db('validation');
});

afterAll(() => server?.close());

beforeEach(async () => {
  await db.dropDatabase();
  await db.createCollection('things', { validator: VALIDATOR });
  things = db.collection('things');
  await things.insertOne({ _id: 1, qty: 1 });
});

const refusal = (_id: number, qty: number) => ({
  code: 121,
  errmsg: 'Document failed validation',
  errInfo: {
    failingDocumentId: _id,
    details: {
      operatorName: '$gt',
      specifiedAs: { qty: { $gt: 0 } },
      reason: 'comparison failed',
      consideredValue: qty,
    },
  },
});

test('insert tells in writeErrors which documents fail, and why', async () => {
  const documents = [
    { _id: 2, qty: 0 },
    { _id: 3, qty: 3 },
    { _id: 4, qty: -1 },
  ];
  const reply = await db.command({ insert: 'things', documents, ordered: false });
  expect(reply).toMatchObject({ ok: 1, n: 1 });
  expect(reply.writeErrors).toEqual([
    { index: 0, ...refusal(2, 0) },
    { index: 2, ...refusal(4, -1) },
  ]);
});

const WRITES: readonly [string, Document][] = [
  ['update', { update: 'things', updates: [{ q: { _id: 1 }, u: { $set: { qty: -5 } } }] }],
  ['a replacement', { update: 'things', updates: [{ q: { _id: 1 }, u: { qty: -5 } }] }],
  ['a pipeline', { update: 'things', updates: [{ q: { _id: 1 }, u: [{ $set: { qty: -5 } }] }] }],
  ['an upsert', { update: 'things', updates: [{ q: { _id: 1, qty: -5 }, u: { $set: { a: 1 } }, upsert: true }] }],
];

test.each(WRITES)('%s that fails validation changes nothing', async (_name, command) => {
  const { writeErrors, nModified } = await db.command(command);
  expect(writeErrors).toEqual([{ index: 0, ...refusal(1, -5) }]);
  expect(nModified).toBe(0);
  expect(await things.find().toArray()).toEqual([{ _id: 1, qty: 1 }]);
});

test('findAndModify fails as a command', async () => {
  const errmsg = 'Plan executor error during findAndModify :: caused by :: Document failed validation';
  const work = things.findOneAndUpdate({ _id: 1 }, { $set: { qty: -5 } });
  await expect(work).rejects.toMatchObject({ ...refusal(1, -5), errmsg, codeName: 'DocumentValidationFailure' });
  const upsert = things.findOneAndUpdate({ _id: 9 }, { $set: { qty: -9 } }, { upsert: true });
  await expect(upsert).rejects.toMatchObject({ ...refusal(9, -9), errmsg });
});

test('bulkWrite of 8.0 tells it in its cursor', async () => {
  const { cursor, nErrors } = await db.admin().command({
    bulkWrite: 1,
    ops: [{ insert: 0, document: { _id: 2, qty: 0 } }],
    nsInfo: [{ ns: 'validation.things' }],
  });
  expect(nErrors).toBe(1);
  expect(cursor.firstBatch).toEqual([{ ok: 0, idx: 0, n: 0, ...refusal(2, 0) }]);
});

test('$out and $merge write nothing that fails', async () => {
  await db.collection('source').insertMany([
    { _id: 1, qty: 5 },
    { _id: 2, qty: 0 },
  ] as Document[]);
  const out = db
    .collection('source')
    .aggregate([{ $out: 'things' }])
    .toArray();
  await expect(out).rejects.toMatchObject({ code: 121 });
  expect(await things.find().toArray()).toEqual([{ _id: 1, qty: 1 }]);
  const merge = db
    .collection('source')
    .aggregate([{ $match: { _id: 2 } }, { $merge: 'things' }])
    .toArray();
  await expect(merge).rejects.toMatchObject({ code: 121 });
  await db
    .collection('source')
    .aggregate([{ $out: 'things' }], { bypassDocumentValidation: true })
    .toArray();
  expect(await things.countDocuments()).toBe(2);
});

test('bypassDocumentValidation lets everything through', async () => {
  const bypassDocumentValidation = true;
  await things.insertOne({ _id: 2, qty: 0 }, { bypassDocumentValidation });
  await things.updateOne({ _id: 1 }, { $set: { qty: 0 } }, { bypassDocumentValidation });
  await things.findOneAndUpdate({ _id: 1 }, { $set: { qty: -1 } }, { bypassDocumentValidation });
  expect(await things.find().toArray()).toEqual([
    { _id: 1, qty: -1 },
    { _id: 2, qty: 0 },
  ]);
});

test('what changes nothing is not checked', async () => {
  await things.insertOne({ _id: 2, qty: 0 }, { bypassDocumentValidation: true });
  expect(await things.updateOne({ _id: 2 }, { $set: { qty: 0 } })).toMatchObject({ matchedCount: 1, modifiedCount: 0 });
});

test('moderate lets documents be that were invalid before', async () => {
  await db.createCollection('mild', { validator: VALIDATOR, validationLevel: 'moderate' });
  const mild = db.collection<{ _id: number } & Document>('mild');
  await mild.insertOne({ _id: 1, qty: 0 }, { bypassDocumentValidation: true });
  await mild.updateOne({ _id: 1 }, { $set: { qty: -2 } });
  await expect(mild.insertOne({ _id: 2, qty: 0 })).rejects.toMatchObject({ code: 121 });
  await mild.updateOne({ _id: 1 }, { $set: { qty: 7 } });
  await expect(mild.updateOne({ _id: 1 }, { $set: { qty: -2 } })).rejects.toMatchObject({ code: 121 });
});

test.each([{ validationLevel: 'off' }, { validationAction: 'warn' }])('%o lets everything through', async (options) => {
  await db.createCollection('lax', { validator: VALIDATOR, ...options });
  await db.collection('lax').insertOne({ qty: 0 });
  expect(await db.collection('lax').countDocuments()).toBe(1);
});

test('listCollections shows the options, with MongoDB’s defaults', async () => {
  const [info] = await db.listCollections({ name: 'things' }).toArray();
  expect(info).toMatchObject({
    options: { validator: VALIDATOR, validationLevel: 'strict', validationAction: 'error' },
  });
  // The same again is no error, anything else is.
  await db.command({ create: 'things', validator: VALIDATOR });
  await expect(db.command({ create: 'things', validator: {} })).rejects.toMatchObject({ code: 48 });
});

const REFUSED: readonly [Document, number, string][] = [
  [{ validator: 1 }, 14, "BSON field 'create.validator' is the wrong type 'int', expected type 'object'"],
  [{ validator: { a: { $nope: 1 } } }, 2, 'unknown operator: $nope'],
  [{ validator: { $text: { $search: 'x' } } }, 2, '$text is not allowed in this context'],
  [{ validator: { $where: 'true' } }, 2, '$where is not allowed in this context'],
  [
    { validator: { a: { $nearSphere: [0, 0] } } },
    5626500,
    '$geoNear, $near, and $nearSphere are not allowed in this context, as these operators require sorting geospatial ' +
      'data. If you do not need sort, consider using $geoWithin instead. Check out ' +
      'https://dochub.mongodb.org/core/near-sort-operation and ' +
      'https://dochub.mongodb.org/core/nearSphere-sort-operationfor more details.',
  ],
  [{ validator: { $jsonSchema: { nope: 1 } } }, 9, 'Unknown $jsonSchema keyword: nope'],
  [{ validationLevel: 'lax' }, 2, "Enumeration value 'lax' for field 'create.validationLevel' is not a valid value."],
  [
    { validationAction: 'errorAndLog' },
    2,
    "Enumeration value 'errorAndLog' for field 'create.validationAction' is not a valid value.",
  ],
];

test.each(REFUSED)('create with %j is refused', async (options, code, errmsg) => {
  await expect(db.command({ create: 'refused', ...options })).rejects.toMatchObject({ code, errmsg });
  expect(await db.listCollections({ name: 'refused' }).toArray()).toEqual([]);
});

test('no validators on databases of the server’s own', async () => {
  const command = { create: 'things', validator: { a: 1 } };
  await expect(db.admin().command(command)).rejects.toMatchObject({ code: 72, codeName: 'InvalidOptions' });
});

test('validate counts the documents that the validator would not take', async () => {
  await things.insertMany(
    [
      { _id: 2, qty: 0 },
      { _id: 3, qty: -1 },
    ],
    { bypassDocumentValidation: true },
  );
  await things.createIndex({ qty: 1 });
  expect(await db.command({ validate: 'things' })).toMatchObject({
    valid: true,
    nrecords: 3,
    nNonCompliantDocuments: 2,
    keysPerIndex: { _id_: 3, qty_1: 3 },
    warnings: ["Detected one or more documents not compliant with the collection's schema."],
  });
  await db.command({ collMod: 'things', validationLevel: 'off' });
  expect(await db.command({ validate: 'things' })).toMatchObject({ nNonCompliantDocuments: 0, warnings: [] });
});

test('a validator outlives the server', async () => {
  const { disk } = server;
  await server.close();
  server = await startServer({ disk });
  db = (await server.client()).db('validation');
  await expect(db.collection<{ _id: number } & Document>('things').insertOne({ _id: 2, qty: 0 })).rejects.toMatchObject(
    refusal(2, 0),
  );
});

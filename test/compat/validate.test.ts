import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { createLog } from '../../src/base/index.ts';
import { OrderedIndex } from '../../src/indexes/index.ts';
import { type Collection, type Db, type Document, Long } from '../support/driver.ts';
import { startServer, type TestServer } from '../support/server.ts';

/** What validate tells of indexes that are not as the documents are, and what the log tells of a validator that warns. */
const lines: Document[] = [];
let server: TestServer;
let db: Db;
let things: Collection<{ _id: number } & Document>;

beforeAll(async () => {
  server = await startServer({ log: createLog('warn', { write: (line: string) => lines.push(JSON.parse(line)) }) });
  db = (await server.client()).db('checked');
});
afterAll(() => server?.close());

beforeEach(async () => {
  things = db.collection('things');
  await things.insertMany([
    { _id: 1, a: 1 },
    { _id: 2, a: [2, 3] },
  ]);
  await things.createIndexes([{ key: { a: 1 } }, { key: { b: 1, a: -1 }, name: 'both', sparse: true }]);
});
afterEach(async () => {
  vi.restoreAllMocks();
  await db.dropDatabase();
});

const validate = () => db.command({ validate: 'things' }, { promoteLongs: false });

test('indexes are as the documents are', async () => {
  await things.updateOne({ _id: 1 }, { $set: { a: 5 } });
  await things.deleteOne({ _id: 2 });
  await things.insertOne({ _id: 3, a: 'x', b: 1 });
  expect(await validate()).toMatchObject({
    valid: true,
    keysPerIndex: { _id_: 2, a_1: 2, both: 2 },
    indexDetails: { _id_: { valid: true }, a_1: { valid: true }, both: { valid: true } },
    warnings: [],
    errors: [],
    extraIndexEntries: [],
    missingIndexEntries: [],
    corruptRecords: [],
  });
});

test('a missing entry is told with its key', async () => {
  vi.spyOn(OrderedIndex.prototype, 'insert').mockImplementationOnce(() => {});
  await things.insertOne({ _id: 3, a: 7, b: 8 });
  expect(await validate()).toMatchObject({
    valid: false,
    keysPerIndex: { _id_: 3, a_1: 3, both: 4 },
    indexDetails: { _id_: { valid: true }, a_1: { valid: false }, both: { valid: true } },
    warnings: ['Detected 1 missing index entries.'],
    errors: ["Index with name 'a_1' has inconsistencies."],
    extraIndexEntries: [],
    missingIndexEntries: [{ indexName: 'a_1', recordId: Long.fromNumber(3), idKey: { _id: 3 }, indexKey: { a: 7 } }],
  });
});

test('entries that no document has are told', async () => {
  vi.spyOn(OrderedIndex.prototype, 'remove').mockImplementationOnce(() => {});
  await things.updateOne({ _id: 1 }, { $set: { a: 9 } });
  vi.spyOn(OrderedIndex.prototype, 'remove').mockImplementationOnce(() => {});
  await things.deleteOne({ _id: 2 });
  const extra = (recordId: number) => ({ indexName: 'a_1', recordId: Long.fromNumber(recordId) });
  expect(await validate()).toMatchObject({
    valid: false,
    nrecords: 1,
    warnings: ['Detected 3 extra index entries.'],
    errors: ["Index with name 'a_1' has inconsistencies."],
    extraIndexEntries: [extra(1), extra(2), extra(2)],
    missingIndexEntries: [],
  });
});

test('a validator that warns says in the log what it does not like', async () => {
  await db.command({ collMod: 'things', validator: { a: { $gt: 3 } }, validationAction: 'warn' });
  await things.insertOne({ _id: 3, a: 3 });
  expect(await things.countDocuments()).toBe(3);
  expect(lines).toMatchObject([
    {
      ns: 'checked.things',
      msg: 'a document that fails validation is written',
      errInfo: {
        failingDocumentId: 3,
        details: {
          operatorName: '$gt',
          specifiedAs: { a: { $gt: 3 } },
          reason: 'comparison failed',
          consideredValue: 3,
        },
      },
    },
  ]);
  await things.insertOne({ _id: 4, a: 4 });
  expect(lines).toHaveLength(1);
});

test('the whole of a collection cannot be validated in the background', async () => {
  await db.createCollection('things');
  await expect(db.command({ validate: 'things', full: true, background: true })).rejects.toMatchObject({
    code: 72,
    errmsg: 'Running the validate command with both { background: true } and { full: true } is not supported.',
  });
  expect(await db.command({ validate: 'things', background: true })).toMatchObject({ ok: 1, valid: true });
});

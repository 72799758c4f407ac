import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type Collection, type Db, type Document, Long } from '../support/driver.ts';
import { startServer, type TestServer } from '../support/server.ts';

/** collMod as a client meets it: what changes, what the reply tells, and what it refuses. */
let server: TestServer;
let db: Db;
let things: Collection<{ _id: number } & Document>;

beforeAll(async () => {
  server = await startServer();
  db = (await server.client()).db('modify');
});

afterAll(() => server?.close());

beforeEach(async () => {
  await db.dropDatabase();
  things = db.collection('things');
  await things.insertMany([
    { _id: 1, a: 1, b: 1 },
    { _id: 2, a: 1, b: 2 },
    { _id: 3, a: 2, b: 2 },
    { _id: 4, a: 3, b: 2 },
  ]);
  await things.createIndexes([
    { key: { a: 1 } },
    { key: { at: 1 }, expireAfterSeconds: 3600 },
    { key: { a: 1, b: 1 }, name: 'both' },
  ]);
});

const modify = (options: Document) => db.command({ collMod: 'things', ...options }, { promoteLongs: false });

async function index(name: string): Promise<Document | undefined> {
  return (await things.indexes()).find((each) => each.name === name);
}

test('expireAfterSeconds changes, or comes to be', async () => {
  expect(await modify({ index: { name: 'at_1', expireAfterSeconds: 60 } })).toMatchObject({
    expireAfterSeconds_old: Long.fromNumber(3600),
    expireAfterSeconds_new: Long.fromNumber(60),
    ok: 1,
  });
  expect(await index('at_1')).toMatchObject({ expireAfterSeconds: 60 });
  const made = await modify({ index: { keyPattern: { a: 1 }, expireAfterSeconds: 5 } });
  expect(made).toMatchObject({ expireAfterSeconds_new: Long.fromNumber(5) });
  expect(made).not.toHaveProperty('expireAfterSeconds_old');
});

test('an index is hidden from plans and shown again', async () => {
  expect(await modify({ index: { name: 'a_1', hidden: true } })).toMatchObject({ hidden_old: false, hidden_new: true });
  expect(await index('a_1')).toMatchObject({ hidden: true });
  const plan = async () => JSON.stringify((await things.find({ a: 1 }).explain()).queryPlanner.winningPlan);
  expect(await plan()).not.toContain('"a_1"');
  // What is so already is not told of.
  expect(await modify({ index: { name: 'a_1', hidden: true } })).not.toHaveProperty('hidden_new');
  expect(await modify({ index: { name: 'a_1', hidden: false } })).toMatchObject({
    hidden_old: true,
    hidden_new: false,
  });
  expect(await index('a_1')).not.toHaveProperty('hidden');
  expect(await plan()).toContain('"a_1"');
});

test('an index becomes unique in two steps', async () => {
  const one = { keyPattern: { a: 1 } };
  await expect(modify({ index: { ...one, unique: true } })).rejects.toMatchObject({
    code: 72,
    errmsg: "Cannot make index unique with 'prepareUnique=false'. Run collMod to set it first.",
  });
  expect(await modify({ index: { ...one, prepareUnique: true } })).toMatchObject({
    prepareUnique_old: false,
    prepareUnique_new: true,
  });
  // Nothing more may come to be that has a key in common, but what is there may be changed.
  await expect(things.insertOne({ _id: 9, a: 2 })).rejects.toMatchObject({ code: 11000 });
  await things.updateOne({ _id: 1 }, { $set: { b: 7 } });
  for (const dryRun of [true, false]) {
    await expect(modify({ index: { ...one, unique: true }, dryRun })).rejects.toMatchObject({
      code: 359,
      codeName: 'CannotConvertIndexToUnique',
      errmsg: 'Cannot convert the index to unique. Please resolve conflicting documents before running collMod again.',
      errorResponse: expect.objectContaining({ violations: [{ ids: [1, 2] }] }),
    });
  }
  await things.deleteOne({ _id: 2 });
  await modify({ index: { ...one, unique: true }, dryRun: true });
  expect(await index('a_1')).not.toHaveProperty('unique');
  expect(await modify({ index: { ...one, unique: true } })).toMatchObject({ unique_new: true });
  expect(await index('a_1')).toMatchObject({ unique: true });
  expect(await index('a_1')).not.toHaveProperty('prepareUnique');
  await expect(things.insertOne({ _id: 9, a: 2 })).rejects.toMatchObject({ code: 11000 });
});

test('prepareUnique bears with duplicates that are there when the index is made', async () => {
  await db.command({ createIndexes: 'things', indexes: [{ key: { b: 1 }, name: 'b_1', prepareUnique: true }] });
  await expect(things.insertOne({ _id: 9, b: 2 })).rejects.toMatchObject({ code: 11000 });
});

test('a validator comes, and goes', async () => {
  await modify({ validator: { a: { $gt: 0 } } });
  await expect(things.insertOne({ _id: 9, a: 0 })).rejects.toMatchObject({ code: 121 });
  const [shown] = await db.listCollections({ name: 'things' }).toArray();
  expect(shown).toMatchObject({
    options: { validator: { a: { $gt: 0 } }, validationLevel: 'strict', validationAction: 'error' },
  });
  await modify({ validationAction: 'warn' });
  await things.insertOne({ _id: 9, a: 0 });
  await modify({ validationAction: 'error', validationLevel: 'off' });
  await things.insertOne({ _id: 10, a: 0 });
  await modify({ validator: {}, validationLevel: 'strict' });
  await things.insertOne({ _id: 11, a: 0 });
});

test('what was changed outlives the server', async () => {
  await modify({ index: { name: 'a_1', prepareUnique: true } });
  await modify({ validator: { b: { $type: 'int' } }, index: { name: 'at_1', hidden: true } });
  const { disk } = server;
  await server.close();
  server = await startServer({ disk });
  db = (await server.client()).db('modify');
  things = db.collection('things');
  expect(await index('at_1')).toMatchObject({ hidden: true, expireAfterSeconds: 3600 });
  await expect(things.insertOne({ _id: 9, b: 'x' })).rejects.toMatchObject({ code: 121 });
  await expect(things.insertOne({ _id: 9, a: 2, b: 1 })).rejects.toMatchObject({ code: 11000 });
});

const REFUSED: readonly [Document, number, string][] = [
  [{ index: { hidden: true } }, 72, 'Must specify either index name or key pattern.'],
  [{ index: { name: 'a_1', keyPattern: { a: 1 }, hidden: true } }, 72, 'Cannot specify both key pattern and name.'],
  [{ index: { name: 'a_1' } }, 72, 'no expireAfterSeconds, hidden, unique, or prepareUnique field'],
  [{ index: { name: 'nope', hidden: true } }, 27, 'cannot find index nope for ns modify.things'],
  [{ index: { keyPattern: { z: 1 }, hidden: true } }, 27, 'cannot find index { z: 1 } for ns modify.things'],
  [{ index: { name: '_id_', hidden: true } }, 2, "can't hide _id index"],
  [{ index: { name: '_id_', expireAfterSeconds: 1 } }, 72, 'the _id field does not support TTL indexes'],
  [
    { index: { name: 'both', expireAfterSeconds: 1 } },
    72,
    'TTL indexes are single-field indexes, compound indexes do not support TTL',
  ],
  [
    { index: { name: 'at_1', expireAfterSeconds: -1 } },
    72,
    "TTL index 'expireAfterSeconds' option cannot be less than 0",
  ],
  [{ index: { name: 'a_1', unique: false } }, 2, 'Cannot make index non-unique'],
  [
    { index: { name: 'a_1', prepareUnique: true, hidden: true } },
    72,
    'prepareUnique cannot be combined with any other modification.',
  ],
  [
    { index: { name: 'a_1', hidden: 'x' } },
    14,
    "BSON field 'collMod.index.hidden' is the wrong type 'string', expected types '[bool, long, int, decimal, double]'",
  ],
  [
    { index: { name: 'at_1', expireAfterSeconds: 2 ** 31 } },
    72,
    "TTL index 'expireAfterSeconds' option must be within an acceptable range, try a lower number",
  ],
  [{ dryRun: true }, 72, 'dry run mode requires an valid index modification.'],
  [
    { dryRun: true, index: { name: 'a_1', hidden: true } },
    72,
    'dry run mode requires an index modification with unique: true.',
  ],
  [{ index: { nope: 1 } }, 40415, "BSON field 'collMod.index.nope' is an unknown field."],
  [{ nope: 1 }, 40415, "BSON field 'collMod.nope' is an unknown field."],
  [{ validator: { $where: 'x' } }, 2, '$where is not allowed in this context'],
  [{ validationLevel: 'lax' }, 2, "Enumeration value 'lax' for field 'collMod.validationLevel' is not a valid value."],
  [{ viewOn: 'things' }, 72, 'option only supported on a view: viewOn'],
  [{ pipeline: [] }, 72, 'option only supported on a view: pipeline'],
  [{ cappedSize: 100 }, 72, 'Collection must be capped.'],
];

test.each(REFUSED)('%j is refused', async (options, code, errmsg) => {
  const before = await things.indexes();
  await expect(modify(options)).rejects.toMatchObject({ code, errmsg });
  expect(await things.indexes()).toEqual(before);
});

test('a collection that is not there is refused', async () => {
  await expect(db.command({ collMod: 'nope', validator: {} })).rejects.toMatchObject({
    code: 26,
    codeName: 'NamespaceNotFound',
  });
});

import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type Collection, type Document, Timestamp } from '../support/driver.ts';
import { startServer, type TestServer } from '../support/server.ts';

/** A timestamp of zeros at the top of a document that is stored becomes the time. */
let server: TestServer;
let things: Collection;

beforeAll(async () => {
  server = await startServer();
  things = (await server.client()).db('stamped').collection('things');
});
beforeEach(() => things.drop().then(() => {}));
afterAll(() => server?.close());

const ZERO = new Timestamp(0n);
const stored = async (): Promise<Document> => (await things.findOne()) as Document;
const isZero = (value: unknown) => value instanceof Timestamp && value.isZero();

test('as it is inserted, but for _id and what lies deeper', async () => {
  await things.insertOne({
    _id: ZERO as never,
    a: ZERO,
    b: new Timestamp({ t: 5, i: 1 }),
    deep: { c: ZERO },
    list: [ZERO],
  });
  const { _id, a, b, deep, list } = await stored();
  expect(isZero(_id) && isZero(deep.c) && isZero(list[0])).toBe(true);
  expect(isZero(a)).toBe(false);
  expect(b).toEqual(new Timestamp({ t: 5, i: 1 }));
});

test('as it replaces another, also where that makes it', async () => {
  for (const _id of [1, 2]) {
    if (_id === 1) await things.insertOne({ _id: 1 as never });
    await things.replaceOne({ _id: _id as never }, { a: ZERO }, { upsert: true });
    expect(isZero((await things.findOne({ _id: _id as never }))?.a)).toBe(false);
  }
});

test('not by an operator, and not where the command says so', async () => {
  await things.insertOne({ _id: 1 as never });
  await things.updateOne({}, { $set: { a: ZERO } });
  expect(isZero((await stored()).a)).toBe(true);
  const db = (await server.client()).db('stamped');
  await db.command({ insert: 'things', documents: [{ _id: 2, a: ZERO }], bypassEmptyTsReplacement: true });
  expect(isZero((await things.findOne({ _id: 2 as never }))?.a)).toBe(true);
});

test('in bulkWrite and $merge', async () => {
  const client = await server.client();
  await client.bulkWrite([{ namespace: 'stamped.things', name: 'insertOne', document: { _id: 1 as never, a: ZERO } }]);
  expect(isZero((await stored()).a)).toBe(false);
  const literal = { $documents: [{ _id: 2, a: ZERO }] };
  await client
    .db('stamped')
    .aggregate([literal, { $merge: { into: 'things', whenMatched: 'fail' } }])
    .toArray();
  expect(isZero((await things.findOne({ _id: 2 as never }))?.a)).toBe(false);
});

import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Collection, Document } from '../support/driver.ts';
import { startServer, type TestServer } from '../support/server.ts';

/** How deep documents may nest: 180 levels where they are kept, 200 where they come and go. */
let server: TestServer;
let deep: Collection<Document & { _id: number }>;

beforeAll(async () => {
  server = await startServer();
  deep = (await server.client()).db('nesting').collection('deep');
});

afterAll(() => server?.close());

/** Documents within documents, so many. */
function levels(count: number): Document {
  let inner: Document = { x: 1 };
  for (let at = 1; at < count; at++) inner = at % 2 ? { a: inner } : { a: [inner] };
  return inner;
}

/** As deep as `count`, the document itself among them. Arrays are levels, too. */
function nested(count: number): Document {
  let inner: Document = { x: 1 };
  for (let at = 1; at < count; at++) inner = { a: inner };
  return inner;
}

const OVERFLOW = { code: 15, errmsg: 'cannot insert document because it exceeds 180 levels of nesting' };
const UPDATED = { code: 15, errmsg: 'Document exceeds maximum nesting depth of 180' };

test('180 levels are kept, and come back', async () => {
  await deep.insertOne({ _id: 1, ...nested(180) });
  expect(await deep.findOne({ _id: 1 })).toEqual({ _id: 1, ...nested(180) });
  await deep.replaceOne({ _id: 1 }, nested(180));
  await deep.updateOne({ _id: 1 }, { $set: { b: nested(179) } });
  expect(await deep.findOne({ _id: 1 })).toEqual({ _id: 1, ...nested(180), b: nested(179) });
});

test('181 levels are refused', async () => {
  await expect(deep.insertOne({ _id: 2, ...nested(181) })).rejects.toMatchObject(OVERFLOW);
  await expect(deep.insertOne({ _id: 2, ...levels(130) })).rejects.toMatchObject(OVERFLOW);
  await expect(deep.replaceOne({ _id: 1 }, nested(181))).rejects.toMatchObject(UPDATED);
  await expect(deep.updateOne({ _id: 1 }, { $set: { b: nested(180) } })).rejects.toMatchObject(UPDATED);
  await expect(deep.updateOne({ _id: 1 }, [{ $set: { b: { a: '$b' } } }])).rejects.toMatchObject(UPDATED);
  await expect(deep.updateOne({ _id: 3 }, { $set: { b: nested(180) } }, { upsert: true })).rejects.toMatchObject(
    UPDATED,
  );
  expect(await deep.countDocuments()).toBe(1);
});

test('filters and expressions nest as deep as a command may', async () => {
  let filter: Document = { _id: 1 };
  for (let at = 0; at < 90; at++) filter = { $and: [filter] };
  expect(await deep.countDocuments(filter)).toBe(1);
  let expression: unknown = '$_id';
  for (let at = 0; at < 90; at++) expression = { $add: [expression] };
  const [found] = await deep.aggregate([{ $project: { sum: expression } }]).toArray();
  expect(found!.sum).toBe(1);
});

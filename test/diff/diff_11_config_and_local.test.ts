import { expect, test } from 'vitest';
import { expectRefused, ownServer } from '../support/own-server.ts';

const own = ownServer();

test.each(['config', 'local'])('%s is empty, not listed, and cannot be written to', async (name) => {
  const db = own.client.db(name);
  expect(await db.collection('shards').find().toArray()).toEqual([]);
  expect(await db.collection('shards').countDocuments()).toBe(0);
  expect(await db.listCollections().toArray()).toEqual([]);
  await expectRefused(db.collection('mine').insertOne({ a: 1 }), 73, 'InvalidNamespace');
  await expectRefused(db.createCollection('mine'), 73, 'InvalidNamespace');
  // The driver takes 20 for a lack of retryable writes, and hides the server's words.
  await expect(db.dropDatabase()).rejects.toMatchObject({ originalError: { code: 20, codeName: 'IllegalOperation' } });
  const { databases } = await own.admin({ listDatabases: 1 });
  expect(databases.map((each: { name: string }) => each.name)).not.toContain(name);
});

test('admin is not listed while it holds nothing', async () => {
  const { databases } = await own.admin({ listDatabases: 1 });
  expect(databases.map((each: { name: string }) => each.name)).not.toContain('admin');
});

import { expect, test } from 'vitest';
import { UUID } from '../support/driver.ts';
import { expectRefused, ownServer } from '../support/own-server.ts';

const own = ownServer();

const field = { path: 'secret', bsonType: 'string', keyId: new UUID() };

test.each([
  { timeseries: { timeField: 'at' } },
  { encryptedFields: { fields: [field] } },
])('create with %o is refused', async (options) => {
  await expectRefused(own.db.command({ create: 'refused', ...options }), 238, 'NotImplemented');
  expect(await own.db.listCollections().toArray()).toEqual([]);
});

test('a clustered collection is scanned by its _id index, and equal keys of others are in the order of insertion', async () => {
  await own.db.createCollection('clustered', { clusteredIndex: { key: { _id: 1 }, unique: true } });
  const clustered = own.db.collection<{ _id: number; k: number }>('clustered');
  await clustered.insertMany([3, 1, 2].map((_id) => ({ _id, k: 0 })));
  await clustered.createIndex({ k: 1 });
  expect((await clustered.find({ k: 0 }).toArray()).map(({ _id }) => _id)).toEqual([3, 1, 2]);
  expect((await clustered.find().toArray()).map(({ _id }) => _id)).toEqual([1, 2, 3]);
  const { queryPlanner } = await clustered.find({ _id: { $gt: 1 } }).explain('queryPlanner');
  expect(JSON.stringify(queryPlanner)).toContain('"stage":"IXSCAN"');
});

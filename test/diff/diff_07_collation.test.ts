import { expect, test } from 'vitest';
import { expectRefused, ownServer } from '../support/own-server.ts';

const own = ownServer();

test('strings are compared by their bytes only', async () => {
  const collation = { locale: 'de', strength: 2 };
  const { things, db } = own;
  await expectRefused(things.find({}, { collation }).toArray(), 238, 'NotImplemented');
  await expectRefused(things.aggregate([], { collation }).toArray(), 238, 'NotImplemented');
  await expectRefused(things.deleteMany({}, { collation }), 238, 'NotImplemented');
  await expectRefused(things.createIndex({ a: 1 }, { collation }), 238, 'NotImplemented');
  await expectRefused(db.createCollection('german', { collation }), 238, 'NotImplemented');

  await things.insertMany(['b', 'B', 'a', 'ä'].map((name, _id) => ({ _id, name })));
  const simple = things.find({}, { collation: { locale: 'simple' }, sort: { name: 1 } });
  expect((await simple.toArray()).map(({ name }) => name)).toEqual(['B', 'a', 'b', 'ä']);
});

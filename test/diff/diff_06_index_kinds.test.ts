import { expect, test } from 'vitest';
import { expectRefused, ownServer } from '../support/own-server.ts';

const own = ownServer();

test.each([1, 2])('a 2dsphere index of version %d is refused', async (version) => {
  const index = { key: { a: '2dsphere' }, name: 'a', '2dsphereIndexVersion': version };
  const created = own.db.command({ createIndexes: 'kinds', indexes: [index] });
  await expectRefused(created, 238, 'NotImplemented');
});

test('an index may be unique, sparse, partial, hidden, compound, and let documents expire', async () => {
  const { db } = own;
  await db.collection('kinds').createIndexes([
    { key: { a: 1, b: -1 }, unique: true },
    { key: { c: 1 }, sparse: true },
    { key: { d: 1 }, partialFilterExpression: { d: { $gt: 5 } } },
    { key: { e: 1 }, hidden: true },
    { key: { f: 1 }, expireAfterSeconds: 3600 },
  ]);
  expect(await db.collection('kinds').indexes()).toMatchObject([
    { name: '_id_' },
    { name: 'a_1_b_-1', unique: true },
    { name: 'c_1', sparse: true },
    { name: 'd_1', partialFilterExpression: { d: { $gt: 5 } } },
    { name: 'e_1', hidden: true },
    { name: 'f_1', expireAfterSeconds: 3600 },
  ]);
  const monitor = await own.admin({ getParameter: 1, ttlMonitorEnabled: 1, ttlMonitorSleepSecs: 1 });
  expect(monitor).toMatchObject({ ttlMonitorEnabled: true, ttlMonitorSleepSecs: 60 });
});

test('an expiry that could never work is refused', async () => {
  const { things } = own;
  await expectRefused(things.createIndex({ at: 1 }, { expireAfterSeconds: -1 }), 67, 'CannotCreateIndex');
  await expectRefused(things.createIndex({ at: 1, b: 1 }, { expireAfterSeconds: 5 }), 67, 'CannotCreateIndex');
  const ofId = things.createIndex({ _id: 1 }, { expireAfterSeconds: 5 });
  await expectRefused(ofId, 197, 'InvalidIndexSpecificationOption');
});

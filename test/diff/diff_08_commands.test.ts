import { expect, test } from 'vitest';
import { expectRefused, ownServer } from '../support/own-server.ts';

const own = ownServer();

const MISSING = [
  'createRole',
  'createUser',
  'dropRole',
  'dropUser',
  'grantRolesToUser',
  'mapReduce',
  'planCacheClear',
  'planCacheClearFilters',
  'planCacheListFilters',
  'planCacheSetFilter',
  'reIndex',
  'top',
  'updateUser',
];

test.each(MISSING)('%s is not there', async (name) => {
  await expectRefused(own.admin({ [name]: 1 }), 59, 'CommandNotFound');
});

test('listCommands tells what is there', async () => {
  const { commands } = await own.admin({ listCommands: 1 });
  expect(Object.keys(commands)).toEqual(expect.arrayContaining(['find', 'insert', 'aggregate', 'createIndexes']));
  expect(MISSING.filter((name) => name in commands)).toEqual([]);
});

test('fsync waits for Discord, but locks nothing', async () => {
  await own.things.insertOne({ _id: 1 }, { writeConcern: { w: 1, j: false } });
  expect(await own.admin({ fsync: 1 })).toMatchObject({ ok: 1 });
  await expectRefused(own.admin({ fsync: 1, lock: true }), 238, 'NotImplemented');
});

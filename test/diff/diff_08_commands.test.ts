import { expect, test } from 'vitest';
import { expectRefused, ownServer } from '../support/own-server.ts';

const own = ownServer();

const MISSING = [
  'createRole',
  'createUser',
  'dropRole',
  'dropUser',
  'fsync',
  'grantRolesToUser',
  'mapReduce',
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

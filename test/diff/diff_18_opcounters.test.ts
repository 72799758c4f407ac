import { expect, test } from 'vitest';
import { ownServer } from '../support/own-server.ts';

const own = ownServer();

test('a command counts once, however many documents it writes', async () => {
  const count = async () => (await own.admin({ serverStatus: 1 })).opcounters;
  const before = await count();
  await own.things.insertMany(Array.from({ length: 50 }, (_, _id) => ({ _id })));
  await own.things.updateMany({}, { $set: { a: 1 } });
  const after = await count();
  expect([after.insert - before.insert, after.update - before.update]).toEqual([1, 1]);
});

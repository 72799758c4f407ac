import { test } from 'vitest';
import { expectRefused, ownServer } from '../support/own-server.ts';

const own = ownServer();

test('dataSize measures no range of keys', async () => {
  await own.db.collection('things').createIndex({ a: 1 });
  const command = { dataSize: 'diff.things', keyPattern: { a: 1 }, min: { a: 1 }, max: { a: 5 } };
  await expectRefused(own.db.command(command), 238, 'NotImplemented');
});

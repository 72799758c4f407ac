import { test } from 'vitest';
import { UUID } from '../support/driver.ts';
import { expectRefused, ownServer } from '../support/own-server.ts';

const own = ownServer();

test('dataSize measures no range of keys', async () => {
  await own.db.collection('things').createIndex({ a: 1 });
  const command = { dataSize: 'diff.things', keyPattern: { a: 1 }, min: { a: 1 }, max: { a: 5 } };
  await expectRefused(own.db.command(command), 238, 'NotImplemented');
});

test('bulkWrite takes no collectionUUID', async () => {
  const ops = [{ insert: 0, document: {} }];
  const named = [{ ns: 'diff.things', collectionUUID: new UUID() }];
  await expectRefused(own.admin({ bulkWrite: 1, ops, nsInfo: named }), 238, 'NotImplemented');
});

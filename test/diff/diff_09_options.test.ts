import { test } from 'vitest';
import { UUID } from '../support/driver.ts';
import { expectRefused, ownServer } from '../support/own-server.ts';

const own = ownServer();

test.each([
  { find: 'things', min: { a: 1 }, hint: { a: 1 } },
  { find: 'things', max: { a: 1 }, hint: { a: 1 } },
  { find: 'things', returnKey: true },
  { update: 'things', updates: [{ q: {}, u: [{ $set: { a: '$$one' } }], c: { one: 1 } }] },
  { dataSize: 'diff.things', keyPattern: { a: 1 }, min: { a: 1 }, max: { a: 5 } },
])('%o is refused', async (command) => {
  await own.db.collection('things').createIndex({ a: 1 });
  await expectRefused(own.db.command(command), 238, 'NotImplemented');
});

test('bulkWrite takes no constants and no collectionUUID', async () => {
  const nsInfo = [{ ns: 'diff.things' }];
  const update = { update: 0, filter: {}, updateMods: [{ $set: { a: '$$x' } }], constants: { x: 1 } };
  await expectRefused(own.admin({ bulkWrite: 1, ops: [update], nsInfo }), 238, 'NotImplemented');
  const ops = [{ insert: 0, document: {} }];
  const named = [{ ns: 'diff.things', collectionUUID: new UUID() }];
  await expectRefused(own.admin({ bulkWrite: 1, ops, nsInfo: named }), 238, 'NotImplemented');
});

import { test } from 'vitest';
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

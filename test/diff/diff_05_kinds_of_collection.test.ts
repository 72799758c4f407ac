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

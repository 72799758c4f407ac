import { expect, test } from 'vitest';
import type { Document } from '../support/driver.ts';
import { ownServer } from '../support/own-server.ts';

const own = ownServer();

test('an index has no options of a storage engine', async () => {
  const storageEngine = { wiredTiger: { configString: 'block_compressor=zlib' } };
  await expect(own.things.createIndex({ a: 1 }, { storageEngine })).rejects.toMatchObject({ code: 238 });
});

test('an array beside a wildcard is refused in other words', async () => {
  const coll = own.db.collection<Document>('compound');
  await coll.createIndex({ a: 1, 'b.$**': 1 });
  await expect(coll.insertOne({ a: [1], b: 1 })).rejects.toMatchObject({
    code: 7246301,
    errmsg: 'The fields beside the wildcard of a compound wildcard index cannot be arrays',
  });
});

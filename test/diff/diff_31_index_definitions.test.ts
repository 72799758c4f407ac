import { expect, test } from 'vitest';
import { ownServer } from '../support/own-server.ts';

const own = ownServer();

test('an index has no options of a storage engine', async () => {
  const storageEngine = { wiredTiger: { configString: 'block_compressor=zlib' } };
  await expect(own.things.createIndex({ a: 1 }, { storageEngine })).rejects.toMatchObject({ code: 238 });
});

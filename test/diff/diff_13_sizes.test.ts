import { expect, test } from 'vitest';
import { BSON, type Document } from '../support/driver.ts';
import { ownServer } from '../support/own-server.ts';
import { startServer } from '../support/server.ts';

const own = ownServer();
const DOCS = Array.from({ length: 100 }, (_, _id) => ({ _id, text: 'x'.repeat(100) }));
const SIZE = DOCS.reduce((sum, doc) => sum + BSON.calculateObjectSize(doc), 0);

test('storageSize is the bytes of the documents', async () => {
  await own.things.insertMany(DOCS);
  expect(await own.db.command({ collStats: 'things' })).toMatchObject({ size: SIZE, storageSize: SIZE });
  expect(await own.db.command({ dbStats: 1 })).toMatchObject({ dataSize: SIZE, storageSize: SIZE });
  const [stats] = await own.things.aggregate([{ $collStats: { storageStats: {} } }]).toArray();
  expect(stats?.storageStats).toMatchObject({ size: SIZE, storageSize: SIZE });
});

test('sizeOnDisk counts what has been read, and listing databases costs no request', async () => {
  const again = await startServer({ disk: own.server.disk });
  try {
    const client = await again.client();
    const list = () => client.db('admin').command({ listDatabases: 1 });
    await list();
    await again.requests();
    const entry = (sizeOnDisk: number): Document => ({ name: 'diff', sizeOnDisk, empty: false });
    expect(await list()).toMatchObject({ databases: [entry(0)], totalSize: 0, totalSizeMb: 0 });
    expect(await again.requests()).toEqual({});
    await client.db('diff').collection('things').countDocuments({ text: 'y' });
    await client.db('diff').command({ collStats: 'things' });
    expect(await list()).toMatchObject({ databases: [entry(SIZE)], totalSize: SIZE });
  } finally {
    await again.close();
  }
});

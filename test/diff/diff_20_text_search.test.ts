import { expect, test } from 'vitest';
import { ownServer } from '../support/own-server.ts';

const own = ownServer();

test('a French word that MongoDB passes over is found', async () => {
  const french = own.db.collection('french');
  await french.createIndex({ a: 'text' }, { default_language: 'french' });
  await french.insertOne({ a: 'alors' });
  expect(await french.countDocuments({ $text: { $search: 'alors' } })).toBe(1);
});

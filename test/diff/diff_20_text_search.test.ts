import { beforeAll, expect, test } from 'vitest';
import { expectRefused, ownServer } from '../support/own-server.ts';

const own = ownServer();
const text = { $text: { $search: 'tea' } };

beforeAll(async () => {
  await own.things.createIndex({ a: 'text' });
  await own.things.insertOne({ _id: 1, a: 'tea' });
});

test('a French word that MongoDB passes over is found', async () => {
  const french = own.db.collection('french');
  await french.createIndex({ a: 'text' }, { default_language: 'french' });
  await french.insertOne({ a: 'alors' });
  expect(await french.countDocuments({ $text: { $search: 'alors' } })).toBe(1);
});

test('$text is searched in the first stage of the whole pipeline only', async () => {
  const pipeline = [{ $match: text }];
  const lookup = own.things.aggregate([{ $lookup: { from: 'things', pipeline, as: 'found' } }]);
  await expectRefused(lookup.toArray(), 27, 'IndexNotFound');
  const union = own.things.aggregate([{ $unionWith: { coll: 'things', pipeline } }]);
  await expectRefused(union.toArray(), 27, 'IndexNotFound');
});

test.each(['indexKey', 'recordId', 'sortKey'])('$meta does not know %s', async ($meta) => {
  await expectRefused(own.things.find({}, { projection: { a: { $meta } } }).toArray(), 238, 'NotImplemented');
});

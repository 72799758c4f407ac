import { expect, test } from 'vitest';
import { ownServer } from '../support/own-server.ts';

const own = ownServer();

test('a partial index takes any filter', async () => {
  const partialFilterExpression = { b: { $ne: 5 } };
  expect(await own.things.createIndex({ a: 1 }, { partialFilterExpression })).toBe('a_1');
});

test('a collection has more than 64 indexes', async () => {
  const many = own.db.collection('many');
  await many.createIndexes(Array.from({ length: 70 }, (_, n) => ({ key: { [`f${n}`]: 1 } })));
  expect(await many.indexes()).toHaveLength(71);
});

import { expect, test, vi } from 'vitest';
import { OrderedIndex } from '../../src/indexes/index.ts';
import { ownServer } from '../support/own-server.ts';

const own = ownServer();

test('validate reads everything and repairs nothing', async () => {
  await own.things.insertMany(Array.from({ length: 1500 }, (_, _id) => ({ _id })));
  await own.things.createIndex({ a: 1 });
  expect(await own.db.command({ validate: 'things', full: true, repair: true })).toMatchObject({
    ns: 'diff.things',
    nrecords: 1500,
    nIndexes: 2,
    nInvalidDocuments: 0,
    valid: true,
    repaired: false,
    errors: [],
  });
});

test('an entry that no document has is told without its key', async () => {
  vi.spyOn(OrderedIndex.prototype, 'remove').mockImplementationOnce(() => {});
  await own.things.deleteOne({ _id: 7 });
  const { extraIndexEntries, valid } = await own.db.command({ validate: 'things' });
  expect({ extraIndexEntries, valid }).toEqual({
    extraIndexEntries: [{ indexName: 'a_1', recordId: expect.any(Number) }],
    valid: false,
  });
});

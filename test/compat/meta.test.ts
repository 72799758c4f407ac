import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Collection, type Db, type Document, Long } from '../support/driver.ts';
import { startServer, type TestServer } from '../support/server.ts';

/** What `$meta` tells of every document: where it stands, by which key it was found, what it was sorted by. */
let server: TestServer;
let db: Db;
let things: Collection<{ _id: number } & Document>;

beforeAll(async () => {
  server = await startServer();
  db = (await server.client()).db('told');
  things = db.collection('things');
  await things.insertMany([
    { _id: 1, a: 10, b: 'x', tags: [3, 1] },
    { _id: 2, a: 20, b: 'y' },
    { _id: 3, a: 10, b: 'z', tags: [2] },
  ]);
  await things.createIndex({ a: 1, b: -1 });
  await things.createIndex({ words: 'text' });
});
afterAll(() => server?.close());

const meta = ($meta: string) => ({ _id: 1, m: { $meta } });

const FOUND: readonly [string, Document, Document[]][] = [
  [
    'a key for a scan of an index',
    { filter: { a: 20 }, projection: meta('indexKey') },
    [{ _id: 2, m: { a: 20, b: 'y' } }],
  ],
  ['no key for a scan', { filter: { b: 'y' }, projection: meta('indexKey') }, [{ _id: 2 }]],
  ['no key for an equality on _id', { filter: { _id: 2 }, projection: meta('indexKey') }, [{ _id: 2 }]],
  [
    'a key for a range of _id',
    { filter: { _id: { $gt: 2 } }, projection: meta('indexKey') },
    [{ _id: 3, m: { _id: 3 } }],
  ],
  [
    'what it is sorted by',
    { sort: { a: -1, b: 1 }, projection: meta('sortKey') },
    [
      { _id: 2, m: [20, 'y'] },
      { _id: 1, m: [10, 'x'] },
      { _id: 3, m: [10, 'z'] },
    ],
  ],
  [
    'the least element of an array, and null',
    { sort: { tags: 1 }, projection: meta('sortKey') },
    [
      { _id: 2, m: [null] },
      { _id: 1, m: [1] },
      { _id: 3, m: [2] },
    ],
  ],
  [
    'the greatest element, where the order is descending',
    { sort: { tags: -1 }, limit: 1, projection: meta('sortKey') },
    [{ _id: 1, m: [3] }],
  ],
];

describe('in find', () => {
  test.each(FOUND)('%s', async (_, command, expected) => {
    const { cursor } = await db.command({ find: 'things', ...command });
    expect(cursor.firstBatch).toEqual(expected);
  });

  test('a record id', async () => {
    const { cursor } = await db.command(
      {
        find: 'things',
        filter: { _id: { $in: [1, 3] } },
        projection: { n: { $meta: 'recordId' } },
        showRecordId: true,
      },
      { promoteLongs: false },
    );
    for (const { n, $recordId } of cursor.firstBatch) expect([n, n instanceof Long]).toEqual([$recordId, true]);
    expect(cursor.firstBatch).toHaveLength(2);
  });

  test.each([
    [{ find: 'things', projection: meta('sortKey') }, 'cannot use sortKey $meta projection without a sort'],
    [
      { find: 'things', projection: meta('sortKey'), sort: { $natural: 1 } },
      'cannot use sortKey $meta projection without a sort',
    ],
    [
      { findAndModify: 'things', fields: meta('sortKey'), sort: { a: 1 }, remove: true },
      'Cannot use a $meta sortKey projection in findAndModify commands.',
    ],
  ])('%j is refused', async (command, errmsg) => {
    await expect(db.command(command)).rejects.toMatchObject({ code: 2, errmsg });
  });
});

describe('in aggregate', () => {
  const made = (...pipeline: Document[]) => things.aggregate(pipeline).toArray();

  test('a key, where the plan has one', async () => {
    expect(await made({ $match: { a: 20 } }, { $project: meta('indexKey') })).toEqual([
      { _id: 2, m: { a: 20, b: 'y' } },
    ]);
    expect(await made({ $match: { b: 'y' } }, { $project: meta('indexKey') })).toEqual([{ _id: 2 }]);
    expect(await made({ $match: { a: 20 } }, { $group: { _id: { $meta: 'indexKey' } } })).toEqual([
      { _id: { a: 20, b: 'y' } },
    ]);
  });

  test('what was sorted by, whoever sorted', async () => {
    const expected = [
      { _id: 2, m: [20] },
      { _id: 3, m: [10] },
      { _id: 1, m: [10] },
    ];
    expect(
      await made({ $sort: { a: -1, _id: -1 } }, { $project: { m: { $slice: [{ $meta: 'sortKey' }, 1] } } }),
    ).toEqual(expected);
    expect(
      await made(
        { $addFields: { c: { $add: ['$a', 1] } } },
        { $sort: { c: -1, _id: -1 } },
        { $project: { m: { $meta: 'sortKey' } } },
      ),
    ).toEqual([
      { _id: 2, m: [21, 2] },
      { _id: 3, m: [11, 3] },
      { _id: 1, m: [11, 1] },
    ]);
    expect(await made({ $match: { _id: 1 } }, { $project: meta('sortKey') })).toEqual([{ _id: 1 }]);
  });

  test('a record id, also of documents that are looked up', async () => {
    const [one] = await made(
      { $match: { _id: 1 } },
      { $lookup: { from: 'things', pipeline: [{ $project: { m: { $meta: 'recordId' } } }], as: 'all' } },
      { $project: { m: { $meta: 'recordId' }, all: 1 } },
    );
    expect(one).toEqual({
      _id: 1,
      m: 1,
      all: [
        { _id: 1, m: 1 },
        { _id: 2, m: 2 },
        { _id: 3, m: 3 },
      ],
    });
  });
});

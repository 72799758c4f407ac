import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Db, type Document, Long, type MongoClient, UUID } from '../support/driver.ts';
import { startServer, type TestServer } from '../support/server.ts';

/** What options of commands may not be, and whom `collectionUUID` means. */
let server: TestServer;
let client: MongoClient;
let db: Db;

beforeAll(async () => {
  server = await startServer();
  client = await server.client();
  db = client.db('options');
  await db.collection<{ _id: number }>('c').insertOne({ _id: 1, a: 1 } as Document & { _id: number });
  await db.collection('c').createIndex({ a: 1 });
  await db.createCollection('d');
});
afterAll(() => server?.close());

const NATURAL_SORT = '$natural sort cannot be set to a value other than -1 or 1.';
const NATURAL_HINT = '$natural hint cannot be set to a value other than -1 or 1.';
const HINT = 'Hint must be a string or an object';

test.each<[Document, number, string]>([
  [{ find: 'c', hint: 5 }, 9, HINT],
  [{ find: 'c', hint: null }, 9, HINT],
  [
    { dropIndexes: 'c', index: null },
    14,
    "BSON field 'dropIndexes.index' is the wrong type 'null', expected types '[string, array, object]'",
  ],
  [{ count: 'c', hint: true }, 9, HINT],
  [{ distinct: 'c', key: 'a', hint: [] }, 9, HINT],
  [{ aggregate: 'c', pipeline: [], cursor: {}, hint: 1 }, 9, HINT],
  [{ findAndModify: 'c', remove: true, hint: 1 }, 9, HINT],
  [{ update: 'c', updates: [{ q: {}, u: {}, hint: 1 }] }, 9, HINT],
  [{ delete: 'c', deletes: [{ q: {}, limit: 1, hint: 1 }] }, 9, HINT],
  [{ find: 'c', hint: { $natural: 2 } }, 2, NATURAL_HINT],
  [{ count: 'c', hint: { $natural: 0 } }, 2, NATURAL_HINT],
  [{ aggregate: 'c', pipeline: [], cursor: {}, hint: { $natural: 'x' } }, 2, NATURAL_HINT],
  [{ find: 'c', sort: { $natural: 2 } }, 2, NATURAL_SORT],
  [{ find: 'c', sort: { $natural: 1.5 } }, 2, NATURAL_SORT],
  [{ find: 'c', sort: { $natural: true } }, 2, NATURAL_SORT],
  [{ find: 'c', sort: { $natural: 1, a: 1 } }, 2, NATURAL_SORT],
  [{ find: 'c', sort: { a: 1, $natural: -1 } }, 2, NATURAL_SORT],
  [{ findAndModify: 'c', remove: true, sort: { $natural: 2 } }, 2, NATURAL_SORT],
  [{ find: 'c', sort: { $natural: 1 }, hint: 'a_1' }, 2, 'index hint not allowed with $natural sort order'],
  [{ find: 'c', sort: { $natural: 1 }, hint: { a: 1 } }, 2, 'index hint not allowed with $natural sort order'],
  [
    { find: 'c', sort: { $natural: 1 }, hint: { $natural: -1 } },
    2,
    '$natural hint must be in the same direction as $natural sort order',
  ],
  [{ find: 'c', sort: { 'a..b': 1 } }, 15998, 'FieldPath field names may not be empty strings.'],
  [
    { find: 'c', sort: { 'a.$b': 1 } },
    16410,
    "FieldPath field names may not start with '$'. Consider using $getField or $setField.",
  ],
  [
    { find: 'c', collectionUUID: 'x' },
    14,
    "BSON field 'FindCommandRequest.collectionUUID' is the wrong type 'string', expected type 'binData'",
  ],
  [
    { find: 'c', collectionUUID: Buffer.from('x') },
    14,
    "BSON field 'FindCommandRequest.collectionUUID' is the wrong binData type 'general', expected type 'UUID'",
  ],
])('%j is refused', async (command, code, errmsg) => {
  await expect(db.command(command)).rejects.toMatchObject({ code, errmsg });
});

test('a lone ±1 of any number type is natural order', async () => {
  for (const order of [1, -1, Long.fromNumber(-1)]) {
    expect(
      await db
        .collection('c')
        .find({}, { sort: { $natural: order as 1 }, hint: { $natural: order } })
        .toArray(),
    ).toHaveLength(1);
  }
});

describe('collectionUUID', () => {
  const uuidOf = async (name: string) => {
    const [info] = (await db.listCollections({ name }).toArray()) as Document[];
    return info?.info.uuid as UUID;
  };

  const COMMANDS: readonly Document[] = [
    { find: 'c' },
    { count: 'c' },
    { aggregate: 'c', pipeline: [], cursor: {} },
    { createIndexes: 'c', indexes: [{ key: { a: 1 }, name: 'a_1' }] },
    { collMod: 'c' },
    { dropIndexes: 'c', index: '*' },
    { drop: 'c' },
  ];

  test.each(COMMANDS)('%j finds the other collection', async (command) => {
    const collectionUUID = await uuidOf('d');
    await expect(db.command({ ...command, collectionUUID })).rejects.toMatchObject({
      code: 361,
      codeName: 'CollectionUUIDMismatch',
      errmsg: 'Collection UUID does not match that specified',
      errorResponse: { db: 'options', collectionUUID, expectedCollection: 'c', actualCollection: 'd' },
    });
    const unknown = new UUID();
    await expect(db.command({ ...command, collectionUUID: unknown })).rejects.toMatchObject({
      code: 361,
      errorResponse: { actualCollection: null },
    });
  });

  const WRITES: readonly Document[] = [
    { insert: 'c', documents: [{}, {}] },
    {
      update: 'c',
      updates: [
        { q: {}, u: { $set: { b: 1 } } },
        { q: {}, u: { $set: { b: 1 } } },
      ],
    },
    {
      delete: 'c',
      deletes: [
        { q: {}, limit: 0 },
        { q: {}, limit: 0 },
      ],
    },
  ];

  test.each(WRITES)('%j changes nothing', async (command) => {
    const collectionUUID = await uuidOf('d');
    const told = { code: 361, errmsg: 'Collection UUID does not match that specified', db: 'options', collectionUUID };
    const both = [
      { index: 0, ...told, expectedCollection: 'c', actualCollection: 'd' },
      { index: 1, ...told, expectedCollection: 'c', actualCollection: 'd' },
    ];
    expect(await db.command({ ...command, collectionUUID })).toMatchObject({ n: 0, writeErrors: [both[0]] });
    expect(await db.command({ ...command, ordered: false, collectionUUID })).toMatchObject({ n: 0, writeErrors: both });
    expect(await db.collection('c').find().toArray()).toEqual([{ _id: 1, a: 1 }]);
  });

  test('bulkWrite tells it of the operations', async () => {
    const [mine, other] = [await uuidOf('c'), await uuidOf('d')];
    const reply = await client.db('admin').command({
      bulkWrite: 1,
      ordered: false,
      ops: [
        { insert: 0, document: { _id: 5 } },
        { insert: 1, document: { _id: 6 } },
      ],
      nsInfo: [{ ns: 'options.d', collectionUUID: mine }, { ns: 'options.e' }],
    });
    expect(reply).toMatchObject({ nErrors: 1, nInserted: 1 });
    expect(reply.cursor.firstBatch[0]).toMatchObject({
      ok: 0,
      idx: 0,
      code: 361,
      expectedCollection: 'd',
      actualCollection: 'c',
      n: 0,
    });
    expect(await uuidOf('d')).toEqual(other);
  });

  test('the collection that is meant is used', async () => {
    const collectionUUID = await uuidOf('c');
    expect((await db.command({ find: 'c', collectionUUID })).cursor.firstBatch).toHaveLength(1);
    expect(await db.command({ insert: 'c', documents: [{ _id: 9 }], collectionUUID })).toMatchObject({ n: 1 });
    expect(await db.command({ delete: 'c', deletes: [{ q: { _id: 9 }, limit: 1 }], collectionUUID })).toMatchObject({
      n: 1,
    });
    expect(await db.command({ count: 'c', collectionUUID })).toMatchObject({ n: 1 });
  });
});

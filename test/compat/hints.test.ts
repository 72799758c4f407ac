import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Collection, Db, Document } from '../support/driver.ts';
import { startServer, type TestServer } from '../support/server.ts';

/** What clients may say about indexes in their commands: hints, ends of keys, and what is told of the use of indexes. */
let server: TestServer;
let db: Db;
let things: Collection;

beforeAll(async () => {
  server = await startServer();
  db = (await server.client()).db('hints');
  things = db.collection('things');
  await things.createIndexes([
    { key: { a: 1, b: -1 } },
    { key: { tags: 1 } },
    { key: { s: 1 }, sparse: true },
    { key: { hid: 1 }, hidden: true },
    { key: { h: 'hashed' } },
    { key: { 'w.$**': 1 } },
  ]);
  await things.insertMany(
    Array.from({ length: 10 }, (_, n) => ({
      _id: n as never,
      a: n % 5,
      b: n,
      tags: [n, -n],
      ...(n > 6 && { s: n }),
      h: n,
    })),
  );
});

afterAll(() => server?.close());

const ids = (docs: readonly Document[]) => docs.map(({ _id }) => _id);
const found = async (command: Document) => (await db.command({ find: 'things', ...command })).cursor.firstBatch;

test.each<[string, Document, number[]]>([
  ['by name', { filter: { b: { $gte: 8 } }, hint: 'a_1_b_-1' }, [8, 9]],
  ['by key', { filter: { b: { $gte: 8 } }, hint: { a: 1, b: -1 } }, [8, 9]],
  ['by natural order backwards', { hint: { $natural: -1 }, limit: 2 }, [9, 8]],
  ['of a sparse index, which lacks the others', { hint: 's_1' }, [7, 8, 9]],
  ['of a hash that does not help', { filter: { h: { $gt: 8 } }, hint: { h: 'hashed' } }, [9]],
  ['from a key on', { min: { a: 4, b: 9 }, hint: 'a_1_b_-1' }, [9, 4]],
  ['up to a key', { max: { a: 0, b: 0 }, hint: 'a_1_b_-1' }, [5]],
  ['between two keys', { min: { a: 1, b: 9 }, max: { a: 2, b: 2 }, hint: { a: 1, b: -1 } }, [6, 1, 7]],
  [
    'between them in the order of a sort',
    { min: { a: 1, b: 9 }, max: { a: 2, b: 2 }, hint: { a: 1, b: -1 }, sort: { a: -1 } },
    [7, 1, 6],
  ],
  ['between two elements of arrays', { min: { tags: -1 }, max: { tags: 2 }, hint: { tags: 1 } }, [1, 0]],
])('a hint %s', async (_, command, expected) => {
  expect(ids(await found(command))).toEqual(expected);
});

describe('a hint of an index that nothing of the query fits', () => {
  const NOTES = [
    { _id: 1, at: [1, 1], c: 3, said: 'the river bends twice' },
    { _id: 2, c: 2, said: 'a river, a bridge' },
    {
      _id: 3,
      at: {
        type: 'LineString',
        coordinates: [
          [0, 0],
          [30, 30],
        ],
      },
      c: 1,
    },
    { _id: 4, at: null, c: 4, said: 'the' },
    { _id: 5, at: [5, 5], c: [9, 0], flat: [2, 2] },
    {
      _id: 6,
      c: 7,
      flat: [
        [1, 1],
        [9, 9],
      ],
    },
  ];

  beforeAll(async () => {
    const notes = db.collection('notes');
    await notes.createIndexes([
      { key: { at: '2dsphere' }, name: 'sphere' },
      { key: { c: 1, at: '2dsphere' }, name: 'compound', sparse: true },
      { key: { flat: '2d', c: 1 }, name: 'plane' },
      { key: { said: 'text' }, name: 'words' },
    ]);
    await notes.insertMany(NOTES as never[]);
  });

  const notes = async (command: Document) =>
    ids((await db.command({ find: 'notes', ...command })).cursor.firstBatch as Document[]);

  test.each<[Document, number[]]>([
    [{ hint: 'sphere' }, [1, 3, 5]],
    [{ hint: { at: '2dsphere' }, filter: { c: { $lt: 3 } } }, [3, 5]],
    [{ hint: 'sphere', filter: { at: null } }, []],
    [{ hint: 'compound', filter: { c: 3 } }, [1]],
    [{ hint: 'compound' }, [1, 3, 5]],
    [{ hint: 'plane' }, [5, 6]],
    [{ hint: 'plane', filter: { c: 7 } }, [6]],
    [{ hint: 'plane', filter: { flat: [2, 2] } }, [5]],
    [{ hint: 'words' }, [1, 2]],
    [{ hint: 'words', filter: { c: { $gte: 3 } } }, [1]],
  ])('%j finds what the index holds, once', async (command, expected) => {
    expect((await notes(command)).sort()).toEqual(expected);
  });

  test('keeps the order of its fields', async () => {
    expect(await notes({ hint: 'compound' })).toEqual([5, 3, 1]);
    expect(await notes({ hint: 'compound', sort: { c: -1 } })).toEqual([5, 1, 3]);
    expect(await notes({ hint: 'plane', sort: { c: 1 } })).toEqual([5, 6]);
  });

  test('counts, and shows a scan of all', async () => {
    expect((await db.command({ count: 'notes', hint: 'plane' })).n).toBe(2);
    const { queryPlanner } = await db.command({ explain: { find: 'notes', filter: { c: 7 }, hint: 'plane' } });
    expect(queryPlanner.winningPlan).toMatchObject({
      stage: 'FETCH',
      filter: { c: { $eq: 7 } },
      inputStage: {
        stage: 'IXSCAN',
        keyPattern: { flat: '2d', c: 1 },
        isMultiKey: true,
        indexBounds: { flat: ['[MinKey, MaxKey]'], c: ['[MinKey, MaxKey]'] },
      },
    });
  });

  test('finds no distances', async () => {
    const near = { filter: { at: { $near: { type: 'Point', coordinates: [0, 0] } } }, hint: 'words' };
    await expect(notes(near)).rejects.toMatchObject({ code: 291 });
  });
});

describe('a hint of a wildcard index', () => {
  const TREES = [
    { _id: 1, kind: 'oak', leaf: { lobes: 7, edge: 'round' } },
    { _id: 2, kind: 'ash', leaf: { lobes: null } },
    { _id: 3, kind: null, leaf: 5, rings: { 0: 'bark', 12: 'heart' } },
    { _id: 4, leaf: [{ lobes: 3 }, { lobes: 5 }], kind: { is: 'elm' } },
    { _id: 5, leaf: [], seen: new Date(0), nuts: [[1, 2]] },
    { _id: 6, leaf: {}, kind: [] },
    { _id: 7, rings: { 1: 'bark' } },
  ];

  beforeAll(async () => {
    const trees = db.collection('trees');
    await trees.insertMany(TREES as never[]);
    await trees.createIndexes([
      { key: { '$**': 1 }, name: 'all' },
      { key: { '$**': -1 }, name: 'some', wildcardProjection: { 'leaf.edge': 0 } },
      { key: { seen: 1, 'rings.$**': 1 }, name: 'compound' },
    ]);
  });

  const trees = async (command: Document) =>
    ids((await db.command({ find: 'trees', hint: 'all', ...command })).cursor.firstBatch as Document[]);

  test.each<[Document, number[]]>([
    [{ leaf: { $exists: true } }, [1, 2, 3, 4, 5, 6]],
    [{ 'leaf.lobes': { $exists: true } }, [1, 2, 4]],
    [{ leaf: { $exists: true }, kind: 'ash' }, [2]],
    [{ rings: { $ne: null } }, [3, 7]],
    [{ leaf: { $type: 'object' } }, [1, 2, 4, 6]],
    [{ leaf: { $type: 'array' } }, [4, 5]],
    [{ nuts: { $type: 4 } }, [5]],
    [{ kind: { $type: ['null', 'object'] } }, [3, 4]],
    [{ kind: { $type: 'null' } }, [3]],
    [{ leaf: { $type: 'undefined' } }, []],
    [{ seen: { $type: 'date' } }, [5]],
    [{ leaf: { $type: 'number', $exists: true } }, [3]],
    [{ leaf: { $elemMatch: { lobes: { $exists: true } } } }, [4]],
    [{ leaf: {} }, [6]],
    [{ leaf: [] }, [5]],
    [{ leaf: { $in: [{}, [], 5] } }, [3, 5, 6]],
    [{ 'rings.0': 'bark' }, [3]],
    [{ 'rings.1': { $exists: true } }, [7]],
    [{ $or: [{ kind: 'oak' }, { rings: { $exists: true } }] }, [1, 3, 7]],
  ])('finds what is below a path: %j', async (filter, expected) => {
    expect((await trees({ filter })).sort()).toEqual(expected);
    expect((await db.command({ count: 'trees', query: filter, hint: 'all' })).n).toBe(expected.length);
    expect((await trees({ filter, hint: { $natural: 1 } })).sort()).toEqual(expected);
  });

  test('goes by what stands before the wildcard', async () => {
    expect(await trees({ filter: { seen: { $lt: new Date(5) }, rings: { $ne: 3 } }, hint: 'compound' })).toEqual([5]);
  });

  const ONE = /refusing to build whole-index solution, because it's a wildcard index$/;
  const NONE = /:: caused by :: No query solutions$/;

  test.each<[Document, RegExp]>([
    [{ filter: {} }, NONE],
    [{ filter: { $nor: [{ kind: 'oak' }] } }, NONE],
    [{ filter: { kind: null } }, ONE],
    [{ filter: { kind: { $exists: false } } }, ONE],
    [{ filter: { kind: { $ne: 'oak' } } }, ONE],
    [{ filter: { kind: { $nin: [null, 1] } } }, ONE],
    [{ filter: { leaf: { lobes: null } } }, ONE],
    [{ filter: { leaf: { $gte: {} } } }, ONE],
    [{ filter: { leaf: { $lt: {} } } }, ONE],
    [{ filter: { leaf: [1] } }, ONE],
    [{ filter: { leaf: { $ne: null } } }, ONE],
    [{ filter: { leaf: [1], kind: null } }, NONE],
    [{ filter: { $or: [{ leaf: [1] }, { kind: 1 }] } }, NONE],
    [{ filter: { 'leaf.edge': 'round' }, hint: 'some' }, NONE],
    [{ filter: { kind: 'oak' }, hint: 'compound' }, NONE],
    [{ filter: { 'rings.0': 1 }, hint: 'compound' }, ONE],
    [{ filter: { seen: null, rings: 1 }, hint: 'compound' }, NONE],
  ])('%j is refused', async (command, message) => {
    await expect(trees(command)).rejects.toMatchObject({ code: 291, errmsg: expect.stringMatching(message) });
  });

  test('shows the paths below', async () => {
    const winning = async (filter: Document) =>
      (await db.command({ explain: { find: 'trees', filter, hint: 'all' } })).queryPlanner.winningPlan;
    expect(await winning({ rings: { $exists: true } })).toMatchObject({
      stage: 'FETCH',
      inputStage: {
        stage: 'IXSCAN',
        keyPattern: { $_path: 1, rings: 1 },
        isMultiKey: false,
        indexBounds: { $_path: ['["rings", "rings"]', '["rings.", "rings/")'], rings: ['[MinKey, MaxKey]'] },
      },
    });
    expect(await winning({ rings: { $exists: true } })).not.toHaveProperty('filter');
    expect(await winning({ rings: { $ne: null } })).toMatchObject({ filter: { rings: { $not: { $eq: null } } } });
    expect(await winning({ kind: { $exists: true, $gt: 'b' } })).toMatchObject({
      inputStage: { indexBounds: { $_path: ['["kind", "kind"]'], kind: ['("b", {})'] } },
    });
  });
});

test.each<[string, Document, number[]]>([
  ['count', { count: 'things', query: {}, hint: 's_1' }, [3]],
  ['distinct', { distinct: 'things', key: 'b', hint: 's_1' }, [7, 8, 9]],
])('%s takes hints', async (_, command, expected) => {
  const { n, values } = await db.command(command);
  expect(values ?? [n]).toEqual(expected);
});

test('aggregate and writes take hints', async () => {
  expect(ids(await things.aggregate([{ $match: {} }], { hint: 's_1' }).toArray())).toEqual([7, 8, 9]);
  expect(await things.updateMany({}, { $set: { z: 1 } }, { hint: 's_1' })).toMatchObject({ matchedCount: 3 });
  expect(await things.findOneAndUpdate({}, { $set: { z: 2 } }, { hint: { s: 1 }, sort: { b: 1 } })).toMatchObject({
    _id: 7,
  });
  expect(await things.deleteMany({ b: -1 }, { hint: { s: 1 } })).toMatchObject({ deletedCount: 0 });
});

const REFUSED = /^error processing query: ns=hints\.things.*planner returned error :: caused by :: /;

test.each<[Document, number, string | RegExp]>([
  [{ hint: 'none' }, 2, /hint provided does not correspond to an existing index$/],
  [{ hint: { none: 1 } }, 2, /hint provided does not correspond to an existing index$/],
  [{ hint: 'hid_1' }, 2, /hint provided does not correspond to an existing index$/],
  [{ hint: 'w.$**_1' }, 291, /No query solutions$/],
  [{ min: { a: 1, b: 1 } }, 51173, 'When using min()/max() a hint of which index to use must be provided'],
  [{ min: { a: 1 }, hint: 'a_1_b_-1' }, 51174, /The index chosen is not compatible with min\/max$/],
  [{ min: { h: 1 }, hint: { h: 'hashed' } }, 51174, /The index chosen is not compatible with min\/max$/],
  [
    { min: { tags: 5 }, max: { tags: 5 }, hint: 'tags_1' },
    51175,
    /does not come before the value provided for max\(\) in the hinted index$/,
  ],
  [{ min: { tags: 5 }, max: { b: 5 }, hint: 'tags_1' }, 51176, 'min and max must have the same field names'],
])('find with %j is refused', async (command, code, message) => {
  const error = await found(command).catch((caught: unknown) => caught);
  expect(error).toMatchObject({ code });
  const text = (error as Error).message;
  if (typeof message === 'string') return expect(text).toBe(message);
  expect(text).toMatch(REFUSED);
  expect(text).toMatch(message);
});

test('a hint of what is not there is refused in writes', async () => {
  await expect(things.updateOne({}, { $set: { z: 1 } }, { hint: 'none' })).rejects.toMatchObject({ code: 2 });
  await expect(things.deleteOne({}, { hint: 'none' })).rejects.toMatchObject({ code: 2 });
  await expect(things.findOneAndDelete({}, { hint: { none: 1 } })).rejects.toMatchObject({ code: 2 });
});

describe('returnKey', () => {
  test.each<[string, Document, Document[]]>([
    [
      'gives the fields of the index',
      { filter: { a: 1, b: { $gt: 0 } } },
      [
        { a: 1, b: 6 },
        { a: 1, b: 1 },
      ],
    ],
    ['gives the element that was found', { filter: { tags: -3 } }, [{ tags: -3 }]],
    ['gives _id', { filter: { _id: 5 } }, [{ _id: 5 }]],
    ['gives nothing of a scan', { filter: { z: { $exists: false }, b: 1 } }, [{}]],
    ['comes before a projection', { filter: { a: 0, b: 5 }, projection: { _id: 1 } }, [{ a: 0, b: 5 }]],
  ])('%s', async (_, command, expected) => {
    expect(await found({ ...command, returnKey: true })).toEqual(expected);
  });

  test('comes before record ids', async () => {
    expect(await found({ filter: { _id: 5 }, returnKey: true, showRecordId: true })).toEqual([{ _id: 5 }]);
  });
});

test('$indexStats counts the queries that went by an index', async () => {
  const stats = async () =>
    (await things.aggregate([{ $indexStats: {} }], { useBigInt64: true }).toArray()) as Document[];
  const ops = async (name: string) => Number((await stats()).find((each) => each.name === name)?.accesses.ops);
  const before = await ops('tags_1');
  await found({ filter: { tags: 3 } });
  await found({ filter: { tags: { $gt: 3 } } });
  expect((await ops('tags_1')) - before).toBe(2);
  const [first] = await stats();
  expect(first).toMatchObject({
    name: '_id_',
    key: { _id: 1 },
    host: expect.any(String),
    accesses: { since: expect.any(Date) },
    spec: { v: 2, key: { _id: 1 }, name: '_id_' },
  });
  expect(await ops('hid_1')).toBe(0);
  for (const hidden of [true, false]) {
    await found({ filter: { tags: 3 } });
    await db.command({ collMod: 'things', index: { name: 'tags_1', hidden } });
    expect(await ops('tags_1')).toBe(0);
  }
  await found({ filter: { tags: 3 } });
  await db.command({ collMod: 'things', index: { name: 'tags_1', hidden: false } });
  expect(await ops('tags_1')).toBe(1);
});

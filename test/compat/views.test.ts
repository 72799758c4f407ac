import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { Collection, Db, Document } from '../support/driver.ts';
import { startServer, type TestServer } from '../support/server.ts';

/** Views as a client meets them. */
let server: TestServer;
let db: Db;
let cheap: Collection<{ _id: number } & Document>;

beforeAll(async () => {
  server = await startServer();
  db = (await server.client()).db('views');
});

afterAll(() => server?.close());

beforeEach(async () => {
  await db.dropDatabase();
  await db.collection<{ _id: number } & Document>('things').insertMany([
    { _id: 1, name: 'pen', price: 1, tags: ['a', 'b'] },
    { _id: 2, name: 'cup', price: 5, tags: ['b'] },
    { _id: 3, name: 'car', price: 999, tags: ['c'] },
    { _id: 4, name: 'Pin', price: 2, tags: [] },
  ]);
  const pipeline = [{ $match: { price: { $lt: 10 } } }, { $set: { double: { $multiply: ['$price', 2] } } }];
  await db.createCollection('cheap', { viewOn: 'things', pipeline });
  cheap = db.collection('cheap');
});

test('listCollections shows views, and where MongoDB keeps them', async () => {
  const all = await db.listCollections().toArray();
  expect(all.map(({ name, type }) => [name, type])).toEqual([
    ['things', 'collection'],
    ['system.views', 'collection'],
    ['cheap', 'view'],
  ]);
  expect(all[2]).toEqual({
    name: 'cheap',
    type: 'view',
    options: {
      viewOn: 'things',
      pipeline: [{ $match: { price: { $lt: 10 } } }, { $set: { double: { $multiply: ['$price', 2] } } }],
    },
    info: { readOnly: true },
  });
  expect(await db.collection('system.views').find().toArray()).toMatchObject([
    { _id: 'views.cheap', viewOn: 'things', pipeline: [{ $match: { price: { $lt: 10 } } }, {}] },
  ]);
  expect(await db.collection('system.views').indexes()).toEqual([{ v: 2, key: { _id: 1 }, name: '_id_' }]);
  expect((await db.stats()).views).toBe(1);
});

test('find: filter, sort, skip, limit and projection are those of the view', async () => {
  const found = await cheap
    .find({ double: { $gt: 2 } })
    .sort({ price: -1 })
    .project({ name: 1, double: 1 })
    .toArray();
  expect(found).toEqual([
    { _id: 2, name: 'cup', double: 10 },
    { _id: 4, name: 'Pin', double: 4 },
  ]);
  expect(await cheap.find().sort({ _id: 1 }).skip(1).limit(1).project({ _id: 1 }).toArray()).toEqual([{ _id: 2 }]);
  expect(await cheap.findOne({ _id: 3 })).toBeNull();
  expect(await cheap.find({}, { batchSize: 1 }).toArray()).toHaveLength(3);
});

test('count, distinct and aggregate', async () => {
  expect(await cheap.countDocuments()).toBe(3);
  expect(await cheap.estimatedDocumentCount()).toBe(3);
  expect(await db.command({ count: 'cheap', query: { price: { $gt: 1 } }, skip: 1 })).toMatchObject({ n: 1 });
  expect(await cheap.distinct('tags')).toEqual(['a', 'b']);
  expect(await cheap.distinct('double', { price: { $gt: 1 } })).toEqual([4, 10]);
  const sum = await cheap.aggregate([{ $group: { _id: null, sum: { $sum: '$double' } } }]).toArray();
  expect(sum).toEqual([{ _id: null, sum: 16 }]);
});

test('views stand on views, and follow what they stand on', async () => {
  await db.createCollection('pens', { viewOn: 'cheap', pipeline: [{ $match: { double: 2 } }] });
  const pens = db.collection<{ _id: number } & Document>('pens');
  expect(await pens.find().project({ name: 1 }).toArray()).toEqual([{ _id: 1, name: 'pen' }]);
  await db.collection<{ _id: number } & Document>('things').insertOne({ _id: 9, name: 'nib', price: 1 });
  expect(await pens.countDocuments()).toBe(2);
  await db.collection('things').drop();
  expect(await pens.find().toArray()).toEqual([]);
});

test('$lookup, $unionWith and $graphLookup read views', async () => {
  await db.collection<{ _id: number } & Document>('orders').insertMany([
    { _id: 1, of: 2 },
    { _id: 2, of: 3 },
  ]);
  const orders = db.collection('orders');
  const joined = await orders
    .aggregate([
      { $lookup: { from: 'cheap', localField: 'of', foreignField: '_id', as: 'found' } },
      { $sort: { _id: 1 } },
    ])
    .toArray();
  expect(joined.map(({ found }) => found.map((each: Document) => each.double))).toEqual([[10], []]);
  const piped = await orders
    .aggregate([
      {
        $lookup: {
          from: 'cheap',
          let: { of: '$of' },
          pipeline: [{ $match: { $expr: { $eq: ['$_id', '$$of'] } } }],
          as: 'found',
        },
      },
      { $sort: { _id: 1 } },
    ])
    .toArray();
  expect(piped.map(({ found }) => found.length)).toEqual([1, 0]);
  expect(await orders.aggregate([{ $unionWith: 'cheap' }]).toArray()).toHaveLength(5);
  const graph = { from: 'cheap', startWith: '$of', connectFromField: 'nope', connectToField: '_id', as: 'found' };
  const walked = await orders.aggregate([{ $graphLookup: graph }, { $sort: { _id: 1 } }]).toArray();
  expect(walked.map(({ found }) => found.length)).toEqual([1, 0]);
});

test('explain tells of the collection below', async () => {
  const found = await cheap.find({ _id: 2 }).explain();
  expect(JSON.stringify(found)).toContain('views.things');
  const aggregated = await cheap.aggregate([{ $match: { _id: 2 } }]).explain();
  expect(JSON.stringify(aggregated)).toContain('views.things');
});

test('a view has its collation, whatever the collection has', async () => {
  await db.createCollection('loose', { viewOn: 'things', pipeline: [], collation: CASELESS });
  expect(await db.collection('loose').countDocuments({ name: 'pin' })).toBe(1);
  expect(await cheap.countDocuments({ name: 'pin' })).toBe(0);
  await expect(cheap.find({}, { collation: CASELESS }).toArray()).rejects.toMatchObject({ code: 167 });
  await expect(db.createCollection('mixed', { viewOn: 'loose', pipeline: [] })).rejects.toMatchObject({ code: 167 });
});

const CASELESS = { locale: 'en', strength: 2 };
const graph = { from: 'loose', startWith: '$of', connectFromField: 'nope', connectToField: '_id', as: 'found' };
const READS_LOOSE: [name: string, stage: Document][] = [
  ['$lookup by fields', { $lookup: { from: 'loose', localField: 'of', foreignField: '_id', as: 'found' } }],
  ['$lookup by a pipeline', { $lookup: { from: 'loose', pipeline: [], as: 'found' } }],
  ['$graphLookup', { $graphLookup: graph }],
  ['$unionWith by name', { $unionWith: 'loose' }],
  ['$unionWith with a pipeline', { $unionWith: { coll: 'loose', pipeline: [] } }],
  ['$facet', { $facet: { found: [{ $graphLookup: graph }] } }],
  ['a $lookup within others', { $lookup: { from: 'things', pipeline: [{ $unionWith: 'loose' }], as: 'found' } }],
];

test.each(READS_LOOSE)('%s reads no view that compares otherwise', async (_name, stage) => {
  await db.createCollection('loose', { viewOn: 'things', pipeline: [], collation: CASELESS });
  await db.createCollection('others', { viewOn: 'things', pipeline: [], collation: { locale: 'fr', strength: 2 } });
  const refusal = {
    code: 167,
    codeName: 'OptionNotSupportedOnView',
    errmsg: "Cannot override a view's default collationviews.loose",
  };
  const things = db.collection('things');
  await expect(things.aggregate([stage]).toArray()).rejects.toMatchObject(refusal);
  await expect(things.aggregate([stage]).explain()).rejects.toMatchObject(refusal);
  await expect(db.collection('nothing').aggregate([stage]).toArray()).rejects.toMatchObject(refusal);
  await expect(db.collection('others').aggregate([stage]).toArray()).rejects.toMatchObject(refusal);
  const simple = { locale: 'simple' };
  await expect(things.aggregate([stage], { collation: simple }).toArray()).rejects.toMatchObject(refusal);
  expect(await things.aggregate([stage], { collation: CASELESS }).toArray()).not.toEqual([]);
  expect(await db.collection('loose').aggregate([stage]).toArray()).not.toEqual([]);
});

test('$collStats tells of the view, which has neither documents nor a size of its own', async () => {
  for (const pipeline of [[], [{ $match: { price: 1 } }]]) {
    await db.createCollection(`told${pipeline.length}`, { viewOn: 'things', pipeline });
    const view = db.collection(`told${pipeline.length}`);
    const asked = view.aggregate([{ $collStats: {} }]);
    expect(await asked.explain()).toMatchObject({ stages: [{ $collStats: {} }] });
    expect(await view.aggregate([{ $collStats: {} }]).toArray()).toMatchObject([{ ns: view.namespace }]);
    for (const name of ['count', 'storageStats']) {
      await expect(view.aggregate([{ $collStats: { [name]: {} } }]).toArray()).rejects.toMatchObject({
        code: 166,
        errmsg: expect.stringContaining(
          `Unable to retrieve ${name} in $collStats stage :: caused by :: Namespace ${view.namespace} is a view, not a collection`,
        ),
      });
    }
  }
});

const REFUSED_ON_VIEW: readonly Document[] = [
  { findAndModify: 'cheap', query: {}, update: { $set: { a: 1 } } },
  { findAndModify: 'cheap', query: {}, remove: true },
  { createIndexes: 'cheap', indexes: [{ key: { a: 1 }, name: 'a_1' }] },
  { listIndexes: 'cheap' },
  { dropIndexes: 'cheap', index: '*' },
  { collStats: 'cheap' },
  { validate: 'cheap' },
  { compact: 'cheap' },
  { explain: { update: 'cheap', updates: [{ q: {}, u: { a: 1 } }] } },
];

test.each(REFUSED_ON_VIEW)('%j is refused', async (command) => {
  await expect(db.command(command)).rejects.toMatchObject({
    code: 166,
    codeName: 'CommandNotSupportedOnView',
    errmsg: 'Namespace views.cheap is a view, not a collection',
  });
});

test.each([
  { insert: 'cheap', documents: [{ a: 1 }] },
  { update: 'cheap', updates: [{ q: {}, u: { $set: { a: 1 } } }] },
  { update: 'cheap', updates: [{ q: {}, u: { $set: { a: 1 } }, upsert: true }] },
  { delete: 'cheap', deletes: [{ q: {}, limit: 0 }] },
])('the statements of %j fail', async (command) => {
  const { writeErrors } = await db.command(command);
  expect(writeErrors).toEqual([{ index: 0, code: 166, errmsg: 'Namespace views.cheap is a view, not a collection' }]);
});

test('bulkWrite of 8.0 and $out are refused', async () => {
  const ops = [{ insert: 0, document: { a: 1 } }];
  const { cursor } = await db.admin().command({ bulkWrite: 1, ops, nsInfo: [{ ns: 'views.cheap' }] });
  expect(cursor.firstBatch).toMatchObject([{ ok: 0, code: 166 }]);
  const out = db
    .collection('things')
    .aggregate([{ $out: 'cheap' }])
    .toArray();
  await expect(out).rejects.toMatchObject({ code: 166 });
});

const REFUSED: readonly [Document, number][] = [
  [{ create: 'cheap', viewOn: 'things', pipeline: [] }, 48],
  [{ create: 'things', viewOn: 'cheap', pipeline: [] }, 48],
  [{ create: 'cheap' }, 48],
  [{ create: 'v', viewOn: '', pipeline: [] }, 2],
  [{ create: 'v', pipeline: [] }, 72],
  [{ create: 'v', viewOn: 'things', pipeline: [], validator: { a: 1 } }, 72],
  [{ create: 'v', viewOn: 'things', pipeline: [{ $nope: 1 }] }, 40324],
  [{ create: 'v', viewOn: 'things', pipeline: [{ $match: { a: { $nope: 1 } } }] }, 2],
  [{ create: 'v', viewOn: 'things', pipeline: [{ $out: 'x' }] }, 167],
  [{ create: 'v', viewOn: 'v', pipeline: [] }, 5],
  [{ create: 'v', viewOn: 'things', pipeline: [{ $unionWith: 'v' }] }, 5],
  [{ find: 'cheap', sort: { $natural: -1 } }, 168],
  [{ find: 'cheap', showRecordId: true }, 168],
  [{ find: 'cheap', returnKey: true }, 168],
];

test.each(REFUSED)('%j is refused', async (command, code) => {
  await expect(db.command(command)).rejects.toMatchObject({ code });
  expect(await db.listCollections({ name: 'v' }).toArray()).toEqual([]);
});

test('the same view again is no error', async () => {
  const [{ options }] = (await db.listCollections({ name: 'cheap' }).toArray()) as Document[] as [Document];
  expect(await db.command({ create: 'cheap', ...options })).toMatchObject({ ok: 1 });
});

test('collMod defines a view anew, but not in a circle', async () => {
  await db.command({ collMod: 'cheap', viewOn: 'things', pipeline: [{ $match: { price: { $gt: 10 } } }] });
  expect(await cheap.distinct('name')).toEqual(['car']);
  await db.createCollection('on', { viewOn: 'cheap', pipeline: [] });
  await expect(db.command({ collMod: 'cheap', viewOn: 'on', pipeline: [] })).rejects.toMatchObject({
    code: 5,
    codeName: 'GraphContainsCycle',
  });
  await expect(db.command({ collMod: 'cheap', validator: {} })).rejects.toMatchObject({
    code: 72,
    errmsg: 'option not supported on a view: validator',
  });
});

test('no more than twenty views stand on one another', async () => {
  let on = 'things';
  for (let at = 1; at <= 20; at++) {
    await db.createCollection(`v${at}`, { viewOn: on, pipeline: [] });
    on = `v${at}`;
  }
  expect(await db.collection('v20').countDocuments()).toBe(4);
  await expect(db.createCollection('v21', { viewOn: 'v20', pipeline: [] })).rejects.toMatchObject({
    code: 165,
    codeName: 'ViewDepthLimitExceeded',
  });
  await expect(db.createCollection('things2', { viewOn: 'things', pipeline: [] })).resolves.toBeDefined();
});

test('a view cannot be renamed, or renamed over', async () => {
  await expect(cheap.rename('other')).rejects.toMatchObject({ code: 166 });
  await expect(db.collection('things').rename('cheap', { dropTarget: true })).rejects.toMatchObject({ code: 48 });
});

test('a view is dropped without what it stands on, and goes with its database', async () => {
  expect(await db.command({ drop: 'cheap' })).toMatchObject({ ns: 'views.cheap', ok: 1 });
  expect(await db.listCollections().toArray()).toMatchObject([{ name: 'things' }]);
  await db.createCollection('alone', { viewOn: 'nowhere', pipeline: [] });
  await db.dropDatabase();
  expect(await db.listCollections().toArray()).toEqual([]);
});

test('views outlive the server', async () => {
  const { disk } = server;
  await server.close();
  server = await startServer({ disk });
  db = (await server.client()).db('views');
  expect(await db.collection('cheap').countDocuments()).toBe(3);
  expect(await db.listCollections({ type: 'view' }).toArray()).toMatchObject([{ name: 'cheap' }]);
});

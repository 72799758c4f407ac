import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Collection, Db, Document, MongoClient } from '../support/driver.ts';
import { startServer, type TestServer } from '../support/server.ts';

let server: TestServer;
let db: Db;
/** The manual's examples of `$text` and of text indexes. */
let articles: Collection;
let stores: Collection;

beforeAll(async () => {
  server = await startServer();
  const client: MongoClient = await server.client();
  db = client.db('text');
  articles = db.collection('articles');
  stores = db.collection('stores');
  await articles.createIndex({ subject: 'text' });
  await articles.insertMany([
    { _id: 1, subject: 'coffee', author: 'xyz', views: 50 },
    { _id: 2, subject: 'Coffee Shopping', author: 'efg', views: 5 },
    { _id: 3, subject: 'Baking a cake', author: 'abc', views: 90 },
    { _id: 4, subject: 'baking', author: 'xyz', views: 100 },
    { _id: 5, subject: 'Café Con Leche', author: 'abc', views: 200 },
    { _id: 6, subject: 'Сырники', author: 'jkl', views: 80 },
    { _id: 7, subject: 'coffee and cream', author: 'efg', views: 10 },
    { _id: 8, subject: 'Cafe con Leche', author: 'xyz', views: 10 },
  ] as Document[]);
  await stores.insertMany([
    { _id: 1, name: 'Java Hut', description: 'Coffee and cakes' },
    { _id: 2, name: 'Burger Buns', description: 'Gourmet hamburgers' },
    { _id: 3, name: 'Coffee Shop', description: 'Just coffee' },
    { _id: 4, name: 'Clothes Clothes Clothes', description: 'Discount clothing' },
    { _id: 5, name: 'Java Shopping', description: 'Indonesian goods' },
  ] as Document[]);
  // On documents that are there already.
  await stores.createIndex({ name: 'text', description: 'text' });
});

afterAll(() => server?.close());

const ids = async (found: Promise<Document[]>) => (await found).map(({ _id }) => _id).sort();
const search = (text: string, options: Document = {}) => ({ $text: { $search: text, ...options } });

test.each<[Document, number[]]>([
  [search('coffee'), [1, 2, 7]],
  [search('bake coffee cake'), [1, 2, 3, 4, 7]],
  [search('"coffee shop"'), [2]],
  [search('coffee -shop'), [1, 7]],
  [search('leche', { $language: 'es' }), [5, 8]],
  [search('сы́рники CAFÉS'), [5, 6, 8]],
  [search('Coffee', { $caseSensitive: true }), [2]],
  [search('"Café Con Leche"', { $caseSensitive: true }), [5]],
  [search('Coffee -shop', { $caseSensitive: true }), [2]],
  [search('CAFÉ', { $diacriticSensitive: true }), [5]],
  [search('leches -cafés', { $diacriticSensitive: true }), [8]],
  [search('the'), []],
  [search(''), []],
  [search('-coffee'), []],
  [{ ...search('coffee'), views: { $gt: 5 } }, [1, 7]],
  [{ ...search('coffee'), _id: 2 as never }, [2]],
  [{ $and: [search('coffee'), { author: 'efg' }] }, [2, 7]],
  [{ $or: [search('cake')] }, [3]],
])('the articles by %j', async (filter, expected) => {
  expect(await ids(articles.find(filter).toArray())).toEqual(expected);
  expect(await articles.countDocuments(filter)).toBe(expected.length);
  expect(await articles.distinct('_id', filter)).toHaveLength(expected.length);
});

test.each<[string, number[]]>([
  ['java coffee shop', [1, 3, 5]],
  ['"coffee shop"', [3]],
  ['java shop -coffee', [5]],
  ['java "coffee shop"', [3]],
])('the stores by %s', async (text, expected) => {
  expect(await ids(stores.find(search(text)).toArray())).toEqual(expected);
});

describe('the score', () => {
  const score = { $meta: 'textScore' };

  test.each<[string, Record<number, number>]>([
    ['coffee', { 1: 1, 2: 0.75, 7: 0.75 }],
    ['cake', { 3: 0.75 }],
    ['bake', { 3: 0.75, 4: 1 }],
    ['coffee shops', { 1: 1, 2: 1.5, 7: 0.75 }],
  ])('of %s', async (text, expected) => {
    const found = await articles.find(search(text), { projection: { score } }).toArray();
    expect(Object.fromEntries(found.map((each) => [each._id, each.score]))).toEqual(
      Object.fromEntries(Object.entries(expected).map(([id, value]) => [id, expect.closeTo(value, 9)])),
    );
    // All fields stay beside it.
    expect(found[0]).toMatchObject({ subject: expect.any(String), views: expect.any(Number) });
  });

  test('sorts', async () => {
    const found = stores
      .find(search('java coffee shop'), { projection: { score, name: 1 } })
      .sort({ any: score as never });
    // 'Coffee Shop' 0.75 twice and 'Just coffee' 0.75; 'Java Shopping' 0.75 twice; 'Java Hut' and 'Coffee and cakes'.
    expect(await found.toArray()).toEqual([
      { _id: 3, name: 'Coffee Shop', score: 2.25 },
      { _id: 1, name: 'Java Hut', score: 1.5 },
      { _id: 5, name: 'Java Shopping', score: 1.5 },
    ]);
    const second = { _id: -1, any: score } as Document;
    expect(await ids(stores.find(search('java coffee shop')).sort(second).limit(1).toArray())).toEqual([5]);
    const first = { any: score, _id: -1 } as Document;
    const pages = await stores.find(search('java coffee shop')).sort(first).skip(1).limit(1).toArray();
    expect(pages.map(({ _id }) => _id)).toEqual([5]);
  });

  test('goes through pipelines', async () => {
    const run = (...stages: Document[]) => articles.aggregate([{ $match: search('cake bake') }, ...stages]).toArray();
    expect(await run({ $sort: { s: score } }, { $project: { _id: 1, score } })).toEqual([
      { _id: 3, score: 1.5 },
      { _id: 4, score: 1 },
    ]);
    expect(await run({ $addFields: { score } }, { $match: { score: { $gt: 1 } } }, { $project: { score: 1 } })).toEqual(
      [{ _id: 3, score: 1.5 }],
    );
    expect(await run({ $project: { subject: 1 } }, { $sort: { s: score } }, { $limit: 1 })).toMatchObject([{ _id: 3 }]);
    expect(await run({ $group: { _id: score, views: { $sum: '$views' } } }, { $sort: { _id: 1 } })).toEqual([
      { _id: 1, views: 100 },
      { _id: 1.5, views: 90 },
    ]);
    const pipeline = [{ $match: search('java') }, { $project: { score } }, { $sort: { _id: 1 } }];
    const java = [
      { _id: 1, score: 0.75 },
      { _id: 5, score: 0.75 },
    ];
    expect(await run({ $limit: 1 }, { $lookup: { from: 'stores', pipeline, as: 'java' } })).toMatchObject([{ java }]);
    expect(
      await run({ $project: { score } }, { $sort: { _id: 1 } }, { $unionWith: { coll: 'stores', pipeline } }),
    ).toEqual([{ _id: 3, score: 1.5 }, { _id: 4, score: 1 }, ...java]);
    for (const stage of [
      { $lookup: { from: 'stores', localField: '_id', foreignField: '_id', as: 'x' } },
      { $graphLookup: { from: 'stores', startWith: '$_id', connectFromField: 'x', connectToField: '_id', as: 'x' } },
      { $setWindowFields: { sortBy: { _id: 1 }, output: { x: { $documentNumber: {} } } } },
      { $fill: { output: { x: { value: 1 } } } },
      { $unwind: { path: '$x', preserveNullAndEmptyArrays: true } },
      { $replaceWith: { _id: '$_id' } },
    ]) {
      expect(await run(stage, { $sort: { s: score } }, { $project: { score } })).toMatchObject([
        { _id: 3, score: 1.5 },
        { _id: 4, score: 1 },
      ]);
    }
    expect(await run({ $group: { _id: null, views: { $sum: '$views' } } })).toEqual([{ _id: null, views: 190 }]);
  });
});

test('an $or takes it beside clauses with an index', async () => {
  const mixed = db.collection<Document>('mixed');
  await mixed.createIndexes([{ key: { a: 'text' } }, { key: { b: 1 } }]);
  await mixed.insertMany([
    { _id: 1, a: 'tea', b: 5 },
    { _id: 2, a: 'tea cake', b: 1 },
    { _id: 3, a: 'coffee', b: 5 },
    { _id: 4, a: 'coffee', b: 1 },
  ] as Document[]);
  const projection = { s: { $meta: 'textScore' }, a: 1 };
  const either = { $or: [search('tea'), { b: 5 }] };
  expect(await ids(mixed.find(either).toArray())).toEqual([1, 2, 3]);
  expect(
    await mixed
      .find({ ...either, _id: { $gt: 1 as never } }, { projection })
      .sort({ _id: 1 })
      .toArray(),
  ).toEqual([
    { _id: 2, a: 'tea cake', s: 0.75 },
    { _id: 3, a: 'coffee' },
  ]);
  expect(await ids(mixed.find({ $or: [{ $and: [search('tea'), { b: 1 }] }, { b: 5 }] }).toArray())).toEqual([1, 2, 3]);
  const { queryPlanner } = await mixed.find(either).explain();
  expect(queryPlanner.winningPlan).toMatchObject({
    stage: 'OR',
    inputStages: [{ stage: 'TEXT_MATCH' }, { stage: 'IXSCAN' }],
  });
  await expect(mixed.find({ $or: [search('tea'), { c: 5 }] }).toArray()).rejects.toMatchObject({ code: 291 });
});

test('writes go by it', async () => {
  const notes = db.collection<Document>('notes');
  await notes.createIndex({ '$**': 'text' }, { weights: { title: 5 }, default_language: 'none' });
  await notes.insertMany([
    { _id: 1, title: 'alpha', tags: ['beta', { deep: 'gamma' }] },
    { _id: 2, title: 'beta' },
  ] as Document[]);
  expect(await ids(notes.find(search('beta')).toArray())).toEqual([1, 2]);
  await notes.updateOne(search('gamma'), { $set: { title: 'delta' } });
  expect(await ids(notes.find(search('alpha')).toArray())).toEqual([]);
  expect(await ids(notes.find(search('delta')).toArray())).toEqual([1]);
  const best = await notes.findOneAndUpdate(
    search('beta'),
    { $set: { seen: true } },
    {
      sort: { s: { $meta: 'textScore' } } as never,
      projection: { _id: 1, s: { $meta: 'textScore' } },
    },
  );
  expect(best).toMatchObject({ _id: 2, s: 5.5 });
  expect(await notes.deleteMany(search('beta'))).toMatchObject({ deletedCount: 2 });
  expect(await ids(notes.find(search('beta delta')).toArray())).toEqual([]);
});

test('a compound index wants its prefix', async () => {
  const goods = db.collection<Document>('goods');
  await goods.createIndex({ dept: 1, description: 'text', price: -1 });
  await goods.insertMany([
    { _id: 1, dept: 'tech', description: 'lime green computer', price: 5 },
    { _id: 2, dept: 'tech', description: 'wireless red mouse' },
    { _id: 3, dept: 'kitchen', description: 'green placemat' },
    { _id: 4, description: 'green peas' },
  ] as Document[]);
  expect(await ids(goods.find({ dept: 'kitchen', ...search('green') }).toArray())).toEqual([3]);
  expect(await ids(goods.find({ dept: null, ...search('green') }).toArray())).toEqual([4]);
  const unplanned = { code: 291, errmsg: expect.stringContaining('failed to use text index to satisfy $text query') };
  await expect(goods.find(search('green')).toArray()).rejects.toMatchObject(unplanned);
  const folded = goods.find({ dept: 'kitchen', ...search('green') }).collation({ locale: 'en', strength: 2 });
  await expect(folded.toArray()).rejects.toMatchObject(unplanned);
  await expect(goods.find({ dept: { $gt: 'a' }, ...search('green') }).toArray()).rejects.toMatchObject(unplanned);
  await expect(goods.insertOne({ dept: ['a'], description: 'x' })).rejects.toMatchObject({
    code: 201,
    errmsg: expect.stringContaining("Field 'dept' of text index contains an array in document: "),
  });
});

test('documents may be in languages of their own', async () => {
  const quotes = db.collection<Document>('quotes');
  await quotes.createIndex({ original: 'text', 'translation.quote': 'text' }, { language_override: 'idioma' });
  await quotes.insertMany([
    {
      _id: 1,
      idioma: 'portuguese',
      original: 'A sorte protege os audazes.',
      translation: [{ idioma: 'english', quote: 'Fortune favors the bold.' }],
    },
    { _id: 2, idioma: 'spanish', original: 'Nada hay más surrealista que la realidad.' },
  ] as Document[]);
  expect(await ids(quotes.find(search('bolds')).toArray())).toEqual([1]);
  expect(await ids(quotes.find(search('realidad', { $language: 'spanish' })).toArray())).toEqual([2]);
  await expect(quotes.insertOne({ idioma: 'klingon', original: 'x' })).rejects.toMatchObject({
    code: 17262,
    errmsg: 'language override unsupported: klingon',
  });
  await expect(quotes.updateOne({ _id: 1 as never }, { $set: { idioma: 5 } })).rejects.toMatchObject({ code: 17261 });
});

test.each<[Document, number, string]>([
  [{ $text: 'x' }, 2, '$text expects an object'],
  [{ $text: {} }, 4, 'Missing expected field "$search"'],
  [{ $text: { $search: 1 } }, 14, '"$search" had the wrong type. Expected string, found int'],
  [search('x', { $language: 1 }), 14, '"$language" had the wrong type. Expected string, found int'],
  [search('x', { $language: 'klingon' }), 2, 'unsupported language: "klingon" for text index version 3'],
  [search('x', { $caseSensitive: 1 }), 14, '"$caseSensitive" had the wrong type. Expected bool, found int'],
  [
    search('x', { $diacriticSensitive: 'a' }),
    14,
    '"$diacriticSensitive" had the wrong type. Expected bool, found string',
  ],
  [search('x', { $extra: 1 }), 2, 'extra fields in $text'],
  [{ $and: [search('x'), search('y')] }, 2, 'Too many text expressions'],
  [{ $nor: [search('x')] }, 2, 'text expression not allowed in nor'],
  [{ a: { $elemMatch: search('x') } }, 2, '$text can only be applied to the top-level document'],
])('%j is refused', async (filter, code, errmsg) => {
  await expect(articles.find(filter).toArray()).rejects.toMatchObject({ code, errmsg });
  await expect(articles.deleteMany(filter)).rejects.toMatchObject({ code, errmsg });
});

test('there is no $text without an index', async () => {
  const nowhere = { code: 27, codeName: 'IndexNotFound' };
  const errmsg = 'text index required for $text query';
  await db.collection('plain').insertOne({ a: 'x' });
  await expect(db.collection('plain').find(search('x')).toArray()).rejects.toMatchObject({ ...nowhere, errmsg });
  const absent = `${errmsg} (no such collection 'text.none')`;
  await expect(db.collection('none').find(search('x')).toArray()).rejects.toMatchObject({ ...nowhere, errmsg: absent });
  await expect(
    db
      .collection('none')
      .aggregate([{ $match: search('x') }])
      .toArray(),
  ).rejects.toMatchObject(nowhere);
});

test('a hidden index finds nothing', async () => {
  const veiled = db.collection('veiled');
  await veiled.createIndex({ a: 'text' }, { hidden: true, name: 'words' });
  await expect(veiled.find(search('x')).toArray()).rejects.toMatchObject({
    code: 291,
    errmsg: expect.stringMatching(/:: caused by :: need exactly one text index for \$text query$/),
  });
  await db.command({ collMod: 'veiled', index: { name: 'words', hidden: false } });
  expect(await veiled.find(search('x')).toArray()).toEqual([]);
});

test('what MongoDB refuses beside $text', async () => {
  const refused = (work: Promise<unknown>, code: number, errmsg: string) =>
    expect(work).rejects.toMatchObject({ code, errmsg: expect.stringContaining(errmsg) });
  await refused(articles.find(search('x')).hint('_id_').toArray(), 2, 'text and hint not allowed in same query');
  await refused(
    articles.find(search('x')).sort({ $natural: 1 }).toArray(),
    2,
    'text expression not allowed with $natural sort order',
  );
  await refused(
    articles.find({ $or: [search('x'), { views: 5 }] }).toArray(),
    291,
    'Failed to produce a solution for TEXT under OR',
  );
  const meta = { s: { $meta: 'textScore' } };
  const unavailable = 'query requires text score metadata, but it is not available';
  await refused(articles.find({}, { projection: meta }).toArray(), 40218, unavailable);
  await refused(
    articles
      .find({})
      .sort(meta as never)
      .toArray(),
    40218,
    unavailable,
  );
  await refused(articles.aggregate([{ $project: meta }]).toArray(), 40218, unavailable);
  await refused(articles.aggregate([{ $match: {} }, { $sort: meta }]).toArray(), 40218, unavailable);
  await refused(
    articles.find(search('x'), { projection: { s: { $meta: 'x' } } }).toArray(),
    17308,
    'Unsupported argument to $meta: x',
  );
  await refused(
    articles.find(search('x'), { projection: { s: { $meta: 1 } } }).toArray(),
    17307,
    '$meta only supports string arguments',
  );
  await refused(
    articles.aggregate([{ $limit: 1 }, { $match: search('x') }]).toArray(),
    17313,
    '$match with $text is only allowed as the first pipeline stage',
  );
  await refused(
    articles.aggregate([{ $facet: { a: [{ $match: search('x') }] } }]).toArray(),
    40600,
    '$match is not allowed',
  );
});

test('explain tells how it was searched', async () => {
  const explained = await articles.find(search('coffee -shop "con leche"')).explain('executionStats');
  expect(explained.queryPlanner.winningPlan).toMatchObject({
    stage: 'TEXT_MATCH',
    indexPrefix: {},
    indexName: 'subject_text',
    parsedTextQuery: {
      terms: ['coffe', 'con', 'lech'],
      negatedTerms: ['shop'],
      phrases: ['con leche'],
      negatedPhrases: [],
    },
    textIndexVersion: 3,
    inputStage: { stage: 'FETCH', inputStage: { stage: 'OR', inputStages: [{ stage: 'IXSCAN' }, {}, {}] } },
  });
  expect(explained.executionStats).toMatchObject({ nReturned: 2, totalDocsExamined: 5 });
  const scored = await articles
    .find(search('coffee'))
    .sort({ s: { $meta: 'textScore' } })
    .explain();
  expect(JSON.stringify(scored.queryPlanner.winningPlan)).toContain(
    '"inputStage":{"stage":"TEXT_OR","inputStage":{"stage":"IXSCAN"',
  );
});

describe('definitions', () => {
  const things = () => db.collection('definitions');

  test('are listed as MongoDB lists them', async () => {
    await things().createIndex(
      { a: 1, b: 'text', c: 'text', d: -1 },
      { weights: { c: 10, e: 2 }, default_language: 'german' },
    );
    expect((await things().indexes())[1]).toEqual({
      v: 2,
      key: { a: 1, _fts: 'text', _ftsx: 1, d: -1 },
      name: 'a_1_b_text_c_text_d_-1',
      weights: { b: 1, c: 10, e: 2 },
      default_language: 'german',
      language_override: 'language',
      textIndexVersion: 3,
    });
    // The same again is nothing new, another one is one too many.
    await things().createIndex(
      { a: 1, b: 'text', c: 'text', d: -1 },
      { weights: { c: 10, e: 2 }, default_language: 'german' },
    );
    await expect(things().createIndex({ z: 'text' })).rejects.toMatchObject({
      code: 67,
      errmsg: 'only one text index per collection allowed, found existing text index "a_1_b_text_c_text_d_-1"',
    });
    await expect(things().createIndex({ a: 1, x: 'text', d: -1 })).rejects.toMatchObject({ code: 85 });
    await things().dropIndex('a_1_b_text_c_text_d_-1');
    await things().createIndex({ z: 'text' });
    expect((await things().indexes())[1]).toMatchObject({
      key: { _fts: 'text', _ftsx: 1 },
      name: 'z_text',
      weights: { z: 1 },
    });
  });

  test.each<[Document, Document, string]>([
    [{ a: 'text', b: 1, c: 'text' }, {}, "'text' fields in index must all be adjacent"],
    [{ a: 'text', b: 2 }, {}, 'expected value 1 or -1 for non-text key in compound index'],
    [{ _fts: 1, b: 'text' }, {}, "Index key contains an illegal field name: '_fts'"],
    [{ _fts: 'text', _ftsx: 1 }, {}, "text index option 'weights' must specify fields or the wildcard"],
    [{ a: 'text' }, { weights: 'x' }, "text index option 'weights' must be an object"],
    [{ a: 'text' }, { weights: { a: 'x' } }, 'weight for text index needs numeric type'],
    [
      { a: 'text' },
      { weights: { a: 0 } },
      'text index weight must be in the exclusive interval (0,100000) but found: 0',
    ],
    [{ a: 'text' }, { weights: { 'a.': 1 } }, 'weight cannot have empty path component'],
    [{ a: 'text' }, { weights: { 'a.$b': 1 } }, 'weight cannot have path component with $ prefix'],
    [{ a: 'text' }, { default_language: 'klingon' }, 'default_language is not valid'],
    [{ a: 'text' }, { language_override: 'a.b' }, 'language_override is not valid'],
    [{ a: 'text' }, { textIndexVersion: 7 }, 'bad textIndexVersion: 7'],
    [{ a: 'texts' }, {}, "Unknown index plugin 'texts'"],
  ])('%j %j is refused', async (key, options, errmsg) => {
    const told = expect.stringContaining(` } :: caused by :: ${errmsg}`);
    const refused = { code: 67, codeName: 'CannotCreateIndex', errmsg: told };
    await expect(db.collection('refused').createIndex(key as never, options)).rejects.toMatchObject(refused);
  });
});

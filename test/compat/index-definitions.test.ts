import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type Db, Decimal128, type Document, Double, Int32, Long } from '../support/driver.ts';
import { startServer, type TestServer } from '../support/server.ts';

/** What createIndexes refuses, with MongoDB's codes and words. */
let server: TestServer;
let db: Db;

beforeAll(async () => {
  server = await startServer();
  db = (await server.client()).db('defined');
});

afterAll(() => server?.close());

/** A definition with what every one has, in front; what is undefined is not in it. */
const spec = (options: Document) => ({ key: { a: 1 }, name: 'i', ...options });
const create = (definition: Document) => db.command({ createIndexes: 'none', indexes: [definition] });

type Row = readonly [Document, number, string];

/** Definitions that are wrong by themselves: their text stands in front of what is wrong. */
const WRONG: readonly Row[] = [
  [{ foo: 1 }, 197, "The field 'foo' is not valid for an index specification. Specification: $spec"],
  [{ key: 5 }, 14, "The field 'key' must be an object, but got int"],
  [{ key: {} }, 67, 'Index keys cannot be empty.'],
  [{ key: { a: 0 } }, 67, 'Values in the index key pattern cannot be 0.'],
  [{ key: { a: Number.NaN } }, 67, 'Values in the index key pattern cannot be NaN.'],
  [
    { key: { a: true } },
    67,
    'Values in v:2 index key pattern cannot be of type bool. Only numbers > 0, numbers < 0, and strings are allowed.',
  ],
  [
    { key: { a: { b: 1 } } },
    67,
    'Values in v:2 index key pattern cannot be of type object. Only numbers > 0, numbers < 0, and strings are allowed.',
  ],
  [{ key: { a: '' } }, 67, 'Values in the index key pattern cannot be empty strings'],
  [{ key: { a: 'texts' } }, 67, "Unknown index plugin 'texts'"],
  [{ key: { a: 'geoHaystack' } }, 67, 'GeoHaystack indexes cannot be created in version 5.0 and above'],
  [{ key: { a: 'hashed', b: '2d' } }, 67, "Can't use more than one index plugin for a single index."],
  [{ key: { a: 'wildcard' } }, 7246202, 'No wildcard index field is specified for the wildcard index'],
  [{ key: { '': 1 } }, 67, 'Index keys cannot be an empty field.'],
  [{ key: { 'a..b': 1 } }, 67, 'Index keys cannot contain an empty field.'],
  [{ key: { $a: 1 } }, 67, "Index key contains an illegal field name: field name starts with '$'."],
  [{ key: { 'a.$b': 1 } }, 67, "Index key contains an illegal field name: field name starts with '$'."],
  [{ key: { $id: 1 } }, 67, "Index key contains an illegal field name: field name starts with '$'."],
  [{ key: { _fts: 1 } }, 67, "Index key contains an illegal field name: '_fts'"],
  [{ key: { ['x'.repeat(2050)]: 1 } }, 67, 'Index key pattern too large.'],
  [{ name: 5 }, 14, "The field 'name' must be a string, but got int"],
  [{ name: undefined }, 9, "The 'name' field is a required property of an index specification"],
  [{ key: undefined }, 9, "The 'key' field is a required property of an index specification"],
  [{ hidden: 1 }, 14, "The field 'hidden' must be a bool, but got int"],
  [{ v: 'x' }, 14, "The field 'v' must be a number, but got string"],
  [{ v: 1.5 }, 2, 'Index version must be representable as a 32-bit integer, but got 1.5'],
  [{ v: 3 }, 67, 'Invalid index specification $spec; cannot create an index with v=3'],
  [
    { v: 1, collation: { locale: 'de' } },
    67,
    "Invalid index specification $spec; cannot create an index with the 'collation' option and v=1",
  ],
  [{ collation: 'de' }, 14, "The field 'collation' must be an object, but got string"],
  [{ collation: {} }, 2, "The field 'collation' cannot be an empty object."],
  [{ unique: 'yes' }, 14, 'The field \'unique has value unique: "yes", which is not convertible to bool'],
  [{ sparse: {} }, 14, "The field 'sparse has value sparse: {}, which is not convertible to bool"],
  [
    { unique: true, prepareUnique: true },
    67,
    "Invalid index specification $spec; cannot create an index with the 'unique' option and the 'prepareUnique' option",
  ],
  [
    { weights: { a: 1 } },
    67,
    "Invalid index specification $spec; the field 'weights' can only be specified with text indexes",
  ],
  [{ weights: 5 }, 14, "The field 'weights' must be an object, but got int"],
  [{ default_language: 5 }, 14, "The field 'default_language' must be a string, but got int"],
  [{ bits: 'x' }, 14, "The field 'bits' must be a number, but got string"],
  [{ '2dsphereIndexVersion': 'x' }, 14, "The field '2dsphereIndexVersion' must be a number, but got string"],
  [{ partialFilterExpression: 5 }, 14, "The field 'partialFilterExpression' must be an object, but got int"],
  [{ partialFilterExpression: { a: { $nope: 1 } } }, 2, 'unknown operator: $nope'],
  [{ partialFilterExpression: { $expr: true } }, 224, '$expr is not allowed in this context'],
  [{ partialFilterExpression: { $jsonSchema: {} } }, 224, '$jsonSchema is not allowed in this context'],
  [{ partialFilterExpression: { $text: { $search: 'x' } } }, 2, '$text is not allowed in this context'],
  [{ partialFilterExpression: { $where: 'x' } }, 2, '$where is not allowed in this context'],
  [
    { clustered: true, foo: 1 },
    197,
    "The field 'foo' is not valid for a clustered index specification. Specification: $spec",
  ],
  [{ clustered: false }, 6492800, "Value 'false' for field 'clustered' is invalid"],
  [{ clustered: true }, 67, "The 'unique' field is required when 'clustered' is specified"],
  [{ wildcardProjection: { a: 1 } }, 2, "The field 'wildcardProjection' is only allowed in 'wildcard' indexes"],
  [
    { key: { '$**': 1 }, wildcardProjection: 5 },
    14,
    "The field 'wildcardProjection' must be a non-empty object, but got int",
  ],
  [
    { key: { 'a.$**': 1 }, wildcardProjection: { b: 1 } },
    9,
    "The field 'wildcardProjection' is only allowed when 'key' is {\"$**\": ±1}",
  ],
  [{ key: { '$**': 1 }, wildcardProjection: {} }, 9, "The 'wildcardProjection' field can't be an empty object"],
  [
    { key: { '$**': 1 }, wildcardProjection: { a: 1, b: 0 } },
    31254,
    'Failed to parse projection: wildcardProjection :: caused by :: Cannot do exclusion on field b in inclusion projection',
  ],
  [{ key: { '$**': 1 }, v: 1 }, 67, "'wildcard' index plugin is not allowed with index version v:1"],
  ...[null, 'yes', [1], { $add: [1, 2] }].map(
    (value): Row => [
      { key: { '$**': 1 }, wildcardProjection: { a: value } },
      51271,
      'Failed to parse projection: wildcardProjection :: caused by :: Bad projection specification, cannot use computed fields when parsing a spec in kBanComputedFields mode',
    ],
  ),
  [
    { key: { '$**': 1 }, wildcardProjection: { a: 1, 'a.b.c': 0 } },
    31249,
    'Failed to parse projection: wildcardProjection :: caused by :: Path collision at a.b.c remaining portion b.c',
  ],
  [
    { key: { '$**': 1 }, wildcardProjection: { 'a.b': 1, a: 1 } },
    31250,
    'Failed to parse projection: wildcardProjection :: caused by :: Path collision at a',
  ],
  [
    { key: { '$**': 1 }, wildcardProjection: { a: 0, b: 1 } },
    31253,
    'Failed to parse projection: wildcardProjection :: caused by :: Cannot do inclusion on field b in exclusion projection',
  ],
  [{ key: { '$**': 1, 'a.$**': 1 } }, 7246201, 'Index Key can contain only one wildcard index field'],
  [
    { key: { b: 1, '$**': 1 } },
    67,
    "Compound wildcard indexes on all fields must also specify 'wildcardProjection' option",
  ],
  [
    { key: { 'a.b': 1, 'a.$**': 1 } },
    7246204,
    "A wildcard index field should not overlap with and index key fields if wildcard projection is empty, however 'a.b' is overlapping with the wildcard index field.",
  ],
  [
    { key: { b: 1, '$**': 1 }, wildcardProjection: { a: 1, 'a.b': 1 } },
    7246200,
    "Fields in Wildcard Projection cannot overlap, however 'a' is overlapped with 'a.b",
  ],
  [
    { key: { b: 1, '$**': 1 }, wildcardProjection: { b: 1 } },
    7246208,
    "Index Key and Wildcard Projection cannot contain overlapping fields, however 'b' index field is ovverlapping with 'b' wildcardProjection path.",
  ],
  [
    { key: { b: 1, '$**': 1 }, wildcardProjection: { c: 0 } },
    7246209,
    "wildcardProjection paths must exclude all regular index fields, however 'b'is not excluded.",
  ],
  [
    { key: { d: 1, '$**': 1 }, wildcardProjection: { c: 0 } },
    7246210,
    "wildcardProjection paths must exclude all regular index fields, however 'd'is not excluded.",
  ],
];

/** Definitions that no collection can have, or not every one: shown with the version that they get. */
const IMPOSSIBLE: readonly Row[] = [
  [{ name: '' }, 67, 'index name cannot be empty'],
  [{ sparse: true, partialFilterExpression: {} }, 67, 'cannot mix "partialFilterExpression" and "sparse" options'],
  [
    { partialFilterExpression: { a: { $ne: 5 } } },
    67,
    'Expression not supported in partial index: $not\n    a $eq 5\n',
  ],
  [
    { partialFilterExpression: { a: 1, $nor: [{ b: /x/i }] } },
    67,
    'Expression not supported in partial index: $nor\n    b regex /x/i\n',
  ],
  [{ partialFilterExpression: { a: { $size: 2 } } }, 67, 'Expression not supported in partial index: a $size : 2\n'],
  [
    { partialFilterExpression: { a: { $mod: [3, 1] } } },
    67,
    'Expression not supported in partial index: a mod 3 % x == 1\n',
  ],
  [
    { partialFilterExpression: { a: { $exists: false } } },
    67,
    'Expression not supported in partial index: $not\n    a exists\n',
  ],
  [
    { partialFilterExpression: { a: { $elemMatch: { b: 1, c: 2 } } } },
    67,
    'Expression not supported in partial index: a $elemMatch (obj)\n    $and\n        b $eq 1\n        c $eq 2\n',
  ],
  [
    { partialFilterExpression: { a: { $elemMatch: { $gt: 1 } } } },
    67,
    'Expression not supported in partial index: a $elemMatch (value)\n     $gt 1\n',
  ],
  [
    {
      partialFilterExpression: {
        $or: [{ a: 1, $or: [{ b: 1 }, { $and: [{ c: 1 }, { $or: [{ d: 1 }, { e: 1 }] }] }] }, { f: 1 }],
      },
    },
    67,
    'partialFilterExpression depth may not exceed 4',
  ],
  [{ key: { a: '2d' }, collation: { locale: 'de' } }, 67, "Index type '2d' does not support collation: $collation"],
  [{ key: { '$**': 1 }, sparse: true }, 67, "Index type 'wildcard' does not support the 'sparse' option"],
  [{ key: { '$**': 1 }, unique: true }, 67, "Index type 'wildcard' does not support the 'unique' option"],
  [
    { key: { '$**': 1 }, expireAfterSeconds: 5 },
    67,
    "cannot make a TTL index :: caused by :: Index type 'wildcard' does not support the 'expireAfterSeconds' option",
  ],
  [{ key: { a: 'text' }, default_language: 'klingon' }, 67, 'default_language is not valid'],
  [{ storageEngine: 5 }, 67, '"storageEngine" options must be a document if present'],
  [
    { storageEngine: {} },
    67,
    'Empty "storageEngine" options are invalid. Please remove the field or include valid options.',
  ],
  [
    { clustered: true, unique: true },
    6243700,
    "Cannot create index with option 'clustered' that does not match an existing clustered index",
  ],
];

async function refusalOf(definition: Document): Promise<Document> {
  return create(definition).then(
    () => ({}),
    (error: Document) => error,
  );
}

test.each([...WRONG, ...IMPOSSIBLE])('%j is refused', async (options, code, why) => {
  const given = Object.fromEntries(Object.entries(spec(options)).filter(([, value]) => value !== undefined));
  const error = await refusalOf(given);
  const [, shown = ''] = /^Error in specification (\{.*?\}) :: caused by :: /s.exec(error.errmsg) ?? [];
  const [, collation = ''] = /collation: (\{[^}]*\})/.exec(shown) ?? [];
  const text = why.replace('$spec', shown).replace('$collation', collation);
  expect(error).toMatchObject({ code, errmsg: `Error in specification ${shown} :: caused by :: ${text}` });
  expect(shown).toMatch(/^\{ .* \}$/s);
});

test('a refusal shows the definition', async () => {
  expect((await refusalOf(spec({ sparse: 'x' }))).errmsg).toMatch(
    'Error in specification { key: { a: 1 }, name: "i", sparse: "x" } :: ',
  );
  expect((await refusalOf(spec({ partialFilterExpression: { a: { $ne: 1 } } }))).errmsg).toMatch(
    'Error in specification { key: { a: 1 }, name: "i", partialFilterExpression: { a: { $ne: 1 } }, v: 2 } :: ',
  );
  expect(await db.listCollections({ name: 'none' }).toArray()).toEqual([]);
});

test.each<Row>([
  [
    { key: { _id: 1 }, unique: true },
    197,
    'The field \'unique\' is not valid for an _id index specification. Specification: { key: { _id: 1 }, name: "i", unique: true }',
  ],
  [
    { name: '_id_' },
    2,
    "The index name '_id_' is reserved for the _id index, which must have key pattern {_id: 1}, found key: { a: 1 }",
  ],
  [{ name: '*' }, 2, "The index name '*' is not valid."],
  [{ key: { _id: -1 } }, 2, "The field 'key' for an _id index must be {_id: 1}, but got { _id: -1 }"],
  [
    { expireAfterSeconds: 'x' },
    67,
    '. Index spec: { key: { a: 1 }, name: "i", expireAfterSeconds: "x" } :: caused by :: TTL index \'expireAfterSeconds\' option must be numeric, but received a type of \'string\'',
  ],
  [
    { expireAfterSeconds: Number.NaN },
    67,
    '. Index spec: { key: { a: 1 }, name: "i", expireAfterSeconds: nan.0 } :: caused by :: TTL index \'expireAfterSeconds\' option must not be NaN',
  ],
  [
    { expireAfterSeconds: -1 },
    67,
    '. Index spec: { key: { a: 1 }, name: "i", expireAfterSeconds: -1 } :: caused by :: TTL index \'expireAfterSeconds\' option cannot be less than 0',
  ],
  [
    { expireAfterSeconds: Long.fromNumber(2 ** 31) },
    67,
    '. Index spec: { key: { a: 1 }, name: "i", expireAfterSeconds: 2147483648 } :: caused by :: TTL index \'expireAfterSeconds\' must be within the range of a 32-bit integer',
  ],
  [
    { key: { a: 1, b: 1 }, expireAfterSeconds: 5 },
    67,
    'TTL indexes are single-field indexes, compound indexes do not support TTL. Index spec: { key: { a: 1, b: 1 }, name: "i", expireAfterSeconds: 5 }',
  ],
  [
    { key: { a: 'hashed' }, unique: true },
    16764,
    'Currently hashed indexes cannot guarantee uniqueness. Use a regular index.',
  ],
  [{ key: Object.fromEntries(Array.from({ length: 33 }, (_, n) => [`f${n}`, 1])) }, 13103, 'too many compound keys'],
])('%j is refused without more', async (options, code, errmsg) => {
  expect(await refusalOf(spec(options))).toMatchObject({ code, errmsg });
});

test('a collection has 64 indexes at most', async () => {
  const many = Array.from({ length: 63 }, (_, n) => ({ key: { [`f${n}`]: 1 }, name: `f${n}` }));
  await db.command({ createIndexes: 'many', indexes: many });
  await expect(db.command({ createIndexes: 'many', indexes: [spec({})] })).rejects.toMatchObject({
    code: 67,
    errmsg: 'add index fails, too many indexes for defined.many key:{ a: 1 }',
  });
});

test('conflicts show both definitions', async () => {
  const known = (definition: Document) => db.command({ createIndexes: 'known', indexes: [spec(definition)] });
  await known({ unique: true });
  expect(await known({ unique: new Int32(1), key: { a: 1.5 - 0.5 } })).toMatchObject({
    note: 'all indexes already exist',
  });
  const requested = (fields: string) => `Requested index: { v: 2, ${fields} }`;
  const existing = 'existing index: { v: 2, unique: true, key: { a: 1 }, name: "i" }';
  await expect(known({ key: { b: 1 } })).rejects.toMatchObject({
    code: 86,
    errmsg: `An existing index has the same name as the requested index. When index names are not specified, they are auto generated and can cause conflicts. Please refer to our documentation. ${requested('key: { b: 1 }, name: "i"')}, ${existing}`,
  });
  await expect(known({ unique: true, expireAfterSeconds: 5 })).rejects.toMatchObject({
    code: 85,
    errmsg: `An equivalent index already exists with the same name but different options. ${requested('unique: true, key: { a: 1 }, name: "i", expireAfterSeconds: 5')}, ${existing}`,
  });
  await expect(known({ unique: true, name: 'j', expireAfterSeconds: 5 })).rejects.toMatchObject({
    code: 85,
    errmsg: `An equivalent index already exists with a different name and options. ${requested('unique: true, key: { a: 1 }, name: "j", expireAfterSeconds: 5')}, ${existing}`,
  });
  await expect(known({ unique: true, name: 'j' })).rejects.toMatchObject({
    code: 85,
    errmsg: 'Index already exists with a different name: i',
  });
  const both = await db.command({ createIndexes: 'known', indexes: [spec({ unique: true }), spec({ name: 'j' })] });
  expect(both).toMatchObject({ numIndexesBefore: 2, numIndexesAfter: 3, note: 'index already exists' });
});

describe('what makes two indexes one', () => {
  const make = (coll: string, ...indexes: Document[]) => db.command({ createIndexes: coll, indexes });
  const all = { note: 'all indexes already exist' };

  test('is not whether it is hidden, which is another option', async () => {
    await make('seen', spec({}), spec({ key: { b: 1 }, name: 'j', hidden: true }));
    for (const other of [spec({ hidden: true }), spec({ key: { b: 1 }, name: 'j' })]) {
      await expect(make('seen', other)).rejects.toMatchObject({
        code: 85,
        errmsg: expect.stringMatching(
          /^An equivalent index already exists with the same name but different options\. /,
        ),
      });
    }
    expect(await make('seen', spec({ hidden: false }))).toMatchObject(all);
  });

  test('is its partial filter, however that is put', async () => {
    const filtered = (filter: Document) => spec({ partialFilterExpression: filter });
    await make('parts', filtered({ $and: [{ a: 1 }, { b: { $gt: 2 } }] }));
    expect(await make('parts', filtered({ $and: [{ b: { $gt: 2 } }, { a: 1 }] }))).toMatchObject(all);
    expect(await make('parts', filtered({ b: { $gt: 2 }, a: { $eq: 1 } }))).toMatchObject(all);
    await expect(make('parts', filtered({ a: 1, b: { $gt: 3 } }))).rejects.toMatchObject({ code: 86 });
  });

  test('is what a wildcard holds', async () => {
    const key = { a: 1, '$**': 1 };
    const wild = (name: string, wildcardProjection: Document) => spec({ key, name, wildcardProjection });
    const made = await make('wild', wild('no b', { a: 0, b: 0 }), wild('no c', { a: 0, c: 0 }));
    expect(made).toMatchObject({ numIndexesBefore: 1, numIndexesAfter: 3 });
    expect(await make('wild', wild('no b', { b: false, a: 0, _id: 0 }))).toMatchObject(all);
    await expect(make('wild', wild('no b', { a: 0, d: 0 }))).rejects.toMatchObject({ code: 86 });
    await expect(make('wild', wild('other', { b: 0, a: 0 }))).rejects.toMatchObject({ code: 85 });
    const whole = (more: Document) => spec({ key: { '$**': 1 }, ...more });
    await make('whole', whole({ name: 'x.y', wildcardProjection: { 'x.y': 1 } }), whole({}));
    const nested = whole({ name: 'x.y', wildcardProjection: { x: { y: true } } });
    expect(await make('whole', nested)).toMatchObject(all);
  });
});

describe('the other fields of a compound wildcard index', () => {
  const several = { code: 7246301 };

  beforeAll(async () => {
    await db.collection('compound').createIndex({ 'p.q': 1, 'w.$**': 1, r: 1 });
    await db.collection<Document & { _id: number }>('compound').insertOne({ _id: 1, p: { q: 1 }, w: { x: [1, 2] } });
  });

  test.each<[Document]>([[{ p: { q: [1] } }], [{ p: [{ q: 1 }] }], [{ r: [] }]])('hold no arrays: %j', async (doc) => {
    const coll = db.collection('compound');
    await expect(coll.insertOne({ ...doc })).rejects.toMatchObject(several);
    await expect(coll.updateOne({ _id: 1 as never }, { $set: doc })).rejects.toMatchObject(several);
    await db.collection('before').deleteMany({});
    await db.collection('before').insertOne({ ...doc });
    await expect(db.collection('before').createIndex({ 'p.q': 1, 'w.$**': 1, r: 1 })).rejects.toMatchObject({
      ...several,
      errmsg: expect.stringMatching(/^Index build failed: /),
    });
  });
});

describe('indexes are dropped', () => {
  const drop = (index: unknown) => db.command({ dropIndexes: 'dropped', index });
  const names = async () => (await db.collection('dropped').indexes()).map(({ name }) => name);

  beforeEach(async () => {
    await db.collection('dropped').drop();
    await db.collection('dropped').createIndexes([{ key: { a: 1 } }, { key: { b: 1 } }]);
  });

  test('all, by a star in an array', async () => {
    expect(await drop(['*'])).toMatchObject({ nIndexesWas: 3, msg: 'non-_id indexes dropped for collection' });
    expect(await names()).toEqual(['_id_']);
  });

  test.each([
    [['a_1', '*'], 'index not found with name [*]'],
    [['a_1', 'a_1'], 'index not found with name [a_1]'],
  ])('%j: none, where one of them is not there any more', async (index, errmsg) => {
    await expect(drop(index)).rejects.toMatchObject({ code: 27, errmsg });
    expect(await names()).toEqual(['_id_', 'a_1', 'b_1']);
  });
});

test('a clustered collection has no index that counts but those that were made', async () => {
  const command = (given: Document) => db.command(given);
  await db.createCollection('rows', { clusteredIndex: { key: { _id: 1 }, unique: true } });
  expect(await command({ createIndexes: 'rows', indexes: [spec({})] })).toMatchObject({
    numIndexesBefore: 0,
    numIndexesAfter: 1,
  });
  expect(await command({ validate: 'rows' })).toMatchObject({ nIndexes: 1 });
  expect(await command({ collStats: 'rows' })).toMatchObject({ nindexes: 1, indexSizes: { i: expect.any(Number) } });
  expect(await command({ dropIndexes: 'rows', index: 'i' })).toMatchObject({ nIndexesWas: 1 });
  expect(await command({ drop: 'rows' })).toMatchObject({ nIndexesWas: 0 });
});

describe('listIndexes', () => {
  const list = (options: Document, more: Document = {}) => db.command({ listIndexes: 'told', ...options }, more);

  beforeAll(() => db.collection('told').createIndex({ at: '2d' }, { min: -9, max: 9, bits: 5.5, name: 'flat' }));

  test('tells of builds beside each definition', async () => {
    const { cursor } = await list({ includeIndexBuildInfo: true, includeBuildUUIDs: false });
    expect(cursor.firstBatch[0]).toEqual({ spec: { v: 2, key: { _id: 1 }, name: '_id_' } });
    expect((await list({ includeBuildUUIDs: true })).cursor.firstBatch[0]).toEqual({
      v: 2,
      key: { _id: 1 },
      name: '_id_',
    });
    await expect(list({ includeIndexBuildInfo: true, includeBuildUUIDs: true })).rejects.toMatchObject({
      code: 72,
      errmsg: 'The includeBuildUUIDs flag and includeBuildIndexInfo flag cannot both be set to true',
    });
  });

  test('gives the options of a 2d index as numbers of one type', async () => {
    const { cursor } = await list({}, { promoteValues: false });
    expect(cursor.firstBatch[1]).toMatchObject({ min: new Double(-9), max: new Double(9), bits: new Int32(5) });
  });
});

test('an index of version 1 is one', async () => {
  await db.command({ createIndexes: 'old', indexes: [spec({ v: 1 })] });
  expect((await db.collection('old').indexes())[1]).toEqual({ v: 1, key: { a: 1 }, name: 'i' });
});

test('the index of a clustered collection is there', async () => {
  await db.createCollection('clustered', { clusteredIndex: { key: { _id: 1 }, unique: true, name: 'c' } });
  const make = (definition: Document) => db.command({ createIndexes: 'clustered', indexes: [definition] });
  const all = { note: 'all indexes already exist' };
  expect(await make({ key: { _id: 1 }, name: 'c', clustered: true, unique: true })).toMatchObject(all);
  expect(await make({ key: { _id: 1 }, name: 'other' })).toMatchObject(all);
  await expect(make({ key: { a: 1 }, name: 'c' })).rejects.toMatchObject({ code: 6100906 });
  await expect(make({ key: { _id: 1 }, name: 'c', v: 1 })).rejects.toMatchObject({ code: 6100908 });
});

test('a build that fails names itself', async () => {
  const doubles = db.collection('doubles');
  await doubles.insertMany([{ a: 1 }, { a: 1 }]);
  await expect(doubles.createIndex({ a: 1 }, { unique: true })).rejects.toMatchObject({
    code: 11000,
    keyPattern: { a: 1 },
    keyValue: { a: 1 },
    errmsg: expect.stringMatching(
      /^Index build failed: [0-9a-f-]{36}: Collection defined.doubles \( [0-9a-f-]{36} \) :: caused by :: E11000 duplicate key error collection: defined.doubles index: a_1 dup key: \{ a: 1 \}$/,
    ),
  });
});

test('seconds of a TTL index are kept as an int32, whatever number they were', async () => {
  const coll = db.collection('expiring');
  const given = [Long.fromNumber(60), new Double(60.9), Decimal128.fromString('60')];
  for (const [at, seconds] of given.entries()) {
    await coll.createIndex({ [`d${at}`]: 1 }, { expireAfterSeconds: seconds as never });
  }
  const raw = await db.command({ listIndexes: 'expiring' }, { promoteValues: false });
  const kept = raw.cursor.firstBatch.slice(1).map((index: Document) => index.expireAfterSeconds);
  expect(kept).toEqual(given.map(() => new Int32(60)));
});

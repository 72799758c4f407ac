import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { CollationOptions, Collection, Db, Document } from '../support/driver.ts';
import { startServer, type TestServer } from '../support/server.ts';

/** Collations as a client meets them: each option, each helper of the driver, each command. */
let server: TestServer;
let db: Db;
let words: Collection<Word>;

interface Word extends Document {
  _id: number;
  w?: string;
}

beforeAll(async () => {
  server = await startServer();
  db = (await server.client()).db('collations');
  words = db.collection<Word>('words');
});

afterAll(() => server?.close());

const CASELESS: CollationOptions = { locale: 'en', strength: 2 };

describe('a sort', () => {
  const CASES: [CollationOptions, string[]][] = [
    [{ locale: 'simple' }, ['B', 'a', 'a10', 'a2', 'b', 'á']],
    [{ locale: 'en' }, ['a', 'á', 'a10', 'a2', 'b', 'B']],
    [{ locale: 'en', caseFirst: 'upper' }, ['a', 'á', 'a10', 'a2', 'B', 'b']],
    [{ locale: 'en', caseFirst: 'lower' }, ['a', 'á', 'a10', 'a2', 'b', 'B']],
    [{ locale: 'en', numericOrdering: true }, ['a', 'á', 'a2', 'a10', 'b', 'B']],
    [{ locale: 'en', strength: 1, caseLevel: true, caseFirst: 'upper' }, ['a', 'á', 'a10', 'a2', 'B', 'b']],
    [{ locale: 'en', alternate: 'shifted' }, ['a', 'á', 'a10', 'a2', 'b', 'B']],
    [{ locale: 'da' }, ['a', 'á', 'a10', 'a2', 'B', 'b']],
  ];
  test.each(CASES)('under %o', async (collation, expected) => {
    await words.deleteMany({});
    const list = [...new Set(expected)].sort();
    await words.insertMany(list.map((w, _id) => ({ _id, w })));
    const found = await words.find({}, { collation }).sort({ w: 1 }).toArray();
    expect(found.map(({ w }) => w)).toEqual(expected);
  });

  test.each<[CollationOptions, string[]]>([
    [{ locale: 'fr' }, ['cote', 'coté', 'côte', 'côté']],
    [{ locale: 'fr', backwards: true }, ['cote', 'côte', 'coté', 'côté']],
    [{ locale: 'fr_CA' }, ['cote', 'côte', 'coté', 'côté']],
    [{ locale: 'de@collation=phonebook' }, ['ad', 'ae', 'ä', 'af']],
    [{ locale: 'es@collation=traditional' }, ['cz', 'ch', 'd']],
    [{ locale: 'en', alternate: 'shifted', strength: 4 }, ['a b', 'a-b', 'ab', 'ac']],
    [{ locale: 'en', alternate: 'shifted', maxVariable: 'space' }, ['a-b', 'ab', 'a c']],
    [{ locale: 'ja', strength: 4 }, ['かき', 'かキ', 'カき', 'カキ', 'かぎ']],
  ])('of words under %o', async (collation, expected) => {
    await words.deleteMany({});
    await words.insertMany([...expected].reverse().map((w, _id) => ({ _id, w })));
    const found = await words.aggregate([{ $sort: { w: 1 } }], { collation }).toArray();
    expect(found.map(({ w }) => w)).toEqual(expected);
  });
});

describe('equality', () => {
  test.each<[CollationOptions, string[]]>([
    [{ locale: 'simple' }, ['a']],
    [{ locale: 'en' }, ['a']],
    [{ locale: 'en', strength: 3 }, ['a']],
    [{ locale: 'en', strength: 2 }, ['a', 'A']],
    [{ locale: 'en', strength: 1 }, ['a', 'A', 'á', 'Á']],
    [{ locale: 'en', strength: 1, caseLevel: true }, ['a', 'á']],
    [{ locale: 'en', alternate: 'shifted' }, ['a', 'a-', 'a ']],
    [{ locale: 'en', alternate: 'shifted', maxVariable: 'space' }, ['a', 'a ']],
    [{ locale: 'en', strength: 5 }, ['a']],
  ])('under %o', async (collation, expected) => {
    await words.deleteMany({});
    await words.insertMany(['a', 'A', 'á', 'Á', 'a-', 'a ', 'b'].map((w, _id) => ({ _id, w })));
    const found = await words.find({ w: 'a' }, { collation }).toArray();
    expect(found.map(({ w }) => w)).toEqual(expected);
  });
});

test.each<[CollationOptions, string[]]>([
  [{ locale: 'en', strength: 4, alternate: 'shifted' }, ['ab', 'a\u200bb', 'a\ufeffb']],
  [{ locale: 'en', alternate: 'shifted', maxVariable: 'space' }, ['ab', 'a b', 'a\u200bb', 'a\u2009b', 'a\ufeffb']],
  [{ locale: 'ja' }, ['あ', 'ア']],
  [{ locale: 'ja', strength: 4 }, ['あ']],
])('under %o the first of some texts is equal to these', async (collation, expected) => {
  const all = ['ab', 'a b', 'a\u00a0b', 'a\u200bb', 'a\u2009b', 'a\ufeffb', 'あ', 'ア'];
  await words.deleteMany({});
  await words.insertMany(all.map((w, _id) => ({ _id, w })));
  const found = await words.find({ w: expected[0]! }, { collation }).toArray();
  expect(found.map(({ w }) => w)).toEqual(expected);
});

describe('each helper of the driver', () => {
  const collation = CASELESS;
  beforeEach(async () => {
    await words.deleteMany({});
    await words.insertMany([
      { _id: 1, w: 'a' },
      { _id: 2, w: 'A' },
      { _id: 3, w: 'b' },
    ]);
  });
  const ids = async (filter: Document = {}) =>
    (await words.find(filter).sort({ _id: 1 }).toArray()).map(({ _id }) => _id);

  test('find, findOne, a cursor', async () => {
    expect(await words.find({ w: 'A' }, { collation }).toArray()).toHaveLength(2);
    expect(await words.find({ w: 'A' }).collation(collation).toArray()).toHaveLength(2);
    expect(await words.findOne({ w: 'B' }, { collation })).toEqual({ _id: 3, w: 'b' });
  });

  test('countDocuments, the command count, distinct', async () => {
    expect(await words.countDocuments({ w: 'A' }, { collation })).toBe(2);
    expect(await db.command({ count: 'words', query: { w: 'A' }, collation })).toMatchObject({ n: 2 });
    expect(await words.distinct('w', {}, { collation })).toEqual(['a', 'b']);
  });

  test('aggregate', async () => {
    const pipeline = [{ $group: { _id: '$w', n: { $sum: 1 } } }, { $sort: { _id: 1 } }];
    expect(await words.aggregate(pipeline, { collation }).toArray()).toEqual([
      { _id: 'a', n: 2 },
      { _id: 'b', n: 1 },
    ]);
  });

  test('updateOne, updateMany, replaceOne, deleteOne, deleteMany', async () => {
    expect(await words.updateMany({ w: 'A' }, { $set: { x: 1 } }, { collation })).toMatchObject({ matchedCount: 2 });
    expect(await words.updateOne({ w: 'B' }, { $set: { x: 1 } }, { collation })).toMatchObject({ matchedCount: 1 });
    expect(await words.replaceOne({ w: 'B' }, { w: 'c' }, { collation })).toMatchObject({ modifiedCount: 1 });
    expect(await words.deleteOne({ w: 'C' }, { collation })).toMatchObject({ deletedCount: 1 });
    expect(await words.deleteMany({ w: 'A' }, { collation })).toMatchObject({ deletedCount: 2 });
    const upserted = await words.updateOne({ w: 'Q' }, { $set: { x: 1 } }, { collation, upsert: true });
    expect(upserted.upsertedCount).toBe(1);
    expect(await words.updateOne({ w: 'q' }, { $set: { x: 2 } }, { collation, upsert: true })).toMatchObject({
      matchedCount: 1,
      upsertedCount: 0,
    });
  });

  test('findOneAndUpdate, findOneAndReplace, findOneAndDelete', async () => {
    const sort = { w: -1, _id: 1 } as const;
    expect(await words.findOneAndUpdate({ w: { $lte: 'A' } }, { $set: { x: 1 } }, { collation, sort })).toEqual({
      _id: 1,
      w: 'a',
    });
    expect(await words.findOneAndReplace({ w: 'B' }, { w: 'z' }, { collation })).toEqual({ _id: 3, w: 'b' });
    expect(await words.findOneAndDelete({ w: 'Z' }, { collation })).toEqual({ _id: 3, w: 'z' });
  });

  test('bulkWrite of a collection and of the client', async () => {
    const result = await words.bulkWrite([
      { updateOne: { filter: { w: 'B' }, update: { $set: { x: 1 } }, collation } },
      { replaceOne: { filter: { w: 'B' }, replacement: { w: 'c' }, collation } },
      { updateMany: { filter: { w: 'A' }, update: { $set: { x: 1 } }, collation } },
      { deleteOne: { filter: { w: 'C' }, collation } },
    ]);
    expect(result).toMatchObject({ matchedCount: 4, modifiedCount: 4, deletedCount: 1 });
    const client = await server.client();
    const namespace = 'collations.words';
    const more = await client.bulkWrite([
      { name: 'updateMany', namespace, filter: { w: 'A' }, update: { $set: { y: 1 } }, collation },
      { name: 'deleteMany', namespace, filter: { w: 'A' }, collation },
    ]);
    expect(more).toMatchObject({ matchedCount: 2, deletedCount: 2 });
    expect(await ids()).toEqual([]);
  });

  test('arrayFilters and update operators', async () => {
    await words.insertOne({ _id: 9, list: ['x', 'X', 'y'] });
    await words.updateOne({ _id: 9 }, { $set: { 'list.$[e]': 'z' } }, { arrayFilters: [{ e: 'X' }], collation });
    expect(await words.findOne({ _id: 9 })).toEqual({ _id: 9, list: ['z', 'z', 'y'] });
    await words.updateOne({ _id: 9 }, { $addToSet: { list: 'Y' } }, { collation });
    await words.updateOne({ _id: 9 }, { $pull: { list: 'Z' } } as Document, { collation });
    expect(await words.findOne({ _id: 9 })).toEqual({ _id: 9, list: ['y'] });
  });

  test('explain', async () => {
    const explained = await words.find({ w: 'A' }, { collation }).explain('queryPlanner');
    expect(explained.queryPlanner.collation).toMatchObject({ locale: 'en', strength: 2, version: '57.1' });
  });
});

describe('a collection', () => {
  test('has a collation of its own, which commands and indexes inherit', async () => {
    const names = await db.createCollection<Word>('names', { collation: CASELESS });
    const [listed] = await db.listCollections({ name: 'names' }).toArray();
    const full = { ...FULL, strength: 2 };
    expect((listed as Document).options).toEqual({ collation: full });
    expect((listed as Document).idIndex).toEqual({ v: 2, key: { _id: 1 }, name: '_id_', collation: full });
    await db.createCollection('names', { collation: CASELESS });
    const other = db.command({ create: 'names', collation: { locale: 'de' } });
    await expect(other).rejects.toMatchObject({ code: 48, codeName: 'NamespaceExists' });

    await names.insertMany([
      { _id: 1, w: 'a' },
      { _id: 2, w: 'A' },
    ]);
    expect(await names.find({ w: 'A' }).toArray()).toHaveLength(2);
    expect(await names.find({ w: 'A' }, { collation: { locale: 'simple' } }).toArray()).toHaveLength(1);
    expect(await names.updateMany({ w: 'A' }, { $set: { x: 1 } })).toMatchObject({ matchedCount: 2 });

    await names.createIndex({ w: 1 });
    await names.createIndex({ w: 1 }, { name: 'plain', collation: { locale: 'simple' } });
    const indexes = await names.listIndexes().toArray();
    expect(indexes).toEqual([
      { v: 2, key: { _id: 1 }, name: '_id_', collation: full },
      { v: 2, key: { w: 1 }, name: 'w_1', collation: full },
      { v: 2, key: { w: 1 }, name: 'plain' },
    ]);
  });

  test('without one is a collection like any other', async () => {
    await db.createCollection('plain', { collation: { locale: 'simple' } });
    const [listed] = await db.listCollections({ name: 'plain' }).toArray();
    expect((listed as Document).options).toEqual({});
  });

  test('keeps _ids apart by it', async () => {
    const keyed = await db.createCollection<{ _id: string }>('keyed', { collation: { locale: 'en', strength: 1 } });
    await keyed.insertOne({ _id: 'é' });
    await expect(keyed.insertOne({ _id: 'E' })).rejects.toMatchObject({ code: 11000, keyValue: { _id: 'E' } });
    expect(await keyed.findOne({ _id: 'E' })).toEqual({ _id: 'é' });
  });

  test('joins by the collation of the pipeline, not by that of the other', async () => {
    const pipeline = [
      { $match: { _id: 1 } },
      { $lookup: { from: 'names', localField: 'w', foreignField: 'w', as: 'found' } },
    ];
    await words.deleteMany({});
    await words.insertOne({ _id: 1, w: 'A' });
    expect((await words.aggregate(pipeline).toArray())[0]?.found).toHaveLength(1);
    expect((await words.aggregate(pipeline, { collation: CASELESS }).toArray())[0]?.found).toHaveLength(2);
  });
});

test('$densify makes documents like the one that they lead up to, and the last like the first of their partition', async () => {
  await words.deleteMany({});
  await words.insertMany([
    { _id: 1, w: 'a', n: 0 },
    { _id: 2, w: 'A', n: 2 },
    { _id: 3, w: 'b', n: 4 },
  ]);
  const step = (bounds: unknown) => ({
    $densify: { field: 'n', partitionByFields: ['w'], range: { step: 1, bounds } },
  });
  const made = async (bounds: unknown) => {
    const all = await words.aggregate([step(bounds)], { collation: CASELESS }).toArray();
    return all.filter(({ _id }) => _id === undefined).map(({ w, n }) => `${w}${n}`);
  };
  expect(await made('partition')).toEqual(['A1']);
  expect(await made('full')).toEqual(['A1', 'b0', 'b1', 'b2', 'b3', 'a3', 'a4']);
});

describe('a pipeline that writes', () => {
  test('merges by a unique index with its own collation', async () => {
    const target = db.collection<Word>('target');
    await target.createIndex({ w: 1 }, { unique: true, collation: CASELESS });
    await target.insertOne({ _id: 1, w: 'a', n: 0 });
    await words.deleteMany({});
    await words.insertOne({ _id: 7, w: 'A' });
    const merge = [{ $project: { _id: 0, w: 1, n: { $literal: 1 } } }, { $merge: { into: 'target', on: 'w' } }];
    await expect(words.aggregate(merge).toArray()).rejects.toMatchObject({ code: 51183 });
    await words.aggregate(merge, { collation: CASELESS }).toArray();
    expect(await target.find().toArray()).toEqual([{ _id: 1, w: 'A', n: 1 }]);
  });

  test('merges by _id only in the order that keeps the _ids apart', async () => {
    await db.createCollection('apart', { collation: CASELESS });
    const merge = [{ $merge: { into: 'apart' } }];
    await expect(words.aggregate(merge).toArray()).rejects.toMatchObject({ code: 51183 });
    await words.aggregate(merge, { collation: CASELESS }).toArray();
    expect(await db.collection('apart').countDocuments()).toBe(1);
  });
});

test('a validator compares by the collation of its collection', async () => {
  const validator = { $expr: { $setIsSubset: [['$w'], ['yes', 'no']] } };
  const answers = await db.createCollection<Word>('answers', { collation: CASELESS, validator });
  await answers.insertOne({ _id: 1, w: 'YES' });
  await expect(answers.insertOne({ _id: 2, w: 'perhaps' })).rejects.toMatchObject({ code: 121 });
});

const FULL = {
  locale: 'en',
  caseLevel: false,
  caseFirst: 'off',
  strength: 3,
  numericOrdering: false,
  alternate: 'non-ignorable',
  maxVariable: 'punct',
  normalization: false,
  backwards: false,
  version: '57.1',
};

describe('refused', () => {
  const REFUSED: [Document, number, string][] = [
    [{ locale: 'xx' }, 2, 'Field \'locale\' is invalid in: { locale: "xx" }'],
    [{ locale: 'en_GB' }, 2, "Field 'locale' is invalid in: { locale: \"en_GB\" }. Did you mean 'en'?"],
    [{ strength: 1 }, 40414, "BSON field 'collation.locale' is missing but a required field"],
    [{ locale: 'en', x: 1 }, 40415, "BSON field 'collation.x' is an unknown field."],
    [{ locale: 'en', strength: 6 }, 2, "BSON field 'strength' value must be <= 5, actual value '6'"],
    [
      { locale: 'en', caseFirst: 'x' },
      2,
      "Enumeration value 'x' for field 'collation.caseFirst' is not a valid value.",
    ],
    [{ locale: 'en', version: '1.2' }, 161, 'Requested collation version 1.2'],
  ];
  test.each(REFUSED)('%o', async (collation, code, message) => {
    const refusal = { code, message: expect.stringContaining(message) };
    const given = collation as unknown as CollationOptions;
    await expect(words.find({}, { collation: given }).toArray()).rejects.toMatchObject(refusal);
    await expect(words.aggregate([], { collation: given }).toArray()).rejects.toMatchObject(refusal);
    await expect(words.deleteMany({}, { collation: given })).rejects.toMatchObject(refusal);
    await expect(words.createIndex({ x: 1 }, { collation: given })).rejects.toMatchObject(refusal);
    await expect(db.createCollection('refused', { collation: given })).rejects.toMatchObject(refusal);
    await expect(db.collection('nothing').find({}, { collation: given }).toArray()).rejects.toMatchObject(refusal);
  });

  test('of the wrong type', async () => {
    await expect(db.command({ find: 'words', collation: 'en' })).rejects.toMatchObject({
      code: 14,
      message: 'Expected field collationto be of type object',
    });
    const specs = (collation: unknown) => [{ key: { x: 1 }, name: 'x', collation }];
    await expect(db.command({ createIndexes: 'words', indexes: specs('en') })).rejects.toMatchObject({ code: 14 });
    await expect(db.command({ createIndexes: 'words', indexes: specs({}) })).rejects.toMatchObject({ code: 2 });
  });

  test('an index on _id in another order than the collection has', async () => {
    await expect(words.createIndex({ _id: 1 }, { collation: CASELESS })).rejects.toMatchObject({ code: 67 });
  });
});

import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type Collection, type Db, type Document, ObjectId } from '../support/driver.ts';
import { startServer, type TestServer } from '../support/server.ts';

/** `findAndModify` in all its forms, and `delete`, `distinct` and `count`, by their replies. */
let server: TestServer;
let db: Db;
let things: Collection<Document>;

beforeAll(async () => {
  server = await startServer();
  db = (await server.client()).db('modified');
  things = db.collection('things');
});

afterAll(() => server?.close());

beforeEach(async () => {
  await things.drop();
  await things.insertMany([1, 2, 3].map((n): Document => ({ _id: n, n, tags: ['a', 'b'] })));
});

const modify = (fields: Document) => db.command({ findAndModify: 'things', ...fields });
const one = (n: number) => ({ _id: n, n, tags: ['a', 'b'] });

/** What it is asked, the error object and the value of its reply. */
const FORMS: [fields: Document, lastErrorObject: Document, value: Document | null][] = [
  [{ query: { _id: 1 }, update: { $inc: { n: 5 } } }, { n: 1, updatedExisting: true }, one(1)],
  [
    { query: { _id: 1 }, update: { $inc: { n: 5 } }, new: true },
    { n: 1, updatedExisting: true },
    { ...one(1), n: 6 },
  ],
  [{ query: { _id: 1 }, update: { $set: { n: 1 } }, new: true }, { n: 1, updatedExisting: true }, one(1)],
  [{ query: { _id: 9 }, update: { $set: { n: 1 } } }, { n: 0, updatedExisting: false }, null],
  [{ query: { _id: 9 }, update: { $set: { n: 1 } }, new: true }, { n: 0, updatedExisting: false }, null],
  [
    { query: { _id: 9 }, update: { $set: { n: 1 } }, upsert: true },
    { n: 1, updatedExisting: false, upserted: 9 },
    null,
  ],
  [
    { query: { _id: 9 }, update: { $set: { n: 1 } }, upsert: true, new: true },
    { n: 1, updatedExisting: false, upserted: 9 },
    { _id: 9, n: 1 },
  ],
  [
    { query: { _id: 1 }, update: { x: 1 }, new: true },
    { n: 1, updatedExisting: true },
    { _id: 1, x: 1 },
  ],
  [
    { query: { _id: 1 }, update: [{ $set: { m: '$n' } }], new: true },
    { n: 1, updatedExisting: true },
    { ...one(1), m: 1 },
  ],
  [{ sort: { n: -1 }, update: { $set: { top: true } } }, { n: 1, updatedExisting: true }, one(3)],
  [{ query: { n: { $lt: 3 } }, sort: { n: -1 }, remove: true }, { n: 1 }, one(2)],
  [{ query: { _id: 9 }, remove: true }, { n: 0 }, null],
  [{ query: { _id: 1 }, remove: true, fields: { n: 1, _id: 0 } }, { n: 1 }, { n: 1 }],
  [
    { query: { _id: 1 }, update: { $set: { n: 7 } }, new: true, fields: { n: 1 } },
    { n: 1, updatedExisting: true },
    { _id: 1, n: 7 },
  ],
  [
    { query: { tags: 'b' }, sort: { _id: 1 }, update: { $set: { 'tags.$': 'c' } }, new: true },
    { n: 1, updatedExisting: true },
    { ...one(1), tags: ['a', 'c'] },
  ],
  [
    { query: { _id: 1 }, update: { $set: { 'tags.$[x]': 'z' } }, arrayFilters: [{ x: 'a' }], new: true },
    { n: 1, updatedExisting: true },
    { ...one(1), tags: ['z', 'b'] },
  ],
  [
    { query: { $expr: { $eq: ['$_id', '$$who'] } }, let: { who: 2 }, update: { $set: { n: 0 } } },
    { n: 1, updatedExisting: true },
    one(2),
  ],
  [{ query: { _id: 2 }, hint: { _id: 1 }, remove: true }, { n: 1 }, one(2)],
];

test.each(FORMS.map((row) => [JSON.stringify(row[0]), row] as const))('%s', async (_, [fields, lastError, value]) => {
  const reply = await modify(fields);
  expect(reply).toMatchObject({ ok: 1, value, lastErrorObject: lastError });
  expect(Object.keys(reply.lastErrorObject)).toEqual(Object.keys(lastError));
});

const REFUSED: [fields: Document, code: number, errmsg: string | RegExp][] = [
  [{ query: {} }, 9, 'Either an update or remove=true must be specified'],
  [{ update: {}, remove: true }, 9, 'Cannot specify both an update and remove=true'],
  [{ upsert: true, remove: true }, 9, 'Cannot specify both upsert=true and remove=true '],
  [
    { new: true, remove: true },
    9,
    "Cannot specify both new=true and remove=true; 'remove' always returns the deleted document",
  ],
  [{ arrayFilters: [], remove: true }, 9, 'Cannot specify arrayFilters and remove=true'],
  [{ arrayFilters: [{ x: 1 }], update: [{ $set: { a: 1 } }] }, 9, 'Cannot specify arrayFilters and a pipeline update'],
  [{ update: 5 }, 9, 'Update argument must be either an object or an array'],
  [{ update: { $nope: { a: 1 } } }, 9, /Unknown modifier: \$nope/],
  [{ query: { a: { $nope: 1 } }, remove: true }, 2, /unknown operator: \$nope/],
  [
    { query: { _id: 1 }, update: { $set: { _id: 2 } } },
    66,
    "Plan executor error during findAndModify :: caused by :: Performing an update on the path '_id' would modify the immutable field '_id'",
  ],
  [
    { query: { _id: 1 }, update: { $inc: { tags: 1 } } },
    14,
    /^Plan executor error during findAndModify :: caused by :: Cannot apply \$inc to a value of non-numeric type/,
  ],
  [
    { query: { _id: 1 }, update: { $set: { a: 1 } }, fields: { a: 1, b: 0 } },
    31254,
    /Cannot do exclusion on field b in inclusion projection/,
  ],
  [
    { query: { _id: 1 }, remove: true, hint: { nope: 1 } },
    2,
    /^error processing query.*hint provided does not correspond to an existing index/,
  ],
  [
    { query: { $expr: true }, update: { $set: { a: 1 } }, upsert: true },
    224,
    '$expr is not allowed in the query predicate for an upsert',
  ],
  [{ query: {}, remove: true, nope: 1 }, 40415, /unknown field/],
];

test.each(REFUSED.map((row) => [JSON.stringify(row[0]), row] as const))('%s is refused', async (_, [
  fields,
  code,
  text,
]) => {
  const errmsg = typeof text === 'string' ? text : expect.stringMatching(text);
  await expect(modify(fields)).rejects.toMatchObject({ code, errmsg });
  expect(await things.find().toArray()).toEqual([one(1), one(2), one(3)]);
});

test('an upsert without an id makes one and tells', async () => {
  const { lastErrorObject, value } = await modify({
    query: { n: 8 },
    update: { $set: { m: 1 } },
    upsert: true,
    new: true,
  });
  expect(lastErrorObject.upserted).toBeInstanceOf(ObjectId);
  expect(value).toEqual({ _id: lastErrorObject.upserted, n: 8, m: 1 });
});

describe('delete', () => {
  test('one or all, statement by statement', async () => {
    const deletes = [
      { q: { n: { $gte: 1 } }, limit: 1 },
      { q: { n: 9 }, limit: 0 },
      { q: {}, limit: 0, hint: { _id: 1 } },
    ];
    expect(await db.command({ delete: 'things', deletes })).toMatchObject({ ok: 1, n: 3 });
  });

  test('an error ends an ordered one, and no other', async () => {
    const deletes = [
      { q: { _id: 1 }, limit: 1 },
      { q: { a: { $nope: 1 } }, limit: 1 },
      { q: { _id: 2 }, limit: 1 },
    ];
    const errors = [{ index: 1, code: 2, errmsg: 'unknown operator: $nope' }];
    expect(await db.command({ delete: 'things', deletes })).toMatchObject({ n: 1, writeErrors: errors });
    expect(await db.command({ delete: 'things', deletes, ordered: false })).toMatchObject({
      n: 1,
      writeErrors: errors,
    });
    await expect(db.command({ delete: 'things', deletes: [{ q: {}, limit: 2 }] })).rejects.toMatchObject({
      code: 9,
      errmsg: 'The limit field in delete objects must be 0 or 1. Got 2',
    });
  });
});

describe('distinct and count', () => {
  beforeEach(() =>
    things.insertMany([
      { _id: 4, v: [3, 1, [2]], d: [{ x: 1 }, { x: [2, 1] }] },
      { _id: 5, v: 1.0, d: { x: 3 } },
      { _id: 6, v: 'x' },
      { _id: 7, v: null },
    ] as Document[]),
  );

  test.each([
    ['v', {}, [null, 1, 3, 'x', [2]]],
    ['d.x', {}, [1, 2, 3]],
    ['v.0', {}, [3]],
    ['d.1.x', {}, [1, 2]],
    ['v', { v: { $gt: 1 } }, [1, 3, [2]]],
    ['nope', {}, []],
    ['_id', { n: { $exists: true } }, [1, 2, 3]],
  ])('distinct %s of %o', async (key, query, values) => {
    expect((await db.command({ distinct: 'things', key, query })).values).toEqual(values);
  });

  test('count, with skip and limit', async () => {
    const count = async (fields: Document) => (await db.command({ count: 'things', ...fields })).n;
    expect(await count({})).toBe(7);
    expect(await count({ query: { n: { $gt: 1 } } })).toBe(2);
    expect(await count({ query: { n: { $gt: 0 } }, skip: 1, limit: 5 })).toBe(2);
    expect(await count({ query: {}, limit: -2 })).toBe(2);
    expect(await db.command({ count: 'nowhere' })).toMatchObject({ n: 0 });
    await expect(count({ query: { a: { $nope: 1 } } })).rejects.toMatchObject({ code: 2 });
    await expect(count({ skip: -1 })).rejects.toThrow("BSON field 'skip' value must be >= 0, actual value '-1'");
  });
});

test('bulkWrite gives constants to pipelines', async () => {
  const admin = (await server.client()).db('admin');
  const bulk = (updateMods: unknown) =>
    admin.command({
      bulkWrite: 1,
      ops: [{ update: 0, filter: { _id: 1 }, updateMods, constants: { extra: { $add: [1, 2] } } }],
      nsInfo: [{ ns: 'modified.things' }],
    });
  expect(await bulk([{ $set: { n: '$$extra' } }])).toMatchObject({ nErrors: 0, nModified: 1 });
  expect(await things.findOne({ _id: 1 } as Document)).toMatchObject({ n: { $add: [1, 2] } });
  const refused = await bulk({ $set: { n: 1 } });
  expect(refused).toMatchObject({ nErrors: 1, cursor: { firstBatch: [{ ok: 0, idx: 0, code: 51198 }] } });
});

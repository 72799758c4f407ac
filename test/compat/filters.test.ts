import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  Binary,
  BSONRegExp,
  BSONSymbol,
  Code,
  type Collection,
  DBRef,
  type Db,
  Decimal128,
  type Document,
  Double,
  Int32,
  Long,
  MaxKey,
  MinKey,
  ObjectId,
  Timestamp,
} from '../support/driver.ts';
import { startServer, type TestServer } from '../support/server.ts';

/** What filters find, by the documented and well-known answers of MongoDB, as a client meets them. */
let server: TestServer;
let db: Db;

beforeAll(async () => {
  server = await startServer();
  db = (await server.client()).db('filters');
});

afterAll(() => server?.close());

const ID = new ObjectId('65a000000000000000000001');
const decimal = (text: string) => Decimal128.fromString(text);
const regex = (pattern: string, options = '') => new BSONRegExp(pattern, options);
const int = (value: number) => new Int32(value);
const long = (text: string) => Long.fromString(text);

/** Finds the ids that match, as one text, in order of insertion. */
async function ids(things: Collection<Document>, filter: Document): Promise<string> {
  const found = await things.find(filter, { projection: { _id: 1 } }).toArray();
  return found.map(({ _id }) => _id).join(' ');
}

describe('one value of each type', () => {
  const VALUES: Record<string, unknown> = {
    'int 5': int(5),
    'long 5': long('5'),
    'double 5': new Double(5),
    'decimal 5.0': decimal('5.0'),
    'double 5.5': new Double(5.5),
    zero: int(0),
    '-0': new Double(-0),
    NaN: new Double(Number.NaN),
    'decimal NaN': decimal('NaN'),
    Infinity: new Double(Number.POSITIVE_INFINITY),
    'max long': long('9223372036854775807'),
    text: 'abc',
    empty: '',
    symbol: new BSONSymbol('abc'),
    object: { b: int(1), c: int(2) },
    'empty object': {},
    array: [int(5), 'abc'],
    'empty array': [],
    nested: [[int(5)]],
    binary: new Binary(Buffer.from([5])),
    id: ID,
    true: true,
    false: false,
    date: new Date(5),
    null: null,
    regex: regex('abc', 'i'),
    code: new Code('abc'),
    'code with scope': new Code('abc', { x: 1 }),
    timestamp: new Timestamp({ t: 0, i: 5 }),
    min: new MinKey(),
    max: new MaxKey(),
  };
  let values: Collection<Document>;

  beforeAll(async () => {
    values = db.collection('values');
    const docs: Document[] = Object.entries(VALUES).map(([_id, a]) => ({ _id, a }));
    await values.insertMany([...docs, { _id: 'missing' }]);
  });

  const FIVES = 'int 5,long 5,double 5,decimal 5.0';
  const TABLE: [filter: Document, found: string][] = [
    [{ a: 5 }, `${FIVES},array`],
    [{ a: decimal('5') }, `${FIVES},array`],
    [{ a: long('9223372036854775807') }, 'max long'],
    [{ a: 2 ** 63 }, ''],
    [{ a: 0 }, 'zero,-0'],
    [{ a: new Double(-0) }, 'zero,-0'],
    [{ a: Number.NaN }, 'NaN,decimal NaN'],
    [{ a: 'abc' }, 'text,symbol,array'],
    [{ a: new BSONSymbol('abc') }, 'text,symbol,array'],
    [{ a: { b: 1, c: 2 } }, 'object'],
    [{ a: { c: 2, b: 1 } }, ''],
    [{ a: {} }, 'empty object'],
    [{ a: [] }, 'empty array'],
    [{ a: [5, 'abc'] }, 'array'],
    [{ a: [5] }, 'nested'],
    [{ a: [[5]] }, 'nested'],
    [{ a: null }, 'null,missing'],
    [{ a: new Date(5) }, 'date'],
    [{ a: new Timestamp({ t: 0, i: 5 }) }, 'timestamp'],
    [{ a: new Code('abc') }, 'code'],
    [{ a: new MinKey() }, 'min'],
    [{ a: ID }, 'id'],
    [{ a: true }, 'true'],
    // Ranges stay within a type.
    [{ a: { $gt: 5 } }, 'double 5.5,Infinity,max long'],
    [{ a: { $gte: 5 } }, `${FIVES},double 5.5,Infinity,max long,array`],
    [{ a: { $lt: 5 } }, 'zero,-0'],
    [{ a: { $lte: Number.NaN } }, 'NaN,decimal NaN'],
    [{ a: { $lt: Number.NaN } }, ''],
    [{ a: { $gte: '' } }, 'text,empty,symbol,array'],
    [{ a: { $gt: 'abb' } }, 'text,symbol,array'],
    [{ a: { $gt: {} } }, 'object'],
    [{ a: { $gte: {} } }, 'object,empty object'],
    [{ a: { $gt: [] } }, 'array,nested'],
    [{ a: { $gte: [5] } }, 'array,nested'],
    [{ a: { $lt: true } }, 'false'],
    [{ a: { $gte: null } }, 'null,missing'],
    [{ a: { $gt: null } }, ''],
    [{ a: { $lt: new Date(6) } }, 'date'],
    [{ a: { $lte: new MinKey() } }, 'min'],
    [{ a: { $gte: new MaxKey() } }, 'max'],
    [{ a: { $gte: ID } }, 'id'],
    // In and not in.
    [{ a: { $in: [5, 'abc', null] } }, `${FIVES},text,symbol,array,null,missing`],
    [{ a: { $in: [] } }, ''],
    [{ a: { $in: [regex('^a'), true] } }, 'text,symbol,array,true'],
    [{ a: { $in: [[]] } }, 'empty array'],
    [{ a: { $nin: [null, 5], $type: ['null', 'number'] } }, 'double 5.5,zero,-0,NaN,decimal NaN,Infinity,max long'],
    [{ a: { $ne: 5, $type: 'number' } }, 'double 5.5,zero,-0,NaN,decimal NaN,Infinity,max long'],
    [{ a: { $not: { $gte: 5 }, $type: 1 } }, '-0,NaN'],
    [{ a: { $not: regex('b'), $type: 'string' } }, 'empty'],
    // Types: an array is also of the types of its elements.
    [{ a: { $type: 'number' } }, `${FIVES},double 5.5,zero,-0,NaN,decimal NaN,Infinity,max long,array`],
    [{ a: { $type: 'int' } }, 'int 5,zero,array'],
    [{ a: { $type: 18 } }, 'long 5,max long'],
    [{ a: { $type: 'array' } }, 'array,empty array,nested'],
    [{ a: { $type: 'object' } }, 'object,empty object'],
    [{ a: { $type: [-1, 127, 'undefined'] } }, 'min,max'],
    [{ a: { $type: ['javascript', 'javascriptWithScope', 'symbol', 'regex'] } }, 'symbol,regex,code,code with scope'],
    [{ a: { $exists: false } }, 'missing'],
    [{ a: { $exists: 1, $type: 'null' } }, 'null'],
    // Evaluation.
    [{ a: { $mod: [5, 0] } }, `${FIVES},double 5.5,zero,-0,array`],
    [{ a: { $mod: [4.9, 1] } }, `${FIVES},double 5.5,array`],
    [{ a: { $mod: [-2, 1] } }, `${FIVES},double 5.5,max long,array`],
    [{ a: regex('B', 'i') }, 'text,symbol,array'],
    [{ a: regex('abc', 'i') }, 'text,symbol,array,regex'],
    [{ a: { $regex: '^$' } }, 'empty'],
    [{ a: { $size: 1 } }, 'nested'],
    [{ a: { $size: 0 } }, 'empty array'],
    [{ a: { $all: [5, 'abc'] } }, 'array'],
    [{ a: { $all: [5] } }, `${FIVES},array`],
    [{ a: { $all: [[5]] } }, 'nested'],
    [{ a: { $all: [] } }, ''],
    [{ a: { $elemMatch: { $gte: 5 } } }, 'array'],
    [{ a: { $elemMatch: { $elemMatch: { $eq: 5 } } } }, 'nested'],
    [{ a: { $elemMatch: {} } }, 'nested'],
    [{ a: { $bitsAllSet: 5 } }, `${FIVES},max long,array,binary`],
    [{ a: { $bitsAllClear: [1] } }, `${FIVES},zero,-0,array,binary`],
    [{ a: { $bitsAnySet: new Binary(Buffer.from([6])) } }, `${FIVES},max long,array,binary`],
    // The old subtype's data begins with its own length: 1, and then 6.
    [{ a: { $bitsAllSet: new Binary(Buffer.from([6]), 2) } }, 'max long'],
    [{ a: { $bitsAnyClear: [0, 63] } }, `${FIVES},zero,-0,max long,array,binary`],
    // Expressions see arrays whole, and tell null from nothing.
    [{ $expr: { $eq: ['$a', 5] } }, FIVES],
    [{ $expr: { $eq: ['$a', null] } }, 'null'],
    [{ $expr: { $eq: [{ $type: '$a' }, 'missing'] } }, 'missing'],
    [{ $expr: { $isArray: '$a' } }, 'array,empty array,nested'],
    // Logic.
    [{ $and: [{ a: { $gte: 5 } }, { a: { $lt: 6 } }] }, `${FIVES},double 5.5,array`],
    [{ $or: [{ a: true }, { a: { $exists: false } }] }, 'true,missing'],
    [{ $nor: [{ a: { $exists: true } }] }, 'missing'],
    [{ $or: [{ $and: [{ a: true }] }, { $nor: [{ a: { $ne: false } }] }] }, 'true,false'],
    [{ a: { $eq: true }, $comment: 'why' }, 'true'],
    [{ $alwaysTrue: 1, a: true }, 'true'],
    [{ $alwaysFalse: 1 }, ''],
    [{ $sampleRate: 0 }, ''],
    [{ $sampleRate: 1, a: 5, $expr: { $lt: [{ $rand: {} }, 1] } }, `${FIVES},array`],
    [{ $jsonSchema: { required: ['a'], properties: { a: { bsonType: ['bool', 'date'] } } } }, 'true,false,date'],
  ];

  test.each(
    TABLE.map(([filter, found]) => [JSON.stringify(filter), found, filter] as const),
  )('%s finds %s', async (_, found, filter) => {
    expect((await ids(values, filter)).replaceAll(' ', '')).toBe(found.replaceAll(/[ ,]/g, ''));
    // The same by an index where one serves.
    expect(await values.countDocuments(filter)).toBe(found === '' ? 0 : found.split(',').length);
  });
});

describe('paths', () => {
  const DOCS: Record<string, Document> = {
    doc: { a: { b: 1 } },
    docs: { a: [{ b: 1 }, { b: 2 }] },
    lists: { a: { b: [1, 2] } },
    'docs of lists': { a: [{ b: [1, 2] }, { b: [3] }] },
    'lists of lists': { a: [[{ b: 1 }]] },
    'partly there': { a: [{ b: 1 }, { c: 1 }] },
    'partly documents': { a: [1, { b: 1 }] },
    scalar: { a: 1 },
    'empty list': { a: [] },
    nothing: {},
    'null inside': { a: { b: null } },
    'number names': { a: { 0: { b: 1 } } },
    'deep number': { a: [[1, 2], [3]] },
  };
  const TABLE: [filter: Document, found: string][] = [
    [{ 'a.b': 1 }, 'doc,docs,lists,docs of lists,partly there,partly documents'],
    [{ 'a.b': [1, 2] }, 'lists,docs of lists'],
    [{ 'a.b': 2 }, 'docs,lists,docs of lists'],
    [{ 'a.0.b': 1 }, 'docs,docs of lists,lists of lists,partly there,number names'],
    [{ 'a.1.b': 1 }, 'partly documents'],
    [{ 'a.0': 1 }, 'partly documents'],
    [{ 'a.0.0': 1 }, 'deep number'],
    [{ 'a.0': { b: 1 } }, 'docs,partly there,number names'],
    [{ 'a.b.1': 2 }, 'lists,docs of lists'],
    [{ 'a.b': null }, 'partly there,scalar,nothing,null inside,number names'],
    [{ 'a.b': { $exists: false } }, 'lists of lists,scalar,empty list,nothing,number names,deep number'],
    [{ 'a.b': { $exists: true } }, 'doc,docs,lists,docs of lists,partly there,partly documents,null inside'],
    [{ 'a.b': { $ne: 1 } }, 'lists of lists,scalar,empty list,nothing,null inside,number names,deep number'],
    [{ 'a.b': { $gt: 1, $lt: 2 } }, 'docs,lists,docs of lists'],
    [{ a: { $elemMatch: { b: { $gt: 1, $lt: 3 } } } }, 'docs,docs of lists'],
    [{ a: { $elemMatch: { b: 1, c: { $exists: false } } } }, 'docs,docs of lists,partly there,partly documents'],
    [{ a: { $elemMatch: { '0.b': 1 } } }, 'lists of lists'],
    [{ a: { $elemMatch: { $or: [{ b: 3 }, { c: 1 }] } } }, 'docs of lists,partly there'],
    [{ a: { $all: [{ $elemMatch: { b: 1 } }, { $elemMatch: { c: 1 } }] } }, 'partly there'],
    [{ 'a.b': { $all: [1, 2] } }, 'docs,lists,docs of lists'],
    [{ 'a.b': { $size: 2 } }, 'lists,docs of lists'],
    [{ 'a.b': { $type: 'array' } }, 'lists,docs of lists'],
    [{ 'a.b': { $in: [3, null] } }, 'docs of lists,partly there,scalar,nothing,null inside,number names'],
    [{ $expr: { $eq: ['$a.b', [1, 2]] } }, 'docs,lists'],
    [{ $expr: { $eq: ['$a.0.b', 1] } }, 'number names'],
  ];

  beforeAll(() =>
    db.collection<Document>('paths').insertMany(Object.entries(DOCS).map(([_id, doc]): Document => ({ _id, ...doc }))),
  );

  test.each(
    TABLE.map(([filter, found]) => [JSON.stringify(filter), found, filter] as const),
  )('%s finds %s', async (_, found, filter) => {
    const matched = (await ids(db.collection('paths'), filter)).replaceAll(' ', '');
    expect(matched).toBe(found.replaceAll(/[ ,]/g, ''));
  });
});

describe('names with dots, dollars and references', () => {
  let things: Collection<Document>;
  beforeAll(async () => {
    things = db.collection('names');
    await db.command({
      insert: 'names',
      documents: [
        { _id: 'dotted', 'a.b': 1, a: { b: 2 } },
        { _id: 'dollar', in: { $price: 1 } },
        { _id: 'ref', r: new DBRef('things', ID, 'other') },
        { _id: 'refs', r: [new DBRef('things', ID), new DBRef('others', ID)] },
      ],
    });
  });

  const TABLE: [filter: Document, found: string][] = [
    [{ 'a.b': 1 }, ''],
    [{ 'a.b': 2 }, 'dotted'],
    [{ $expr: { $eq: [{ $getField: 'a.b' }, 1] } }, 'dotted'],
    [{ 'in.$price': 1 }, 'dollar'],
    [{ $expr: { $eq: [{ $getField: { field: { $literal: '$price' }, input: '$in' } }, 1] } }, 'dollar'],
    [{ r: new DBRef('things', ID) }, 'refs'],
    [{ 'r.$ref': 'things' }, 'ref refs'],
    [{ 'r.$id': ID, 'r.$db': 'other' }, 'ref'],
    [{ r: { $in: [new DBRef('others', ID)] } }, 'refs'],
    [{ r: { $elemMatch: { $ref: 'others', $id: ID } } }, 'refs'],
    [{ r: { $elemMatch: { $id: ID } } }, 'refs'],
  ];
  test.each(
    TABLE.map(([filter, found]) => [JSON.stringify(filter), found, filter] as const),
  )('%s finds %s', async (_, found, filter) => {
    expect(await ids(things, filter)).toBe(found);
  });

  test('let gives variables to expressions', async () => {
    const found = await things.find({ $expr: { $eq: ['$_id', '$$who'] } }, { let: { who: 'ref' } }).toArray();
    expect(found).toHaveLength(1);
  });
});

describe('great and deep filters', () => {
  let things: Collection<Document>;
  beforeAll(async () => {
    things = db.collection('many');
    await things.insertMany(Array.from({ length: 100 }, (_, n): Document => ({ _id: n, n })));
  });

  test('lists of many thousands', async () => {
    const many = Array.from({ length: 50_000 }, (_, n) => n * 10);
    expect(await things.countDocuments({ n: { $in: many } })).toBe(10);
    expect(await things.countDocuments({ n: { $nin: many } })).toBe(90);
    expect(await things.countDocuments({ $or: many.slice(0, 5_000).map((n) => ({ n })) })).toBe(10);
  });

  test('as deep as documents may nest, and no deeper', async () => {
    const deep = (levels: number): Document => (levels === 0 ? { n: 5 } : { $and: [deep(levels - 1)] });
    expect(await things.countDocuments(deep(80))).toBe(1);
    await expect(things.find(deep(120)).toArray()).rejects.toMatchObject({
      code: 15,
      errmsg: 'BSONObj exceeded maximum nested object depth: 200',
    });
  });
});

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  Binary,
  BSONRegExp,
  Code,
  type Collection,
  Decimal128,
  type Document,
  Double,
  Long,
  MaxKey,
  MinKey,
  ObjectId,
  Timestamp,
} from '../support/driver.ts';
import { startServer, type TestServer } from '../support/server.ts';

/** MongoDB's order over all types, as sorts show it, with an index and without. */
const ASCENDING: [name: string, value: unknown][] = [
  ['min', new MinKey()],
  ['empty array', []],
  ['null', null],
  ['NaN', Number.NaN],
  ['-infinity', Number.NEGATIVE_INFINITY],
  ['-1', -1],
  ['array from 0.5', [9, new Double(0.5), 'x']],
  ['decimal 0.7', Decimal128.fromString('0.7')],
  ['1', 1],
  ['long 2', Long.fromNumber(2)],
  ['2.5', new Double(2.5)],
  ['2^53', 2 ** 53],
  ['2^53 + 1', Long.fromString('9007199254740993')],
  ['empty text', ''],
  ['A', 'A'],
  ['a', 'a'],
  ['array from b', ['b', { x: 1 }]],
  ['é', 'é'],
  ['beyond the BMP', '\u{1f600}'],
  ['empty document', {}],
  ['document by type', { a: 1 }],
  ['document by name', { b: 1 }],
  ['document by value', { b: 2 }],
  ['array of array', [[1]]],
  ['short binary', new Binary(Buffer.from([9]))],
  ['long binary', new Binary(Buffer.from([1, 1]))],
  ['id', new ObjectId('000000000000000000000001')],
  ['false', false],
  ['true', true],
  ['date', new Date(0)],
  ['later date', new Date(1)],
  ['timestamp', new Timestamp({ t: 1, i: 1 })],
  ['regex', new BSONRegExp('a')],
  ['code', new Code('a')],
  ['code with scope', new Code('a', { x: 1 })],
  ['max', new MaxKey()],
];
const NAMES = ASCENDING.map(([name]) => name);

let server: TestServer;
let things: Collection<Document>;

beforeAll(async () => {
  server = await startServer();
  things = (await server.client()).db('order').collection('things');
  // Neither the order of insertion nor that of ids helps.
  const mixed = ASCENDING.map((_, at) => ASCENDING[(at * 17) % ASCENDING.length]!);
  await things.insertMany(mixed.map(([_id, v]): Document => ({ _id, v })));
});

afterAll(() => server?.close());

const ids = async (sort: Document, filter = {}) =>
  (await things.find(filter, { sort, projection: { _id: 1 } }).toArray()).map(({ _id }) => _id);

/** Descending, an array counts by its greatest element. */
const DESCENDING = [...NAMES]
  .reverse()
  .filter((name) => name !== 'array from 0.5' && name !== 'array from b')
  .flatMap((name) => {
    if (name === 'é') return [name, 'array from 0.5'];
    return name === 'document by value' ? ['array from b', name] : [name];
  });

describe.each(['without an index', 'with one'])('%s', (how) => {
  beforeAll(async () => {
    if (how === 'with one') await things.createIndex({ v: 1 });
  });

  test('ascending', async () => {
    expect(await ids({ v: 1 })).toEqual(NAMES);
  });

  test('descending', async () => {
    expect(await ids({ v: -1 })).toEqual(DESCENDING);
  });

  test('in a pipeline', async () => {
    const sorted = await things.aggregate([{ $sort: { v: 1 } }, { $project: { _id: 1 } }]).toArray();
    expect(sorted.map(({ _id }) => _id)).toEqual(NAMES);
  });

  test('ranges stay within a type', async () => {
    expect(await ids({ v: 1 }, { v: { $gte: 2 } })).toEqual(['array from 0.5', 'long 2', '2.5', '2^53', '2^53 + 1']);
    expect(await ids({ v: 1 }, { v: { $gte: new Date(0) } })).toEqual(['date', 'later date']);
    expect(await ids({ v: 1 }, { v: { $lt: 'a' } })).toEqual(['empty text', 'A']);
  });
});

import { hostname } from 'node:os';
import { beforeAll, expect, test } from 'vitest';
import {
  BSONSymbol,
  Code,
  Decimal128,
  type Document,
  Double,
  Long,
  MinKey,
  ObjectId,
  Timestamp,
} from '../support/driver.ts';
import { ownServer } from '../support/own-server.ts';

const own = ownServer();

beforeAll(async () => {
  await own.things.createIndex({ a: 1, b: 1 });
  await own.things.insertMany([
    { _id: 1, a: 1, b: 1 },
    { _id: 2, a: 2, b: 5 },
    { _id: 3, a: 3, b: 5 },
  ]);
});

const NOTHING = Symbol('a field that is missing');

const explain = (command: Document) => own.db.command({ explain: command, verbosity: 'allPlansExecution' });

test('no other plan is tried, and Discord is told of', async () => {
  const { queryPlanner, executionStats, discord } = await explain({ find: 'things', filter: { a: 1 } });
  expect(queryPlanner.winningPlan).toMatchObject({ stage: 'FETCH' });
  expect(executionStats.allPlansExecution).toEqual([]);
  expect(discord.requests).toEqual({ pages: 0, messages: 0, downloads: 0, appends: 0 });
});

test('the stages of a pipeline are shown as they were given', async () => {
  const facet = { $facet: { x: [{ $count: 'n' }] } };
  const window = { $setWindowFields: { sortBy: { a: 1 }, output: { r: { $rank: {} } } } };
  const { stages } = await explain({
    aggregate: 'things',
    pipeline: [window, { $set: { k: 1 } }, facet, { $count: 'n' }],
    cursor: {},
  });
  expect(stages.slice(1)).toMatchObject([window, { $set: { k: 1 } }, facet, { $count: 'n' }]);
});

test.each<[string, unknown[], number]>([
  [
    'nothing but what a key tells',
    [1, 2, 'text', true, new Date(5), new ObjectId(), new Timestamp(1n), new MinKey()],
    0,
  ],
  // MongoDB would show null, for a document that lacks the field too.
  ['null', [1, null], 1],
  ['a field that is missing', [1, NOTHING], 1],
  ['a document', [1, { x: 1 }], 1],
  ['a regular expression', ['text', /text/], 1],
  ['code', ['text', new Code('text')], 1],
  ['decimals', [1.5, Decimal128.fromString('2')], 2],
  ['NaN', [1.5, Number.NaN], 1],
  ['a number that no double holds', [Long.fromString('9007199254740993'), Long.fromNumber(5)], 1],
  ['an int32 and a long', [1, Long.fromNumber(5)], 2],
  ['zeros', [1.5, -0, new Double(0)], 2],
  ['symbols beside strings', ['text', new BSONSymbol('symbol')], 2],
  ['text beyond U+D7FF', ['text', '😀'], 1],
  ['text with a control character', ['text', 'a\nb'], 1],
])('documents are read where their keys do not tell a field: %s', async (_, values, read) => {
  const coll = own.db.collection<Document>('covered');
  await coll.drop();
  await coll.createIndex({ a: 1, b: 1 });
  await coll.insertMany(values.map((a) => (a === NOTHING ? { b: 1 } : { a, b: 1 })));
  const query = { filter: { b: 1 }, projection: { _id: 0, a: 1 }, hint: 'a_1_b_1' };
  const { executionStats } = await explain({ find: 'covered', ...query });
  expect(executionStats).toMatchObject({ nReturned: values.length, totalDocsExamined: read });
  const shown = await coll.find(query.filter, { projection: query.projection, hint: query.hint }).toArray();
  expect(shown.filter((each) => 'a' in each)).toHaveLength(values.filter((value) => value !== NOTHING).length);
});

test('documents are read where any field of a wildcard index has had numbers of another type', async () => {
  const coll = own.db.collection<Document>('wild');
  await coll.createIndex({ '$**': 1 });
  const examined = async () =>
    (await explain({ find: 'wild', filter: { a: 1 }, projection: { _id: 0, a: 1 } })).executionStats.totalDocsExamined;
  await coll.insertOne({ a: 1 });
  expect(await examined()).toBe(0);
  await coll.insertOne({ b: 2.5 });
  expect(await examined()).toBe(1);
});

test('a wildcard index serves no index of an array, and nothing that it has in part only', async () => {
  const coll = own.db.collection<Document>('trees');
  await coll.createIndexes([
    { key: { '$**': 1 }, name: 'all' },
    { key: { '$**': 1 }, name: 'part', wildcardProjection: { 'a.x': 0 } },
  ]);
  await coll.insertOne({ a: [{ x: 1 }, { y: 2 }] });
  const unserved = { code: 291 };
  await expect(coll.find({ 'a.0.x': 1 }, { hint: 'all' }).toArray()).rejects.toMatchObject(unserved);
  await expect(coll.find({ a: { $exists: true } }, { hint: 'part' }).toArray()).rejects.toMatchObject(unserved);
  expect(await coll.find({ a: { $exists: true } }, { hint: 'all' }).toArray()).toHaveLength(1);
  expect(await coll.find({ 'a.0.x': 1, 'a.y': 2 }, { hint: 'part' }).toArray()).toHaveLength(1);
});

test('a $group looks at every document where the index does not have what its groups show', async () => {
  const pipeline = [{ $sort: { a: 1, b: 1 } }, { $group: { _id: '$a', b: { $first: '$b' }, c: { $first: '$_id' } } }];
  const { stages } = await explain({ aggregate: 'things', pipeline, cursor: {} });
  expect(stages[0].$cursor.executionStats).toMatchObject({ totalKeysExamined: 3, totalDocsExamined: 3 });
  expect(Object.keys(stages[1])).toContain('$group');
});

test('a key beyond the last stretch is not looked at', async () => {
  // MongoDB looks at { a: 3 } to see that there is no more.
  const filter = { a: { $gt: 0, $lt: 3 }, b: 5 };
  const { executionStats } = await explain({ find: 'things', filter });
  expect(executionStats).toMatchObject({ nReturned: 1, totalKeysExamined: 2, totalDocsExamined: 1 });
});

test('equality on _id beside other conditions is IDHACK', async () => {
  const { queryPlanner } = await explain({ find: 'things', filter: { _id: 1, a: 1 } });
  expect(queryPlanner.winningPlan).toMatchObject({ stage: 'IDHACK' });
});

test('$indexStats names the host alone', async () => {
  const [stats] = await own.things.aggregate([{ $indexStats: {} }]).toArray();
  expect(stats).toMatchObject({ host: hostname() });
});

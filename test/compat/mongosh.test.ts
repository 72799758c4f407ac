import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startServer, type TestServer } from '../support/server.ts';
import { mongosh } from './support/mongosh.ts';

/** What a person types into mongosh, line by line. A line of the script is a line typed, and what must be answered. */
type Script = readonly (readonly [line: string, answer: RegExp | string])[];

let server: TestServer;

beforeAll(async () => {
  server = await startServer();
});

afterAll(() => server?.close());

/** Types the whole script into one mongosh. A string is the whole answer, spaces aside; a pattern is found in it. */
async function play(script: Script): Promise<void> {
  const answers = await mongosh(
    server.uri,
    script.map(([line]) => line),
  );
  const flat = (text: string) => text.replace(/\s+/g, ' ').trim();
  for (const [at, [line, expected]] of script.entries()) {
    const answer = flat(answers[at] ?? '');
    if (typeof expected === 'string') expect(answer, line).toBe(expected);
    else expect(answer, line).toMatch(expected);
  }
}

/** `{ _id: 20, n: 0 }, { _id: 21, n: 1 }, ...` as mongosh prints them. */
function items(from: number, to: number): string {
  const all = Array.from({ length: to - from }, (_, at) => `{ _id: ${from + at}, n: ${(from + at) % 5} }`);
  return `[ ${all.join(', ')} ]`;
}

const fill = 'db.items.insertMany(Array.from({ length: 45 }, (_, n) => ({ _id: n, n: n % 5 }))).insertedIds[44]';

describe('mongosh', () => {
  test('help and show commands', async () => {
    await play([
      ['help', /Shell Help: .* show .* 'show collections'\/'show tables'/],
      ['show dbs', ''],
      ['use tour', 'switched to db tour'],
      ['db', 'tour'],
      [fill, '44'],
      ['db.other.insertOne({ _id: 1 })', '{ acknowledged: true, insertedId: 1 }'],
      ['show dbs', /^tour [\d.]+ (B|KiB)$/],
      ['show databases', /^tour [\d.]+ (B|KiB)$/],
      ['show collections', 'items other'],
      ['show tables', 'items other'],
      ['show profile', /^db\.system\.profile is empty/],
      ['show logs', /global/],
      ['show log global', /^\[/],
      ['show users', '[]'],
      ['show roles', '[]'],
      ['db.help()', /Database Class: .* runCommand/],
      ['db.items.help()', /Collection Class: .* insertMany/],
      ['db.version()', /^8\.0\.\d+$/],
      ['db.hello().msg', 'isdbgrid'],
      ['db.getCollectionNames().sort()', "[ 'items', 'other' ]"],
      ['show nothing', /MongoshInvalidInputError/],
    ]);
  });

  test('create, read, update, delete', async () => {
    await play([
      ['use crud', 'switched to db crud'],
      [fill, '44'],
      ['db.items.findOne({ _id: 7 })', '{ _id: 7, n: 2 }'],
      ['db.items.find({ n: { $gt: 3 } }, { _id: 1 }).sort({ _id: -1 }).limit(2)', '[ { _id: 44 }, { _id: 39 } ]'],
      ['db.items.countDocuments({ n: 0 })', '9'],
      ['db.items.estimatedDocumentCount()', '45'],
      ["db.items.distinct('n')", '[ 0, 1, 2, 3, 4 ]'],
      [
        'db.items.updateOne({ _id: 1 }, { $set: { n: 100 } })',
        '{ acknowledged: true, insertedId: null, matchedCount: 1, modifiedCount: 1, upsertedCount: 0 }',
      ],
      ['db.items.updateMany({ n: 2 }, { $inc: { n: 10 } }).modifiedCount', '9'],
      ["db.items.replaceOne({ _id: 'r' }, { a: 1 }, { upsert: true }).insertedId", 'r'],
      ["db.items.findOneAndUpdate({ _id: 2 }, { $inc: { n: 1 } }, { returnDocument: 'after' })", '{ _id: 2, n: 13 }'],
      ['db.items.findAndModify({ query: { _id: 3 }, remove: true })', '{ _id: 3, n: 3 }'],
      ['db.items.deleteMany({ n: 0 })', '{ acknowledged: true, deletedCount: 9 }'],
      [
        'db.items.insertOne({ _id: 1 })',
        /^Uncaught MongoServerError: E11000 duplicate key error collection: crud\.items/,
      ],
      [
        "db.items.bulkWrite([{ insertOne: { document: { _id: 'a' } } }, { deleteOne: { filter: { _id: 'r' } } }])",
        /insertedCount: 1, .*deletedCount: 1, /,
      ],
      [
        "db.items.aggregate([{ $match: { n: { $type: 'int' } } }, { $group: { _id: null, total: { $sum: '$n' } } }])",
        '[ { _id: null, total: 277 } ]',
      ],
      ['db.items.find({ $nope: 1 })', /^Uncaught MongoServerError\[BadValue\]: unknown top level operator: \$nope/],
      ['db.runCommand({ nope: 1 })', "Uncaught MongoServerError[CommandNotFound]: no such command: 'nope'"],
      ['db.items.drop()', 'true'],
      ['db.dropDatabase()', "{ ok: 1, dropped: 'crud' }"],
    ]);
  });

  test('cursors go on with it', async () => {
    await play([
      ['use cursors', 'switched to db cursors'],
      [fill, '44'],
      ['db.items.find()', `${items(0, 20)} Type "it" for more`],
      ['it', `${items(20, 40)} Type "it" for more`],
      ['it', items(40, 45)],
      ['it', 'no cursor'],
      ['db.items.find().batchSize(3)', `${items(0, 20)} Type "it" for more`],
      ['it', `${items(20, 40)} Type "it" for more`],
      ['db.items.aggregate([{ $project: { n: 1 } }])', `${items(0, 20)} Type "it" for more`],
      ['const cursor = db.items.find({ _id: { $gte: 42 } }).batchSize(1)', ''],
      ['cursor.next()', '{ _id: 42, n: 2 }'],
      ['cursor.hasNext()', 'true'],
      ['cursor.toArray().length', '2'],
      ['cursor.hasNext()', 'false'],
      ['db.items.find().forEach(({ _id }) => { if (_id % 20 === 0) print(_id) })', '0 20 40'],
    ]);
  });

  test('indexes, plans and numbers', async () => {
    await play([
      ['use admin2', 'switched to db admin2'],
      [fill, '44'],
      [
        'db.items.find().explain().queryPlanner.winningPlan',
        "{ isCached: false, stage: 'COLLSCAN', direction: 'forward' }",
      ],
      ['db.items.createIndex({ n: 1 })', 'n_1'],
      ["db.items.createIndex({ u: 1 }, { unique: true, sparse: true, name: 'mine' })", 'mine'],
      [
        'db.items.getIndexes()',
        "[ { v: 2, key: { _id: 1 }, name: '_id_' }, { v: 2, key: { n: 1 }, name: 'n_1' }, " +
          "{ v: 2, key: { u: 1 }, name: 'mine', unique: true, sparse: true } ]",
      ],
      ['db.items.find({ n: 2 }).explain().queryPlanner.winningPlan.inputStage.indexName', 'n_1'],
      ["db.items.find({ n: 2 }).explain('executionStats').executionStats.nReturned", '9'],
      ["db.items.explain('executionStats').count({ n: 2 }).ok", '1'],
      ["db.items.dropIndex('mine')", /nIndexesWas: 3/],
      [
        'db.stats()',
        /^\{ db: 'admin2', collections: 1, views: 0, objects: 45, avgObjSize: 21, dataSize: 945, .*indexes: 2, .*ok: 1/,
      ],
      ['db.stats({ scale: 2 }).scaleFactor', '2'],
      ['db.items.stats()', /^\{ ok: 1, .*count: 45, .*ns: 'admin2\.items', nindexes: 2/],
      ['db.items.dataSize()', '945'],
      ['db.items.validate().valid', 'true'],
      ['db.serverStatus()', /^\{ host: .* version: '8\.0\.\d+', process: 'mongos', .* connections: \{ current: \d+/],
      ['db.serverStatus().opcounters.insert >= 1', 'true'],
      ['db.hostInfo().system.numCores > 0', 'true'],
      ['db.currentOp().ok', '1'],
      ['db.serverBuildInfo().versionArray[0]', '8'],
      ['db.getMongo()', /^mongodb:\/\/127\.0\.0\.1:\d+\//],
      ["db.items.renameCollection('renamed').ok", '1'],
      ['db.renamed.countDocuments()', '45'],
    ]);
  });
});

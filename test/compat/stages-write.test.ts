import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Db, Document } from '../support/driver.ts';
import { startServer, type TestServer } from '../support/server.ts';

/** What `$out` and `$merge` write and refuse, as a client meets it. */
let server: TestServer;
let db: Db;

beforeAll(async () => {
  server = await startServer();
  db = (await server.client()).db('writing');
});

afterAll(() => server?.close());

interface Row extends Document {
  _id: number;
}

const SOURCE: Row[] = [
  { _id: 1, k: 'a', n: 1 },
  { _id: 2, k: 'b', n: 2 },
];
const TARGET: Row[] = [
  { _id: 2, k: 'b', old: true },
  { _id: 3, k: 'c', old: true },
];

beforeEach(async () => {
  await db.dropDatabase();
  await db.collection<Row>('source').insertMany(SOURCE);
  await db.collection<Row>('target').insertMany(TARGET);
  await db.collection('target').createIndex({ k: 1 }, { unique: true });
});

const contents = (name = 'target') =>
  db
    .collection(name)
    .find({}, { sort: { _id: 1 } })
    .toArray();
const run = (...pipeline: Document[]) => db.collection('source').aggregate(pipeline).toArray();

describe('$merge', () => {
  const MERGED: [name: string, spec: Document | string, result: Document[]][] = [
    ['by name', 'target', [SOURCE[0]!, { _id: 2, k: 'b', old: true, n: 2 }, TARGET[1]!]],
    ['merge', { into: 'target' }, [SOURCE[0]!, { _id: 2, k: 'b', old: true, n: 2 }, TARGET[1]!]],
    ['replace', { into: 'target', whenMatched: 'replace' }, [...SOURCE, TARGET[1]!]],
    ['keepExisting', { into: 'target', whenMatched: 'keepExisting' }, [SOURCE[0]!, ...TARGET]],
    ['discard', { into: 'target', whenNotMatched: 'discard' }, [{ _id: 2, k: 'b', old: true, n: 2 }, TARGET[1]!]],
    [
      'a pipeline, with new',
      { into: 'target', whenMatched: [{ $set: { was: '$old', n: '$$new.n' } }] },
      [SOURCE[0]!, { _id: 2, k: 'b', old: true, was: true, n: 2 }, TARGET[1]!],
    ],
    [
      'a pipeline, with let',
      { into: 'target', let: { twice: { $multiply: ['$n', 2] } }, whenMatched: [{ $set: { n: '$$twice' } }] },
      [SOURCE[0]!, { _id: 2, k: 'b', old: true, n: 4 }, TARGET[1]!],
    ],
    [
      'a pipeline that fills in values',
      { into: 'target', whenMatched: [{ $fill: { output: { old: { value: false }, more: { value: 5 } } } }] },
      [SOURCE[0]!, { _id: 2, k: 'b', old: true, more: 5 }, TARGET[1]!],
    ],
    ['into no database', { into: { db: null, coll: 'target' }, whenMatched: 'keepExisting' }, [SOURCE[0]!, ...TARGET]],
    ['into a nameless one', { into: { db: '', coll: 'target' }, whenMatched: 'keepExisting' }, [SOURCE[0]!, ...TARGET]],
    [
      'on another unique field',
      { into: 'target', on: 'k', whenMatched: [{ $set: { n: '$$new.n' } }], whenNotMatched: 'discard' },
      [{ _id: 2, k: 'b', old: true, n: 2 }, TARGET[1]!],
    ],
  ];
  test.each(MERGED)('%s', async (_, spec, result) => {
    expect(await run({ $merge: spec })).toEqual([]);
    expect(await contents()).toEqual(result);
  });

  test('makes what is not there, in another database too', async () => {
    await run({ $merge: { into: { db: 'writing2', coll: 'made' } } });
    const other = (await server.client()).db('writing2');
    expect(await other.collection('made').find().toArray()).toEqual(SOURCE);
    await other.dropDatabase();
  });

  test('into what it reads meets nothing twice', async () => {
    await run({ $set: { n: { $add: ['$n', 10] } } }, { $unset: 'k' }, { $merge: { into: 'source' } });
    expect(await contents('source')).toEqual([
      { _id: 1, k: 'a', n: 11 },
      { _id: 2, k: 'b', n: 12 },
    ]);
  });

  const REFUSED: [spec: unknown, code: number, message: string | RegExp][] = [
    [1, 14, '$merge requires a string or object argument, but found int'],
    [{}, 40414, "BSON field '$merge.into' is missing but a required field"],
    [{ into: '' }, 5786800, "$merge 'into' field cannot be an empty string"],
    [{ into: {} }, 5786801, "$merge 'into' field must specify a 'coll' that is not empty, null or undefined"],
    [{ into: { coll: null } }, 5786801, /must specify a 'coll' that is not empty, null or undefined/],
    [{ into: { coll: 'x', y: 1 } }, 40415, "BSON field 'into.y' is an unknown field."],
    [{ into: '$x' }, 73, "Invalid $merge target namespace: 'writing.$x'"],
    [{ into: 'target', x: 1 }, 40415, "BSON field '$merge.x' is an unknown field."],
    [{ into: 1 }, 51178, /must be either a string or an object, but found int/],
    [{ into: 'system.x' }, 31319, 'Cannot $merge to special collection: system.x'],
    [{ into: { db: 'admin', coll: 'x' } }, 31320, 'Cannot $merge to internal database: admin'],
    [{ into: 'target', on: [] }, 51187, "If explicitly specifying $merge 'on', must include at least one field"],
    [{ into: 'target', on: [1] }, 51134, /must be strings, but found int/],
    [{ into: 'target', on: ['k', 'k'] }, 31465, "Found a duplicate field 'k'"],
    [{ into: 'target', on: 'n' }, 51183, /Cannot find index to verify that join fields will be unique/],
    [{ into: 'target', whenMatched: 'x' }, 2, "Enumeration value 'x' for field 'whenMatched' is not a valid value."],
    [{ into: 'target', whenMatched: 1 }, 51191, /must be either a string or an array, but found int/],
    [{ into: 'target', whenMatched: null }, 51191, /must be either a string or an array, but found null/],
    [
      { into: 'target', let: { v: '$nothing' }, whenMatched: [{ $set: { v: '$$v' } }] },
      17276,
      /Use of undefined variable: v/,
    ],
    [
      { into: 'target', whenNotMatched: 'x' },
      2,
      "Enumeration value 'x' for field '$merge.whenNotMatched' is not a valid value.",
    ],
    [
      { into: 'target', whenMatched: 'fail', whenNotMatched: 'discard' },
      51181,
      "Combination of $merge modes 'whenMatched: fail' and 'whenNotMatched: discard' is not supported",
    ],
    [{ into: 'target', let: { a: 1 } }, 51199, "Cannot use 'let' variables with 'whenMatched: merge' mode"],
    [
      { into: 'target', let: { new: 1 }, whenMatched: [] },
      51273,
      "'let' may not define a value for the reserved 'new' variable other than '$$ROOT'",
    ],
    [
      { into: 'target', whenMatched: 'fail' },
      11000,
      /\$merge failed due to a DuplicateKey error :: caused by :: E11000 duplicate key error collection: writing\.target index: _id_ dup key: \{ _id: 2 \}/,
    ],
    [
      { into: 'target', whenNotMatched: 'fail' },
      13113,
      /\$merge could not find a matching document in the target collection for at least one document in the source collection/,
    ],
  ];
  test.each(REFUSED)('%j is refused', async (spec, code, message) => {
    const error = await run({ $merge: spec }).then(undefined, (reason: unknown) => reason);
    expect(error).toMatchObject({ code });
    expect((error as Error).message).toMatch(message instanceof RegExp ? message : new RegExp(`${escaped(message)}$`));
  });

  test.each([
    [{ $set: { k: ['x'] } }, 51185, "$merge write error: 'on' field 'k' is an array"],
    [{ $unset: 'k' }, 51132, "$merge write error: 'on' field 'k' cannot be missing, null or undefined"],
    [
      { $set: { _id: 9 } },
      66,
      '$merge failed to update the matching document, did you attempt to modify the _id or the shard key?',
    ],
  ] as [Document, number, string][])('after %j on a field is refused', async (stage, code, message) => {
    const merging = run(stage, { $match: { n: 2 } }, { $merge: { into: 'target', on: 'k' } });
    await expect(merging).rejects.toMatchObject({ code, message: expect.stringContaining(message) });
    expect(await contents()).toEqual(TARGET);
  });
});

test('explain of a $merge looks for its index', async () => {
  const explained = db.collection('source').aggregate([{ $merge: { into: 'target', on: 'n' } }]);
  await expect(explained.explain()).rejects.toMatchObject({ code: 51183 });
});

describe('$out', () => {
  test.each([
    'target',
    { db: 'writing', coll: 'target' },
  ])('%j replaces the content, and keeps indexes', async (spec) => {
    expect(await run({ $project: { k: 1 } }, { $out: spec })).toEqual([]);
    expect(await contents()).toEqual(SOURCE.map(({ _id, k }) => ({ _id, k })));
    expect((await db.collection('target').indexes()).map(({ name }) => name)).toEqual(['_id_', 'k_1']);
  });

  test('makes what is not there, empty too', async () => {
    await run({ $match: { n: 99 } }, { $out: 'made' });
    expect(await db.listCollections({ name: 'made' }).toArray()).toHaveLength(1);
  });

  const REFUSED: [spec: unknown, code: number, message: string | RegExp][] = [
    [1, 16990, '$out only supports a string or object argument, but found int'],
    [{ db: '', coll: 'x' }, 73, 'Invalid $out target namespace, .x'],
    [{ db: 'writing', coll: null }, 40414, "BSON field '$out.coll' is missing but a required field"],
    [{ coll: 'x' }, 40414, "BSON field '$out.db' is missing but a required field"],
    [{ db: 'writing', coll: 'x', y: 1 }, 40415, "BSON field '$out.y' is an unknown field."],
    ['system.x', 17385, "Can't $out to special collection: system.x"],
    [{ db: 'config', coll: 'x' }, 31321, "Can't $out to internal database: config"],
    ['', 73, 'Invalid $out target namespace, writing.'],
  ];
  test.each(REFUSED)('%j is refused', async (spec, code, message) => {
    await expect(run({ $out: spec })).rejects.toMatchObject({ code, message });
  });

  test('that breaks a unique index changes nothing', async () => {
    await expect(run({ $set: { k: 'same' } }, { $out: 'target' })).rejects.toMatchObject({ code: 11000 });
    await expect(run({ $set: { _id: 1 } }, { $out: 'target' })).rejects.toMatchObject({ code: 11000 });
    await expect(run({ $set: { _id: 1 } }, { $out: 'fresh' })).rejects.toMatchObject({ code: 11000 });
    expect(await db.listCollections({ name: 'fresh' }).toArray()).toEqual([]);
    expect(await contents()).toEqual(TARGET);
  });
});

function escaped(text: string): string {
  return text.replace(/[$.*+?^{}()|[\]\\]/g, '\\$&');
}

test('$merge that inserts nothing makes no collection', async () => {
  const source = db.collection('merge-source');
  await source.insertOne({ n: 1 });
  await source.aggregate([{ $merge: { into: 'merge-none', whenNotMatched: 'discard' } }]).toArray();
  const failing = source.aggregate([{ $merge: { into: 'merge-none', whenNotMatched: 'fail' } }]).toArray();
  await expect(failing).rejects.toMatchObject({ code: 13113 });
  expect(await db.listCollections({ name: 'merge-none' }).toArray()).toEqual([]);
});

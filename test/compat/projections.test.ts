import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { BSON, type Collection, type Db, type Document, Double, Int32, Long } from '../support/driver.ts';
import { startServer, type TestServer } from '../support/server.ts';

/** What projections show of documents, order of fields included, and what they refuse, as a client meets it. */
let server: TestServer;
let db: Db;
let things: Collection<Document>;

beforeAll(async () => {
  server = await startServer();
  db = (await server.client()).db('projections');
  things = db.collection('things');
  await things.insertOne(WHOLE as Document);
});

afterAll(() => server?.close());

const WHOLE = {
  _id: 1,
  z: 'last name first',
  a: 1,
  b: { c: 2, d: { e: 3, f: 4 } },
  list: [1, 2, 3, 4, 5],
  docs: [{ x: 1, y: 1 }, { x: 2, y: 2 }, 7, { y: 3 }],
  deep: [{ in: [{ k: 1, l: 1 }, { k: 2 }] }, { in: 5 }],
  long: Long.fromNumber(5),
  double: new Double(5),
};
const { _id, z, a, long, double } = WHOLE;

const show = (doc: unknown) => BSON.EJSON.stringify(doc, { relaxed: false });
const EXACT = { promoteValues: false, promoteLongs: false, bsonRegExp: true };

/** projection, what it shows, the filter that a positional one needs. */
type Row = [projection: Document, shown: Document, filter?: Document];

describe('find', () => {
  const TABLE: Row[] = [
    [{}, WHOLE],
    // Inclusion: in the document's order, whatever the projection's.
    [
      { a: 1, z: 1 },
      { _id, z, a },
    ],
    [{ a: true, _id: 0 }, { a }],
    [{ a: new Double(0.5) }, { _id, a }],
    [{ _id: 1 }, { _id }],
    [{ nope: 1 }, { _id }],
    [{ 'b.d.e': 1 }, { _id, b: { d: { e: 3 } } }],
    [{ b: { d: { e: 1 } } }, { _id, b: { d: { e: 3 } } }],
    [
      { 'b.c': 1, b2: 1 },
      { _id, b: { c: 2 } },
    ],
    [{ 'a.x': 1 }, { _id }],
    [{ 'docs.x': 1 }, { _id, docs: [{ x: 1 }, { x: 2 }, {}] }],
    [{ 'docs.0.x': 1 }, { _id, docs: [{}, {}, {}] }],
    [{ 'deep.in.k': 1 }, { _id, deep: [{ in: [{ k: 1 }, { k: 2 }] }, {}] }],
    [
      { long: 1, double: 1 },
      { _id, long, double },
    ],
    // Exclusion.
    [
      { _id: 0, b: 0, list: 0, docs: 0, deep: 0, z: 0 },
      { a, long, double },
    ],
    [
      { b: 0, list: 0, docs: 0, deep: 0, z: 0, _id: 1 },
      { _id, a, long, double },
    ],
    [
      { 'b.d.e': 0, list: 0, docs: 0, deep: 0, z: 0 },
      { _id, a, b: { c: 2, d: { f: 4 } }, long, double },
    ],
    [
      { 'docs.x': 0, list: 0, b: 0, deep: 0, z: 0, a: 0, long: false },
      { _id, docs: [{ y: 1 }, { y: 2 }, 7, { y: 3 }], double },
    ],
    // Values made: after what is kept, in the projection's order.
    [
      { n: '$a', m: { $add: ['$a', 1] }, z: 1 },
      { _id, z, n: 1, m: 2 },
    ],
    [
      { a: { $literal: 1 }, z: 1 },
      { _id, z, a: 1 },
    ],
    [{ a: 'text', _id: 0 }, { a: 'text' }],
    [{ _id: '$a' }, { _id: 1 }],
    [{ _id: 0, 'b.c': '$z' }, { b: { c: z } }],
    [{ _id: 0, 'b.g': '$a', 'b.c': 1 }, { b: { c: 2, g: 1 } }],
    [{ _id: 0, 'docs.q': '$a' }, { docs: [{ q: 1 }, { q: 1 }, { q: 1 }, { q: 1 }] }],
    [{ _id: 0, n: '$nope', m: { $ifNull: ['$nope', null] } }, { m: null }],
    [{ _id: 0, n: ['$a', '$nope'] }, { n: [1, null] }],
    [{ _id: 0, n: { x: '$a' } }, { n: { x: 1 } }],
    [{ _id: 0, n: { $map: { input: '$list', in: { $multiply: ['$$this', 2] } } } }, { n: [2, 4, 6, 8, 10] }],
    // Slices.
    [
      { list: { $slice: 2 }, a: 1 },
      { _id, a, list: [1, 2] },
    ],
    [
      { list: { $slice: -2 }, a: 1 },
      { _id, a, list: [4, 5] },
    ],
    [
      { list: { $slice: [1, 2] }, a: 1 },
      { _id, a, list: [2, 3] },
    ],
    [
      { list: { $slice: [-2, 9] }, a: 1 },
      { _id, a, list: [4, 5] },
    ],
    [
      { list: { $slice: 0 }, a: 1 },
      { _id, a, list: [] },
    ],
    [
      { list: { $slice: 1 }, b: 0, docs: 0, deep: 0, z: 0 },
      { _id, a, list: [1], long, double },
    ],
    [
      { 'deep.in': { $slice: 1 }, a: 1 },
      { _id, a, deep: [{ in: [{ k: 1, l: 1 }] }, { in: 5 }] },
    ],
    [{ list: { $slice: ['$list', 1] }, _id: 0 }, { list: [1] }],
    // Elements.
    [{ docs: { $elemMatch: { x: 2 } } }, { _id, docs: [{ x: 2, y: 2 }] }],
    [
      { list: { $elemMatch: { $gt: 3 } }, a: 1 },
      { _id, a, list: [4] },
    ],
    [{ list: { $elemMatch: { $gt: 9 } } }, { _id }],
    [
      { docs: { $elemMatch: { x: 2 } }, b: 0, deep: 0, long: 0, double: 0 },
      { _id, z, a, list: WHOLE.list, docs: [{ x: 2, y: 2 }] },
    ],
    [{ a: { $elemMatch: { $gt: 0 } } }, { _id }],
    [{ 'list.$': 1 }, { _id, list: [3] }, { list: { $gte: 3 } }],
    [{ 'docs.$': 1, a: 1 }, { _id, a, docs: [{ x: 2, y: 2 }] }, { 'docs.x': 2 }],
    [{ 'docs.$': 1 }, { _id, docs: [{ y: 3 }] }, { docs: { $elemMatch: { y: 3 } } }],
  ];

  test.each(TABLE.map((row) => [show(row[0]), row] as const))('%s', async (_, [projection, shown, filter = {}]) => {
    const found = await things.find(filter, { ...EXACT, projection }).toArray();
    expect(found.map(show)).toEqual([show(shown)]);
  });

  const REFUSED: [projection: Document, code: number, errmsg: string | RegExp, filter?: Document][] = [
    [{ a: 1, b: 0 }, 31254, 'Cannot do exclusion on field b in inclusion projection'],
    [{ a: 0, b: 1 }, 31253, 'Cannot do inclusion on field b in exclusion projection'],
    [{ a: 0, n: '$b' }, 31310, 'Cannot use an expression n: "$b" in an exclusion projection'],
    [{ a: 0, n: { $add: [1, 2] } }, 31252, 'Cannot use expression other than $meta in exclusion projection'],
    [{ b: 1, 'b.c': 1 }, 31249, 'Path collision at b.c remaining portion c'],
    [{ 'b.c': 1, b: 1 }, 31250, 'Path collision at b'],
    [{ b: { c: 1 }, 'b.c': 1 }, 31250, 'Path collision at b.c'],
    [{ '': 1 }, 40352, 'FieldPath cannot be constructed with empty string'],
    [{ 'a.': 1 }, 40353, "FieldPath must not end with a '.'."],
    [{ 'a..b': 1 }, 15998, 'FieldPath field names may not be empty strings.'],
    [{ '.a': 1 }, 15998, 'FieldPath field names may not be empty strings.'],
    [{ $a: 1 }, 16410, "FieldPath field names may not start with '$'. Consider using $getField or $setField."],
    [{ a: { $nope: 1 } }, 31325, 'Unknown expression $nope'],
    [{ 'list.': { $elemMatch: { x: 1 } } }, 40353, "FieldPath must not end with a '.'."],
    ...[{ $: 1 }, { $a: { $elemMatch: { x: 1 } } }, { list: { $elemMatch: { x: 1 }, $slice: 1 } }].map(
      (projection): (typeof REFUSED)[number] => [
        projection,
        16410,
        "FieldPath field names may not start with '$'. Consider using $getField or $setField.",
      ],
    ),
    [{ a: {} }, 51270, 'An empty sub-projection is not a valid value. Found empty object at path'],
    [
      { list: { $slice: 'x' } },
      28667,
      /did not match the find\(\) syntax because :: Location31273: \$slice only supports numbers and \[skip, limit\] arrays :: The given syntax did not match the expression \$slice syntax\. :: caused by :: Expression \$slice takes at least 2 arguments, and at most 3, but 1 were passed in\.$/,
    ],
    // A path is read before what is asked of it; so is each key of a document of several.
    [{ $docs: { $elemMatch: { x: 1 } } }, 16410, /names may not start with '\$'/],
    [{ 'docs.': { $elemMatch: { x: 1 } } }, 40353, /must not end with/],
    [{ '.docs': { $elemMatch: { x: 1 } } }, 15998, /may not be empty/],
    [{ 'docs..x': { $slice: 1 } }, 15998, /may not be empty/],
    [{ docs: { $elemMatch: { x: 1 }, $slice: 1 } }, 16410, /names may not start with '\$'/],
    [{ docs: { $elemMatch: { x: 1 }, y: 1 } }, 16410, /names may not start with '\$'/],
    [{ $: 1 }, 16410, /names may not start with '\$'/],
    [{ docs: { $elemMatch: { $expr: { $eq: ['$x', 1] } } } }, 2, '$expr can only be applied to the top-level document'],
    // Where find's own $slice fails, even by a collision, the expression is what is refused.
    [{ list: 1, 'list.x': { $slice: 1 } }, 28667, /because :: Location31249: Path collision at list\.x/],
    [{ list: { $elemMatch: 1 } }, 31274, 'elemMatch: Invalid argument, object required, but got int'],
    [{ 'deep.in': { $elemMatch: { k: 1 } } }, 31275, 'Cannot use $elemMatch projection on a nested field.'],
    [
      { 'list.$': 1, 'docs.$': 1 },
      31276,
      'Cannot specify more than one positional projection per query.',
      { list: 1, docs: 7 },
    ],
    [
      { 'list.$': 1, docs: { $elemMatch: { x: 1 } } },
      31255,
      'Cannot specify positional operator and $elemMatch.',
      { list: 1 },
    ],
    [
      { docs: { $elemMatch: { x: 1 } }, 'list.$': 1 },
      31256,
      'Cannot specify positional operator and $elemMatch.',
      { list: 1 },
    ],
    [
      { 'docs.$.x': 1 },
      31394,
      /^As of 4.4, it's illegal to specify positional operator in the middle of a path/,
      { docs: 7 },
    ],
    [{ 'list.$': 'x' }, 31308, 'positional projection cannot be used with a literal', { list: 1 }],
    [
      { 'list.$': { $add: [1] } },
      31271,
      'positional projection cannot be used with an expression or sub object',
      { list: 1 },
    ],
    [
      { 'list.$': 1 },
      51246,
      "Executor error during find command: projections.things :: caused by :: positional operator '.$' couldn't find a matching element in the array",
      { list: { $size: 5 } },
    ],
    [{ 'list.$': 1 }, 224, '$expr is not allowed in this context', { list: 1, $expr: true }],
    [{ docs: { $elemMatch: { $jsonSchema: {} } } }, 224, '$jsonSchema is not allowed in this context'],
    [{ a: { $add: ['$a', '$z'] } }, 14, /\$add only supports numeric or date types, not string/],
  ];

  test.each(REFUSED.map((row) => [show(row[0]), row] as const))('%s is refused', async (_, [
    projection,
    code,
    errmsg,
    filter = {},
  ]) => {
    const text = typeof errmsg === 'string' ? errmsg : expect.stringMatching(errmsg);
    await expect(things.find(filter, { projection }).toArray()).rejects.toMatchObject({ code, errmsg: text });
  });

  test('findAndModify shows by the same rules', async () => {
    const update = { $set: { a: 1 } };
    const options = { ...EXACT, projection: { 'docs.$': 1, a: 1 } };
    const found = await things.findOneAndUpdate({ 'docs.x': 2 }, update, options);
    expect(show(found)).toBe(show({ _id, a, docs: [{ x: 2, y: 2 }] }));
  });
});

describe('$project', () => {
  const TABLE: Row[] = [
    [
      { a: 1, z: 1 },
      { _id, z, a },
    ],
    [{ _id: 0, a: 1 }, { a }],
    [
      { b: 0, list: 0, docs: 0, deep: 0, z: 0 },
      { _id, a, long, double },
    ],
    [{ 'docs.x': 1 }, { _id, docs: [{ x: 1 }, { x: 2 }, {}] }],
    [
      { n: new Int32(5), a: 1 },
      { _id, a },
    ],
    [{ n: { $literal: 5 } }, { _id, n: 5 }],
    [{ list: { $slice: ['$list', 2] } }, { _id, list: [1, 2] }],
    [
      { a: '$$REMOVE', z: 1 },
      { _id, z },
    ],
    [{ _id: 0, b: { c: '$a', d: { g: '$z' } } }, { b: { d: { g: z }, c: 1 } }],
  ];
  test.each(TABLE.map((row) => [show(row[0]), row] as const))('%s', async (_, [projection, shown]) => {
    const found = await things.aggregate([{ $project: projection }], EXACT).toArray();
    expect(found.map(show)).toEqual([show(shown)]);
  });

  const PREFIX = 'Invalid $project :: caused by :: ';
  const REFUSED: [projection: unknown, code: number, errmsg: string | RegExp][] = [
    [{}, 51272, `${PREFIX}projection specification must have at least one field`],
    [5, 15969, '$project specification must be an object'],
    [{ a: 1, b: 0 }, 31254, `${PREFIX}Cannot do exclusion on field b in inclusion projection`],
    [{ 'b.c': 1, b: 1 }, 31250, `${PREFIX}Path collision at b`],
    [{ 'list.$': 1 }, 31324, `${PREFIX}Cannot use positional projection in aggregation projection`],
    [{ list: { $elemMatch: { $gt: 1 } } }, 168, `${PREFIX}Cannot use $elemMatch in this context`],
    [
      { list: { $slice: 2 } },
      28667,
      `${PREFIX}Expression $slice takes at least 2 arguments, and at most 3, but 1 were passed in.`,
    ],
    [{ a: { $nope: 1 } }, 31325, `${PREFIX}Unknown expression $nope`],
    ...[{ $: 1 }, { a: { $add: [1], $abs: 2 } }, { a: { b: 1, $add: [1] } }].map(
      (projection): [Document, number, string] => [
        projection,
        16410,
        `${PREFIX}FieldPath field names may not start with '$'. Consider using $getField or $setField.`,
      ],
    ),
  ];
  test.each(REFUSED.map((row) => [show(row[0]), row] as const))('%s is refused', async (_, [spec, code, errmsg]) => {
    const text = typeof errmsg === 'string' ? errmsg : expect.stringMatching(errmsg);
    const run = things.aggregate([{ $project: spec as Document }]).toArray();
    await expect(run).rejects.toMatchObject({ code, errmsg: text });
  });
});

describe('the element that `$` stands for', () => {
  test.each<[Document, Document, Document, Document]>([
    // Of several conditions the last one tells, in the order of MongoDB's parsed queries: `$lt` stands before `$gte`.
    [{ a: [1, 2, 3, 4] }, { a: { $gte: 3, $lt: 9 } }, { 'a.$': 1 }, { a: [3] }],
    [{ a: [1, 2, 3, 4] }, { $and: [{ a: { $gt: 1 } }, { a: { $lt: 5 } }] }, { 'a.$': 1 }, { a: [2] }],
    [{ a: [1, 2, 3] }, { $or: [{ a: 3 }, { a: 2 }] }, { 'a.$': 1 }, { a: [2] }],
    [{ a: [10, 20], b: [1, 2] }, { b: 2 }, { 'a.$': 1 }, { a: [20] }],
    [{ a: 5 }, { a: 5 }, { 'a.$': 1 }, { a: 5 }],
    [{ b: 5 }, { b: 5 }, { 'a.$': 1 }, {}],
    [{ x: { other: 1 } }, { 'x.other': 1 }, { 'x.y.$': 1 }, { x: {} }],
  ])('of %j for %j', async (doc, filter, projection, expected) => {
    const coll = db.collection('positional');
    await coll.drop();
    await coll.insertOne({ ...doc });
    expect(await coll.find(filter, { projection: { _id: 0, ...projection } }).toArray()).toEqual([expected]);
  });

  test.each<[Document, Document, Document, number]>([
    [{ a: [1, 2], b: 10 }, { b: 10 }, { 'a.$': 1 }, 51246],
    [{ a: [1, 2], b: 10 }, { $or: [{ a: 1 }, { b: 10 }] }, { 'a.$': 1 }, 51246],
    [{ a: [1, 2, 3], b: [1] }, { a: 3 }, { 'b.$': 1 }, 51247],
  ])('is refused of %j for %j', async (doc, filter, projection, code) => {
    const coll = db.collection('positional');
    await coll.drop();
    await coll.insertOne({ ...doc });
    await expect(coll.find(filter, { projection }).toArray()).rejects.toMatchObject({ code });
  });
});

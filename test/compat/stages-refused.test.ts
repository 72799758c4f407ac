import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Db, Decimal128, type Document } from '../support/driver.ts';
import { startServer, type TestServer } from '../support/server.ts';

/** What stages refuse, as a client meets it. */
let server: TestServer;
let db: Db;

beforeAll(async () => {
  server = await startServer();
  db = (await server.client()).db('stages');
  await db.collection('things').insertOne({ n: 5 });
});

afterAll(() => server?.close());

/** A `$unionWith` within others. */
function nested(depth: number): Document {
  return { $unionWith: { coll: 'others', pipeline: depth > 1 ? [nested(depth - 1)] : [] } };
}

const REFUSED: [pipeline: unknown[], code: number, message: string | RegExp][] = [
  [[{ $nope: 1 }], 40324, "Unrecognized pipeline stage name: '$nope'"],
  [[{}], 40323, 'A pipeline stage specification object must contain exactly one field.'],
  [[{ $match: {}, $limit: 1 }], 40323, 'A pipeline stage specification object must contain exactly one field.'],
  [[{ $out: 'x' }, { $match: {} }], 40601, '$out can only be the final stage in the pipeline'],
  [[{ $match: {} }, { $collStats: {} }], 40602, '$collStats is only valid as the first stage in a pipeline.'],
  [[{ $match: 1 }], 15959, 'the match filter must be an expression in an object'],
  [[{ $limit: 0 }], 15958, 'the limit must be positive'],
  [[{ $limit: -1 }], 5107201, 'invalid argument to $limit stage: Expected a non-negative number in: $limit: -1'],
  [[{ $limit: 1.5 }], 5107201, 'invalid argument to $limit stage: Expected an integer: $limit: 1.5'],
  [[{ $skip: 'x' }], 5107200, 'invalid argument to $skip stage: Expected a number in: $skip: "x"'],
  [[{ $sort: {} }], 15976, '$sort stage must have at least one sort key'],
  [[{ $count: 1 }], 40156, 'the count field must be a non-empty string'],
  [[{ $count: 'a.b' }], 40160, "the count field cannot contain '.'"],
  ...['$documents', '$listLocalSessions'].flatMap((name): (typeof REFUSED)[number][] => {
    const pipeline = [{ [name]: name === '$documents' ? [{}] : {} }];
    const message = `'${name}' can only be run with {aggregate: 1}`;
    return [
      [[{ $lookup: { from: 'x', pipeline, as: 'y' } }], 73, message],
      [[{ $unionWith: { coll: 'x', pipeline } }], 73, message],
    ];
  }),
  [[{ $count: '_id' }], 9039800, "the count field cannot be '_id'"],
  [[{ $unwind: { path: '$a', preserveNullAndEmptyArrays: null } }], 28809, /expected a boolean .* got null$/],
  [[{ $sample: { size: 'x', y: 1 } }], 28746, 'size argument to $sample must be a number'],
  [[{ $sample: { y: 1, size: 'x' } }], 28748, 'unrecognized option to $sample: y'],
  [[{ $group: { _id: null, a: {} } }], 40234, "The field 'a' must be an accumulator object"],
  [[{ $group: { _id: { '': '$n' } } }], 15998, 'FieldPath field names may not be empty strings.'],
  [[{ $replaceWith: '$$KEEP' }], 17276, 'Use of undefined variable: KEEP'],
  [[{ $sort: { [Array(201).fill('a').join('.')]: 1 } }], 15, 'FieldPath is too long'],
  [[{ $sort: { n: Decimal128.fromString('1.5') } }], 15975, /must be 1 \(for ascending\) or -1/],
  [
    [{ $bucket: { groupBy: '$n', boundaries: [1, 3], output: { _id: { $sum: 1 } } } }],
    15948,
    "a group's _id may only be specified once",
  ],
  [
    [{ $set: { a: { 'b.c': 1 } } }],
    40183,
    "Invalid $set :: caused by :: cannot use dotted field name 'b.c' in a sub object: { a: { b.c: 1 } }",
  ],
  [
    [{ $addFields: { a: { b: { $add: 1, c: 2 } } } }],
    40181,
    'Invalid $addFields :: caused by :: an expression specification must contain exactly one field, the name of the expression. Found 2 fields in { $add: 1, c: 2 }, while parsing object { a: { b: { $add: 1, c: 2 } } }',
  ],
  [
    [{ $set: { 'a.b': 1, c: 2, a: { b: { d: 1 } } } }],
    40176,
    "Invalid $set :: caused by :: specification contains two conflicting paths. Cannot specify both 'a.b.d' and 'a.b': { a.b: 1, c: 2, a: { b: { d: 1 } } }",
  ],
  [[{ $set: { 'a.b.c': 1, 'a.b': 2 } }], 40176, /Cannot specify both 'a.b' and 'a.b.c': /],
  ...[{ $lookup: { from: 'x', as: 'y' } }, { $unionWith: { coll: 'x' } }].map((join): (typeof REFUSED)[number] => {
    const [[name, spec]] = Object.entries(join) as [[string, Document]];
    const pipeline = [{ $lookup: { from: 'x', pipeline: [{ $collStats: {} }], as: 'z' } }];
    return [
      [{ $facet: { a: [{ [name]: { ...spec, pipeline } }] } }],
      40600,
      `${name} is not allowed to be used within a $facet stage`,
    ];
  }),
  [[{ $unwind: '$' }], 40352, 'FieldPath cannot be constructed with empty string'],
  [[{ $unwind: '' }], 28812, 'no path specified to $unwind stage'],
  [[{ $unwind: '$a..b' }], 15998, 'FieldPath field names may not be empty strings.'],
  [[{ $unwind: { path: '$a', includeArrayIndex: 'b.' } }], 40353, "FieldPath must not end with a '.'."],
  [[{ $unwind: '$a\0' }], 16419, 'field path must not contain embedded null characters'],
  [[{ $unwind: { path: '$a', x: 1 } }], 28811, 'unrecognized option to $unwind stage: x'],
  [[{ $sample: {} }], 28749, '$sample stage must specify a size'],
  [[{ $sample: { size: -1 } }], 28747, 'size argument to $sample must be a positive integer'],
  [[{ $bucket: {} }], 40198, "$bucket requires 'groupBy' and 'boundaries' to be specified."],
  [
    [{ $bucket: { groupBy: '$a', boundaries: [1] } }],
    40192,
    "The $bucket 'boundaries' field must have at least 2 values, but found 1 value(s).",
  ],
  [
    [{ $bucket: { groupBy: '$a', boundaries: [2, 1] } }],
    40194,
    "The 'boundaries' option to $bucket must be sorted, but elements 0 and 1 are not in ascending order (2 is not less than 1).",
  ],
  [
    [{ $bucket: { groupBy: '$a', boundaries: [1, 'x'] } }],
    40193,
    "All values in the the 'boundaries' option to $bucket must have the same type. Found conflicting types int and string.",
  ],
  [
    [{ $bucket: { groupBy: '$a', boundaries: [1, 3], default: 2 } }],
    40199,
    "The $bucket 'default' field must be less than the lowest boundary or greater than or equal to the highest boundary.",
  ],
  [
    [{ $bucket: { groupBy: 1, boundaries: [1, 3] } }],
    40202,
    "The $bucket 'groupBy' field must be defined as a $-prefixed path or an expression, but found: 1.",
  ],
  [
    [{ $bucket: { groupBy: '$a', boundaries: [1, '$n'] } }],
    40191,
    `The $bucket 'boundaries' field must be an array of constant values, but found value: "$n".`,
  ],
  [
    [{ $bucket: { groupBy: '$a', boundaries: [1, 3], default: '$n' } }],
    40195,
    `The $bucket 'default' field must be a constant expression, but found: "$n".`,
  ],
  [[{ $bucket: { x: 1, groupBy: 1 } }], 40197, 'Unrecognized option to $bucket: x.'],
  [
    [{ $bucket: { groupBy: '$n', boundaries: [100, 200] } }],
    7158303,
    'PlanExecutor error during aggregation :: caused by :: $switch could not find a matching branch for an input, and no default was specified.',
  ],
  [
    [{ $bucketAuto: { groupBy: '$a', buckets: 0 } }],
    40243,
    "The $bucketAuto 'buckets' field must be greater than 0, but found: 0",
  ],
  [
    [{ $bucketAuto: { groupBy: 'a', buckets: 1 } }],
    40239,
    `The $bucketAuto 'groupBy' field must be defined as a $-prefixed path or an expression object, but found: "a"`,
  ],
  [[{ $bucketAuto: { groupBy: '$a', buckets: 1, granularity: 'R7' } }], 40257, "Unknown rounding granularity 'R7'"],
  [[{ $densify: 1 }], 9, 'The $densify stage specification must be an object, found int'],
  [[{ $densify: { range: {} } }], 40414, "BSON field '$densify.field' is missing but a required field"],
  [
    [{ $densify: { field: 'a', range: { step: 0, bounds: 'full' } } }],
    5733401,
    'The step parameter in a range statement must be a strictly positive numeric value',
  ],
  [
    [{ $densify: { field: 'a', range: { step: 1, bounds: 'partition' } } }],
    5733408,
    "One cannot specify the bounds as 'partition' without specifying a non-empty array of partitionByFields. You may have meant to specify 'full' bounds.",
  ],
  [
    [{ $densify: { field: 'a', range: { step: 1.5, unit: 'day', bounds: 'full' } } }],
    6586400,
    'The step parameter in a range statement must be a whole number when densifying a date range',
  ],
  [
    [{ $densify: { field: 'a', range: { step: 1, bounds: [1] } } }],
    5733403,
    'A bounding array in a range statement must have exactly two elements',
  ],
  [
    [{ $fill: { output: {} } }],
    6050203,
    "The output field in '$fill' must contain an object with at least one element",
  ],
  [[{ $fill: { output: { a: { method: 'x' } } } }], 6050202, 'Method must be either locf or linear'],
  [
    [{ $fill: { output: { a: 1 } } }],
    6050200,
    'Each fill output specification must be an object with exactly one field',
  ],
  [
    [{ $fill: { output: { a: { method: 'locf', value: 1 } } } }],
    6050201,
    "Each fill output specification must have exactly one of 'method' or 'value' fields, not both",
  ],
  [
    [{ $fill: { partitionBy: 1, output: { a: { value: 1 } } } }],
    14,
    "BSON field '$fill.partitionBy' is the wrong type 'int', expected types '[string, object]'",
  ],
  [
    [{ $fill: { output: { a: { method: 'linear' } } } }],
    605001,
    '$linearFill must be specified with a top level sortBy expression with exactly one element',
  ],
  [
    [{ $setWindowFields: { output: { a: { $sum: 1 }, 'a.b': { $sum: 1 } } } }],
    6307900,
    "$setWindowFields 'output' specification contains two conflicting paths",
  ],
  [
    [
      { $set: { n: 'x' } },
      { $setWindowFields: { sortBy: { n: 1 }, output: { a: { $sum: 1, window: { range: [0, 1] } } } } },
    ],
    5429414,
    'PlanExecutor error during aggregation :: caused by :: Invalid range: Expected the sortBy field to be a number, but it was string',
  ],
  [[{ $setWindowFields: { output: { a: { $first: '$n', x: 1 } } } }], 9, '$first got unexpected argument: x'],
  [
    [{ $setWindowFields: { output: { a: { $minN: { n: 1, input: '$n' }, $sum: 1 } } } }],
    9,
    '$minN got unexpected argument: $sum',
  ],
  [
    [{ $setWindowFields: { output: { a: { $sum: 1, $minN: { n: 1, input: '$n' } } } } }],
    9,
    'Cannot specify two functions in window function spec',
  ],
  [
    [{ $redact: 'no' }],
    17053,
    'PlanExecutor error during aggregation :: caused by :: $redact\'s expression should not return anything aside from the variables $$KEEP, $$DESCEND, and $$PRUNE, but returned "no"',
  ],
  [[{ $setWindowFields: { output: { a: { $summ: '$n', x: 1 } } } }], 9, 'Unrecognized window function, $summ'],
  [
    [{ $fill: { partitionBy: '$a', partitionByFields: ['b'], output: { a: { value: 1 } } } }],
    6050204,
    "Maximum one of 'partitionBy' and 'partitionByFields can be specified in '$fill'",
  ],
  [[{ $facet: {} }], 40169, 'the $facet specification must be a non-empty object, but found: $facet: {}'],
  [
    [{ $facet: { 'a.b': [] } }],
    16412,
    "$facet pipeline names must follow the naming rules of field path expressions. :: caused by :: FieldPath field names may not contain '.'. Consider using $getField or $setField.",
  ],
  [
    [{ $facet: { a: [1] } }],
    40171,
    'elements of arrays in $facet spec must be non-empty objects, a argument contained an element of type int: 0: 1',
  ],
  [[{ $facet: { a: 1 } }], 40170, 'arguments to $facet must be arrays, a is type int'],
  [[{ $facet: { a: [{ $facet: { b: [] } }] } }], 40600, '$facet is not allowed to be used within a $facet stage'],
  [[{ $lookup: 1 }], 9, 'the $lookup stage specification must be an object, but found int'],
  [
    [{ $lookup: { from: 'x', as: 'y' } }],
    9,
    "$lookup requires either 'pipeline' or both 'localField' and 'foreignField' to be specified",
  ],
  [[{ $lookup: { from: 'x', localField: 'y', foreignField: 'z' } }], 9, "must specify 'as' field for a $lookup"],
  [[{ $lookup: { from: 'x', as: 'y', pipeline: 1 } }], 14, "'pipeline' option must be specified as an array"],
  [
    [{ $lookup: { from: 'x', as: 'y', pipeline: [{ $out: 'z' }] } }],
    51047,
    "$out is not allowed within a $lookup's sub-pipeline",
  ],
  [
    [{ $lookup: { from: 'x', as: 'y', pipeline: [], let: { A: 1 } } }],
    9,
    "'A' starts with an invalid character for a user variable name",
  ],
  [
    [{ $lookup: { as: 'y', pipeline: [] } }],
    9,
    '$lookup stage without explicit collection must have a pipeline with $documents as first stage',
  ],
  [[{ $lookup: { from: '', as: 'y', localField: 'a', foreignField: 'b' } }], 73, 'invalid $lookup namespace: stages.'],
  [[{ $graphLookup: { as: 'x' } }], 9, `missing 'from' option to $graphLookup stage specification: { as: "x" }`],
  [[{ $graphLookup: { from: '.x' } }], 73, 'invalid $graphLookup namespace: stages..x'],
  [[nested(21)], 232, 'Maximum number of nested sub-pipelines exceeded. Limit is 20'],
  [
    [{ $graphLookup: { from: 'x' } }],
    40105,
    "$graphLookup requires 'from', 'as', 'startWith', 'connectFromField', and 'connectToField' to be specified.",
  ],
  [[{ $graphLookup: { from: 'x', maxDepth: -1 } }], 40101, 'maxDepth requires a nonnegative argument, found: -1'],
  [[{ $graphLookup: { from: 'x', x: 1 } }], 40104, 'Unknown argument to $graphLookup: x'],
  ...['localField', 'foreignField', 'as'].flatMap((field): [unknown[], number, string][] =>
    [
      ['$x', 16410, "FieldPath field names may not start with '$'. Consider using $getField or $setField."] as const,
      ['a..b', 15998, 'FieldPath field names may not be empty strings.'] as const,
    ].map(([path, code, message]) => [
      [{ $lookup: { from: 'x', localField: 'a', foreignField: 'b', as: 'c', [field]: path } }],
      code,
      message,
    ]),
  ),
  ...['connectFromField', 'connectToField', 'as', 'depthField'].map((field): [unknown[], number, string] => [
    [{ $graphLookup: { from: 'x', startWith: 1, connectFromField: 'a', connectToField: 'b', as: 'c', [field]: 'd.' } }],
    40353,
    "FieldPath must not end with a '.'.",
  ]),
  [[{ $merge: { into: 'x', on: '$a' } }], 16410, /^FieldPath field names may not start with '\$'/],
  [[{ $merge: { into: 'x', on: 'a' } }], 51183, 'Cannot find index to verify that join fields will be unique'],
  [[{ $merge: '' }], 73, "Invalid $merge target namespace: 'stages.'"],
  [[{ $out: { coll: 'x', z: 1 } }], 40415, "BSON field '$out.z' is an unknown field."],
  [[{ $set: { '': 1 } }], 40352, 'Invalid $set :: caused by :: FieldPath cannot be constructed with empty string'],
  [
    [{ $match: { a: 1 } }, { $geoNear: { near: [0, 0], distanceField: 'd' } }],
    40603,
    '$geoNear was not the first stage in the pipeline after optimization. Is optimization disabled or inhibited?',
  ],
  [[{ $geoNear: [] }], 5860400, "$geoNear requires a 'near' argument"],
  [
    [{ $densify: { field: 'n', partitionByFields: ['n'], range: { step: 1, bounds: 'full' } } }],
    8993000,
    "BSON field '$densify.partitionByFields' contains the field that is being densified",
  ],
  [
    [{ $group: { _id: 1, a: { $firstN: { n: 1e30, input: '$n' } } } }],
    31109,
    /Can't coerce out of range value 1e\+30 to long$/,
  ],
  [[{ $collStats: { count: { x: 1 } } }], 31170, 'expected an empty object, but got { x: 1 }'],
  [[{ $unionWith: '' }], 73, 'Namespace stagesis not a valid collection name'],
  [[{ $unionWith: 1 }], 9, 'the $unionWith stage specification must be an object or string, but found int'],
  [[{ $unionWith: { coll: 'x', y: 1 } }], 40415, "BSON field '$unionWith.y' is an unknown field."],
  [
    [{ $unionWith: { coll: 'x', pipeline: [{ $out: 'y' }] } }],
    31441,
    "$out is not allowed within a $unionWith's sub-pipeline",
  ],
  [[{ $replaceRoot: {} }], 40414, "BSON field '$replaceRoot.newRoot' is missing but a required field"],
  [[{ $replaceRoot: { a: 1 } }], 40415, "BSON field '$replaceRoot.a' is an unknown field."],
  [
    [{ $replaceWith: { $literal: [1, 'x'] } }],
    40228,
    /'replacement document' must evaluate to an object, but resulting value was: \[1, "x"\]. Type of resulting value: 'array'. Input document: \{\}$/,
  ],
  [
    [{ $set: { a: { $literal: 1234567.5 } } }, { $replaceWith: '$a' }],
    40228,
    /resulting value was: 1.23457e\+06. Type of resulting value: 'double'. Input document: \{a: 1.23457e\+06\}$/,
  ],
  [[{ $collStats: { storageStats: { scale: Decimal128.fromString('0.5') } } }], 2, /'scale' value must be >= 1/],
  [[{ $planCacheStats: { x: 1 } }], 9, "$planCacheStats parameters object may contain only 'allHosts' field. Found: x"],
  [[{ $planCacheStats: { allHosts: 1 } }], 13111, 'wrong type for field (allHosts) 16 != 8'],
  [
    [{ $planCacheStats: { allHosts: true, x: 1 } }],
    9,
    '$planCacheStats parameters object may contain at most one field.',
  ],
  [[{ $collStats: 1 }], 40166, '$collStats must take a nested object but found: $collStats: 1'],
  [[{ $collStats: { x: 1 } }], 40415, "BSON field '$collStats.x' is an unknown field."],
  [[{ $indexStats: 1 }], 28803, 'The $indexStats stage specification must be an empty object'],
  [[{ $currentOp: {} }], 73, "$currentOp must be run against the 'admin' database with {aggregate: 1}"],
];

test.each(REFUSED)('%j is refused', async (pipeline, code, message) => {
  const failing = db
    .collection('things')
    .aggregate(pipeline as Document[])
    .toArray();
  const expected = typeof message === 'string' ? message : expect.stringMatching(message);
  await expect(failing).rejects.toMatchObject({ code, message: expected });
});

test('statistics of what is not there are refused', async () => {
  const plans = db.collection('absent').aggregate([{ $planCacheStats: {} }]);
  await expect(plans.toArray()).rejects.toMatchObject({
    code: 50933,
    message: expect.stringMatching("collection 'stages.absent' does not exist"),
  });
});

test.each([
  [{ users: 'x' }, 14, "BSON field '$listLocalSessions.users' is the wrong type 'string', expected type 'array'"],
  [{ users: [1] }, 14, "BSON field '$listLocalSessions.users.0' is the wrong type 'int', expected type 'object'"],
  [{ users: [null, { user: 'x' }] }, 40414, "BSON field '$listLocalSessions.users.db' is missing but a required field"],
  [{ allUsers: 1 }, 14, "BSON field '$listLocalSessions.allUsers' is the wrong type 'int', expected type 'bool'"],
  [{ x: 1 }, 40415, "BSON field '$listLocalSessions.x' is an unknown field."],
  [
    { allUsers: true, users: [{ user: 'x', db: 'y' }] },
    12,
    '$listLocalSessions may not specify {allUsers:true} and {users:[...]} at the same time',
  ],
] as [Document, number, string][])('sessions asked for by %j are refused', async (spec, code, message) => {
  await expect(db.aggregate([{ $listLocalSessions: spec }]).toArray()).rejects.toMatchObject({ code, message });
});

test.each([
  ['$currentOp', { aggregate: 1, pipeline: [{ $currentOp: {} }], $db: 'admin' }],
  ['$listLocalSessions', { aggregate: 1, pipeline: [{ $listLocalSessions: {} }] }],
  ['$planCacheStats', { aggregate: 'things', pipeline: [{ $planCacheStats: {} }] }],
])('%s tells only of this moment', async (name, { $db, ...command }: Document) => {
  const target = (await server.client()).db($db ?? 'stages');
  const ask = (level: string) => target.command({ ...command, cursor: {}, readConcern: { level } });
  await expect(ask('majority')).rejects.toMatchObject({
    code: 72,
    errmsg: `Command aggregate does not support { readConcern: { level: "majority", provenance: "clientSupplied" } } :: caused by :: Aggregation stage ${name} cannot run with a readConcern other than 'local'. Current readConcern: majority`,
  });
  await expect(ask('available')).rejects.toMatchObject({ code: 72 });
  expect(await ask('local')).toMatchObject({ ok: 1 });
});

test('an explanation waits for no write', async () => {
  const command = { aggregate: 'things', pipeline: [], cursor: {}, explain: true, writeConcern: { w: 1 } };
  await expect(db.command(command)).rejects.toMatchObject({
    code: 9,
    errmsg: expect.stringContaining("does not support the'writeConcern'"),
  });
});

test('distinct values are those of a path that can be', async () => {
  await expect(db.command({ distinct: 'things', key: 'a\0b' })).rejects.toMatchObject({
    code: 31032,
    errmsg: 'Key field cannot contain an embedded null byte',
  });
});

test.each<[Document, number, RegExp]>([
  [{ x: '$a' }, 4890500, /^Command let Expression tried to access a field/],
  [{ x: { $add: [1, '$$ROOT.a'] } }, 4890500, /^Command let Expression tried to access a field/],
  [{ x: { $getField: 'a' } }, 4890500, /^Command let Expression tried to access a field/],
  [{ X: 1 }, 9, /^'X' starts with an invalid character for a user variable name$/],
  [{ 'a-b': 1 }, 9, /^'a-b' contains an invalid character for a variable name: '-'$/],
  [{ a: '$$b', b: 1 }, 17276, /^Use of undefined variable: b$/],
])('a command with let %j is refused', async (variables, code, message) => {
  const failing = db.command({ find: 'things', let: variables });
  await expect(failing).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
});

test('what let names may use what it named before', async () => {
  const variables = { a: 2, b: { $add: ['$$a', 3] }, c: { $getField: { field: 'k', input: { k: '$$b' } } } };
  const filter = { $expr: { $eq: ['$n', '$$c'] } };
  expect(await db.collection('things').find(filter, { let: variables }).toArray()).toHaveLength(1);
});

test('how many there are in a sample or a batch is cut off of doubles, and rounded of decimals', async () => {
  const count = async (size: unknown) =>
    (
      await db
        .collection('many')
        .aggregate([{ $sample: { size } }])
        .toArray()
    ).length;
  await db.collection('many').insertMany(Array.from({ length: 5 }, (_, n) => ({ n })));
  expect(await count(1.9)).toBe(1);
  expect(await count(Decimal128.fromString('0.6'))).toBe(1);
  expect(await count(Decimal128.fromString('1.5'))).toBe(2);
  expect(await count(Decimal128.fromString('2.5'))).toBe(2);
  const found = await db.command({ find: 'many', batchSize: Decimal128.fromString('3.5') });
  expect(found.cursor.firstBatch).toHaveLength(4);
  expect(await db.command({ count: 'many', skip: Decimal128.fromString('1.5') })).toMatchObject({ n: 3 });
});

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Collection, Db, Document } from '../support/driver.ts';
import { startServer, type TestServer } from '../support/server.ts';

/** Geospatial queries, stages and indexes as a client meets them. */
let server: TestServer;
let db: Db;
let places: Collection;

const point = (...coordinates: number[]) => ({ type: 'Point', coordinates });
const PARK = { _id: 1, name: 'Park', kind: 'green', loc: point(-73.97, 40.77) };
const GARDEN = { _id: 2, name: 'Garden', kind: 'green', loc: point(-73.9928, 40.7193) };
const STADIUM = { _id: 3, name: 'Stadium', kind: 'sport', loc: point(-73.9375, 40.8303) };
const PAIR = { _id: 4, name: 'Pair', kind: 'old', loc: [-73.95, 40.76] };
const STREET = {
  _id: 5,
  name: 'Street',
  kind: 'way',
  loc: {
    type: 'LineString',
    coordinates: [
      [-73.99, 40.73],
      [-73.98, 40.74],
    ],
  },
};
const DISTRICT = {
  _id: 6,
  name: 'District',
  kind: 'area',
  loc: {
    type: 'Polygon',
    coordinates: [
      [
        [-74.0, 40.71],
        [-73.98, 40.71],
        [-73.98, 40.72],
        [-74.0, 40.72],
        [-74.0, 40.71],
      ],
    ],
  },
};
const NOWHERE = { _id: 7, name: 'Nowhere', kind: 'none' };
const ALL = [PARK, GARDEN, STADIUM, PAIR, STREET, DISTRICT, NOWHERE];

/** A polygon that most of them lie in. */
const ISLAND = {
  type: 'Polygon',
  coordinates: [
    [
      [-74.02, 40.7],
      [-73.96, 40.7],
      [-73.96, 40.79],
      [-74.02, 40.79],
      [-74.02, 40.7],
    ],
  ],
};

beforeAll(async () => {
  server = await startServer();
  db = (await server.client()).db('geo');
  places = db.collection('places');
  await places.insertMany(ALL as Document[]);
});

afterAll(() => server?.close());

const ids = (docs: Document[]) => docs.map(({ _id }) => _id);
const sorted = (docs: Document[]) => ids(docs).sort();

const REGIONS: [object, number[]][] = [
  [{ $geoWithin: { $geometry: ISLAND } }, [1, 2, 5, 6]],
  [{ $geoWithin: { $centerSphere: [[-73.97, 40.77], 2 / 3963.2] } }, [1, 4]],
  [
    {
      $geoWithin: {
        $box: [
          [-74, 40.7],
          [-73.96, 40.8],
        ],
      },
    },
    [1, 2],
  ],
  [
    {
      $geoWithin: {
        $polygon: [
          [-74, 40.7],
          [-73.9, 40.8],
          [-74, 40.8],
        ],
      },
    },
    [1, 2, 4],
  ],
  [{ $geoWithin: { $center: [[-73.97, 40.77], 0.03] } }, [1, 4]],
  [{ $within: { $center: [[-73.97, 40.77], 0.03] } }, [1, 4]],
  [{ $geoIntersects: { $geometry: point(-73.99, 40.715) } }, [6]],
  [
    {
      $geoIntersects: {
        $geometry: {
          type: 'LineString',
          coordinates: [
            [-73.99, 40.74],
            [-73.98, 40.73],
          ],
        },
      },
    },
    [5],
  ],
  [{ $not: { $geoWithin: { $geometry: ISLAND } } }, [3, 4, 7]],
];

describe.each(['without an index', 'with a 2dsphere index'])('%s', (how) => {
  beforeAll(async () => {
    if (how === 'with a 2dsphere index') await places.createIndex({ loc: '2dsphere' });
  });

  test.each(REGIONS)('%j', async (condition, expected) => {
    expect(sorted(await places.find({ loc: condition }).toArray())).toEqual(expected);
    expect(await places.countDocuments({ $and: [{ loc: condition }, { _id: { $lt: 5 } }] } as Document)).toBe(
      expected.filter((id) => id < 5).length,
    );
  });
});

test('the index is listed with its version, and holds documents that have a geometry', async () => {
  expect((await places.indexes())[1]).toEqual({
    v: 2,
    key: { loc: '2dsphere' },
    name: 'loc_2dsphere',
    '2dsphereIndexVersion': 3,
  });
  const plan = await places.find({ loc: { $geoWithin: { $geometry: ISLAND } } }).explain('queryPlanner');
  expect(plan).toMatchObject({
    queryPlanner: { winningPlan: { stage: 'FETCH', inputStage: { stage: 'IXSCAN', indexName: 'loc_2dsphere' } } },
  });
});

const HERE = point(-73.9667, 40.78);

const NEAR: [object, number[]][] = [
  [{ $near: { $geometry: HERE } }, [1, 4, 5, 3, 6, 2]],
  [{ $near: { $geometry: HERE, $maxDistance: 2700 } }, [1, 4]],
  [{ $near: { $geometry: HERE, $minDistance: 1200, $maxDistance: 5400 } }, [4, 5]],
  [{ $nearSphere: { $geometry: HERE, $minDistance: 6000 } }, [3, 6, 2]],
  [{ $near: HERE, $maxDistance: 1500 }, [1]],
  [{ $nearSphere: [-73.9667, 40.78] }, [1, 4, 5, 3, 6, 2]],
  [{ $nearSphere: [-73.9667, 40.78], $maxDistance: 2700 / 6378100 }, [1, 4]],
];

describe('by distance', () => {
  test.each(NEAR)('%j', async (condition, expected) => {
    const query = { loc: condition };
    expect(ids(await places.find(query).toArray())).toEqual(expected);
    expect(ids(await places.find(query).skip(1).limit(2).toArray())).toEqual(expected.slice(1, 3));
    expect(ids(await places.find(query).sort({ _id: -1 }).toArray())).toEqual([...expected].sort().reverse());
    expect(await places.find(query).count()).toBe(expected.length);
    expect(ids(await places.find({ $and: [{ kind: 'green' }, query] }).toArray())).toEqual(
      expected.filter((id) => id < 3),
    );
    expect((await places.distinct('_id', query)).sort()).toEqual([...expected].sort());
  });

  test('explain tells how', async () => {
    const plan = await places.find({ loc: { $near: { $geometry: HERE } } }).explain('queryPlanner');
    expect(plan.queryPlanner.winningPlan).toEqual({
      isCached: false,
      stage: 'GEO_NEAR_2DSPHERE',
      keyPattern: { loc: '2dsphere' },
      indexName: 'loc_2dsphere',
      indexVersion: 2,
    });
  });

  test('the nearest is changed, and removed', async () => {
    const near = { loc: { $near: { $geometry: HERE } } };
    expect(await places.findOneAndUpdate(near, { $set: { seen: 1 } })).toMatchObject({ _id: 1 });
    expect(await places.updateOne(near, { $unset: { seen: 1 } })).toMatchObject({ modifiedCount: 1 });
    expect(await places.findOneAndDelete({ ...near, kind: 'green' })).toEqual(PARK);
    await places.insertOne(PARK as Document);
  });
});

const UNFOUND =
  'error processing query: ns=geo.placesTree: GEONEAR  field=%s maxdist=%s isNearSphere=0\nSort: {}\nProj: {}\n ' +
  'planner returned error :: caused by :: unable to find index for $geoNear query';

const REFUSED: [Document, number, string][] = [
  [{ other: { $near: { $geometry: HERE } } }, 291, UNFOUND.replace('%s', 'other').replace('%s', '1.79769e+308')],
  // The plane is no matter of a 2dsphere index.
  [{ loc: { $near: [0, 0], $maxDistance: 5 } }, 291, UNFOUND.replace('%s', 'loc').replace('%s', '5')],
  [{ loc: { $near: 123 } }, 2, 'near must be first in: { $near: 123 }'],
  [{ loc: { $exists: true, $near: [0, 0] } }, 2, 'near must be first in: { $exists: true, $near: [ 0, 0 ] }'],
  [{ $or: [{ loc: { $near: HERE } }, { a: 1 }] }, 2, 'geoNear must be top-level expr'],
  [{ loc: { $not: { $near: HERE } } }, 2, 'geoNear must be top-level expr'],
  [{ loc: { $near: HERE }, a: { $near: HERE } }, 2, 'Too many geoNear expressions'],
  [{ loc: { $near: [0, 0], $maxDistance: -1 } }, 16896, '$maxDistance must be non-negative'],
  [{ loc: { $geoWithin: { $box: [0, 0] } } }, 2, 'Point must be an array or object, instead got type int'],
  [{ loc: { $geoWithin: { $geometry: { type: 'X' } } } }, 2, 'unknown GeoJSON type: { type: "X" }'],
  [{ loc: { $geoIntersects: 5 } }, 2, 'geometry must be an object'],
];

test.each(REFUSED)('%j is refused', async (filter, code, errmsg) => {
  await expect(places.find(filter).toArray()).rejects.toMatchObject({ code, errmsg });
  await expect(places.deleteOne(filter)).rejects.toMatchObject({ code, errmsg });
});

test('a distance has no place where nothing is sorted', async () => {
  const near = { loc: { $near: { $geometry: HERE } } };
  const refused = { code: 5626500 };
  await expect(places.countDocuments(near)).rejects.toMatchObject(refused);
  await expect(places.aggregate([{ $limit: 5 }, { $match: near }]).toArray()).rejects.toMatchObject(refused);
  await expect(places.updateOne({}, { $pull: { list: near } } as Document)).rejects.toMatchObject(refused);
  const natural = { code: 2, errmsg: 'geoNear expression not allowed with $natural sort order' };
  await expect(places.find(near).sort({ $natural: 1 }).toArray()).rejects.toMatchObject(natural);
  expect(await db.collection('absent').find(near).toArray()).toEqual([]);
});

const EXTRACT = "Can't extract geo keys: ";

test.each<[unknown, string]>([
  ['hello', '{ _id: 9, loc: "hello" }  geo element must be an array or object: loc: "hello"'],
  [[200, 0], "{ _id: 9, loc: [ 200, 0 ] }  can't project geometry into spherical CRS: [ 200, 0 ]"],
  [{ type: 'Point' }, '{ _id: 9, loc: { type: "Point" } }  Point must be an array or object, instead got type missing'],
  [
    point(200, 0),
    '{ _id: 9, loc: { type: "Point", coordinates: [ 200, 0 ] } }  Longitude/latitude is out of bounds, lng: 200 lat: 0',
  ],
])('%j cannot stand in an indexed field', async (loc, message) => {
  const refused = { code: 16755, message: EXTRACT + message };
  await expect(places.insertOne({ _id: 9, loc } as Document)).rejects.toMatchObject(refused);
  await expect(places.replaceOne({ _id: 9 } as Document, { loc }, { upsert: true })).rejects.toMatchObject(refused);
  expect(await places.countDocuments({ _id: 9 } as Document)).toBe(0);
});

test('nothing stands for no geometry', async () => {
  const docs = [{ loc: null }, { loc: {} }, { loc: [] }, {}];
  const { insertedIds } = await places.insertMany(docs);
  await places.deleteMany({ _id: { $in: Object.values(insertedIds) } });
});

describe('$geoNear', () => {
  const near = point(-73.99279, 40.719296);

  test('gives the distance, and the place that was measured', async () => {
    const found = await places
      .aggregate([
        {
          $geoNear: {
            near,
            distanceField: 'dist.calculated',
            maxDistance: 2,
            query: { kind: 'green' },
            includeLocs: 'dist.location',
            spherical: true,
          },
        },
      ])
      .toArray();
    expect(found).toEqual([{ ...GARDEN, dist: { calculated: expect.closeTo(0.953993167, 8), location: GARDEN.loc } }]);
  });

  test.each<[object, number[], number]>([
    [{ near }, [6, 2, 5, 1, 4, 3], 0],
    [{ near, minDistance: 1, maxDistance: 6500 }, [5, 1, 4], 1214.58],
    [{ near, minDistance: { $subtract: [3, 2] }, maxDistance: { $multiply: [65, 100] } }, [5, 1, 4], 1214.58],
    [{ near: [-73.99279, 40.719296], spherical: true, minDistance: 1 / 6378100 }, [5, 1, 4, 3], 1214.58 / 6378100],
    [{ near: [-73.99279, 40.719296], spherical: true, distanceMultiplier: 6378.1 }, [6, 2, 5, 1, 4, 3], 0],
    [{ near: '$$here', key: 'loc', query: { kind: 'way' }, distanceMultiplier: 0.001 }, [5], 1.21458],
  ])('%j', async (options, expected, first) => {
    const pipeline = [{ $geoNear: { distanceField: 'd', ...options } }];
    const found = await places.aggregate(pipeline, { let: { here: { $literal: near } } }).toArray();
    // What lies in the district is no further than the district.
    expect(ids(found).sort()).toEqual([...expected].sort());
    expect(found.map(({ d }) => d)).toEqual(found.map(({ d }) => d).sort((a, b) => a - b));
    expect(found[0]!.d).toBeCloseTo(first, 2);
    const counted = await places
      .aggregate([...pipeline, { $count: 'n' }], { let: { here: { $literal: near } } })
      .next();
    expect(counted).toEqual({ n: expected.length });
  });

  test('begins the pipelines of $lookup and $unionWith', async () => {
    const pipeline = [{ $geoNear: { near: '$$here', distanceField: 'd', minDistance: 1, key: 'loc' } }, { $limit: 1 }];
    const joined = await places
      .aggregate([{ $match: { _id: 1 } }, { $lookup: { from: 'places', let: { here: '$loc' }, pipeline, as: 'next' } }])
      .toArray();
    expect(joined).toMatchObject([{ _id: 1, next: [{ _id: 4, d: expect.closeTo(2020.55, 1) }] }]);
    const united = await db
      .collection('absent')
      .aggregate([{ $unionWith: { coll: 'places', pipeline: [{ $geoNear: { near, distanceField: 'd' } }] } }])
      .toArray();
    expect(united).toHaveLength(6);
  });

  test('knows the variables of a $lookup in its query', async () => {
    const query = { $expr: { $eq: ['$kind', '$$kind'] } };
    const pipeline = [{ $geoNear: { near, distanceField: 'd', query } }, { $project: { _id: 1 } }];
    const joined = await places
      .aggregate([
        { $match: { _id: { $in: [1, 3] } } },
        { $lookup: { from: 'places', let: { kind: '$kind' }, pipeline, as: 'same' } },
        { $sort: { _id: 1 } },
      ])
      .toArray();
    expect(joined.map(({ same }) => ids(same))).toEqual([[2, 1], [3]]);
  });

  test('may stand behind filters that keep all', async () => {
    const stages = [{ $match: {} }, { $match: {} }, { $geoNear: { near, distanceField: 'd', maxDistance: 2 } }];
    expect(ids(await places.aggregate([...stages, { $match: { _id: 2 } }]).toArray())).toEqual([2]);
    await places.aggregate([...stages, { $out: 'found' }]).toArray();
    expect(await db.collection('found').countDocuments()).toBe(2);
    const lookup = { $lookup: { from: 'places', pipeline: stages, as: 'near' } };
    expect((await places.aggregate([{ $match: { _id: 1 } }, lookup]).next())?.near).toHaveLength(2);
    await expect(places.aggregate([{ $match: {} }, { $collStats: {} }]).toArray()).rejects.toMatchObject({
      code: 40602,
    });
  });

  test('is as far from a line as from the point of it that is the nearest', async () => {
    const coll = db.collection<{ _id: number } & Document>('beside');
    await coll.createIndex({ loc: '2dsphere' });
    const line = { type: 'LineString', coordinates: [point(5, 0), point(9, 0)].map(({ coordinates }) => coordinates) };
    await coll.insertMany([
      { _id: 1, loc: line },
      { _id: 2, loc: point(7, 0) },
    ]);
    const found = await coll.aggregate([{ $geoNear: { near: point(7, 2), distanceField: 'd' } }]).toArray();
    expect(ids(found)).toEqual([1, 2]);
    expect(found[0]!.d).toBe(found[1]!.d);
  });

  const COLLATION =
    "$geoNear does not accept the 'collation' parameter. Instead, specify a collation for the entire aggregation command.";
  const option = (more: object) => [{ $geoNear: { near, distanceField: 'd', ...more } }];

  test.each<[object[], number, string]>([
    [[{ $geoNear: 5 }], 10065, 'invalid parameter: expected an object ($geoNear)'],
    [[{ $geoNear: { distanceField: 'd' } }], 5860400, "$geoNear requires a 'near' argument"],
    [[{ $geoNear: { near } }], 16606, "$geoNear requires a 'distanceField' option as a String"],
    [option({ near: 5 }), 5860401, '$geoNear requires near argument to be a GeoJSON object or a legacy point(array)'],
    [option({ near: '$loc' }), 5860402, '$geoNear requires a constant near argument'],
    [option({ includeLocs: 1 }), 16607, "$geoNear requires that 'includeLocs' option is a String"],
    [option({ maxDistance: 'x' }), 14, '$geoNear requires $maxDistance to evaluate to a number'],
    [option({ minDistance: { $concat: ['1'] } }), 14, '$geoNear requires $minDistance to evaluate to a number'],
    [option({ minDistance: '$d' }), 7555701, '$geoNear requires $minDistance to evaluate to a constant number'],
    [option({ maxDistance: '$d' }), 7555702, '$geoNear requires $maxDistance to evaluate to a constant number'],
    [option({ maxDistance: { $subtract: [1, 2] } }), 2, 'maxDistance must be nonnegative'],
    [option({ distanceMultiplier: 'x' }), 14, 'distanceMultiplier must be a number'],
    [option({ collation: {} }), 40227, COLLATION],
    [option({ minDistance: -1 }), 2, 'minDistance must be nonnegative'],
    [option({ distanceMultiplier: -1 }), 2, 'distanceMultiplier must be nonnegative'],
    [option({ query: 1 }), 14, 'query must be an object'],
    [option({ query: { loc: { $near: near } } }), 5626500, expect.stringContaining('not allowed in this context')],
    [option({ query: { $text: { $search: 'x' } } }), 2, '$text is not allowed in this context'],
    [option({ query: { a: { $nope: 1 } } }), 2, 'unknown operator: $nope'],
    [option({ key: 1 }), 14, "$geoNear parameter 'key' must be of type string but found type: int"],
    [option({ key: '' }), 2, "$geoNear parameter 'key' cannot be the empty string"],
    [option({ key: 'other' }), 291, UNFOUND.replace('%s', 'other').replace('%s', '1.79769e+308')],
    [option({ limit: 5 }), 50858, "$geoNear no longer supports the 'limit' parameter. Use a $limit stage instead."],
    [option({ num: 5 }), 50857, "$geoNear no longer supports the 'num' parameter. Use a $limit stage instead."],
    [option({ start: near }), 50856, "$geoNear no longer supports the 'start' argument."],
    [
      [{ $limit: 5 }, ...option({})],
      40603,
      '$geoNear was not the first stage in the pipeline after optimization. Is optimization disabled or inhibited?',
    ],
    [[{ $facet: { a: option({}) } }], 40600, '$geoNear is not allowed to be used within a $facet stage'],
  ])('%j is refused', async (pipeline, code, errmsg) => {
    await expect(places.aggregate(pipeline as Document[]).toArray()).rejects.toMatchObject({ code, errmsg });
  });

  test('needs an index, and one only', async () => {
    const pipeline = option({});
    const bare = db.collection('bare');
    await bare.insertOne({ a: point(0, 0), b: point(0, 0) });
    await expect(bare.aggregate(pipeline).toArray()).rejects.toMatchObject({
      code: 27,
      codeName: 'IndexNotFound',
      errmsg: '$geoNear requires a 2d or 2dsphere index, but none were found',
    });
    await bare.createIndexes([{ key: { a: '2dsphere' } }, { key: { b: '2dsphere' } }]);
    await expect(bare.aggregate(pipeline).toArray()).rejects.toMatchObject({
      code: 27,
      errmsg: 'There is more than one 2dsphere index on geo.bare; unsure which to use for $geoNear',
    });
    expect(await bare.aggregate(option({ key: 'b' })).toArray()).toHaveLength(1);
    await expect(db.collection('absent').aggregate(pipeline).toArray()).rejects.toMatchObject({
      code: 26,
      errmsg: '$geoNear requires a geo index to run, but geo.absent does not exist',
    });
    const nowhere = (await server.client()).db('nowhere').collection('absent');
    expect(await nowhere.aggregate(pipeline).toArray()).toEqual([]);
  });
});

describe('a 2d index', () => {
  let plane: Collection;

  beforeAll(async () => {
    plane = db.collection('plane');
    await plane.createIndex({ at: '2d', kind: 1 }, { min: -500, max: 500, bits: 20 });
    await plane.insertMany([
      { _id: 1, at: [1, 2], kind: 'a' },
      {
        _id: 2,
        at: [
          [30, 40],
          [3, 4],
        ],
        kind: 'b',
      },
      { _id: 3, at: { x: 6, y: 8 }, kind: 'a' },
      { _id: 4, at: [{ x: 400, y: 300 }], kind: 'a' },
      { _id: 5, kind: 'a' },
      { _id: 6, at: 'nowhere' },
    ] as Document[]);
  });

  test.each<[object, number[]]>([
    [{ $near: [0, 0] }, [1, 2, 3, 4]],
    [{ $near: [0, 0], $maxDistance: 5 }, [1, 2]],
    [{ $near: [0, 0, 5] }, [1, 2]],
    [{ $near: { x: 0, y: 0 }, $minDistance: 5, $maxDistance: 10 }, [2, 3]],
    // On the sphere, and there the last one is nowhere.
    [{ $nearSphere: [0, 0] }, [1, 2, 3]],
    [{ $nearSphere: [0, 0], $maxDistance: 0.1 }, [1, 2]],
  ])('%j', async (condition, expected) => {
    expect(ids(await plane.find({ at: condition }).toArray())).toEqual(expected);
  });

  test.each<[object, number[]]>([
    [
      {
        $geoWithin: {
          $box: [
            [0, 0],
            [5, 5],
          ],
        },
      },
      [1, 2],
    ],
    [{ $geoWithin: { $center: [[400, 300], 1] } }, [4]],
    [
      {
        $geoWithin: {
          $polygon: [
            [0, 0],
            [10, 0],
            [10, 10],
          ],
        },
      },
      [],
    ],
    [{ $geoWithin: { $centerSphere: [[0, 0], 0.2] } }, [1, 2, 3]],
    [{ $geoIntersects: { $geometry: [6, 8] } }, [3]],
  ])('%j', async (condition, expected) => {
    expect(sorted(await plane.find({ at: condition }).toArray())).toEqual(expected);
  });

  test('gives distances in its own unit', async () => {
    const pipeline = [{ $geoNear: { near: [0, 0], distanceField: 'd', includeLocs: 'l', query: { kind: 'b' } } }];
    expect(await plane.aggregate(pipeline).toArray()).toMatchObject([{ _id: 2, d: 5, l: [3, 4] }]);
    const plan = await plane.find({ at: { $near: [0, 0] } }).explain('queryPlanner');
    expect(plan.queryPlanner.winningPlan).toMatchObject({ stage: 'GEO_NEAR_2D', indexName: 'at_2d_kind_1' });
  });

  test.each<[unknown, number, string]>([
    [[501, 0], 13027, 'point not in interval of [ -500, 500 ] :: caused by :: { _id: 9, at: [ 501, 0 ] }'],
    [[1], 13068, 'geo field only has 1 element :: caused by :: { _id: 9, at: [ 1 ] }'],
    [
      [1, 'x'],
      13026,
      `geo values must be 'legacy coordinate pairs' for 2d indexes :: caused by :: { _id: 9, at: [ 1, "x" ] }`,
    ],
    [point(1, 2), 16804, 'location object expected, location array not in correct format'],
  ])('%j cannot stand in its field', async (at, code, message) => {
    await expect(plane.insertOne({ _id: 9, at } as Document)).rejects.toMatchObject({ code, message });
  });

  test('is not for GeoJSON distances, nor for a centre outside of it', async () => {
    await expect(plane.find({ at: { $near: { $geometry: HERE } } }).toArray()).rejects.toMatchObject({ code: 291 });
    await expect(plane.find({ at: { $near: [900, 0] } }).toArray()).rejects.toMatchObject({
      code: 16433,
      errmsg: 'point not in interval of [ -500, 500 ] :: caused by :: { 0: 900.0, 1: 0.0 }',
    });
  });
});

test.each<[object, object, number, string]>([
  [{ a: '2d', b: '2d' }, {}, 16800, "can't have 2 geo fields"],
  [{ a: 1, b: '2d' }, {}, 16801, '2d has to be first in index'],
  [{ a: '2d', b: '2dsphere' }, {}, 67, "Can't use more than one index plugin for a single index."],
  [{ a: '2d' }, { bits: 33 }, 72, 'bits for hash must be > 0 and <= 32, but 33 bits were specified'],
  [{ a: '2d' }, { bits: 0 }, 72, 'bits for hash must be > 0 and <= 32, but 0 bits were specified'],
  [{ a: '2d' }, { bits: 'x' }, 14, "The field 'bits' must be a number, but got string"],
  [
    { a: '2d' },
    { min: 5, max: 5 },
    72,
    'region for hash must be valid and have positive area, but [5, 5] was specified',
  ],
  [
    { a: '2dsphere' },
    { '2dsphereIndexVersion': 'x' },
    14,
    "The field '2dsphereIndexVersion' must be a number, but got string",
  ],
  [
    { a: '2dsphere' },
    { '2dsphereIndexVersion': 9 },
    67,
    'unsupported geo index version { 2dsphereIndexVersion : 2dsphereIndexVersion: 9 }, only versions: [1,2,3] are supported',
  ],
  [{ a: '2dsphere' }, { coarsestIndexedLevel: -1 }, 16747, 'coarsestIndexedLevel must be >= 0'],
  [{ a: '2dsphere' }, { finestIndexedLevel: 31 }, 16748, 'finestIndexedLevel must be <= 30'],
  [
    { a: '2dsphere' },
    { finestIndexedLevel: 3, coarsestIndexedLevel: 4 },
    16749,
    'finestIndexedLevel must be >= coarsestIndexedLevel',
  ],
])('no index by %j with %j', async (key, options, code, errmsg) => {
  const index = { key, name: 'i', ...options };
  const creating = db.command({ createIndexes: 'kinds', indexes: [index] });
  await expect(creating).rejects.toMatchObject({ code, errmsg: expect.stringMatching(toldAs(errmsg)) });
});

/** Alone, or behind the definition. */
function toldAs(errmsg: string): RegExp {
  const literal = errmsg.replace(/[[\](){}.$]/g, '\\$&');
  return new RegExp(`^(Error in specification .* :: caused by :: )?${literal}$`);
}

test('an index is not built over what it cannot hold', async () => {
  const bad = db.collection('bad');
  await bad.insertOne({ _id: 1, a: point(0, 100) } as Document);
  await expect(bad.createIndex({ a: '2dsphere' })).rejects.toMatchObject({ code: 16755 });
  expect(await bad.indexes()).toHaveLength(1);
});

test('geometry may stand amid other fields, and in arrays of documents', async () => {
  const shops = db.collection('shops');
  await shops.createIndex({ kind: 1, 'branches.loc': '2dsphere', open: -1 });
  await shops.insertMany([
    { _id: 1, kind: 'a', branches: [{ loc: point(0, 0) }, { loc: point(10, 10) }], open: [1, 2] },
    { _id: 2, kind: 'b', branches: [{ loc: point(0, 1) }] },
    { _id: 3, kind: ['a', 'c'], branches: { loc: point(20, 20) } },
    { _id: 4, kind: 'a', branches: [] },
  ] as Document[]);
  const near = (more: object) => ({ 'branches.loc': { $near: { $geometry: point(10, 9), ...more } } });
  expect(ids(await shops.find({ kind: 'a', ...near({}) }).toArray())).toEqual([1, 3]);
  expect(ids(await shops.find(near({ $maxDistance: 200_000 })).toArray())).toEqual([1]);
  const square = {
    $box: [
      [-1, -1],
      [2, 2],
    ],
  };
  expect(sorted(await shops.find({ 'branches.loc': { $geoWithin: square } }).toArray())).toEqual([1, 2]);
  const circle = { $geoWithin: { $centerSphere: [[0, 0], 0.01] } };
  expect(ids(await shops.find({ kind: { $in: ['a', 'b'] }, 'branches.loc': circle }).toArray())).toEqual([1]);
});

test('the query of $geoNear may be about the path that it measures', async () => {
  const coll = db.collection('within-near');
  await coll.createIndex({ loc: '2dsphere' });
  await coll.insertMany([0, 1, 2].map((n) => ({ _id: n as never, loc: { type: 'Point', coordinates: [n, 0] } })));
  const query = {
    loc: {
      $geoWithin: {
        $box: [
          [-1, -1],
          [0.5, 1],
        ],
      },
    },
  };
  const near = { type: 'Point', coordinates: [0, 0] };
  const stage = { $geoNear: { near, distanceField: 'd', query } };
  expect((await coll.aggregate([stage]).toArray()).map(({ _id }) => _id)).toEqual([0]);
});

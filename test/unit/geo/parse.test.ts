import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CodedError } from '../../../src/base/index.ts';
import { Decimal128, doc, toValue } from '../../../src/bson/index.ts';
import { parseNear, parseRegion, parseStored, storedGeometry } from '../../../src/geo/index.ts';
import { anyValue } from '../bson/arbitraries.ts';

const STRICT = { type: 'name', properties: { name: 'urn:x-mongodb:crs:strictwinding:EPSG:4326' } };
const crs = (name: unknown) => ({ type: 'name', properties: { name } });
const square = (x: number, y: number, size: number) => [
  [x, y],
  [x + size, y],
  [x + size, y + size],
  [x, y + size],
  [x, y],
];
const point = (...coordinates: unknown[]) => ({ type: 'Point', coordinates });
const polygon = (...coordinates: unknown[]) => ({ type: 'Polygon', coordinates });

/** What a document may hold, and the points of it, as longitude and latitude. */
const STORED: [object, number][] = [
  [[1, 2], 1],
  [[1, 2, 3], 1],
  [[1n, Decimal128.fromString('2.5')], 1],
  [{ lng: 1, lat: 2 }, 1],
  [{ x: 1, y: 2, type: 'Point' }, 1],
  [point(1, 2), 1],
  [point(1, 2, 300), 1],
  [{ ...point(180, -90), crs: crs('EPSG:4326') }, 1],
  [{ ...point(180, -90), crs: crs('urn:ogc:def:crs:OGC:1.3:CRS84') }, 1],
  [
    {
      type: 'LineString',
      coordinates: [
        [0, 0],
        [1, 1],
        [1, 1],
      ],
    },
    0,
  ],
  [polygon(square(0, 0, 10), square(3, 3, 3)), 0],
  // The hole may touch the border once.
  [
    polygon(square(0, 0, 10), [
      [0, 0],
      [3, 1],
      [3, 3],
      [0, 0],
    ]),
    0,
  ],
  [
    {
      type: 'MultiPoint',
      coordinates: [
        [0, 0],
        [1, 1],
      ],
    },
    2,
  ],
  [
    {
      type: 'MultiLineString',
      coordinates: [
        [
          [0, 0],
          [1, 1],
        ],
        [
          [2, 2],
          [3, 3],
        ],
      ],
    },
    0,
  ],
  [{ type: 'MultiPolygon', coordinates: [[square(0, 0, 1)], [square(5, 5, 1)]] }, 0],
  [{ type: 'GeometryCollection', geometries: [point(1, 2), polygon(square(0, 0, 1)), point(3, 4)] }, 2],
];

test.each(STORED)('%o is a geometry', (literal, points) => {
  expect(parseStored(toValue(literal)).sphere?.points).toHaveLength(points);
});

test('a pair beyond longitude and latitude is a point of the plane alone', () => {
  expect(parseStored(toValue([200, 100]))).toMatchObject({ crs: 'flat', flat: { x: 200, y: 100 }, sphere: undefined });
});

/** What a document must not hold where an index expects a geometry, and MongoDB's words for it. */
const REFUSED: [unknown, string][] = [
  ['hello', 'geo element must be an array or object: loc: "hello"'],
  [5, 'geo element must be an array or object: loc: 5'],
  [[], 'Point must only contain numeric elements, instead got type missing'],
  [[1], 'Point must only contain numeric elements, instead got type missing'],
  [['1', 2], 'Point must only contain numeric elements, instead got type string'],
  [
    [
      [1, 2],
      [3, 4],
    ],
    'Point must only contain numeric elements, instead got type array',
  ],
  [{ x: 1 }, 'Point must only contain numeric elements, instead got type missing'],
  [[Number.POSITIVE_INFINITY, 5], 'Point coordinates must be finite numbers'],
  [{}, 'unknown GeoJSON type: {}'],
  [{ coordinates: [] }, 'unknown GeoJSON type: { coordinates: [] }'],
  [{ type: 'Circle' }, 'unknown GeoJSON type: { type: "Circle" }'],
  [{ type: 'Point' }, 'Point must be an array or object, instead got type missing'],
  [{ type: 'Point', coordinates: 'hello' }, 'Point must be an array or object, instead got type string'],
  [point('hello', 5), 'Point must only contain numeric elements, instead got type string'],
  [point(null, null), 'Point must only contain numeric elements, instead got type null'],
  [point(-27.482279, 153.028723), 'Longitude/latitude is out of bounds, lng: -27.4823 lat: 153.029'],
  [point(1000, 1000), 'Longitude/latitude is out of bounds, lng: 1000 lat: 1000'],
  [{ ...point(1, 2), crs: 5 }, 'GeoJSON CRS must be an object, instead got type int'],
  [{ ...point(1, 2), crs: { type: 'x' } }, 'GeoJSON CRS must have field "type": "name"'],
  [
    { ...point(1, 2), crs: { type: 'name' } },
    'CRS must have field "properties" which is an object, instead got type missing',
  ],
  [{ ...point(1, 2), crs: crs(3) }, 'In CRS, "properties.name" must be a string, instead got type int'],
  [{ ...point(1, 2), crs: crs('EPSG:3857') }, 'Unknown CRS name: EPSG:3857'],
  [{ ...point(1, 2), crs: STRICT }, 'Strict winding order CRS is only supported by polygon'],
  [{ type: 'LineString', coordinates: 5 }, 'GeoJSON coordinates must be an array of coordinates, instead got type int'],
  [{ type: 'LineString', coordinates: [5, 5] }, 'GeoJSON coordinates must be an array, instead got type int'],
  [
    {
      type: 'LineString',
      coordinates: [
        [1, 1],
        [1, 1],
      ],
    },
    'GeoJSON LineString must have at least 2 vertices, instead got 1 vertices: [ [ 1, 1 ], [ 1, 1 ] ]',
  ],
  [polygon(), 'Polygon has no loops.'],
  [{ type: 'Polygon', coordinates: 'hi' }, 'Polygon coordinates must be an array, instead got type string'],
  [polygon([]), 'Loop has no vertices: []'],
  [
    polygon([
      [0, 0],
      [1, 2],
      [2, 3],
    ]),
    'Loop is not closed, first vertex does not equal last vertex: [ [ 0, 0 ], [ 1, 2 ], [ 2, 3 ] ]',
  ],
  [
    polygon([
      [0, 0],
      [1, 2],
      [0, 0],
    ]),
    'Loop must have at least 3 different vertices, 2 unique vertices were provided: [ [ 0, 0 ], [ 1, 2 ], [ 0, 0 ] ]',
  ],
  [
    polygon([
      [0, 0],
      [1, 1],
      [1, 0],
      [0, 1],
      [0, 0],
    ]),
    'Loop is not valid: [ [ 0, 0 ], [ 1, 1 ], [ 1, 0 ], [ 0, 1 ], [ 0, 0 ] ] Edges 0 and 2 cross. Edge locations in ' +
      'degrees: [0.0000000, 0.0000000]-[1.0000000, 1.0000000] and [0.0000000, 1.0000000]-[1.0000000, 0.0000000]',
  ],
  [
    polygon([
      [0, 0],
      [2, 0],
      [1, 1],
      [2, 2],
      [2, 0],
      [0, 0],
    ]),
    'Loop is not valid: [ [ 0, 0 ], [ 2, 0 ], [ 1, 1 ], [ 2, 2 ], [ 2, 0 ], [ 0, 0 ] ] Duplicate vertices: 1 and 4',
  ],
  [
    polygon(square(0, 0, 1), [
      [2, 2],
      [3, 3],
      [3, 2],
      [2, 2],
    ]),
    'Secondary loops not contained by first exterior loop - secondary loops must be holes: ' +
      '[ [ 2, 2 ], [ 3, 3 ], [ 3, 2 ], [ 2, 2 ] ] first loop: [ [ 0, 0 ], [ 1, 0 ], [ 1, 1 ], [ 0, 1 ], [ 0, 0 ] ]',
  ],
  [{ type: 'MultiPoint', coordinates: [] }, 'MultiPoint coordinates must have at least 1 element'],
  [{ type: 'MultiLineString' }, 'MultiLineString coordinates must be an array, instead got type missing'],
  [{ type: 'MultiLineString', coordinates: [] }, 'MultiLineString coordinates must have at least 1 element'],
  [{ type: 'MultiPolygon', coordinates: '' }, 'MultiPolygon coordinates must be an array, instead got type string'],
  [{ type: 'MultiPolygon', coordinates: [] }, 'MultiPolygon coordinates must have at least 1 element'],
  [{ type: 'GeometryCollection' }, 'GeometryCollection geometries must be an array, instead got type missing'],
  [{ type: 'GeometryCollection', geometries: [] }, 'GeometryCollection geometries must have at least 1 element'],
  [
    { type: 'GeometryCollection', geometries: [point(1, 2), 5] },
    'Element 1 of "geometries" must be an object, instead got type int: 5',
  ],
  [{ type: 'GeometryCollection', geometries: [{ type: 'X' }] }, 'Unknown GeoJSON type: { type: "X" }'],
  [
    { type: 'GeometryCollection', geometries: [{ type: 'GeometryCollection' }] },
    'GeometryCollections cannot be nested: { type: "GeometryCollection" }',
  ],
  [
    { type: 'Polygon', coordinates: '', crs: STRICT },
    'Coordinates of polygon must be an array, instead got type string',
  ],
  [
    { ...polygon(square(0, 0, 1), []), crs: STRICT },
    'Only one simple loop is allowed in a big polygon, instead provided 2 loops: ' +
      '[ [ [ 0, 0 ], [ 1, 0 ], [ 1, 1 ], [ 0, 1 ], [ 0, 0 ] ], [] ]',
  ],
];

test.each(REFUSED)('%j is no geometry', (literal, message) => {
  const value = toValue(literal);
  expect(() => parseStored(value, 'loc')).toThrow(expect.objectContaining({ codeName: 'BadValue', message }));
  expect(storedGeometry(value)).toBeUndefined();
});

/** Loops that are right by themselves and not together. */
test.each<[object, string]>([
  [polygon(square(0, 0, 10), square(2, 2, 4), square(3, 3, 1)), 'Polygon interior loops cannot be nested: '],
  [polygon(square(0, 0, 10), square(2, 2, 4), square(4, 4, 4)), "Polygon isn't valid: Loop 1 crosses loop 2 "],
  [
    polygon(square(0, 0, 10), [
      [0, 0],
      [5, 5],
      [10, 10],
      [3, 5],
      [0, 0],
    ]),
    'Loop 1 shares more than one vertex with its parent loop 0: ',
  ],
])('%j', (literal, message) => {
  expect(() => parseStored(toValue(literal))).toThrow(message);
});

const within = (operand: unknown, more = {}) => parseRegion('$geoWithin', doc({ $geoWithin: operand, ...more }));

/** As MongoDB 8.0 answers. */
const REFUSED_REGIONS: [unknown, string][] = [
  [123, 'geometry must be an object'],
  [[], 'geometry must be an object'],
  [null, 'geometry must be an object'],
  [{}, "geo query doesn't have any geometry"],
  [{ $uniqueDocs: true }, "geo query doesn't have any geometry"],
  [{ $nope: [1] }, 'unknown geo specifier: $nope: [ 1 ]'],
  [{ $box: 5 }, 'unknown geo specifier: $box: 5'],
  [{ $box: [[0, 0]] }, 'Point must be an array or object, instead got type missing'],
  [{ $box: [0, 0] }, 'Point must be an array or object, instead got type int'],
  [
    {
      $box: [
        [0, 0, 0],
        [1, 1],
      ],
    },
    'Point must only contain two numeric elements',
  ],
  [{ $polygon: [] }, 'Polygon must have at least 3 points, instead got 0 vertices'],
  [
    {
      $polygon: [
        [0, 0],
        [1, 1],
      ],
    },
    'Polygon must have at least 3 points, instead got 2 vertices',
  ],
  [{ $center: [[0, 0]] }, 'Radius must be a non-negative number: EOO'],
  [{ $center: [[0, 0], -1] }, 'Radius must be a non-negative number: -1'],
  [{ $center: [[0, 0], 1, 2] }, 'Only 2 fields allowed for circular region, but more were provided'],
  [{ $center: [0, 0] }, 'Point must be an array or object, instead got type int'],
  [{ $centerSphere: [[0, 0], 'x'] }, 'Radius must be a non-negative number: "x"'],
  [{ $centerSphere: [[0, 100], 1] }, 'Longitude/latitude is out of bounds, lng: 0 lat: 100'],
  [{ $geometry: {} }, 'unknown GeoJSON type: {}'],
  [{ $geometry: [] }, 'Point must only contain numeric elements, instead got type missing'],
  [
    { $geometry: point(0, 0) },
    '$within not supported with provided geometry: { $geoWithin: { $geometry: { type: "Point", coordinates: [ 0, 0 ] } } }',
  ],
  [{ $geometry: [0, 0] }, '$within not supported with provided geometry: { $geoWithin: { $geometry: [ 0, 0 ] } }'],
  [
    {
      $center: [[0, 0], 1],
      $box: [
        [0, 0],
        [1, 1],
      ],
    },
    "$geoWithin doesn't accept multiple shapes $geoWithin: { $center: [ [ 0, 0 ], 1 ], $box: [ [ 0, 0 ], [ 1, 1 ] ] }",
  ],
];

test.each(REFUSED_REGIONS)('$geoWithin: %j is refused', (operand, message) => {
  expect(() => within(operand)).toThrow(expect.objectContaining({ codeName: 'BadValue', message }));
});

test('a region is asked for alone', () => {
  expect(() =>
    within(
      {
        $box: [
          [0, 0],
          [1, 1],
        ],
      },
      { $exists: true },
    ),
  ).toThrow("can't parse extra field: $exists: true");
});

test.each<[object]>([
  [
    {
      $box: [
        [0, 0],
        [1, 1],
      ],
    },
  ],
  [{ $center: [[0, 0], 1] }],
  [{ $geometry: [200, 0] }],
])('$geoIntersects: %j is refused', (operand) => {
  expect(() => parseRegion('$geoIntersects', doc({ $geoIntersects: operand }))).toThrow(
    '$geoIntersect not supported with provided geometry: { $geoIntersects: ',
  );
});

describe('what is asked for by distance', () => {
  const REFUSED_NEAR: [object, string, string][] = [
    [{ $near: [0, 0], $minDistance: -0.1 }, 'Location16894', '$minDistance must be non-negative'],
    [{ $near: [0, 0], $minDistance: 'x' }, 'Location16893', '$minDistance must be a number'],
    [{ $near: [0, 0], $maxDistance: -0.1 }, 'Location16896', '$maxDistance must be non-negative'],
    [{ $near: [0, 0], $maxDistance: null }, 'Location16895', '$maxDistance must be a number'],
    [{ $near: [0, 0, -1] }, 'Location18522', 'max distance must be non-negative'],
    [{ $near: [0, 0], $exists: 1 }, 'Location34413', 'invalid argument in geo near query: $exists'],
    [{ $near: [] }, 'BadValue', '$geometry is required for geo near query'],
    [{ $near: {} }, 'BadValue', '$geometry is required for geo near query'],
    [{ $near: ['0', '0'] }, 'BadValue', 'invalid argument in geo near query: 0'],
    [
      { $near: { $geometry: point(1000, 1000) } },
      'BadValue',
      'invalid point in geo near query $geometry argument: { type: "Point", coordinates: [ 1000, 1000 ] }  ' +
        'Longitude/latitude is out of bounds, lng: 1000 lat: 1000',
    ],
    [
      { $near: { $geometry: polygon(square(0, 0, 1)) } },
      'BadValue',
      'invalid point in geo near query $geometry argument: { type: "Polygon", coordinates: [ [ [ 0, 0 ], [ 1, 0 ], ' +
        '[ 1, 1 ], [ 0, 1 ], [ 0, 0 ] ] ] }  Expected geojson geometry with type Point, but got type Polygon',
    ],
    [{ $near: { $geometry: [0, 0] } }, 'BadValue', '$near requires geojson point, given { 0: 0, 1: 0 }'],
    [{ $near: { $geometry: point(0, 0), $minDistance: '1' } }, 'BadValue', '$minDistance must be a number'],
    [{ $near: { $geometry: point(0, 0), $maxDistance: -1 } }, 'BadValue', '$maxDistance must be non-negative'],
    [{ $near: { $geometry: point(0, 0), $x: 1 } }, 'BadValue', 'invalid argument in geo near query: $x'],
    [
      { $near: { $geometry: point(0, 0) }, $maxDistance: 5 },
      'BadValue',
      'geo near accepts just one argument when querying for a GeoJSON point. Extra field found: $maxDistance: 5',
    ],
    [{ $nearSphere: [200, 0] }, 'BadValue', 'Legacy point is out of bounds for spherical query'],
  ];

  test.each(REFUSED_NEAR)('%j is refused', (condition, codeName, message) => {
    expect(() => parseNear(doc(condition))).toThrow(expect.objectContaining({ codeName, message }));
  });

  test.each<[object, object]>([
    [{ $near: [1, 2] }, { crs: 'flat', min: 0, max: Number.MAX_VALUE, isNearSphere: false, isWrapping: false }],
    [{ $near: [1, 2, 5] }, { crs: 'flat', max: 5 }],
    [
      { $near: { x: 1, y: 2 }, $minDistance: 1, $maxDistance: 3 },
      { crs: 'flat', min: 1, max: 3 },
    ],
    [
      { $near: point(1, 2), $maxDistance: 3 },
      { crs: 'sphere', max: 3, isWrapping: true },
    ],
    [{ $near: { $geometry: { coordinates: [1, 2] }, $maxDistance: 3 } }, { crs: 'sphere', max: 3, isWrapping: true }],
    [{ $nearSphere: { $geometry: point(1, 2) } }, { crs: 'sphere', isNearSphere: false }],
    // Radians become metres.
    [
      { $nearSphere: [1, 2], $maxDistance: 2 },
      { crs: 'sphere', max: 2 * 6378100, isNearSphere: true, isWrapping: false },
    ],
  ])('%j', (condition, expected) => {
    expect(parseNear(doc(condition))).toMatchObject({ center: { x: 1, y: 2 }, ...expected });
  });
});

const nearlyGeometry = fc.record(
  {
    type: fc.constantFrom(
      'Point',
      'LineString',
      'Polygon',
      'MultiPoint',
      'MultiLineString',
      'MultiPolygon',
      'GeometryCollection',
    ),
    coordinates: fc.letrec((tie) => ({
      at: fc.oneof(
        { maxDepth: 4 },
        fc.double({ min: -200, max: 200 }),
        fc.integer({ min: -3, max: 3 }),
        fc.array(tie('at'), { maxLength: 5 }),
        fc.tuple(fc.integer({ min: -3, max: 3 }), fc.integer({ min: -3, max: 3 })),
        fc.constantFrom(null, 'x', {}, [
          [0, 0],
          [0, 1],
          [1, 1],
          [0, 0],
        ]),
      ),
    })).at,
    geometries: fc.constantFrom(5, [], [point(1, 2)], [polygon(square(0, 0, 1))]),
    crs: fc.constantFrom(STRICT, crs('EPSG:4326'), 5),
  },
  { requiredKeys: ['type'] },
);

test('whatever is parsed is a geometry or a BadValue', () => {
  const coded = (run: () => unknown) => {
    try {
      return run();
    } catch (error) {
      expect(error).toBeInstanceOf(CodedError);
      return error;
    }
  };
  fc.assert(
    fc.property(fc.oneof(nearlyGeometry, anyValue), (literal) => {
      const value = toValue(literal);
      const stored = coded(() => parseStored(value));
      expect(stored instanceof CodedError).toBe(storedGeometry(value) === undefined);
      for (const specifier of ['$geometry', '$box', '$polygon', '$center', '$centerSphere']) {
        coded(() => within({ [specifier]: value }));
      }
      coded(() => parseNear(doc({ $near: [value, value] })));
      coded(() => parseNear(doc({ $nearSphere: { $geometry: value } })));
    }),
    { numRuns: 1000 },
  );
});

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { doc, toValue } from '../../../src/bson/index.ts';
import { type GeoOperator, parseNear, parseRegion, parseStored } from '../../../src/geo/index.ts';

const ring = (left: number, bottom: number, right: number, top: number) => [
  [left, bottom],
  [right, bottom],
  [right, top],
  [left, top],
  [left, bottom],
];
const point = (...coordinates: number[]) => ({ type: 'Point', coordinates });
const line = (...coordinates: number[][]) => ({ type: 'LineString', coordinates });
const polygon = (...coordinates: unknown[]) => ({ type: 'Polygon', coordinates });
const strict = (...coordinates: unknown[]) => ({
  ...polygon(...coordinates),
  crs: { type: 'name', properties: { name: 'urn:x-mongodb:crs:strictwinding:EPSG:4326' } },
});
const collection = (...geometries: object[]) => ({ type: 'GeometryCollection', geometries });
const multi = (type: string, ...coordinates: unknown[]) => ({ type: `Multi${type}`, coordinates });

function matches(operator: GeoOperator, operand: object, stored: unknown): boolean {
  return parseRegion(operator, doc({ [operator]: operand })).matches(parseStored(toValue(stored)));
}

type Case = [operand: object, yes: unknown[], no: unknown[]];

const SQUARE = polygon(ring(0, 0, 10, 10));
const HOLED = polygon(ring(0, 0, 10, 10), ring(4, 4, 6, 6));
/** A ring around the pole, and one across the antimeridian. */
const POLE = polygon([
  [-120, 80],
  [0, 80],
  [120, 80],
  [-120, 80],
]);
const ANTIMERIDIAN = polygon([
  [170, -10],
  [-170, -10],
  [-170, 10],
  [170, 10],
  [170, -10],
]);

const WITHIN: Case[] = [
  [
    {
      $box: [
        [0, 0],
        [10, 5],
      ],
    },
    [[0, 0], [10, 5], [3, 3, 9], { lng: 1, lat: 1 }, point(5, 5)],
    [
      [10.1, 0],
      [5, 6],
      [-1, 0],
    ],
  ],
  // Any two corners.
  [
    {
      $box: [
        [10, 0],
        [0, 5],
      ],
    },
    [[3, 3]],
    [[3, 6]],
  ],
  [
    {
      $box: [
        [0, 0],
        [10, 5],
      ],
    },
    [],
    [line([1, 1], [2, 2]), polygon(ring(1, 1, 2, 2)), multi('Point', [1, 1])],
  ],
  [
    {
      $box: [
        [150, 95],
        [250, 105],
      ],
    },
    [[200, 100]],
    [[200, 90]],
  ],
  [
    {
      $polygon: [
        [0, 0],
        [3, 6],
        [6, 0],
      ],
    },
    [[3, 3], [0, 0], [3, 6], [2, 0], point(3, 1)],
    [
      [0, 5],
      [6, 6],
      [-1, 0],
      [7, 0],
    ],
  ],
  [
    {
      $polygon: [
        { x: 0, y: 0 },
        { x: 3, y: 6 },
        { x: 6, y: 0 },
      ],
    },
    [[3, 3]],
    [[0, 5]],
  ],
  [
    { $center: [[52, 1], 0.0001] },
    [
      [52, 1],
      [51.9999, 1],
      [52, 1.0001],
      [52.00005, 1.00005],
    ],
    [[52.0001, 1.0001]],
  ],
  [{ $center: [[0, 0], 5] }, [[3, 4], [0, 5], point(3, 4)], [[3.01, 4]]],
  [
    { $centerSphere: [[-88, 30], 10 / 3963.2] },
    [[-88, 30], point(-88.1, 30.1), { lng: -88, lat: 30.14 }],
    [
      [-88, 30.15],
      [200, 30],
    ],
  ],
  [{ $centerSphere: [[0, 90], 0.1] }, [[0, 85], [120, 85], [-180, 90], point(77, 89)], [[0, 84]]],
  [
    { $centerSphere: [[180, 0], 0.1] },
    [
      [-179, 0],
      [179, 0],
      [-180, 5],
    ],
    [
      [0, 0],
      [170, 0],
    ],
  ],
  [
    { $centerSphere: [[0, 0], 0.1] },
    [line([1, 1], [-1, 1]), polygon(ring(-1, -1, 1, 1))],
    [line([1, 1], [9, 1]), SQUARE],
  ],
  // Of more than half the sphere: this arc leaves it between its ends, and this polygon holds what is outside.
  [
    { $centerSphere: [[0, 90], 3] },
    [[0, -80], [180, 0], line([0, -70], [90, -70]), SQUARE],
    [
      [0, -85],
      line([0, -81], [179, -81]),
      polygon([
        [0, -70],
        [120, -70],
        [-120, -70],
        [0, -70],
      ]),
    ],
  ],
  [{ $centerSphere: [[0, 0], 4] }, [[180, 0], SQUARE, POLE], []],
  [
    { $geometry: SQUARE },
    [
      point(5, 5),
      [5, 5],
      point(0, 0),
      point(0, 5),
      point(10, 10),
      line([1, 1], [9, 9]),
      line([0, 0], [0, 10]),
      SQUARE,
      HOLED,
    ],
    [point(11, 5), [5, -1], line([5, 5], [15, 5]), line([11, 11], [12, 12]), polygon(ring(5, 5, 15, 9)), [200, 5]],
  ],
  [{ $geometry: SQUARE }, [multi('Point', [1, 1], [9, 9])], [multi('Point', [1, 1], [19, 9]), ANTIMERIDIAN]],
  // Borders are great circles: that from 0 to 10 at latitude 10 rises above it.
  [{ $geometry: SQUARE }, [point(5, 10.02)], [point(5, 10.05)]],
  [
    { $geometry: HOLED },
    [point(1, 1), point(4, 5), polygon(ring(1, 1, 3, 3)), line([1, 1], [1, 9])],
    [point(5, 5), line([1, 5], [9, 5]), polygon(ring(3, 3, 7, 7)), SQUARE],
  ],
  [
    { $geometry: multi('Polygon', [ring(0, 0, 10, 10)], [ring(20, 0, 30, 10)]) },
    [point(5, 5), point(25, 5), multi('Point', [5, 5], [25, 5])],
    [point(15, 5), line([5, 5], [25, 5])],
  ],
  [
    { $geometry: collection(point(50, 50), SQUARE) },
    [point(5, 5), collection(point(5, 5), line([1, 1], [2, 2]))],
    [point(50, 50)],
  ],
  [
    { $geometry: POLE },
    [point(0, 90), [77, 90], point(0, 85), line([-60, 88], [120, 88])],
    [point(0, 79), point(60, 70)],
  ],
  [
    { $geometry: ANTIMERIDIAN },
    [point(180, 0), point(-180, 0), point(175, 5), point(-175, -5)],
    [point(0, 0), point(160, 0)],
  ],
  // Whichever way round it is given, the smaller part is meant.
  [{ $geometry: polygon(ring(0, 0, 10, 10).reverse()) }, [point(5, 5)], [point(50, 50)]],
  // Unless it says that the inside is on the left.
  [{ $geometry: strict(ring(0, 0, 10, 10)) }, [point(5, 5), point(0, 0)], [point(50, 50)]],
  [
    { $geometry: strict(ring(0, 0, 10, 10).reverse()) },
    [point(50, 50), [-170, -80], point(0, 0), polygon(ring(20, 20, 40, 40)), line([20, 20], [170, 20])],
    [point(5, 5), line([20, 5], [-20, 5]), polygon(ring(-20, -20, 20, 20))],
  ],
  // What is stored like that matches nothing.
  [{ $geometry: SQUARE }, [], [strict(ring(1, 1, 2, 2))]],
  [
    {
      $uniqueDocs: true,
      $box: [
        [0, 0],
        [1, 1],
      ],
    },
    [[0, 0]],
    [],
  ],
];

const INTERSECTS: Case[] = [
  [
    { $geometry: point(5, 5) },
    [point(5, 5), [5, 5], SQUARE, line([0, 5], [5, 5]), multi('Point', [5, 5], [6, 6])],
    [point(5, 6), HOLED],
  ],
  [{ $geometry: [5, 5] }, [[5, 5], SQUARE], [[5, 6]]],
  [
    { $geometry: line([0, 0], [10, 10]) },
    [line([0, 10], [10, 0]), line([10, 10], [20, 10]), point(0, 0), SQUARE, HOLED, polygon(ring(-5, -5, 1, 1))],
    [line([0, 1], [10, 20]), point(3, 4), polygon(ring(8, 0, 10, 2))],
  ],
  [
    { $geometry: SQUARE },
    [
      point(5, 5),
      point(0, 5),
      line([-5, 5], [5, 5]),
      line([-5, 5], [15, 5]),
      polygon(ring(5, 5, 15, 15)),
      polygon(ring(-5, -5, 15, 15)),
    ],
    [point(-1, 5), line([-5, -5], [-1, 15]), polygon(ring(20, 0, 30, 10)), [500, 5]],
  ],
  [
    { $geometry: HOLED },
    [line([1, 5], [5, 5])],
    [point(5, 5), polygon(ring(4.5, 4.5, 5.5, 5.5)), line([4.5, 5], [5.5, 5])],
  ],
  [
    {
      $geometry: multi(
        'LineString',
        [
          [0, 0],
          [1, 1],
        ],
        [
          [5, 5],
          [6, 6],
        ],
      ),
    },
    [point(5, 5), point(0, 0)],
    [point(3, 3)],
  ],
  [
    { $geometry: multi('Polygon', [ring(0, 0, 1, 1)], [ring(5, 5, 6, 6)]) },
    [point(5.5, 5.5), line([0, 1.9], [1.9, 0])],
    [point(3, 3)],
  ],
  [{ $geometry: collection(point(1, 1), line([5, 5], [6, 6])) }, [point(1, 1), line([5, 6], [6, 5])], [point(2, 2)]],
  [
    { $geometry: strict(ring(0, 0, 10, 10).reverse()) },
    [point(50, 50), line([5, 5], [15, 5]), POLE],
    [point(5, 5), polygon(ring(4, 4, 6, 6))],
  ],
  [{ $centerSphere: [[0, 0], 1] }, [], [point(0, 0)]],
  [
    { $geometry: SQUARE },
    [collection(point(50, 50), point(5, 5)), multi('Polygon', [ring(5, 5, 6, 6)])],
    [strict(ring(1, 1, 2, 2))],
  ],
];

for (const [operator, cases] of [
  ['$geoWithin', WITHIN],
  ['$geoIntersects', INTERSECTS],
] as const) {
  describe(operator, () => {
    test.each(cases)('%j', (operand, yes, no) => {
      for (const stored of yes) expect([stored, matches(operator, operand, stored)]).toEqual([stored, true]);
      for (const stored of no) expect([stored, matches(operator, operand, stored)]).toEqual([stored, false]);
    });
  });
}

const METRES_PER_DEGREE = (6378100 * Math.PI) / 180;

/** A condition, what is stored, and how far that is, in the condition's unit of distance. */
test.each<[object, unknown, number | undefined]>([
  [{ $near: [0, 0] }, [3, 4], 5],
  [{ $near: [0, 0] }, point(3, 4), 5],
  [{ $near: [0, 0] }, line([3, 4], [5, 5]), undefined],
  [{ $near: { $geometry: point(0, 0) } }, point(0, 1), METRES_PER_DEGREE],
  [{ $near: { $geometry: point(0, 0) } }, [1, 0], METRES_PER_DEGREE],
  [{ $near: { $geometry: point(179, 0) } }, [-179, 0], 2 * METRES_PER_DEGREE],
  [{ $near: { $geometry: point(0, 89) } }, [180, 89], 2 * METRES_PER_DEGREE],
  [{ $near: { $geometry: point(0, 0) } }, [180, 0], 180 * METRES_PER_DEGREE],
  [{ $near: { $geometry: point(0, 0) } }, [200, 0], undefined],
  [{ $near: { $geometry: point(5, 5) } }, SQUARE, 0],
  [{ $near: { $geometry: point(12, 0) } }, SQUARE, 2 * METRES_PER_DEGREE],
  [{ $near: { $geometry: point(5, -3) } }, line([0, 0], [10, 0]), 3 * METRES_PER_DEGREE],
  [{ $near: { $geometry: point(13, 0) } }, line([0, 0], [10, 0]), 3 * METRES_PER_DEGREE],
  [
    { $near: { $geometry: point(0, 0) } },
    collection(point(9, 0), multi('Point', [8, 0], [0, 7])),
    7 * METRES_PER_DEGREE,
  ],
  [{ $near: { $geometry: point(0, 0) } }, strict(ring(1, 1, 2, 2)), undefined],
])('%j to %j', (condition, stored, distance) => {
  const found = parseNear(doc(condition)).distance(parseStored(toValue(stored)));
  if (distance === undefined) expect(found).toBeUndefined();
  else expect(found).toBeCloseTo(distance, 6);
});

test('a distance from a legacy pair is shown in radians', () => {
  const near = parseNear(doc({ $nearSphere: [0, 0] }));
  expect(near.shown(near.distance(parseStored(toValue([90, 0])))!)).toBeCloseTo(Math.PI / 2, 12);
});

const longitude = fc.double({ min: -180, max: 180, noNaN: true });
const latitude = fc.double({ min: -90, max: 90, noNaN: true });

test('a circle holds what the haversine formula says is near enough', () => {
  const radians = (degrees: number) => (degrees * Math.PI) / 180;
  const haversine = (a: number[], b: number[]) => {
    const [dLat, dLng] = [radians(b[1]! - a[1]!), radians(b[0]! - a[0]!)];
    const h = Math.sin(dLat / 2) ** 2 + Math.cos(radians(a[1]!)) * Math.cos(radians(b[1]!)) * Math.sin(dLng / 2) ** 2;
    return 2 * Math.asin(Math.min(1, Math.sqrt(h)));
  };
  const place = fc.tuple(longitude, latitude);
  fc.assert(
    fc.property(place, place, fc.double({ min: 0, max: 3.1, noNaN: true }), (center, other, radius) => {
      const distance = haversine(center, other);
      fc.pre(Math.abs(distance - radius) > 1e-7);
      expect(matches('$geoWithin', { $centerSphere: [center, radius] }, other)).toBe(distance < radius);
      const near = parseNear(doc({ $near: { $geometry: point(...center) } }));
      expect(near.distance(parseStored(toValue(other)))! / 6378100).toBeCloseTo(distance, 7);
    }),
    { numRuns: 500 },
  );
});

test('a polygon is the other way round exactly what it is not', () => {
  const corner = fc.tuple(fc.integer({ min: -60, max: 60 }), fc.integer({ min: -60, max: 60 }));
  fc.assert(
    fc.property(fc.tuple(corner, corner, corner), fc.tuple(longitude, latitude), ([a, b, c], place) => {
      fc.pre((b[0] - a[0]) * (c[1] - a[1]) !== (b[1] - a[1]) * (c[0] - a[0]));
      const border = [a, b, c, a];
      const [one, other] = [border, [...border].reverse()].map((each) =>
        matches('$geoWithin', { $geometry: strict(each) }, place),
      );
      // On the border it is in both.
      expect(one || other).toBe(true);
      const plain = matches('$geoWithin', { $geometry: polygon(border) }, place);
      if (one !== other) expect([one, other]).toContain(plain);
    }),
    { numRuns: 300 },
  );
});

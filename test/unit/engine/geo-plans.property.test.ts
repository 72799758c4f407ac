import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Doc, doc, toValue } from '../../../src/bson/index.ts';
import { nearestPlace, parseNear } from '../../../src/geo/index.ts';
import { NS, Stage } from './stage.ts';

const point = (...coordinates: number[]) => ({ type: 'Point', coordinates });

/** To a tenth of a metre: below the width of an atom, a point and the edge that it lies on are told apart by rounding alone. */
const degrees = (most: number) =>
  fc.integer({ min: -most * 1e6, max: most * 1e6 }).map((millionths) => millionths / 1e6);

/** Around the null island, where cells begin; around a pole; at the antimeridian; and anywhere. */
const longitude = fc.oneof(
  fc.integer({ min: -8, max: 8 }),
  degrees(8),
  { weight: 3, arbitrary: fc.constantFrom(-180, 180, 179.999999, -179.999999, 179.5, -179, 45, -45, 90, 135) },
  degrees(180),
);
const latitude = fc.oneof(
  fc.integer({ min: -8, max: 8 }),
  degrees(8),
  { weight: 3, arbitrary: fc.constantFrom(-90, 90, 89.999999, -89.999999, 89.5, -88, 0, 45) },
  degrees(90),
);
const pair = fc.tuple(longitude, latitude);
const size = fc.constantFrom(0.001, 0.5, 1, 4, 20);

const middleX = fc.oneof(fc.integer({ min: -20, max: 20 }), fc.constantFrom(180, -180, 179, -179.5, 90));
const middleY = fc.oneof(fc.integer({ min: -20, max: 20 }), fc.constantFrom(90, -90, 89.5));
const within = (most: number, value: number) => Math.max(-most, Math.min(most, value));

/** A triangle that is turned about its middle, cut off where the sphere's coordinates end. */
const triangle = fc.tuple(middleX, middleY, size, fc.integer({ max: 6, min: 0 })).map(([x, y, r, turn]) => {
  const corner = (at: number) => [within(180, x + r * Math.cos(turn + at)), within(90, y + r * Math.sin(turn + at))];
  return [corner(0), corner(2.1), corner(4.2), corner(0)];
});
const polygon = triangle.map((ring) => ({ type: 'Polygon', coordinates: [ring] }));
const line = triangle.map((ring) => ({ type: 'LineString', coordinates: ring.slice(0, 2) }));
const geoJson = fc.oneof({ weight: 3, arbitrary: pair.map((at) => point(...at)) }, polygon, line);
const stored = fc.oneof(
  { weight: 3, arbitrary: geoJson },
  pair,
  pair.map(([lng, lat]) => ({ lng, lat })),
  fc.array(geoJson, { minLength: 1, maxLength: 2 }).map((geometries) => ({ type: 'GeometryCollection', geometries })),
  fc.constantFrom(null, {}, []),
);
const kind = fc.constantFrom<unknown>('a', 'b', ['a', 'c'], null, undefined);
const document = fc.record(
  { kind, loc: stored, many: fc.array(fc.record({ at: geoJson }), { maxLength: 3 }) },
  { requiredKeys: ['kind'] },
);

const radius = fc.constantFrom(0, 0.0001, 0.02, 0.1, 1, 2.5);
const sphereRegion = fc.oneof(
  polygon.map(($geometry) => ({ $geoWithin: { $geometry } })),
  geoJson.map(($geometry) => ({ $geoIntersects: { $geometry } })),
  fc.tuple(pair, radius).map(($centerSphere) => ({ $geoWithin: { $centerSphere } })),
);
const bounds = fc.record(
  { $minDistance: fc.constantFrom(0, 1, 50_000), $maxDistance: fc.constantFrom(0, 200_000, 3_000_000) },
  { requiredKeys: [] },
);
const sphereNear = fc.tuple(pair, bounds).map(([at, more]) => ({ $near: { $geometry: point(...at), ...more } }));
const alsoKind = fc.constantFrom<object>(
  {},
  {},
  { kind: 'a' },
  { kind: { $in: ['b', 'c'] } },
  { kind: null },
  { kind: { $gt: 'a' } },
);

const ids = (docs: readonly Doc[]) => docs.map((each) => Number(each.get('_id')));

/** What is asked for by distance, by measuring every document. */
function nearest(docs: readonly Doc[], path: string, condition: object): { id: number; distance: number }[] {
  const near = parseNear(doc(condition));
  return docs
    .flatMap((each) => {
      const found = nearestPlace(each, path.split('.'), near);
      const isWithin = found && found.distance >= near.min && found.distance <= near.max;
      return isWithin ? [{ id: Number(each.get('_id')), distance: found.distance }] : [];
    })
    .sort((left, right) => left.distance - right.distance || left.id - right.id);
}

async function checkAll(
  documents: readonly object[],
  index: object,
  options: object,
  regions: readonly [string, object, object][],
  nears: readonly [string, object, object][],
) {
  const stage = await Stage.open();
  await stage.run(stage.engine.createIndexes(NS, [doc({ key: index, name: 'geo', ...options })]));
  await stage.insert(documents.map((each, n) => ({ _id: n, ...each })));
  // Some change places, so that keys are taken out as well as put in.
  const [first] = documents;
  await stage.update({ _id: { $gte: documents.length - 2 } }, { $set: first! }, { multi: true });
  await stage.delete({ _id: 1 });
  const all = await stage.find();
  for (const [path, condition, more] of regions) {
    const filter = { [path]: condition, ...more };
    const scanned = await stage.find(filter, { hint: doc({ $natural: 1 }) });
    const label = JSON.stringify([index, filter]);
    expect(ids(await stage.find(filter, { hint: 'geo' })).sort(), label).toEqual(ids(scanned).sort());
  }
  for (const [path, condition, more] of nears) {
    const candidates = await stage.find(more);
    const expected = nearest(candidates, path, condition);
    const found = ids(await stage.find({ ...more, [path]: condition }));
    const label = JSON.stringify([index, path, condition, more]);
    expect(found, label).toEqual(expected.map(({ id }) => id));
    const few = ids(await stage.find({ ...more, [path]: condition }, { skip: 1, limit: 2 }));
    expect(few, label).toEqual(found.slice(1, 3));
  }
  expect(all.length).toBe(documents.length - 1);
}

test('an index of the sphere finds what a scan finds, nearest first', async () => {
  const index = fc.constantFrom<[object, object]>(
    [{ loc: '2dsphere' }, {}],
    [{ loc: '2dsphere', kind: -1 }, {}],
    [{ kind: 1, loc: '2dsphere' }, {}],
    [{ loc: '2dsphere', 'many.at': '2dsphere' }, {}],
    [{ loc: '2dsphere' }, { coarsestIndexedLevel: 0, finestIndexedLevel: 5 }],
  );
  const regions = fc.array(fc.tuple(fc.constant('loc'), sphereRegion, alsoKind), { minLength: 4, maxLength: 6 });
  const nears = fc.array(fc.tuple(fc.constant('loc'), sphereNear, alsoKind), { minLength: 2, maxLength: 3 });
  await fc.assert(
    fc.asyncProperty(
      fc.array(document, { minLength: 3, maxLength: 15 }),
      index,
      regions,
      nears,
      (docs, [key, options], where, near) => checkAll(docs, key, options, where, near),
    ),
    { numRuns: 60 },
  );
}, 60_000);

test('an index finds geometry in arrays of documents', async () => {
  const regions = fc.array(fc.tuple(fc.constant('many.at'), sphereRegion, alsoKind), { minLength: 4, maxLength: 6 });
  const nears = fc.array(fc.tuple(fc.constant('many.at'), sphereNear, alsoKind), { minLength: 2, maxLength: 3 });
  await fc.assert(
    fc.asyncProperty(fc.array(document, { minLength: 3, maxLength: 15 }), regions, nears, (docs, where, near) =>
      checkAll(docs, { 'many.at': '2dsphere' }, {}, where, near),
    ),
    { numRuns: 30 },
  );
}, 60_000);

test('an index of the plane finds what a scan finds, nearest first', async () => {
  const at = fc.oneof(
    pair,
    pair.map(([x, y]) => ({ x, y })),
    fc.array(pair, { minLength: 1, maxLength: 3 }),
    fc.constantFrom(null, 'x', []),
  );
  const documents = fc.array(fc.record({ kind, loc: at }, { requiredKeys: ['kind'] }), { minLength: 3, maxLength: 15 });
  const region = fc.oneof(
    fc.tuple(pair, pair).map(($box) => ({ $geoWithin: { $box } })),
    fc.tuple(pair, size).map(($center) => ({ $geoWithin: { $center } })),
    triangle.map(($polygon) => ({ $geoWithin: { $polygon } })),
    fc.tuple(pair, radius).map(($centerSphere) => ({ $geoWithin: { $centerSphere } })),
  );
  const flatBounds = fc.record(
    { $minDistance: fc.constantFrom(0, 1, 5), $maxDistance: fc.constantFrom(0, 2, 20) },
    { requiredKeys: [] },
  );
  const radians = fc.record(
    { $minDistance: fc.constantFrom(0, 0.01), $maxDistance: fc.constantFrom(0.05, 1, 3.2) },
    { requiredKeys: [] },
  );
  const near = fc.oneof(
    fc.tuple(pair, flatBounds).map(([$near, more]) => ({ $near, ...more })),
    fc.tuple(pair, radians).map(([$nearSphere, more]) => ({ $nearSphere, ...more })),
  );
  const index = fc.constantFrom<[object, object]>(
    [{ loc: '2d' }, {}],
    [{ loc: '2d', kind: 1 }, { bits: 3 }],
    [{ loc: '2d' }, { min: -200, max: 300, bits: 32 }],
  );
  const regions = fc.array(fc.tuple(fc.constant('loc'), region, alsoKind), { minLength: 4, maxLength: 6 });
  const nears = fc.array(fc.tuple(fc.constant('loc'), near, alsoKind), { minLength: 2, maxLength: 3 });
  await fc.assert(
    fc.asyncProperty(documents, index, regions, nears, (docs, [key, options], where, by) =>
      checkAll(docs, key, options, where, by),
    ),
    { numRuns: 60 },
  );
}, 60_000);

/** An area and a line that end at the antimeridian, by its eastern name. */
const EDGED = {
  type: 'Polygon',
  coordinates: [
    [
      [170, 0],
      [180, 0],
      [180, 10],
      [170, 0],
    ],
  ],
};
const BORDER = {
  type: 'LineString',
  coordinates: [
    [180, 0],
    [180, 10],
  ],
};

/** Two names of one place end up in cells beside each other, which a query must look through both. */
test.each([
  ['the antimeridian', point(180, 0), point(-180, 0)],
  ['the antimeridian, from the west', point(-180, 0), point(180, 0)],
  ['the antimeridian near a pole', point(180, -89.5), point(-180, -89.5)],
  ['a pole', point(0, 90), point(180, 90)],
  ['the edge of an area', EDGED, point(-180, 5)],
  ['the edge of an area asked for', point(-180, 5), EDGED],
  ['a line', BORDER, point(-180, 5)],
  ['a line asked for', point(-180, 5), BORDER],
  [
    'two lines',
    {
      type: 'LineString',
      coordinates: [
        [-180, -5],
        [-180, 8],
      ],
    },
    BORDER,
  ],
])('an index finds what lies on %s by its other name', async (_, stored, asked) => {
  const stage = await Stage.open();
  await stage.run(stage.engine.createIndexes(NS, [doc({ key: { loc: '2dsphere' }, name: 'geo' })]));
  await stage.insert([{ _id: 1, loc: stored }]);
  const filter = { loc: { $geoIntersects: { $geometry: asked } } };
  expect(await stage.find(filter, { hint: doc({ $natural: 1 }) })).toHaveLength(1);
  expect(await stage.find(filter, { hint: 'geo' })).toHaveLength(1);
});

test('a pair beyond the sphere is found in the plane, and nowhere on the sphere', async () => {
  const stage = await Stage.open();
  await stage.run(stage.engine.createIndexes(NS, [doc({ key: { loc: '2d' }, name: 'geo', min: -500, max: 500 })]));
  await stage.insert([{ _id: 1, loc: [400, 200] }]);
  expect(await stage.find({ loc: { $near: [0, 0] } })).toHaveLength(1);
  expect(await stage.find({ loc: { $nearSphere: [0, 0] } })).toEqual([]);
  expect(
    await stage.find({
      loc: toValue({
        $geoWithin: {
          $box: [
            [399, 199],
            [401, 201],
          ],
        },
      }),
    }),
  ).toHaveLength(1);
});

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { seededRandom } from '../../../src/base/index.ts';
import { type Doc, doc } from '../../../src/bson/index.ts';
import { nearestPlace, parseNear } from '../../../src/geo/index.ts';
import { NS, Stage } from './stage.ts';

const point = (...coordinates: number[]) => ({ type: 'Point', coordinates });

/** Where searches go wrong: at the poles, where longitudes end, close together, far apart, and twice at one place. */
const coordinates = fc.oneof(
  fc.tuple(fc.double({ min: -180, max: 180, noNaN: true }), fc.double({ min: -90, max: 90, noNaN: true })),
  fc.tuple(fc.constantFrom(-180, 180, 179.9999, -179.9999), fc.double({ min: -90, max: 90, noNaN: true })),
  fc.tuple(fc.double({ min: -180, max: 180, noNaN: true }), fc.constantFrom(-90, 90, 89.9999, -89.9999)),
  fc.tuple(fc.double({ min: 10, max: 10.001, noNaN: true }), fc.double({ min: 50, max: 50.001, noNaN: true })),
  fc.constantFrom<[number, number]>([10, 50], [0, 0], [180, 0], [-180, 0], [45, 35.264]),
);
const side = fc.constantFrom(0.0005, 0.1, 5);
const polygon = fc
  .tuple(fc.integer({ min: -60, max: 60 }), fc.integer({ min: -60, max: 60 }), side)
  .map(([x, y, r]) => ({
    type: 'Polygon',
    coordinates: [
      [
        [x, y],
        [x + r, y],
        [x, y + r],
        [x, y],
      ],
    ],
  }));
const line = fc.tuple(coordinates, side).map(([[x, y], r]) => ({
  type: 'LineString',
  coordinates: [
    [x, y],
    [x > 0 ? x - r : x + r, y > 0 ? y - r : y + r],
  ],
}));
const shape = fc.oneof({ weight: 4, arbitrary: coordinates.map((at) => point(...at)) }, polygon, line, coordinates);
/** Most are of one kind, so that this kind alone is more than what is measured at once. */
const kind = fc.constantFrom('a', 'a', 'a', 'a', 'a', 'b');
const place = fc.record(
  { kind, loc: shape, many: fc.array(fc.record({ at: shape }), { maxLength: 4 }) },
  { requiredKeys: ['kind', 'loc'] },
);
const metres = fc.record(
  { $minDistance: fc.constantFrom(0, 1, 50, 3e6), $maxDistance: fc.constantFrom(0, 100, 5e5, 1e7, 3e7) },
  { requiredKeys: [] },
);
const sphereNear = fc
  .tuple(coordinates, metres)
  .map(([at, bounds]) => ({ $near: { $geometry: point(...at), ...bounds } }));
const pairNear = fc.record(
  {
    $near: coordinates,
    $minDistance: fc.constantFrom(0, 0.0001, 20),
    $maxDistance: fc.constantFrom(0, 0.001, 30, 400),
  },
  { requiredKeys: ['$near'] },
);
const radianNear = fc.record(
  {
    $nearSphere: coordinates,
    $minDistance: fc.constantFrom(0, 0.0001, 1),
    $maxDistance: fc.constantFrom(0, 0.001, 2, 4),
  },
  { requiredKeys: ['$nearSphere'] },
);

async function filled(key: object, options: object, documents: readonly object[]): Promise<Stage> {
  const stage = await Stage.open();
  await stage.run(stage.engine.createIndexes(NS, [doc({ key, name: 'geo', ...options })]));
  await stage.insert(documents.map((each, at) => ({ _id: at, ...each })));
  return stage;
}

/** Every document measured, nearest first, of equally near ones the older one. */
function measured(docs: readonly Doc[], path: string, condition: object): number[] {
  const near = parseNear(doc(condition));
  return docs
    .flatMap((each) => {
      const distance = nearestPlace(each, path.split('.'), near)?.distance ?? Number.NaN;
      return distance >= near.min && distance <= near.max ? [{ id: Number(each.get('_id')), distance }] : [];
    })
    .sort((left, right) => near.shown(left.distance) - near.shown(right.distance) || left.id - right.id)
    .map(({ id }) => id);
}

const ids = (docs: readonly Doc[]) => docs.map((each) => Number(each.get('_id')));

async function check(stage: Stage, path: string, conditions: readonly object[]): Promise<void> {
  for (const also of [{}, { kind: 'a' }]) {
    const docs = await stage.find(also);
    for (const condition of conditions) {
      const expected = measured(docs, path, condition);
      const filter = { ...also, [path]: condition };
      const label = JSON.stringify(filter);
      expect(ids(await stage.find(filter)), label).toEqual(expected);
      expect(ids(await stage.find(filter, { skip: 1, limit: 3 })), label).toEqual(expected.slice(1, 4));
    }
  }
}

/** An index of fewer entries than this is measured at once. */
const MANY = { minLength: 130, maxLength: 160 };
const places = fc.array(place, MANY);

describe('rings give what measuring every document gives', () => {
  test.each([
    ['loc', { loc: '2dsphere' }],
    ['loc', { kind: 1, loc: '2dsphere' }],
    ['many.at', { 'many.at': '2dsphere' }],
  ])(
    'on the sphere, by %s of %j',
    async (path, key) => {
      await fc.assert(
        fc.asyncProperty(
          places,
          fc.array(fc.oneof(sphereNear, radianNear), { minLength: 3, maxLength: 3 }),
          async (docs, nears) => check(await filled(key, {}, docs), path, nears),
        ),
        { numRuns: 12 },
      );
    },
    60_000,
  );

  test.each([{ bits: 3 }, { bits: 26 }, { min: -300, max: 400, bits: 32 }])('in the plane, %j', async (options) => {
    const documents = fc.array(
      fc.record({
        kind,
        loc: fc.oneof(coordinates, fc.array(coordinates, { maxLength: 4 })),
      }),
      MANY,
    );
    await fc.assert(
      fc.asyncProperty(
        documents,
        fc.array(fc.oneof(pairNear, radianNear), { minLength: 3, maxLength: 3 }),
        async (docs, nears) => check(await filled({ loc: '2d' }, options, docs), 'loc', nears),
      ),
      { numRuns: 12 },
    );
  }, 60_000);
});

describe('a limit among 20,000', () => {
  const random = seededRandom(7);
  const scattered = Array.from({ length: 20_000 }, (_, at) => {
    const pair = [random.next() * 360 - 180, random.next() * 180 - 90];
    return { _id: at, geo: point(...pair), pair };
  });

  test.each([
    ['geo', '2dsphere', { $near: { $geometry: point(12, 34) } }],
    ['geo', '2dsphere', { $near: { $geometry: point(180, 0) } }],
    ['geo', '2dsphere', { $near: { $geometry: point(0, 90) } }],
    ['pair', '2d', { $near: [12, 34] }],
    ['pair', '2d', { $nearSphere: [12, 34] }],
  ])(
    'looks at a small part: %s, %s, %j',
    async (path, kind, condition) => {
      const stage = await filled({ [path]: kind }, {}, scattered);
      const query = stage.query({ [path]: condition }, { limit: 10 });
      const found = ids(await stage.find({ [path]: condition }, { limit: 10 }));
      expect(found).toEqual(measured(await stage.find(), path, condition).slice(0, 10));
      const shown = await stage.run(stage.engine.explain(NS, query, { kind: 'find' }, 'executionStats'));
      const stats = shown.get('executionStats') as Doc;
      expect(Number(stats.get('totalDocsExamined'))).toBeLessThan(600);
      expect(Number(stats.get('totalKeysExamined'))).toBeLessThan(600);
      expect(Number(stats.get('totalKeysExamined'))).toBeGreaterThanOrEqual(10);
    },
    60_000,
  );
});

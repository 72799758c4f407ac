import { CodedError } from '../../base/index.ts';
import { type Doc, showDoc } from '../../bson/index.ts';
import {
  type Box,
  type CellRange,
  type GeoRegion,
  type GeoRing,
  geohashOf,
  isInGrid,
  type Near,
  nearBox,
  nearestPlace,
  nearRanges,
  planeRings,
  regionBox,
  regionRanges,
  shortNumber,
  sphereRings,
  squaresOf,
} from '../../geo/index.ts';
import { EVERYTHING, gridOf, type Intervals, interval, isPoint, kindOf, levelsOf, union } from '../../indexes/index.ts';
import { geoRegions, type NearPredicate } from '../../query/index.ts';
import { isFoundIn } from '../collation.ts';
import { type Collection, nsText } from '../collection.ts';
import { implies } from '../implies.ts';
import type { Slot } from '../slot.ts';
import { assignBounds } from './assign.ts';
import { boundsOf } from './condition.ts';
import { IndexScan } from './index-scan.ts';
import { scanPlan, slotsOf } from './ordered.ts';
import type { AccessPath, Choice, Offer, Plan, PlanQuery } from './plan.ts';
import { stageDoc } from './stage.ts';
import { textOrdering } from './text-ordering.ts';

/** Entries that are counted, to see whether a scan is short: then it is not worth rings either. */
const TRIAL_KEYS = 101;

/** A short scan is better than whatever another index may offer, a long one better than none. */
const SCORES = { short: 2, long: 0.5 };

/** `$geoWithin`, `$geoIntersects`, `$near` and `$nearSphere` by indexes of kind `2dsphere` and `2d`. */
export const byGeoIndex: AccessPath = {
  offers(query) {
    if (query.filter.near) return [nearOffer(query, query.filter.near)];
    const regions = geoRegions(query.conjuncts);
    if (regions.size === 0) return [];
    return query.choices.flatMap((choice) => {
      const geo = geoField(choice, (path) => regions.has(path));
      const region = geo && regions.get(geo.path)!;
      if (!geo || !region || !answers(geo.kind, region) || !holdsAll(choice, query)) return [];
      return [regionOffer(query, choice, geo, region)];
    });
  },
};

interface GeoField {
  readonly kind: '2d' | '2dsphere';
  readonly path: string;
}

/** The field of an index that holds geometry, of several the first that is asked for. */
function geoField({ key }: Choice, isAsked: (path: string) => boolean): GeoField | undefined {
  const kind = kindOf(key).name;
  if (kind !== '2d' && kind !== '2dsphere') return undefined;
  const found = [...key].find(([path, direction]) => direction === kind && isAsked(path));
  return found && { kind, path: found[0] };
}

function answers(kind: GeoField['kind'], { operator, flat, cap, shape }: GeoRegion): boolean {
  if (kind === '2dsphere') return cap !== undefined || shape !== undefined;
  return operator === '$geoWithin' && (flat !== undefined || cap !== undefined);
}

function holdsAll({ spec, collation }: Choice, { filter }: PlanQuery): boolean {
  const partial = spec.get('partialFilterExpression');
  if (!(partial instanceof Map)) return true;
  const { source, collator } = filter;
  return isFoundIn(partial, collator, collation) && implies(source, partial, collator);
}

function regionOffer(query: PlanQuery, choice: Choice, geo: GeoField, region: GeoRegion): Offer {
  const intervals =
    geo.kind === '2d' ? squares(regionBox(region), choice.spec) : cells(regionRanges(region, levelsOf(choice.spec)));
  const scan = geoScan(query, choice, geo, intervals);
  const plan = scanPlan(query.collection, { scan, sorted: !query.sort, exact: false, residual: query.conjuncts });
  const isShort = scan.count(TRIAL_KEYS) < TRIAL_KEYS;
  return { plan, score: isShort || query.hinted ? SCORES.short : SCORES.long };
}

function nearOffer(query: PlanQuery, asked: NearPredicate): Offer {
  const { collection } = query;
  for (const choice of query.choices) {
    const geo = geoField(choice, (path) => path === asked.path);
    if (!geo || !measures(geo.kind, asked.near) || !holdsAll(choice, query)) continue;
    return { plan: nearPlan(query, choice, geo, asked), score: Number.POSITIVE_INFINITY };
  }
  const { near, path } = asked;
  const distance = near.maxGiven === Number.MAX_VALUE ? '1.79769e+308' : shortNumber(near.maxGiven);
  throw new CodedError(
    'NoQueryExecutionPlans',
    `error processing query: ns=${nsText(collection.ns)}Tree: GEONEAR  field=${path} maxdist=${distance} ` +
      `isNearSphere=${Number(near.isNearSphere)}\nSort: {}\nProj: {}\n ` +
      'planner returned error :: caused by :: unable to find index for $geoNear query',
  );
}

function measures(kind: GeoField['kind'], near: Near): boolean {
  return kind === '2d' ? !near.isWrapping : near.crs === 'sphere';
}

/** What they are sorted by is measured on the documents. All together, or ring by ring outwards, as MongoDB searches. */
function nearPlan(query: PlanQuery, choice: Choice, geo: GeoField, { near, path }: NearPredicate): Plan {
  const { key, name, spec } = choice;
  if (geo.kind === '2d') checkCenter(near, spec);
  const intervals = geo.kind === '2d' ? squares(nearBox(near), spec) : cells(nearRanges(near, levelsOf(spec)));
  const whole = geoScan(query, choice, geo, intervals);
  const ringScan = ({ ranges }: GeoRing) =>
    geoScan(query, choice, geo, geo.kind === '2d' ? stretches(ranges, spec) : cells(ranges));
  /** Those that were last gone through. */
  let scans = [whole];
  const keysExamined = () => scans.reduce((sum, scan) => sum + scan.keysExamined, 0);
  const parts = path.split('.');
  const stage = geo.kind === '2d' ? 'GEO_NEAR_2D' : 'GEO_NEAR_2DSPHERE';
  return {
    stage,
    sorted: false,
    exact: false,
    slots() {
      scans = [whole];
      return slotsOf(query.collection, whole);
    },
    ...(isInOneStretch(choice, geo, whole) &&
      whole.count(TRIAL_KEYS) === TRIAL_KEYS && {
        *rings() {
          scans = [];
          query.collection.indexUses.count(name);
          const seen = new Set<number>();
          const all = geo.kind === '2d' ? planeRings(near, gridOf(spec)) : sphereRings(near, levelsOf(spec));
          for (const ring of all) {
            const scan = ringScan(ring);
            scans.push(scan);
            yield { slots: unseen(query.collection, scan, seen), reached: near.shown(ring.reached) };
          }
        },
      }),
    get keysExamined() {
      return keysExamined();
    },
    describe: (ran) =>
      stageDoc(stage, {
        work: ran && { advanced: ran.matched, works: keysExamined() + 1 },
        fields: { keyPattern: key, indexName: name, indexVersion: 2 },
        input: ran && scans.filter((scan, at) => at === 0 || scan.keysExamined > 0).map(describeRing),
      }),
    meta(doc) {
      const nearest = nearestPlace(doc, parts, near);
      return nearest ? { geoNearDistance: near.shown(nearest.distance), geoNearPoint: nearest.place } : {};
    },
    order: (left, right) => (left.geoNearDistance ?? 0) - (right.geoNearDistance ?? 0),
  };
}

/** Whether the fields before the geometry have one value each: else every ring would go through the whole index. */
function isInOneStretch({ key }: Choice, { path }: GeoField, { bounds }: IndexScan): boolean {
  const before = bounds.slice(0, [...key.keys()].indexOf(path));
  return before.every(([only, more]) => only !== undefined && !more && isPoint(only));
}

/** A document may have keys in several rings; it is in the first of them, where it is nearest. */
function* unseen(collection: Collection, scan: IndexScan, seen: Set<number>): Generator<Slot> {
  for (const { recordId } of scan.entries()) {
    if (seen.has(recordId)) continue;
    seen.add(recordId);
    const slot = collection.slot(recordId);
    if (slot) yield slot;
  }
}

function describeRing(scan: IndexScan): Doc {
  return stageDoc('FETCH', {
    work: { advanced: scan.advanced, works: scan.keysExamined + 1 },
    fields: { docsExamined: scan.advanced, alreadyHasObj: 0 },
    input: scan.describe(true),
  });
}

function checkCenter({ center }: Near, spec: Doc): void {
  const grid = gridOf(spec);
  if (isInGrid(center, grid)) return;
  const range = `[ ${shortNumber(grid.min)}, ${shortNumber(grid.max)} ]`;
  const given = showDoc(new Map(Object.entries([center.x, center.y])));
  throw new CodedError('Location16433', `point not in interval of ${range} :: caused by :: ${given}`);
}

/**
 * The other fields of an index of the sphere bound it as they do in any index, but for conditions that hold where there is
 * no value. Those of an index of the plane hold arrays whole, and bound nothing.
 */
function geoScan(query: PlanQuery, choice: Choice, geo: GeoField, intervals: Intervals): IndexScan {
  const texts = textOrdering(choice, query.filter);
  const conditions = query.conditions.filter((condition) => boundsOf(condition, true, texts)?.matchesMissing === false);
  const paths = [...choice.key.keys()];
  const others = geo.kind === '2d' ? [] : conditions;
  const assigned = assignBounds(choice.key, choice.arrays, others, texts);
  return new IndexScan(
    choice,
    assigned.map((bounds, field) => (paths[field] === geo.path ? { intervals, conditions: [] } : bounds)),
  );
}

function cells(ranges: readonly CellRange[] | undefined): Intervals {
  if (!ranges) return EVERYTHING;
  return union(ranges.map(([low, high]) => interval(low, true, high, true)));
}

/** Parts of the plane by the numbers of their points. */
function stretches(ranges: readonly CellRange[], spec: Doc): Intervals {
  const grid = gridOf(spec);
  return union(ranges.map(([low, high]) => interval(geohashOf(low, grid), true, geohashOf(high, grid), true)));
}

/** A square is all texts that begin with its own: the next text as long is the first that does not. */
function squares(box: Box | undefined, spec: Doc): Intervals {
  if (!box) return EVERYTHING;
  const next = (text: string) => text.slice(0, -1) + (Number(text.at(-1)) + 1);
  const all = squaresOf(box, gridOf(spec)).filter((text) => text !== '');
  return all.length === 0 ? EVERYTHING : union(all.map((text) => interval(text, true, next(text), false)));
}

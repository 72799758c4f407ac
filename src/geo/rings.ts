import { type CellLevels, type CellRange, WHOLE_SPHERE } from './cells.ts';
import { flatDistance } from './flat.ts';
import { type Grid, rangeOfSquare, squaresOf } from './geohash.ts';
import type { Near } from './near.ts';
import { EARTH_RADIUS } from './points.ts';
import { nearBox, nearRanges } from './search.ts';

/** The part of an index that is searched next, outwards from a point. */
export interface GeoRing {
  /** In the unit of `Near.distance`: all that is as near as this lies in this ring or one before it. */
  readonly reached: number;
  /** Of cells of the sphere, or of squares of the plane; none of them lies in a ring before it. */
  readonly ranges: readonly CellRange[];
}

/** What a search begins with, in metres: about the finest cell that queries look for. */
const FIRST_METRES = 1;
const HALF_AROUND = Math.PI * EARTH_RADIUS;

/** Rings over an index of the sphere, each reaching twice as far as the one before it, the last one to `near.max`. */
export function sphereRings(near: Near, levels: CellLevels): Generator<GeoRing> {
  return rings(near, FIRST_METRES, HALF_AROUND, (reach) => nearRanges(reach, levels) ?? [WHOLE_SPHERE]);
}

/** The same over an index of the plane, where distances are the plane's own or the sphere's. */
export function planeRings(near: Near, grid: Grid): Generator<GeoRing> {
  const within = (reach: Near) => {
    const box = nearBox(reach) ?? { min: { x: grid.min, y: grid.min }, max: { x: grid.max, y: grid.max } };
    return squaresOf(box, grid).map((square) => rangeOfSquare(square, grid));
  };
  if (near.point) return rings(near, FIRST_METRES, HALF_AROUND, within);
  const ends = [grid.min, grid.max];
  const corners = ends.flatMap((x) => ends.map((y) => flatDistance(near.center, { x, y })));
  return rings(near, (grid.max - grid.min) / 2 ** grid.bits, Math.max(...corners), within);
}

/** `farthest`: nothing lies beyond. */
function* rings(
  near: Near,
  first: number,
  farthest: number,
  within: (reach: Near) => readonly CellRange[],
): Generator<GeoRing> {
  const end = Math.min(near.max, farthest);
  let searched: readonly CellRange[] = [];
  for (let width = first; ; width *= 2) {
    // The first ring holds what is nearer than asked for as well: a document's nearest place may lie there.
    const reached = near.min + width;
    const isLast = !(reached < end);
    const ranges = joined(within(isLast ? near : { ...near, max: reached }));
    yield { reached: isLast ? Number.POSITIVE_INFINITY : reached, ranges: without(ranges, searched) };
    if (isLast) return;
    searched = joined([...searched, ...ranges]);
  }
}

/** The same numbers, in order, in as few ranges as there can be. */
function joined(ranges: readonly CellRange[]): readonly CellRange[] {
  const result: CellRange[] = [];
  for (const [low, high] of [...ranges].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))) {
    const last = result.at(-1);
    if (last && low <= last[1] + 1n) result[result.length - 1] = [last[0], high > last[1] ? high : last[1]];
    else result.push([low, high]);
  }
  return result;
}

/** What of the first ranges lies in none of the others; both are in order. */
function without(ranges: readonly CellRange[], taken: readonly CellRange[]): CellRange[] {
  return ranges.flatMap(([low, high]) => {
    const left: CellRange[] = [];
    let from = low;
    for (const [start, end] of taken) {
      if (end < from || start > high) continue;
      if (start > from) left.push([from, start - 1n]);
      from = end + 1n;
    }
    if (from <= high) left.push([from, high]);
    return left;
  });
}

import { s2 } from 's2js';
import { toS2 } from './line.ts';
import type { Shape } from './shape.ts';
import type { Arc } from './vector.ts';

/** Some part of the sphere that cells can be laid over. */
export type Region = Parameters<s2.RegionCoverer['covering']>[0];

/**
 * How far beyond a bound indexes are searched, so that rounding leaves nothing out: radians, or a part of the plane's
 * distance. More than the `TOLERANCE` within which points count as one, for these may lie in cells beside each other: where
 * cells meet, as they do at the antimeridian and at the poles, each has its own name of the same place.
 */
export const MARGIN = 1e-8;

/** The parts of a shape, each with what is around it by `MARGIN`. */
export function grownRegions({ points, lines, areas }: Shape): Region[] {
  return [
    ...points.map((point) => s2.Cap.fromCenterAngle(toS2(point), MARGIN)),
    ...lines.map((line) => grown(line.region(), line.arcs)),
    ...areas.map(({ region, arcs }) => grown(region, arcs)),
  ];
}

function grown(region: s2.Polyline | s2.Polygon, arcs: readonly Arc[]): Region {
  const edges = arcs.map(([from, to]) => [toS2(from), toS2(to)] as const);
  // A chord angle is the square of the chord's length.
  const isBeside = (cell: s2.Cell) => edges.some(([from, to]) => cell.distanceToEdge(from, to) <= MARGIN ** 2);
  return {
    containsCell: (cell) => region.containsCell(cell),
    intersectsCell: (cell) => region.intersectsCell(cell) || isBeside(cell),
    containsPoint: (point) => region.containsPoint(point),
    cellUnionBound: () => region.capBound().expanded(MARGIN).cellUnionBound(),
  };
}

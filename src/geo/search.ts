import { Cap } from './cap.ts';
import { type CellLevels, type CellRange, rangesOf } from './cells.ts';
import { around, type Box } from './flat.ts';
import { grownRegions, MARGIN } from './grown.ts';
import type { Near } from './near.ts';
import { EARTH_RADIUS } from './points.ts';
import type { GeoRegion } from './region.ts';

/** The cells that an index of the sphere may hold what is asked for under; undefined for all. */
export function regionRanges({ cap, shape }: GeoRegion, levels: CellLevels): CellRange[] | undefined {
  if (cap) return rangesOf([cap.region()], levels);
  return shape && rangesOf(grownRegions(shape), levels);
}

export function nearRanges(near: Near, levels: CellLevels): CellRange[] | undefined {
  const cap = capAround(near);
  return cap && rangesOf([cap.region()], levels);
}

/** The part of the plane that an index of it may hold what is asked for in; undefined for all. */
export function regionBox({ flat, cap }: GeoRegion): Box | undefined {
  return flat ? flat.bounds : cap && capBox(cap);
}

export function nearBox(near: Near): Box | undefined {
  if (near.crs === 'flat') return around(near.center, near.max * (1 + MARGIN));
  const cap = capAround(near);
  return cap && capBox(cap);
}

function capAround({ point, max }: Near): Cap | undefined {
  const radius = max / EARTH_RADIUS + MARGIN;
  return point && radius < Math.PI ? new Cap(point, radius) : undefined;
}

function capBox(cap: Cap): Box {
  const { lat, lng } = cap.region().rectBound();
  const degrees = (radians: number) => (radians * 180) / Math.PI;
  const margin = degrees(MARGIN);
  // A pair of 180 is in here as well where the part reaches over the antimeridian, or to it.
  const isWhole = lng.lo > lng.hi || lng.lo <= -Math.PI || lng.hi >= Math.PI;
  return {
    min: { x: isWhole ? -180 : degrees(lng.lo) - margin, y: degrees(lat.lo) - margin },
    max: { x: isWhole ? 180 : degrees(lng.hi) + margin, y: degrees(lat.hi) + margin },
  };
}

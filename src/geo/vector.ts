/** A point of the unit sphere, or the normal of a great circle. */
export interface Vec {
  readonly x: number;
  readonly y: number;
  readonly z: number;
}

/** A piece of a great circle, shorter than half of it. */
export type Arc = readonly [Vec, Vec];

/** Points closer than this count as one, in radians: 6 mm on Earth, as small as the smallest cell of an index. */
export const TOLERANCE = 1e-9;

/** Three points whose determinant is smaller lie on one great circle, as far as doubles can tell. */
const COLLINEAR = 1e-15;

export function dot(a: Vec, b: Vec): number {
  return a.x * b.x + a.y * b.y + a.z * b.z;
}

export function cross(a: Vec, b: Vec): Vec {
  return { x: a.y * b.z - a.z * b.y, y: a.z * b.x - a.x * b.z, z: a.x * b.y - a.y * b.x };
}

export function length(a: Vec): number {
  return Math.sqrt(dot(a, a));
}

export function negative({ x, y, z }: Vec): Vec {
  return { x: -x, y: -y, z: -z };
}

export function same(a: Vec, b: Vec): boolean {
  return a.x === b.x && a.y === b.y && a.z === b.z;
}

/** Radians between two points; exact for small distances, too. */
export function angle(a: Vec, b: Vec): number {
  return Math.atan2(length(cross(a, b)), dot(a, b));
}

/** The point halfway between two that are no antipodes. */
export function middle(a: Vec, b: Vec): Vec {
  return unit({ x: a.x + b.x, y: a.y + b.y, z: a.z + b.z });
}

function unit(a: Vec): Vec {
  const by = 1 / length(a);
  return { x: a.x * by, y: a.y * by, z: a.z * by };
}

/** Whether two arcs cross at a point inside both. Arcs that touch, or lie on one great circle, do not. */
export function arcsCross([a, b]: Arc, [c, d]: Arc): boolean {
  const ab = cross(a, b);
  const [sideOfC, sideOfD] = [dot(ab, c), dot(ab, d)];
  if (!(sideOfC * sideOfD < 0) || isFlat(sideOfC) || isFlat(sideOfD)) return false;
  const cd = cross(c, d);
  const [sideOfA, sideOfB] = [dot(cd, a), dot(cd, b)];
  if (!(sideOfA * sideOfB < 0) || isFlat(sideOfA) || isFlat(sideOfB)) return false;
  // Two great circles meet twice, at opposite ends: both arcs must go through the same end.
  return sideOfA * sideOfD > 0;
}

function isFlat(determinant: number): boolean {
  return Math.abs(determinant) <= COLLINEAR;
}

/** Where two arcs meet that cross. */
export function crossing([a, b]: Arc, [c, d]: Arc): Vec {
  const point = unit(cross(cross(a, b), cross(c, d)));
  return dot(point, middle(a, b)) >= 0 ? point : negative(point);
}

/** Radians from a point to the nearest point of an arc, which is found first, as S2 does. */
export function distanceToArc(point: Vec, [a, b]: Arc): number {
  const normal = cross(a, b);
  const isBeside = dot(cross(normal, a), point) > 0 && dot(cross(b, normal), point) > 0;
  if (!isBeside) return Math.min(angle(point, a), angle(point, b));
  const above = dot(point, normal) / dot(normal, normal);
  const { x, y, z } = normal;
  return angle(point, unit({ x: point.x - above * x, y: point.y - above * y, z: point.z - above * z }));
}

/** Radians from a point to the nearest of some arcs. */
export function nearest(point: Vec, arcs: readonly Arc[]): number {
  return arcs.reduce((least, arc) => Math.min(least, distanceToArc(point, arc)), Math.PI);
}

/** Whether a point lies on an arc, within `TOLERANCE`. */
export function isOnArc(point: Vec, arc: Arc): boolean {
  const normal = cross(arc[0], arc[1]);
  // Most points are nowhere near the great circle, and that is cheap to see.
  if (Math.abs(dot(normal, point)) > TOLERANCE * length(normal) + COLLINEAR) return false;
  return distanceToArc(point, arc) <= TOLERANCE;
}

/** The arcs from each point to the next one. */
export function arcsOf(points: readonly Vec[], closed: boolean): Arc[] {
  const arcs: Arc[] = [];
  for (let at = 1; at < points.length; at++) arcs.push([points[at - 1]!, points[at]!]);
  if (closed && points.length > 1) arcs.push([points.at(-1)!, points[0]!]);
  return arcs;
}

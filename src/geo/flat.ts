/** A point of the plane: a legacy coordinate pair, or longitude and latitude taken as such. */
export interface FlatPoint {
  readonly x: number;
  readonly y: number;
}

/** A rectangle; its borders belong to it. */
export interface Box {
  readonly min: FlatPoint;
  readonly max: FlatPoint;
}

/** A part of the plane that `$geoWithin` may ask for. */
export interface FlatRegion {
  readonly bounds: Box;
  contains(point: FlatPoint): boolean;
}

export function boxOf(points: readonly FlatPoint[]): Box {
  let { x: left, y: bottom } = points[0]!;
  let [right, top] = [left, bottom];
  for (const { x, y } of points) {
    left = Math.min(left, x);
    right = Math.max(right, x);
    bottom = Math.min(bottom, y);
    top = Math.max(top, y);
  }
  return { min: { x: left, y: bottom }, max: { x: right, y: top } };
}

export function isInBox({ min, max }: Box, { x, y }: FlatPoint): boolean {
  return x >= min.x && x <= max.x && y >= min.y && y <= max.y;
}

export function flatDistance(a: FlatPoint, b: FlatPoint): number {
  return Math.sqrt((a.x - b.x) ** 2 + (a.y - b.y) ** 2);
}

/** By two opposite corners. */
export function flatBox(corner: FlatPoint, opposite: FlatPoint): FlatRegion {
  const bounds = boxOf([corner, opposite]);
  return { bounds, contains: (point) => isInBox(bounds, point) };
}

export function flatCircle(center: FlatPoint, radius: number): FlatRegion {
  return { bounds: around(center, radius), contains: (point) => isWithin(center, point, radius) };
}

/** The square around a circle. */
export function around({ x, y }: FlatPoint, radius: number): Box {
  return { min: { x: x - radius, y: y - radius }, max: { x: x + radius, y: y + radius } };
}

/** Straight above or beside the centre MongoDB adds instead of subtracting, so that 51.9999 is within 0.0001 of 52. */
function isWithin(a: FlatPoint, b: FlatPoint, radius: number): boolean {
  if (a.x === b.x) return Math.max(a.y, b.y) <= Math.min(a.y, b.y) + radius;
  if (a.y === b.y) return Math.max(a.x, b.x) <= Math.min(a.x, b.x) + radius;
  return Math.sqrt((b.x - a.x) ** 2 + (b.y - a.y) ** 2) <= radius;
}

/** The last point is connected to the first. Of the slanted borders only those on the right belong to it, as in MongoDB. */
export function flatPolygon(points: readonly FlatPoint[]): FlatRegion {
  const bounds = boxOf(points);
  return { bounds, contains: (point) => isInBox(bounds, point) && isInPolygon(points, point) };
}

/** Counts the borders to the right of the point. */
function isInPolygon(points: readonly FlatPoint[], { x, y }: FlatPoint): boolean {
  let inside = false;
  let a = points.at(-1)!;
  for (const b of points) {
    if (x === b.x && y === b.y) return true;
    const between = x >= Math.min(a.x, b.x) && x <= Math.max(a.x, b.x);
    if (a.y === b.y && y === a.y && between) return true;
    if (y > Math.min(a.y, b.y) && y <= Math.max(a.y, b.y)) {
      if (a.x === b.x && x === a.x) return true;
      if (x <= ((y - a.y) * (b.x - a.x)) / (b.y - a.y) + a.x) inside = !inside;
    }
    a = b;
  }
  return inside;
}

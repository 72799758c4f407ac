import { s2 } from 's2js';
import { type Arc, arcsCross, arcsOf, isOnArc, nearest, type Vec } from './vector.ts';

/** A LineString on the sphere. */
export class Line {
  readonly points: readonly Vec[];
  readonly arcs: readonly Arc[];

  /** Two points at least, no two neighbours the same. */
  constructor(points: readonly Vec[]) {
    this.points = points;
    this.arcs = arcsOf(points, false);
  }

  hasOn(point: Vec): boolean {
    return this.arcs.some((arc) => isOnArc(point, arc));
  }

  intersects(other: Line): boolean {
    return (
      this.points.some((point) => other.hasOn(point)) ||
      other.points.some((point) => this.hasOn(point)) ||
      this.arcs.some((arc) => other.arcs.some((theirs) => arcsCross(arc, theirs)))
    );
  }

  /** Radians. */
  distanceTo(point: Vec): number {
    return nearest(point, this.arcs);
  }

  region(): s2.Polyline {
    return new s2.Polyline(this.points.map(toS2));
  }
}

export function toS2({ x, y, z }: Vec): s2.Point {
  return new s2.Point(x, y, z);
}

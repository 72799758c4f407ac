import type { s2 } from 's2js';
import { type Line, toS2 } from './line.ts';
import { type Arc, angle, arcsCross, arcsOf, crossing, isOnArc, middle, nearest, type Vec } from './vector.ts';

/** A polygon on the sphere, with its holes: any part of the sphere, also more than half of it. Its border belongs to it. */
export class Area {
  readonly region: s2.Polygon;
  readonly arcs: readonly Arc[];

  constructor(region: s2.Polygon) {
    this.region = region;
    this.arcs = region.loops.flatMap((loop) =>
      arcsOf(
        loop.vertices.map(({ vector }) => vector),
        true,
      ),
    );
  }

  containsPoint(point: Vec): boolean {
    return this.region.containsPoint(toS2(point)) || this.#borderHas(point);
  }

  containsLine(line: Line): boolean {
    return (
      line.points.every((point) => this.containsPoint(point)) &&
      line.arcs.every((arc) => this.#pieceMiddles(arc).every((point) => this.containsPoint(point)))
    );
  }

  intersectsLine(line: Line): boolean {
    return (
      line.points.some((point) => this.containsPoint(point)) || line.arcs.some((arc) => this.#cuts(arc).length > 0)
    );
  }

  containsArea(other: Area): boolean {
    return this.region.contains(other.region);
  }

  /** Areas that share no more than a border do not intersect. */
  intersectsArea(other: Area): boolean {
    return this.region.intersects(other.region);
  }

  /** Radians; 0 inside. */
  distanceTo(point: Vec): number {
    if (this.region.containsPoint(toS2(point))) return 0;
    return nearest(point, this.arcs);
  }

  #borderHas(point: Vec): boolean {
    for (const arc of this.arcs) if (isOnArc(point, arc)) return true;
    return false;
  }

  /** The points where the border crosses or touches an arc. */
  #cuts(arc: Arc): Vec[] {
    const cuts: Vec[] = [];
    for (const border of this.arcs) {
      if (arcsCross(arc, border)) cuts.push(crossing(arc, border));
      if (isOnArc(border[0], arc)) cuts.push(border[0]);
    }
    return cuts;
  }

  /** A point of each piece that the border cuts an arc into: each piece is inside or outside as a whole. */
  #pieceMiddles(arc: Arc): Vec[] {
    const [start, end] = arc;
    const ends = [start, ...this.#cuts(arc), end].sort((left, right) => angle(start, left) - angle(start, right));
    return ends.slice(1).map((point, at) => middle(ends[at]!, point));
  }
}

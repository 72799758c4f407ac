import type { Area } from './area.ts';
import type { Cap } from './cap.ts';
import type { FlatPoint } from './flat.ts';
import type { Line } from './line.ts';
import { angle, TOLERANCE, type Vec } from './vector.ts';

/** A geometry on the sphere, of any GeoJSON type, taken apart into simple ones. */
export class Shape {
  readonly points: readonly Vec[];
  readonly lines: readonly Line[];
  readonly areas: readonly Area[];

  constructor(parts: { points?: readonly Vec[]; lines?: readonly Line[]; areas?: readonly Area[] }) {
    this.points = parts.points ?? [];
    this.lines = parts.lines ?? [];
    this.areas = parts.areas ?? [];
  }

  /** Whether every simple part lies in one of the regions as a whole. */
  isWithin(regions: readonly (Area | Cap)[]): boolean {
    return (
      this.points.every((point) => regions.some((region) => region.containsPoint(point))) &&
      this.lines.every((line) => regions.some((region) => region.containsLine(line))) &&
      this.areas.every((area) => regions.some((region) => region.containsArea(area)))
    );
  }

  intersects(other: Shape): boolean {
    return (
      other.points.some((point) => this.#hasPoint(point)) ||
      other.lines.some((line) => this.#meetsLine(line)) ||
      other.areas.some((area) => this.#meetsArea(area))
    );
  }

  /** Radians to the nearest part of it. */
  distanceTo(from: Vec): number {
    let least = Math.PI;
    for (const point of this.points) least = Math.min(least, angle(from, point));
    for (const part of this.lines) least = Math.min(least, part.distanceTo(from));
    for (const part of this.areas) least = Math.min(least, part.distanceTo(from));
    return least;
  }

  #hasPoint(point: Vec): boolean {
    return (
      this.points.some((ours) => angle(ours, point) <= TOLERANCE) ||
      this.lines.some((line) => line.hasOn(point)) ||
      this.areas.some((area) => area.containsPoint(point))
    );
  }

  #meetsLine(line: Line): boolean {
    return (
      this.points.some((point) => line.hasOn(point)) ||
      this.lines.some((ours) => ours.intersects(line)) ||
      this.areas.some((area) => area.intersectsLine(line))
    );
  }

  #meetsArea(area: Area): boolean {
    return (
      this.points.some((point) => area.containsPoint(point)) ||
      this.lines.some((line) => area.intersectsLine(line)) ||
      this.areas.some((ours) => area.intersectsArea(ours))
    );
  }
}

/** What a document holds at a place, or a query asks with. */
export interface Geometry {
  /** The point, where it is one. */
  readonly flat: FlatPoint | undefined;
  /** Undefined for a legacy pair that is no longitude and latitude. */
  readonly sphere: Shape | undefined;
  /**
   * `flat` is a legacy coordinate pair. `strict` is a polygon whose border is to be gone around with the inside on the left,
   * so that it may be larger than half the sphere.
   */
  readonly crs: 'flat' | 'sphere' | 'strict';
}

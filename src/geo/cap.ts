import { s2 } from 's2js';
import type { Area } from './area.ts';
import { type Line, toS2 } from './line.ts';
import { type Arc, angle, distanceToArc, negative, TOLERANCE, type Vec } from './vector.ts';

/** All points of the sphere within some radians of one of them. */
export class Cap {
  readonly #center: Vec;
  readonly #radius: number;

  constructor(center: Vec, radius: number) {
    this.#center = center;
    this.#radius = radius;
  }

  containsPoint(point: Vec): boolean {
    return angle(this.#center, point) <= this.#radius + TOLERANCE;
  }

  containsLine(line: Line): boolean {
    return line.arcs.every((arc) => this.#containsArc(arc));
  }

  containsArea(area: Area): boolean {
    if (!area.arcs.every((arc) => this.#containsArc(arc))) return false;
    // With its border in here the rest is either in here as well, or it is all that lies outside.
    return this.#radius >= Math.PI || !area.containsPoint(negative(this.#center));
  }

  region(): s2.Cap {
    return s2.Cap.fromCenterAngle(toS2(this.#center), Math.min(this.#radius + TOLERANCE, Math.PI));
  }

  /** A cap of more than half the sphere has dents: an arc between two of its points may leave it. */
  #containsArc(arc: Arc): boolean {
    if (!this.containsPoint(arc[0]) || !this.containsPoint(arc[1])) return false;
    if (this.#radius <= Math.PI / 2) return true;
    return distanceToArc(negative(this.#center), arc) >= Math.PI - this.#radius - TOLERANCE;
  }
}

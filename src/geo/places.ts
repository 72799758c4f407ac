import type { Doc, Value } from '../bson/index.ts';
import type { Near } from './near.ts';
import { storedGeometry } from './stored.ts';

const INDEX = /^\d+$/;

/**
 * What a dotted path leads to, as geospatial indexes see it: through every element of arrays on the way, but an array at
 * the end stays whole, for it may be a point.
 */
export function placesOf(doc: Doc, path: readonly string[]): Value[] {
  const found: Value[] = [];
  follow(doc, path, 0, found);
  return found;
}

function follow(value: Value, path: readonly string[], from: number, found: Value[]): void {
  const part = path[from];
  if (part === undefined) {
    found.push(value);
  } else if (value instanceof Map) {
    if (value.has(part)) follow(value.get(part), path, from + 1, found);
  } else if (Array.isArray(value)) {
    if (!INDEX.test(part)) for (const item of value) follow(item, path, from, found);
    else if (Number(part) < value.length) follow(value[Number(part)], path, from + 1, found);
  }
}

export interface Nearest {
  /** In the unit of `Near.distance`. */
  readonly distance: number;
  /** The place that is as near as that. */
  readonly place: Value;
}

/** The place of a document that is nearest, whether or not it is near enough. */
export function nearestPlace(doc: Doc, path: readonly string[], near: Near): Nearest | undefined {
  let nearest: Nearest | undefined;
  for (const place of placesOf(doc, path)) {
    // An array that is no pair holds several places.
    const places = Array.isArray(place) && !storedGeometry(place) ? place : [place];
    for (const each of places) {
      const geometry = storedGeometry(each);
      const distance = geometry && near.distance(geometry);
      if (distance !== undefined && !(nearest && distance >= nearest.distance)) nearest = { distance, place: each };
    }
  }
  return nearest;
}

import { isNumber, showDoc, showValue, type Value } from '../bson/index.ts';
import { parseGeoJson } from './geojson.ts';
import { badValue, elementsOf, flatPoint, pairGeometry } from './points.ts';
import type { Geometry } from './shape.ts';

/** A legacy pair begins with a number, also as a document: `{lng: 1, lat: 2}`. */
export function isPair(value: Value): boolean {
  return Array.isArray(value) || (value instanceof Map && isNumber(elementsOf(value)?.[0]));
}

/**
 * What a document holds at a place, as a geometry: GeoJSON, or a legacy pair, which may be followed by more. `name` is the
 * field's, for the error. Throws BadValue for what is no geometry.
 */
export function parseStored(value: Value, name = ''): Geometry {
  if (isPair(value)) return pairGeometry(flatPoint(value, true));
  if (value instanceof Map) return parseGeoJson(value);
  throw badValue(`geo element must be an array or object: ${name}: ${showValue(value)}`);
}

/** The same, undefined for what is no geometry. */
export function storedGeometry(value: Value): Geometry | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  try {
    return parseStored(value);
  } catch {
    return undefined;
  }
}

/** As MongoDB shows what it takes for a document: an array by its indexes. */
export function showAsDoc(value: Value): string {
  if (Array.isArray(value)) return showDoc(new Map(value.map((item, index) => [String(index), item])));
  return value instanceof Map ? showDoc(value) : showValue(value);
}

import { s2 } from 's2js';
import { CodedError } from '../base/index.ts';
import { isNumber, typeAlias, type Value } from '../bson/index.ts';
import type { FlatPoint } from './flat.ts';
import { type Geometry, Shape } from './shape.ts';
import type { Vec } from './vector.ts';

/** The radius of the Earth as MongoDB takes it, in metres. */
export const EARTH_RADIUS = 6_378_100;

export function badValue(message: string): CodedError {
  return new CodedError('BadValue', message);
}

/** A field that may be missing; undefined cannot tell, for it is a value. */
export const NOTHING: unique symbol = Symbol('nothing');
export type Element = Value | typeof NOTHING;

/** A type's name as MongoDB's messages give it. */
export function typeOf(element: Element): string {
  return element === NOTHING ? 'missing' : typeAlias(element);
}

/** The fields of a document, or the elements of an array. */
export function elementsOf(value: Element): readonly Value[] | undefined {
  if (Array.isArray(value)) return value;
  return value instanceof Map ? [...value.values()] : undefined;
}

export function at(values: readonly Value[], index: number): Element {
  return index < values.length ? values[index] : NOTHING;
}

/** Two numbers in an array or a document. `extra`: what follows does not matter, an altitude for example. */
export function flatPoint(element: Element, extra = false): FlatPoint {
  const values = elementsOf(element);
  if (!values) throw badValue(`Point must be an array or object, instead got type ${typeOf(element)}`);
  const [x, y] = [number(at(values, 0)), number(at(values, 1))];
  if (!extra && values.length > 2) throw badValue('Point must only contain two numeric elements');
  if (!Number.isFinite(x) || !Number.isFinite(y)) throw badValue('Point coordinates must be finite numbers');
  return { x, y };
}

function number(element: Element): number {
  if (element !== NOTHING && isNumber(element)) return Number(element);
  throw badValue(`Point must only contain numeric elements, instead got type ${typeOf(element)}`);
}

export function isLngLat({ x, y }: FlatPoint): boolean {
  return Math.abs(x) <= 180 && Math.abs(y) <= 90;
}

/** Longitude and latitude on the sphere. Throws BadValue for what is none. */
export function spherePoint(point: FlatPoint): Vec {
  if (isLngLat(point)) return toSphere(point);
  throw badValue(`Longitude/latitude is out of bounds, lng: ${shortNumber(point.x)} lat: ${shortNumber(point.y)}`);
}

function toSphere({ x, y }: FlatPoint): Vec {
  const { x: a, y: b, z: c } = s2.Point.fromLatLng(s2.LatLng.fromDegrees(y, x)).vector;
  return { x: a, y: b, z: c };
}

/** As a C++ stream writes a double: six digits. */
export function shortNumber(value: number): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? 'nan' : value > 0 ? 'inf' : '-inf';
  const text = value.toPrecision(6);
  if (!text.includes('e')) return String(Number(text));
  const [digits, exponent] = text.split('e') as [string, string];
  return `${Number(digits)}e${exponent.replace(/^([+-])(\d)$/, '$10$2')}`;
}

/** A legacy coordinate pair as a geometry. */
export function pairGeometry(flat: FlatPoint): Geometry {
  return { flat, crs: 'flat', sphere: isLngLat(flat) ? new Shape({ points: [toSphere(flat)] }) : undefined };
}

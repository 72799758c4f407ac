import { located } from '../base/index.ts';
import { type Doc, isNumber, showValue, type Value } from '../bson/index.ts';
import { type FlatPoint, flatDistance } from './flat.ts';
import { parseGeoJsonPoint } from './geojson.ts';
import { badValue, EARTH_RADIUS, elementsOf, flatPoint, pairGeometry } from './points.ts';
import type { Geometry } from './shape.ts';
import { isPair, showAsDoc } from './stored.ts';
import type { Vec } from './vector.ts';

const NEAR: ReadonlySet<string> = new Set(['$near', '$nearSphere', '$geoNear']);

export function isNearOperator(name: string): boolean {
  return NEAR.has(name);
}

/** What `$near` or `$nearSphere` asks for. */
export interface Near {
  /** Distances are straight ones in the plane, or along the sphere. */
  readonly crs: 'flat' | 'sphere';
  readonly center: FlatPoint;
  /** The centre on the sphere, if distances are measured there. */
  readonly point: Vec | undefined;
  /** In the unit of `distance`, both included. */
  readonly min: number;
  readonly max: number;
  /** As it was given, `Number.MAX_VALUE` where it was not. */
  readonly maxGiven: number;
  readonly isNearSphere: boolean;
  /** Whether it may reach over the antimeridian or a pole, which an index of the plane cannot follow. */
  readonly isWrapping: boolean;
  /** In metres, or in the unit of the plane; undefined for what cannot be measured. */
  distance(geometry: Geometry): number | undefined;
  /** A distance as clients get it: along the sphere from a legacy pair it is in radians. */
  shown(distance: number): number;
}

interface Asked {
  geometry: Geometry;
  min: number;
  max: number;
  isNearSphere: boolean;
}

/** Reads all that is asked of a field that is asked for by distance. Throws BadValue and its like. */
export function parseNear(condition: Doc): Near {
  const asked = parseLegacy(condition) ?? parseNested(condition);
  const { geometry, isNearSphere } = asked;
  const isGeoJson = geometry.crs === 'sphere';
  if (isNearSphere && !geometry.sphere) throw badValue('Legacy point is out of bounds for spherical query');
  const isSphere = isGeoJson || isNearSphere;
  const unit = isSphere && !isGeoJson ? EARTH_RADIUS : 1;
  const point = isSphere ? geometry.sphere!.points[0]! : undefined;
  const center = geometry.flat!;
  return {
    crs: isSphere ? 'sphere' : 'flat',
    center,
    point,
    min: asked.min * unit,
    max: asked.max * unit,
    maxGiven: asked.max,
    isNearSphere,
    isWrapping: isGeoJson,
    distance(stored) {
      if (stored.crs === 'strict') return undefined;
      if (!point) return stored.flat && flatDistance(center, stored.flat);
      return stored.sphere && stored.sphere.distanceTo(point) * EARTH_RADIUS;
    },
    shown: (distance) => distance / unit,
  };
}

/** `{$near: [1, 2], $maxDistance: 3}`; undefined where the operand is none of a point's older forms. */
function parseLegacy(condition: Doc): Asked | undefined {
  let found: Pick<Asked, 'geometry' | 'isNearSphere'> | undefined;
  let [min, max] = [0, Number.MAX_VALUE];
  for (const [name, operand] of condition) {
    if (isNearOperator(name)) {
      if (!elementsOf(operand)) return undefined;
      const given = legacyPoint(operand);
      if (!given) continue;
      if (given.max !== undefined) max = given.max;
      if (!(max >= 0)) throw located(18522, 'max distance must be non-negative');
      found = { geometry: given.geometry, isNearSphere: name === '$nearSphere' };
    } else if (name === '$minDistance') min = legacyDistance(name, operand, 16893);
    else if (name === '$maxDistance') max = legacyDistance(name, operand, 16895);
    else if (name !== '$uniqueDocs') {
      throw located(34413, `invalid argument in geo near query: ${name}`);
    }
  }
  return found && { ...found, min, max };
}

/** Of the two codes the second is that of a negative distance. */
function legacyDistance(name: string, operand: Value, code: number): number {
  if (!isNumber(operand)) throw located(code, `${name} must be a number`);
  const distance = Number(operand);
  if (!(distance >= 0)) throw located(code + 1, `${name} must be non-negative`);
  return distance;
}

/** A point, or a point and the greatest distance from it in one array. */
function legacyPoint(operand: Value): { geometry: Geometry; max?: number } | undefined {
  try {
    return { geometry: queryPoint(operand) };
  } catch {
    const values = elementsOf(operand)!;
    if (values.length !== 3 || !values.every(isNumber)) return undefined;
    return { geometry: pairGeometry({ x: Number(values[0]), y: Number(values[1]) }), max: Number(values[2]) };
  }
}

function queryPoint(value: Value): Geometry {
  return isPair(value) || !(value instanceof Map) ? pairGeometry(flatPoint(value)) : parseGeoJsonPoint(value);
}

/** `{$near: {$geometry: {...}, $maxDistance: 3}}` */
function parseNested(condition: Doc): Asked {
  const [[, operand] = ['', undefined], extra] = condition;
  if (extra) {
    throw badValue(
      'geo near accepts just one argument when querying for a GeoJSON point. ' +
        `Extra field found: ${extra[0]}: ${showValue(extra[1])}`,
    );
  }
  const fields = operand instanceof Map ? operand : new Map((operand as Value[]).map((item, i) => [String(i), item]));
  let geometry: Geometry | undefined;
  let [min, max] = [0, Number.MAX_VALUE];
  for (const [field, value] of fields) {
    if (field === '$geometry') geometry = nestedPoint(value) ?? geometry;
    else if (field === '$minDistance') min = nestedDistance(field, value);
    else if (field === '$maxDistance') max = nestedDistance(field, value);
    else throw badValue(`invalid argument in geo near query: ${field}`);
  }
  if (!geometry) throw badValue('$geometry is required for geo near query');
  return { geometry, min, max, isNearSphere: false };
}

function nestedPoint(value: Value): Geometry | undefined {
  if (!elementsOf(value)) return undefined;
  let geometry: Geometry;
  try {
    geometry = queryPoint(value);
  } catch (error) {
    throw badValue(
      `invalid point in geo near query $geometry argument: ${showAsDoc(value)}  ${(error as Error).message}`,
    );
  }
  if (geometry.crs !== 'sphere') throw badValue(`$near requires geojson point, given ${showAsDoc(value)}`);
  return geometry;
}

function nestedDistance(name: string, operand: Value): number {
  if (!isNumber(operand)) throw badValue(`${name} must be a number`);
  const distance = Number(operand);
  if (!(distance >= 0 && Number.isFinite(distance))) throw badValue(`${name} must be non-negative`);
  return distance;
}

import { type Doc, isNumber, showDoc, showValue, type Value } from '../bson/index.ts';
import type { Area } from './area.ts';
import { Cap } from './cap.ts';
import { type FlatRegion, flatBox, flatCircle, flatPolygon } from './flat.ts';
import { parseGeoJson } from './geojson.ts';
import { at, badValue, type Element, elementsOf, flatPoint, NOTHING, pairGeometry, spherePoint } from './points.ts';
import { type Geometry, Shape } from './shape.ts';
import { isPair } from './stored.ts';

export type GeoOperator = '$geoWithin' | '$geoIntersects';

/** What `$geoWithin` or `$geoIntersects` asks of a geometry. */
export interface GeoRegion {
  readonly operator: GeoOperator;
  matches(geometry: Geometry): boolean;
  /** A part of the plane: only points can be in it. */
  readonly flat: FlatRegion | undefined;
  /** A circle on the sphere, as `$centerSphere` gives it. */
  readonly cap: Cap | undefined;
  /** A GeoJSON geometry. */
  readonly shape: Shape | undefined;
}

/** The operand's geometry, in one of the ways in which it can be told. */
interface Specified {
  readonly flat?: FlatRegion;
  readonly cap?: Cap;
  readonly geometry?: Geometry;
}

/**
 * Reads the operand of an operator; `condition` is the whole of what is asked of the field, which must be nothing else.
 * Throws BadValue.
 */
export function parseRegion(operator: GeoOperator, condition: Doc): GeoRegion {
  const [[name, operand] = ['', undefined], extra] = condition;
  if (extra) throw badValue(`can't parse extra field: ${extra[0]}: ${showValue(extra[1])}`);
  if (!(operand instanceof Map)) throw badValue('geometry must be an object');
  let found: Specified | undefined;
  for (const [specifier, value] of operand) {
    if (found && name === '$geoWithin') {
      throw badValue(`$geoWithin doesn't accept multiple shapes ${name}: ${showValue(operand)}`);
    }
    if (specifier !== '$uniqueDocs') found = parseSpecifier(specifier, value);
  }
  if (!found) throw badValue("geo query doesn't have any geometry");
  return operator === '$geoWithin' ? within(found, condition) : intersecting(found, condition);
}

function parseSpecifier(specifier: string, value: Value): Specified {
  const values = elementsOf(value);
  if (values) {
    switch (specifier) {
      case '$box':
        return { flat: flatBox(flatPoint(at(values, 0)), flatPoint(at(values, 1))) };
      case '$polygon':
        return { flat: parsePolygon(values) };
      case '$center': {
        const center = flatPoint(at(values, 0));
        return { flat: flatCircle(center, parseRadius(values)) };
      }
      case '$centerSphere': {
        const center = spherePoint(flatPoint(at(values, 0)));
        return { cap: new Cap(center, parseRadius(values)) };
      }
      case '$geometry':
        return { geometry: isPair(value) ? pairGeometry(flatPoint(value)) : parseGeoJson(value as Doc) };
    }
  }
  throw badValue(`unknown geo specifier: ${specifier}: ${showValue(value)}`);
}

function parsePolygon(values: readonly Value[]): FlatRegion {
  const points = values.map((value) => flatPoint(value));
  if (points.length < 3) throw badValue(`Polygon must have at least 3 points, instead got ${points.length} vertices`);
  return flatPolygon(points);
}

function parseRadius(values: readonly Value[]): number {
  const element: Element = at(values, 1);
  const radius = element !== NOTHING && isNumber(element) ? Number(element) : Number.NaN;
  if (!(radius >= 0)) {
    throw badValue(`Radius must be a non-negative number: ${element === NOTHING ? 'EOO' : showValue(element)}`);
  }
  if (values.length > 2) throw badValue('Only 2 fields allowed for circular region, but more were provided');
  return radius;
}

function within({ flat, cap, geometry }: Specified, condition: Doc): GeoRegion {
  const base = { operator: '$geoWithin' as const, flat, cap, shape: geometry?.sphere };
  if (flat) return { ...base, matches: (stored) => isStored(stored) && !!stored.flat && flat.contains(stored.flat) };
  const regions: readonly (Area | Cap)[] = cap ? [cap] : (geometry?.sphere?.areas ?? []);
  if (regions.length === 0) throw badValue(`$within not supported with provided geometry: ${showDoc(condition)}`);
  return { ...base, matches: (stored) => isStored(stored) && !!stored.sphere && stored.sphere.isWithin(regions) };
}

function intersecting({ flat, cap, geometry }: Specified, condition: Doc): GeoRegion {
  const shape = geometry?.sphere;
  if (flat || (geometry && !shape)) {
    throw badValue(`$geoIntersect not supported with provided geometry: ${showDoc(condition)}`);
  }
  return {
    operator: '$geoIntersects',
    flat: undefined,
    cap,
    // MongoDB takes a `$centerSphere` here, and finds that it intersects nothing.
    shape: shape ?? new Shape({}),
    matches: (stored) => !!shape && isStored(stored) && !!stored.sphere && shape.intersects(stored.sphere),
  };
}

/** A stored polygon of strict winding matches nothing. */
function isStored(geometry: Geometry): boolean {
  return geometry.crs !== 'strict';
}

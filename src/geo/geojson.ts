import { s2 } from 's2js';
import { type Doc, showDoc, showValue, type Value } from '../bson/index.ts';
import { Area } from './area.ts';
import { Line, toS2 } from './line.ts';
import { hasNestedHoles, holeTouchesTwice, lineError, loopError, loopsError, withoutRepeats } from './loop-check.ts';
import { badValue, type Element, flatPoint, NOTHING, spherePoint, typeOf } from './points.ts';
import { type Geometry, Shape } from './shape.ts';
import { same, type Vec } from './vector.ts';

const TYPES = [
  ...['Point', 'LineString', 'Polygon', 'MultiPoint', 'MultiLineString', 'MultiPolygon', 'GeometryCollection'],
] as const;

const PLAIN_CRS: ReadonlySet<string> = new Set(['urn:ogc:def:crs:OGC:1.3:CRS84', 'EPSG:4326']);
const STRICT_CRS = 'urn:x-mongodb:crs:strictwinding:EPSG:4326';

/** Reads a GeoJSON geometry. Throws BadValue with MongoDB's words for what is none. */
export function parseGeoJson(doc: Doc): Geometry {
  const type = typeField(doc);
  if (type === undefined) throw badValue(`unknown GeoJSON type: ${showDoc(doc)}`);
  return parseTyped(type, doc);
}

/** A point as `$near` takes it: the type may be left out. */
export function parseGeoJsonPoint(doc: Doc): Geometry {
  if (doc.has('type') && typeField(doc) !== 'Point') {
    throw badValue(`Expected geojson geometry with type Point, but got type ${typeField(doc) ?? 'Unknown'}`);
  }
  checkCrs(doc);
  const flat = flatPoint(field(doc, 'coordinates'), true);
  return { flat, crs: 'sphere', sphere: new Shape({ points: [spherePoint(flat)] }) };
}

function parseTyped(type: string, doc: Doc): Geometry {
  if (type === 'Point') return parseGeoJsonPoint(doc);
  if (type === 'GeometryCollection') return onSphere(parseCollection(doc));
  const isStrict = checkCrs(doc, type === 'Polygon');
  const coordinates = field(doc, 'coordinates');
  switch (type) {
    case 'LineString':
      return onSphere(new Shape({ lines: [parseLine(coordinates)] }));
    case 'Polygon':
      if (isStrict) return { flat: undefined, crs: 'strict', sphere: new Shape({ areas: [strictArea(coordinates)] }) };
      return onSphere(new Shape({ areas: [parseArea(coordinates)] }));
    case 'MultiPoint':
      return onSphere(new Shape({ points: someOf(parsePoints(coordinates), type) }));
    case 'MultiLineString':
      return onSphere(new Shape({ lines: someOf(eachOf(coordinates, type).map(parseLine), type) }));
    default:
      return onSphere(new Shape({ areas: someOf(eachOf(coordinates, type).map(parseArea), type) }));
  }
}

function onSphere(sphere: Shape): Geometry {
  return { flat: undefined, crs: 'sphere', sphere };
}

function typeField(doc: Doc): string | undefined {
  const type = doc.get('type');
  return TYPES.find((known) => known === type);
}

function field(doc: Doc, name: string): Element {
  return doc.has(name) ? doc.get(name) : NOTHING;
}

/** Whether the coordinate system is that of strict winding. Throws BadValue for one that is unknown, or not allowed here. */
function checkCrs(doc: Doc, mayBeStrict = false): boolean {
  const crs = field(doc, 'crs');
  if (crs === NOTHING) return false;
  if (!(crs instanceof Map)) throw badValue(`GeoJSON CRS must be an object, instead got type ${typeOf(crs)}`);
  if (crs.get('type') !== 'name') throw badValue('GeoJSON CRS must have field "type": "name"');
  const properties = field(crs, 'properties');
  if (!(properties instanceof Map)) {
    throw badValue(`CRS must have field "properties" which is an object, instead got type ${typeOf(properties)}`);
  }
  const name = field(properties, 'name');
  if (typeof name !== 'string') {
    throw badValue(`In CRS, "properties.name" must be a string, instead got type ${typeOf(name)}`);
  }
  if (PLAIN_CRS.has(name)) return false;
  if (name !== STRICT_CRS) throw badValue(`Unknown CRS name: ${name}`);
  if (!mayBeStrict) throw badValue('Strict winding order CRS is only supported by polygon');
  return true;
}

function parseCollection(doc: Doc): Shape {
  const geometries = field(doc, 'geometries');
  if (!Array.isArray(geometries)) {
    throw badValue(`GeometryCollection geometries must be an array, instead got type ${typeOf(geometries)}`);
  }
  if (geometries.length === 0) throw badValue('GeometryCollection geometries must have at least 1 element');
  const shapes = geometries.map((item, at) => {
    if (!(item instanceof Map)) {
      const shown = `${typeOf(item)}: ${showValue(item)}`;
      throw badValue(`Element ${at} of "geometries" must be an object, instead got type ${shown}`);
    }
    const type = typeField(item);
    if (type === undefined) throw badValue(`Unknown GeoJSON type: ${showDoc(item)}`);
    if (type === 'GeometryCollection') throw badValue(`GeometryCollections cannot be nested: ${showDoc(item)}`);
    return parseTyped(type, item).sphere!;
  });
  return new Shape({
    points: shapes.flatMap(({ points }) => points),
    lines: shapes.flatMap(({ lines }) => lines),
    areas: shapes.flatMap(({ areas }) => areas),
  });
}

function eachOf(coordinates: Element, type: string): readonly Value[] {
  if (Array.isArray(coordinates)) return coordinates;
  throw badValue(`${type} coordinates must be an array, instead got type ${typeOf(coordinates)}`);
}

function someOf<Part>(parts: readonly Part[], type: string): readonly Part[] {
  if (parts.length === 0) throw badValue(`${type} coordinates must have at least 1 element`);
  return parts;
}

function parsePoints(coordinates: Element): Vec[] {
  if (!Array.isArray(coordinates)) {
    throw badValue(`GeoJSON coordinates must be an array of coordinates, instead got type ${typeOf(coordinates)}`);
  }
  return coordinates.map((item) => {
    if (!Array.isArray(item)) throw badValue(`GeoJSON coordinates must be an array, instead got type ${typeOf(item)}`);
    return spherePoint(flatPoint(item, true));
  });
}

function parseLine(coordinates: Element): Line {
  const points = withoutRepeats(parsePoints(coordinates));
  const shown = () => showValue(coordinates as Value);
  if (points.length < 2) {
    const count = `instead got ${points.length} vertices`;
    throw badValue(`GeoJSON LineString must have at least 2 vertices, ${count}: ${shown()}`);
  }
  const error = lineError(points);
  if (error) throw badValue(`GeoJSON LineString is not valid: ${error} ${shown()}`);
  return new Line(points);
}

/** The points of a border without the last, which repeats the first. `whole` is what errors about its length show. */
function parseLoop(coordinates: Element, whole: Value): s2.Loop {
  const points = parsePoints(coordinates);
  const shown = () => showValue(coordinates as Value);
  if (points.length === 0) throw badValue(`Loop has no vertices: ${shown()}`);
  if (!same(points[0]!, points.at(-1)!)) {
    throw badValue(`Loop is not closed, first vertex does not equal last vertex: ${shown()}`);
  }
  const vertices = withoutRepeats(points).slice(0, -1);
  if (vertices.length < 3) {
    const count = `${vertices.length} unique vertices were provided`;
    throw badValue(`Loop must have at least 3 different vertices, ${count}: ${showValue(whole)}`);
  }
  const error = loopError(vertices);
  if (error) throw badValue(`Loop is not valid: ${showValue(whole)} ${error}`);
  return new s2.Loop(vertices.map(toS2));
}

/** The border, then the holes, each gone around in either direction: of the two sides the smaller one is meant. */
function parseArea(coordinates: Element): Area {
  const rings = eachOf(coordinates, 'Polygon');
  const loops: s2.Loop[] = [];
  for (const ring of rings) {
    const loop = parseLoop(ring, ring);
    loop.normalize();
    if (loops[0] && !loops[0].contains(loop)) {
      throw badValue(
        'Secondary loops not contained by first exterior loop - secondary loops must be holes: ' +
          `${showValue(ring)} first loop: ${showValue(rings[0])}`,
      );
    }
    loops.push(loop);
  }
  if (loops.length === 0) throw badValue('Polygon has no loops.');
  const shown = () => showValue(coordinates as Value);
  const error = loopsError(loops);
  if (error) throw badValue(`Polygon isn't valid: ${error} ${shown()}`);
  const touching = holeTouchesTwice(loops);
  if (touching !== undefined) {
    throw badValue(`Loop ${touching} shares more than one vertex with its parent loop 0: ${shown()}`);
  }
  if (hasNestedHoles(loops)) throw badValue(`Polygon interior loops cannot be nested: ${shown()}`);
  return new Area(new s2.Polygon(loops));
}

/** One border, gone around with the inside on the left. */
function strictArea(coordinates: Element): Area {
  if (!Array.isArray(coordinates)) {
    throw badValue(`Coordinates of polygon must be an array, instead got type ${typeOf(coordinates)}`);
  }
  if (coordinates.length !== 1) {
    const count = `instead provided ${coordinates.length} loops`;
    throw badValue(`Only one simple loop is allowed in a big polygon, ${count}: ${showValue(coordinates)}`);
  }
  return new Area(new s2.Polygon([parseLoop(coordinates[0], coordinates)]));
}

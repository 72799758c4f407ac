import { CodedError } from '../../base/index.ts';
import { type Doc, isNumber, typeAlias, type Value } from '../../bson/index.ts';
import { badValue, located, typeMismatch } from '../error.ts';
import { compileExpression, rootScope } from '../expressions/index.ts';
import { checkedParts } from '../path.ts';
import type { GeoNear, Metadata, QueryContext } from '../types.ts';
import { isArray, isDoc, truthy } from '../value.ts';
import { opened, type StageCompiler } from './stage.ts';

/** `$geoNear`: the documents of the collection, nearest first, each with its distance. An index must find them. */
export const geoNear: StageCompiler = (spec, { context }) => {
  const asked = parseGeoNear(spec, context);
  return opened(() => context.nearest(context.collection, asked));
};

/** Options of earlier versions. */
const GONE: readonly [string, string, string][] = [
  [
    'Location40227',
    'collation',
    "$geoNear does not accept the 'collation' parameter. Instead, specify a collation for the entire aggregation command.",
  ],
  ['Location50858', 'limit', "$geoNear no longer supports the 'limit' parameter. Use a $limit stage instead."],
  ['Location50857', 'num', "$geoNear no longer supports the 'num' parameter. Use a $limit stage instead."],
  ['Location50856', 'start', "$geoNear no longer supports the 'start' argument."],
];

function parseGeoNear(spec: Value, context: QueryContext): GeoNear {
  if (!isDoc(spec)) throw located(10065, 'invalid parameter: expected an object ($geoNear)');
  for (const [code, name, message] of GONE) if (spec.has(name)) throw new CodedError(code, message);
  if (!spec.has('near')) throw located(5860400, "$geoNear requires a 'near' argument");
  const distanceField = pathOption(
    spec,
    'distanceField',
    "$geoNear requires a 'distanceField' option as a String",
    16606,
  );
  const max = distanceOption(spec, 'maxDistance');
  const min = distanceOption(spec, 'minDistance');
  const multiplier = distanceOption(spec, 'distanceMultiplier') ?? 1;
  const query = spec.has('query') ? spec.get('query') : new Map();
  if (!isDoc(query)) throw typeMismatch('query must be an object');
  const locsField = spec.has('includeLocs')
    ? pathOption(spec, 'includeLocs', "$geoNear requires that 'includeLocs' option is a String", 16607)
    : undefined;
  const key = keyOption(spec);
  const center = centerOf(spec.get('near'), context);
  const operator = truthy(spec.get('spherical')) ? '$nearSphere' : '$near';
  return {
    key,
    filter(path) {
      const condition = new Map<string, Value>([[operator, center()]]);
      if (min !== undefined) condition.set('$minDistance', min);
      if (max !== undefined) condition.set('$maxDistance', max);
      return new Map<string, Value>([...query, [path, condition]]);
    },
    add(doc: Doc, { geoNearDistance = 0, geoNearPoint }: Metadata) {
      const measured = withField(doc, distanceField, geoNearDistance * multiplier);
      return locsField ? withField(measured, locsField, geoNearPoint) : measured;
    },
  };
}

function pathOption(spec: Doc, name: string, message: string, code: number): readonly string[] {
  const path = spec.get(name);
  if (typeof path !== 'string') throw located(code, message);
  return checkedParts(path);
}

function distanceOption(spec: Doc, name: string): number | undefined {
  if (!spec.has(name)) return undefined;
  const given = spec.get(name);
  if (!isNumber(given)) throw typeMismatch(`${name} must be a number`);
  if (!(Number(given) >= 0)) throw badValue(`${name} must be nonnegative`);
  return Number(given);
}

function keyOption(spec: Doc): string | undefined {
  if (!spec.has('key')) return undefined;
  const key = spec.get('key');
  if (typeof key !== 'string') {
    throw typeMismatch(`$geoNear parameter 'key' must be of type string but found type: ${typeAlias(key)}`);
  }
  if (key === '') throw badValue("$geoNear parameter 'key' cannot be the empty string");
  return checkedParts(key).join('.');
}

/** The centre is an expression, though not one of a document: there is none yet. With variables it is known at a run. */
function centerOf(near: Value, context: QueryContext): () => Value {
  if (mentions(near, DOCUMENT)) throw located(5860402, '$geoNear requires a constant near argument');
  const evaluate = compileExpression(near, context);
  const center = (): Value => {
    const value = evaluate(rootScope(new Map()));
    if (isDoc(value) || isArray(value)) return value;
    throw located(5860401, '$geoNear requires near argument to be a GeoJSON object or a legacy point(array)');
  };
  if (mentions(near, VARIABLE)) return center;
  const constant = center();
  return () => constant;
}

const DOCUMENT = /^\$([^$]|\$(ROOT|CURRENT)\b)/;
const VARIABLE = /^\$\$/;

function mentions(value: Value, what: RegExp): boolean {
  if (typeof value === 'string') return what.test(value);
  if (isArray(value)) return value.some((item) => mentions(item, what));
  return isDoc(value) && !value.has('$literal') && [...value.values()].some((item) => mentions(item, what));
}

/** Puts a value at a path, in place of what is there, through documents that are made where there are none. */
function withField(doc: Doc, parts: readonly string[], value: Value): Doc {
  const [name, ...rest] = parts;
  const child = doc.get(name!);
  return new Map(doc).set(name!, rest.length === 0 ? value : withField(isDoc(child) ? child : new Map(), rest, value));
}

import { CodedError } from '../../base/index.ts';
import { type Doc, isNumber, typeAlias, type Value } from '../../bson/index.ts';
import { badValue, located, typeMismatch } from '../error.ts';
import { compileExpression, rootScope } from '../expressions/index.ts';
import { checkInValidator, compileFilter } from '../filter/index.ts';
import { checkedParts } from '../path.ts';
import type { GeoNear, Metadata, QueryContext } from '../types.ts';
import { type Found, isArray, isDoc, MISSING, truthy } from '../value.ts';
import { opened, type StageCompiler } from './stage.ts';

/** `$geoNear`: the documents of the collection, nearest first, each with its distance. An index must find them. */
export const geoNear: StageCompiler = (spec, { context }) => {
  const asked = parseGeoNear(spec, context);
  return opened(() => context.nearest(asked, context));
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
  // An array is a document without any of its fields.
  if (isArray(spec)) throw located(5860400, "$geoNear requires a 'near' argument");
  if (!isDoc(spec)) throw located(10065, 'invalid parameter: expected an object ($geoNear)');
  for (const [code, name, message] of GONE) if (spec.has(name)) throw new CodedError(code, message);
  if (!spec.has('near')) throw located(5860400, "$geoNear requires a 'near' argument");
  const distanceField = pathOption(
    spec,
    'distanceField',
    "$geoNear requires a 'distanceField' option as a String",
    16606,
  );
  const multiplier = multiplierOption(spec) ?? 1;
  const query = spec.has('query') ? spec.get('query') : new Map();
  if (!isDoc(query)) throw typeMismatch('query must be an object');
  checkQuery(query, context);
  const locsField = spec.has('includeLocs')
    ? pathOption(spec, 'includeLocs', "$geoNear requires that 'includeLocs' option is a String", 16607)
    : undefined;
  const key = keyOption(spec);
  const center = centerOf(spec.get('near'), context);
  const min = spec.has('minDistance') ? distanceOf('minDistance', 7555701, spec, context) : undefined;
  const max = spec.has('maxDistance') ? distanceOf('maxDistance', 7555702, spec, context) : undefined;
  const operator = truthy(spec.get('spherical')) ? '$nearSphere' : '$near';
  return {
    key,
    filter(path) {
      const condition = new Map<string, Value>([[operator, center()]]);
      if (min) condition.set('$minDistance', min());
      if (max) condition.set('$maxDistance', max());
      // Beside the query, which may be about the same path.
      const asked: Doc = new Map([[path, condition]]);
      return query.size > 0 ? asked.set('$and', [query]) : asked;
    },
    add(doc: Doc, { geoNearDistance = 0, geoNearPoint }: Metadata) {
      const measured = withField(doc, distanceField, geoNearDistance * multiplier);
      return locsField ? withField(measured, locsField, geoNearPoint) : measured;
    },
  };
}

/** Throws for a query that cannot be, or that wants an order or an index of its own. */
function checkQuery(query: Doc, { textIndex: _, nears: __, ...context }: QueryContext): void {
  checkInValidator(query);
  compileFilter(query, context);
}

function pathOption(spec: Doc, name: string, message: string, code: number): readonly string[] {
  const path = spec.get(name);
  if (typeof path !== 'string') throw located(code, message);
  return checkedParts(path);
}

function multiplierOption(spec: Doc): number | undefined {
  if (!spec.has('distanceMultiplier')) return undefined;
  const given = spec.get('distanceMultiplier');
  if (!isNumber(given)) throw typeMismatch('distanceMultiplier must be a number');
  if (!(Number(given) >= 0)) throw badValue('distanceMultiplier must be nonnegative');
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

function centerOf(near: Value, context: QueryContext): () => Value {
  if (mentions(near, DOCUMENT)) throw located(5860402, '$geoNear requires a constant near argument');
  return known(near, context, (value) => {
    if (isDoc(value) || isArray(value)) return value;
    throw located(5860401, '$geoNear requires near argument to be a GeoJSON object or a legacy point(array)');
  });
}

/** `code` is that of a distance that differs from document to document. */
function distanceOf(name: string, code: number, spec: Doc, context: QueryContext): () => number {
  const given = spec.get(name);
  const refusal = `$geoNear requires $${name} to evaluate to a`;
  if (mentions(given, DOCUMENT)) throw located(code, `${refusal} constant number`);
  return known(given, context, (value) => {
    if (value === MISSING || !isNumber(value)) throw typeMismatch(`${refusal} number`);
    if (!(Number(value) >= 0)) throw badValue(`${name} must be nonnegative`);
    return Number(value);
  });
}

/** The value of an expression that is not one of a document: there is none yet. With variables it is known at a run. */
function known<T>(expression: Value, context: QueryContext, read: (value: Found) => T): () => T {
  const evaluate = compileExpression(expression, context);
  const value = () => read(evaluate(rootScope(new Map())));
  if (mentions(expression, VARIABLE)) return value;
  const constant = value();
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

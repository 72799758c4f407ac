import { compare, type Doc, encodeKey, type Value } from '../../bson/index.ts';
import { addInUtc, parseTimeUnit, type TimeUnit } from '../dates/index.ts';
import { located } from '../error.ts';
import { add, exactLong, intOrLong, toDouble } from '../number.ts';
import { resolvePath, withValue } from '../path.ts';
import { compileSort } from '../sort.ts';
import { type Found, isArray, isDoc, isNullish, isNumeric, MISSING, type Numeric, typeName } from '../value.ts';
import { checkFields, objectArgument, pathList, requireText, wrongType } from './idl.ts';
import { partitioned } from './partition.ts';
import { type StageCompiler, whole } from './stage.ts';

/** How many documents one `$densify` may make, as in MongoDB (`internalQueryMaxAllowedDensifyDocs`). */
const MAX_DENSIFIED = 500_000;

interface Limits {
  readonly from: Value;
  readonly to: Value;
}

/** The values to be there: from the least that is met to the greatest, of all or of a partition, or between two bounds. */
interface Range {
  readonly bounds: 'full' | 'partition' | Limits;
  readonly unit: TimeUnit | undefined;
  next(value: Value): Value;
}

/** `$densify`: documents for the values that a sequence of numbers or dates leaves out. */
export const densify: StageCompiler = (spec, { context }) => {
  const given = objectArgument('$densify', spec);
  checkFields('$densify', given, ['field', 'partitionByFields', 'range'], ['field', 'range']);
  const field = requireText('$densify.field', given.get('field'));
  const partitionBy = pathList('$densify.partitionByFields', given.get('partitionByFields'));
  const range = parseRange(given.get('range'));
  const { bounds } = range;
  if (bounds === 'partition' && partitionBy.length === 0) {
    throw located(
      5733408,
      "One cannot specify the bounds as 'partition' without specifying a non-empty array of partitionByFields. You may have meant to specify 'full' bounds.",
    );
  }
  const path = field.split('.');
  const keys = bounds === 'full' ? [field] : [...partitionBy, field];
  const order = compileSort(new Map(keys.map((key) => [key, intOrLong(1)])), context.collator);
  const keyOf = (doc: Doc) => checked(resolvePath(doc, path), range);
  return whole((docs) => {
    const sorted = docs.sort(order);
    const made: Doc[] = [];
    const extent = extentOf(sorted.map(keyOf));
    const partitions = partitioned(sorted, partitionBy, context.collator);
    // Bounds that are given are filled even where nothing is.
    if (partitions.length === 0 && typeof bounds !== 'string') partitions.push([]);
    for (const members of partitions) {
      const values = members.map(keyOf);
      const limits = typeof bounds !== 'string' ? bounds : bounds === 'full' ? extent : extentOf(values);
      if (!limits) continue;
      const seed = seedOf(members[0], partitionBy);
      checkPlace(seed, path);
      const present = new Set(values.filter((value) => !isNullish(value)).map((value) => encodeKey(value as Value)));
      for (
        let value = limits.from, steps = 0;
        within(value, limits.to, typeof bounds !== 'string');
        value = range.next(value), steps++
      ) {
        // Bounds the steps, too: one too small for the doubles it is added to would never arrive.
        if (made.length >= MAX_DENSIFIED || steps > MAX_DENSIFIED + docs.length) throw tooMany();
        if (!present.has(encodeKey(value))) made.push(withValue(seed, path, value));
      }
    }
    return made.length === 0 ? sorted : [...sorted, ...made].sort(order);
  });
};

/** The upper bound of a given range is not in it; the greatest value of the data is there anyway. */
function within(value: Value, to: Value, exclusive: boolean): boolean {
  const order = compare(value, to);
  return exclusive ? order < 0 : order <= 0;
}

function tooMany(): Error {
  return located(
    5897900,
    `Generated ${MAX_DENSIFIED} documents in $densify, which is over the limit of ${MAX_DENSIFIED}. Increase the 'internalQueryMaxAllowedDensifyDocs' parameter to allow more generated documents`,
  );
}

function parseRange(spec: Value): Range {
  if (!isDoc(spec)) throw wrongType('$densify.range', spec, 'object');
  checkFields('$densify.range', spec, ['step', 'bounds', 'unit'], ['step', 'bounds']);
  const step = spec.get('step');
  if (!isNumeric(step) || !(toDouble(step) > 0)) {
    throw located(5733401, 'The step parameter in a range statement must be a strictly positive numeric value');
  }
  const unit = spec.has('unit') ? parseTimeUnit(requireText('$densify.range.unit', spec.get('unit'))) : undefined;
  const whole = exactLong(step);
  if (unit && whole === undefined) {
    throw located(
      6586400,
      'The step parameter in a range statement must be a whole number when densifying a date range',
    );
  }
  const next = (value: Value): Value => {
    if (value instanceof Date) return new Date(addInUtc(value.getTime(), unit!, whole!));
    return add(value as Numeric, step) ?? toDouble(value as Numeric) + toDouble(step);
  };
  return { bounds: parseBounds(spec.get('bounds'), step, unit), unit, next };
}

function parseBounds(bounds: Value, step: Numeric, unit: TimeUnit | undefined): Range['bounds'] {
  if (typeof bounds === 'string') {
    if (bounds === 'full' || bounds === 'partition') return bounds;
    throw located(5946802, "Bounds string must either be 'full' or 'partition'");
  }
  if (!isArray(bounds)) {
    throw located(
      5733404,
      "The bounds in a range statement must be the string 'full', 'partition', or an ascending array of two numbers or two dates",
    );
  }
  const [from, to] = bounds;
  if (bounds.length !== 2) {
    throw located(5733403, 'A bounding array in a range statement must have exactly two elements');
  }
  if (compare(from, to) > 0) {
    throw located(5733402, 'A bounding array must be an ascending array of either two dates or two numbers');
  }
  if (isNumeric(from)) {
    if (unit) throw located(5733409, 'Numeric bounds may not have unit parameter');
    if (!isNumeric(to)) throw mixed(5733406);
    if (typeName(from) !== typeName(to) || typeName(from) !== typeName(step)) {
      throw located(5876900, 'Upper bound, lower bound, and step must all have the same type');
    }
  } else if (from instanceof Date) {
    if (!(to instanceof Date)) throw mixed(5733405);
    if (!unit) throw located(5733410, 'A bounding array of dates must specify a unit');
  } else throw located(5946800, 'Explicit bounds must be numeric or dates');
  return { from, to };
}

function mixed(code: number): Error {
  return located(code, 'A bounding array must contain either both dates or both numeric types');
}

function checked(value: Found, { unit }: Range): Found {
  if (isNullish(value)) return value;
  if (!isNumeric(value) && !(value instanceof Date)) {
    throw located(5733201, 'Densify field type must be numeric or a date');
  }
  if (unit && !(value instanceof Date)) {
    throw located(6053600, 'Encountered non-date value in collection when step has a date unit.');
  }
  if (!unit && value instanceof Date) {
    throw located(6053600, 'Encountered date value in collection when step does not have a date unit.');
  }
  return value;
}

function extentOf(values: readonly Found[]): Limits | undefined {
  let [least, greatest]: [Value, Value] = [undefined, undefined];
  let any = false;
  for (const value of values) {
    if (isNullish(value)) continue;
    if (!any || compare(value as Value, least) < 0) least = value as Value;
    if (!any || compare(value as Value, greatest) > 0) greatest = value as Value;
    any = true;
  }
  return any ? { from: least, to: greatest } : undefined;
}

/** What the documents that are made for a partition have beside the value. */
function seedOf(member: Doc | undefined, partitionBy: readonly string[]): Doc {
  let seed: Doc = new Map();
  for (const name of partitionBy) {
    const value = member ? resolvePath(member, name.split('.')) : MISSING;
    if (value !== MISSING) seed = withValue(seed, name.split('.'), value);
  }
  return seed;
}

function checkPlace(seed: Doc, path: readonly string[]): void {
  let value: Value = seed;
  for (const part of path.slice(0, -1)) {
    value = isDoc(value) ? value.get(part) : undefined;
    if (isArray(value)) throw located(5733307, '$densify cannot generate fields nested inside arrays');
    if (value === undefined) return;
    if (!isDoc(value)) throw located(5733308, '$densify cannot overwrite non-object values with objects');
  }
}

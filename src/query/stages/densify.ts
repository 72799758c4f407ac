import { compare, type Doc, encodeKey, type Value } from '../../bson/index.ts';
import { addInUtc, parseTimeUnit, type TimeUnit } from '../dates/index.ts';
import { located } from '../error.ts';
import { limitOf } from '../limits.ts';
import { add, exactLong, intOrLong, subtract, toDouble } from '../number.ts';
import { checkedParts, resolvePath, withValue } from '../path.ts';
import { sizeOfValue } from '../size.ts';
import type { PipelineContext } from '../types.ts';
import { type Found, isArray, isDoc, isNullish, isNumeric, MISSING, type Numeric, typeName } from '../value.ts';
import { checkFields, objectArgument, pathList, requireText, withoutNulls, wrongType } from './idl.ts';
import { sort } from './simple.ts';
import type { StageCompiler } from './stage.ts';

/** How many documents are handed on at once. */
const BATCH = 512;

interface Bounds {
  readonly from: Value;
  /** Exclusive. */
  readonly to: Value;
}

/** The values to be there: from the least that is met to the greatest, of all or of a partition, or between two bounds. */
interface Range {
  readonly bounds: 'full' | 'partition' | Bounds;
  readonly unit: TimeUnit | undefined;
  /** The next value, or the one before where `by` is -1. */
  step(value: Value, by: 1 | -1): Value;
}

interface DensifySpec {
  readonly path: readonly string[];
  readonly partitionBy: readonly (readonly string[])[];
  readonly range: Range;
}

/** `$densify`: documents for the values that a sequence of numbers or dates leaves out. It sorts what it is given. */
export const densify: StageCompiler = (spec, env) => {
  const parsed = parse(spec);
  const { path, partitionBy, range } = parsed;
  const keys = range.bounds === 'full' ? [path] : [...partitionBy, path];
  const sorted = sort(new Map(keys.map((key) => [key.join('.'), intOrLong(1)])), env);
  return async function* (source) {
    const run = new Densification(parsed, env.context);
    for await (const batch of sorted(source)) for (const doc of batch) yield* run.take(doc);
    yield* run.finish();
  };
};

/** The documents that have the same in the fields of `partitionByFields`. */
interface Partition {
  /** Those of the first of its documents: others may have something equal there. */
  readonly fields: Doc;
  /** The last value of its sequence that is there. */
  last: Value;
}

/** One run over documents in their order: what is made for a document stands right before it, as in MongoDB. */
class Densification {
  readonly #spec: DensifySpec;
  readonly #context: PipelineContext;
  readonly #partitions = new Map<string, Partition>();
  #least: Value | undefined;
  #greatest: Value | undefined;
  /** The last value of the sequence that was met last. */
  #last: Value | undefined;
  #made = 0;
  /** What the partitions take, in bytes of BSON, about. */
  #bytes = 0;
  #held: Doc[] = [];

  constructor(spec: DensifySpec, context: PipelineContext) {
    this.#spec = spec;
    this.#context = context;
  }

  /** The document, and before it what its sequence lacks; in batches. */
  *take(doc: Doc): Generator<Doc[]> {
    const { path, partitionBy, range } = this.#spec;
    const value = checked(resolvePath(doc, path), range);
    if (!isNullish(value)) {
      const { bounds, step } = range;
      const fields = fieldsOf(doc, partitionBy);
      const partition = this.#partitionOf(fields, value);
      this.#greatest = value;
      const place = typeof bounds === 'string' ? 1 : compare(value, bounds.from);
      if (place > 0) yield* this.#fill(partition, value, fields);
      // A value that is off the sequence does not move it.
      if (place === 0 || (place > 0 && compare(value, step(partition.last, 1)) === 0)) partition.last = value;
      this.#last = partition.last;
    }
    yield* this.#give(doc);
  }

  /** What comes after the last document, for each partition in the order in which they were met. */
  *finish(): Generator<Doc[]> {
    const { partitionBy, range } = this.#spec;
    const { bounds, step } = range;
    if (typeof bounds !== 'string') {
      // Bounds that are given are filled even where nothing is.
      if (this.#partitions.size === 0) this.#partitions.set('', { fields: new Map(), last: step(bounds.from, -1) });
      for (const partition of this.#partitions.values()) yield* this.#fill(partition, bounds.to, partition.fields);
    } else if (bounds === 'full' && partitionBy.length > 0 && this.#partitions.size > 0) {
      // The greatest value is of the sequence, or off it.
      const end = compare(this.#last, this.#greatest) === 0 ? step(this.#greatest, 1) : this.#greatest;
      for (const partition of this.#partitions.values()) yield* this.#fill(partition, end, partition.fields);
    }
    if (this.#held.length > 0) yield this.#held;
  }

  #partitionOf(fields: Doc, value: Value): Partition {
    const { partitionBy, range } = this.#spec;
    const { bounds, step } = range;
    const key = encodeKey(fields, false, this.#context.collator);
    const known = this.#partitions.get(key);
    if (known) return known;
    let last = value;
    if (typeof bounds !== 'string') last = step(bounds.from, -1);
    else if (bounds === 'full' && this.#partitions.size > 0) last = step(this.#least, -1);
    else this.#least = value;
    const made = { fields, last };
    this.#partitions.set(key, made);
    this.#bytes += sizeOfValue(fields) + sizeOfValue(last);
    const limit = limitOf(this.#context, 'densify');
    if (partitionBy.length > 0 && this.#bytes > limit) {
      throw located(6007200, `$densify exceeded memory limit of ${limit}`);
    }
    return made;
  }

  /** Makes what a partition lacks below a value and within the bounds, with the fields of whoever asks for it. */
  *#fill(partition: Partition, below: Value, fields: Doc): Generator<Doc[]> {
    const { path, range } = this.#spec;
    const { bounds, step } = range;
    const limit = limitOf(this.#context, 'densified');
    for (;;) {
      const value = step(partition.last, 1);
      if (compare(value, below) >= 0 || (typeof bounds !== 'string' && compare(value, bounds.to) >= 0)) return;
      checkPlace(fields, path);
      partition.last = value;
      if (++this.#made > limit) throw tooMany(this.#made, limit);
      yield* this.#give(withValue(fields, path, value));
    }
  }

  *#give(doc: Doc): Generator<Doc[]> {
    this.#held.push(doc);
    if (this.#held.length < BATCH) return;
    yield this.#held;
    this.#held = [];
  }
}

function tooMany(made: number, limit: number): Error {
  return located(
    5897900,
    `Generated ${made} documents in $densify, which is over the limit of ${limit}. Increase the 'internalQueryMaxAllowedDensifyDocs' parameter to allow more generated documents`,
  );
}

function parse(spec: Value): DensifySpec {
  const given = withoutNulls(objectArgument('$densify', spec));
  checkFields('$densify', given, ['field', 'partitionByFields', 'range'], ['field', 'range']);
  const field = requireText('$densify.field', given.get('field'));
  const names = pathList('$densify.partitionByFields', given.get('partitionByFields'));
  const range = parseRange(given.get('range'));
  const partitionBy = names.map(checkedParts);
  const path = checkedParts(field);
  if (names.includes(field)) {
    throw located(8993000, "BSON field '$densify.partitionByFields' contains the field that is being densified");
  }
  if (range.bounds === 'partition' && partitionBy.length === 0) {
    throw located(
      5733408,
      "One cannot specify the bounds as 'partition' without specifying a non-empty array of partitionByFields. You may have meant to specify 'full' bounds.",
    );
  }
  return { path, partitionBy, range };
}

function parseRange(given: Value): Range {
  if (!isDoc(given)) throw wrongType('$densify.range', given, 'object');
  const spec = withoutNulls(given, ['step', 'bounds']);
  checkFields('$densify.range', spec, ['step', 'bounds', 'unit'], ['step', 'bounds']);
  const step = spec.get('step');
  if (!isNumeric(step) || !(toDouble(step) > 0)) {
    throw located(5733401, 'The step parameter in a range statement must be a strictly positive numeric value');
  }
  const unitName = spec.has('unit') ? requireText('$densify.range.unit', spec.get('unit')) : undefined;
  const whole = exactLong(step);
  if (unitName !== undefined && whole === undefined) {
    throw located(
      6586400,
      'The step parameter in a range statement must be a whole number when densifying a date range',
    );
  }
  const unit = unitName === undefined ? undefined : parseTimeUnit(unitName);
  return {
    bounds: parseBounds(spec.get('bounds'), step, unit),
    unit,
    step(value, by) {
      if (value instanceof Date) return new Date(addInUtc(value.getTime(), unit!, whole! * BigInt(by)));
      const number = value as Numeric;
      const moved = by > 0 ? add(number, step) : subtract(number, step);
      return moved ?? toDouble(number) + by * toDouble(step);
    },
  };
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

/** What the documents that are made for a partition have beside the value. */
function fieldsOf(doc: Doc, partitionBy: DensifySpec['partitionBy']): Doc {
  let fields: Doc = new Map();
  for (const path of partitionBy) {
    const value = resolvePath(doc, path);
    if (value !== MISSING) fields = withValue(fields, path, value);
  }
  return fields;
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

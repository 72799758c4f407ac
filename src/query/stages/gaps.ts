import { type Collator, compare, type Doc, encodeKey, type Value } from '../../bson/index.ts';
import { failedToParse, located, typeMismatch } from '../error.ts';
import { compileExpression, type Expression, rootScope } from '../expressions/index.ts';
import { add, intOrLong, toDouble } from '../number.ts';
import { resolvePath } from '../path.ts';
import { compileAddFields } from '../projection/index.ts';
import { compileSort } from '../sort.ts';
import type { QueryContext } from '../types.ts';
import { type Found, format, isArray, isDoc, isNullish, isNumeric, MISSING, type Numeric } from '../value.ts';
import { type StageCompiler, whole } from './stage.ts';
import { timeUnit } from './time-unit.ts';

/** How many values one `$densify` may step through in a partition; MongoDB's limit on the documents it makes. */
const MAX_DENSIFIED = 500_000;

type Step = (value: Value) => Value;

/** `$densify`: documents for the values that a sequence of numbers or dates leaves out. */
export const densify: StageCompiler = (spec, { context }) => {
  if (!isDoc(spec)) throw failedToParse('The $densify stage specification must be an object');
  const field = spec.get('field');
  const range = spec.get('range');
  if (typeof field !== 'string' || !isDoc(range))
    throw failedToParse("$densify requires a string 'field' and an object 'range'");
  const step = stepOf(range);
  const bounds = range.get('bounds');
  const isList = isArray(bounds) && bounds.length === 2;
  if (!isList && bounds !== 'full' && bounds !== 'partition') {
    throw located(
      5946802,
      "the bounds in a range statement must be the string 'full', 'partition', or an ascending array of two numbers or two dates",
    );
  }
  const partitionBy = fieldNames(spec.get('partitionByFields'));
  const parts = field.split('.');
  const keyOf = (doc: Doc): Found => checkedValue(resolvePath(doc, parts));
  return whole((docs) => {
    const sorted = docs.sort(compileSort(new Map([[field, intOrLong(1)]])));
    const present = sorted.map(keyOf).filter((value) => !isNullish(value)) as Value[];
    const everywhere = isList ? bounds : present.length > 0 ? [present[0], present.at(-1)] : undefined;
    const made: Doc[] = [];
    for (const members of partitionDocs(sorted, context.collator, partitionBy)) {
      const values = members.map(keyOf).filter((value) => !isNullish(value)) as Value[];
      const limits = bounds === 'partition' ? [values[0], values.at(-1)] : everywhere;
      const seed = partitionBy.map((name): [string, Value] => [
        name,
        literal(resolvePath(members[0]!, name.split('.'))),
      ]);
      if (!limits || limits[0] === undefined) continue;
      const seen = new Set(values.map((value) => encodeKey(value)));
      for (const value of sequence(limits[0], limits[1], isList, step)) {
        if (seen.has(encodeKey(value))) continue;
        made.push(compileAddFields(new Map<string, Value>([...seed, [field, literal(value)]]), context)(new Map()));
      }
    }
    const order = (left: Doc, right: Doc) =>
      compare(orNull(resolvePath(left, parts)), orNull(resolvePath(right, parts)));
    return [...sorted, ...made].sort(order);
  });
};

/** An explicit upper bound is not itself made; the greatest value of the data is there anyway. */
function* sequence(start: Value, end: Value, exclusive: boolean, step: Step): Generator<Value> {
  let value = start;
  for (let made = 0; ; made++) {
    const order = compare(value, end);
    if (exclusive ? order >= 0 : order > 0) return;
    // Bounds the steps, not the documents: a step too small for the doubles it is added to would never arrive.
    if (made >= MAX_DENSIFIED) {
      throw located(5897900, `Generated ${MAX_DENSIFIED} documents in $densify, which is over the limit`);
    }
    yield value;
    value = step(value);
  }
}

function stepOf(range: Doc): Step {
  const step = range.get('step');
  if (!isNumeric(step) || toDouble(step) <= 0)
    throw located(5733401, 'the step parameter in a range statement must be a strictly positive numeric value');
  const unit = range.get('unit');
  const isDated = unit !== undefined;
  const length = timeUnit(unit);
  return (value) => {
    if (value instanceof Date) {
      if (!isDated) throw located(6053600, '$densify needs a unit to step through dates');
      return new Date(value.getTime() + toDouble(step) * length);
    }
    return add(value as Numeric, step) ?? toDouble(value as Numeric) + toDouble(step);
  };
}

function checkedValue(value: Found): Found {
  if (isNullish(value) || isNumeric(value) || value instanceof Date) return value;
  throw located(
    5733201,
    `PlanExecutor error during aggregation :: caused by :: Densify field type must be numeric or a date, found ${format(value)}`,
  );
}

/** `$fill`: values for fields that are null or missing. */
export const fill: StageCompiler = (spec, { context }) => {
  if (!isDoc(spec)) throw failedToParse('The $fill stage specification must be an object');
  const output = spec.get('output');
  if (!isDoc(output) || output.size === 0) throw failedToParse("$fill requires an object for 'output'");
  const sortBy = spec.get('sortBy');
  const by = spec.has('partitionBy') ? compileExpression(spec.get('partitionBy'), context) : undefined;
  const partitionBy = fieldNames(spec.get('partitionByFields'));
  const fields = [...output].map(([name, how]) => compileFill(name, how, sortBy, context));
  return whole((docs) => {
    const sorted = isDoc(sortBy) ? docs.sort(compileSort(sortBy, context.collator)) : docs;
    return [...partitionDocs(sorted, context.collator, partitionBy, by)].flatMap((members) =>
      fields.reduce((filled, apply) => apply(filled), members),
    );
  });
};

function compileFill(name: string, how: Value, sortBy: Value, context: QueryContext): (docs: Doc[]) => Doc[] {
  if (!isDoc(how) || (!how.has('value') && !how.has('method'))) {
    throw located(6050204, `Each fill output must have exactly one of 'value' or 'method': ${name}`);
  }
  const parts = name.split('.');
  const read = (doc: Doc) => resolvePath(doc, parts);
  const write = (doc: Doc, value: Found) => compileAddFields(new Map([[name, literal(value)]]), context)(doc);
  if (how.has('value')) {
    const value = compileExpression(how.get('value'), context);
    return (docs) => docs.map((doc) => (isNullish(read(doc)) ? write(doc, value(rootScope(doc))) : doc));
  }
  const method = how.get('method');
  if (method === 'locf') {
    return (docs) => {
      let last: Found = null;
      return docs.map((doc) => {
        const value = read(doc);
        if (!isNullish(value)) last = value;
        return isNullish(value) ? write(doc, last) : doc;
      });
    };
  }
  if (method !== 'linear') throw located(6050202, `Method must be either locf or linear`);
  if (!isDoc(sortBy) || sortBy.size !== 1)
    throw located(605001, '$linearFill must be specified with a top level sortBy expression with exactly one element');
  const key = compileExpression(`$${sortBy.keys().next().value}`, context);
  return (docs) => interpolate(docs, read, (doc) => numberOf(key(rootScope(doc))), write);
}

/** Straight lines between the values on either side; nothing beyond the first and the last. */
function interpolate(
  docs: readonly Doc[],
  read: (doc: Doc) => Found,
  at: (doc: Doc) => number,
  write: (doc: Doc, value: Found) => Doc,
): Doc[] {
  return docs.map((doc, index) => {
    if (!isNullish(read(doc))) return doc;
    const left = docs.slice(0, index).findLast((other) => !isNullish(read(other)));
    const right = docs.slice(index + 1).find((other) => !isNullish(read(other)));
    if (!left || !right) return write(doc, null);
    const [x0, x1, y0, y1] = [at(left), at(right), numberOf(read(left)), numberOf(read(right))];
    return write(doc, y0 + ((y1 - y0) * (at(doc) - x0)) / (x1 - x0));
  });
}

function numberOf(value: Found): number {
  if (value instanceof Date) return value.getTime();
  if (value !== MISSING && isNumeric(value)) return toDouble(value);
  throw typeMismatch(`Value to be filled must be numeric or nullish, but was ${format(value)}`);
}

/** Documents with the same values, each list in the order of the whole. */
function partitionDocs(
  docs: readonly Doc[],
  collator: Collator | undefined,
  names: readonly string[],
  by?: Expression,
): Iterable<Doc[]> {
  const partitions = new Map<string, Doc[]>();
  for (const doc of docs) {
    const values = names.map((name) => orNull(resolvePath(doc, name.split('.'))));
    const key = encodeKey([...values, orNull(by?.(rootScope(doc)) ?? MISSING)], false, collator);
    const partition = partitions.get(key);
    if (partition) partition.push(doc);
    else partitions.set(key, [doc]);
  }
  return partitions.values();
}

function fieldNames(value: Value): string[] {
  if (value === undefined) return [];
  if (!isArray(value) || !value.every((name) => typeof name === 'string')) {
    throw typeMismatch("'partitionByFields' must be an array of strings");
  }
  return value;
}

function literal(value: Found): Doc {
  return new Map([['$literal', orNull(value)]]);
}

function orNull(value: Found): Value {
  return value === MISSING ? null : value;
}

import { comparison, type Doc, type Value } from '../../bson/index.ts';
import { located } from '../error.ts';
import { compileExpression, constantValue, type Scope } from '../expressions/index.ts';
import type { QueryContext } from '../types.ts';
import { bracket, format, isArray, isDoc, MISSING, orNull, typeName, valueText } from '../value.ts';
import { compileAccumulations } from './accumulation.ts';
import { COUNT, grouping } from './group.ts';
import { type StageCompiler, whole } from './stage.ts';

type Compare = (left: Value, right: Value) => number;

/** `$bucket`: groups by the boundaries that a value stands between. */
export const bucket: StageCompiler = (spec, { context }) => {
  const { groupBy, boundaries, fallback, output } = parse(spec, context);
  const compare = comparison(context.collator);
  const by = compileExpression(groupBy, context);
  const idOf = (scope: Scope): Value => {
    const value = orNull(by(scope));
    const above = boundaries.findIndex((boundary) => compare(value, boundary) < 0);
    if (above > 0) return boundaries[above - 1];
    if (fallback) return fallback.value;
    throw located(NO_BUCKET, '$switch could not find a matching branch for an input, and no default was specified.');
  };
  const groups = grouping(idOf, compileAccumulations(output, context), context);
  const order = (left: Doc, right: Doc) => compare(left.get('_id'), right.get('_id'));
  return (source) => whole((docs) => docs.sort(order))(groups(source));
};

/** Of the `$switch` that MongoDB makes of the buckets, as the engine says it that runs its `$group` ("SBE"). */
const NO_BUCKET = 7158303;

interface BucketSpec {
  readonly groupBy: Value;
  readonly boundaries: readonly Value[];
  readonly fallback: { readonly value: Value } | undefined;
  readonly output: Doc;
}

/** Reads the argument in the order in which it is written, as MongoDB does. */
function parse(spec: Value, context: QueryContext): BucketSpec {
  if (!isDoc(spec)) {
    throw located(40201, `Argument to $bucket stage must be an object, but found type: ${typeName(spec)}.`);
  }
  const compare = comparison(context.collator);
  let boundaries: readonly Value[] | undefined;
  let fallback: { readonly value: Value } | undefined;
  let output = COUNT;
  for (const [name, value] of spec) {
    if (name === 'groupBy') checkGroupBy(value);
    else if (name === 'boundaries') boundaries = parseBoundaries(value, compare, context);
    else if (name === 'default') {
      fallback = constantOf(value, context);
      if (!fallback) {
        throw located(40195, `The $bucket 'default' field must be a constant expression, but found: ${format(value)}.`);
      }
    } else if (name === 'output') {
      if (!isDoc(value)) {
        throw located(40196, `The $bucket 'output' field must be an object, but found type: ${typeName(value)}.`);
      }
      output = value;
    } else throw located(40197, `Unrecognized option to $bucket: ${name}.`);
  }
  if (!spec.has('groupBy') || !boundaries) {
    throw located(40198, "$bucket requires 'groupBy' and 'boundaries' to be specified.");
  }
  if (output.has('_id')) throw located(15948, "a group's _id may only be specified once");
  if (fallback) checkDefault(fallback.value, boundaries, compare);
  return { groupBy: spec.get('groupBy'), boundaries, fallback, output };
}

/** The value of an expression that is the same for all documents. */
function constantOf(value: Value, context: QueryContext): { readonly value: Value } | undefined {
  const known = constantValue(compileExpression(value, context));
  return known && { value: known.value === MISSING ? undefined : known.value };
}

function checkGroupBy(value: Value): void {
  if (typeof value === 'string' && value.startsWith('$')) return;
  if (isDoc(value) && value.keys().next().value?.startsWith('$')) return;
  throw located(
    40202,
    `The $bucket 'groupBy' field must be defined as a $-prefixed path or an expression, but found: ${format(value)}.`,
  );
}

function parseBoundaries(list: Value, compare: Compare, context: QueryContext): readonly Value[] {
  if (!isArray(list)) {
    throw located(40200, `The $bucket 'boundaries' field must be an array, but found type: ${typeName(list)}.`);
  }
  const value = list.map((item) => {
    const known = constantOf(item, context);
    if (known) return known.value;
    throw located(
      40191,
      `The $bucket 'boundaries' field must be an array of constant values, but found value: ${format(item)}.`,
    );
  });
  if (value.length < 2) {
    throw located(
      40192,
      `The $bucket 'boundaries' field must have at least 2 values, but found ${value.length} value(s).`,
    );
  }
  for (let at = 1; at < value.length; at++) {
    const [lower, upper] = [value[at - 1], value[at]];
    if (bracket(lower) !== bracket(upper)) {
      throw located(
        40193,
        `All values in the the 'boundaries' option to $bucket must have the same type. Found conflicting types ${typeName(lower)} and ${typeName(upper)}.`,
      );
    }
    if (compare(lower, upper) >= 0) {
      throw located(
        40194,
        `The 'boundaries' option to $bucket must be sorted, but elements ${at - 1} and ${at} are not in ascending order (${valueText(lower)} is not less than ${valueText(upper)}).`,
      );
    }
  }
  return value;
}

/** What is in no bucket goes into one that must not lie among them. */
function checkDefault(value: Value, boundaries: readonly Value[], compare: Compare): void {
  if (compare(value, boundaries[0]) < 0 || compare(value, boundaries.at(-1)) >= 0) return;
  throw located(
    40199,
    "The $bucket 'default' field must be less than the lowest boundary or greater than or equal to the highest boundary.",
  );
}

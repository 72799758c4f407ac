import { comparison, type Doc, type Value } from '../../bson/index.ts';
import { located } from '../error.ts';
import { compileExpression, type Scope } from '../expressions/index.ts';
import { bracket, format, isArray, isDoc, MISSING, typeName } from '../value.ts';
import { compileAccumulations } from './accumulation.ts';
import { COUNT, grouping } from './group.ts';
import { type StageCompiler, whole } from './stage.ts';

type Compare = (left: Value, right: Value) => number;

const OPTIONS: ReadonlySet<string> = new Set(['groupBy', 'boundaries', 'default', 'output']);

/** `$bucket`: groups by the boundaries that a value stands between. */
export const bucket: StageCompiler = (spec, { context }) => {
  if (!isDoc(spec)) {
    throw located(40201, `Argument to $bucket stage must be an object, but found type: ${typeName(spec)}.`);
  }
  const compare = comparison(context.collator);
  for (const name of spec.keys())
    if (!OPTIONS.has(name)) throw located(40197, `Unrecognized option to $bucket: ${name}.`);
  if (spec.has('groupBy')) checkGroupBy(spec.get('groupBy'));
  const boundaries = spec.has('boundaries') ? checkBoundaries(spec.get('boundaries'), compare) : undefined;
  const output = spec.get('output') ?? COUNT;
  if (!isDoc(output)) {
    throw located(40196, `The $bucket 'output' field must be an object, but found type: ${typeName(output)}.`);
  }
  if (!spec.has('groupBy') || !boundaries) {
    throw located(40198, "$bucket requires 'groupBy' and 'boundaries' to be specified.");
  }
  const by = compileExpression(spec.get('groupBy'), context);
  const fallback = spec.has('default') ? { id: defaultOf(spec.get('default'), boundaries, compare) } : undefined;
  const idOf = (scope: Scope): Value => {
    const found = by(scope);
    const value = found === MISSING ? null : found;
    const above = boundaries.findIndex((boundary) => compare(value, boundary) < 0);
    if (above > 0) return boundaries[above - 1];
    if (fallback) return fallback.id;
    throw located(40066, '$switch could not find a matching branch for an input, and no default was specified.');
  };
  const groups = grouping(idOf, compileAccumulations(output, context), context);
  const order = (left: Doc, right: Doc) => compare(left.get('_id'), right.get('_id'));
  return (source) => whole((docs) => docs.sort(order))(groups(source));
};

function checkGroupBy(value: Value): void {
  const isPath = typeof value === 'string' && value.startsWith('$') && value.length > 1;
  if (isPath || (isDoc(value) && value.keys().next().value?.startsWith('$'))) return;
  throw located(
    40202,
    `The $bucket 'groupBy' field must be defined as a $-prefixed path or an expression object, but found: ${format(value)}.`,
  );
}

function checkBoundaries(value: Value, compare: Compare): readonly Value[] {
  if (!isArray(value)) {
    throw located(40200, `The $bucket 'boundaries' field must be an array, but found type: ${typeName(value)}.`);
  }
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
        `The 'boundaries' option to $bucket must be sorted, but elements ${at - 1} and ${at} are not in ascending order (${format(lower)} is not less than ${format(upper)}).`,
      );
    }
  }
  return value;
}

/** What is in no bucket goes into one that must not lie among them. */
function defaultOf(value: Value, boundaries: readonly Value[], compare: Compare): Value {
  if (compare(value, boundaries[0]) < 0 || compare(value, boundaries.at(-1)) >= 0) return value;
  throw located(
    40199,
    "The $bucket 'default' field must be less than the lowest boundary or greater than or equal to the highest boundary.",
  );
}

import { type Collator, compare, comparison, type Doc, encodeKey, equal, type Value } from '../../bson/index.ts';
import { located } from '../error.ts';
import { compileExpression, rootScope, type Scope } from '../expressions/index.ts';
import { clampedInt, intOrLong } from '../number.ts';
import type { QueryContext } from '../types.ts';
import { isArray, isDoc, isNumeric, MISSING, typeName } from '../value.ts';
import { compileAccumulations, type Group } from './accumulation.ts';
import { type Stage, type StageCompiler, streamOf, whole } from './stage.ts';

export const group: StageCompiler = (spec, { context }) => {
  if (!isDoc(spec)) throw located(15947, "a group's fields must be specified in an object");
  if (!spec.has('_id')) throw located(15955, 'a group specification must include an _id');
  const id = compileExpression(spec.get('_id'), context);
  const start = compileAccumulations(new Map([...spec].filter(([name]) => name !== '_id')), context);
  return grouping((scope) => orNull(id(scope)), start, context);
};

export const sortByCount: StageCompiler = (spec, { context }) => {
  const isOperator = isDoc(spec) && spec.keys().next().value?.startsWith('$') === true;
  if (isDoc(spec) ? !isOperator : !(typeof spec === 'string' && spec.startsWith('$'))) {
    throw located(
      40149,
      'the sortByCount field must be defined as a $-prefixed path or an expression inside an object',
    );
  }
  const id = compileExpression(spec, context);
  const groups = grouping((scope) => orNull(id(scope)), compileAccumulations(COUNT, context), context);
  const order = (left: Doc, right: Doc) => compare(right.get('count'), left.get('count'));
  return (source) => whole((docs) => docs.sort(order))(groups(source));
};

const COUNT: Doc = new Map([['count', new Map([['$sum', intOrLong(1)]])]]);

/** Groups by the value that `idOf` gives, in order of first appearance. Equal numbers of other types are one group. */
function grouping(idOf: (scope: Scope) => Value, start: (scope: Scope) => Group, { collator }: QueryContext): Stage {
  return async function* (source) {
    const groups = new Map<string, { id: Value; group: Group }>();
    for await (const batch of source) {
      for (const doc of batch) {
        const scope = rootScope(doc);
        const id = idOf(scope);
        const key = encodeKey(id, false, collator);
        let entry = groups.get(key);
        if (!entry) {
          entry = { id, group: start(scope) };
          groups.set(key, entry);
        }
        entry.group.add(scope);
      }
    }
    yield* streamOf(finished(groups.values()));
  };
}

function* finished(groups: Iterable<{ id: Value; group: Group }>): Generator<Doc> {
  for (const { id, group } of groups) yield group.finish(new Map([['_id', id]]));
}

/** `$bucket`. */
export const bucket: StageCompiler = (spec, { context }) => {
  if (!isDoc(spec))
    throw located(40201, `Argument to $bucket stage must be an object, but found type: ${typeName(spec)}.`);
  for (const key of spec.keys()) {
    if (!['groupBy', 'boundaries', 'default', 'output'].includes(key)) {
      throw located(40197, `Unrecognized option to $bucket: ${key}.`);
    }
  }
  if (!spec.has('groupBy') || !spec.has('boundaries')) {
    throw located(40198, "$bucket requires 'groupBy' and 'boundaries' to be specified.");
  }
  const compare = comparison(context.collator);
  const boundaries = checkBoundaries(spec.get('boundaries'), compare);
  const by = compileExpression(spec.get('groupBy'), context);
  const output = spec.get('output') ?? COUNT;
  if (!isDoc(output))
    throw located(40196, `The $bucket 'output' field must be an object, but found type: ${typeName(output)}.`);
  const fallback = spec.has('default') ? { id: spec.get('default') } : undefined;
  const groups = grouping(
    (scope) => {
      const value = orNull(by(scope));
      const above = boundaries.findIndex((boundary) => compare(value, boundary) < 0);
      if (above > 0) return boundaries[above - 1];
      if (fallback) return fallback.id;
      throw located(40066, '$switch could not find a matching branch for an input, and no default was specified.');
    },
    compileAccumulations(output, context),
    context,
  );
  return (source) =>
    whole((docs) => docs.sort((left, right) => compare(left.get('_id'), right.get('_id'))))(groups(source));
};

function checkBoundaries(value: Value, compare: (a: Value, b: Value) => number): readonly Value[] {
  if (!isArray(value))
    throw located(40200, `The $bucket 'boundaries' field must be an array, but found type: ${typeName(value)}.`);
  if (value.length < 2)
    throw located(
      40192,
      `The $bucket 'boundaries' field must have at least 2 values, but found ${value.length} value(s).`,
    );
  for (let at = 1; at < value.length; at++) {
    if (compare(value[at - 1], value[at]) >= 0) {
      throw located(
        40194,
        `The 'boundaries' option to $bucket must be sorted, but elements ${at - 1} and ${at} are not in ascending order.`,
      );
    }
  }
  return value;
}

/** `$bucketAuto`, without `granularity`. */
export const bucketAuto: StageCompiler = (spec, { context }) => {
  if (!isDoc(spec))
    throw located(40240, `The argument to $bucketAuto must be an object, but found type: ${typeName(spec)}.`);
  if (!spec.has('groupBy') || !spec.has('buckets'))
    throw located(40246, "$bucketAuto requires 'groupBy' and 'buckets' to be specified.");
  if (spec.has('granularity')) throw located(40245, "DiscoDB does not support the 'granularity' of $bucketAuto");
  const given = spec.get('buckets');
  if (!isNumeric(given))
    throw located(
      40241,
      `The $bucketAuto 'buckets' field must be a numeric value, but found type: ${typeName(given)}.`,
    );
  const buckets = clampedInt(given);
  if (buckets <= 0)
    throw located(40243, `The $bucketAuto 'buckets' field must be greater than 0, but found: ${buckets}.`);
  const by = compileExpression(spec.get('groupBy'), context);
  const output = spec.get('output') ?? COUNT;
  if (!isDoc(output))
    throw located(40244, `The $bucketAuto 'output' field must be an object, but found type: ${typeName(output)}.`);
  const start = compileAccumulations(output, context);
  const compare = comparison(context.collator);
  return whole((docs) => {
    const entries = docs.map((doc) => ({ doc, value: orNull(by(rootScope(doc))) }));
    return evenBuckets(
      entries.sort((left, right) => compare(left.value, right.value)),
      buckets,
      start,
      context.collator,
    );
  });
};

interface Entry {
  readonly doc: Doc;
  readonly value: Value;
}

/** Buckets of about the same number of entries; equal values stay together. */
function* evenBuckets(
  entries: readonly Entry[],
  buckets: number,
  start: (scope: Scope) => Group,
  collator: Collator | undefined,
): Generator<Doc> {
  const size = Math.max(1, Math.round(entries.length / buckets));
  for (let from = 0, made = 1; from < entries.length; made++) {
    let to = made === buckets ? entries.length : Math.min(from + size, entries.length);
    while (to < entries.length && equal(entries[to]!.value, entries[to - 1]!.value, collator)) to += 1;
    const group = start(rootScope(entries[from]!.doc));
    for (const { doc } of entries.slice(from, to)) group.add(rootScope(doc));
    const max = to < entries.length ? entries[to]!.value : entries[to - 1]!.value;
    yield group.finish(
      new Map<string, Value>([
        [
          '_id',
          new Map([
            ['min', entries[from]!.value],
            ['max', max],
          ]),
        ],
      ]),
    );
    from = to;
  }
}

function orNull(value: ReturnType<ReturnType<typeof compileExpression>>): Value {
  return value === MISSING ? null : value;
}

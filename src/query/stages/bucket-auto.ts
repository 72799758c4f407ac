import { compare, type Doc, type Value } from '../../bson/index.ts';
import { located } from '../error.ts';
import { compileExpression, rootScope, type Scope } from '../expressions/index.ts';
import { exactLong, toDouble } from '../number.ts';
import { format, isDoc, isNumeric, MISSING, typeName } from '../value.ts';
import { compileAccumulations, type Group } from './accumulation.ts';
import { checkRoundable, type Granularity, granularityOf } from './granularity.ts';
import { COUNT } from './group.ts';
import { type StageCompiler, whole } from './stage.ts';

const INT32_MAX = 2n ** 31n - 1n;

/** `$bucketAuto`: buckets of about the same number of documents; equal values stay together. */
export const bucketAuto: StageCompiler = (spec, { context }) => {
  const { groupBy, buckets, output, granularity } = parse(spec);
  const by = compileExpression(groupBy, context);
  const start = compileAccumulations(output, context);
  const { collator } = context;
  return whole((docs) => {
    const entries = docs.map((doc, position): Entry => {
      const found = by(rootScope(doc));
      const value = found === MISSING ? null : found;
      if (granularity) checkRoundable(value);
      return { doc, value, position };
    });
    const order = (left: Value, right: Value) => compare(left, right, collator);
    entries.sort((left, right) => order(left.value, right.value));
    return bucketed(entries, buckets, { granularity, order, start });
  });
};

interface Entry {
  readonly doc: Doc;
  readonly value: Value;
  /** Where it came: accumulators take documents in that order. */
  readonly position: number;
}

interface Making {
  readonly granularity: Granularity | undefined;
  order(left: Value, right: Value): number;
  start(scope: Scope): Group;
}

function* bucketed(entries: readonly Entry[], buckets: number, { granularity, order, start }: Making): Generator<Doc> {
  const size = Math.max(1, Math.round(entries.length / buckets));
  let previous: Value;
  for (let from = 0, made = 1; from < entries.length && made <= buckets; made++) {
    const first = entries[from]!.value;
    let to = made === buckets ? entries.length : Math.min(from + size, entries.length);
    let max = entries[to - 1]!.value;
    const min = granularity ? (made === 1 ? granularity.down(first) : previous) : first;
    const bound = granularity?.up(max);
    const belongs = (value: Value) => order(value, max) === 0 || (bound !== undefined && order(bound, value) > 0);
    while (to < entries.length && belongs(entries[to]!.value)) max = entries[to++]!.value;
    const next = entries[to]?.value;
    if (granularity) {
      // A bucket of zeros alone ends right below the next one.
      max = isNumeric(bound) && toDouble(bound) === 0 && next !== undefined ? granularity.down(next) : bound;
    } else if (next !== undefined) max = next;
    const group = start(rootScope(entries[from]!.doc));
    const members = entries.slice(from, to).sort((left, right) => left.position - right.position);
    for (const { doc } of members) group.add(rootScope(doc));
    const id: Doc = new Map([
      ['min', min],
      ['max', max],
    ]);
    yield group.finish(new Map([['_id', id]]));
    previous = max;
    from = to;
  }
}

interface BucketAutoSpec {
  readonly groupBy: Value;
  readonly buckets: number;
  readonly output: Doc;
  readonly granularity: Granularity | undefined;
}

function parse(spec: Value): BucketAutoSpec {
  if (!isDoc(spec)) {
    throw located(40240, `The argument to $bucketAuto must be an object, but found type: ${typeName(spec)}`);
  }
  let buckets: number | undefined;
  let output = COUNT;
  let granularity: Granularity | undefined;
  for (const [name, value] of spec) {
    if (name === 'groupBy') checkGroupBy(value);
    else if (name === 'buckets') buckets = bucketCount(value);
    else if (name === 'output') {
      if (!isDoc(value)) {
        throw located(40244, `The $bucketAuto 'output' field must be an object, but found type: ${typeName(value)}`);
      }
      if (value.size > 0) output = value;
    } else if (name === 'granularity') {
      if (typeof value !== 'string') {
        throw located(
          40261,
          `The $bucketAuto 'granularity' field must be a string, but found type: ${typeName(value)}`,
        );
      }
      granularity = granularityOf(value);
    } else throw located(40245, `Unrecognized option to $bucketAuto: ${name}`);
  }
  if (!spec.has('groupBy') || buckets === undefined) {
    throw located(40246, "$bucketAuto requires 'groupBy' and 'buckets' to be specified");
  }
  return { groupBy: spec.get('groupBy'), buckets, output, granularity };
}

function checkGroupBy(value: Value): void {
  const isPath = typeof value === 'string' && value.startsWith('$') && value.length > 1;
  if (isPath || (isDoc(value) && value.keys().next().value?.startsWith('$'))) return;
  throw located(
    40239,
    `The $bucketAuto 'groupBy' field must be defined as a $-prefixed path or an expression object, but found: ${format(value)}`,
  );
}

function bucketCount(value: Value): number {
  if (!isNumeric(value)) {
    throw located(40241, `The $bucketAuto 'buckets' field must be a numeric value, but found type: ${typeName(value)}`);
  }
  const count = exactLong(value);
  if (count === undefined || count > INT32_MAX || count < -INT32_MAX - 1n) {
    throw located(
      40242,
      `The $bucketAuto 'buckets' field must be representable as a 32-bit integer, but found ${toDouble(value)}`,
    );
  }
  if (count <= 0n) {
    throw located(40243, `The $bucketAuto 'buckets' field must be greater than 0, but found: ${count}`);
  }
  return Number(count);
}

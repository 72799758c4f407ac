import { compare, type Doc, type Value } from '../../../bson/index.ts';
import { movingDeviation } from '../../accumulators.ts';
import { failedToParse, located, typeMismatch } from '../../error.ts';
import { compileExpression, type Expression, rootScope } from '../../expressions/index.ts';
import { limitOf } from '../../limits.ts';
import { carry, metadataOf } from '../../metadata.ts';
import { clampedLong } from '../../number.ts';
import { compileAddFields } from '../../projection/index.ts';
import { compileSort } from '../../sort.ts';
import type { PipelineContext, QueryContext } from '../../types.ts';
import { type Found, isArray, isDoc, isNumeric, MISSING, orNull, typeName } from '../../value.ts';
import { compileAccumulator } from '../accumulation.ts';
import { Batch } from '../batch.ts';
import { checkFields, withoutNulls, wrongType } from '../idl.ts';
import { type KeyedSort, sortedByKey } from '../keyed-sort.ts';
import { roomFor } from '../memory.ts';
import type { Keyed } from '../spool.ts';
import type { Stage, StageCompiler, Stream } from '../stage.ts';
import { compileWindow } from './bounds.ts';
import { compileDerivative, compileIntegral } from './calculus.ts';
import { covariance } from './covariance.ts';
import { overRemovable, overWindow } from './moving.ts';
import type { SortSpec, WindowFunction } from './partition.ts';
import { compileRank } from './ranks.ts';
import { Feed, Reader, Rows, windowTooLarge } from './rows.ts';
import { compileLinearFill, compileLocf, compileMovingAverage, compileShift } from './series.ts';
import { WindowWork } from './work.ts';

/** `$setWindowFields`: values from the neighbours of each document. */
export const setWindowFields: StageCompiler = (spec, { context }) => {
  if (!isDoc(spec)) {
    throw failedToParse(`the $setWindowFields stage specification must be an object, found ${typeName(spec)}`);
  }
  const given = withoutNulls(spec, ['partitionBy']);
  checkFields('$setWindowFields', given, ['partitionBy', 'sortBy', 'output'], ['output']);
  const output = objectField(given, 'output');
  const by = given.has('partitionBy') ? compileExpression(given.get('partitionBy'), context) : undefined;
  const sort = given.has('sortBy') ? sortSpec(objectField(given, 'sortBy'), context) : undefined;
  const known: string[] = [];
  const fields = [...output].map(([name, value]) => {
    if (known.some((other) => name.startsWith(`${other}.`) || other.startsWith(`${name}.`))) {
      throw located(6307900, "$setWindowFields 'output' specification contains two conflicting paths");
    }
    known.push(name);
    return { name, begin: compileField(name, value, sort, context), put: putting(name, context) };
  });
  const work = new WindowWork(fields.map(({ name }) => name));
  const stage: Stage = async function* (source) {
    const sorted =
      by || sort ? sortedByKey(source, context, { ...partitioned(by, sort, context), work: work.sort }) : keyed(source);
    const feed = new Feed(sorted);
    try {
      while (await feed.fetch()) yield* windowed(feed, fields, context, work);
    } finally {
      await feed.close();
    }
  };
  return Object.assign(stage, { figures: () => work.figures() });
};

async function* keyed(source: Stream): AsyncGenerator<Keyed[]> {
  for await (const batch of source) yield batch.map((doc) => ({ key: null, doc }));
}

/** One of `output`. */
interface OutputField {
  readonly name: string;
  readonly begin: WindowFunction;
  put(doc: Doc, value: Value): Doc;
}

/** The next partition. Each function goes through its documents as far ahead as it must. */
async function* windowed(
  feed: Feed,
  fields: readonly OutputField[],
  context: PipelineContext,
  work: WindowWork,
): AsyncGenerator<Doc[]> {
  const room = roomFor(context, 'setWindowFields', windowTooLarge);
  const most = limitOf(context, 'setWindowFields');
  const { key } = feed.next!;
  const rows = new Rows(feed, (other) => compare(key, other, context.collator) === 0, room, work.sort);
  const functions = fields.map(({ name, begin, put }) => ({ name, put, running: begin(), reader: new Reader(rows) }));
  const held = () => functions.reduce((sum, { running }) => sum + running.held, 0);
  const reader = new Reader(rows);
  const made = new Batch<Doc>(room.limit);
  try {
    for (let at = 0; ; at++) {
      const doc = reader.next() ?? (await reader.load());
      if (!doc) break;
      let copy: Doc = new Map(doc);
      for (const { put, running, reader: ahead } of functions) {
        while (running.wants(at, doc)) {
          const shown = ahead.next() ?? (await ahead.load());
          if (!shown) break;
          running.show(shown);
          if (room.weight > 0 && rows.isFull(room.weight * held())) await rows.spill();
        }
        const value = running.value(at, doc);
        if (value !== MISSING) copy = put(copy, value);
      }
      const total = held();
      work.holds(functions, rows.bytes + total);
      if (total > most || (typeof room.beyond === 'function' && rows.bytes + total > most)) {
        throw functionsTooLarge(rows.bytes + total, most);
      }
      rows.release(Math.min(reader.place, ...functions.map(({ reader: { place } }) => place)));
      made.add(carry(copy, metadataOf(doc)), room.size(doc));
      if (made.isFull) yield made.take();
    }
    if (!made.isEmpty) yield made.take();
  } finally {
    await rows.close();
  }
}

const functionsTooLarge = (used: number, most: number) =>
  located(
    5414201,
    `Exceeded memory limit in DocumentSourceSetWindowFields, used ${used} bytes but max allowed is ${most}`,
  );

function objectField(spec: Doc, name: string): Doc {
  const value = spec.get(name);
  if (isDoc(value)) return value;
  throw wrongType(`$setWindowFields.${name}`, value, 'object');
}

/** Sets a field of a document that nobody else has: through the documents and arrays on its path, as `$addFields` does. */
function putting(name: string, context: QueryContext): OutputField['put'] {
  if (!name.includes('.')) return (doc, value) => doc.set(name, value);
  const variables = new Map<string, Found>([['value', MISSING]]);
  const add = compileAddFields(new Map([[name, '$$value']]), { ...context, variables });
  return (doc, value) => {
    variables.set('value', value);
    return add(doc);
  };
}

/** One of no fields is a sort all the same, which leaves the documents as they come. */
function sortSpec(sortBy: Doc, context: QueryContext): SortSpec {
  const order = compileSort(sortBy, context.collator);
  const fields = [...sortBy].map(([path, direction]) => ({
    path,
    direction: isNumeric(direction) && clampedLong(direction) < 0n ? (-1 as const) : (1 as const),
  }));
  const key = fields.length === 1 ? compileExpression(`$${fields[0]!.path}`, context) : undefined;
  return { fields, order, key };
}

/** In the order of the partitions' keys, and within each in its own. */
function partitioned(by: Expression | undefined, sort: SortSpec | undefined, { collator }: QueryContext): KeyedSort {
  return {
    keyOf: (doc) => partitionKey(doc, by),
    compare: (left, right) => compare(left.key, right.key, collator) || (sort?.order(left.doc, right.doc) ?? 0),
  };
}

function partitionKey(doc: Doc, by: Expression | undefined): Value {
  const found = by?.(rootScope(doc)) ?? null;
  if (isArray(found)) throw typeMismatch('An expression used to partition cannot evaluate to value of type array');
  return orNull(found);
}

/** The accumulators that go over a window as they go over a group. */
const ACCUMULATED: ReadonlySet<string> = new Set([
  '$addToSet',
  '$avg',
  '$bottom',
  '$bottomN',
  '$count',
  '$first',
  '$firstN',
  '$last',
  '$lastN',
  '$max',
  '$maxN',
  '$median',
  '$min',
  '$minN',
  '$percentile',
  '$push',
  '$stdDevPop',
  '$stdDevSamp',
  '$sum',
  '$top',
  '$topN',
]);

function compileField(name: string, spec: Value, sort: SortSpec | undefined, context: QueryContext): WindowFunction {
  if (!isDoc(spec)) throw failedToParse(`The field '${name}' must be an object`);
  const operator = [...spec.keys()].find((key) => key.startsWith('$'));
  switch (operator) {
    case undefined: {
      const first = spec.keys().next().value;
      throw failedToParse(`Expected a $-prefixed window function${first ? `, ${first}` : ''}`);
    }
    case '$rank':
    case '$denseRank':
    case '$documentNumber':
      return compileRank(operator, spec, sort, context);
    case '$shift':
      return compileShift(spec, sort, context);
    case '$expMovingAvg':
      return compileMovingAverage(spec, sort, context);
    case '$derivative':
      return compileDerivative(spec, sort, context);
    case '$integral':
      return compileIntegral(spec, sort, context);
    case '$locf':
      return compileLocf(spec, context);
    case '$linearFill':
      return compileLinearFill(spec, sort, context);
  }
  if (!ACCUMULATED.has(operator) && !operator.startsWith('$covariance')) {
    throw failedToParse(`Unrecognized window function, ${operator}`);
  }
  checkArguments(operator, spec);
  const window = compileWindow(spec.get('window'), sort, context);
  if (operator.startsWith('$covariance')) {
    const expression = compileExpression(spec.get(operator), context);
    return overRemovable({ expression, start: () => covariance(operator === '$covarianceSamp') }, window);
  }
  if (!window.grows && (operator === '$stdDevPop' || operator === '$stdDevSamp')) {
    const expression = compileExpression(spec.get(operator), context);
    return overWindow({ expression, start: () => movingDeviation(operator) }, window);
  }
  return overWindow(compileAccumulator(operator, spec.get(operator), context, !window.grows), window);
}

/** These say themselves what they do not take. */
const STRICT: ReadonlySet<string> = new Set([
  ...['$first', '$last', '$firstN', '$lastN', '$minN', '$maxN', '$top', '$topN', '$bottom', '$bottomN'],
  ...['$median', '$percentile'],
]);

function checkArguments(operator: string, spec: Doc): void {
  for (const key of spec.keys()) {
    if (key === operator || key === 'window') continue;
    if (STRICT.has(operator)) {
      throw failedToParse(`${operator} got unexpected argument: ${key}`);
    }
    throw failedToParse(
      ACCUMULATED.has(key)
        ? 'Cannot specify two functions in window function spec'
        : `Window function found an unknown argument: ${key}`,
    );
  }
}

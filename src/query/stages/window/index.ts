import { compare, type Doc, type Value } from '../../../bson/index.ts';
import type { Accumulator } from '../../accumulators.ts';
import { failedToParse, located, typeMismatch } from '../../error.ts';
import { compileExpression, type Expression, rootScope, type Scope } from '../../expressions/index.ts';
import { carry, metadataOf } from '../../metadata.ts';
import { clampedLong } from '../../number.ts';
import { compileAddFields } from '../../projection/index.ts';
import { compileSort } from '../../sort.ts';
import type { PipelineContext, QueryContext } from '../../types.ts';
import { type Found, isArray, isDoc, isNumeric, MISSING, typeName } from '../../value.ts';
import { type Accumulation, compileAccumulator } from '../accumulation.ts';
import { checkFields, wrongType } from '../idl.ts';
import { roomFor, sortTooLarge } from '../memory.ts';
import { Sorter, SortWork } from '../sorter.ts';
import { KEYED, type Keyed } from '../spool.ts';
import { collect, type Stage, type StageCompiler, type Stream, streamOf } from '../stage.ts';
import { compileWindow, type Window } from './bounds.ts';
import { compileDerivative, compileIntegral, covariance } from './calculus.ts';
import type { Partition, SortSpec, WindowFunction } from './partition.ts';
import { compileRank } from './ranks.ts';
import { compileLinearFill, compileLocf, compileMovingAverage, compileShift } from './series.ts';

/** `$setWindowFields`: values from the neighbours of each document. */
export const setWindowFields: StageCompiler = (spec, { context }) => {
  if (!isDoc(spec)) {
    throw failedToParse(`the $setWindowFields stage specification must be an object, found ${typeName(spec)}`);
  }
  checkFields('$setWindowFields', spec, ['partitionBy', 'sortBy', 'output'], ['output']);
  const output = objectField(spec, 'output');
  const by = spec.has('partitionBy') ? compileExpression(spec.get('partitionBy'), context) : undefined;
  const sort = spec.has('sortBy') ? sortSpec(objectField(spec, 'sortBy'), context) : undefined;
  const known: string[] = [];
  const fields = [...output].map(([name, value]) => {
    if (known.some((other) => name.startsWith(`${other}.`) || other.startsWith(`${name}.`))) {
      throw located(6307900, "$setWindowFields 'output' specification contains two conflicting paths");
    }
    known.push(name);
    return [name, compileField(name, value, sort, context)] as const;
  });
  const work = new SortWork();
  const inOrder = by || sort ? partitionsOf(by, sort, context, work) : (source: Stream) => one(collect(source));
  const stage: Stage = async function* (source) {
    for await (const docs of inOrder(source)) {
      const keys = sort?.key ? docs.map((doc) => sort.key!(rootScope(doc))) : [];
      const partition: Partition = { docs, keys };
      const columns = fields.map(([name, compute]) => [name, [...compute(partition)]] as const);
      yield* streamOf(docs.map((doc, at) => withFields(doc, columns, at, context)));
    }
  };
  return Object.assign(stage, { figures: () => work.spilling() });
};

async function* one<T>(item: Promise<T>): AsyncGenerator<T> {
  yield await item;
}

function objectField(spec: Doc, name: string): Doc {
  const value = spec.get(name);
  if (isDoc(value)) return value;
  throw wrongType(`$setWindowFields.${name}`, value, 'object');
}

function withFields(
  doc: Doc,
  columns: readonly (readonly [string, readonly Found[]])[],
  at: number,
  context: QueryContext,
): Doc {
  let copy: Doc = new Map(doc);
  for (const [name, column] of columns) {
    const value = column[at]!;
    if (value === MISSING) continue;
    if (!name.includes('.')) copy.set(name, value);
    else copy = compileAddFields(new Map([[name, new Map([['$literal', value]])]]), context)(copy);
  }
  return carry(copy, metadataOf(doc));
}

function sortSpec(sortBy: Doc, context: QueryContext): SortSpec | undefined {
  if (sortBy.size === 0) return undefined;
  const order = compileSort(sortBy, context.collator);
  const fields = [...sortBy].map(([path, direction]) => ({
    path,
    direction: isNumeric(direction) && clampedLong(direction) < 0n ? (-1 as const) : (1 as const),
  }));
  const key = fields.length === 1 ? compileExpression(`$${fields[0]!.path}`, context) : undefined;
  return { fields, order, key };
}

/** The partitions in the order of their keys, each in its own order. All are sorted at once; one after the other is held. */
function partitionsOf(
  by: Expression | undefined,
  sort: SortSpec | undefined,
  context: PipelineContext,
  work: SortWork,
): (source: Stream) => AsyncGenerator<Doc[]> {
  const { collator } = context;
  const alike = (left: Keyed, right: Keyed) => compare(left.key, right.key, collator);
  return async function* (source) {
    const room = roomFor(context, 'sort', sortTooLarge);
    const sorter = new Sorter<Keyed>({
      ...room,
      size: ({ doc }) => room.size(doc),
      compare: (left, right) => alike(left, right) || (sort?.order(left.doc, right.doc) ?? 0),
      keep: Number.POSITIVE_INFINITY,
      codec: KEYED,
      work,
    });
    try {
      for await (const batch of source) await sorter.add(batch.map((doc) => ({ doc, key: partitionKey(doc, by) })));
      let members: Keyed[] = [];
      for await (const batch of sorter.sorted()) {
        for (const member of batch) {
          if (members.length > 0 && alike(members[0]!, member) !== 0) {
            yield members.map(({ doc }) => doc);
            members = [];
          }
          members.push(member);
        }
      }
      if (members.length > 0) yield members.map(({ doc }) => doc);
    } finally {
      await sorter.close();
    }
  };
}

function partitionKey(doc: Doc, by: Expression | undefined): Value {
  const found = by?.(rootScope(doc)) ?? null;
  if (isArray(found)) throw typeMismatch('An expression used to partition cannot evaluate to value of type array');
  return found === MISSING ? null : found;
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
    return overWindow({ expression, start: () => covariance(operator === '$covarianceSamp') }, window);
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

/** An accumulator of groups, or one of windows alone, bound to its argument. */
type Summing = Pick<Accumulation, 'expression'> & { start(scope: Scope): Accumulator };

/** Each argument is evaluated once. A window that only grows is added to; any other is summed up anew. */
function overWindow({ expression, start }: Summing, { bounds, grows }: Window): WindowFunction {
  return function* (partition) {
    const values = partition.docs.map((doc) => expression(rootScope(doc)));
    let state: Accumulator | undefined;
    let added = 0;
    let result: Found;
    for (const [at, doc] of partition.docs.entries()) {
      const [from, to] = bounds(partition, at);
      if (!grows || !state) {
        state = start(rootScope(doc));
        added = from;
      }
      const before = added;
      for (; added <= to; added++) state.add(values[added]!);
      if (!grows || at === 0 || added > before) result = state.result();
      yield result === MISSING ? null : result;
    }
  };
}

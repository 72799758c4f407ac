import { type Collator, compare, type Doc, encodeKey, Int32, type Value } from '../../bson/index.ts';
import { failedToParse, located } from '../error.ts';
import { compileExpression, type Expression, rootScope } from '../expressions/index.ts';
import { intOrLong, toDouble } from '../number.ts';
import { compileAddFields } from '../projection/index.ts';
import { compileSort } from '../sort.ts';
import type { QueryContext } from '../types.ts';
import { type Found, isArray, isDoc, isNumeric, MISSING } from '../value.ts';
import { type Accumulation, compileAccumulator } from './accumulation.ts';
import { type StageCompiler, whole } from './stage.ts';
import { timeUnit } from './time-unit.ts';

/** The documents of one partition, in their order, and the value each sorts by (for ranges and ranks). */
interface Partition {
  readonly docs: readonly Doc[];
  readonly keys: readonly Found[];
  /** Whether two neighbours are equal in the sort. */
  same(left: number, right: number): boolean;
}

/** The value of one output field for the document at a place. */
type WindowFunction = (partition: Partition, at: number) => Found;

/** `$setWindowFields`: values from the neighbours of each document. */
export const setWindowFields: StageCompiler = (spec, { context }) => {
  if (!isDoc(spec)) throw failedToParse('the $setWindowFields stage specification must be an object');
  const output = spec.get('output');
  if (!isDoc(output)) throw failedToParse("$setWindowFields requires an object for 'output'");
  const by = spec.has('partitionBy') ? compileExpression(spec.get('partitionBy'), context) : undefined;
  const sortBy = spec.get('sortBy');
  const order = isDoc(sortBy) ? compileSort(sortBy, context.collator) : undefined;
  const sortKey =
    isDoc(sortBy) && sortBy.size === 1 ? compileExpression(`$${sortBy.keys().next().value}`, context) : undefined;
  const fields = [...output].map(
    ([name, value]) => [name, compileField(name, value, context, order !== undefined)] as const,
  );
  return whole((docs) =>
    [...partitionsOf(docs, by, context.collator)].flatMap((members) => {
      const sorted = order ? members.sort(order) : members;
      const partition: Partition = {
        docs: sorted,
        keys: sorted.map((doc) => sortKey?.(rootScope(doc)) ?? MISSING),
        same: (left, right) => !order || order(sorted[left]!, sorted[right]!) === 0,
      };
      return sorted.map((doc, at) => {
        const values = new Map<string, Value>();
        for (const [name, compute] of fields) {
          const value = compute(partition, at);
          if (value !== MISSING) values.set(name, new Map([['$literal', value]]));
        }
        return compileAddFields(values, context)(doc);
      });
    }),
  );
};

function partitionsOf(
  docs: readonly Doc[],
  by: Expression | undefined,
  collator: Collator | undefined,
): Iterable<Doc[]> {
  const partitions = new Map<string, { key: Value; docs: Doc[] }>();
  for (const doc of docs) {
    const found = by?.(rootScope(doc)) ?? null;
    if (isArray(found))
      throw located(5439900, 'An expression used to partition cannot evaluate to value of type array');
    const key = found === MISSING ? null : found;
    const text = encodeKey(key, false, collator);
    const partition = partitions.get(text);
    if (partition) partition.docs.push(doc);
    else partitions.set(text, { key, docs: [doc] });
  }
  return [...partitions.values()]
    .sort((left, right) => compare(left.key, right.key, collator))
    .map((partition) => partition.docs);
}

function compileField(name: string, spec: Value, context: QueryContext, isSorted: boolean): WindowFunction {
  if (!isDoc(spec)) throw failedToParse(`The field '${name}' must be an object`);
  const operators = [...spec.keys()].filter((key) => key !== 'window');
  const operator = operators[0];
  if (operators.length !== 1 || operator === undefined) {
    throw failedToParse(`Expected a $-prefixed window function for the field '${name}'`);
  }
  const argument = spec.get(operator);
  const ranking = RANKINGS[operator];
  if (ranking) {
    if (!isSorted)
      throw located(
        5371602,
        `${operator} must be specified with a top level sortBy expression with exactly one element`,
      );
    return ranking;
  }
  if (operator === '$shift') return compileShift(argument, context);
  const accumulation = compileAccumulator(operator, argument, context);
  return overWindow(accumulation, compileWindow(spec.get('window'), isSorted));
}

const RANKINGS: Readonly<Record<string, WindowFunction>> = {
  $documentNumber: (_, at) => intOrLong(at + 1),
  $rank: (partition, at) => {
    let first = at;
    while (first > 0 && partition.same(first - 1, at)) first -= 1;
    return intOrLong(first + 1);
  },
  $denseRank: (partition, at) => {
    let rank = 1;
    for (let i = 1; i <= at; i++) if (!partition.same(i - 1, i)) rank += 1;
    return intOrLong(rank);
  },
};

function compileShift(argument: Value, context: QueryContext): WindowFunction {
  if (!isDoc(argument)) throw failedToParse('Argument to $shift must be an object');
  const by = argument.get('by');
  if (!(by instanceof Int32)) throw failedToParse("'$shift:by' field must be an integer");
  const output = compileExpression(argument.get('output'), context);
  const fallback = argument.get('default') ?? null;
  return ({ docs }, at) => {
    const doc = docs[at + by.value];
    return doc ? output(rootScope(doc)) : fallback;
  };
}

function overWindow({ expression, start }: Accumulation, bounds: Bounds): WindowFunction {
  return (partition, at) => {
    const [from, to] = bounds(partition, at);
    const state = start(rootScope(partition.docs[at]!));
    for (let i = from; i <= to; i++) state.add(expression(rootScope(partition.docs[i]!)));
    const value = state.result();
    return value === MISSING ? null : value;
  };
}

const EMPTY: [number, number] = [0, -1];

type Bounds = (partition: Partition, at: number) => [from: number, to: number];

/** The first and last place of a window; the whole partition where none is given. */
function compileWindow(spec: Value, isSorted: boolean): Bounds {
  if (spec === undefined) return ({ docs }) => [0, docs.length - 1];
  if (!isDoc(spec)) throw failedToParse("'window' field must be an object");
  const [kind, limits] = spec.has('range')
    ? (['range', spec.get('range')] as const)
    : (['documents', spec.get('documents')] as const);
  if (limits === undefined) return ({ docs }) => [0, docs.length - 1];
  if (!isArray(limits) || limits.length !== 2) throw failedToParse(`Window bounds must be a 2-element array: ${kind}`);
  if (!isSorted && kind === 'range') throw located(5339902, 'Range-based bounds require sortBy a single field');
  const lower = limit(limits[0], Number.NEGATIVE_INFINITY);
  const upper = limit(limits[1], Number.POSITIVE_INFINITY);
  if (kind === 'documents') {
    return ({ docs }, at) => [Math.max(0, at + lower), Math.min(docs.length - 1, at + upper)];
  }
  const scale = timeUnit(spec.get('unit'));
  return ({ keys }, at) => {
    const center = position(keys[at]!);
    const low = center + lower * scale;
    const high = center + upper * scale;
    const from = keys.findIndex((key) => position(key) >= low);
    return from < 0 ? EMPTY : [from, keys.findLastIndex((key) => position(key) <= high)];
  };
}

/** An offset from the current document. */
function limit(value: Value, unbounded: number): number {
  if (value === 'current') return 0;
  if (value === 'unbounded') return unbounded;
  if (isNumeric(value)) return toDouble(value);
  throw failedToParse("Window bounds must be 'unbounded', 'current', or a number.");
}

function position(key: Found): number {
  if (key instanceof Date) return key.getTime();
  if (key !== MISSING && isNumeric(key)) return toDouble(key);
  throw located(5429413, 'For windows that involve range-based bounds, sortBy must evaluate to numbers or dates only');
}

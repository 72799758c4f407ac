import {
  Binary,
  BSONRegExp,
  type Collator,
  isNumber,
  MaxKey,
  MinKey,
  ObjectId,
  Timestamp,
  TYPE,
  typeAlias,
  type Value,
} from '../../bson/index.ts';
import {
  bracketOf,
  complement,
  EVERYTHING,
  type Interval,
  type Intervals,
  interval,
  NOTHING,
  NUMBERS,
  point,
  TEXTS,
  union,
} from '../../indexes/index.ts';
import { arrayIndex, conjuncts, type FilterNode, filterTree, isOnValues, operatorNodes } from '../../query/index.ts';
import { holdsText } from '../collation.ts';
import { literalPrefix } from './regex-prefix.ts';
import type { TextOrdering } from './text-ordering.ts';

/** An `$elemMatch` on the way to a condition: what stands in it is about one and the same element. */
export interface ElementScope {
  /** How many parts of the path lead to its array. */
  readonly parts: number;
}

/** What a filter demands of the values at one path. */
export interface Condition {
  readonly path: string;
  readonly parts: readonly string[];
  readonly operator: string;
  readonly operand: Value;
  /** The opposite is demanded. */
  readonly negated: boolean;
  /** From the outside in. */
  readonly scopes: readonly ElementScope[];
  /** The conjunct of the filter that it comes from. */
  readonly source: FilterNode;
}

/** What a condition says about an index's field. */
export interface ConditionBounds {
  /** A document that matches has a key in here. */
  readonly intervals: Intervals;
  /** A document without arrays on the path matches if its key is in here. */
  readonly exact: boolean;
  /** A document that lacks the field may match. */
  readonly matchesMissing: boolean;
}

/**
 * The conditions on paths among the conjuncts of a filter; what is none is left out. A number in a path is a field's name
 * or an array's index, which an index cannot tell: such paths are there where they are asked for, with `numbers`.
 */
export function conditionsOf(nodes: readonly FilterNode[], { numbers = false } = {}): Condition[] {
  const all = nodes.flatMap((node) => conditionsIn(node, node, '', []));
  return numbers ? all : all.filter(({ parts }) => parts.every((part) => arrayIndex(part) < 0));
}

function conditionsIn(
  node: FilterNode,
  source: FilterNode,
  prefix: string,
  scopes: readonly ElementScope[],
): Condition[] {
  if (node.kind === 'not') {
    const { child } = node;
    if (child.kind !== 'leaf' || child.operator === '$elemMatch') return [];
    return conditionsIn(child, source, prefix, scopes).map((condition) => ({ ...condition, negated: true }));
  }
  if (node.kind !== 'leaf') return [];
  const path = prefix + node.path;
  const parts = path.split('.');
  const { operator, operand } = node;
  if (operator !== '$elemMatch') return [{ path, parts, operator, operand, negated: false, scopes, source }];
  if (!(operand instanceof Map)) return [];
  const inner = [...scopes, { parts: parts.length }];
  if (isOnValues(operand)) {
    return operatorNodes('', operand).flatMap((each) => conditionsIn(each, source, path, inner));
  }
  return conjuncts(filterTree(operand)).flatMap((each) => conditionsIn(each, source, `${path}.`, inner));
}

/** `multikey` tells whether the index has seen an array on the path. Undefined: an index says nothing about it. */
export function boundsOf(condition: Condition, multikey: boolean, order: TextOrdering): ConditionBounds | undefined {
  const { path, operator, operand, negated, scopes } = condition;
  const bounds = path === PATH_FIELD ? pathBounds(operator, operand as string) : textBounds(operator, operand, order);
  if (!bounds) return undefined;
  if (!negated) return scopes.length > 0 ? { ...bounds, exact: false } : bounds;
  if (operator === '$exists') return { intervals: [point(null)], exact: false, matchesMissing: true };
  if (!bounds.exact || operator === '$regex') return undefined;
  // An element that is no document has no field, and its key is null, but it does not match `{'a.b': null}`.
  if (bounds.matchesMissing && multikey) return undefined;
  return {
    intervals: complement(bounds.intervals, order.index),
    exact: scopes.length === 0,
    matchesMissing: !bounds.matchesMissing,
  };
}

/** The field in front of a wildcard's values that holds their path, by the name that `explain` gives it. No collation orders it. */
export const PATH_FIELD = '$_path';

/** What stands in place of an operator where paths below one are meant with it. */
export const WITH_THOSE_BELOW = 'below';

function pathBounds(operator: string, path: string): ConditionBounds {
  const below = interval(`${path}.`, true, `${path}/`, false);
  const intervals = operator === WITH_THOSE_BELOW ? [point(path), below] : [point(path)];
  return { intervals, exact: true, matchesMissing: false };
}

export const COMPARISONS: ReadonlySet<string> = new Set(['$eq', '$in', '$gt', '$gte', '$lt', '$lte']);

/**
 * An index tells about texts only where it orders them as the query does, and about their letters only where it orders
 * them by these.
 */
function textBounds(operator: string, operand: Value, { index, alike }: TextOrdering): ConditionBounds | undefined {
  if (index && (operator === '$regex' || (operator === '$in' && isList(operand) && operand.some(isRegex)))) {
    return undefined;
  }
  if (!COMPARISONS.has(operator) || !holdsText(operand)) return positiveBounds(operator, operand, index);
  if (!alike) return undefined;
  const bounds = positiveBounds(operator, operand, index);
  // The place of a text that no document has is only found again until another one comes to stand there.
  return bounds && index ? { ...bounds, exact: false } : bounds;
}

function isList(operand: Value): operand is Value[] {
  return Array.isArray(operand);
}

function isRegex(operand: Value): operand is BSONRegExp {
  return operand instanceof BSONRegExp;
}

function positiveBounds(operator: string, operand: Value, collator: Collator | undefined): ConditionBounds | undefined {
  switch (operator) {
    case '$eq':
      return equality(operand, collator);
    case '$in':
      return Array.isArray(operand) ? anyOf(operand, collator) : undefined;
    case '$gt':
    case '$gte':
    case '$lt':
    case '$lte':
      return range(operator, operand, collator);
    case '$regex':
      return operand instanceof BSONRegExp ? regex(operand) : undefined;
    case '$exists':
      return { intervals: EVERYTHING, exact: false, matchesMissing: false };
    case '$mod':
      return { intervals: [interval(Number.NaN, true, NUMBERS.high, true)], exact: false, matchesMissing: false };
    case '$type':
      return ofTypes(operand);
    default:
      return undefined;
  }
}

function equality(operand: Value, collator: Collator | undefined): ConditionBounds {
  if (operand instanceof BSONRegExp) return { intervals: [point(operand)], exact: true, matchesMissing: false };
  if (Array.isArray(operand)) {
    // The index holds the elements; the whole array too where it is itself an element.
    const first = operand.length === 0 ? undefined : operand[0];
    return { intervals: union([point(first), point(operand)], collator), exact: false, matchesMissing: false };
  }
  return { intervals: [point(operand)], exact: true, matchesMissing: operand === null };
}

function anyOf(operands: readonly Value[], collator: Collator | undefined): ConditionBounds {
  const all = operands.map((each) => (each instanceof BSONRegExp ? regex(each) : equality(each, collator)));
  return {
    intervals: union(
      all.flatMap(({ intervals }) => intervals),
      collator,
    ),
    exact: all.every(({ exact }) => exact),
    matchesMissing: all.some(({ matchesMissing }) => matchesMissing),
  };
}

function range(
  operator: '$gt' | '$gte' | '$lt' | '$lte',
  operand: Value,
  collator: Collator | undefined,
): ConditionBounds | undefined {
  const orEqual = operator === '$gte' || operator === '$lte';
  if (Array.isArray(operand)) return { intervals: EVERYTHING, exact: false, matchesMissing: false };
  if (operand instanceof MinKey || operand instanceof MaxKey) {
    return { intervals: EVERYTHING, exact: false, matchesMissing: true };
  }
  if (operand === null || (isNumber(operand) && Number.isNaN(Number(operand)))) {
    return orEqual ? equality(operand, collator) : { intervals: NOTHING, exact: true, matchesMissing: false };
  }
  const bracket = bracketOf(operand);
  if (!bracket) return { intervals: EVERYTHING, exact: false, matchesMissing: operand === undefined };
  const { low, lowInclusive, high, highInclusive } = bracket;
  const found =
    operator === '$gt' || operator === '$gte'
      ? interval(operand, orEqual, high, highInclusive)
      : interval(low, lowInclusive, operand, orEqual);
  return { intervals: union([found], collator), exact: true, matchesMissing: false };
}

function regex(operand: BSONRegExp): ConditionBounds {
  const prefix = literalPrefix(operand);
  const texts: Interval = prefix ? interval(prefix.text, true, prefix.end, false) : TEXTS;
  return {
    intervals: union([texts, point(operand)]),
    exact: prefix?.whole === true,
    matchesMissing: false,
  };
}

const ALL_NUMBERS: Intervals = [interval(Number.NaN, true, NUMBERS.high, true)];

/** Where the values of a type stand, by its name. Those of types that are not here may stand anywhere. */
const TYPE_INTERVALS: ReadonlyMap<string, Intervals> = new Map([
  ...['number', 'double', 'int', 'long', 'decimal'].map((name) => [name, ALL_NUMBERS] as const),
  ...[new Map(), '', new Binary(new Uint8Array(0), 0), new ObjectId('0'.repeat(24)), false, new Date(0)].map(bracketed),
  bracketed(new Timestamp({ t: 0, i: 0 })),
  ...[null, undefined, new MinKey(), new MaxKey()].map((value) => [typeAlias(value), [point(value)]] as const),
]);

function bracketed(value: Value): readonly [string, Intervals] {
  return [typeAlias(value), [bracketOf(value)!]];
}

const TYPE_NAMES: ReadonlyMap<number, string> = new Map(Object.entries(TYPE).map(([name, code]) => [code, name]));

/** The places of the types asked for: of arrays an index holds the elements. */
function ofTypes(operand: Value): ConditionBounds {
  const types = (Array.isArray(operand) ? operand : [operand]) as readonly Value[];
  const intervals = types.flatMap((type) => {
    const name = typeof type === 'string' ? type : TYPE_NAMES.get(Number(type));
    return TYPE_INTERVALS.get(name ?? '') ?? EVERYTHING;
  });
  return { intervals: union(intervals), exact: false, matchesMissing: false };
}

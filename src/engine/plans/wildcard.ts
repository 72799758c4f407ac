import type { ArrayParts, Doc, Value } from '../../bson/index.ts';
import { bracketOf, intersection, isPoint, WildcardPaths, wildcardsOf } from '../../indexes/index.ts';
import { arrayIndex, conjuncts, type FilterNode } from '../../query/index.ts';
import {
  boundsOf,
  COMPARISONS,
  type Condition,
  type ConditionBounds,
  conditionsOf,
  PATH_FIELD,
  WITH_THOSE_BELOW,
} from './condition.ts';
import type { Choice } from './plan.ts';
import type { TextOrdering } from './text-ordering.ts';

/** A wildcard index as the index of one path that it stands for, with the conditions that bound it. */
export interface PathChoice {
  readonly choice: Choice;
  readonly conditions: readonly Condition[];
}

/** A condition on a path that the index holds. */
interface Held {
  readonly condition: Condition;
  /** It is about values that the index takes apart too: documents. Its keys may stand on any of the paths below, or have any value. */
  readonly below: boolean;
}

/**
 * A wildcard index holds what documents have, leaf by leaf, and no document as a whole: it serves conditions that say
 * something about leaves, or that there is something, on one path at a time. Each such path makes an index of its own.
 */
export function pathChoices(choice: Choice, nodes: readonly FilterNode[], texts: TextOrdering): PathChoice[] {
  const conditions = conditionsOf(nodes, { numbers: true });
  // MongoDB takes it for a sparse index in all of its fields.
  const others = conditions.filter(
    (condition) => choice.key.has(condition.path) && boundsOf(condition, true, texts)?.matchesMissing === false,
  );
  const held = heldConditions(choice, conditions, texts);
  const found = [...new Set(held.map(({ condition }) => condition.path))];
  // The other fields of a compound one serve without it.
  if (found.length === 0) return others.length > 0 ? [withoutPath(choice, others)] : [];
  return found.map((path) => {
    const own = held.filter(({ condition }) => condition.path === path);
    const leaves = own.filter(({ below }) => !below).map(({ condition }) => condition);
    if (leaves.length > 0) {
      const bounding = [pathCondition(path, '$eq'), ...others, ...leaves];
      return { choice: withPath(choice, path), conditions: bounding };
    }
    const settled = own.find(({ condition }) => isSettled(condition))?.condition.source;
    const bounding = [pathCondition(path, WITH_THOSE_BELOW, settled), ...others];
    return { choice: { ...withPath(choice, path), several: true }, conditions: bounding };
  });
}

function heldConditions(choice: Choice, conditions: readonly Condition[], texts: TextOrdering): Held[] {
  const paths = new WildcardPaths(choice.spec);
  const { arrayPaths } = choice.index();
  return conditions.flatMap((condition): Held[] => {
    const { path, parts } = condition;
    if (!paths.holds(path) || comparesWhole(condition)) return [];
    const arrays = arrayParts(parts, arrayPaths);
    // An element of an array is on the path of the array.
    if (parts.some((part, at) => arrayIndex(part) >= 0 && arrays.has(at - 1))) return [];
    const bounds = boundsOf(condition, arrays.size > 0, texts);
    if (!bounds || bounds.matchesMissing) return [];
    if (isAboutLeaves(bounds)) return [{ condition, below: false }];
    return isAnswered(condition) && paths.holdsBelow(path) ? [{ condition, below: true }] : [];
  });
}

/** Documents and arrays are not in the index as what they are compared with; those without anything in them are. */
function comparesWhole({ operator, operand }: Condition): boolean {
  if (!COMPARISONS.has(operator)) return false;
  const values = operator === '$in' && Array.isArray(operand) ? operand : [operand];
  return values.some((value: Value) => {
    if (Array.isArray(value)) return value.length > 0 || (operator !== '$eq' && operator !== '$in');
    return value instanceof Map && (value.size > 0 || !['$eq', '$in', '$lte'].includes(operator));
  });
}

/** Of what is not, only that there is something other than null: the index lacks documents without the path. */
function isAnswered({ negated, operator, operand }: Condition): boolean {
  return !negated || (operator === '$eq' && operand === null);
}

/** Every key that is found tells that it holds. */
function isSettled({ operator, negated, scopes }: Condition): boolean {
  return operator === '$exists' && !negated && scopes.length === 0;
}

/** The condition's values are found as they are: no documents but empty ones. */
function isAboutLeaves({ intervals }: ConditionBounds): boolean {
  return intersection(intervals, [bracketOf(new Map())!]).every(
    (each) => isPoint(each) && each.low instanceof Map && each.low.size === 0,
  );
}

/**
 * How many indexes a wildcard index stands for, as MongoDB counts them: one for each path in the filter that it holds,
 * whatever the condition, and one for the fields in front of the wildcard.
 */
export function countPaths({ key, spec }: Choice, nodes: readonly FilterNode[]): number {
  const paths = new WildcardPaths(spec);
  const asked = new Set(conditionsWithin(nodes).map(({ path }) => path));
  const [wildcard] = wildcardsOf(key);
  const fields = [...key.keys()];
  const inFront = fields.slice(0, fields.indexOf(wildcard!)).some((path) => asked.has(path));
  return [...asked].filter((path) => paths.holds(path)).length + Number(inFront);
}

/** Those in branches, too. */
function conditionsWithin(nodes: readonly FilterNode[]): Condition[] {
  return nodes.flatMap((node) => {
    if (node.kind === '$or' || node.kind === '$and') return conditionsWithin(node.children.flatMap(conjuncts));
    return conditionsOf([node], { numbers: true });
  });
}

function withPath(choice: Choice, path: string): Choice {
  const { key, arrays } = expand(choice, path, arrayParts(path.split('.'), choice.index().arrayPaths));
  return { ...choice, key, arrays: arrays.some((each) => each.size > 0) ? arrays : undefined };
}

/** Which parts of a path lead to arrays in some document. */
function arrayParts(parts: readonly string[], arrayPaths: ReadonlySet<string>): ReadonlySet<number> {
  return new Set([...parts.keys()].filter((part) => arrayPaths.has(parts.slice(0, part + 1).join('.'))));
}

/** A document has a key for each of its paths. */
function withoutPath(choice: Choice, conditions: readonly Condition[]): PathChoice {
  return {
    choice: { ...choice, key: expand(choice, '', new Set()).key, arrays: undefined, several: true },
    conditions,
  };
}

function expand(choice: Choice, path: string, own: ReadonlySet<number>): { key: Doc; arrays: ArrayParts } {
  const [wildcard] = wildcardsOf(choice.key);
  const key: Doc = new Map();
  const arrays: ReadonlySet<number>[] = [];
  for (const [name, direction] of choice.key) {
    if (name === wildcard) {
      key.set(PATH_FIELD, 1).set(path, direction);
      arrays.push(new Set(), own);
    } else {
      key.set(name, direction);
      arrays.push(new Set());
    }
  }
  return { key, arrays };
}

function pathCondition(path: string, operator: '$eq' | typeof WITH_THOSE_BELOW, settled?: FilterNode): Condition {
  return {
    path: PATH_FIELD,
    parts: [PATH_FIELD],
    operator,
    operand: path,
    negated: false,
    scopes: [],
    source: settled ?? { kind: 'other', name: PATH_FIELD, operand: path },
  };
}

import { BSONRegExp, compare, type Doc, MaxKey, MinKey, type Value } from '../../bson/index.ts';
import { isNaNNumber } from '../number.ts';
import { arrayIndex } from '../path.ts';
import { isArray, isDoc, isNumeric } from '../value.ts';
import { isExpressionDoc } from './comparison.ts';

export interface Bound {
  readonly value: Value;
  readonly inclusive: boolean;
}

/**
 * What a filter demands of one path, as far as an index can use it. Each member alone is a necessary condition on some
 * value at the path (an element, when there are arrays). `lower` and `upper` may be met by different elements of an
 * array: on an index that holds a key for each element, only one of the two may bound a scan. Both bound within the
 * value's own type.
 */
export interface FieldPredicate {
  readonly eq?: Value;
  readonly in?: readonly Value[];
  readonly lower?: Bound;
  readonly upper?: Bound;
}

/** The predicates that every matching document must meet, by path. Whoever uses them still filters what they find. */
export function fieldPredicates(filter: Doc): Map<string, FieldPredicate> {
  const found = new Map<string, FieldPredicate>();
  gather(filter, found);
  return found;
}

function gather(filter: Doc, found: Map<string, FieldPredicate>): void {
  for (const [name, operand] of filter) {
    if (name === '$and' && isArray(operand)) {
      for (const branch of operand) if (isDoc(branch)) gather(branch, found);
    } else if (!name.startsWith('$') && !hasIndexPart(name)) {
      const predicate = isExpressionDoc(operand) ? fromOperators(operand) : fromEquality(operand);
      if (Object.keys(predicate).length > 0) found.set(name, { ...predicate, ...found.get(name) });
    }
  }
}

/** A number in a path is a field's name or an array's index, and an index cannot tell which. */
function hasIndexPart(path: string): boolean {
  return path.split('.').some((part) => arrayIndex(part) >= 0);
}

function fromEquality(operand: Value): FieldPredicate {
  return isBoundable(operand) ? { eq: operand } : {};
}

function fromOperators(operators: Doc): FieldPredicate {
  let predicate: FieldPredicate = {};
  for (const [name, operand] of operators) {
    if (name === '$eq') predicate = { ...predicate, ...fromEquality(operand) };
    if (name === '$in' && isArray(operand) && operand.every(isBoundable)) {
      predicate = { ...predicate, ...(operand.length === 1 ? { eq: operand[0] } : { in: distinct(operand) }) };
    }
    if (!isRangeable(operand)) continue;
    if (name === '$gt' || name === '$gte')
      predicate = { ...predicate, lower: { value: operand, inclusive: name === '$gte' } };
    if (name === '$lt' || name === '$lte')
      predicate = { ...predicate, upper: { value: operand, inclusive: name === '$lte' } };
  }
  return predicate;
}

/** Null also matches what is missing, a regular expression much else, and an array may match as a whole. */
function isBoundable(value: Value): boolean {
  return value !== null && value !== undefined && !(value instanceof BSONRegExp) && !isArray(value);
}

function isRangeable(value: Value): boolean {
  if (value instanceof MinKey || value instanceof MaxKey || (isNumeric(value) && isNaNNumber(value))) return false;
  return isBoundable(value);
}

function distinct(values: readonly Value[]): Value[] {
  const sorted = [...values].sort(compare);
  return sorted.filter((value, at) => at === 0 || compare(value, sorted[at - 1]) !== 0);
}

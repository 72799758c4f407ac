import type { ArrayParts, Doc } from '../../bson/index.ts';
import {
  EVERYTHING,
  hashOf,
  type Intervals,
  intersection,
  isEverything,
  isHashed,
  isPoint,
  point,
  union,
} from '../../indexes/index.ts';
import { boundsOf, type Condition, type ConditionBounds } from './condition.ts';
import type { TextOrdering } from './text-ordering.ts';

/** The bounds of one field of an index, and the conditions that they come from. */
export interface FieldBounds {
  readonly intervals: Intervals;
  readonly conditions: readonly { readonly condition: Condition; readonly bounds: ConditionBounds }[];
}

interface Assigned {
  readonly field: number;
  readonly condition: Condition;
}

/**
 * Bounds for each field of an index. Of several conditions on a field all bound it that some one key of a document must
 * meet together; which that are, arrays decide.
 */
export function assignBounds(
  key: Doc,
  arrays: ArrayParts | undefined,
  conditions: readonly Condition[],
  order: TextOrdering,
): FieldBounds[] {
  const assigned: Assigned[] = [];
  return [...key].map(([path, direction], field) => {
    const multikey = (arrays?.[field]?.size ?? 0) > 0;
    const found = conditions
      .filter((condition) => condition.path === path)
      .map((condition) => {
        const bounds = boundsOf(condition, multikey, order);
        return { condition, bounds: isHashed(direction) ? bounds && hashedBounds(bounds, order) : bounds };
      })
      .filter((each): each is FieldBounds['conditions'][number] => each.bounds !== undefined)
      .sort((left, right) => width(left.bounds.intervals) - width(right.bounds.intervals));
    const used: FieldBounds['conditions'][number][] = [];
    let intervals = EVERYTHING;
    for (const each of found) {
      const mine = { field, condition: each.condition };
      if (!assigned.every((other) => meetTogether(mine, other, arrays))) continue;
      assigned.push(mine);
      used.push(each);
      intervals = intersection(intervals, each.bounds.intervals, order.index);
    }
    return { intervals, conditions: used };
  });
}

/** The hashes of single values; a hash tells nothing of ranges, and several values may share it. */
function hashedBounds(
  { intervals, matchesMissing }: ConditionBounds,
  order: TextOrdering,
): ConditionBounds | undefined {
  if (!intervals.every(isPoint)) return undefined;
  return {
    intervals: union(intervals.map(({ low }) => point(hashOf(low, order.seek())))),
    exact: false,
    matchesMissing,
  };
}

/** How little bounds tell: points tell most, and the fewer the more. */
function width(intervals: Intervals): number {
  if (intervals.every(isPoint)) return 1 - 1 / (intervals.length + 1);
  return isEverything(intervals) ? 3 : 2;
}

/**
 * Whether a document that meets both conditions has one key that does. An array on the path that the two share gives a
 * key for each element: the conditions may be met by different ones, except under one `$elemMatch`.
 */
function meetTogether(left: Assigned, right: Assigned, arrays: ArrayParts | undefined): boolean {
  if (!arrays) return true;
  const shared = sharedParts(left.condition.parts, right.condition.parts);
  const pinned = pinnedParts(left.condition, right.condition);
  for (const part of arrays[left.field]!) {
    if (part < shared && part >= pinned && arrays[right.field]!.has(part)) return false;
  }
  return true;
}

function sharedParts(left: readonly string[], right: readonly string[]): number {
  let shared = 0;
  while (shared < left.length && left[shared] === right[shared]) shared++;
  return shared;
}

/** How many parts of their paths lead both conditions to the same element. */
function pinnedParts(left: Condition, right: Condition): number {
  const common = left.scopes.filter((scope) => right.scopes.includes(scope));
  return common.at(-1)?.parts ?? 0;
}

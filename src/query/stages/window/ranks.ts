import type { Doc } from '../../../bson/index.ts';
import { located } from '../../error.ts';
import { rootScope } from '../../expressions/index.ts';
import { intOrLong } from '../../number.ts';
import { compareFound } from '../../order.ts';
import type { QueryContext } from '../../types.ts';
import { type Found, isArray, isDoc } from '../../value.ts';
import { inTurn, type SortSpec, type WindowFunction } from './partition.ts';

/** `$rank`, `$denseRank`, `$documentNumber`. */
export function compileRank(
  operator: string,
  spec: Doc,
  sort: SortSpec | undefined,
  { collator }: QueryContext,
): WindowFunction {
  if (spec.size !== 1) throw located(5371601, 'Rank style window functions take no other arguments');
  const argument = spec.get(operator);
  if (!isDoc(argument) || argument.size > 0) {
    throw located(5371603, `${operator} must be specified with '{}' as the value`);
  }
  if (!sort?.key) {
    throw located(5371602, `${operator} must be specified with a top level sortBy expression with exactly one element`);
  }
  const { key: keyOf } = sort;
  const descending = sort.fields[0]!.direction < 0;
  return inTurn(() => {
    let [rank, dense] = [0, 0];
    let last: Found;
    return (current, at) => {
      const key = rankedBy(keyOf(rootScope(current)), descending);
      if (at === 0 || compareFound(key, last, collator) !== 0) {
        rank = at + 1;
        dense += 1;
      }
      last = key;
      return intOrLong(operator === '$rank' ? rank : operator === '$denseRank' ? dense : at + 1);
    };
  });
}

/** An array ranks by the element that it sorts by. */
function rankedBy(key: Found, descending: boolean): Found {
  if (!isArray(key)) return key;
  return key.reduce<Found>(
    (best, item) => (compareFound(item, best) * (descending ? -1 : 1) < 0 ? item : best),
    key[0],
  );
}

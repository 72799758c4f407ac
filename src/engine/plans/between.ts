import { CodedError } from '../../base/index.ts';
import type { Doc, Value } from '../../bson/index.ts';
import { EVERYTHING, isDescending, type KeyRange, keyPrefix, kindOf } from '../../indexes/index.ts';
import { indexOrder } from './index-order.ts';
import { IndexScan } from './index-scan.ts';
import { scanPlan } from './ordered.ts';
import type { Plan, PlanQuery, PlanRequest } from './plan.ts';
import { textOrdering } from './text-ordering.ts';

/** Throws where `min` and `max` do not belong together; they are said to belong to no index yet. */
export function checkBetween({ min, max, hint }: PlanRequest): void {
  const [low, high] = [[...(min?.keys() ?? [])], [...(max?.keys() ?? [])]];
  if (low.length > 0 && high.length > 0 && low.join('\0') !== high.join('\0')) {
    throw new CodedError('Location51176', 'min and max must have the same field names');
  }
  if (low.length + high.length > 0 && (hint === undefined || (hint instanceof Map && hint.has('$natural')))) {
    throw new CodedError('Location51173', 'When using min()/max() a hint of which index to use must be provided');
  }
}

/** The hinted index from the key `min` up to, but without, the key `max`. `fail` makes an error of the planner's. */
export function planBetween(
  query: PlanQuery,
  { min, max }: PlanRequest,
  fail: (codeName: string, why: string) => CodedError,
): Plan {
  const [choice] = query.choices;
  const { key, arrays } = choice!;
  const { alike, seek } = textOrdering(choice!, query.filter);
  for (const given of [min, max]) {
    if (!given || given.size === 0) continue;
    const fits = [...given.keys()].join('\0') === [...key.keys()].join('\0') && kindOf(key).name === 'btree';
    if (!fits || !(alike || [...given.values()].every((value) => typeof value !== 'string'))) {
      throw fail('Location51174', 'The index chosen is not compatible with min/max');
    }
  }
  const descending = [...key.values()].map(isDescending);
  const text = (given: Doc | undefined) => {
    if (!given || given.size === 0) return undefined;
    const texts = descending.map(() => seek());
    return keyPrefix(descending, [...given.values()] as Value[], texts);
  };
  const [lower, upper] = [text(min), text(max)];
  if (lower !== undefined && upper !== undefined && lower >= upper) {
    const why = 'The value provided for min() does not come before the value provided for max() in the hinted index';
    throw fail('Location51175', why);
  }
  const range: KeyRange = {
    ...(lower !== undefined && { lower, lowerInclusive: true }),
    ...(upper !== undefined && { upper, upperInclusive: false }),
  };
  const whole = [...key.keys()].map(() => ({ intervals: EVERYTHING, conditions: [] }));
  const scan = new IndexScan(choice!, whole, { range, startKey: min ?? new Map(), endKey: max ?? new Map() });
  // An array's first key may lie outside, so its order is not the sort's.
  const order = query.sort && alike && !arrays ? indexOrder(key, query.sort, whole, 0, arrays) : undefined;
  if (order) scan.inOrder(order);
  return scanPlan(query.collection, {
    scan,
    sorted: !query.sort || order !== undefined,
    exact: query.conjuncts.length === 0,
    residual: query.conjuncts,
  });
}

import {
  Binary,
  type Collator,
  compare,
  type Doc,
  dateFromMillis,
  isNumber,
  MaxKey,
  MinKey,
  ObjectId,
  showValue,
  Timestamp,
  typeAlias,
  type Value,
} from '../bson/index.ts';

/** A stretch of values in BSON's order. `low` is not above `high`. */
export interface Interval {
  readonly low: Value;
  readonly lowInclusive: boolean;
  readonly high: Value;
  readonly highInclusive: boolean;
}

/** Stretches that do not meet, in order. Empty: no value. What makes them of others needs to know the collation of the index that they are of. */
export type Intervals = readonly Interval[];

const LEAST = new MinKey();
const GREATEST = new MaxKey();

export const EVERYTHING: Intervals = [interval(LEAST, true, GREATEST, true)];
export const NOTHING: Intervals = [];

export function interval(low: Value, lowInclusive: boolean, high: Value, highInclusive: boolean): Interval {
  return { low, lowInclusive, high, highInclusive };
}

export function point(value: Value): Interval {
  return interval(value, true, value, true);
}

export function isPoint({ low, high }: Interval): boolean {
  return low === high || compare(low, high) === 0;
}

export function isEverything(intervals: Intervals): boolean {
  const [first] = intervals;
  return (
    intervals.length === 1 && first!.low instanceof MinKey && first!.high instanceof MaxKey && includesEnds(first!)
  );
}

function includesEnds({ lowInclusive, highInclusive }: Interval): boolean {
  return lowInclusive && highInclusive;
}

export function union(all: readonly Interval[], collator?: Collator): Intervals {
  const rest = all.filter((each) => !isEmpty(each, collator)).sort((a, b) => byLow(a, b, collator));
  const result: Interval[] = [];
  for (const next of rest) {
    const last = result.at(-1);
    if (!last || isApart(last, next, collator)) result.push(next);
    else if (highOrder(next, last, collator) > 0) {
      result[result.length - 1] = interval(last.low, last.lowInclusive, next.high, next.highInclusive);
    }
  }
  return result;
}

export function intersection(left: Intervals, right: Intervals, collator?: Collator): Intervals {
  const result: Interval[] = [];
  for (let l = 0, r = 0; l < left.length && r < right.length; ) {
    const [a, b] = [left[l]!, right[r]!];
    const from = byLow(a, b, collator) > 0 ? a : b;
    const to = highOrder(a, b, collator) < 0 ? a : b;
    const common = interval(from.low, from.lowInclusive, to.high, to.highInclusive);
    if (!isEmpty(common, collator)) result.push(common);
    if (to === a) l++;
    else r++;
  }
  return result;
}

/** All values that lie in none of them. */
export function complement(intervals: Intervals, collator?: Collator): Intervals {
  const result: Interval[] = [];
  let [low, lowInclusive]: [Value, boolean] = [LEAST, true];
  for (const each of intervals) {
    result.push(interval(low, lowInclusive, each.low, !each.lowInclusive));
    low = each.high;
    lowInclusive = !each.highInclusive;
  }
  result.push(interval(low, lowInclusive, GREATEST, true));
  return result.filter((each) => !isEmpty(each, collator));
}

function isEmpty({ low, lowInclusive, high, highInclusive }: Interval, collator: Collator | undefined): boolean {
  const order = compare(low, high, collator);
  return order > 0 || (order === 0 && !(lowInclusive && highInclusive));
}

function byLow(left: Interval, right: Interval, collator: Collator | undefined): number {
  return compare(left.low, right.low, collator) || Number(right.lowInclusive) - Number(left.lowInclusive);
}

function highOrder(left: Interval, right: Interval, collator: Collator | undefined): number {
  return compare(left.high, right.high, collator) || Number(left.highInclusive) - Number(right.highInclusive);
}

/** Whether there are values between the two, of which the first does not begin later. */
function isApart(first: Interval, next: Interval, collator: Collator | undefined): boolean {
  const order = compare(first.high, next.low, collator);
  return order < 0 || (order === 0 && !first.highInclusive && !next.lowInclusive);
}

const FIRST_BINARY = new Binary(new Uint8Array(0), 0);
const FIRST_OBJECT: Doc = new Map();
const FIRST_ID = new ObjectId('000000000000000000000000');
const LAST_ID = new ObjectId('ffffffffffffffffffffffff');
const MAX_UINT32 = 0xffff_ffff;

/** All texts, and all numbers that a range can find: NaN is below them, and in none. */
export const TEXTS: Interval = interval('', true, FIRST_OBJECT, false);
export const NUMBERS: Interval = interval(Number.NEGATIVE_INFINITY, true, Number.POSITIVE_INFINITY, true);

/** All values that are texts or may hold some: documents and arrays. */
export const TEXT_HOLDERS: Intervals = [interval('', true, FIRST_BINARY, false)];

/** All values that ranges compare with this one; undefined for the rare types that the order tells nothing about. */
export function bracketOf(value: Value): Interval | undefined {
  if (isNumber(value)) return NUMBERS;
  switch (typeAlias(value)) {
    case 'string':
    case 'symbol':
      return TEXTS;
    case 'object':
      return interval(FIRST_OBJECT, true, [], false);
    case 'binData':
      return interval(FIRST_BINARY, true, FIRST_ID, false);
    case 'objectId':
      return interval(FIRST_ID, true, LAST_ID, true);
    case 'bool':
      return interval(false, true, true, true);
    case 'date':
      return interval(dateFromMillis(-(2n ** 63n)), true, dateFromMillis(2n ** 63n - 1n), true);
    case 'timestamp':
      return interval(new Timestamp({ t: 0, i: 0 }), true, new Timestamp({ t: MAX_UINT32, i: MAX_UINT32 }), true);
    default:
      return undefined;
  }
}

/** As `explain` shows a field's bounds: `[1, 5)`, high end first where the index runs downwards. */
export function showIntervals(intervals: Intervals, descending: boolean): string[] {
  const shown = intervals.map(({ low, lowInclusive, high, highInclusive }) => {
    const [from, to] = descending ? [high, low] : [low, high];
    const [fromInclusive, toInclusive] = descending ? [highInclusive, lowInclusive] : [lowInclusive, highInclusive];
    return `${fromInclusive ? '[' : '('}${showValue(from)}, ${showValue(to)}${toInclusive ? ']' : ')'}`;
  });
  return descending ? shown.reverse() : shown;
}

import { compare, type Doc, encodeKey, isNumber, MaxKey, MinKey, type Value } from '../bson/index.ts';

/**
 * A stretch of an index. A bound is the beginning of keys: some whole fields as `encodeKey` makes them, or these and
 * the first code unit of the next. Inclusive takes in every key that begins so; absent is the index's end.
 */
export interface KeyRange {
  readonly lower?: string;
  readonly upper?: string;
  readonly lowerInclusive?: boolean;
  readonly upperInclusive?: boolean;
}

/** One end of a range of values, as `$gt`, `$gte`, `$lt` and `$lte` give it. */
export interface Limit {
  readonly value: Value;
  readonly inclusive: boolean;
}

/** Absent limits are the ends of the other limit's type: `$gt: 5` finds numbers only. */
export interface FieldRange {
  readonly lower?: Limit;
  readonly upper?: Limit;
}

/** Whether a field of an index's key pattern runs downwards. */
export function isDescending(direction: Value): boolean {
  return isNumber(direction) && Number(direction) < 0;
}

/** Where a range begins or ends, within the keys that share a prefix. */
interface Edge {
  readonly text: string;
  readonly inclusive: boolean;
}

const OPEN: Edge = { text: '', inclusive: true };

/**
 * The stretch of an index where the first fields have the values of `prefix` and the next one lies in `range`. An index
 * holds the elements of an array, not the array, and a missing field as null: what is found need not match, but what
 * matches is found, except where the values asked for are arrays.
 */
export function keyRange(pattern: Doc, prefix: readonly Value[], range: FieldRange = {}): KeyRange {
  const descending = [...pattern.values()].map(isDescending);
  const start = prefix.map((value, field) => encodeKey(value, descending[field])).join('');
  const [low, high] = edges(range, descending[prefix.length] ?? false);
  return {
    lower: start + low.text,
    lowerInclusive: low.inclusive,
    upper: start + high.text,
    upperInclusive: high.inclusive,
  };
}

/** The range's two edges in the order of the keys. */
function edges(range: FieldRange, descending: boolean): [Edge, Edge] {
  const lower = range.lower ?? numbersStart(range.upper);
  const { upper } = range;
  const given = lower ?? upper;
  if (!given) return [OPEN, OPEN];
  const [bottom, top] = bracket(given.value, descending);
  const first = descending ? upper : lower;
  const last = descending ? lower : upper;
  return [first ? edge(first, descending) : bottom, last ? edge(last, descending) : top];
}

function edge(limit: Limit, descending: boolean): Edge {
  return { text: encodeKey(limit.value, descending), inclusive: limit.inclusive };
}

/** NaN is below every number, but no number's `$lt` finds it. */
function numbersStart(upper: Limit | undefined): Limit | undefined {
  return upper && isNumber(upper.value) && compare(upper.value, Number.NaN) > 0 ? LEAST_NUMBER : undefined;
}

const LEAST_NUMBER: Limit = { value: Number.NEGATIVE_INFINITY, inclusive: true };

/** All keys of a value's type: they begin with the same code unit. Next to MinKey and MaxKey every type counts. */
function bracket(value: Value, descending: boolean): [Edge, Edge] {
  if (value instanceof MinKey || value instanceof MaxKey) return [OPEN, OPEN];
  const unit = encodeKey(value, descending).charCodeAt(0);
  return [
    { text: String.fromCharCode(unit), inclusive: true },
    { text: String.fromCharCode(unit + 1), inclusive: false },
  ];
}

import { encodeKey, isNumber, MaxKey, MinKey, type TextKeys, type Value } from '../bson/index.ts';
import type { Interval } from './intervals.ts';

/**
 * A stretch of an index. A bound is the beginning of keys: some whole fields as `encodeKey` makes them. Inclusive takes
 * in every key that begins so; absent is the index's end.
 */
export interface KeyRange {
  readonly lower?: string;
  readonly upper?: string;
  readonly lowerInclusive?: boolean;
  readonly upperInclusive?: boolean;
}

/** Whether a field of an index's key pattern runs downwards. */
export function isDescending(direction: Value): boolean {
  return isNumber(direction) && Number(direction) < 0;
}

/** For each field what makes the keys of its strings; undefined where the index does not order them by a collation. */
export type FieldTexts = readonly (TextKeys | undefined)[];

/** The beginning of all keys whose first fields have these values. */
export function keyPrefix(descending: readonly boolean[], values: readonly Value[], texts: FieldTexts = []): string {
  let prefix = '';
  for (let field = 0; field < values.length; field++)
    prefix += encodeKey(values[field], descending[field], texts[field]);
  return prefix;
}

/** The stretch of the keys that begin with `prefix` where the next field lies in an interval. */
export function keyRange(prefix: string, next: Interval, descending = false, texts?: TextKeys): KeyRange {
  const low = next.low instanceof MinKey && next.lowInclusive ? '' : encodeKey(next.low, descending, texts);
  const high = next.high instanceof MaxKey && next.highInclusive ? '' : encodeKey(next.high, descending, texts);
  const [from, to] = descending ? [high, low] : [low, high];
  const { lowInclusive, highInclusive } = next;
  return {
    lower: prefix + from,
    lowerInclusive: descending ? highInclusive : lowInclusive,
    upper: prefix + to,
    upperInclusive: descending ? lowInclusive : highInclusive,
  };
}

/** The stretch of all keys that begin so. */
export function keysOf(prefix: string): KeyRange {
  return { lower: prefix, upper: prefix };
}

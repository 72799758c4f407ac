import { CodedError } from '../base/index.ts';

/** The last millisecond that a JavaScript `Date` can hold, on either side of 1970 (ECMA-262, time values). */
const MAX_DATE_MILLIS = 8_640_000_000_000_000;

/**
 * A date that BSON can hold and JavaScript cannot (beyond the year 275760). To everyone else it is an invalid `Date`,
 * as in every Node.js program; this room keeps its milliseconds, so that it is stored and ordered as what it is.
 */
export class FarDate extends Date {
  readonly millis: bigint;

  constructor(millis: bigint) {
    super(Number.NaN);
    this.millis = millis;
  }
}

/** A date from signed 64-bit milliseconds since 1970. */
export function dateFromMillis(millis: bigint): Date {
  const near = Number(millis);
  return Math.abs(near) <= MAX_DATE_MILLIS ? new Date(near) : new FarDate(millis);
}

/** Milliseconds since 1970: a number where that is exact. Throws `BadValue` for a `Date` that is no date. */
export function dateMillis(date: Date): number | bigint {
  if (date instanceof FarDate) return date.millis;
  const millis = date.getTime();
  if (Number.isNaN(millis)) throw new CodedError('BadValue', 'not a date: the value is out of range');
  return millis;
}

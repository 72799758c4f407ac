import type { Value } from '../../bson/index.ts';
import { failedToParse, notImplemented } from '../error.ts';
import { format } from '../value.ts';

const MILLISECONDS: Readonly<Record<string, number>> = {
  millisecond: 1,
  second: 1000,
  minute: 60_000,
  hour: 3_600_000,
  day: 86_400_000,
  week: 7 * 86_400_000,
};

/** The milliseconds of a time unit; 1 for none (numbers). Months and longer have no fixed length. */
export function timeUnit(unit: Value): number {
  if (unit === undefined) return 1;
  const length = typeof unit === 'string' ? MILLISECONDS[unit] : undefined;
  if (length !== undefined) return length;
  if (unit === 'month' || unit === 'quarter' || unit === 'year') {
    throw notImplemented(`DiscoDB does not support the unit '${unit}' here`);
  }
  throw failedToParse(`unknown time unit value: ${format(unit)}`);
}

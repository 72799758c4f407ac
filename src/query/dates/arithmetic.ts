import { dateFromMillis } from '../../bson/index.ts';
import { failedToParse, located } from '../error.ts';
import { civilTime, DAY, dayNumber, daysInMonth, HOUR, isoDayOfWeek, localDay, MINUTE, SECOND } from './calendar.ts';
import { fromLocal, toLocal, UTC, type Zone } from './zone.ts';

export type TimeUnit = 'year' | 'quarter' | 'month' | 'week' | 'day' | 'hour' | 'minute' | 'second' | 'millisecond';

/** The length of the units that have one: in a time zone not even a day has. */
const FIXED: Partial<Readonly<Record<TimeUnit, number>>> = {
  hour: HOUR,
  minute: MINUTE,
  second: SECOND,
  millisecond: 1,
};
const MONTHS: Partial<Readonly<Record<TimeUnit, number>>> = { year: 12, quarter: 3, month: 1 };
const DAYS: Partial<Readonly<Record<TimeUnit, number>>> = { week: 7, day: 1 };
const UNITS: ReadonlySet<string> = new Set([...Object.keys(MONTHS), ...Object.keys(DAYS), ...Object.keys(FIXED)]);

/** Throws FailedToParse. */
export function parseTimeUnit(text: string): TimeUnit {
  if (UNITS.has(text)) return text as TimeUnit;
  throw failedToParse(`unknown time unit value: ${text}`);
}

const WEEKDAYS = ['monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday'];

/** 1 for Monday to 7 for Sunday, of a name or its first three letters in any case. */
export function parseWeekday(text: string): number | undefined {
  const name = text.toLowerCase();
  const at = WEEKDAYS.findIndex((day) => day === name || day.slice(0, 3) === name);
  return at < 0 ? undefined : at + 1;
}

export const SUNDAY = 7;

/** The most days that signed 64-bit milliseconds can tell apart, about, and what that is in the other units. */
const MAX_DAYS = 2n ** 64n / BigInt(DAY) + 1n;
const MAX_AMOUNT: Readonly<Record<TimeUnit, bigint>> = {
  year: MAX_DAYS / 365n + 1n,
  quarter: (MAX_DAYS / 365n + 1n) * 4n,
  month: (MAX_DAYS / 365n + 1n) * 12n,
  week: MAX_DAYS / 7n,
  day: MAX_DAYS,
  hour: MAX_DAYS * 24n,
  minute: MAX_DAYS * 24n * 60n,
  second: MAX_DAYS * 24n * 3600n,
  millisecond: 2n ** 63n,
};

/** Days and longer units are added on the clocks of the zone, and the last day of a month stays within the month. */
export function addToDate(instant: number, unit: TimeUnit, amount: bigint, zone: Zone): Date {
  if (amount >= MAX_AMOUNT[unit] || amount <= -MAX_AMOUNT[unit]) {
    throw located(5976500, `invalid dateAdd 'amount' parameter value: ${amount} ${unit}`);
  }
  const fixed = FIXED[unit];
  if (fixed !== undefined) return dateOf(BigInt(instant) + amount * BigInt(fixed));
  const local = toLocal(instant, zone);
  const days = DAYS[unit];
  const moved =
    days === undefined ? addMonths(local, Number(amount) * MONTHS[unit]!) : local + Number(amount) * days * DAY;
  // Beyond what a Date holds there are no calendars to ask.
  if (Number.isNaN(new Date(moved).getTime())) throw located(5166406, 'dateAdd overflowed');
  return new Date(fromLocal(moved, zone));
}

function dateOf(millis: bigint): Date {
  if (BigInt.asIntN(64, millis) !== millis) throw located(5166406, 'dateAdd overflowed');
  return dateFromMillis(millis);
}

function addMonths(local: number, months: number): number {
  const { year, month, day } = civilTime(local);
  const first = civilTime(localDay(year, month + months, 1));
  const timeOfDay = local - dayNumber(local) * DAY;
  return localDay(first.year, first.month, Math.min(day, daysInMonth(first.year, first.month))) + timeOfDay;
}

/** How many boundaries of a unit lie between two instants; `startOfWeek` as `parseWeekday` gives it. */
export function dateDifference(start: number, end: number, unit: TimeUnit, zone: Zone, startOfWeek = SUNDAY): bigint {
  if (unit === 'millisecond') return BigInt(end) - BigInt(start);
  const fixed = FIXED[unit];
  const [from, to] = [toLocal(start, zone), toLocal(end, zone)];
  if (fixed === undefined) return BigInt(localDifference(from, to, unit, startOfWeek));
  // The clocks may have been changed in between.
  const shift = Math.trunc((zone.offset(start) - zone.offset(end)) / fixed);
  return BigInt(Math.floor(to / fixed) - Math.floor(from / fixed) + shift);
}

function localDifference(from: number, to: number, unit: TimeUnit, startOfWeek: number): number {
  if (unit === 'day') return dayNumber(to) - dayNumber(from);
  if (unit === 'week') return (weekStart(to, startOfWeek) - weekStart(from, startOfWeek)) / 7;
  const [a, b] = [civilTime(from), civilTime(to)];
  const years = b.year - a.year;
  if (unit === 'year') return years;
  if (unit === 'month') return years * 12 + b.month - a.month;
  return years * 4 + quarter(b.month) - quarter(a.month);
}

/** The number of the day with which the week began. */
function weekStart(local: number, startOfWeek: number): number {
  return dayNumber(local) - ((isoDayOfWeek(local) - startOfWeek + 7) % 7);
}

function quarter(month: number): number {
  return Math.floor((month - 1) / 3);
}

const REFERENCE = localDay(2000, 1, 1);
/** More units than this in a bin of days or longer are refused. */
const MAX_BIN = 100_000_000_000n;

/** The beginning of the bin that an instant is in; bins are counted from the beginning of 2000 in the zone. */
export function truncateDate(instant: number, unit: TimeUnit, binSize: bigint, zone: Zone, startOfWeek: number): Date {
  const midnight = REFERENCE - zone.offset(REFERENCE);
  const fixed = FIXED[unit];
  if (fixed !== undefined) {
    const size = binSize * BigInt(fixed);
    if (BigInt.asIntN(64, size) !== size) throw located(5439002, 'dateTrunc overflowed');
    return dateOf(BigInt(instant) - modulo(BigInt(instant - midnight), size));
  }
  if (binSize > MAX_BIN) throw located(5439006, 'dateTrunc unsupported binSize value');
  // 2000 began on a Saturday; weeks are counted from the first day of a week after that.
  const days = unit === 'week' ? (startOfWeek - isoDayOfWeek(REFERENCE) + 7) % 7 : 0;
  const reference = midnight + days * DAY;
  const distance = dateDifference(reference, instant, unit, zone, startOfWeek);
  return addToDate(reference, unit, distance - modulo(distance, binSize), zone);
}

function modulo(value: bigint, size: bigint): bigint {
  return ((value % size) + size) % size;
}

/** A unit's length in milliseconds where it has one in UTC: up to a week. */
export function unitLength(unit: TimeUnit): number | undefined {
  return FIXED[unit] ?? (DAYS[unit] === undefined ? undefined : DAYS[unit] * DAY);
}

/** An instant that many units on, in UTC. */
export function addInUtc(instant: number, unit: TimeUnit, amount: bigint): number {
  return addToDate(instant, unit, amount, UTC).getTime();
}

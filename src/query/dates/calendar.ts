/**
 * The Gregorian calendar on local times: milliseconds since 1970 on the clocks of some zone (see `toLocal`). A local
 * time's fields are those that UTC has at the instant of that number.
 */
export const SECOND = 1000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

export interface CivilTime {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
  readonly millisecond: number;
}

export function civilTime(local: number): CivilTime {
  const date = new Date(local);
  return {
    year: date.getUTCFullYear(),
    month: date.getUTCMonth() + 1,
    day: date.getUTCDate(),
    hour: date.getUTCHours(),
    minute: date.getUTCMinutes(),
    second: date.getUTCSeconds(),
    millisecond: date.getUTCMilliseconds(),
  };
}

/** The local time at the beginning of a day; months and days beyond their range count on into the next or the last. */
export function localDay(year: number, month: number, day: number): number {
  const date = new Date(0);
  // Not Date.UTC, which takes the years 0 to 99 for 1900 to 1999.
  date.setUTCFullYear(year, month - 1, day);
  return date.getTime();
}

/** Days since 1970-01-01. */
export function dayNumber(local: number): number {
  return Math.floor(local / DAY);
}

export function daysInMonth(year: number, month: number): number {
  return new Date(localDay(year, month + 1, 0)).getUTCDate();
}

/** 1 to 366. */
export function dayOfYear(local: number): number {
  return dayNumber(local) - dayNumber(localDay(new Date(local).getUTCFullYear(), 1, 1)) + 1;
}

/** 1 for Sunday to 7 for Saturday. */
export function dayOfWeek(local: number): number {
  return new Date(local).getUTCDay() + 1;
}

/** 1 for Monday to 7 for Sunday. */
export function isoDayOfWeek(local: number): number {
  return new Date(local).getUTCDay() || 7;
}

/** 0 for the days before the first Sunday of the year, to 53. */
export function week(local: number): number {
  return Math.floor((dayOfYear(local) - dayOfWeek(local) + 7) / 7);
}

export function isoWeek(local: number): number {
  return Math.floor((dayOfYear(thursday(local)) - 1) / 7) + 1;
}

export function isoWeekYear(local: number): number {
  return new Date(thursday(local)).getUTCFullYear();
}

/** The beginning of a day that is given by the ISO calendar. */
export function localIsoDay(year: number, isoWeek: number, isoDay: number): number {
  // The fourth of January is always in week 1.
  const fourth = localDay(year, 1, 4);
  return fourth + ((isoWeek - 1) * 7 + isoDay - isoDayOfWeek(fourth)) * DAY;
}

/** The Thursday of a day's week: the ISO week belongs to the year that its Thursday is in. */
function thursday(local: number): number {
  return local + (4 - isoDayOfWeek(local)) * DAY;
}

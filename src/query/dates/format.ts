import { located } from '../error.ts';
import { civilTime, dayOfWeek, dayOfYear, HOUR, isoDayOfWeek, isoWeek, isoWeekYear, MINUTE, week } from './calendar.ts';
import { toLocal, type Zone } from './zone.ts';

export const MONTH_NAMES = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
];

/** One specifier, of a local time and the zone's offset at it. */
type Printer = (local: number, offset: number) => string;

const PRINTERS: Readonly<Record<string, Printer>> = {
  Y: (local) => padded(civilTime(local).year, 4),
  m: (local) => padded(civilTime(local).month, 2),
  d: (local) => padded(civilTime(local).day, 2),
  H: (local) => padded(civilTime(local).hour, 2),
  M: (local) => padded(civilTime(local).minute, 2),
  S: (local) => padded(civilTime(local).second, 2),
  L: (local) => padded(civilTime(local).millisecond, 3),
  b: (local) => MONTH_NAMES[civilTime(local).month - 1]!.slice(0, 3),
  B: (local) => MONTH_NAMES[civilTime(local).month - 1]!,
  j: (local) => padded(dayOfYear(local), 3),
  w: (local) => padded(dayOfWeek(local), 1),
  u: (local) => padded(isoDayOfWeek(local), 1),
  U: (local) => padded(week(local), 2),
  V: (local) => padded(isoWeek(local), 2),
  G: (local) => padded(isoWeekYear(local), 4),
  z: (_, offset) => {
    const size = Math.abs(offset);
    return `${offset < 0 ? '-' : '+'}${padded(Math.trunc(size / HOUR), 2)}${padded(Math.trunc(size / MINUTE) % 60, 2)}`;
  },
  Z: (_, offset) => String(Math.trunc(offset / MINUTE)),
};

/** The specifiers that `$dateFromString` knows. */
const PARSED: ReadonlySet<string> = new Set('bBdGHjLmMSuVYzZ');

export type DateFormat = (instant: number, zone: Zone) => string;

/** Compiles a format of `$dateToString`. Throws 18535 and 18536; the printing throws 18537 for years beyond 9999. */
export function compileFormat(format: string): DateFormat {
  const parts = formatParts(format, (specifier) => Object.hasOwn(PRINTERS, specifier)).map((part) =>
    part.specifier === undefined ? part.text : PRINTERS[part.specifier]!,
  );
  return (instant, zone) => {
    const local = toLocal(instant, zone);
    const offset = local - instant;
    let text = '';
    for (const part of parts) text += typeof part === 'string' ? part : part(local, offset);
    return text;
  };
}

export interface FormatPart {
  /** The letter after `%`; undefined for literal text. */
  readonly specifier: string | undefined;
  readonly text: string;
}

/** A format of `$dateFromString`, taken apart and checked. */
export function parsedFormatParts(format: string): readonly FormatPart[] {
  return formatParts(format, (specifier) => PARSED.has(specifier));
}

function formatParts(format: string, isKnown: (specifier: string) => boolean): readonly FormatPart[] {
  const parts: FormatPart[] = [];
  for (const token of format.match(/%[\s\S]?|[^%]+/gu) ?? []) {
    const specifier = token[0] === '%' ? token.slice(1) : undefined;
    if (specifier === '') throw located(18535, "Unmatched '%' at end of format string");
    if (specifier === undefined || specifier === '%') parts.push({ specifier: undefined, text: specifier ?? token });
    else if (isKnown(specifier)) parts.push({ specifier, text: token });
    else throw located(18536, `Invalid format character '%${specifier}' in format string`);
  }
  return parts;
}

function padded(value: number, width: number): string {
  if (value < 0 || value > 9999) {
    throw located(
      18537,
      `Could not convert date to string: date component was outside the supported range of 0-9999: ${value}`,
    );
  }
  return String(value).padStart(width, '0');
}

/** What a date looks like when nobody says how: with a `Z` in UTC, with nothing in another zone. */
export const ISO_UTC = compileFormat('%Y-%m-%dT%H:%M:%S.%LZ');
export const ISO_LOCAL = compileFormat('%Y-%m-%dT%H:%M:%S.%L');

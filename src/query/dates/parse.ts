import { HOUR } from './calendar.ts';
import { type DateFields, dateOfFields, unparsable } from './fields.ts';
import { MONTH_NAMES } from './format.ts';
import { offsetOf, type Zone, zoneOf } from './zone.ts';

const MONTH_PATTERN = MONTH_NAMES.map((name) => `${name.slice(0, 3)}(?:${name.slice(3)})?`).join('|');
const MONTH = `(?<name>${MONTH_PATTERN}|sept)\\.?`;
const YEAR = '(?<year>\\d{4})';

/** The ways to write a day. The first that matches counts. */
const DAYS = [
  `${YEAR}(?<isoMark>-?W)(?<isoWeek>\\d\\d)(?:-?(?<isoDay>[0-7]))?`,
  `${YEAR}-(?<month>\\d{1,2})-(?<day>\\d{1,2})(?!\\d)`,
  `${YEAR}-(?<month>0[1-9]|1[0-2])(?![-\\d])`,
  `${YEAR}/(?<month>\\d{1,2})/(?<day>\\d{1,2})(?!\\d)`,
  `${YEAR}(?<month>\\d\\d)(?<day>\\d\\d)(?!\\d)`,
  `${YEAR}[-.]?(?<dayOfYear>\\d{3})(?!\\d)`,
  `(?<month>\\d{1,2})/(?<day>\\d{1,2})/${YEAR}`,
  `(?<day>\\d{1,2})[-.](?<month>\\d{1,2})[-.]${YEAR}`,
  `(?<day>\\d{1,2})(?:st|nd|rd|th)?[-. \\t]*${MONTH}[-., \\t]*${YEAR}`,
  `${MONTH}[-. \\t]*(?<day>\\d{1,2})(?:st|nd|rd|th)?[,. \\t]+${YEAR}`,
  `${YEAR}[-. \\t]*${MONTH}[-. \\t]*(?<day>\\d{1,2})(?!\\d)`,
].map(
  (pattern) =>
    new RegExp(`^(?:(?:mon|tues?|wed(?:nes)?|thu(?:rs?)?|fri|sat(?:ur)?|sun)(?:day)?,?\\s*)?${pattern}`, 'i'),
);

const TIMES = [
  /^(?:[Tt]|\s+|\s*T)?(?<hour>\d{1,2})(?::(?<minute>\d\d)(?::(?<second>\d\d))?)?\s*(?<half>[ap])\.?m\.?/i,
  /^(?:[Tt]|\s+)?(?<hour>\d{1,2}):(?<minute>\d\d)(?::(?<second>\d\d)(?:[.,:](?<fraction>\d+))?)?/,
  /^[Tt](?<hour>\d\d)(?<minute>\d\d)(?:(?<second>\d\d)(?:[.,](?<fraction>\d+))?)?/,
];

/** Abbreviations of time zones, in hours from UTC. */
const ABBREVIATIONS: Readonly<Record<string, number>> = {
  Z: 0,
  UTC: 0,
  GMT: 0,
  WET: 0,
  WEST: 1,
  BST: 1,
  CET: 1,
  CEST: 2,
  EET: 2,
  EEST: 3,
  MSK: 3,
  JST: 9,
  EST: -5,
  EDT: -4,
  CST: -6,
  CDT: -5,
  MST: -7,
  MDT: -6,
  PST: -8,
  PDT: -7,
  AKST: -9,
  AKDT: -8,
  HST: -10,
};

/**
 * The instant that a text stands for, in the forms that people and programs write: ISO 8601 with its variations, RFC
 * 2822, American and German dates, names of months. Throws ConversionFailure.
 */
export function parseDate(text: string, zone: Zone): Date {
  const fields: DateFields = {};
  let rest = text.trim();
  const take = (patterns: readonly RegExp[]): Readonly<Record<string, string | undefined>> | undefined => {
    for (const pattern of patterns) {
      const match = pattern.exec(rest);
      if (!match) continue;
      rest = rest.slice(match[0].length);
      return match.groups ?? {};
    }
    return undefined;
  };
  const day = take(DAYS);
  if (day) readDay(day, fields);
  const time = take(TIMES);
  if (time) readTime(time, fields);
  if (day || time) rest = readZone(rest, fields, text);
  if (rest.trim() !== '' || (!day && !time)) {
    throw unparsable(text, Math.max(0, text.length - rest.length), 'Unexpected character');
  }
  return dateOfFields(fields, text, zone);
}

type Groups = Readonly<Record<string, string | undefined>>;

function readDay(groups: Groups, fields: DateFields): void {
  if (groups.isoMark) {
    fields.isoYear = Number(groups.year);
    fields.isoWeek = Number(groups.isoWeek);
    fields.isoDay = Number(groups.isoDay ?? 1);
    return;
  }
  fields.year = Number(groups.year);
  if (groups.dayOfYear !== undefined) {
    fields.dayOfYear = Number(groups.dayOfYear);
    return;
  }
  fields.month = groups.name === undefined ? Number(groups.month) : monthNumber(groups.name);
  fields.day = Number(groups.day ?? 1);
}

/** 1 to 12, of a name that begins like a month's. */
export function monthNumber(name: string): number {
  return MONTH_NAMES.findIndex((month) => month.slice(0, 3).toLowerCase() === name.slice(0, 3).toLowerCase()) + 1;
}

function readTime(groups: Groups, fields: DateFields): void {
  const hour = Number(groups.hour);
  const half = groups.half?.toLowerCase();
  fields.hour = half === undefined ? hour : (hour % 12) + (half === 'p' ? 12 : 0);
  fields.minute = Number(groups.minute ?? 0);
  fields.second = Number(groups.second ?? 0);
  fields.millisecond = Number((groups.fraction ?? '').padEnd(3, '0').slice(0, 3));
}

/** What is left behind the zone. */
function readZone(rest: string, fields: DateFields, text: string): string {
  const match =
    /^\s*(?:(?<offset>(?:GMT|UTC)?(?<sign>[+-]\d{1,2}(?::?\d\d)?))(?!\d)|\(?(?<name>[A-Za-z][\w/]*)\)?)/i.exec(rest);
  if (!match) return rest;
  const { sign, name } = match.groups ?? {};
  if (sign !== undefined) {
    fields.offset = offsetOf(sign.replace(/^([+-])(\d)(?!\d)/, '$10$2'))!;
    return rest.slice(match[0].length);
  }
  const hours = ABBREVIATIONS[name!.toUpperCase()];
  if (hours === undefined) {
    const at = text.length - rest.length + match[0].length - name!.length;
    throw unparsable(text, at, isZone(name!) ? IDENTIFIER : 'The timezone could not be found in the database');
  }
  fields.offset = hours * HOUR;
  fields.zoneName = name!;
  return rest.slice(match[0].length);
}

const IDENTIFIER = 'passing a time zone identifier as part of the string is not allowed';

function isZone(name: string): boolean {
  try {
    return zoneOf(name) !== undefined;
  } catch {
    return false;
  }
}

import { CodedError } from '../../base/index.ts';
import { calendar, compileParser, type DateParser, fromLocal, parseDate, type Zone } from '../dates/index.ts';
import { located } from '../error.ts';
import { type Found, isNullish, typeName, valueText } from '../value.ts';
import { wholeNumber, zoneArgument } from './date.ts';
import {
  derived,
  type Expression,
  folded,
  namedExpressions,
  type Operator,
  type Operators,
  type Scope,
  type Signature,
} from './types.ts';

const { HOUR, MINUTE, SECOND, DAY } = calendar;

/** Operators that make dates. */
export const dateMaking: Operators = { $dateFromParts: dateFromParts, $dateFromString: dateFromString };

const DAY_PARTS = ['year', 'month', 'day'] as const;
const ISO_PARTS = ['isoWeekYear', 'isoWeek', 'isoDayOfWeek'] as const;
const TIME_PARTS = ['hour', 'minute', 'second', 'millisecond'] as const;
const FROM_PARTS: Signature = {
  required: {},
  optional: [...DAY_PARTS, ...ISO_PARTS, ...TIME_PARTS, 'timezone'],
  notObject: 40519,
  unknown: 40518,
  wording: 'argument',
};
/** Seconds and milliseconds may be any int64; the other parts are of 16 bits. */
const MAX_PART = 32767n;
const UNBOUNDED: ReadonlySet<string> = new Set(['year', 'isoWeekYear', 'second', 'millisecond']);

function dateFromParts(...[operand, compiler, name]: Parameters<Operator>): Expression {
  const keys = [...DAY_PARTS, ...ISO_PARTS, ...TIME_PARTS, 'timezone'] as const;
  const args = namedExpressions(name, operand, compiler, FROM_PARTS, ...keys);
  if (!args.year && !args.isoWeekYear) {
    throw located(40516, "$dateFromParts requires either 'year' or 'isoWeekYear' to be present");
  }
  if (args.year && ISO_PARTS.some((key) => args[key])) {
    throw located(40489, '$dateFromParts does not allow mixing natural dates with ISO dates');
  }
  if (args.isoWeekYear && DAY_PARTS.some((key) => args[key])) {
    throw located(40525, '$dateFromParts does not allow mixing ISO dates with natural dates');
  }
  const zone = zoneArgument(args.timezone);
  const read = (scope: Scope, key: keyof typeof args, otherwise: number) =>
    datePart(key, args[key]?.(scope), otherwise);
  return folded(Object.values(args), (scope) => {
    const [hour, minute, second, millisecond] = TIME_PARTS.map((key) => read(scope, key, 0));
    if (hour === null || minute === null || second === null || millisecond === null) return null;
    const where = zone(scope);
    if (!where) return null;
    const day = args.year ? naturalDay(read, scope) : isoDay(read, scope);
    if (day === null) return null;
    const local = day + hour! * HOUR + minute! * MINUTE + second! * SECOND + millisecond!;
    return dateAt(local, where);
  });
}

type ReadPart = (scope: Scope, key: (typeof FROM_KEYS)[number], otherwise: number) => number | null;
const FROM_KEYS = [...DAY_PARTS, ...ISO_PARTS, ...TIME_PARTS] as const;

function naturalDay(read: ReadPart, scope: Scope): number | null {
  const [year, month, day] = [read(scope, 'year', 1970), read(scope, 'month', 1), read(scope, 'day', 1)];
  if (year === null || month === null || day === null) return null;
  if (year < 1 || year > 9999) {
    throw located(40523, `'year' must evaluate to an integer in the range 1 to 9999, found ${year}`);
  }
  return calendar.localDay(year, month, 1) + (day - 1) * DAY;
}

function isoDay(read: ReadPart, scope: Scope): number | null {
  const year = read(scope, 'isoWeekYear', 1970);
  const [week, day] = [read(scope, 'isoWeek', 1), read(scope, 'isoDayOfWeek', 1)];
  if (year === null || week === null || day === null) return null;
  if (year < 1 || year > 9999) {
    throw located(31095, `'isoWeekYear' must evaluate to an integer in the range 1 to 9999, found ${year}`);
  }
  return calendar.localIsoDay(year, week, day);
}

/** Null for a part that is given as null. */
function datePart(key: string, value: Found, otherwise: number): number | null {
  if (value === undefined) return otherwise;
  if (isNullish(value)) return null;
  const long = wholeNumber(value);
  if (long === undefined) {
    throw located(
      40515,
      `'${key}' must evaluate to an integer, found ${typeName(value)} with value ${valueText(value)}`,
    );
  }
  if (!UNBOUNDED.has(key) && (long > MAX_PART || long < -MAX_PART - 1n)) {
    throw located(
      31034,
      `'${key}' must evaluate to a value in the range [-32768, 32767]; value ${long} is not in range`,
    );
  }
  return Number(long);
}

function dateAt(local: number, zone: Zone): Date {
  const date = new Date(fromLocal(local, zone));
  if (Number.isNaN(date.getTime()))
    throw new CodedError(
      'DurationOverflow',
      'Overflow casting from a lower-precision duration to a higher-precision duration',
    );
  return date;
}

const FROM_STRING: Signature = {
  required: { dateString: 40542 },
  optional: ['format', 'timezone', 'onNull', 'onError'],
  notObject: 40540,
  unknown: 40541,
  wording: 'argument',
  words: { notObject: (name, type) => `${name} only supports an object as an argument, found: ${type}` },
};

function dateFromString(...[operand, compiler, name]: Parameters<Operator>): Expression {
  const keys = ['dateString', 'format', 'timezone', 'onNull', 'onError'] as const;
  const args = namedExpressions(name, operand, compiler, FROM_STRING, ...keys);
  const zone = zoneArgument(args.timezone);
  const parse = args.format && derived(args.format, parserArgument);
  return folded(Object.values(args), (scope) => {
    const text = args.dateString!(scope);
    const parser = parse ? parse(scope) : parseDate;
    const where = zone(scope);
    if (isNullish(text)) return args.onNull ? args.onNull(scope) : null;
    try {
      if (typeof text !== 'string') throw notText(text);
      return where && parser ? parser(text, where) : null;
    } catch (error) {
      if (args.onError && error instanceof CodedError && error.codeName === 'ConversionFailure') {
        return args.onError(scope);
      }
      throw error;
    }
  });
}

function parserArgument(value: Found): DateParser | undefined {
  if (isNullish(value)) return undefined;
  if (typeof value === 'string') return compileParser(value);
  throw located(
    40684,
    `$dateFromString requires that 'format' be a string, found: ${typeName(value)} with value ${valueText(value)}`,
  );
}

function notText(value: Found): CodedError {
  return new CodedError(
    'ConversionFailure',
    `$dateFromString requires that 'dateString' be a string, found: ${typeName(value)} with value ${valueText(value)}`,
  );
}

import { inContext } from '../../base/index.ts';
import { dateMillis, Int32, ObjectId, Timestamp, type Value } from '../../bson/index.ts';
import { calendar, compileFormat, ISO_LOCAL, ISO_UTC, toLocal, UTC, type Zone, zoneOf } from '../dates/index.ts';
import { located, notImplemented } from '../error.ts';
import { exactLong } from '../number.ts';
import { element, type Found, isArray, isDoc, isNullish, isNumeric, typeName, valueText } from '../value.ts';
import {
  derived,
  type Expression,
  folded,
  namedExpressions,
  type Operator,
  type Operators,
  type Scope,
  type Signature,
  unary,
} from './types.ts';

const { civilTime } = calendar;

/** The parts of dates, and dates to and from parts and texts. */
export const dates: Operators = {
  $year: part((local) => civilTime(local).year),
  $month: part((local) => civilTime(local).month),
  $dayOfMonth: part((local) => civilTime(local).day),
  $hour: part((local) => civilTime(local).hour),
  $minute: part((local) => civilTime(local).minute),
  $second: part((local) => civilTime(local).second),
  $millisecond: part((local) => civilTime(local).millisecond),
  $dayOfWeek: part(calendar.dayOfWeek),
  $dayOfYear: part(calendar.dayOfYear),
  $week: part(calendar.week),
  $isoDayOfWeek: part(calendar.isoDayOfWeek),
  $isoWeek: part(calendar.isoWeek),
  $isoWeekYear: part((local) => BigInt(calendar.isoWeekYear(local))),
  $dateToParts: dateToParts,
  $dateToString: dateToString,
  $tsSecond: timestampPart(5687301, (value) => value.t),
  $tsIncrement: timestampPart(5687302, (value) => value.i),
};

/** Whether a date can be made of a value: of ObjectIds and Timestamps, too, but of no text. */
export function isDateLike(value: Found): value is Date | ObjectId | Timestamp {
  return value instanceof Date || value instanceof ObjectId || value instanceof Timestamp;
}

/** Milliseconds since 1970. Throws 16006 for what is no date, NotImplemented for dates that only BSON can hold. */
export function instantOf(value: Found): number {
  // Signed, as MongoDB takes it.
  if (value instanceof ObjectId) return ((value.getTimestamp().getTime() / 1000) | 0) * 1000;
  if (value instanceof Timestamp) return value.t * 1000;
  if (!(value instanceof Date)) throw located(16006, `can't convert from BSON type ${typeName(value)} to Date`);
  const millis = dateMillis(value);
  if (typeof millis === 'number') return millis;
  throw notImplemented('DiscoDB does not calculate with dates beyond the year 275760');
}

/**
 * The time zone that an argument names: UTC where there is none, undefined where it is null. Throws 40517 and 40485, in a
 * context where one is given.
 */
export function zoneArgument(expression: Expression | undefined, what?: string): (scope: Scope) => Zone | undefined {
  if (!expression) return () => UTC;
  return derived(expression, (value) =>
    what === undefined ? zoneValue(value) : inContext(what, () => zoneValue(value)),
  );
}

function zoneValue(value: Found): Zone | undefined {
  if (isNullish(value)) return undefined;
  if (typeof value !== 'string') throw located(40517, `timezone must evaluate to a string, found ${typeName(value)}`);
  return zoneOf(value);
}

function part(read: (local: number) => number | bigint): Operator {
  return (operand, compiler, name) => {
    const { date, timezone } = partArguments(operand, name);
    const input = compiler.compile(date);
    const given = timezone && compiler.compile(timezone.value);
    const zone = zoneArgument(given);
    return folded([input, given], (scope) => {
      const value = input(scope);
      if (isNullish(value)) return null;
      const instant = instantOf(value);
      const where = zone(scope);
      if (!where) return null;
      const result = read(toLocal(instant, where));
      return typeof result === 'bigint' ? result : new Int32(result);
    });
  };
}

/** A date alone, a date in an array, or `{date, timezone}`. */
function partArguments(operand: Value, name: string): { date: Value; timezone: { value: Value } | undefined } {
  if (isDoc(operand) && !operand.keys().next().value?.startsWith('$')) {
    for (const key of operand.keys()) {
      if (key !== 'date' && key !== 'timezone') {
        throw located(40535, `unrecognized option to ${name}: "${key}"`);
      }
    }
    if (!operand.has('date')) {
      throw located(40539, `missing 'date' argument to ${name}, provided: ${element(name, operand)}`);
    }
    const timezone = operand.has('timezone') ? { value: operand.get('timezone') } : undefined;
    return { date: operand.get('date'), timezone };
  }
  if (isArray(operand) && operand.length !== 1) {
    throw located(40536, `${name} accepts exactly one argument if given an array, but was given ${operand.length}`);
  }
  return { date: isArray(operand) ? operand[0] : operand, timezone: undefined };
}

const TO_PARTS: Signature = {
  required: { date: 40522 },
  optional: ['timezone', 'iso8601'],
  notObject: 40524,
  unknown: 40520,
  wording: 'argument',
};

function dateToParts(...[operand, compiler, name]: Parameters<Operator>): Expression {
  const args = namedExpressions(name, operand, compiler, TO_PARTS, 'date', 'timezone', 'iso8601');
  const zone = zoneArgument(args.timezone);
  return folded([args.date, args.timezone, args.iso8601], (scope) => {
    const value = args.date!(scope);
    const where = zone(scope);
    const iso = args.iso8601 ? args.iso8601(scope) : false;
    if (!where || isNullish(iso)) return null;
    if (typeof iso !== 'boolean') {
      throw located(40521, `iso8601 must evaluate to a bool, found ${typeName(iso)}`);
    }
    if (isNullish(value)) return null;
    return partsOf(toLocal(instantOf(value), where), iso);
  });
}

function partsOf(local: number, iso: boolean): Found {
  const { year, month, day, ...time } = civilTime(local);
  const parts = iso
    ? {
        isoWeekYear: calendar.isoWeekYear(local),
        isoWeek: calendar.isoWeek(local),
        isoDayOfWeek: calendar.isoDayOfWeek(local),
        ...time,
      }
    : { year, month, day, ...time };
  return new Map(Object.entries(parts).map(([key, value]) => [key, new Int32(value)]));
}

const TO_STRING: Signature = {
  required: { date: 18628 },
  optional: ['format', 'timezone', 'onNull'],
  notObject: 18629,
  unknown: 18534,
  wording: 'argument',
};

function dateToString(...[operand, compiler, name]: Parameters<Operator>): Expression {
  const args = namedExpressions(name, operand, compiler, TO_STRING, 'date', 'format', 'timezone', 'onNull');
  const zone = zoneArgument(args.timezone);
  const print = args.format && derived(args.format, formatArgument);
  return folded(Object.values(args), (scope) => {
    const value = args.date!(scope);
    const printer = print?.(scope);
    const where = zone(scope);
    if (isNullish(value)) return args.onNull ? args.onNull(scope) : null;
    if (!where || (print && !printer)) return null;
    return (printer ?? (where.isUtc ? ISO_UTC : ISO_LOCAL))(instantOf(value), where);
  });
}

function formatArgument(value: Found): ReturnType<typeof compileFormat> | undefined {
  if (isNullish(value)) return undefined;
  if (typeof value === 'string') return compileFormat(value);
  throw located(
    18533,
    `$dateToString requires that 'format' be a string, found: ${typeName(value)} with value ${valueText(value)}`,
  );
}

function timestampPart(code: number, read: (value: Timestamp) => number): Operator {
  return unary((value, name) => {
    if (isNullish(value)) return null;
    if (value instanceof Timestamp) return BigInt(read(value));
    throw located(code, ` Argument to ${name} must be a timestamp, but is ${typeName(value)}`);
  });
}

/** A whole number among an operator's arguments: undefined for anything else. */
export function wholeNumber(value: Found): bigint | undefined {
  return isNumeric(value) ? exactLong(value) : undefined;
}

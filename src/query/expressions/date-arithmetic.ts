import { inContext } from '../../base/index.ts';
import {
  addToDate,
  dateDifference,
  parseTimeUnit,
  parseWeekday,
  SUNDAY,
  type TimeUnit,
  truncateDate,
  type Zone,
} from '../dates/index.ts';
import { located } from '../error.ts';
import { type Found, isNullish, typeName, valueText } from '../value.ts';
import { instantOf, isDateLike, wholeNumber, zoneArgument } from './date.ts';
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

export const dateArithmetic: Operators = {
  $dateAdd: moved(1n),
  $dateSubtract: moved(-1n),
  $dateDiff: difference,
  $dateTrunc: truncated,
};

const MOVE: Signature = {
  required: { startDate: 5166402, unit: 5166402, amount: 5166402 },
  optional: ['timezone'],
  notObject: 5166400,
  unknown: 5166401,
  wording: 'argument',
  words: {
    notObject: (name, type) => `${name} expects an object as its argument.found type: ${type}`,
    unknown: (name, key) =>
      `Unrecognized argument to ${name}: ${key}. Expected arguments are startDate, unit, amount, and optionally timezone.`,
    missing: (name) => `${name} requires startDate, unit, and amount to be present`,
  },
};

function moved(direction: 1n | -1n): Operator {
  return (operand, compiler, name) => {
    const args = namedExpressions(name, operand, compiler, MOVE, 'startDate', 'unit', 'amount', 'timezone');
    const unit = derived(args.unit!, (value) => unitArgument(value, name));
    const zone = zoneArgument(args.timezone);
    return folded(Object.values(args), (scope) => {
      const start = args.startDate!(scope);
      if (isNullish(start)) return null;
      const by = unit(scope);
      const amount = args.amount!(scope);
      if (!by || isNullish(amount)) return null;
      const where = zone(scope);
      if (!where) return null;
      if (!isDateLike(start)) throw located(5166403, `${name} requires startDate to be convertible to a date`);
      const count = wholeNumber(amount);
      if (count === undefined) throw located(5166405, `${name} expects integer amount of time units`);
      if (direction < 0n && count === -(2n ** 63n)) {
        throw located(6045000, `invalid $dateSubtract 'amount' parameter value: ${count}`);
      }
      return addToDate(instantOf(start), by, direction * count, where);
    });
  };
}

/** Undefined for null. */
function unitArgument(value: Found, name: string): TimeUnit | undefined {
  if (isNullish(value)) return undefined;
  if (typeof value !== 'string') {
    throw located(5439013, `${name} requires 'unit' to be a string, but got ${typeName(value)}`);
  }
  return inContext(`${name} parameter 'unit' value parsing failed`, () => parseTimeUnit(value));
}

function namedZone(expression: Expression | undefined, name: string): (scope: Scope) => Zone | undefined {
  return zoneArgument(expression, `${name} parameter 'timezone' value parsing failed`);
}

/** The first day of the week; Sunday where nothing is said, undefined for null. */
function weekArgument(expression: Expression | undefined, name: string): (scope: Scope) => number | undefined {
  if (!expression) return () => SUNDAY;
  return (scope) => {
    const value = expression(scope);
    if (isNullish(value)) return undefined;
    if (typeof value !== 'string') {
      throw located(5439015, `${name} requires 'startOfWeek' to be a string, but got ${typeName(value)}`);
    }
    const day = parseWeekday(value);
    if (day !== undefined) return day;
    throw located(5439016, `${name} parameter 'startOfWeek' value cannot be recognized as a day of a week: ${value}`);
  };
}

const DIFFERENCE: Signature = {
  required: { startDate: 5166303, endDate: 5166304, unit: 5166305 },
  optional: ['timezone', 'startOfWeek'],
  notObject: 5166301,
  unknown: 5166302,
  wording: 'argument',
};

function difference(...[operand, compiler, name]: Parameters<Operator>): Expression {
  const keys = ['startDate', 'endDate', 'unit', 'timezone', 'startOfWeek'] as const;
  const args = namedExpressions(name, operand, compiler, DIFFERENCE, ...keys);
  const unit = derived(args.unit!, (value) => unitArgument(value, name));
  const zone = namedZone(args.timezone, name);
  const week = weekArgument(args.startOfWeek, name);
  return folded(Object.values(args), (scope) => {
    const start = args.startDate!(scope);
    const end = args.endDate!(scope);
    if (isNullish(start) || isNullish(end)) return null;
    const by = unit(scope);
    const weekday = by === 'week' ? week(scope) : SUNDAY;
    if (!by || weekday === undefined) return null;
    const where = zone(scope);
    if (!where) return null;
    const [from, to] = [dateArgument(start, name, 'startDate'), dateArgument(end, name, 'endDate')];
    return dateDifference(from, to, by, where, weekday);
  });
}

function dateArgument(value: Found, name: string, key: string): number {
  if (isDateLike(value)) return instantOf(value);
  throw located(5166307, `${name} requires '${key}' to be a date, but got ${typeName(value)}`);
}

const TRUNCATION: Signature = {
  required: { date: 5439009, unit: 5439010 },
  optional: ['binSize', 'timezone', 'startOfWeek'],
  notObject: 5439007,
  unknown: 5439008,
  wording: 'argument',
  words: {
    unknown: (name, key) =>
      `Unrecognized argument to ${name}: ${key}. Expected arguments are date, unit, and optionally, binSize, timezone, startOfWeek`,
  },
};

function truncated(...[operand, compiler, name]: Parameters<Operator>): Expression {
  const keys = ['date', 'unit', 'binSize', 'timezone', 'startOfWeek'] as const;
  const args = namedExpressions(name, operand, compiler, TRUNCATION, ...keys);
  const unit = derived(args.unit!, (value) => unitArgument(value, name));
  const bin = args.binSize ? derived(args.binSize, binArgument) : () => 1n;
  const zone = namedZone(args.timezone, name);
  const week = weekArgument(args.startOfWeek, name);
  const weekIsNull = (scope: Scope) => args.startOfWeek !== undefined && isNullish(args.startOfWeek(scope));
  return folded(Object.values(args), (scope) => {
    const date = args.date!(scope);
    if (isNullish(date)) return null;
    const size = bin(scope);
    const by = unit(scope);
    if (size === undefined || !by) return null;
    const weekday = by === 'week' ? week(scope) : weekIsNull(scope) ? undefined : SUNDAY;
    if (weekday === undefined) return null;
    const where = zone(scope);
    if (!where) return null;
    return truncateDate(dateArgument(date, name, 'date'), by, size, where, weekday);
  });
}

/** Undefined for null. */
function binArgument(value: Found): bigint | undefined {
  if (isNullish(value)) return undefined;
  const size = wholeNumber(value);
  if (size === undefined) {
    throw located(
      5439017,
      `$dateTrunc requires 'binSize' to be a 64-bit integer, but got value '${valueText(value)}' of type ${typeName(value)}`,
    );
  }
  if (size <= 0n) {
    throw located(5439018, `$dateTrunc requires 'binSize' to be greater than 0, but got value ${size}`);
  }
  return size;
}

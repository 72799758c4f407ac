import { Int32, ObjectId, Timestamp } from '../../bson/index.ts';
import { located } from '../error.ts';
import { applyMingo } from '../mingo.ts';
import { type Found, isDoc, isNullish, MISSING, typeName } from '../value.ts';
import { namedArguments, type Operator, type Operators } from './types.ts';

const DAY = 86_400_000;

/** The parts of a date. In UTC they are calculated here; with a time zone they are mingo's. */
export const dates: Operators = {
  $year: part((date) => date.getUTCFullYear()),
  $month: part((date) => date.getUTCMonth() + 1),
  $dayOfMonth: part((date) => date.getUTCDate()),
  $dayOfWeek: part((date) => date.getUTCDay() + 1),
  $dayOfYear: part((date) => dayOfYear(date)),
  $hour: part((date) => date.getUTCHours()),
  $minute: part((date) => date.getUTCMinutes()),
  $second: part((date) => date.getUTCSeconds()),
  $millisecond: part((date) => date.getUTCMilliseconds()),
  $week: part((date) => Math.floor((dayOfYear(date) - 1 + 7 - date.getUTCDay()) / 7)),
  $isoDayOfWeek: part((date) => date.getUTCDay() || 7),
  $isoWeek: part((date) => Math.floor((dayOfYear(thursday(date)) - 1) / 7) + 1),
  $isoWeekYear: part((date) => thursday(date).getUTCFullYear(), true),
};

function dayOfYear(date: Date): number {
  return Math.floor((date.getTime() - Date.UTC(date.getUTCFullYear(), 0, 1)) / DAY) + 1;
}

/** The Thursday of a date's week: the ISO week belongs to the year that its Thursday is in. */
function thursday(date: Date): Date {
  return new Date(date.getTime() + (4 - (date.getUTCDay() || 7)) * DAY);
}

function part(read: (date: Date) => number, long = false): Operator {
  return (operand, compiler, name) => {
    const isNamed = isDoc(operand) && operand.has('date');
    const args = isNamed ? namedArguments(name, operand, ['date'], ['timezone'], 40535) : undefined;
    const only = Array.isArray(operand) && operand.length === 1 ? operand[0] : operand;
    const input = compiler.compile(args ? args.get('date') : only);
    const zone = args?.has('timezone') ? compiler.compile(args.get('timezone')) : undefined;
    return (scope) => {
      const value = input(scope);
      const where = zone?.(scope);
      if (isNullish(value) || (zone && isNullish(where ?? MISSING))) return null;
      const date = toDate(value);
      if (where !== undefined && where !== 'UTC' && where !== 'GMT') {
        return applyMingo(
          name,
          new Map<string, Found>([
            ['date', date],
            ['timezone', where],
          ]),
        );
      }
      return long ? BigInt(read(date)) : new Int32(read(date));
    };
  };
}

function toDate(value: Found): Date {
  if (value instanceof Date) return value;
  if (value instanceof ObjectId) return value.getTimestamp();
  if (value instanceof Timestamp) return new Date(value.high * 1000);
  throw located(16006, `can't convert from BSON type ${typeName(value)} to Date`);
}

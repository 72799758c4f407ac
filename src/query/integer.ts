import { CodedError } from '../base/index.ts';
import { Decimal128, type Value } from '../bson/index.ts';
import { badValue, failedToParse, located } from './error.ts';
import { clampedLong, exactLong, INT32_MAX, INT64_MIN, toDouble } from './number.ts';
import { element, type Found, isNumeric, shortText, typeName } from './value.ts';

/**
 * The int64 that an operand must stand for exactly, with MongoDB's words (`parseIntegerElementToLong`). Throws FailedToParse.
 */
export function exactOperand(name: string, operand: Value): bigint {
  const shown = element(name, operand);
  if (!isNumeric(operand)) throw failedToParse(`Expected a number in: ${shown}`);
  if (typeof operand === 'number') {
    if (Number.isNaN(operand)) throw failedToParse(`Expected an integer, but found NaN in: ${shown}`);
    if (operand >= 2 ** 63 || operand < -(2 ** 63)) {
      throw failedToParse(`Cannot represent as a 64-bit integer: ${shown}`);
    }
  }
  const long = exactLong(operand);
  if (long !== undefined) return long;
  if (operand instanceof Decimal128) throw failedToParse(`Cannot represent as a 64-bit integer: ${shown}`);
  throw failedToParse(`Expected an integer: ${shown}`);
}

/** The int64 that a value is taken for (`Value::coerceToLong`), its fraction dealt with as by `clampedLong`. Throws 16004, 31109. */
export function coerceToLong(value: Found): bigint {
  if (!isNumeric(value)) throw located(16004, `can't convert from BSON type ${typeName(value)} to long`);
  const double = toDouble(value);
  const fits = double >= -(2 ** 63) && double < 2 ** 63;
  // Intel's library has this one for each decimal that does not fit.
  if (!fits && value instanceof Decimal128) return INT64_MIN;
  if (!fits) {
    throw located(31109, `Can't coerce out of range value ${shortText(double)} to long`);
  }
  return clampedLong(value);
}

/** The same, from 0 on. */
export function nonNegativeLong(name: string, operand: Value): bigint {
  const long = exactOperand(name, operand);
  if (long < 0n) throw failedToParse(`Expected a non-negative number in: ${element(name, operand)}`);
  return long;
}

export function nonNegativeInt(name: string, operand: Value): number {
  const long = nonNegativeLong(name, operand);
  if (long > BigInt(INT32_MAX)) throw failedToParse(`Cannot represent in an int: ${element(name, operand)}`);
  return Number(long);
}

/** Some operators wrap what is wrong with their numbers in a BadValue. */
export function asBadValue<T>(prefix: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    throw error instanceof CodedError ? badValue(prefix + error.message) : error;
  }
}

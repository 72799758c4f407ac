import { CodedError } from '../../base/index.ts';
import { type Decimal128, dateFromMillis, dateMillis, Int32 } from '../../bson/index.ts';
import { addDecimal, decimalFromDouble, decimalToBigint, multiplyDecimal } from '../decimal.ts';
import { located, typeMismatch } from '../error.ts';
import { fitsInt64, intOrLong, subtract, toDecimal, toDouble } from '../number.ts';
import { type Found, isNullish, isNumeric, type Numeric, typeName } from '../value.ts';

type Width = 'int' | 'long' | 'double' | 'decimal';
const WIDTHS: readonly Width[] = ['int', 'long', 'double', 'decimal'];

function widthOf(value: Numeric): Width {
  if (value instanceof Int32) return 'int';
  if (typeof value === 'bigint') return 'long';
  return typeof value === 'number' ? 'double' : 'decimal';
}

function wider(a: Width, b: Width): Width {
  return WIDTHS.indexOf(a) > WIDTHS.indexOf(b) ? a : b;
}

function longOf(value: Numeric): bigint {
  return value instanceof Int32 ? BigInt(value.value) : (value as bigint);
}

/**
 * `$add`, one operand after the other and with no compensation, unlike the accumulator `$sum`: integers in 64 bits until
 * they overflow to a double, doubles, decimals; the type that came last stays. With a date all is whole milliseconds.
 */
export function sum(args: readonly Found[]): Found {
  let width: Width = 'int';
  let long = 0n;
  let double = 0;
  let decimal: Decimal128 | undefined;
  let isDate = false;
  for (const arg of args) {
    if (isNullish(arg)) return null;
    if (!isNumeric(arg) && !(arg instanceof Date)) {
      throw typeMismatch(`$add only supports numeric or date types, not ${typeName(arg)}`);
    }
    if (arg instanceof Date) {
      if (isDate) throw located(16612, 'only one date allowed in an $add expression');
      isDate = true;
      const before: Numeric = width === 'decimal' ? decimal! : width === 'double' ? double : long;
      long = inDateRange(wholeMilliseconds(before) + BigInt(dateMillis(arg)));
      continue;
    }
    if (isDate) {
      long = inDateRange(long + wholeMilliseconds(arg));
      continue;
    }
    const last: Width = width;
    width = wider(last, widthOf(arg));
    if (width === 'decimal') {
      if (last === 'double') decimal = decimalFromDouble(double);
      else if (last !== 'decimal') decimal = toDecimal(long);
      decimal = addDecimal(decimal!, toDecimal(arg));
    } else if (width === 'double') {
      if (last !== 'double') double = Number(long);
      double += toDouble(arg);
    } else if (fitsInt64(long + longOf(arg))) {
      long += longOf(arg);
    } else {
      width = 'double';
      double = Number(long) + toDouble(arg);
    }
  }
  if (isDate) return dateFromMillis(long);
  if (width === 'int') return intOrLong(long);
  return width === 'long' ? long : width === 'double' ? double : decimal!;
}

/** `$multiply`: exact in 64 bits, and in doubles beside that, should those overflow. */
export function product(args: readonly Found[]): Found {
  let width: Width = 'int';
  let long = 1n;
  let double = 1;
  let decimal: Decimal128 | undefined;
  for (const arg of args) {
    if (isNullish(arg)) return null;
    if (!isNumeric(arg)) throw typeMismatch(`$multiply only supports numeric types, not ${typeName(arg)}`);
    const last: Width = width;
    width = wider(last, widthOf(arg));
    if (width === 'decimal') {
      if (last === 'double') decimal = decimalFromDouble(double);
      else if (last !== 'decimal') decimal = toDecimal(long);
      decimal = multiplyDecimal(decimal!, toDecimal(arg));
      continue;
    }
    double *= toDouble(arg);
    if (width === 'double') continue;
    if (fitsInt64(long * longOf(arg))) long *= longOf(arg);
    else width = 'double';
  }
  if (width === 'int') return intOrLong(long);
  return width === 'long' ? long : width === 'double' ? double : decimal!;
}

/** `$subtract`. */
export function difference(left: Found, right: Found): Found {
  if (isNumeric(left) && isNumeric(right)) return subtract(left, right) ?? toDouble(left) - toDouble(right);
  if (isNullish(left) || isNullish(right)) return null;
  if (!(left instanceof Date)) throw typeMismatch(`can't $subtract ${typeName(right)} from ${typeName(left)}`);
  const from = BigInt(dateMillis(left));
  if (right instanceof Date) return from - BigInt(dateMillis(right));
  if (!isNumeric(right)) throw typeMismatch(`can't $subtract ${typeName(right)} from Date`);
  return dateFromMillis(inDateRange(from - wholeMilliseconds(right)));
}

function inDateRange(millis: bigint): bigint {
  if (fitsInt64(millis)) return millis;
  throw dateOverflow();
}

function dateOverflow(): CodedError {
  return new CodedError('Overflow', 'date overflow');
}

/** Doubles are rounded half away from zero, decimals half to even. */
function wholeMilliseconds(value: Numeric): bigint {
  if (typeof value === 'bigint') return value;
  if (value instanceof Int32) return BigInt(value.value);
  if (typeof value !== 'number') {
    const millis = decimalToBigint(value, 'half-even');
    if (millis === undefined || !fitsInt64(millis)) throw dateOverflow();
    return millis;
  }
  if (!(value >= -(2 ** 63) && value < 2 ** 63)) throw dateOverflow();
  return BigInt(Math.sign(value) * Math.round(Math.abs(value)));
}

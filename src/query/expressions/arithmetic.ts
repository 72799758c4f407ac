import { Decimal128, Int32 } from '../../bson/index.ts';
import { type Rounding, roundDecimal } from '../decimal.ts';
import { badValue, located, typeMismatch } from '../error.ts';
import {
  clampedLong,
  divide,
  exactLong,
  fitsInt64,
  intOrLong,
  isZero,
  multiply,
  remainder,
  subtract,
  toDouble,
} from '../number.ts';
import { Total } from '../total.ts';
import { type Found, format, isNullish, isNumeric, type Numeric, typeName } from '../value.ts';
import { binary, evaluated, type Operator, type Operators, unary } from './types.ts';

const ANY = Number.POSITIVE_INFINITY;

export const arithmetic: Operators = {
  $add: evaluated(0, ANY, sum),
  $subtract: binary(difference),
  $multiply: evaluated(0, ANY, product),
  $divide: binary(quotient),
  $mod: binary(modulo),
  $abs: numeric(absolute),
  $ceil: rounded('ceil', Math.ceil),
  $floor: rounded('floor', Math.floor),
  $round: placed('half-even'),
  $trunc: placed('trunc'),
  $pow: binary(power),
  $sqrt: numeric((value, name) => {
    if (toDouble(value) < 0) throw located(28714, `${name}'s argument must be greater than or equal to 0`);
    return viaDouble(Math.sqrt, value);
  }),
  $exp: numeric((value) => viaDouble(Math.exp, value)),
  $ln: numeric((value, name) => logarithm(name, value, Math.log)),
  $log10: numeric((value, name) => logarithm(name, value, Math.log10)),
  $log: binary((value, base, name) => {
    if (isNullish(value) || isNullish(base)) return null;
    const [of, by] = [numberArgument(value, name), numberArgument(base, name)];
    if (toDouble(of) <= 0) throw located(28758, `$log's argument must be a positive number, but is ${format(of)}`);
    if (toDouble(by) <= 0 || toDouble(by) === 1) {
      throw located(28759, `$log's base must be a positive number not equal to 1, but is ${format(by)}`);
    }
    return Math.log(toDouble(of)) / Math.log(toDouble(by));
  }),
  ...Object.fromEntries(
    (['sin', 'cos', 'tan', 'asin', 'acos', 'atan', 'sinh', 'cosh', 'tanh', 'asinh', 'acosh', 'atanh'] as const).map(
      (name) => [`$${name}`, numeric((value) => viaDouble(Math[name], value))],
    ),
  ),
  $atan2: binary((y, x, name) => {
    if (isNullish(y) || isNullish(x)) return null;
    return Math.atan2(toDouble(numberArgument(y, name)), toDouble(numberArgument(x, name)));
  }),
  $degreesToRadians: numeric((value) => viaDouble((degrees) => (degrees * Math.PI) / 180, value)),
  $radiansToDegrees: numeric((value) => viaDouble((radians) => (radians * 180) / Math.PI, value)),
  $bitAnd: bitwise((left, right) => left & right, -1n),
  $bitOr: bitwise((left, right) => left | right, 0n),
  $bitXor: bitwise((left, right) => left ^ right, 0n),
  $bitNot: unary((value, name) => {
    if (isNullish(value)) return null;
    return value instanceof Int32 ? new Int32(~value.value) : ~integerArgument(value, name);
  }),
};

function sum(args: readonly Found[]): Found {
  const total = new Total();
  let date: Date | undefined;
  for (const arg of args) {
    if (isNullish(arg)) return null;
    if (arg instanceof Date) {
      if (date) throw located(16612, 'only one date allowed in an $add expression');
      date = arg;
    } else if (isNumeric(arg)) total.add(arg);
    else throw typeMismatch(`$add only supports numeric or date types, not ${typeName(arg)}`);
  }
  return date ? new Date(date.getTime() + Number(wholeMilliseconds(total.result()))) : total.result();
}

function difference(left: Found, right: Found): Found {
  if (isNullish(left) || isNullish(right)) return null;
  if (isNumeric(left) && isNumeric(right)) return subtract(left, right) ?? toDouble(left) - toDouble(right);
  if (left instanceof Date && right instanceof Date) return BigInt(left.getTime() - right.getTime());
  if (left instanceof Date && isNumeric(right)) return new Date(left.getTime() - Number(wholeMilliseconds(right)));
  throw typeMismatch(`can't $subtract ${typeName(right)} from ${typeName(left)}`);
}

function product(args: readonly Found[]): Found {
  let result: Numeric = new Int32(1);
  for (const arg of args) {
    if (isNullish(arg)) return null;
    if (!isNumeric(arg)) throw typeMismatch(`$multiply only supports numeric types, not ${typeName(arg)}`);
    result = multiply(result, arg) ?? toDouble(result) * toDouble(arg);
  }
  return result;
}

function quotient(left: Found, right: Found): Found {
  if (isNullish(left) || isNullish(right)) return null;
  if (!isNumeric(left) || !isNumeric(right)) {
    throw typeMismatch(`$divide only supports numeric types, not ${typeName(left)} and ${typeName(right)}`);
  }
  if (isZero(right)) throw badValue("can't $divide by zero");
  return divide(left, right);
}

function modulo(left: Found, right: Found): Found {
  if (isNullish(left) || isNullish(right)) return null;
  if (!isNumeric(left) || !isNumeric(right)) {
    throw located(16611, `$mod only supports numeric types, not ${typeName(left)} and ${typeName(right)}`);
  }
  if (isZero(right)) throw located(16610, "can't $mod by zero");
  return remainder(left, right);
}

function absolute(value: Numeric): Numeric {
  if (typeof value === 'number') return Math.abs(value);
  if (value instanceof Int32) return intOrLong(Math.abs(value.value));
  if (value instanceof Decimal128) return Decimal128.fromString(value.toString().replace(/^-/, ''));
  const magnitude = value < 0n ? -value : value;
  if (!fitsInt64(magnitude)) throw located(28680, "can't take $abs of long long min");
  return magnitude;
}

function power(base: Found, exponent: Found, name: string): Found {
  if (isNullish(base) || isNullish(exponent)) return null;
  if (!isNumeric(base)) throw located(28762, `$pow's base must be numeric, not ${typeName(base)}`);
  if (!isNumeric(exponent)) throw located(28763, `$pow's exponent must be numeric, not ${typeName(exponent)}`);
  if (isZero(base) && toDouble(exponent) < 0) {
    throw located(28764, `${name} cannot take a base of 0 and a negative exponent`);
  }
  const [of, to] = [integerOrUndefined(base), integerOrUndefined(exponent)];
  const approximate = toDouble(base) ** toDouble(exponent);
  if (of !== undefined && to !== undefined && to >= 0n && Math.abs(approximate) < 2 ** 64) {
    const exact = of ** to;
    if (fitsInt64(exact)) return base instanceof Int32 && exponent instanceof Int32 ? intOrLong(exact) : exact;
  }
  return base instanceof Decimal128 || exponent instanceof Decimal128
    ? Decimal128.fromString(decimalText(approximate))
    : approximate;
}

/** An operator on one number; null for nothing, a type error for all else. */
function numeric(apply: (value: Numeric, name: string) => Found): Operator {
  return unary((value, name) => (isNullish(value) ? null : apply(numberArgument(value, name), name)));
}

function rounded(rounding: Rounding, onDouble: (value: number) => number): Operator {
  return numeric((value) => {
    if (typeof value === 'number') return onDouble(value);
    return value instanceof Decimal128 ? roundDecimal(value, 0, rounding) : value;
  });
}

/** `$round` and `$trunc`: to a place after the point, or before it when negative. */
function placed(rounding: 'half-even' | 'trunc'): Operator {
  return evaluated(1, 2, ([value, place], name) => {
    if (isNullish(value) || (place !== undefined && isNullish(place))) return null;
    const number = numberArgument(value, name);
    const digits = place === undefined ? 0n : isNumeric(place) ? exactLong(place) : undefined;
    if (digits === undefined) {
      throw located(51082, `precision argument to  ${name} must be a integral value`);
    }
    if (digits < -20n || digits > 100n) {
      throw located(51083, `cannot apply ${name} with precision value ${digits} value must be in [-20, 100]`);
    }
    if (number instanceof Decimal128) return roundDecimal(number, Number(digits), rounding);
    if (typeof number === 'number') return roundDouble(number, Number(digits), rounding);
    if (digits >= 0n) return number;
    const decimal = roundDecimal(Decimal128.fromString(integerText(number)), Number(digits), rounding);
    const long = clampedLong(decimal);
    return number instanceof Int32 ? intOrLong(long) : long;
  });
}

function roundDouble(value: number, place: number, rounding: 'half-even' | 'trunc'): number {
  if (!Number.isFinite(value)) return value;
  if (place === 0 && rounding === 'trunc') return Math.trunc(value);
  return Number(roundDecimal(Decimal128.fromString(String(value)), place, rounding).toString());
}

function logarithm(name: string, value: Numeric, apply: (value: number) => number): Found {
  if (toDouble(value) <= 0) {
    const code = name === '$ln' ? 28766 : 28761;
    throw located(code, `${name}'s argument must be a positive number, but is ${format(value)}`);
  }
  return viaDouble(apply, value);
}

/** Decimals come back as decimals, but calculated in double precision. */
function viaDouble(apply: (value: number) => number, value: Numeric): Numeric {
  const result = apply(toDouble(value));
  return value instanceof Decimal128 ? Decimal128.fromString(decimalText(result)) : result;
}

function decimalText(value: number): string {
  return Number.isNaN(value) ? 'NaN' : String(value);
}

function bitwise(apply: (left: bigint, right: bigint) => bigint, start: bigint): Operator {
  return evaluated(0, ANY, (args, name) => {
    let result = start;
    let isLong = false;
    for (const arg of args) {
      if (isNullish(arg)) return null;
      result = apply(result, integerArgument(arg, name));
      isLong ||= typeof arg === 'bigint';
    }
    return isLong ? result : intOrLong(result);
  });
}

function integerArgument(value: Found, name: string): bigint {
  if (value instanceof Int32) return BigInt(value.value);
  if (typeof value === 'bigint') return value;
  throw typeMismatch(`${name} only supports int and long operands.`);
}

function numberArgument(value: Found, name: string): Numeric {
  if (isNumeric(value)) return value;
  throw located(28765, `${name} only supports numeric types, not ${typeName(value)}`);
}

function integerOrUndefined(value: Numeric): bigint | undefined {
  return value instanceof Int32 || typeof value === 'bigint' ? BigInt(integerText(value)) : undefined;
}

function integerText(value: Int32 | bigint): string {
  return String(value instanceof Int32 ? value.value : value);
}

/** Fractions of a millisecond are rounded when they are added to a date. */
function wholeMilliseconds(value: Numeric): bigint {
  return clampedLong(typeof value === 'number' ? Math.round(value) : value);
}

import { Decimal128, Int32 } from '../../bson/index.ts';
import { decimalFromDoubleExactly, decimalToBigint, quantize, type Rounding } from '../decimal.ts';
import { badValue, located, typeMismatch } from '../error.ts';
import { coerceToLong } from '../integer.ts';
import {
  divide,
  exactInt,
  fitsInt64,
  intOrLong,
  isNaNNumber,
  isZero,
  remainder,
  toDecimal,
  toDouble,
} from '../number.ts';
import { type Found, isNullish, isNumeric, type Numeric, typeName } from '../value.ts';
import { difference, product, sum } from './sum.ts';
import { binary, evaluated, type Operator, type Operators, unary } from './types.ts';

const ANY = Number.POSITIVE_INFINITY;

/** What is done with whole numbers and rounding; powers, logarithms and angles stand in `functions.ts`. */
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
  $bitAnd: bitwise((left, right) => left & right, -1n),
  $bitOr: bitwise((left, right) => left | right, 0n),
  $bitXor: bitwise((left, right) => left ^ right, 0n),
  $bitNot: numeric((value, name) => {
    if (value instanceof Int32) return new Int32(~value.value);
    if (typeof value === 'bigint') return ~value;
    throw typeMismatch(`${name} only supports int and long, not: ${typeName(value)}.`);
  }),
};

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
  if (isZero(right)) {
    const isDecimal = left instanceof Decimal128 || right instanceof Decimal128;
    throw located(isDecimal ? 5733415 : 16610, "can't $mod by zero");
  }
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

/** An operator on one number; null for nothing, an error for all else. */
export function numeric(apply: (value: Numeric, name: string) => Found): Operator {
  return unary((value, name) => {
    if (isNullish(value)) return null;
    if (isNumeric(value)) return apply(value, name);
    throw located(28765, `${name} only supports numeric types, not ${typeName(value)}`);
  });
}

function rounded(rounding: Rounding, onDouble: (value: number) => number): Operator {
  return numeric((value) => {
    if (typeof value === 'number') return onDouble(value);
    return value instanceof Decimal128 ? quantize(value, 0, rounding) : value;
  });
}

/** `$round` and `$trunc`: to a place after the point, or before it when negative. */
function placed(rounding: 'half-even' | 'trunc'): Operator {
  return evaluated(1, 2, (args, name) => {
    const [value, place] = args;
    if (isNullish(value!)) return null;
    if (!isNumeric(value!)) throw located(51081, `${name} only supports numeric types, not ${typeName(value!)}`);
    if (args.length === 2 && isNullish(place!)) return null;
    const digits = args.length === 2 ? placeArgument(place!, name) : 0;
    if (value instanceof Decimal128) return isInfinite(value) ? value : placedDecimal(value, digits, rounding);
    if (typeof value === 'number') {
      // From there on doubles have no fraction, and in the end more digits than a decimal.
      if (!Number.isFinite(value) || (digits >= 0 && Math.abs(value) >= 2 ** 53)) return value;
      const double = toDouble(placedDecimal(decimalFromDoubleExactly(value), digits, rounding));
      return double === 0 && value < 0 ? -0 : double;
    }
    if (digits >= 0) return value;
    const long = decimalToBigint(quantize(toDecimal(value), digits, rounding));
    if (long === undefined || !fitsInt64(long)) {
      throw located(
        51080,
        `invalid conversion from Decimal128 result in ${name} resulting from arguments: [${toDecimal(value)}, ${digits}]`,
      );
    }
    return value instanceof Int32 ? intOrLong(long) : long;
  });
}

/** What has no digits beyond the place stays as it is, where all those before it would be more than a decimal holds. */
function placedDecimal(value: Decimal128, digits: number, rounding: Rounding): Decimal128 {
  const result = quantize(value, digits, rounding);
  return isNaNNumber(result) ? value : result;
}

function isInfinite(value: Decimal128): boolean {
  return value.toString().endsWith('Infinity');
}

function placeArgument(value: Found, name: string): number {
  coerceToLong(value);
  const place = exactInt(value as Numeric);
  if (place === undefined) throw located(51082, `precision argument to  ${name} must be a integral value`);
  if (place < -20 || place > 100) {
    throw located(51083, `cannot apply ${name} with precision value ${place} value must be in [-20, 100]`);
  }
  return place;
}

function bitwise(apply: (left: bigint, right: bigint) => bigint, start: bigint): Operator {
  return evaluated(0, ANY, (args, name) => {
    let result = start;
    let isLong = false;
    for (const arg of args) {
      if (isNullish(arg)) return null;
      if (!(arg instanceof Int32) && typeof arg !== 'bigint') {
        throw typeMismatch(`${name} only supports int and long operands.`);
      }
      result = apply(result, arg instanceof Int32 ? BigInt(arg.value) : arg);
      isLong ||= typeof arg === 'bigint';
    }
    return isLong ? result : intOrLong(result);
  });
}

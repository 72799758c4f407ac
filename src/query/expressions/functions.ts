import { compare, Decimal128, Int32 } from '../../bson/index.ts';
import { multiplyDecimal, squareRootDecimal } from '../decimal.ts';
import { decimalArcTangent, decimalFunctions, decimalLogarithm, decimalPower } from '../decimal-functions.ts';
import { located } from '../error.ts';
import { fitsInt64, intOrLong, isNaNNumber, isZero, signOf, toDecimal, toDouble } from '../number.ts';
import { type Found, isNullish, isNumeric, type Numeric, shortText, typeName } from '../value.ts';
import { numeric } from './arithmetic.ts';
import { binary, type Operator, type Operators } from './types.ts';

/** Powers, logarithms, angles: of a decimal the result is a decimal, of all other numbers a double. */
export const functions: Operators = {
  $pow: binary(power),
  $sqrt: numeric((value) => {
    if (signOf(value) < 0) throw located(28714, "$sqrt's argument must be greater than or equal to 0");
    return value instanceof Decimal128 ? squareRootDecimal(value) : Math.sqrt(toDouble(value));
  }),
  $exp: plain(Math.exp, decimalFunctions.exp),
  $ln: logarithm(28766, Math.log, decimalFunctions.ln),
  $log10: logarithm(28761, Math.log10, decimalFunctions.log10),
  $log: binary(logarithmTo),
  $sin: bounded('sin', '(-inf,inf)', (value) => Number.isFinite(value)),
  $cos: bounded('cos', '(-inf,inf)', (value) => Number.isFinite(value)),
  $tan: bounded('tan', '(-inf,inf)', (value) => Number.isFinite(value)),
  $asin: bounded('asin', '[-1,1]', (value) => Math.abs(value) <= 1),
  $acos: bounded('acos', '[-1,1]', (value) => Math.abs(value) <= 1),
  $acosh: bounded('acosh', '[1,inf]', (value) => value >= 1),
  $atanh: bounded('atanh', '[-1,1]', (value) => Math.abs(value) <= 1),
  $atan: plain(Math.atan, decimalFunctions.atan),
  $sinh: plain(Math.sinh, decimalFunctions.sinh),
  $cosh: plain(Math.cosh, decimalFunctions.cosh),
  $tanh: plain(Math.tanh, decimalFunctions.tanh),
  $asinh: plain(Math.asinh, decimalFunctions.asinh),
  $atan2: binary((y, x, name) => {
    if (isNullish(y)) return null;
    if (!isNumeric(y)) throw located(51044, `${name} only supports numeric types, not ${typeName(y)}`);
    if (isNullish(x)) return null;
    if (!isNumeric(x)) throw located(51045, `${name} only supports numeric types, not ${typeName(x)}`);
    return y instanceof Decimal128 || x instanceof Decimal128
      ? decimalArcTangent(toDecimal(y), toDecimal(x))
      : Math.atan2(toDouble(y), toDouble(x));
  }),
  $degreesToRadians: scaled(Math.PI / 180, '0.01745329251994329576923690768488613'),
  $radiansToDegrees: scaled(180 / Math.PI, '57.29577951308232087679815481410517'),
};

function plain(onDouble: (value: number) => number, onDecimal: (value: Decimal128) => Decimal128): Operator {
  return numeric((value) => (value instanceof Decimal128 ? onDecimal(value) : onDouble(toDouble(value))));
}

/** A function that is defined between bounds. */
function bounded(
  which: 'sin' | 'cos' | 'tan' | 'asin' | 'acos' | 'acosh' | 'atanh',
  bounds: string,
  isWithin: (value: number) => boolean,
): Operator {
  return numeric((value, name) => {
    if (isNaNNumber(value)) return value;
    const double = toDouble(value);
    // A decimal that no double can hold is beyond the narrow bounds, and within those that only infinities are beyond.
    if (!isWithin(isFiniteDecimal(value) ? bounded64(double) : double)) {
      const shown = value instanceof Decimal128 ? value.toString() : shortText(double);
      throw located(50989, `cannot apply ${name} to ${shown}, value must in ${bounds}`);
    }
    return value instanceof Decimal128 ? decimalFunctions[which](value) : Math[which](double);
  });
}

function isFiniteDecimal(value: Numeric): boolean {
  return value instanceof Decimal128 && !value.toString().endsWith('Infinity');
}

function bounded64(double: number): number {
  return Math.max(-Number.MAX_VALUE, Math.min(Number.MAX_VALUE, double));
}

function scaled(factor: number, decimalFactor: string): Operator {
  const decimal = Decimal128.fromString(decimalFactor);
  return numeric((value) => (value instanceof Decimal128 ? multiplyDecimal(value, decimal) : toDouble(value) * factor));
}

function logarithm(
  code: number,
  onDouble: (value: number) => number,
  onDecimal: (value: Decimal128) => Decimal128,
): Operator {
  return numeric((value, name) => {
    const double = toDouble(value);
    if (signOf(value) <= 0)
      throw located(code, `${name}'s argument must be a positive number, but is ${shortText(double)}`);
    // That of a decimal that is no number is a double.
    return value instanceof Decimal128 && !isNaNNumber(value) ? onDecimal(value) : onDouble(double);
  });
}

function logarithmTo(value: Found, base: Found): Found {
  if (isNullish(value) || isNullish(base)) return null;
  if (!isNumeric(value)) throw located(28756, `$log's argument must be numeric, not ${typeName(value)}`);
  if (!isNumeric(base)) throw located(28757, `$log's base must be numeric, not ${typeName(base)}`);
  const [of, by] = [toDouble(value), toDouble(base)];
  if (signOf(value) <= 0) throw located(28758, `$log's argument must be a positive number, but is ${shortText(of)}`);
  if (signOf(base) <= 0 || isOne(base)) {
    throw located(28759, `$log's base must be a positive number not equal to 1, but is ${shortText(by)}`);
  }
  if (isNaNNumber(value) || isNaNNumber(base)) return Number.NaN;
  return value instanceof Decimal128 || base instanceof Decimal128
    ? decimalLogarithm(toDecimal(value), toDecimal(base))
    : Math.log(of) / Math.log(by);
}

function isOne(value: Numeric): boolean {
  return value instanceof Decimal128 ? compare(value, 1) === 0 : toDouble(value) === 1;
}

function power(base: Found, exponent: Found, name: string): Found {
  if (isNullish(base) || isNullish(exponent)) return null;
  if (!isNumeric(base)) throw located(28762, `$pow's base must be numeric, not ${typeName(base)}`);
  if (!isNumeric(exponent)) throw located(28763, `$pow's exponent must be numeric, not ${typeName(exponent)}`);
  if (isZero(base) && signOf(exponent) < 0) {
    throw located(28764, `${name} cannot take a base of 0 and a negative exponent`);
  }
  if (base instanceof Decimal128 || exponent instanceof Decimal128) {
    return decimalPower(toDecimal(base), toDecimal(exponent));
  }
  const approximate = doublePower(toDouble(base), toDouble(exponent));
  if (typeof base === 'number' || typeof exponent === 'number') return approximate;
  const exact = wholePower(longOf(base), longOf(exponent));
  if (exact === undefined) return approximate;
  return base instanceof Int32 && exponent instanceof Int32 ? intOrLong(exact) : exact;
}

/** As C's `pow`: 1 to any power is 1, and so is -1 to an infinite one. */
function doublePower(base: number, exponent: number): number {
  if (base === 1 || (base === -1 && !Number.isFinite(exponent) && !Number.isNaN(exponent))) return 1;
  return base ** exponent;
}

function longOf(value: Exclude<Numeric, number | Decimal128>): bigint {
  return value instanceof Int32 ? BigInt(value.value) : value;
}

/** Undefined for what does not fit 64 bits, and for fractions. */
function wholePower(base: bigint, exponent: bigint): bigint | undefined {
  if (base === 1n) return 1n;
  if (base === -1n) return exponent % 2n === 0n ? 1n : -1n;
  if (base === 0n) return exponent === 0n ? 1n : 0n;
  if (exponent < 0n || exponent > 63n) return undefined;
  const exact = base ** exponent;
  return fitsInt64(exact) ? exact : undefined;
}

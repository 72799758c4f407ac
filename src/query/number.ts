import { Decimal128, Int32 } from '../bson/index.ts';
import {
  addDecimal,
  decimalFromDouble,
  decimalToBigint,
  divideDecimal,
  isIntegral,
  multiplyDecimal,
  negateDecimal,
  type Rounding,
  remainderDecimal,
} from './decimal.ts';
import type { Numeric } from './value.ts';

/**
 * MongoDB's number tower: int32, int64, double, decimal. The result of an operation has the widest type of its
 * operands, and an int32 that does not fit becomes an int64.
 */
export const INT32_MIN = -(2 ** 31);
export const INT32_MAX = 2 ** 31 - 1;
export const INT64_MIN = -(2n ** 63n);
export const INT64_MAX = 2n ** 63n - 1n;

/** Undefined when both operands are integers and the result does not fit 64 bits: the caller says what then. */
export function add(left: Numeric, right: Numeric): Numeric | undefined {
  if (isDecimalPair(left, right)) return addDecimal(toDecimal(left), toDecimal(right));
  if (typeof left === 'number' || typeof right === 'number') return toDouble(left) + toDouble(right);
  return integer(toBigint(left) + toBigint(right), left, right);
}

export function subtract(left: Numeric, right: Numeric): Numeric | undefined {
  if (isDecimalPair(left, right)) return addDecimal(toDecimal(left), negateDecimal(toDecimal(right)));
  if (typeof left === 'number' || typeof right === 'number') return toDouble(left) - toDouble(right);
  return integer(toBigint(left) - toBigint(right), left, right);
}

export function multiply(left: Numeric, right: Numeric): Numeric | undefined {
  if (isDecimalPair(left, right)) return multiplyDecimal(toDecimal(left), toDecimal(right));
  if (typeof left === 'number' || typeof right === 'number') return toDouble(left) * toDouble(right);
  return integer(toBigint(left) * toBigint(right), left, right);
}

/** Always a double or a decimal, as `$divide`. */
export function divide(left: Numeric, right: Numeric): number | Decimal128 {
  if (isDecimalPair(left, right)) return divideDecimal(toDecimal(left), toDecimal(right));
  return toDouble(left) / toDouble(right);
}

/** With the sign of the dividend. The divisor is not zero. */
export function remainder(left: Numeric, right: Numeric): Numeric {
  if (isDecimalPair(left, right)) return remainderDecimal(toDecimal(left), toDecimal(right));
  if (typeof left === 'number' || typeof right === 'number') return toDouble(left) % toDouble(right);
  return integer(toBigint(left) % toBigint(right), left, right) ?? 0n;
}

export function isZero(value: Numeric): boolean {
  return signOf(value) === 0;
}

/** -1, 0 or 1, also of decimals that no double can tell from zero; NaN of NaN. */
export function signOf(value: Numeric): number {
  if (!(value instanceof Decimal128)) return Math.sign(toDouble(value));
  const text = value.toString();
  if (text === 'NaN') return Number.NaN;
  if (!/[1-9I]/.test(text.replace(/E.*$/, ''))) return 0;
  return text.startsWith('-') ? -1 : 1;
}

export function isNaNNumber(value: Numeric): boolean {
  if (typeof value === 'number') return Number.isNaN(value);
  return value instanceof Decimal128 && value.toString() === 'NaN';
}

export function toDouble(value: Numeric): number {
  if (value instanceof Int32) return value.value;
  return Number(value instanceof Decimal128 ? value.toString() : value);
}

export function toDecimal(value: Numeric): Decimal128 {
  if (value instanceof Decimal128) return value;
  if (typeof value === 'number') return decimalFromDouble(value);
  return Decimal128.fromString(String(value instanceof Int32 ? value.value : value));
}

/** The int64 that a number stands for exactly; undefined for a fraction, NaN, infinity or what does not fit. */
export function exactLong(value: Numeric): bigint | undefined {
  if (value instanceof Decimal128 && !isIntegral(value)) return undefined;
  if (typeof value === 'number' && !Number.isInteger(value)) return undefined;
  const long = value instanceof Decimal128 ? decimalToBigint(value) : toBigint(value);
  return long !== undefined && fitsInt64(long) ? long : undefined;
}

/** The int32 that a number stands for exactly (MongoDB's `integral`), as a JavaScript number. */
export function exactInt(value: Numeric): number | undefined {
  const long = exactLong(value);
  return long !== undefined && long >= BigInt(INT32_MIN) && long <= BigInt(INT32_MAX) ? Number(long) : undefined;
}

/**
 * An integer in the range of an int64; NaN is 0 (MongoDB's `safeNumberLong`). A double's fraction is cut off, a decimal's is
 * rounded: half to even, or as said.
 */
export function clampedLong(value: Numeric, rounding: Rounding = 'half-even'): bigint {
  if (isNaNNumber(value)) return 0n;
  const double = toDouble(value);
  if (double >= 2 ** 63) return INT64_MAX;
  if (double <= -(2 ** 63)) return INT64_MIN;
  if (value instanceof Decimal128) return decimalToBigint(value, rounding) ?? 0n;
  return toBigint(value);
}

/** Like `clampedLong`, for counts and positions: a JavaScript number within the int32 range. */
export function clampedInt(value: Numeric): number {
  const long = clampedLong(value);
  return long > BigInt(INT32_MAX) ? INT32_MAX : long < BigInt(INT32_MIN) ? INT32_MIN : Number(long);
}

export function fitsInt64(value: bigint): boolean {
  return value >= INT64_MIN && value <= INT64_MAX;
}

/** An int32 where it fits, else an int64. */
export function intOrLong(value: number | bigint): Int32 | bigint {
  return value >= INT32_MIN && value <= INT32_MAX ? new Int32(Number(value)) : BigInt(value);
}

function isDecimalPair(left: Numeric, right: Numeric): boolean {
  return left instanceof Decimal128 || right instanceof Decimal128;
}

function toBigint(value: Exclude<Numeric, Decimal128>): bigint;
function toBigint(value: Numeric): bigint;
function toBigint(value: Numeric): bigint {
  if (typeof value === 'bigint') return value;
  if (value instanceof Int32) return BigInt(value.value);
  return value instanceof Decimal128 ? (decimalToBigint(value) ?? 0n) : BigInt(Math.trunc(value));
}

function integer(result: bigint, left: Numeric, right: Numeric): Int32 | bigint | undefined {
  if (left instanceof Int32 && right instanceof Int32) return intOrLong(result);
  return fitsInt64(result) ? result : undefined;
}

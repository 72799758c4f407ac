import type { Decimal128 } from 'bson';

/** The value `coefficient * 10^exponent`, exactly. Every finite int, long, double and decimal is one. */
export interface Exact {
  readonly coefficient: bigint;
  readonly exponent: number;
}

/** A decimal's value, or the number that stands for it: NaN, Infinity, -Infinity. */
export type DecimalValue = Exact | number;

/** IEEE 754-2008, decimal128 in the binary integer encoding. */
const EXPONENT_BIAS = 6176;
const MAX_COEFFICIENT = 10n ** 34n - 1n;
const COEFFICIENT_BITS = 113n;
const LOW_BITS = (1n << COEFFICIENT_BITS) - 1n;

export function decimalValue(decimal: Decimal128): DecimalValue {
  const view = new DataView(decimal.bytes.buffer, decimal.bytes.byteOffset, 16);
  const high = view.getBigUint64(8, true);
  const negative = high >> 63n === 1n;
  const combination = Number((high >> 58n) & 0x1fn);
  if (combination === 0b11111) return Number.NaN;
  if (combination === 0b11110) return negative ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  // Combinations from 0b11000 on spell a coefficient above the largest allowed, which stands for zero.
  if (combination >= 0b11000) return ZERO;
  const coefficient = ((high << 64n) | view.getBigUint64(0, true)) & LOW_BITS;
  if (coefficient > MAX_COEFFICIENT) return ZERO;
  const exponent = Number((high >> 49n) & 0x3fffn) - EXPONENT_BIAS;
  return { coefficient: negative ? -coefficient : coefficient, exponent };
}

const ZERO: Exact = { coefficient: 0n, exponent: 0 };

const bits = new DataView(new ArrayBuffer(8));

/** A finite double is m * 2^k, and for k < 0 that is m * 5^-k * 10^k. */
export function doubleValue(value: number): Exact {
  if (Number.isInteger(value)) return { coefficient: BigInt(value), exponent: 0 };
  bits.setFloat64(0, value);
  const word = bits.getBigUint64(0);
  const biased = Number((word >> 52n) & 0x7ffn);
  const fraction = word & 0xf_ffff_ffff_ffffn;
  // Not an integer, so the binary exponent is negative.
  const mantissa = biased === 0 ? fraction : fraction | 0x10_0000_0000_0000n;
  const places = 1075 - Math.max(biased, 1);
  const coefficient = mantissa * 5n ** BigInt(places);
  return { coefficient: value < 0 ? -coefficient : coefficient, exponent: -places };
}

export function compareExact(a: Exact, b: Exact): number {
  const signs = sign(a.coefficient) - sign(b.coefficient);
  if (signs !== 0) return signs;
  if (a.coefficient === 0n) return 0;
  const shift = a.exponent - b.exponent;
  const left = shift > 0 ? a.coefficient * 10n ** BigInt(shift) : a.coefficient;
  const right = shift < 0 ? b.coefficient * 10n ** BigInt(-shift) : b.coefficient;
  return left < right ? -1 : left > right ? 1 : 0;
}

function sign(value: bigint): number {
  return value < 0n ? -1 : value > 0n ? 1 : 0;
}

/** The greatest double that is not above the value; may be -Infinity. */
export function floorDouble(value: Exact): number {
  const { coefficient, exponent } = value;
  // Correctly rounded to the nearest, so the floor is this one or the one below.
  const nearest = exponent === 0 ? Number(coefficient) : Number(`${coefficient}e${exponent}`);
  if (nearest === Number.NEGATIVE_INFINITY) return nearest;
  if (nearest === Number.POSITIVE_INFINITY) return Number.MAX_VALUE;
  return compareExact(doubleValue(nearest), value) > 0 ? doubleBelow(nearest) : nearest;
}

function doubleBelow(value: number): number {
  if (value === 0) return -Number.MIN_VALUE;
  bits.setFloat64(0, value);
  bits.setBigInt64(0, bits.getBigInt64(0) + (value > 0 ? -1n : 1n));
  return bits.getFloat64(0);
}

import { Decimal128, doubleValue } from '../bson/index.ts';

/**
 * Arithmetic on Decimal128 (IEEE 754-2008 decimal128: 34 digits, exponents -6176 to 6111, ties to even), done on exact
 * integers and rounded once. The bson package converts decimals but does not calculate with them.
 */
type Special = 'NaN' | 'Infinity' | '-Infinity';
interface Finite {
  readonly coefficient: bigint;
  readonly exponent: number;
  /** The sign of a zero is not in its coefficient. */
  readonly negative: boolean;
}

const DIGITS = 34;
const LIMIT = 10n ** BigInt(DIGITS);
export const MIN_EXPONENT = -6176;
const MAX_EXPONENT = 6111;
/** Digits that a division carries beyond 34 before the last rounding. */
const GUARD_DIGITS = 4;

export function addDecimal(left: Decimal128, right: Decimal128): Decimal128 {
  const [a, b] = [parse(left), parse(right)];
  if (typeof a === 'string' || typeof b === 'string') return special(toNumber(a) + toNumber(b));
  const exponent = Math.min(a.exponent, b.exponent);
  // Beyond this distance the smaller one cannot change the 34 digits of the sum; scaling it would cost without end.
  const gap = Math.abs(a.exponent - b.exponent);
  if (gap > 3 * DIGITS) {
    const big = dominates(a, b) ? a : b;
    if (a.coefficient !== 0n && b.coefficient !== 0n) return decimalOf(big.coefficient, big.exponent, big.negative);
  }
  if (gap > 3 * DIGITS) {
    const value = a.coefficient === 0n ? b : a;
    return decimalOf(value.coefficient, value.exponent, value.negative);
  }
  const sum = scaled(a, exponent) + scaled(b, exponent);
  return decimalOf(sum, exponent, sum < 0n || (sum === 0n && a.negative && b.negative));
}

export function negateDecimal(value: Decimal128): Decimal128 {
  const a = parse(value);
  if (typeof a === 'string') return special(-toNumber(a));
  return decimalOf(-a.coefficient, a.exponent, !a.negative);
}

export function multiplyDecimal(left: Decimal128, right: Decimal128): Decimal128 {
  const [a, b] = [parse(left), parse(right)];
  if (typeof a === 'string' || typeof b === 'string') return special(toNumber(a) * toNumber(b));
  return decimalOf(a.coefficient * b.coefficient, a.exponent + b.exponent, a.negative !== b.negative);
}

export function divideDecimal(left: Decimal128, right: Decimal128): Decimal128 {
  const [a, b] = [parse(left), parse(right)];
  if (typeof a === 'string' || typeof b === 'string' || b.coefficient === 0n) return special(toNumber(a) / toNumber(b));
  const shift = Math.max(0, DIGITS + GUARD_DIGITS + digits(b.coefficient) - digits(a.coefficient));
  const dividend = a.coefficient * 10n ** BigInt(shift);
  let quotient = dividend / b.coefficient;
  let exponent = a.exponent - b.exponent - shift;
  const ideal = a.exponent - b.exponent;
  if (dividend % b.coefficient !== 0n) {
    // A sticky digit, so that the rounding below sees that the true quotient lies beyond.
    quotient = quotient * 10n + (quotient < 0n || a.negative !== b.negative ? -1n : 1n);
    exponent -= 1;
  } else if (quotient === 0n) {
    exponent = ideal;
  } else {
    while (exponent < ideal && quotient % 10n === 0n) {
      quotient /= 10n;
      exponent += 1;
    }
  }
  return decimalOf(quotient, exponent, a.negative !== b.negative);
}

/** The remainder with the dividend's sign, as C's `fmod`. */
export function remainderDecimal(left: Decimal128, right: Decimal128): Decimal128 {
  const [a, b] = [parse(left), parse(right)];
  if (typeof a === 'string' || typeof b === 'string' || b.coefficient === 0n) {
    return typeof a !== 'string' && typeof b === 'string' && b !== 'NaN' ? left : special(Number.NaN);
  }
  const exponent = Math.min(a.exponent, b.exponent);
  return decimalOf(scaled(a, exponent) % scaled(b, exponent), exponent, a.negative);
}

export type Rounding = 'trunc' | 'floor' | 'ceil' | 'half-even';

/**
 * The value with `place` digits after the point, rounded or padded (negative: zeros before it); NaN where that takes more
 * than 34 digits, and for the infinities (IEEE 754's `quantize`).
 */
export function quantize(value: Decimal128, place: number, rounding: Rounding): Decimal128 {
  const a = parse(value);
  if (typeof a === 'string') return special(Number.NaN);
  const excess = -a.exponent - place;
  // Nothing is left of what is that far below the last place, but its sign may decide the rounding.
  const unit = 10n ** BigInt(Math.min(Math.max(excess, 0), 2 * DIGITS));
  if (-excess > 2 * DIGITS && a.coefficient !== 0n) return special(Number.NaN);
  const coefficient =
    excess >= 0
      ? divideRounded(a.coefficient, unit, rounding)
      : a.coefficient * 10n ** BigInt(Math.min(-excess, 2 * DIGITS));
  return digits(coefficient) > DIGITS ? special(Number.NaN) : decimalOf(coefficient, -place, a.negative);
}

/** The square root, exact where it has no more than 34 digits. */
export function squareRootDecimal(value: Decimal128): Decimal128 {
  const a = parse(value);
  if (a === 'NaN' || a === '-Infinity' || (typeof a !== 'string' && a.coefficient < 0n)) return special(Number.NaN);
  if (a === 'Infinity' || typeof a === 'string') return value;
  const ideal = Math.floor(a.exponent / 2);
  if (a.coefficient === 0n) return decimalOf(0n, ideal, a.negative);
  const shift = 2 * DIGITS + 2 * GUARD_DIGITS + (a.exponent % 2 === 0 ? 0 : 1);
  const scaledUp = a.coefficient * 10n ** BigInt(shift);
  let root = integerRoot(scaledUp);
  let exponent = (a.exponent - shift) / 2;
  if (root * root !== scaledUp) {
    // A sticky digit, so that the rounding sees that the true root lies beyond.
    root = root * 10n + 1n;
    exponent -= 1;
  } else {
    while (exponent < ideal && root % 10n === 0n) {
      root /= 10n;
      exponent += 1;
    }
  }
  return decimalOf(root, exponent, false);
}

/** The greatest integer whose square is not above the value, by Newton's method from above. */
function integerRoot(value: bigint): bigint {
  let root = 1n << BigInt((value.toString(2).length + 1) >> 1);
  for (;;) {
    const next = (root + value / root) >> 1n;
    if (next >= root) return root;
    root = next;
  }
}

/** A double's own value with 34 significant digits, or as many as it has where those are fewer. */
export function decimalFromDoubleExactly(value: number): Decimal128 {
  if (!Number.isFinite(value)) return special(value);
  let { coefficient, exponent } = doubleValue(value);
  for (; exponent < 0 && coefficient % 10n === 0n; exponent++) coefficient /= 10n;
  return decimalOf(coefficient, exponent, Object.is(value, -0));
}

/** The integer part, or undefined for what is not finite. */
export function decimalToBigint(value: Decimal128, rounding: Rounding = 'trunc'): bigint | undefined {
  const a = parse(value);
  if (typeof a === 'string') return undefined;
  if (a.exponent >= 0) return a.exponent > 2 * DIGITS && a.coefficient !== 0n ? undefined : scaled(a, 0);
  if (-a.exponent > 2 * DIGITS) return rounding === 'trunc' || a.coefficient === 0n ? 0n : undefined;
  return divideRounded(a.coefficient, 10n ** BigInt(-a.exponent), rounding);
}

/** Whether the value is finite and has no fraction. */
export function isIntegral(value: Decimal128): boolean {
  const a = parse(value);
  if (typeof a === 'string') return false;
  if (a.exponent >= 0 || a.coefficient === 0n) return true;
  return -a.exponent <= DIGITS && a.coefficient % 10n ** BigInt(-a.exponent) === 0n;
}

/** A double as MongoDB turns it into a decimal: 15 significant digits, trailing zeros kept. */
export function decimalFromDouble(value: number): Decimal128 {
  if (!Number.isFinite(value)) return special(value);
  if (value === 0) return Decimal128.fromString(Object.is(value, -0) ? '-0' : '0');
  return Decimal128.fromString(value.toPrecision(15));
}

function parse(value: Decimal128): Finite | Special {
  const view = new DataView(value.bytes.buffer, value.bytes.byteOffset, 16);
  const high = view.getBigUint64(8, true);
  const low = view.getBigUint64(0, true);
  const negative = high >> 63n === 1n;
  const combination = (high >> 58n) & 0x1fn;
  if (combination === 0x1fn) return 'NaN';
  if (combination === 0x1en) return negative ? '-Infinity' : 'Infinity';
  // The second form of the encoding can only hold coefficients beyond 34 digits, which count as zero.
  const second = ((high >> 61n) & 3n) === 3n;
  const exponent = Number((high >> (second ? 47n : 49n)) & 0x3fffn) + MIN_EXPONENT;
  const magnitude = second ? 0n : ((high & 0x1ffffffffffffn) << 64n) | low;
  const coefficient = magnitude >= LIMIT ? 0n : magnitude;
  return { coefficient: negative ? -coefficient : coefficient, exponent, negative };
}

/** Of a coefficient of any size: rounded to 34 digits, infinite beyond the exponents. `negative` is for zeros. */
export function decimalOf(coefficient: bigint, exponent: number, negative: boolean): Decimal128 {
  let [value, power] = [coefficient, exponent];
  const excess = Math.max(digits(value) - DIGITS, MIN_EXPONENT - power);
  if (excess > 0) {
    value = excess > 4 * DIGITS + 40 ? 0n : divideRounded(value, 10n ** BigInt(excess), 'half-even');
    power += excess;
    if (digits(value) > DIGITS) {
      value /= 10n;
      power += 1;
    }
  }
  while (power > MAX_EXPONENT && value !== 0n && digits(value) < DIGITS) {
    value *= 10n;
    power -= 1;
  }
  if (power > MAX_EXPONENT) {
    if (value !== 0n) return special(negative ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY);
    power = MAX_EXPONENT;
  }
  const magnitude = value < 0n ? -value : value;
  return Decimal128.fromString(`${value < 0n || (value === 0n && negative) ? '-' : ''}${magnitude}E${power}`);
}

function special(value: number): Decimal128 {
  return Decimal128.fromString(Number.isNaN(value) ? 'NaN' : value > 0 ? 'Infinity' : value < 0 ? '-Infinity' : '0');
}

function toNumber(value: Finite | Special): number {
  if (typeof value === 'string') return Number(value);
  return value.coefficient === 0n ? (value.negative ? -0 : 0) : value.negative ? -1 : 1;
}

function scaled(value: Finite, exponent: number): bigint {
  return value.coefficient * 10n ** BigInt(value.exponent - exponent);
}

function dominates(a: Finite, b: Finite): boolean {
  return digits(a.coefficient) + a.exponent > digits(b.coefficient) + b.exponent;
}

function digits(value: bigint): number {
  return value === 0n ? 0 : (value < 0n ? -value : value).toString().length;
}

function divideRounded(value: bigint, unit: bigint, rounding: Rounding): bigint {
  const quotient = value / unit;
  const rest = value % unit;
  if (rest === 0n) return quotient;
  const away = value < 0n ? -1n : 1n;
  if (rounding === 'floor') return rest < 0n ? quotient - 1n : quotient;
  if (rounding === 'ceil') return rest > 0n ? quotient + 1n : quotient;
  if (rounding === 'trunc') return quotient;
  const twice = (rest < 0n ? -rest : rest) * 2n;
  return twice > unit || (twice === unit && quotient % 2n !== 0n) ? quotient + away : quotient;
}

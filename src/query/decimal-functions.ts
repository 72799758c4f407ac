import { Decimal } from 'decimal.js';
import { Decimal128 } from '../bson/index.ts';
import { decimalOf, divideDecimal, MIN_EXPONENT } from './decimal.ts';
import { notImplemented } from './error.ts';

/**
 * Transcendental functions of Decimal128, through decimal.js: calculated with guard digits and rounded once, so that the
 * 34 digits are right. MongoDB's library is right but for the last digit or two.
 */
const DIGITS = 34;
const GUARD_DIGITS = 16;
const Wide = Decimal.clone({
  precision: DIGITS + GUARD_DIGITS,
  rounding: Decimal.ROUND_HALF_EVEN,
  maxE: 10_000,
  minE: -10_000,
});

type Unary = (value: Decimal128) => Decimal128;

function unary(apply: (value: Decimal) => Decimal): Unary {
  return (value) => calculated(() => apply(wide(value)));
}

/** Throws NotImplemented for angles so great that decimal.js has not the digits of pi to take the turns off. */
function calculated(apply: () => Decimal): Decimal128 {
  try {
    return narrow(apply());
  } catch (error) {
    if (!(error instanceof Error) || !error.message.includes('DecimalError')) throw error;
    throw notImplemented('DiscoDB does not know enough digits of pi for an angle that great');
  }
}

export const decimalFunctions = {
  exp: unary((value) => value.exp()),
  ln: unary((value) => value.ln()),
  log10: unary((value) => value.log(10)),
  sin: unary((value) => value.sin()),
  cos: unary((value) => value.cos()),
  tan: unary((value) => value.tan()),
  asin: unary((value) => value.asin()),
  acos: unary((value) => value.acos()),
  atan: unary((value) => value.atan()),
  sinh: unary((value) => value.sinh()),
  cosh: unary((value) => value.cosh()),
  tanh: unary((value) => value.tanh()),
  asinh: unary((value) => value.asinh()),
  acosh: unary((value) => value.acosh()),
  atanh: unary((value) => value.atanh()),
} satisfies Record<string, Unary>;

/** Intel's library, which MongoDB calculates by, comes back from binary: a power has all 34 digits. */
export function decimalPower(base: Decimal128, exponent: Decimal128): Decimal128 {
  return full(wide(base).pow(wide(exponent)));
}

/** By two natural logarithms, each rounded (`Decimal128::log`). */
export function decimalLogarithm(value: Decimal128, base: Decimal128): Decimal128 {
  return divideDecimal(decimalFunctions.ln(value), decimalFunctions.ln(base));
}

export function decimalArcTangent(y: Decimal128, x: Decimal128): Decimal128 {
  return calculated(() => Wide.atan2(wide(y), wide(x)));
}

function wide(value: Decimal128): Decimal {
  return new Wide(value.toString());
}

/** With all the digits that there are; a zero has no sign. */
function full(value: Decimal): Decimal128 {
  if (!value.isFinite()) return Decimal128.fromString(value.toString());
  if (value.isZero()) return decimalOf(0n, MIN_EXPONENT, false);
  const [mantissa, exponent] = value.toExponential(DIGITS - 1).split('e') as [string, string];
  return decimalOf(BigInt(mantissa.replace('.', '')), Number(exponent) - (DIGITS - 1), value.isNegative());
}

/** Whole numbers come back with no exponent. */
function narrow(value: Decimal): Decimal128 {
  if (!value.isFinite()) return Decimal128.fromString(value.toString());
  const [mantissa, exponent] = value.toExponential().split('e') as [string, string];
  const [whole, fraction = ''] = mantissa.split('.') as [string, string?];
  const places = Number(exponent) - fraction.length;
  const digits = BigInt(whole + fraction);
  const isSmall = places > 0 && Number(exponent) < DIGITS;
  return decimalOf(isSmall ? digits * 10n ** BigInt(places) : digits, isSmall ? 0 : places, value.isNegative());
}

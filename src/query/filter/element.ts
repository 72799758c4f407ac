import { TYPE, typeNumber, type Value } from '../../bson/index.ts';
import { badValue, failedToParse, typeMismatch } from '../error.ts';
import { asBadValue, nonNegativeInt } from '../integer.ts';
import { clampedLong, exactLong, toDouble } from '../number.ts';
import { isArray, isNumeric, MISSING, type Numeric, truthy } from '../value.ts';
import { leaf, not, type Predicate } from './predicate.ts';

export function exists(operand: Value): Predicate {
  const found = leaf((value) => value !== MISSING);
  return truthy(operand) ? found : not(found);
}

const TYPE_NUMBERS = new Map<string, number>(Object.entries(TYPE));
const TYPES = new Set(TYPE_NUMBERS.values());
const NUMBER_TYPES = [TYPE.double, TYPE.int, TYPE.long, TYPE.decimal];

export function hasType(operand: Value, path: string): Predicate {
  const wanted = new Set((isArray(operand) ? operand : [operand]).flatMap(typeNumbers));
  if (wanted.size === 0) throw failedToParse(`${path} must match at least one type`);
  return leaf((value) => value !== MISSING && wanted.has(typeNumber(value)));
}

function typeNumbers(alias: Value): readonly number[] {
  if (typeof alias === 'string') {
    if (alias === 'number') return NUMBER_TYPES;
    if (alias === 'missing') {
      throw badValue("'missing' is not a legal type name. To query for non-existence of a field, use {$exists:false}.");
    }
    const type = TYPE_NUMBERS.get(alias);
    if (type === undefined) throw badValue(`Unknown type name alias: ${alias}`);
    return [type];
  }
  if (!isNumeric(alias)) throw typeMismatch('type must be represented as a number or a string');
  const code = exactLong(alias);
  if (code === 0n) throw badValue('Invalid numerical type code: 0. Instead use {$exists:false}.');
  if (code === undefined || !TYPES.has(Number(code))) {
    throw badValue(`Invalid numerical type code: ${toDouble(alias)}`);
  }
  return [Number(code)];
}

export function hasSize(operand: Value): Predicate {
  const size = asBadValue('Failed to parse $size. ', () => nonNegativeInt('$size', operand));
  return leaf((value) => isArray(value) && value.length === size, { spread: false });
}

export function hasRemainder(operand: Value): Predicate {
  if (!isArray(operand)) throw badValue('malformed mod, needs to be an array');
  if (operand.length < 2) throw badValue('malformed mod, not enough elements');
  const [divisor, rest] = operand;
  if (!isNumeric(divisor)) throw badValue('malformed mod, divisor not a number');
  if (!isNumeric(rest)) throw badValue('malformed mod, remainder not a number');
  if (operand.length > 2) throw badValue('malformed mod, too many elements');
  const by = coerced(divisor);
  if (typeof by === 'string') throw badValue(`malformed mod, divisor value is invalid :: caused by :: ${by}`);
  const wanted = coerced(rest);
  if (typeof wanted === 'string') throw badValue(`malformed mod, remainder value is invalid :: caused by :: ${wanted}`);
  if (by === 0n) throw badValue('divisor cannot be 0');
  return leaf((value) => {
    const dividend = isNumeric(value) ? coerced(value) : '';
    return typeof dividend === 'bigint' && dividend % by === wanted;
  });
}

/** The int64 that is left when the fraction is cut off, or why there is none. */
function coerced(value: Numeric): bigint | string {
  const double = toDouble(value);
  if (!Number.isFinite(double)) return 'Unable to coerce NaN/Inf to integral type';
  if (typeof value === 'number' ? double >= 2 ** 63 || double < -(2 ** 63) : Math.abs(double) > 2 ** 63) {
    return 'Out of bounds coercing to integral value';
  }
  return clampedLong(value, 'trunc');
}

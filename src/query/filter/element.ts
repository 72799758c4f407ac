import { TYPE, typeNumber, type Value } from '../../bson/index.ts';
import { badValue, failedToParse, typeMismatch } from '../error.ts';
import { clampedLong, exactLong, toDouble } from '../number.ts';
import { element, format, isArray, isNumeric, MISSING, truthy } from '../value.ts';
import { leaf, not, type Predicate } from './predicate.ts';

export function exists(operand: Value): Predicate {
  const found = leaf((value) => value !== MISSING);
  return truthy(operand) ? found : not(found);
}

const TYPE_NUMBERS = new Map<string, number>(Object.entries(TYPE));
const TYPES = new Set(TYPE_NUMBERS.values());
const NUMBER_TYPES = [TYPE.double, TYPE.int, TYPE.long, TYPE.decimal];

export function hasType(operand: Value): Predicate {
  const wanted = new Set((isArray(operand) ? operand : [operand]).flatMap(typeNumbers));
  if (wanted.size === 0) throw failedToParse('$type must match at least one type');
  return leaf((value) => value !== MISSING && wanted.has(typeNumber(value)));
}

function typeNumbers(alias: Value): readonly number[] {
  if (typeof alias === 'string') {
    if (alias === 'number') return NUMBER_TYPES;
    const type = TYPE_NUMBERS.get(alias);
    if (type === undefined) throw badValue(`Unknown type name alias: ${alias}`);
    return [type];
  }
  if (!isNumeric(alias)) throw typeMismatch('type must be represented as a number or a string');
  const code = exactLong(alias);
  if (code === undefined || !TYPES.has(Number(code))) throw badValue(`Invalid numerical type code: ${format(alias)}`);
  return [Number(code)];
}

export function hasSize(operand: Value): Predicate {
  if (!isNumeric(operand))
    throw failedToParse(`Failed to parse $size. Expected a number in: ${element('$size', operand)}`);
  const size = exactLong(operand);
  if (size === undefined) {
    throw failedToParse(`Failed to parse $size. Expected an integer: ${element('$size', operand)}`);
  }
  if (size < 0n)
    throw failedToParse(`Failed to parse $size. Expected a non-negative number in: ${element('$size', operand)}`);
  return leaf((value) => isArray(value) && value.length === Number(size), false);
}

export function hasRemainder(operand: Value): Predicate {
  if (!isArray(operand)) throw badValue('malformed mod, needs to be an array');
  if (operand.length < 2) throw badValue('malformed mod, not enough elements');
  const [divisor, rest] = operand;
  if (!isNumeric(divisor)) throw badValue('malformed mod, divisor not a number');
  if (!isNumeric(rest)) throw badValue('malformed mod, remainder not a number');
  if (operand.length > 2) throw badValue('malformed mod, too many elements');
  if (!Number.isFinite(toDouble(divisor))) {
    throw badValue('malformed mod, divisor value is invalid :: caused by :: Unable to coerce NaN/Inf to integral type');
  }
  if (!Number.isFinite(toDouble(rest))) {
    throw badValue(
      'malformed mod, remainder value is invalid :: caused by :: Unable to coerce NaN/Inf to integral type',
    );
  }
  const by = clampedLong(divisor);
  const wanted = clampedLong(rest);
  if (by === 0n) throw badValue('divisor cannot be 0');
  return leaf((value) => {
    if (!isNumeric(value) || !Number.isFinite(toDouble(value))) return false;
    return clampedLong(value) % by === wanted;
  });
}

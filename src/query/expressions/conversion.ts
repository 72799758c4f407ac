import { CodedError } from '../../base/index.ts';
import { Binary, Decimal128, Int32, ObjectId, Timestamp, type Value } from '../../bson/index.ts';
import { decimalFromDouble, decimalToBigint } from '../decimal.ts';
import { failedToParse } from '../error.ts';
import { fitsInt64, INT32_MAX, INT32_MIN, toDecimal, toDouble } from '../number.ts';
import { type Found, format, isNullish, isNumeric, type Numeric, truthy, typeName } from '../value.ts';
import { dateText } from './date-text.ts';
import { type Expression, namedArguments, type Operator, type Operators, unary } from './types.ts';

export const conversions: Operators = {
  $type: unary((value) => typeName(value)),
  $isNumber: unary((value) => isNumeric(value)),
  $toBool: unary((value) => convert(value, 'bool')),
  $toInt: unary((value) => convert(value, 'int')),
  $toLong: unary((value) => convert(value, 'long')),
  $toDouble: unary((value) => convert(value, 'double')),
  $toDecimal: unary((value) => convert(value, 'decimal')),
  $toDate: unary((value) => convert(value, 'date')),
  $toString: unary((value) => convert(value, 'string')),
  $toObjectId: unary((value) => convert(value, 'objectId')),
  $convert: conversion,
};

const TARGETS: Readonly<Record<string, (value: Value) => Found>> = {
  bool: (value) => truthy(value),
  int: (value) => new Int32(Number(integer(value, 'int', BigInt(INT32_MIN), BigInt(INT32_MAX)))),
  long: (value) => integer(value, 'long', -(2n ** 63n), 2n ** 63n - 1n),
  double: toDoubleValue,
  decimal: toDecimalValue,
  date: toDateValue,
  string: toStringValue,
  objectId: toObjectIdValue,
};
const TARGET_CODES: Readonly<Record<number, string>> = {
  1: 'double',
  2: 'string',
  7: 'objectId',
  8: 'bool',
  9: 'date',
  16: 'int',
  18: 'long',
  19: 'decimal',
};

function convert(value: Found, to: string): Found {
  if (isNullish(value)) return null;
  return TARGETS[to]!(value);
}

function conversion(...[operand, compiler, name]: Parameters<Operator>): Expression {
  const args = namedArguments(
    name,
    operand,
    ['input', 'to'],
    ['onError', 'onNull', 'format', 'byteOrder', 'base'],
    'FailedToParse',
  );
  const input = compiler.compile(args.get('input'));
  const to = compiler.compile(args.get('to'));
  const onNull = args.has('onNull') ? compiler.compile(args.get('onNull')) : undefined;
  const onError = args.has('onError') ? compiler.compile(args.get('onError')) : undefined;
  return (scope) => {
    const value = input(scope);
    const target = to(scope);
    if (isNullish(value)) return onNull ? onNull(scope) : null;
    if (isNullish(target)) return null;
    const type = isNumeric(target) ? TARGET_CODES[toDouble(target)] : target;
    if (typeof type !== 'string' || !(type in TARGETS)) throw failedToParse(`Unknown type name: ${format(target)}`);
    try {
      return convert(value, type);
    } catch (error) {
      if (onError && error instanceof CodedError && error.codeName === 'ConversionFailure') return onError(scope);
      throw error;
    }
  };
}

function integer(value: Value, type: 'int' | 'long', min: bigint, max: bigint): bigint {
  const long = integerOf(value, type);
  if (long === undefined || long < min || long > max) {
    throw failure(`Conversion would overflow target type in $convert with no onError value: ${format(value)}`);
  }
  return long;
}

/** Undefined for what is not finite. */
function integerOf(value: Value, type: string): bigint | undefined {
  if (typeof value === 'boolean') return value ? 1n : 0n;
  if (value instanceof Int32) return BigInt(value.value);
  if (typeof value === 'bigint') return value;
  if (typeof value === 'number') return Number.isFinite(value) ? BigInt(Math.trunc(value)) : undefined;
  if (value instanceof Decimal128) return decimalToBigint(value);
  if (value instanceof Date && type === 'long') return BigInt(value.getTime());
  if (typeof value === 'string') {
    if (!/^[+-]?\d+$/.test(value)) throw unparsable(value, 'Bad digit in');
    const long = BigInt(value.replace(/^\+/, ''));
    if (!fitsInt64(long)) throw unparsable(value, 'Overflow in');
    return long;
  }
  throw unsupported(value, type);
}

function toDoubleValue(value: Value): number {
  if (typeof value === 'boolean') return value ? 1 : 0;
  if (isNumeric(value)) return toDouble(value);
  if (value instanceof Date) return value.getTime();
  if (typeof value !== 'string') throw unsupported(value, 'double');
  if (!/^[+-]?(\d+\.?\d*([eE][+-]?\d+)?|\.\d+([eE][+-]?\d+)?|Infinity|NaN)$/.test(value)) {
    throw unparsable(value, 'Did not consume whole string in');
  }
  return Number(value);
}

function toDecimalValue(value: Value): Decimal128 {
  if (typeof value === 'boolean') return toDecimal(new Int32(value ? 1 : 0));
  if (isNumeric(value)) return typeof value === 'number' ? decimalFromDouble(value) : toDecimal(value);
  if (value instanceof Date) return Decimal128.fromString(String(value.getTime()));
  if (typeof value !== 'string') throw unsupported(value, 'decimal');
  try {
    return Decimal128.fromString(value);
  } catch {
    throw unparsable(value, 'Failed to parse string to decimal');
  }
}

function toDateValue(value: Value): Date {
  if (value instanceof Date) return value;
  if (value instanceof ObjectId) return value.getTimestamp();
  if (value instanceof Timestamp) return new Date(value.high * 1000);
  if (isNumeric(value) && !(value instanceof Int32)) return millisecondDate(value);
  if (typeof value !== 'string') throw unsupported(value, 'date');
  // Only ISO 8601: Date.parse alone would take much else, in the machine's time zone.
  const iso = /^(\d{4}-\d{2}-\d{2})([T ](\d{2}:\d{2}(:\d{2}([.,]\d+)?)?)?\s*(Z|[+-]\d{2}:?\d{2})?)?$/.exec(value);
  const zone = iso?.[6]?.replace(/^([+-]\d{2})(\d{2})$/, '$1:$2') ?? 'Z';
  const date = iso ? new Date(`${iso[1]}T${(iso[3] ?? '00:00').replace(',', '.')}${zone}`) : undefined;
  if (!date || Number.isNaN(date.getTime())) {
    throw failure(`Error parsing date string '${value}' in $convert with no onError value`);
  }
  return date;
}

function millisecondDate(value: Numeric): Date {
  const date = new Date(Math.trunc(toDouble(value)));
  if (Number.isNaN(date.getTime()))
    throw failure(`Conversion would overflow target type in $convert with no onError value: ${format(value)}`);
  return date;
}

function toStringValue(value: Value): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'boolean') return String(value);
  if (value instanceof Int32) return String(value.value);
  if (isNumeric(value)) return value.toString();
  if (value instanceof ObjectId) return value.toHexString();
  if (value instanceof Date) return dateText(value);
  if (value instanceof Binary && value.sub_type === Binary.SUBTYPE_UUID) return value.toUUID().toString();
  throw unsupported(value, 'string');
}

function toObjectIdValue(value: Value): ObjectId {
  if (value instanceof ObjectId) return value;
  if (typeof value !== 'string') throw unsupported(value, 'objectId');
  if (!/^[0-9a-fA-F]{24}$/.test(value)) {
    throw failure(
      `Failed to parse objectId '${value}' in $convert with no onError value: Invalid string length for parsing to OID, expected 24 but found ${value.length}`,
    );
  }
  return new ObjectId(value);
}

function unsupported(value: Value, to: string): CodedError {
  return failure(`Unsupported conversion from ${typeName(value)} to ${to} in $convert with no onError value`);
}

function unparsable(text: string, reason: string): CodedError {
  return failure(`Failed to parse number '${text}' in $convert with no onError value: ${reason} "${text}"`);
}

function failure(message: string): CodedError {
  return new CodedError('ConversionFailure', message);
}

import type { CodedError } from '../../base/index.ts';
import {
  Binary,
  Decimal128,
  dateFromMillis,
  dateMillis,
  Int32,
  ObjectId,
  Timestamp,
  type TypeAlias,
  type Value,
} from '../../bson/index.ts';
import { ISO_UTC, parseDate, UTC } from '../dates/index.ts';
import { decimalFromDouble, decimalToBigint } from '../decimal.ts';
import { conversionFailure, located } from '../error.ts';
import { fitsInt64, INT32_MAX, INT32_MIN, toDecimal, toDouble } from '../number.ts';
import { isNumeric, truthy, typeName, valueText } from '../value.ts';
import { type BinaryFormat, binaryToText, textToBinary } from './binary-text.ts';
import { instantOf } from './date.ts';
import { parseDecimal, parseDouble, parseInteger } from './number-text.ts';

export interface ConversionOptions {
  readonly type: TypeAlias;
  /** Of a binary result. */
  readonly subtype?: number;
  /** Between texts and binary values. */
  readonly format?: BinaryFormat | undefined;
}

/** Converts a value that is not null. Throws ConversionFailure for pairs of types that do not go, and values that do not fit. */
export function convertValue(value: Value, options: ConversionOptions): Value {
  switch (options.type) {
    case 'bool':
      return truthy(value);
    case 'int':
      return new Int32(Number(inRange(value, toInteger(value, 'int'), BigInt(INT32_MIN), BigInt(INT32_MAX))));
    case 'long':
      return inRange(value, toInteger(value, 'long'), -(2n ** 63n), 2n ** 63n - 1n);
    case 'double':
      return toDoubleValue(value);
    case 'decimal':
      return toDecimalValue(value);
    case 'date':
      return toDateValue(value);
    case 'string':
      return toText(value, options);
    case 'objectId':
      return toObjectId(value);
    case 'binData':
      return toBinary(value, options);
    default:
      throw unsupported(value, options.type);
  }
}

function unsupported(value: Value, to: string): CodedError {
  return conversionFailure(`Unsupported conversion from ${typeName(value)} to ${to} in $convert with no onError value`);
}

function overflow(shown: string): CodedError {
  return conversionFailure(`Conversion would overflow target type in $convert with no onError value: ${shown}`);
}

function inRange(value: Value, long: bigint, min: bigint, max: bigint): bigint {
  if (long >= min && long <= max) return long;
  // Of an int64 MongoDB does not tell which it was.
  throw overflow(typeof value === 'bigint' ? '' : valueText(value));
}

function toInteger(value: Value, type: 'int' | 'long'): bigint {
  if (typeof value === 'boolean') return value ? 1n : 0n;
  if (value instanceof Int32) return BigInt(value.value);
  if (typeof value === 'bigint') return value;
  if (typeof value === 'number' || value instanceof Decimal128) return wholePart(value);
  if (value instanceof Date && type === 'long') return BigInt(dateMillis(value));
  if (typeof value === 'string') return parseInteger(value, type);
  throw unsupported(value, type);
}

function wholePart(value: number | Decimal128): bigint {
  const double = toDouble(value);
  if (Number.isNaN(double)) {
    throw conversionFailure('Attempt to convert NaN value to integer type in $convert with no onError value');
  }
  if (!Number.isFinite(double) && (typeof value === 'number' || decimalToBigint(value) === undefined)) {
    if (typeof value !== 'number' && !value.toString().includes('Infinity')) throw overflow(value.toString());
    throw conversionFailure('Attempt to convert infinity value to integer type in $convert with no onError value');
  }
  if (typeof value === 'number') return BigInt(Math.trunc(value));
  const long = decimalToBigint(value);
  if (long === undefined) throw overflow(value.toString());
  return long;
}

function toDoubleValue(value: Value): number {
  if (typeof value === 'boolean') return value ? 1 : 0;
  if (value instanceof Date) return Number(dateMillis(value));
  if (typeof value === 'string') return parseDouble(value);
  if (!isNumeric(value)) throw unsupported(value, 'double');
  const double = toDouble(value);
  if (value instanceof Decimal128 && leftRange(value, double)) throw overflow(value.toString());
  return double;
}

/** Whether a finite decimal became infinite, or one that is not zero became zero. */
function leftRange(value: Decimal128, double: number): boolean {
  if (Number.isNaN(double)) return false;
  return double === 0 ? truthy(value) : !Number.isFinite(double) && !value.toString().includes('Infinity');
}

function toDecimalValue(value: Value): Decimal128 {
  if (typeof value === 'boolean') return toDecimal(new Int32(value ? 1 : 0));
  if (value instanceof Date) return Decimal128.fromString(String(dateMillis(value)));
  if (typeof value === 'string') return parseDecimal(value);
  if (!isNumeric(value)) throw unsupported(value, 'decimal');
  return typeof value === 'number' ? decimalFromDouble(value) : toDecimal(value);
}

function toDateValue(value: Value): Date {
  if (value instanceof Date) return value;
  if (value instanceof ObjectId || value instanceof Timestamp) return new Date(instantOf(value));
  if (typeof value === 'string') return parseDate(value, UTC);
  if (!isNumeric(value) || value instanceof Int32) throw unsupported(value, 'date');
  const millis = typeof value === 'bigint' ? value : wholePart(value);
  if (!fitsInt64(millis)) throw overflow(valueText(value));
  return dateFromMillis(millis);
}

function toText(value: Value, { format: textFormat }: ConversionOptions): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'boolean') return String(value);
  if (value instanceof Int32) return String(value.value);
  if (typeof value === 'number') return doubleText(value);
  if (isNumeric(value)) return value.toString();
  if (value instanceof ObjectId) return value.toHexString();
  if (value instanceof Date) return ISO_UTC(instantOf(value), UTC);
  if (!(value instanceof Binary)) throw unsupported(value, 'string');
  return binaryToText(value, needed(textFormat, value, 'string'));
}

/** The shortest digits that stand for a double, with an exponent from 1e16 on and below 1e-4. */
function doubleText(value: number): string {
  if (Object.is(value, -0)) return '-0';
  const size = Math.abs(value);
  if (size === 0 || !Number.isFinite(value) || (size >= 1e-4 && size < 1e16)) return String(value);
  const [digits, exponent] = value.toExponential().split('e') as [string, string];
  return `${digits}e${exponent[0]}${exponent.slice(1).padStart(2, '0')}`;
}

function needed(textFormat: BinaryFormat | undefined, value: Value, to: string): BinaryFormat {
  if (textFormat !== undefined) return textFormat;
  // The misspelling is MongoDB's.
  throw located(4341115, `Format must be speficied when converting from '${typeName(value)}' to '${to}'`);
}

function toObjectId(value: Value): ObjectId {
  if (value instanceof ObjectId) return value;
  if (typeof value !== 'string') throw unsupported(value, 'objectId');
  if (/^[0-9a-fA-F]{24}$/.test(value)) return new ObjectId(value);
  const bad = /[^0-9a-fA-F]/.exec(value);
  const reason =
    value.length !== 24
      ? `Invalid string length for parsing to OID, expected 24 but found ${value.length}`
      : `Invalid character found in hex string: ${bad?.[0]}`;
  throw conversionFailure(`Failed to parse objectId '${value}' in $convert with no onError value: ${reason}`);
}

function toBinary(value: Value, { subtype = 0, format: textFormat }: ConversionOptions): Binary {
  if (typeof value === 'string') return textToBinary(value, needed(textFormat, value, 'binData'), subtype);
  if (!(value instanceof Binary)) throw unsupported(value, 'binData');
  if (value.sub_type === subtype) return value;
  throw conversionFailure('Conversions between different BinData subtypes are not supported');
}

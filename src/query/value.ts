import {
  Binary,
  BSONRegExp,
  BSONSymbol,
  Code,
  DBRef,
  Decimal128,
  type Doc,
  Int32,
  MaxKey,
  MinKey,
  ObjectId,
  Timestamp,
  typeAlias,
  type Value,
} from '../bson/index.ts';

/** The absence of a field, told apart from every BSON value. Not itself a value. */
export const MISSING: unique symbol = Symbol('missing');
export type Missing = typeof MISSING;
/** What a path or an expression gives. */
export type Found = Value | Missing;

export function isDoc(value: Found): value is Doc {
  return value instanceof Map;
}

export function isArray(value: Found): value is Value[] {
  return Array.isArray(value);
}

/** MongoDB's "nullish": null, the deprecated undefined, and nothing at all. */
export function isNullish(value: Found): value is null | undefined | Missing {
  return value === null || value === undefined || value === MISSING;
}

export type Numeric = number | bigint | Int32 | Decimal128;

export function isNumeric(value: Found): value is Numeric {
  return (
    typeof value === 'number' || typeof value === 'bigint' || value instanceof Int32 || value instanceof Decimal128
  );
}

/** A type's name as MongoDB's messages give it; `missing` for no value. */
export function typeName(value: Found): string {
  return value === MISSING ? 'missing' : typeAlias(value);
}

/**
 * The bracket of types that MongoDB compares with one another (`canonicalizeBSONType` in bsontypes.h): all numbers
 * are one bracket, strings and symbols another.
 */
export function bracket(value: Found): number {
  if (value === MISSING || value === undefined) return 0;
  if (value === null) return 5;
  switch (typeof value) {
    case 'number':
    case 'bigint':
      return 10;
    case 'string':
      return 15;
    case 'boolean':
      return 40;
  }
  if (value instanceof Int32 || value instanceof Decimal128) return 10;
  if (value instanceof Map) return 20;
  if (Array.isArray(value)) return 25;
  if (value instanceof ObjectId) return 35;
  if (value instanceof Date) return 45;
  if (value instanceof Binary) return 30;
  if (value instanceof BSONSymbol) return 15;
  if (value instanceof Timestamp) return 47;
  if (value instanceof BSONRegExp) return 50;
  if (value instanceof DBRef) return 55;
  if (value instanceof Code) return value.scope ? 65 : 60;
  if (value instanceof MinKey) return -1;
  if (value instanceof MaxKey) return 127;
  return 20;
}

/** Truth as expressions see it: null, missing, undefined, false and zero are false, all else (NaN too) is true. */
export function truthy(value: Found): boolean {
  if (isNullish(value) || value === false) return false;
  if (typeof value === 'number') return value !== 0;
  if (typeof value === 'bigint') return value !== 0n;
  if (value instanceof Int32) return value.value !== 0;
  if (value instanceof Decimal128) return !/^-?0(\.0*)?(E|$)/.test(value.toString());
  return true;
}

/** Where nothing can be missing: in arrays, in keys. */
export function orNull(value: Found): Value {
  return value === MISSING ? null : value;
}

/** The text of a string or of the deprecated symbol type. */
export function textOf(value: Found): string | undefined {
  if (typeof value === 'string') return value;
  return value instanceof BSONSymbol ? value.value : undefined;
}

/** A value as MongoDB prints it in error messages. */
export function format(value: Found): string {
  if (value === MISSING) return 'MISSING';
  if (value === null) return 'null';
  if (value === undefined) return 'undefined';
  if (typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint') return numberText(value);
  if (value instanceof Int32) return String(value.value);
  if (value instanceof Decimal128) return value.toString();
  if (value instanceof Date) return `new Date(${value.getTime()})`;
  if (value instanceof ObjectId) return `ObjectId('${value.toHexString()}')`;
  if (value instanceof BSONRegExp) return `/${value.pattern}/${value.options}`;
  if (value instanceof Timestamp) return `Timestamp(${value.high}, ${value.low})`;
  if (value instanceof Binary) return `BinData(${value.sub_type}, ${value.toString('hex').toUpperCase()})`;
  if (value instanceof MinKey) return 'MinKey';
  if (value instanceof MaxKey) return 'MaxKey';
  if (isArray(value)) return value.length === 0 ? '[]' : `[ ${value.map(format).join(', ')} ]`;
  if (isDoc(value)) return value.size === 0 ? '{}' : `{ ${[...value].map(([k, v]) => element(k, v)).join(', ')} }`;
  return typeName(value);
}

/**
 * A value as MongoDB prints it where it has been evaluated (`Value::toString`), not as it stands in a command: `[1, 2]`,
 * `{a: 1}`, `1.23457e+06`.
 */
export function valueText(value: Found): string {
  if (typeof value === 'string') return `"${value}"`;
  if (typeof value === 'number') return shortText(value);
  if (value instanceof ObjectId) return value.toHexString();
  if (value instanceof Date) return dateText(value);
  if (value instanceof Binary) return `BinData(${value.sub_type}, "${value.toString('hex').toUpperCase()}")`;
  if (isArray(value)) return `[${value.map(valueText).join(', ')}]`;
  if (isDoc(value)) return `{${[...value].map(([name, item]) => `${name}: ${valueText(item)}`).join(', ')}}`;
  return format(value);
}

/** A field with its value as MongoDB prints them: `a: 1`. */
export function element(name: string, value: Found): string {
  return `${name}: ${format(value)}`;
}

function numberText(value: number | boolean | bigint): string {
  return typeof value === 'number' ? doubleText(value) : String(value);
}

/** As C prints a double with `%.16g`, and `.0` after what has no point: `1.0`, `1e+20.0`, `nan.0`, `inf.0`. */
function doubleText(value: number): string {
  const text = printed(value, 16);
  return text.includes('.') ? text : `${text}.0`;
}

/** As C prints a double with `%g` and that many digits: `1`, `1.5`, `1e+20`, `nan`, `inf`. */
function printed(value: number, digits: number): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? 'nan' : value > 0 ? 'inf' : '-inf';
  const [mantissa, exponent] = value.toExponential(digits - 1).split('e') as [string, string];
  const power = Number(exponent);
  return power < -4 || power >= digits
    ? `${trimZeros(mantissa)}e${power < 0 ? '-' : '+'}${String(Math.abs(power)).padStart(2, '0')}`
    : `${Object.is(value, -0) ? '-' : ''}${trimZeros(value.toFixed(Math.max(0, digits - 1 - power)))}`;
}

/** As ISO 8601 has it; beyond what JavaScript's dates hold, the milliseconds. */
function dateText(value: Date): string {
  return Number.isNaN(value.getTime()) ? format(value) : value.toISOString();
}

/** As C++ streams print a double, with `%g`, and most messages of MongoDB: `1.23457e+06`. */
export function shortText(value: number): string {
  return printed(value, 6);
}

function trimZeros(digits: string): string {
  return digits.includes('.') ? digits.replace(/\.?0+$/, '') : digits;
}

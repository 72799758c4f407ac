import { CodedError } from '../../base/index.ts';
import { Binary, type Doc, hashValue, TYPE, type TypeAlias, type Value } from '../../bson/index.ts';
import { badValue, failedToParse, located } from '../error.ts';
import { exactInt } from '../number.ts';
import { type Found, isArray, isDoc, isNullish, isNumeric, orNull, typeName, valueText } from '../value.ts';
import { BINARY_FORMATS, type BinaryFormat } from './binary-text.ts';
import { type ConversionOptions, convertValue } from './conversion-table.ts';
import {
  derived,
  type Expression,
  folded,
  namedExpressions,
  type Operator,
  type Operators,
  type Signature,
  unary,
} from './types.ts';

export const conversions: Operators = {
  $type: unary((value) => typeName(value)),
  $toHashedIndexKey: unary((value) => hashValue(orNull(value))),
  $isNumber: unary((value) => isNumeric(value)),
  $toBool: shorthand({ type: 'bool' }),
  $toInt: shorthand({ type: 'int' }),
  $toLong: shorthand({ type: 'long' }),
  $toDouble: shorthand({ type: 'double' }),
  $toDecimal: shorthand({ type: 'decimal' }),
  $toDate: shorthand({ type: 'date' }),
  $toString: shorthand({ type: 'string', format: 'auto' }),
  $toObjectId: shorthand({ type: 'objectId' }),
  $toUUID: shorthand({ type: 'binData', subtype: Binary.SUBTYPE_UUID, format: 'uuid' }),
  $convert: conversion,
};

function shorthand(options: ConversionOptions): Operator {
  const convert = unary((value) => (isNullish(value) ? null : convertValue(value, options)));
  return (operand, compiler, name) => {
    if (isArray(operand) && operand.length !== 1) {
      throw located(50723, `${name} requires a single argument, got ${operand.length}`);
    }
    return convert(operand, compiler, name);
  };
}

const CONVERT: Signature = {
  required: { input: 'FailedToParse', to: 'FailedToParse' },
  optional: ['onError', 'onNull', 'format'],
  notObject: 'FailedToParse',
  unknown: 'FailedToParse',
  wording: 'specified',
  words: {
    notObject: (name, type) => `${name} expects an object of named arguments but found: ${type}`,
    missing: (name, key) => `Missing '${key}' parameter to ${name}`,
  },
};

function conversion(...[operand, compiler, name]: Parameters<Operator>): Expression {
  const given = isDoc(operand) ? operand.get('to') : undefined;
  // A document of `to` that is no expression names the type and the subtype apart.
  const apart = isDoc(given) && !given.keys().next().value?.startsWith('$') ? targetParts(given) : undefined;
  const keys = ['input', 'to', 'onError', 'onNull', 'format'] as const;
  const args = namedExpressions(name, operand, compiler, CONVERT, ...keys);
  const type = derived(apart ? compiler.compile(apart.type) : args.to!, targetType);
  const subtype = apart ? derived(compiler.compile(apart.subtype), subtypeOf) : () => 0;
  const formatOf = args.format ? derived(args.format, formatArgument) : () => undefined;
  return folded(Object.values(args), (scope) => {
    const target = type(scope);
    const value = args.input!(scope);
    const textFormat = formatOf(scope);
    if (isNullish(value)) return args.onNull ? args.onNull(scope) : null;
    if (!target) return null;
    try {
      return convertValue(value, { type: target, subtype: subtype(scope), format: textFormat });
    } catch (error) {
      if (args.onError && error instanceof CodedError && error.codeName === 'ConversionFailure') {
        return args.onError(scope);
      }
      throw error;
    }
  });
}

function targetParts(to: Doc): { type: Value; subtype: Value } {
  for (const key of to.keys()) {
    if (key !== 'type' && key !== 'subtype') {
      throw failedToParse(`$convert found an unknown argument in 'to': ${key}`);
    }
  }
  if (!to.has('type')) throw failedToParse("Missing 'type' parameter to $convert");
  return { type: to.get('type'), subtype: to.get('subtype') ?? 0 };
}

const ALIASES: ReadonlyMap<number, TypeAlias> = new Map(
  Object.entries(TYPE).map(([alias, number]) => [number, alias as TypeAlias]),
);

/** Undefined for null. Throws FailedToParse and BadValue for what is no type. */
function targetType(value: Found): TypeAlias | undefined {
  if (isNullish(value)) return undefined;
  if (typeof value === 'string') {
    if (Object.hasOwn(TYPE, value)) return value as TypeAlias;
    throw badValue(`Unknown type name: ${value}`);
  }
  if (!isNumeric(value)) {
    throw failedToParse(`$convert's 'to' argument must be a string or number, but is ${typeName(value)}`);
  }
  const number = exactInt(value);
  if (number === undefined) throw failedToParse("In $convert, numeric 'to' argument is not an integer");
  const alias = ALIASES.get(number);
  if (alias === undefined) {
    throw failedToParse(`In $convert, numeric value for 'to' does not correspond to a BSON type: ${number}`);
  }
  return alias;
}

/** 0 to 8 are MongoDB's own, from 128 on they are the users'. */
function subtypeOf(value: Found): number {
  if (isNullish(value)) return 0;
  if (!isNumeric(value)) {
    throw located(4341108, `For BinData, $convert's 'subtype' argument must be a number, but is ${typeName(value)}`);
  }
  const subtype = exactInt(value);
  if (subtype === undefined) throw located(4341106, "In $convert, numeric 'subtype' argument is not an integer");
  if ((subtype < 0 || subtype > 8) && (subtype < 128 || subtype > 255)) {
    throw located(
      4341107,
      `In $convert, numeric value for 'subtype' does not correspond to a BinData type: ${subtype}`,
    );
  }
  return subtype;
}

function formatArgument(value: Found): BinaryFormat | undefined {
  if (isNullish(value)) return undefined;
  if (typeof value !== 'string') {
    throw located(
      4341114,
      `$convert requires that 'format' be a string, found: ${typeName(value)} with value ${valueText(value)}`,
    );
  }
  const known = BINARY_FORMATS.find((name) => name === value);
  if (!known) throw located(4341125, `Invalid 'format' argument for $convert: ${value}`);
  return known;
}

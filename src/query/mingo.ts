import { Context, evalExpr } from 'mingo/core';
import * as expressionOperators from 'mingo/operators/expression';
import { CodedError } from '../base/index.ts';
import { Binary, BSONRegExp, Decimal128, type Doc, Int32, ObjectId, type Value } from '../bson/index.ts';
import { intOrLong } from './number.ts';
import { type Found, isArray, isDoc, MISSING } from './value.ts';

/**
 * The only place that knows mingo. It serves expression operators that this room has no evaluator of its own for:
 * functions of evaluated arguments, which go over as JavaScript values inside `$literal`. At this border int32, int64
 * and double become one JavaScript number; a result that is whole comes back as int32 or int64, any other as double.
 */
/** Operators that would reach for chance or run scripts. */
const BANNED = new Set(['$rand', '$sampleRate', '$function']);
const OPERATORS = Object.fromEntries(
  Object.entries(expressionOperators).filter(([name]) => !BANNED.has(name)),
) as unknown as Parameters<Context['addExpressionOps']>[0];
const context = Context.init().addExpressionOps(OPERATORS);

export function hasMingoOperator(name: string): boolean {
  return Object.hasOwn(OPERATORS, name);
}

/** Evaluated arguments in the shape that the operator was given. */
export type MingoArguments = Found | readonly Found[] | Map<string, Found>;

/** Applies an operator. What mingo throws for bad arguments becomes a `FailedToParse`. */
export function applyMingo(name: string, args: MingoArguments): Found {
  const operand = Array.isArray(args)
    ? args.map(literal)
    : args instanceof Map
      ? Object.fromEntries(
          [...args].filter(([, value]) => value !== MISSING).map(([key, value]) => [key, literal(value)]),
        )
      : literal(args as Found);
  try {
    return fromPlain(evalExpr({}, { [name]: operand }, OPTIONS));
  } catch (error) {
    if (error instanceof Error) throw new CodedError('FailedToParse', `${name}: ${error.message}`);
    throw error;
  }
}

const OPTIONS: Parameters<typeof evalExpr>[2] = {
  idKey: '_id',
  processingMode: 0,
  useStrictMode: true,
  scriptEnabled: false,
  failOnError: true,
  context,
};

function literal(value: Found): unknown {
  return { $literal: value === MISSING ? null : toMingo(value) };
}

function toMingo(value: Value): unknown {
  if (value instanceof Int32) return value.value;
  if (typeof value === 'bigint') return Number(value);
  if (value instanceof Decimal128) return Number(value.toString());
  if (value instanceof BSONRegExp) return new RegExp(value.pattern, value.options.replace(/[^imsu]/g, ''));
  if (isArray(value)) return value.map(toMingo);
  if (isDoc(value)) return Object.fromEntries([...value].map(([key, item]) => [key, toMingo(item)]));
  return value;
}

function fromMingoNumber(value: number): Value {
  return Number.isSafeInteger(value) && !Object.is(value, -0) ? intOrLong(value) : value;
}

function fromPlain(value: unknown): Found {
  if (value === undefined) return MISSING;
  if (value === null || typeof value === 'boolean' || typeof value === 'string' || typeof value === 'bigint')
    return value;
  if (typeof value === 'number') return fromMingoNumber(value);
  if (value instanceof Date || value instanceof ObjectId || value instanceof Binary) return value;
  if (value instanceof RegExp) return new BSONRegExp(value.source, value.flags.replace(/[^imsx]/g, ''));
  if (Array.isArray(value)) {
    return value.map((item) => {
      const found = fromPlain(item);
      return found === MISSING ? null : found;
    });
  }
  if (typeof value === 'object' && (Object.getPrototypeOf(value) === Object.prototype || !('_bsontype' in value))) {
    const doc: Doc = new Map();
    for (const [key, item] of Object.entries(value)) {
      const found = fromPlain(item);
      if (found !== MISSING) doc.set(key, found);
    }
    return doc;
  }
  return value as Value;
}

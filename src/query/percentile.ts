import { CodedError } from '../base/index.ts';
import type { Doc, Value } from '../bson/index.ts';
import { badValue, located, typeMismatch } from './error.ts';
import { constantValue, type Expression } from './expressions/types.ts';
import { toDouble } from './number.ts';
import { element, type Found, format, isArray, isDoc, isNumeric, shortText, typeName, valueText } from './value.ts';

/** `$percentile` or `$median`, as accumulator, expression and window operator. */
export interface Quantiles {
  readonly input: Expression;
  /** The result for numbers in any order, which are sorted in place. */
  of(numbers: number[]): Value;
}

type Compile = (value: Value) => Expression;

/** Compiles the argument of `$percentile` or `$median`. `notObject` is the code for what is no document. */
export function compileQuantiles(name: string, argument: Value, compile: Compile, notObject: number): Quantiles {
  if (!isDoc(argument)) {
    throw located(notObject, `specification must be an object; found ${element(name, argument)}`);
  }
  const isMedian = name === '$median';
  checkFields(name, argument, isMedian ? ['input', 'method'] : ['input', 'p', 'method']);
  const input = compile(argument.get('input'));
  const method = argument.get('method');
  if (typeof method !== 'string') {
    throw typeError(name, 'method', method);
  }
  if (method !== 'approximate') {
    throw badValue("Currently only 'approximate' can be used as percentile 'method'.");
  }
  const ps = isMedian ? [0.5] : parsePs(argument.get('p'), compile);
  return {
    input,
    of(numbers) {
      numbers.sort((left, right) => left - right);
      // What MongoDB's t-digest says of few values, too: the one at the rank, none between two.
      const at = (p: number) => numbers[Math.max(0, Math.ceil(p * numbers.length) - 1)] ?? null;
      return isMedian ? at(0.5) : ps.map(at);
    },
  };
}

/** A number that percentiles count. */
export function quantileNumber(value: Found): number | undefined {
  const number = isNumeric(value) ? toDouble(value) : Number.NaN;
  return Number.isNaN(number) ? undefined : number;
}

function checkFields(name: string, argument: Doc, known: readonly string[]): void {
  for (const key of argument.keys()) {
    if (known.includes(key)) continue;
    throw new CodedError('IDLUnknownField', `BSON field '${name}.${key}' is an unknown field.`);
  }
  for (const key of known) {
    if (argument.has(key)) continue;
    throw new CodedError('IDLFailedToParse', `BSON field '${name}.${key}' is missing but a required field`);
  }
}

function typeError(name: string, key: string, value: Value): Error {
  return typeMismatch(`BSON field '${name}.${key}' is the wrong type '${typeName(value)}', expected type 'string'`);
}

const RANGE = "The $percentile 'p' field must be an array of numbers from [0.0, 1.0], but found: ";

function parsePs(given: Value, compile: Compile): number[] {
  const known = constantValue(compile(given));
  if (!known) {
    throw located(
      7750300,
      `The $percentile 'p' field must be an array of constant values, but found value: ${format(given)}.`,
    );
  }
  const list = known.value;
  if (!isArray(list) || list.length === 0) throw located(7750301, RANGE + valueText(list));
  return list.map((item) => {
    if (!isNumeric(item)) throw located(7750302, RANGE + valueText(item));
    const p = toDouble(item);
    if (p < 0 || p > 1) throw located(7750303, RANGE + shortText(p));
    return p;
  });
}

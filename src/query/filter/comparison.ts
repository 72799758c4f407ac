import { BSONRegExp, type Collator, comparison, Int32, MaxKey, MinKey, type Value } from '../../bson/index.ts';
import { badValue } from '../error.ts';
import { isNaNNumber } from '../number.ts';
import { compileRegex } from '../regex/index.ts';
import { bracket, type Found, isDoc, isNumeric, MISSING, textOf } from '../value.ts';
import { leaf, type Predicate } from './predicate.ts';

export type Range = '$gt' | '$gte' | '$lt' | '$lte';

const ASCII = /^[ -~]+$/;

/** Equality by BSON order; null also stands for a missing field (since MongoDB 8.0 not for undefined). */
export function equals(operand: Value, collator: Collator | undefined): Predicate {
  if (operand === null) return leaf((value) => value === null || value === MISSING);
  const compare = comparison(collator);
  const type = bracket(operand);
  const general = (value: Found) => value !== MISSING && bracket(value) === type && compare(value, operand) === 0;
  // What most filters ask for, without the way through the order of all types.
  if (typeof operand === 'string' && !collator) {
    // Beyond ASCII a text is not the characters that its bytes are kept as.
    const needle = ASCII.test(operand) ? operand : undefined;
    return leaf((value) => value === operand || (typeof value === 'object' && general(value)), { needle });
  }
  const number = plainNumber(operand);
  if (number === undefined) return leaf(general);
  return leaf(
    (value) => {
      if (typeof value === 'number') return value === number;
      return value instanceof Int32 ? value.value === number : general(value);
    },
    { plain: true },
  );
}

/** Ranges compare within a type bracket only; MinKey and MaxKey compare with everything. */
export function range(operator: Range, operand: Value, path: string, collator?: Collator): Predicate {
  if (operand instanceof BSONRegExp) throw badValue(`Can't have RegEx as arg to predicate over field '${path}'.`);
  const compare = comparison(collator);
  const passes = RANGE_TESTS[operator];
  const orEqual = operator === '$gte' || operator === '$lte';
  if (operand === null) return leaf((value) => orEqual && (value === null || value === MISSING));
  if (isNumeric(operand) && isNaNNumber(operand)) {
    return leaf((value) => orEqual && isNumeric(value) && isNaNNumber(value));
  }
  if (operand instanceof MinKey || operand instanceof MaxKey) {
    return leaf((value) => passes(compare(value === MISSING ? undefined : value, operand)));
  }
  const type = bracket(operand);
  const numeric = isNumeric(operand);
  const number = plainNumber(operand);
  const general = (value: Found) => {
    if (value === MISSING || bracket(value) !== type) return false;
    if (numeric && isNumeric(value) && isNaNNumber(value)) return false;
    return passes(compare(value, operand));
  };
  if (number === undefined) return leaf(general);
  return leaf(
    (value) => {
      // NaN is in no range, and compares so.
      if (typeof value === 'number') return passes(value - number);
      return value instanceof Int32 ? passes(value.value - number) : general(value);
    },
    { plain: true },
  );
}

/** A finite number that a comparison in JavaScript treats as BSON's order does. */
function plainNumber(value: Value): number | undefined {
  const number = value instanceof Int32 ? value.value : value;
  return typeof number === 'number' && Number.isFinite(number) ? number : undefined;
}

const RANGE_TESTS: Readonly<Record<Range, (order: number) => boolean>> = {
  $gt: (order) => order > 0,
  $gte: (order) => order >= 0,
  $lt: (order) => order < 0,
  $lte: (order) => order <= 0,
};

/** A value equal to the expression itself, or a text that it finds. */
export function matchesRegex(regex: { readonly pattern: string; readonly options: string }): Predicate {
  const compiled = compileRegex(regex.pattern, regex.options);
  return leaf((value) => {
    const text = textOf(value);
    if (text !== undefined) return compiled.test(text);
    return value instanceof BSONRegExp && value.pattern === regex.pattern && value.options === regex.options;
  });
}

export function isIn(operand: Value, operator: '$in' | '$nin', collator: Collator | undefined): Predicate {
  if (!Array.isArray(operand)) throw badValue(`${operator} needs an array`);
  const tests: ((value: Found) => boolean)[] = [];
  const values: Value[] = [];
  for (const item of operand) {
    if (isExpressionDoc(item)) throw badValue('cannot nest $ under $in');
    if (item instanceof BSONRegExp) tests.push(matchesRegex(item).single);
    else values.push(item);
  }
  const compare = comparison(collator);
  const sorted = values.sort(compare);
  const hasNull = values.includes(null);
  return leaf((value) => {
    if (value === MISSING ? hasNull : includes(sorted, value, compare)) return true;
    return tests.some((test) => test(value));
  });
}

/** Binary search: lists of thousands of ids are ordinary. */
function includes(sorted: readonly Value[], value: Value, compare: (a: Value, b: Value) => number): boolean {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    const order = compare(sorted[middle], value);
    if (order === 0) return bracket(sorted[middle]) === bracket(value);
    if (order < 0) low = middle + 1;
    else high = middle;
  }
  return false;
}

/** A document of operators, as against a value to compare with; a DBRef's `$ref` and `$id` are a value. */
export function isExpressionDoc(value: Found): value is Map<string, Value> {
  if (!isDoc(value)) return false;
  const first = value.keys().next().value;
  return first?.startsWith('$') === true && !(value.has('$ref') && value.has('$id'));
}

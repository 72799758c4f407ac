import { Decimal128, type Doc, type Value } from '../../../bson/index.ts';
import { addDecimal, divideDecimal, multiplyDecimal, negateDecimal } from '../../decimal.ts';
import { failedToParse, located, typeMismatch } from '../../error.ts';
import { isDateLike } from '../../expressions/date.ts';
import { compileExpression, constantValue, type Expression, rootScope } from '../../expressions/index.ts';
import { difference, product, sum } from '../../expressions/sum.ts';
import { clampedLong, divide, exactInt, toDecimal, toDouble } from '../../number.ts';
import { compareFound } from '../../order.ts';
import type { QueryContext } from '../../types.ts';
import { element, type Found, isDoc, isNullish, isNumeric, MISSING, typeName } from '../../value.ts';
import { inTurn, type SortSpec, type WindowFunction } from './partition.ts';

/** Functions of a series that no `window` bounds: each sees what it needs of the partition. */
export function compileShift(spec: Doc, sort: SortSpec | undefined, context: QueryContext): WindowFunction {
  for (const key of spec.keys()) {
    if (key === 'window') throw failedToParse("$shift does not accept a 'window' field");
    if (key !== '$shift') throw failedToParse(`Window function found an unknown argument: ${key}`);
  }
  const argument = spec.get('$shift');
  if (!isDoc(argument)) throw failedToParse('Argument to $shift must be an object');
  for (const key of argument.keys()) {
    if (key !== 'output' && key !== 'by' && key !== 'default') throw failedToParse('Unknown argument in $shift');
  }
  const fallback = constantValue(compileExpression(argument.has('default') ? argument.get('default') : null, context));
  if (!fallback) throw failedToParse("'$shift:default' expression must yield a constant value.");
  const by = argument.has('by') ? shiftBy(argument.get('by')) : undefined;
  if (!argument.has('output')) throw failedToParse("$shift requires an 'output' expression.");
  if (by === undefined) throw failedToParse("$shift requires 'by' as an integer value.");
  if (!sort) throw failedToParse("'$shift' requires a sortBy");
  const output = compileExpression(argument.get('output'), context);
  return () => {
    let seen = 0;
    /** The last one seen. */
    let last: Doc | undefined;
    return {
      held: 0,
      wants: (at) => seen <= at + by,
      show(doc) {
        seen++;
        last = doc;
      },
      value: (at) => (last && seen === at + by + 1 ? output(rootScope(last)) : fallback.value),
    };
  };
}

function shiftBy(value: Value): number {
  const by = isNumeric(value) ? exactInt(value) : undefined;
  if (by === undefined) throw failedToParse(`'$shift:by' field must be an integer, but found  ${element('by', value)}`);
  return by;
}

/** The one argument of a function that takes no `window`. */
function soleArgument(operator: string, spec: Doc, context: QueryContext): Expression {
  for (const key of spec.keys()) {
    if (key === operator) continue;
    if (key === 'window') throw failedToParse(`'window' field is not allowed in ${operator}`);
    throw failedToParse(
      key.startsWith('$')
        ? 'Cannot specify two functions in window function spec'
        : `Window function found an unknown argument: ${key}`,
    );
  }
  return compileExpression(spec.get(operator), context);
}

/** The last value that was there is carried forward. */
export function compileLocf(spec: Doc, context: QueryContext): WindowFunction {
  const input = soleArgument('$locf', spec, context);
  return inTurn(() => {
    let last: Found = null;
    return (current) => {
      const value = input(rootScope(current));
      if (!isNullish(value)) last = value;
      return last;
    };
  });
}

/** Straight lines between the values on either side; null beyond the first and the last. */
export function compileLinearFill(spec: Doc, sort: SortSpec | undefined, context: QueryContext): WindowFunction {
  const input = soleArgument('$linearFill', spec, context);
  if (!sort?.key) {
    throw located(605001, '$linearFill must be specified with a top level sortBy expression with exactly one element');
  }
  const { key: keyOf } = sort;
  return () => {
    let seen = 0;
    let lastKey: Found = MISSING;
    /** The points of the line: the last one that is not after the place, and the first one that is not before it. */
    let [left, right]: (Point | undefined)[] = [];
    const reach = (at: number) => {
      if (right && right.place <= at) [left, right] = [right, undefined];
    };
    return {
      held: 0,
      wants(at) {
        reach(at);
        return seen <= at || (left !== undefined && left.place < at && !right);
      },
      show(doc) {
        const scope = rootScope(doc);
        const [value, key]: [Found, Found] = [input(scope), keyOf(scope)];
        checkPoint(value, key, lastKey);
        lastKey = key;
        if (!isNullish(value)) right = { place: seen, value, key };
        seen++;
      },
      value(at, current) {
        reach(at);
        if (!left) return null;
        if (left.place === at) return left.value;
        if (!right) return null;
        const slope = ratio(difference(right.value, left.value), difference(right.key, left.key));
        return sum([left.value, product([difference(keyOf(rootScope(current)), left.key), slope])]);
      },
    };
  };
}

interface Point {
  readonly place: number;
  readonly value: Found;
  readonly key: Found;
}

function checkPoint(value: Found, key: Found, last: Found): void {
  if (!isNumeric(value) && !isNullish(value)) {
    throw typeMismatch(`Value to be filled must be numeric or nullish, but found ${typeName(value)}`);
  }
  if (!isNumeric(key) && !isDateLike(key)) {
    throw typeMismatch(`Value of the sortBy field must be numeric or a date, but found ${typeName(key)}`);
  }
  if (last === MISSING) return;
  if (compareFound(key, last) === 0) throw located(6050106, 'There can be no repeated values in the sort field');
  if (isNumeric(key) !== isNumeric(last)) {
    throw typeMismatch(
      `Conflicting sort value types, previously received type ${typeName(last)}, but found ${typeName(key)}`,
    );
  }
}

function ratio(rise: Found, run: Found): Found {
  return isNumeric(rise) && isNumeric(run) ? divide(rise, run) : null;
}

const ONE = Decimal128.fromString('1');
const TWO = Decimal128.fromString('2');

/** Calculated in decimals, and a decimal as soon as one was met. */
export function compileMovingAverage(spec: Doc, sort: SortSpec | undefined, context: QueryContext): WindowFunction {
  const argument = spec.get('$expMovingAvg');
  if (spec.size !== 1 || !isDoc(argument)) {
    throw failedToParse('$expMovingAvg must have exactly one argument that is an object');
  }
  const two =
    "$expMovingAvg sub object must have exactly two fields: An 'input' field, and either an 'N' field or an 'alpha' field";
  if (argument.size !== 2 || !argument.has('input')) throw failedToParse(two);
  if (!sort) throw failedToParse("$expMovingAvg requires an explicit 'sortBy'");
  const input = compileExpression(argument.get('input'), context);
  if (!argument.has('N') && !argument.has('alpha')) {
    throw failedToParse(`Got unrecognized field in $expMovingAvg${two}`);
  }
  const alpha = argument.has('N') ? alphaOfCount(argument.get('N')) : alphaArgument(argument.get('alpha'));
  const rest = addDecimal(ONE, negateDecimal(alpha));
  return inTurn(() => {
    let average: Decimal128 | undefined;
    let isDecimal = false;
    return (current) => {
      const value = input(rootScope(current));
      if (isNumeric(value)) {
        isDecimal ||= value instanceof Decimal128;
        const decimal = toDecimal(value);
        average = average ? addDecimal(multiplyDecimal(decimal, alpha), multiplyDecimal(average, rest)) : decimal;
      }
      if (!average) return null;
      return isDecimal ? average : toDouble(average);
    };
  });
}

function alphaOfCount(value: Value): Decimal128 {
  if (!isNumeric(value)) throw failedToParse(`'N' field must be an integer, but found type ${typeName(value)}`);
  if (!Number.isInteger(toDouble(value))) {
    throw failedToParse(
      `'N' field must be an integer, but found  ${element('N', value)}. To use a non-integer, use the 'alpha' argument instead`,
    );
  }
  const count = clampedLong(value);
  if (count <= 0n) throw failedToParse(`'N' must be greater than zero. Got ${count}`);
  return divideDecimal(TWO, addDecimal(toDecimal(count), ONE));
}

function alphaArgument(value: Value): Decimal128 {
  if (!isNumeric(value)) throw failedToParse("'alpha' must be a number");
  const alpha = toDecimal(value);
  if (compareFound(alpha, 0) <= 0 || compareFound(alpha, 1) >= 0) {
    throw failedToParse(`'alpha' must be between 0 and 1 (exclusive), found ${element('alpha', value)}`);
  }
  return alpha;
}

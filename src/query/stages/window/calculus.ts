import { CodedError } from '../../../base/index.ts';
import { type Doc, Int32, type Value } from '../../../bson/index.ts';
import type { Accumulator } from '../../accumulators.ts';
import { parseTimeUnit, unitLength } from '../../dates/index.ts';
import { failedToParse, located } from '../../error.ts';
import { compileExpression, type Expression, rootScope, type Scope } from '../../expressions/index.ts';
import { difference, product, sum } from '../../expressions/sum.ts';
import { divide, isNaNNumber, isZero } from '../../number.ts';
import { sizeOfValue } from '../../size.ts';
import { Total } from '../../total.ts';
import type { QueryContext } from '../../types.ts';
import { element, type Found, isDoc, isNullish, isNumeric, type Numeric, orNull, typeName } from '../../value.ts';
import { compileWindow } from './bounds.ts';
import { type Look, Moving, overWindow, type Tell } from './moving.ts';
import type { SortSpec, WindowFunction } from './partition.ts';

interface UnitArguments {
  readonly input: Expression;
  /** Milliseconds. */
  readonly unit: number | undefined;
}

/** `{input, unit}` and a `window`, of a series that is sorted by one field. */
function unitArguments(operator: string, spec: Doc, sort: SortSpec | undefined, context: QueryContext): UnitArguments {
  if (!sort) throw failedToParse(`${operator} requires a sortBy`);
  if (!sort.key) throw failedToParse(`${operator} requires a non-compound sortBy`);
  for (const key of spec.keys()) {
    if (key !== operator && key !== 'window') throw failedToParse(`${operator} got unexpected argument: ${key}`);
  }
  const argument = spec.get(operator);
  if (!isDoc(argument)) {
    throw failedToParse(
      `${operator} expects an object, but got a ${typeName(argument)}: ${element(operator, argument)}`,
    );
  }
  for (const key of argument.keys()) {
    if (key !== 'input' && key !== 'unit') throw failedToParse(`${operator} got unexpected argument: ${key}`);
  }
  const unit = argument.has('unit') ? unitArgument(argument.get('unit')) : undefined;
  if (!argument.has('input')) throw failedToParse(`${operator} requires an 'input' expression`);
  return { input: compileExpression(argument.get('input'), context), unit };
}

function unitArgument(value: Value): number {
  // The quote that does not open is MongoDB's.
  if (typeof value !== 'string') throw failedToParse(`unit' must be a string, but got ${typeName(value)}`);
  const length = unitLength(parseTimeUnit(value));
  if (length === undefined) throw located(5490710, "unit must be 'week' or smaller");
  return length;
}

/** The slope between the ends of the window; null where it has no width. */
export function compileDerivative(spec: Doc, sort: SortSpec | undefined, context: QueryContext): WindowFunction {
  const { input, unit } = unitArguments('$derivative', spec, sort, context);
  if (!spec.has('window')) throw failedToParse('$derivative requires explicit window bounds');
  const window = compileWindow(spec.get('window'), sort, context);
  const key = sort!.key!;
  const look: Look<Point> = {
    // Only the ends of a window are looked at: what cannot be had of the others is no mistake.
    of: (doc) => ({ key: key(rootScope(doc)), value: attempt(() => input(rootScope(doc))) }),
    size: ({ value, key }) => sizeOfValue(key) + (value instanceof Error ? 0 : sizeOfValue(value)),
  };
  const tell: Tell<Point> = (items, from, to) => {
    if (from >= to) return null;
    const [left, right] = [items[from]!.value, items[to - 1]!.value];
    checkTimes(left.key, right.key, unit !== undefined);
    const rise = difference(given(right.value), given(left.value));
    if (isNullish(rise)) throw located(5624903, '$derivative input must not be null or missing');
    const run = difference(right.key, left.key);
    if (!isNumeric(rise) || !isNumeric(run) || isZero(run)) return null;
    const slope = divide(rise, run);
    return unit === undefined ? slope : product([slope, BigInt(unit)]);
  };
  return () => new Moving(window, look, tell, true);
}

interface Point {
  readonly key: Found;
  readonly value: Found | CodedError;
}

function attempt(run: () => Found): Found | CodedError {
  try {
    return run();
  } catch (error) {
    if (error instanceof CodedError) return error;
    throw error;
  }
}

function given(value: Found | CodedError): Found {
  if (value instanceof CodedError) throw value;
  return value;
}

function checkTimes(left: Found, right: Found, hasUnit: boolean): void {
  if (hasUnit) {
    if (left instanceof Date && right instanceof Date) return;
    throw located(5624900, "$derivative with 'unit' expects the sortBy field to be a Date");
  }
  if (left instanceof Date || right instanceof Date) {
    throw located(5624901, "$derivative where the sortBy is a Date requires an 'unit'");
  }
  if (!isNumeric(left) || !isNumeric(right)) {
    throw located(5624902, "$derivative (with no 'unit') expects the sortBy field to be numeric");
  }
}

/** The area below the lines from point to point, by the trapezoidal rule; null of no points. */
export function compileIntegral(spec: Doc, sort: SortSpec | undefined, context: QueryContext): WindowFunction {
  const { input, unit } = unitArguments('$integral', spec, sort, context);
  const key = sort!.key!;
  const expression = (scope: Scope): Found => [orNull(key(scope)), orNull(input(scope))];
  return overWindow({ expression, start: () => integral(unit) }, compileWindow(spec.get('window'), sort, context));
}

/** An accumulator of points: pairs of a key and a value. */
function integral(unit: number | undefined): Accumulator {
  const total = new Total();
  let hasNaN = false;
  let last: readonly [Found, Found] | undefined;
  return {
    add(point) {
      const [key, value] = point as [Found, Found];
      checkPoint(key, value, unit !== undefined);
      hasNaN ||= isNaNPoint(key, value);
      if (last) total.add(area(last, [key, value]));
      last = [key, value];
    },
    result() {
      if (!last) return null;
      if (hasNaN) return Number.NaN;
      return unit === undefined ? total.result() : divide(total.result(), BigInt(unit));
    },
  };
}

function checkPoint(key: Found, value: Found, hasUnit: boolean): void {
  if (!isNumeric(value) || !(isNumeric(key) || key instanceof Date)) {
    throw located(
      5423900,
      'The input value of $integral window function must be a vector of 2 value, the first value must be numeric or date type and the second must be numeric.',
    );
  }
  if (hasUnit && !(key instanceof Date)) {
    throw located(5423901, "$integral with 'outputUnit' expects the sortBy field to be a Date");
  }
  if (!hasUnit && !isNumeric(key)) {
    throw located(5423902, "$integral (with no 'outputUnit') expects the sortBy field to be numeric");
  }
}

function isNaNPoint(key: Found, value: Found): boolean {
  return (isNumeric(key) && isNaNNumber(key)) || (isNumeric(value) && isNaNNumber(value));
}

/** Zero for points that do not go together. */
function area([x0, y0]: readonly [Found, Found], [x1, y1]: readonly [Found, Found]): Numeric {
  if (!isNumeric(y0) || !isNumeric(y1) || isNaNPoint(x0, y0) || isNaNPoint(x1, y1)) return new Int32(0);
  const isPair = (isNumeric(x0) && isNumeric(x1)) || (x0 instanceof Date && x1 instanceof Date);
  if (!isPair) return new Int32(0);
  const twice = product([sum([y1, y0]), difference(x1, x0)]);
  return isNumeric(twice) ? divide(twice, 2) : new Int32(0);
}

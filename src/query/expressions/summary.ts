import { ACCUMULATORS, countArgument, countedArguments, several } from '../accumulators.ts';
import { located } from '../error.ts';
import { compileQuantiles, quantileNumber } from '../percentile.ts';
import { isArray, isNumeric } from '../value.ts';
import { type Expression, evaluated, folded, type Operator, type Operators } from './types.ts';

/** Accumulators used as expressions: over an array, or over their arguments. */
export const summaries: Operators = {
  $sum: summary('$sum'),
  $avg: summary('$avg'),
  $min: summary('$min'),
  $max: summary('$max'),
  $stdDevPop: summary('$stdDevPop'),
  $stdDevSamp: summary('$stdDevSamp'),
  $mergeObjects: summary('$mergeObjects'),
  $firstN: counted,
  $lastN: counted,
  $minN: counted,
  $maxN: counted,
  $median: quantiles(7436201),
  $percentile: quantiles(7436200),
};

function summary(name: string): Operator {
  return evaluated(0, Number.POSITIVE_INFINITY, (args, _, { context }) => {
    const accumulator = ACCUMULATORS[name]!(context.collator);
    const only = args[0];
    const values = args.length === 1 && only !== undefined && isArray(only) ? only : args;
    for (const value of values) accumulator.add(value);
    return accumulator.result();
  });
}

function counted(...[operand, compiler, name]: Parameters<Operator>): Expression {
  const { n, input } = countedArguments(name, operand, (value) => compiler.compile(value));
  return folded([n, input], (scope) => {
    const accumulator = several(name, countArgument(n(scope)), compiler.context.collator);
    const list = input(scope);
    if (!isArray(list)) throw located(5788200, 'Input must be an array');
    for (const item of list) accumulator.add(item);
    return accumulator.result();
  });
}

function quantiles(notObject: number): Operator {
  return (operand, compiler, name) => {
    const { input, of } = compileQuantiles(name, operand, (value) => compiler.compile(value), notObject);
    return folded([input], (scope) => {
      const value = input(scope);
      const values = isNumeric(value) ? [value] : isArray(value) ? value : [];
      return of(values.map(quantileNumber).filter((number) => number !== undefined));
    });
  };
}

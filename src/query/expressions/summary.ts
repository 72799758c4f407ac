import { ACCUMULATORS } from '../accumulators.ts';
import { located } from '../error.ts';
import { isArray, truthy } from '../value.ts';
import { evaluated, type Operator, type Operators, unary } from './types.ts';

/** Accumulators used as expressions: over an array, or over their arguments. */
export const summaries: Operators = {
  $sum: summary('$sum'),
  $avg: summary('$avg'),
  $min: summary('$min'),
  $max: summary('$max'),
  $stdDevPop: summary('$stdDevPop'),
  $stdDevSamp: summary('$stdDevSamp'),
  $allElementsTrue: unary((value) => {
    if (!isArray(value)) throw located(17040, "$allElementsTrue's argument must be an array");
    return value.every(truthy);
  }),
  $anyElementTrue: unary((value) => {
    if (!isArray(value)) throw located(17041, "$anyElementTrue's argument must be an array");
    return value.some(truthy);
  }),
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

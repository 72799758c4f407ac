import type { Doc, Value } from '../../bson/index.ts';
import { ACCUMULATORS, type Accumulator, countArgument, percentiles, ranked, several } from '../accumulators.ts';
import { badValue, located } from '../error.ts';
import { compileExpression, type Expression, type Scope } from '../expressions/index.ts';
import { toDouble } from '../number.ts';
import type { QueryContext } from '../types.ts';
import { type Found, isArray, isDoc, isNumeric, MISSING } from '../value.ts';

/** An accumulator bound to its argument. */
export interface Accumulation {
  readonly expression: Expression;
  start(scope: Scope): Accumulator;
}

/** The accumulators of one group or bucket, by output field. */
export interface Group {
  add(scope: Scope): void;
  /** Writes the results into a document. */
  finish(into: Doc): Doc;
}

/** Compiles `{field: {$accumulator: argument}}` into a maker of groups. */
export function compileAccumulations(fields: Doc, context: QueryContext): (scope: Scope) => Group {
  const outputs = [...fields].map(([name, spec]) => [name, compileField(name, spec, context)] as const);
  return (first) => {
    const running = outputs.map(([name, output]) => ({ name, output, state: output.start(first) }));
    return {
      add(scope) {
        for (const { output, state } of running) state.add(output.expression(scope));
      },
      finish(into) {
        for (const { name, state } of running) {
          const value = state.result();
          if (value !== MISSING) into.set(name, value);
          else into.set(name, null);
        }
        return into;
      },
    };
  };
}

function compileField(name: string, spec: Value, context: QueryContext): Accumulation {
  if (name.includes('.')) throw located(40235, `The field name '${name}' cannot contain '.'`);
  if (name.startsWith('$')) throw located(40236, `The field name '${name}' cannot be an operator name`);
  if (!isDoc(spec) || spec.size === 0) throw located(40234, `The field '${name}' must be an accumulator object`);
  if (spec.size > 1) throw located(40238, `The field '${name}' must specify one accumulator`);
  const [operator, argument] = [...spec][0]!;
  return compileAccumulator(operator, argument, context);
}

/** Compiles one accumulator. Throws 15952 for an unknown one. */
export function compileAccumulator(operator: string, argument: Value, context: QueryContext): Accumulation {
  if (!operator.startsWith('$')) throw located(40234, `The field must be an accumulator object, found '${operator}'`);
  switch (operator) {
    case '$firstN':
    case '$lastN':
    case '$minN':
    case '$maxN':
      return withCount(operator, argument, context);
    case '$top':
    case '$bottom':
    case '$topN':
    case '$bottomN':
      return ranking(operator, argument, context);
    case '$median':
    case '$percentile':
      return quantiles(operator, argument, context);
    case '$count':
      if (!isDoc(argument) || argument.size > 0) throw located(40237, '$count takes no arguments, i.e. $count:{}');
      break;
  }
  const make = Object.hasOwn(ACCUMULATORS, operator) ? ACCUMULATORS[operator] : undefined;
  if (!make) throw located(15952, `unknown group operator '${operator}'`);
  if (isArray(argument) && argument.length !== 1)
    throw located(40237, `The ${operator} accumulator is a unary operator`);
  const only = isArray(argument) ? argument[0] : argument;
  return { expression: compileExpression(only, context), start: () => make(context.collator) };
}

function withCount(operator: string, argument: Value, context: QueryContext): Accumulation {
  const fields = requireFields(operator, argument, ['input', 'n']);
  const n = compileExpression(fields.get('n'), context);
  return {
    expression: compileExpression(fields.get('input'), context),
    start: (scope) => several(operator, countArgument(n(scope)), context.collator),
  };
}

function ranking(operator: string, argument: Value, context: QueryContext): Accumulation {
  const many = operator.endsWith('N');
  const fields = requireFields(operator, argument, many ? ['sortBy', 'output', 'n'] : ['sortBy', 'output']);
  const sortBy = fields.get('sortBy');
  if (!isDoc(sortBy)) throw located(10065, `invalid parameter: expected an object (sortBy)`);
  const output = compileExpression(fields.get('output'), context);
  const n = many ? compileExpression(fields.get('n'), context) : undefined;
  return {
    expression(scope): Found {
      const value = output(scope);
      return [isDoc(scope.current) ? scope.current : null, value === MISSING ? null : value];
    },
    start: (scope) => ranked(sortBy, n && countArgument(n(scope)), operator.startsWith('$top'), context.collator),
  };
}

function quantiles(operator: string, argument: Value, context: QueryContext): Accumulation {
  const isMedian = operator === '$median';
  const fields = requireFields(operator, argument, isMedian ? ['input', 'method'] : ['input', 'p', 'method']);
  if (fields.get('method') !== 'approximate') {
    throw badValue(`Currently only 'approximate' can be used as percentile 'method'.`);
  }
  const given = isMedian ? [0.5] : fields.get('p');
  const ps = (isArray(given) ? given : []).map((p) => (isNumeric(p) ? toDouble(p) : Number.NaN));
  if (ps.length === 0 || ps.some((p) => !(p >= 0 && p <= 1))) {
    throw located(7750303, `The ${operator} 'p' field must be an array of numbers from [0.0, 1.0]`);
  }
  return { expression: compileExpression(fields.get('input'), context), start: () => percentiles(ps, isMedian) };
}

function requireFields(operator: string, argument: Value, names: readonly string[]): Doc {
  if (!isDoc(argument)) throw located(5787801, `specification must be an object; found ${operator} with another type`);
  for (const key of argument.keys()) {
    if (!names.includes(key)) throw located(5787901, `Unknown argument for '${operator}' operator: ${key}`);
  }
  for (const name of names) {
    if (!argument.has(name)) throw located(5787906, `Missing value for '${name}'`);
  }
  return argument;
}

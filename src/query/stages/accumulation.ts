import { CodedError } from '../../base/index.ts';
import type { Doc, Value } from '../../bson/index.ts';
import {
  ACCUMULATORS,
  countArgument,
  countedArguments,
  type GroupAccumulator,
  ranked,
  several,
} from '../accumulators.ts';
import { located, typeMismatch } from '../error.ts';
import { compileExpression, type Expression, isOperatorDoc, type Scope } from '../expressions/index.ts';
import { type Limited, limitOf } from '../limits.ts';
import { compileQuantiles, quantileNumber } from '../percentile.ts';
import { compileSort } from '../sort.ts';
import type { QueryContext } from '../types.ts';
import { element, type Found, isArray, isDoc, MISSING, orNull } from '../value.ts';
import { compileScripted } from './scripted-accumulator.ts';

/** An accumulator bound to its argument. */
export interface Accumulation {
  readonly expression: Expression;
  start(scope: Scope): GroupAccumulator;
}

const NUMBER_BYTES = 8;

/** The accumulators of one group or bucket, by output field. */
export interface Group {
  /** Of what the accumulators hold, about the bytes of BSON. */
  readonly held: number;
  /** The same by output field. */
  holds(): [string, number][];
  add(scope: Scope): void;
  /** All that they know, a list for each. */
  save(): Value[][];
  /** Goes on from what another group of the same accumulators saved. */
  load(saved: readonly Value[]): void;
  /** Writes the results into a document. */
  finish(into: Doc): Doc;
}

/** Compiles `{field: {$accumulator: argument}}` into a maker of groups. */
export function compileAccumulations(fields: Doc, context: QueryContext): (scope: Scope) => Group {
  const outputs = [...fields].map(([name, spec]) => [name, compileField(name, spec, context)] as const);
  return (first) => {
    const running = begin(outputs, first);
    return {
      get held() {
        let bytes = 0;
        for (const { state } of running) bytes += state.held;
        return bytes;
      },
      holds: () => running.map(({ name, state }) => [name, state.held]),
      add(scope) {
        for (const { output, state } of running) state.add(output.expression(scope));
      },
      save: () => running.map(({ state }) => [...state.save()]),
      load(saved) {
        for (const [at, { state }] of running.entries()) state.load(saved[at] as Value[]);
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

function begin(outputs: readonly (readonly [string, Accumulation])[], first: Scope) {
  return outputs.map(([name, output]) => ({ name, output, state: output.start(first) }));
}

function compileField(name: string, spec: Value, context: QueryContext): Accumulation {
  if (!isDoc(spec) || !isOperatorDoc(spec)) {
    throw located(40234, `The field '${name}' must be an accumulator object`);
  }
  if (name.includes('.')) throw located(40235, `The field name '${name}' cannot contain '.'`);
  if (name.startsWith('$')) throw located(40236, `The field name '${name}' cannot be an operator name`);
  if (spec.size !== 1) throw located(40238, `The field '${name}' must specify one accumulator`);
  const [operator, argument] = [...spec][0]!;
  if (isArray(argument)) throw located(40237, `The ${operator} accumulator is a unary operator`);
  return compileAccumulator(operator, argument, context);
}

/** Compiles one accumulator; `moving` for windows that lose values as well as they get some. Throws 15952 for an unknown one. */
export function compileAccumulator(
  operator: string,
  argument: Value,
  context: QueryContext,
  moving = false,
): Accumulation {
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
      return ranking(operator, argument, context, moving);
    case '$median':
    case '$percentile':
      return quantiles(operator, argument, context);
    case '$accumulator':
      return compileScripted(argument, context);
    case '$count':
      if (!isDoc(argument) || argument.size > 0) {
        throw typeMismatch('$count takes no arguments, i.e. $count:{}');
      }
      break;
  }
  const make = Object.hasOwn(ACCUMULATORS, operator) ? ACCUMULATORS[operator] : undefined;
  if (!make) throw located(15952, `unknown group operator '${operator}'`);
  const limit = LIMITS.get(operator);
  const limited = limit ? within(operator, limit, context) : asIs;
  return { expression: compileExpression(argument, context), start: () => limited(make(context.collator)) };
}

const LIMITS: ReadonlyMap<string, Limited> = new Map([
  ['$push', 'push'],
  ['$addToSet', 'addToSet'],
]);

const asIs = (state: GroupAccumulator) => state;

/** Accumulators whose one group may hold so much: it cannot go to the disk, for it ends as one value. */
function within(operator: string, limited: Limited, context: QueryContext) {
  const limit = limitOf(context, limited);
  const check = (state: GroupAccumulator) => {
    if (state.held <= limit) return;
    const message = `${operator} used too much memory and cannot spill to disk. Memory limit: ${limit} bytes`;
    throw new CodedError('ExceededMemoryLimit', message);
  };
  return (state: GroupAccumulator): GroupAccumulator => ({
    get held() {
      return state.held;
    },
    add(value) {
      state.add(value);
      check(state);
    },
    result: () => state.result(),
    save: () => state.save(),
    load(saved) {
      state.load(saved);
      check(state);
    },
  });
}

function withCount(operator: string, argument: Value, context: QueryContext): Accumulation {
  const { n, input } = countedArguments(operator, argument, (value) => compileExpression(value, context));
  const limited = within(operator, 'topN', context);
  return { expression: input, start: (scope) => limited(several(operator, countArgument(n(scope)), context.collator)) };
}

function ranking(operator: string, argument: Value, context: QueryContext, moving: boolean): Accumulation {
  const many = operator.endsWith('N');
  if (!isDoc(argument)) {
    throw located(5788001, `specification must be an object; found ${element(operator, argument)}`);
  }
  for (const key of argument.keys()) {
    if (key !== 'sortBy' && key !== 'output' && !(many && key === 'n')) {
      throw located(5788002, `Unknown argument to ${operator} '${key}'`);
    }
  }
  const limited = within(operator, 'topN', context);
  if (many && !argument.has('n')) throw located(5788003, "Missing value for 'n'");
  if (!argument.has('output')) throw located(5788004, "Missing value for 'output'");
  if (!argument.has('sortBy')) throw located(5788005, "Missing value for 'sortBy'");
  const sortBy = argument.get('sortBy');
  if (!isDoc(sortBy)) throw located(10065, `invalid parameter: expected an object (sortBy)`);
  const output = compileExpression(argument.get('output'), context);
  const n = many ? compileExpression(argument.get('n'), context) : undefined;
  const order = compileSort(sortBy, context.collator);
  return {
    expression(scope): Found {
      const value = output(scope);
      return [isDoc(scope.current) ? scope.current : null, orNull(value)];
    },
    start: (scope) => limited(ranked(order, n && countArgument(n(scope)), operator.startsWith('$top'), moving)),
  };
}

function quantiles(operator: string, argument: Value, context: QueryContext): Accumulation {
  const notObject = operator === '$median' ? 7436100 : 7429703;
  const { input, of } = compileQuantiles(operator, argument, (value) => compileExpression(value, context), notObject);
  return {
    expression: input,
    start() {
      let numbers: number[] = [];
      return {
        get held() {
          return numbers.length * NUMBER_BYTES;
        },
        add(value) {
          const number = quantileNumber(value);
          if (number !== undefined) numbers.push(number);
        },
        result: () => of(numbers),
        save: () => numbers,
        load(saved) {
          numbers = saved as number[];
        },
      };
    },
  };
}

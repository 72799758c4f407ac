import type { Value } from '../../bson/index.ts';
import { failedToParse, located } from '../error.ts';
import type { QueryContext } from '../types.ts';
import { type Found, isArray, isDoc } from '../value.ts';

/** A variable bound by `$let`, `$map` and their like; the innermost first. */
export interface Binding {
  readonly name: string;
  readonly value: Found;
  readonly outer: Binding | undefined;
}

/** What an expression is evaluated against. */
export interface Scope {
  /** `$$ROOT`. */
  readonly root: Found;
  /** `$$CURRENT`: what field paths start from. */
  readonly current: Found;
  readonly variables: Binding | undefined;
}

export type Expression = (scope: Scope) => Found;

/** Compiles parts of an expression. Knows the names of variables in scope. */
export interface Compiler {
  readonly context: QueryContext;
  compile(value: Value): Expression;
  /** A compiler that also knows these variables. */
  binding(...names: readonly string[]): Compiler;
}

/** Makes the expression of one operator from its operand. */
export type Operator = (operand: Value, compiler: Compiler, name: string) => Expression;
export type Operators = Readonly<Record<string, Operator>>;

export function bind(scope: Scope, name: string, value: Found): Scope {
  return { ...scope, variables: { name, value, outer: scope.variables } };
}

/** An operator that is a function of its evaluated arguments, `min` to `max` of them. */
export function evaluated(
  min: number,
  max: number,
  apply: (args: readonly Found[], name: string, compiler: Compiler) => Found,
): Operator {
  return (operand, compiler, name) => {
    const operands = isArray(operand) ? operand : [operand];
    checkArity(name, operands.length, min, max);
    const args = operands.map((item) => compiler.compile(item));
    return (scope) =>
      apply(
        args.map((arg) => arg(scope)),
        name,
        compiler,
      );
  };
}

export function unary(apply: (value: Found, name: string) => Found): Operator {
  return evaluated(1, 1, ([value], name) => apply(value, name));
}

export function binary(apply: (left: Found, right: Found, name: string, compiler: Compiler) => Found): Operator {
  return evaluated(2, 2, ([left, right], name, compiler) => apply(left, right, name, compiler));
}

function checkArity(name: string, given: number, min: number, max: number): void {
  if (given >= min && given <= max) return;
  if (min === max) {
    throw located(16020, `Expression ${name} takes exactly ${min} arguments. ${given} were passed in.`);
  }
  const most = max === Number.POSITIVE_INFINITY ? `at least ${min}` : `at least ${min} arguments, and at most ${max}`;
  throw located(28667, `Expression ${name} takes ${most} arguments, but ${given} were passed in.`);
}

/** The named arguments of an operator that takes a document; `required` and `optional` are all it may have. */
export function namedArguments(
  name: string,
  operand: Value,
  required: readonly string[],
  optional: readonly string[],
  code: number | 'FailedToParse',
): Map<string, Value> {
  const refuse = (message: string) => (code === 'FailedToParse' ? failedToParse(message) : located(code, message));
  if (!isDoc(operand)) throw refuse(`${name} only supports an object as its argument`);
  for (const key of operand.keys()) {
    if (!required.includes(key) && !optional.includes(key)) {
      throw refuse(`Unrecognized parameter to ${name}: ${key}`);
    }
  }
  for (const key of required) {
    if (!operand.has(key)) throw refuse(`Missing '${key}' parameter to ${name}`);
  }
  return operand;
}

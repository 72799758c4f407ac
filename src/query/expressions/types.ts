import type { Value } from '../../bson/index.ts';
import { evaluatedEarly, failedToParse, located } from '../error.ts';
import type { QueryContext } from '../types.ts';
import { type Found, isArray, isDoc, typeName } from '../value.ts';

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

/** `CURRENT` is a variable, too: where fields are looked for. */
export function bind(scope: Scope, name: string, value: Found): Scope {
  if (name === 'CURRENT') return { ...scope, current: value };
  return { ...scope, variables: { name, value, outer: scope.variables } };
}

const constants = new WeakMap<Expression, Found>();

/** An expression that has one value whatever the document, and is known to. */
export function constant(value: Found): Expression {
  const expression = () => value;
  constants.set(expression, value);
  return expression;
}

export function isConstant(expression: Expression | undefined): boolean {
  return expression === undefined || constants.has(expression);
}

/** The value of a constant, undefined for any other expression. */
export function constantValue(expression: Expression): { readonly value: Found } | undefined {
  return constants.has(expression) ? { value: constants.get(expression)! } : undefined;
}

const NOTHING: Scope = { root: new Map(), current: new Map(), variables: undefined };

/** An expression whose parts are all constant is evaluated at once, so that its errors are told before any document. */
export function folded(parts: readonly (Expression | undefined)[], expression: Expression): Expression {
  return parts.every(isConstant) ? constant(evaluatedEarly(() => expression(NOTHING))) : expression;
}

/** `derive(part)`, which is done once where the part is constant: patterns, formats and their like are costly. */
export function derived<T>(part: Expression, derive: (value: Found) => T): (scope: Scope) => T {
  const known = constantValue(part);
  if (!known) return (scope) => derive(part(scope));
  const value = evaluatedEarly(() => derive(known.value));
  return () => value;
}

/** An operator that is a function of its evaluated arguments, `min` to `max` of them. `check` sees them compiled, before any is evaluated. */
export function evaluated(
  min: number,
  max: number,
  apply: (args: readonly Found[], name: string, compiler: Compiler) => Found,
  check?: (args: readonly Expression[]) => void,
): Operator {
  return (operand, compiler, name) => {
    const operands = isArray(operand) ? operand : [operand];
    checkArity(name, operands.length, min, max);
    const args = operands.map((item) => compiler.compile(item));
    check?.(args);
    return folded(args, (scope) =>
      apply(
        args.map((arg) => arg(scope)),
        name,
        compiler,
      ),
    );
  };
}

export function unary(apply: (value: Found, name: string) => Found): Operator {
  return (operand, compiler, name) => {
    const operands = isArray(operand) ? operand : [operand];
    checkArity(name, operands.length, 1, 1);
    const arg = compiler.compile(operands[0]);
    return folded([arg], (scope) => apply(arg(scope), name));
  };
}

export function binary(apply: (left: Found, right: Found, name: string, compiler: Compiler) => Found): Operator {
  return (operand, compiler, name) => {
    const operands = isArray(operand) ? operand : [operand];
    checkArity(name, operands.length, 2, 2);
    const [left, right] = [compiler.compile(operands[0]), compiler.compile(operands[1])];
    return folded([left, right], (scope) => apply(left(scope), right(scope), name, compiler));
  };
}

function checkArity(name: string, given: number, min: number, max: number): void {
  if (given >= min && given <= max) return;
  if (min === max) {
    throw located(16020, `Expression ${name} takes exactly ${min} arguments. ${given} were passed in.`);
  }
  throw located(
    28667,
    `Expression ${name} takes at least ${min} arguments, and at most ${max}, but ${given} were passed in.`,
  );
}

/** How MongoDB words what is wrong with named arguments; its operators are of several ages. */
interface Wording {
  notObject(name: string, type: string): string;
  unknown(name: string, key: string): string;
  missing(name: string, key: string): string;
}

const PARAMETER: Wording = {
  notObject: (name) => `${name} only supports an object as its argument`,
  unknown: (name, key) => `Unrecognized parameter to ${name}: ${key}`,
  missing: (name, key) => `Missing '${key}' parameter to ${name}`,
};
const WORDINGS = {
  parameter: PARAMETER,
  argument: { ...PARAMETER, unknown: (name: string, key: string) => `Unrecognized argument to ${name}: ${key}` },
  specified: {
    notObject: (name: string, type: string) => `${name} requires an object as an argument, found: ${type}`,
    unknown: (name: string, key: string) => `${name} found an unknown argument: ${key}`,
    missing: (name: string, key: string) => `${name} requires '${key}' to be specified`,
  },
} satisfies Record<string, Wording>;

/** The named arguments of an operator, and the code of each mistake with them. */
export interface Signature {
  /** The code for each argument's absence. */
  readonly required: Readonly<Record<string, number | 'FailedToParse'>>;
  readonly optional?: readonly string[];
  readonly notObject: number | 'FailedToParse';
  readonly unknown: number | 'FailedToParse';
  readonly wording: keyof typeof WORDINGS;
  /** Where this operator's words are its own. */
  readonly words?: Partial<Wording>;
}

function refusal(code: number | 'FailedToParse', message: string): Error {
  return code === 'FailedToParse' ? failedToParse(message) : located(code, message);
}

/** The operand of an operator that takes named arguments, checked. */
export function namedArguments(name: string, operand: Value, signature: Signature): Map<string, Value> {
  const { required, optional = [] } = signature;
  const words = { ...WORDINGS[signature.wording], ...signature.words };
  if (!isDoc(operand)) throw refusal(signature.notObject, words.notObject(name, typeName(operand)));
  for (const key of operand.keys()) {
    if (!Object.hasOwn(required, key) && !optional.includes(key)) {
      throw refusal(signature.unknown, words.unknown(name, key));
    }
  }
  for (const [key, code] of Object.entries(required)) {
    if (!operand.has(key)) throw refusal(code, words.missing(name, key));
  }
  return operand;
}

/** The named arguments, compiled; undefined for those that are not given. */
export function namedExpressions<K extends string>(
  name: string,
  operand: Value,
  compiler: Compiler,
  signature: Signature,
  ...keys: readonly K[]
): Readonly<Record<K, Expression | undefined>> {
  const args = namedArguments(name, operand, signature);
  const compiled: Partial<Record<K, Expression | undefined>> = {};
  for (const key of keys) compiled[key] = args.has(key) ? compiler.compile(args.get(key)) : undefined;
  return compiled as Record<K, Expression | undefined>;
}

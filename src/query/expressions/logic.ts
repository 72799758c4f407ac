import { Int32, type Value } from '../../bson/index.ts';
import { evaluatedEarly, isConstantError, located } from '../error.ts';
import { compareFound } from '../order.ts';
import { type Found, isArray, isDoc, isNullish, truthy, typeName } from '../value.ts';
import {
  binary,
  type Compiler,
  constant,
  constantValue,
  type Expression,
  folded,
  type Operator,
  type Operators,
  unary,
} from './types.ts';

/** Comparison, boolean and conditional operators. */
export const logic: Operators = {
  $cmp: comparing((order) => new Int32(Math.sign(order))),
  $eq: comparing((order) => order === 0),
  $ne: comparing((order) => order !== 0),
  $gt: comparing((order) => order > 0),
  $gte: comparing((order) => order >= 0),
  $lt: comparing((order) => order < 0),
  $lte: comparing((order) => order <= 0),
  $not: unary((value) => !truthy(value)),
  $and: (operand, compiler) => {
    const parts = list(operand).map((item) => compiler.compile(item));
    if (parts.some((part) => isKnown(part, false))) return constant(false);
    return folded(parts, (scope) => parts.every((part) => truthy(part(scope))));
  },
  $or: (operand, compiler) => {
    const parts = list(operand).map((item) => compiler.compile(item));
    if (parts.some((part) => isKnown(part, true))) return constant(true);
    return folded(parts, (scope) => parts.some((part) => truthy(part(scope))));
  },
  $cond: conditional,
  $ifNull: (operand, compiler) => {
    const items = list(operand);
    if (items.length < 2) {
      throw located(1257300, `$ifNull needs at least two arguments, had: ${items.length}`);
    }
    const parts = items.map((item) => compiler.compile(item));
    const last = parts.at(-1)!;
    return folded(parts, (scope) => {
      for (const part of parts) {
        if (part === last) break;
        const value = part(scope);
        if (!isNullish(value)) return value;
      }
      return last(scope);
    });
  },
  $switch: branching,
};

/** Whether a part decides `$and` or `$or` by itself: MongoDB looks at constants first. */
function isKnown(part: Expression, value: boolean): boolean {
  const known = constantValue(part);
  return known !== undefined && truthy(known.value) === value;
}

function comparing(test: (order: number) => Found): Operator {
  return binary((left, right, _, { context }) => test(compareFound(left, right, context.collator)));
}

function list(operand: Value): readonly Value[] {
  return isArray(operand) ? operand : [operand];
}

function conditional(...[operand, compiler]: Parameters<Operator>): Expression {
  const parts = isDoc(operand) ? namedBranches(operand) : list(operand);
  if (parts.length !== 3) {
    throw located(16020, `Expression $cond takes exactly 3 arguments. ${parts.length} were passed in.`);
  }
  const [test, yes, no] = parts.map((part) => compiler.compile(part));
  return folded([test, yes, no], (scope) => (truthy(test!(scope)) ? yes!(scope) : no!(scope)));
}

function namedBranches(operand: Map<string, Value>): Value[] {
  for (const key of operand.keys()) {
    if (key !== 'if' && key !== 'then' && key !== 'else')
      throw located(17083, `Unrecognized parameter to $cond: ${key}`);
  }
  for (const [key, code] of [
    ['if', 17080],
    ['then', 17081],
    ['else', 17082],
  ] as const) {
    if (!operand.has(key)) throw located(code, `Missing '${key}' parameter to $cond`);
  }
  return [operand.get('if'), operand.get('then'), operand.get('else')];
}

function branching(...[operand, compiler]: Parameters<Operator>): Expression {
  if (!isDoc(operand)) {
    throw located(40060, `$switch requires an object as an argument, found: ${typeName(operand)}`);
  }
  for (const key of operand.keys()) {
    if (key !== 'branches' && key !== 'default') throw located(40067, `$switch found an unknown argument: ${key}`);
  }
  const given = operand.has('branches') ? operand.get('branches') : [];
  if (!isArray(given)) throw located(40061, `$switch expected an array for 'branches', found: ${typeName(given)}`);
  const all = given.map((branch) => compileBranch(branch, compiler));
  if (all.length === 0) throw located(40068, '$switch requires at least one branch.');
  const last = operand.has('default') ? compiled(operand.get('default'), compiler) : undefined;
  const { branches, otherwise } = reachable(all, last);
  return (scope) => {
    for (const branch of branches) if (truthy(branch.when(scope))) return branch.result(scope);
    if (otherwise) return otherwise(scope);
    throw located(40066, '$switch could not find a matching branch for an input, and no default was specified.');
  };
}

/**
 * What is left of branches whose cases are constant (`ExpressionSwitch::optimize`): a result that is never reached has no
 * errors, but for the default, which is looked at first.
 */
function reachable(
  all: readonly Branch[],
  last: (() => Expression) | undefined,
): {
  readonly branches: readonly { when: Expression; result: Expression }[];
  readonly otherwise: Expression | undefined;
} {
  const branches: { when: Expression; result: Expression }[] = [];
  const otherwise = last?.();
  for (const { when, result } of all) {
    const test = when();
    const known = constantValue(test);
    if (known && truthy(known.value)) return { branches, otherwise: result() };
    if (!known) branches.push({ when: test, result: result() });
  }
  if (branches.length === 0 && !otherwise) {
    return evaluatedEarly(() => {
      throw located(
        40069,
        'One cannot execute a switch expression where all the cases evaluate to false without a default.',
      );
    });
  }
  return { branches, otherwise };
}

/** A part that is compiled now, and whose constants are looked at when it is asked for. */
function compiled(part: Value, compiler: Compiler): () => Expression {
  try {
    const expression = compiler.compile(part);
    return () => expression;
  } catch (error) {
    if (!isConstantError(error)) throw error;
    return () => {
      throw error;
    };
  }
}

interface Branch {
  when(): Expression;
  result(): Expression;
}

function compileBranch(branch: Value, compiler: Compiler): Branch {
  if (!isDoc(branch)) throw located(40062, `$switch expected each branch to be an object, found: ${typeName(branch)}`);
  for (const key of branch.keys()) {
    if (key !== 'case' && key !== 'then') throw located(40063, `$switch found an unknown argument to a branch: ${key}`);
  }
  if (!branch.has('case')) throw located(40064, "$switch requires each branch have a 'case' expression");
  if (!branch.has('then')) throw located(40065, "$switch requires each branch have a 'then' expression.");
  return { when: compiled(branch.get('case'), compiler), result: compiled(branch.get('then'), compiler) };
}

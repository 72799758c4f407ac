import type { Value } from '../../bson/index.ts';
import { located, notImplemented } from '../error.ts';
import { metadataOf, metaKey } from '../metadata.ts';
import { isDoc, MISSING } from '../value.ts';
import { variable } from './array.ts';
import { bind, type Expression, namedArguments, type Operator, type Operators } from './types.ts';

export const variables: Operators = {
  $literal: (operand) => () => operand,
  $const: (operand) => () => operand,
  $let: letIn,
  $rand: (operand, compiler) => {
    if (!isDoc(operand) || operand.size > 0) throw located(3040501, '$rand does not currently accept arguments');
    return () => compiler.context.random();
  },
  $meta: (operand, compiler) => {
    const key = metaKey(operand, compiler.context.metadata);
    return ({ root }) => (key && isDoc(root) ? metadataOf(root)?.[key] : undefined) ?? MISSING;
  },
  $function: noScripts,
  $accumulator: noScripts,
};

function letIn(...[operand, compiler, name]: Parameters<Operator>): Expression {
  const args = namedArguments(name, operand, ['vars', 'in'], [], 16874);
  const given = args.get('vars');
  if (!isDoc(given)) throw located(10065, 'invalid parameter: expected an object (vars)');
  const bindings = [...given].map(([key, value]: [string, Value]) => ({
    name: variable(key, key),
    value: compiler.compile(value),
  }));
  const body = compiler.binding(...bindings.map((binding) => binding.name)).compile(args.get('in'));
  // Every variable is evaluated outside, so that none sees another.
  return (scope) => body(bindings.reduce((inner, binding) => bind(inner, binding.name, binding.value(scope)), scope));
}

function noScripts(): never {
  throw notImplemented('DiscoDB runs no JavaScript of its clients');
}

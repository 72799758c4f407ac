import { Code, type Value } from '../../bson/index.ts';
import { located } from '../error.ts';
import { metadataOf, metaKey } from '../metadata.ts';
import { isArray, isDoc, MISSING, typeName } from '../value.ts';
import {
  bind,
  constant,
  constantValue,
  type Expression,
  namedArguments,
  type Operator,
  type Operators,
  type Signature,
} from './types.ts';
import { variableName } from './variable-name.ts';

export const variables: Operators = {
  $literal: (operand) => constant(operand),
  $const: (operand) => constant(operand),
  $let: letIn,
  $rand: (operand, compiler) => {
    if (!isDoc(operand) && !isArray(operand)) throw located(10065, 'invalid parameter: expected an object ($rand)');
    if ((isDoc(operand) ? operand.size : operand.length) > 0)
      throw located(3040501, '$rand does not currently accept arguments');
    return () => compiler.context.random();
  },
  $meta: (operand, compiler) => {
    const key = metaKey(operand, compiler.context.metadata);
    return ({ root }) => (key && isDoc(root) ? metadataOf(root)?.[key] : undefined) ?? MISSING;
  },
  $function: scripted,
};

const LET: Signature = {
  required: { vars: 16876, in: 16877 },
  notObject: 16874,
  unknown: 16875,
  wording: 'parameter',
};

function letIn(...[operand, compiler, name]: Parameters<Operator>): Expression {
  const args = namedArguments(name, operand, LET);
  const given = args.get('vars');
  if (!isDoc(given)) throw located(10065, 'invalid parameter: expected an object (vars)');
  const bindings = [...given].map(([key, value]: [string, Value]) => ({
    name: variableName(key),
    value: compiler.compile(value),
  }));
  const body = compiler.binding(...bindings.map((binding) => binding.name)).compile(args.get('in'));
  // Every variable is evaluated outside, so that none sees another.
  return (scope) => body(bindings.reduce((inner, binding) => bind(inner, binding.name, binding.value(scope)), scope));
}

/** As of a server that was started with server-side JavaScript off: the mistakes in it come first, then that. */
function scripted(...[operand, compiler, name]: Parameters<Operator>): Expression {
  if (!isDoc(operand)) {
    throw located(31260, `${name} requires an object as an argument, found: ${typeName(operand)}`);
  }
  if (!operand.has('body')) throw located(31261, 'The body function must be specified.');
  const body = constantValue(compiler.compile(operand.get('body')));
  if (!body) throw located(31432, 'The body function must be a constant expression');
  if (typeof body.value !== 'string' && !(body.value instanceof Code)) {
    throw located(31262, 'The body function must evaluate to type string or code');
  }
  if (!operand.has('args')) throw located(31263, 'The args field must be specified.');
  compiler.compile(operand.get('args'));
  if (!operand.has('lang')) throw located(31418, 'The lang field must be specified.');
  if (operand.get('lang') !== 'js') {
    throw located(31419, "Currently the only supported language specifier is 'js'.");
  }
  return () => noScripts();
}

export function noScripts(): never {
  throw located(31264, 'Cannot run server-side javascript without the javascript engine enabled');
}

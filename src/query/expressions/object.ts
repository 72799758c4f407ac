import type { Doc, Value } from '../../bson/index.ts';
import { located } from '../error.ts';
import { field } from '../path.ts';
import { type Found, isArray, isDoc, isNullish, MISSING, typeName, valueText } from '../value.ts';
import {
  type Compiler,
  constant,
  constantValue,
  type Expression,
  folded,
  namedArguments,
  type Operator,
  type Operators,
  type Signature,
  unary,
} from './types.ts';

/** Operators on documents and their fields. */
export const objects: Operators = {
  $objectToArray: unary((value) => {
    if (isNullish(value)) return null;
    if (!isDoc(value)) throw located(40390, `$objectToArray requires a document input, found: ${typeName(value)}`);
    return [...value].map(([k, v]) => new Map<string, Value>().set('k', k).set('v', v));
  }),
  $arrayToObject: unary(fromPairs),
  $getField: getField,
  $setField: (operand, compiler, name) => {
    const args = namedArguments(name, operand, SET_FIELD);
    return withField(name, args, compiler.compile(args.get('value')), compiler);
  },
  $unsetField: (operand, compiler, name) => {
    const args = namedArguments(name, operand, UNSET_FIELD);
    return withField(name, args, constant(MISSING), compiler);
  },
};

function fromPairs(value: Found): Found {
  if (isNullish(value)) return null;
  if (!isArray(value)) throw located(40386, `$arrayToObject requires an array input, found: ${typeName(value)}`);
  const result: Doc = new Map();
  const [first] = value;
  if (value.length === 0) return result;
  // The first element decides how all are written.
  if (!isArray(first) && !isDoc(first)) {
    throw located(40398, `Unrecognised input type format for $arrayToObject: ${typeName(first)}`);
  }
  for (const item of value) {
    const [key, content] = isArray(first) ? pairOfArray(item) : pairOfDoc(item);
    result.set(key, content);
  }
  return result;
}

const INCONSISTENT =
  '$arrayToObject requires a consistent input format. Elements must' + 'all be arrays or all be objects.';

function pairOfArray(item: Value): [string, Value] {
  if (!isArray(item)) throw located(40396, `${INCONSISTENT} Array was detected, now found: ${typeName(item)}`);
  if (item.length !== 2) {
    throw located(40397, `$arrayToObject requires an array of size 2 arrays,found array of size: ${item.length}`);
  }
  const [key, content] = item;
  if (typeof key !== 'string') {
    throw located(
      40395,
      `$arrayToObject requires an array of key-value pairs, where the key must be of type string. Found key type: ${typeName(key)}`,
    );
  }
  if (key.includes('\0')) throw located(4940400, 'Key field cannot contain an embedded null byte');
  return [key, content];
}

function pairOfDoc(item: Value): [string, Value] {
  if (!isDoc(item)) throw located(40391, `${INCONSISTENT} Object was detected, now found: ${typeName(item)}`);
  if (item.size !== 2) {
    throw located(
      40392,
      `$arrayToObject requires an object keys of 'k' and 'v'. Found incorrect number of keys:${item.size}`,
    );
  }
  if (!item.has('k') || !item.has('v')) {
    throw located(
      40393,
      `$arrayToObject requires an object with keys 'k' and 'v'. Missing either or both keys from: ${valueText(item)}`,
    );
  }
  const key = item.get('k');
  if (typeof key !== 'string') {
    throw located(
      40394,
      `$arrayToObject requires an object with keys 'k' and 'v', where the value of 'k' must be of type string. Found type: ${typeName(key)}`,
    );
  }
  if (key.includes('\0')) throw located(4940401, 'Key field cannot contain an embedded null byte');
  return [key, item.get('v')];
}

const GET_FIELD: Signature = {
  required: { field: 3041702, input: 3041703 },
  notObject: 3041701,
  unknown: 3041701,
  wording: 'specified',
};

/** `{field, input}`, or the field's name alone: a field of `$$CURRENT`. */
function getField(...[operand, compiler, name]: Parameters<Operator>): Expression {
  const isNamed = isDoc(operand) && !operand.keys().next().value?.startsWith('$');
  const args = isNamed ? namedArguments(name, operand, GET_FIELD) : undefined;
  const key = compiler.compile(args ? args.get('field') : operand);
  const input = compiler.compile(args ? args.get('input') : '$$CURRENT');
  const known = constantValue(key);
  if (known) fieldName(name, known.value, 5654602);
  return folded([key, input], (scope) => {
    const wanted = fieldName(name, key(scope), 3041704);
    const value = input(scope);
    if (isDoc(value)) return field(value, wanted);
    return isNullish(value) && value !== MISSING ? null : MISSING;
  });
}

function fieldName(name: string, value: Found, code: number): string {
  if (typeof value === 'string') return value;
  throw located(code, `${name} requires 'field' to evaluate to type String, but got ${typeName(value)}`);
}

const SET_FIELD: Signature = {
  required: { field: 4161102, value: 4161103, input: 4161109 },
  notObject: 4161100,
  unknown: 4161101,
  wording: 'specified',
  words: { notObject: (name) => `${name} only supports an object as its argument` },
};
const UNSET_FIELD: Signature = { ...SET_FIELD, required: { field: 4161102, input: 4161109 } };

/** Arrays and documents are calculated, whatever is in them. */
function isLiteral(operand: Value): boolean {
  return !isArray(operand) && (!isDoc(operand) || operand.has('$literal') || operand.has('$const'));
}

function withField(name: string, args: Map<string, Value>, content: Expression, compiler: Compiler): Expression {
  const given = args.get('field');
  if (typeof given === 'string' && given.startsWith('$')) {
    throw located(
      4161108,
      `'${given}' is a field path reference which is not allowed in this context. Did you mean {$literal: '${given}'}?`,
    );
  }
  const known = isLiteral(given) ? constantValue(compiler.compile(given)) : undefined;
  if (!known) {
    throw located(4161106, `${name} requires 'field' to evaluate to a constant, but got a non-constant argument`);
  }
  const key = fieldName(name, known.value, 4161107);
  const input = compiler.compile(args.get('input'));
  return folded([input, content], (scope) => {
    const target = input(scope);
    if (isNullish(target)) return null;
    // MongoDB names $setField here, whichever it is.
    if (!isDoc(target)) throw located(4161105, "$setField requires 'input' to evaluate to type Object");
    const value = content(scope);
    const copy = new Map(target);
    if (value === MISSING) copy.delete(key);
    else copy.set(key, value);
    return copy;
  });
}

import { type Collator, comparison, type Doc, equal, type Value } from '../../bson/index.ts';
import { located } from '../error.ts';
import { field } from '../path.ts';
import { type Found, isArray, isDoc, isNullish, MISSING, typeName } from '../value.ts';
import { type Expression, evaluated, namedArguments, type Operator, type Operators, unary } from './types.ts';

/** Operators on documents and on arrays as sets. */
export const objects: Operators = {
  $mergeObjects: evaluated(0, Number.POSITIVE_INFINITY, (args) => {
    const list = args.length === 1 && isArray(args[0]!) ? args[0] : args;
    const merged: Doc = new Map();
    for (const arg of list) {
      if (isNullish(arg)) continue;
      if (!isDoc(arg))
        throw located(40400, `$mergeObjects requires object inputs, but input is of type ${typeName(arg)}`);
      for (const [key, value] of arg) merged.set(key, value);
    }
    return merged;
  }),
  $objectToArray: unary((value) => {
    if (isNullish(value)) return null;
    if (!isDoc(value)) {
      throw located(40390, `$objectToArray requires a document input, found: ${typeName(value)}`);
    }
    return [...value].map(
      ([k, v]) =>
        new Map([
          ['k', k as Value],
          ['v', v],
        ]),
    );
  }),
  $arrayToObject: unary(fromPairs),
  $getField: getField,
  $setField: (operand, compiler, name) => {
    const args = namedArguments(name, operand, ['field', 'input', 'value'], [], 4161100);
    return withField(args, args.get('value'), compiler);
  },
  $unsetField: (operand, compiler, name) => {
    const args = namedArguments(name, operand, ['field', 'input'], [], 4161100);
    return withField(args, '$$REMOVE', compiler);
  },
  $setUnion: evaluated(0, Number.POSITIVE_INFINITY, (args, name, { context }) => {
    if (args.some(isNullish)) return null;
    return distinct(
      args.flatMap((arg) => set(arg, name)),
      context.collator,
    );
  }),
  $setIntersection: evaluated(0, Number.POSITIVE_INFINITY, (args, name, { context }) => {
    if (args.some(isNullish)) return null;
    const [first, ...rest] = args.map((arg) => set(arg, name));
    return distinct(first ?? [], context.collator).filter((item) =>
      rest.every((other) => contains(other, item, context.collator)),
    );
  }),
  $setDifference: evaluated(2, 2, (args, name, { context }) => {
    if (args.some(isNullish)) return null;
    const [from, without] = args.map((arg) => set(arg, name));
    return unique(from!, context.collator).filter((item) => !contains(without!, item, context.collator));
  }),
  $setEquals: evaluated(2, Number.POSITIVE_INFINITY, (args, name, { context }) => {
    const [first, ...rest] = args.map((arg) => distinct(set(arg, name), context.collator));
    return rest.every((other) => equal(other, first, context.collator));
  }),
  $setIsSubset: evaluated(2, 2, (args, name, { context }) => {
    const [part, whole] = args.map((arg) => set(arg, name));
    return part!.every((item) => contains(whole!, item, context.collator));
  }),
};

function fromPairs(value: Found): Found {
  if (isNullish(value)) return null;
  if (!isArray(value)) throw located(40386, `$arrayToObject requires an array input, found: ${typeName(value)}`);
  const result: Doc = new Map();
  for (const item of value) {
    const isPair = isDoc(item) ? item.size === 2 && item.has('k') && item.has('v') : isArray(item) && item.length === 2;
    if (!isPair) {
      throw located(40392, "$arrayToObject requires an object with keys 'k' and 'v', or an array of two elements");
    }
    const key = isDoc(item) ? item.get('k') : (item as Value[])[0];
    const content = isDoc(item) ? item.get('v') : (item as Value[])[1];
    if (typeof key !== 'string') {
      throw located(
        40394,
        `$arrayToObject requires an object with keys 'k' and 'v', where the value of 'k' must be of type string. Found type: ${typeName(key)}`,
      );
    }
    result.set(key, content);
  }
  return result;
}

function getField(...[operand, compiler]: Parameters<Operator>): Expression {
  const isNamed = isDoc(operand) && (operand.has('field') || operand.has('input'));
  const args = isNamed ? namedArguments('$getField', operand, ['field'], ['input'], 3041702) : undefined;
  const name = compiler.compile(args ? args.get('field') : operand);
  const input = compiler.compile(args?.has('input') ? args.get('input') : '$$CURRENT');
  return (scope) => {
    const key = name(scope);
    if (typeof key !== 'string') {
      throw located(5654602, `$getField requires 'field' to evaluate to type String, but got ${typeName(key)}`);
    }
    const value = input(scope);
    if (isDoc(value)) return field(value, key);
    return isNullish(value) && value !== MISSING ? null : MISSING;
  };
}

function withField(args: Map<string, Value>, content: Value, compiler: Parameters<Operator>[1]): Expression {
  const [name, input, value] = [args.get('field'), args.get('input'), content].map((part) => compiler.compile(part));
  return (scope) => {
    const key = name!(scope);
    const target = input!(scope);
    const set = value!(scope);
    if (typeof key !== 'string')
      throw located(4161106, `$setField requires 'field' to evaluate to type String, but got ${typeName(key)}`);
    if (isNullish(target)) return null;
    if (!isDoc(target)) throw located(4161105, `$setField requires 'input' to evaluate to type Object`);
    const copy = new Map(target);
    if (set === MISSING) copy.delete(key);
    else copy.set(key, set);
    return copy;
  };
}

function set(value: Found, name: string): readonly Value[] {
  if (isArray(value)) return value;
  throw located(17043, `All operands of ${name} must be arrays. One argument is of type: ${typeName(value)}`);
}

function contains(list: readonly Value[], wanted: Value, collator: Collator | undefined): boolean {
  return list.some((item) => equal(item, wanted, collator));
}

/** Sorted and without repetitions, as MongoDB's ordered sets come out. */
function distinct(list: readonly Value[], collator: Collator | undefined): Value[] {
  const compare = comparison(collator);
  const sorted = [...list].sort(compare);
  return sorted.filter((item, at) => at === 0 || compare(item, sorted[at - 1]) !== 0);
}

/** Without repetitions, in the order of first appearance. */
function unique(list: readonly Value[], collator: Collator | undefined): Value[] {
  const kept: Value[] = [];
  for (const item of list) if (!contains(kept, item, collator)) kept.push(item);
  return kept;
}

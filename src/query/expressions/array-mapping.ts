import { comparison, type Doc, type Value } from '../../bson/index.ts';
import { located } from '../error.ts';
import { exactInt, exactLong } from '../number.ts';
import { compileWholeSort } from '../sort.ts';
import type { QueryContext } from '../types.ts';
import { type Found, isArray, isDoc, isNullish, isNumeric, orNull, truthy, typeName, valueText } from '../value.ts';
import {
  bind,
  type Expression,
  folded,
  namedArguments,
  type Operator,
  type Operators,
  type Signature,
} from './types.ts';
import { variableName } from './variable-name.ts';

/** Operators that make arrays of arrays by named arguments. */
export const arrayMapping: Operators = {
  $map: map,
  $filter: filter,
  $reduce: reduce,
  $sortArray: sortArray,
  $zip: zip,
};

const MAP: Signature = {
  required: { input: 16880, in: 16882 },
  optional: ['as'],
  notObject: 16878,
  unknown: 16879,
  wording: 'parameter',
};

function map(...[operand, compiler, name]: Parameters<Operator>): Expression {
  const args = namedArguments(name, operand, MAP);
  const input = compiler.compile(args.get('input'));
  const as = args.has('as') ? variableName(args.get('as')) : 'this';
  const each = compiler.binding(as).compile(args.get('in'));
  return folded([input, each], (scope) => {
    const list = input(scope);
    if (isNullish(list)) return null;
    if (!isArray(list)) throw located(16883, `input to $map must be an array not ${typeName(list)}`);
    return list.map((item) => orNull(each(bind(scope, as, item))));
  });
}

const FILTER: Signature = {
  required: { input: 28648, cond: 28650 },
  optional: ['as', 'limit'],
  notObject: 28646,
  unknown: 28647,
  wording: 'parameter',
};

function filter(...[operand, compiler, name]: Parameters<Operator>): Expression {
  const args = namedArguments(name, operand, FILTER);
  const input = compiler.compile(args.get('input'));
  const as = args.has('as') ? variableName(args.get('as')) : 'this';
  const test = compiler.binding(as).compile(args.get('cond'));
  const limit = args.has('limit') ? compiler.compile(args.get('limit')) : undefined;
  return folded([input, test, limit], (scope) => {
    const list = input(scope);
    if (isNullish(list)) return null;
    if (!isArray(list)) throw located(28651, `input to $filter must be an array not ${typeName(list)}`);
    if (list.length === 0) return list;
    const most = limit ? filterLimit(limit(scope)) : Number.POSITIVE_INFINITY;
    const kept: Value[] = [];
    for (const item of list) {
      if (!truthy(test(bind(scope, as, item)))) continue;
      kept.push(item);
      if (kept.length === most) break;
    }
    return kept;
  });
}

function filterLimit(value: Found): number {
  if (isNullish(value)) return Number.POSITIVE_INFINITY;
  const limit = isNumeric(value) ? exactInt(value) : undefined;
  if (limit === undefined) {
    throw located(327391, `$filter: limit must be represented as a 32-bit integral value: ${valueText(value)}`);
  }
  if (limit <= 0) throw located(327392, `$filter: limit must be greater than 0: ${valueText(value)}`);
  return limit;
}

const REDUCE: Signature = {
  required: { input: 40077, initialValue: 40078, in: 40079 },
  notObject: 40075,
  unknown: 40076,
  wording: 'specified',
};

function reduce(...[operand, compiler, name]: Parameters<Operator>): Expression {
  const args = namedArguments(name, operand, REDUCE);
  const input = compiler.compile(args.get('input'));
  const initial = compiler.compile(args.get('initialValue'));
  const step = compiler.binding('this', 'value').compile(args.get('in'));
  return (scope) => {
    const list = input(scope);
    if (isNullish(list)) return null;
    if (!isArray(list)) throw located(40080, `$reduce requires that 'input' be an array, found: ${valueText(list)}`);
    let value = initial(scope);
    for (const item of list) value = step(bind(bind(scope, 'this', item), 'value', value));
    return value;
  };
}

const SORT_ARRAY: Signature = {
  required: { input: 2942502, sortBy: 2942503 },
  notObject: 2942500,
  unknown: 2942501,
  wording: 'specified',
};

function sortArray(...[operand, compiler, name]: Parameters<Operator>): Expression {
  const args = namedArguments(name, operand, SORT_ARRAY);
  const input = compiler.compile(args.get('input'));
  const order = elementOrder(args.get('sortBy'), compiler.context);
  return folded([input], (scope) => {
    const list = input(scope);
    if (isNullish(list)) return null;
    if (!isArray(list)) {
      throw located(2942504, `The input argument to $sortArray must be an array, but was of type: ${typeName(list)}`);
    }
    return [...list].sort(order);
  });
}

function elementOrder(by: Value, { collator }: QueryContext): (left: Value, right: Value) => number {
  if (isDoc(by)) {
    checkPattern(by);
    return compileWholeSort(by, collator);
  }
  if (!isNumeric(by)) {
    throw located(
      2942507,
      'The $sort is invalid: use 1/-1 to sort the whole element, or {field:1/-1} to sort embedded fields',
    );
  }
  const direction = exactLong(by);
  if (direction !== 1n && direction !== -1n) {
    throw located(2942506, 'The $sort element value must be either 1 or -1');
  }
  const compare = comparison(collator);
  return direction === 1n ? compare : (left, right) => compare(right, left);
}

function checkPattern(by: Doc): void {
  if (by.size === 0) {
    throw located(2942505, 'BadValue: The $sort pattern is empty when it should be a set of fields.');
  }
  for (const [key, value] of by) {
    const direction = isNumeric(value) ? exactLong(value) : undefined;
    if (direction !== 1n && direction !== -1n) {
      throw located(2942505, 'BadValue: The $sort element value must be either 1 or -1');
    }
    if (key === '') throw located(2942505, 'BadValue: The $sort field cannot be empty');
  }
}

const ZIP: Signature = {
  required: { inputs: 34465 },
  optional: ['useLongestLength', 'defaults'],
  notObject: 34460,
  unknown: 34464,
  wording: 'specified',
  words: {
    notObject: (name, type) => `${name} only supports an object as an argument, found ${type}`,
    missing: () => '$zip requires at least one input array',
  },
};

function zip(...[operand, compiler, name]: Parameters<Operator>): Expression {
  const args = namedArguments(name, operand, ZIP);
  const expressionsOf = (key: string, code: number): Expression[] => {
    const list = args.get(key);
    if (!isArray(list)) throw located(code, `${key} must be an array of expressions, found ${typeName(list)}`);
    return list.map((item) => compiler.compile(item));
  };
  const inputs = expressionsOf('inputs', 34461);
  const defaults = args.has('defaults') ? expressionsOf('defaults', 34462) : [];
  const longest = args.get('useLongestLength') ?? false;
  if (typeof longest !== 'boolean') {
    throw located(34463, `useLongestLength must be a bool, found ${typeName(longest)}`);
  }
  if (inputs.length === 0) throw located(34465, '$zip requires at least one input array');
  if (defaults.length > 0 && !longest) {
    throw located(34466, 'cannot specify defaults unless useLongestLength is true');
  }
  if (defaults.length > 0 && defaults.length !== inputs.length) {
    throw located(34467, 'defaults and inputs must have the same length');
  }
  return folded([...inputs, ...defaults], (scope) => {
    const lists: (readonly Value[])[] = [];
    for (const input of inputs) {
      const list = input(scope);
      if (isNullish(list)) return null;
      if (!isArray(list)) throw located(34468, `$zip found a non-array expression in input: ${valueText(list)}`);
      lists.push(list);
    }
    const fill = defaults.map((each) => orNull(each(scope)));
    const lengths = lists.map((list) => list.length);
    const length = longest ? Math.max(...lengths) : Math.min(...lengths);
    return Array.from({ length }, (_, at) =>
      lists.map((list, which) => (at < list.length ? list[at] : (fill[which] ?? null))),
    );
  });
}

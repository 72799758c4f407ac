import { CodedError } from '../../base/index.ts';
import { type Collator, comparison, type Doc, Int32, type Value } from '../../bson/index.ts';
import { located } from '../error.ts';
import { clampedInt, exactLong } from '../number.ts';
import { compareFound } from '../order.ts';
import { compileSort } from '../sort.ts';
import type { QueryContext } from '../types.ts';
import { type Found, format, isArray, isDoc, isNullish, isNumeric, MISSING, truthy, typeName } from '../value.ts';
import {
  binary,
  bind,
  type Compiler,
  type Expression,
  evaluated,
  namedArguments,
  type Operator,
  type Operators,
  unary,
} from './types.ts';

/** How many elements `$range` may make. */
const MAX_RANGE = 10_000_000;

export const arrays: Operators = {
  $isArray: unary((value) => isArray(value)),
  $size: unary((value) => {
    if (!isArray(value)) {
      throw located(17124, `The argument to $size must be an array, but was of type: ${typeName(value)}`);
    }
    return new Int32(value.length);
  }),
  $arrayElemAt: binary(elementAt),
  $first: evaluated(1, 1, ([value]) => end('$first', value, 0)),
  $last: evaluated(1, 1, ([value]) => end('$last', value, -1)),
  $in: binary((value, list, _, { context }) => {
    if (!isArray(list)) throw located(40081, `$in requires an array as a second argument, found: ${typeName(list)}`);
    return list.some((item) => compareFound(item, value, context.collator) === 0);
  }),
  $indexOfArray: evaluated(2, 4, indexOf),
  $concatArrays: evaluated(0, Number.POSITIVE_INFINITY, (args) => {
    if (args.some(isNullish)) return null;
    return args.flatMap((arg) => {
      if (!isArray(arg)) throw located(28664, `$concatArrays only supports arrays, not ${typeName(arg)}`);
      return arg;
    });
  }),
  $reverseArray: unary((value) => {
    if (isNullish(value)) return null;
    if (!isArray(value)) {
      throw located(34435, `The argument to $reverseArray must be an array, but was of type: ${typeName(value)}`);
    }
    return [...value].reverse();
  }),
  $slice: evaluated(2, 3, slice),
  $range: evaluated(2, 3, range),
  $map: map,
  $filter: filter,
  $reduce: reduce,
  $sortArray: sortArray,
  $zip: zip,
  $firstN: endN('$firstN', (items, n) => items.slice(0, n)),
  $lastN: endN('$lastN', (items, n) => items.slice(Math.max(0, items.length - n))),
  $minN: endN('$minN', (items, n, { collator }) => present(items).sort(comparison(collator)).slice(0, n)),
  $maxN: endN('$maxN', (items, n, { collator }) => {
    const compare = comparison(collator);
    return present(items)
      .sort((a, b) => compare(b, a))
      .slice(0, n);
  }),
};

function present(items: readonly Value[]): Value[] {
  return items.filter((item) => !isNullish(item));
}

function elementAt(list: Found, at: Found): Found {
  if (isNullish(list) || isNullish(at)) return null;
  if (!isArray(list)) throw located(28689, `$arrayElemAt's first argument must be an array, but is ${typeName(list)}`);
  if (!isNumeric(at)) {
    throw located(28690, `$arrayElemAt's second argument must be a numeric value, but is ${typeName(at)}`);
  }
  const index = exactLong(at);
  if (index === undefined) {
    throw located(28691, `$arrayElemAt's second argument must be representable as a 32-bit integer: ${format(at)}`);
  }
  const position = clampedInt(index) < 0 ? list.length + clampedInt(index) : clampedInt(index);
  return position >= 0 && position < list.length ? list[position] : MISSING;
}

function end(name: string, list: Found, at: 0 | -1): Found {
  if (isNullish(list)) return null;
  if (!isArray(list)) throw located(28689, `${name}'s argument must be an array, but is ${typeName(list)}`);
  return list.length > 0 ? list.at(at) : MISSING;
}

function indexOf([list, value, start, stop]: readonly Found[], _: string, { context }: Compiler): Found {
  if (isNullish(list!)) return null;
  if (!isArray(list!)) {
    throw located(40090, `$indexOfArray requires an array as a first argument, found: ${typeName(list!)}`);
  }
  const from = start === undefined ? 0 : bound('starting', start);
  const to = stop === undefined ? list.length : Math.min(bound('ending', stop), list.length);
  for (let i = from; i < to; i++) if (compareFound(list[i], value!, context.collator) === 0) return new Int32(i);
  return new Int32(-1);
}

function bound(which: string, value: Found): number {
  const long = isNumeric(value) ? exactLong(value) : undefined;
  if (long === undefined) {
    throw located(
      40096,
      `$indexOfArray requires an integral ${which} index, found a value of type: ${typeName(value)}`,
    );
  }
  if (long < 0n) throw located(40097, `$indexOfArray requires a nonnegative ${which} index, found: ${long}`);
  return clampedInt(long);
}

function slice([list, second, third]: readonly Found[]): Found {
  if (isNullish(list!) || isNullish(second!) || (third !== undefined && isNullish(third))) return null;
  if (!isArray(list!))
    throw located(28724, `First argument to $slice must be an array, but is of type: ${typeName(list!)}`);
  const first = int(second!, 28725, 'Second argument to $slice must be numeric, but is of type');
  if (third === undefined) return first >= 0 ? list.slice(0, first) : list.slice(first);
  const count = int(third, 28727, 'Third argument to $slice must be numeric, but is of type');
  if (count <= 0) throw located(28729, `Third argument to $slice must be positive: ${count}`);
  const start = first < 0 ? Math.max(0, list.length + first) : first;
  return list.slice(start, start + count);
}

function int(value: Found, code: number, message: string): number {
  if (!isNumeric(value)) throw located(code, `${message}: ${typeName(value)}`);
  const long = exactLong(value);
  if (long === undefined)
    throw located(code + 1, `${message.split(' must')[0]} can't be represented as a 32-bit integer: ${format(value)}`);
  return clampedInt(long);
}

function range([from, to, by]: readonly Found[]): Found {
  const start = int(from!, 34443, '$range requires a numeric starting value, found value of type');
  const stop = int(to!, 34445, '$range requires a numeric ending value, found value of type');
  const step = by === undefined ? 1 : int(by, 34447, '$range requires a numeric step value, found value of type');
  if (step === 0) throw located(34449, '$range requires a non-zero step value');
  const length = Math.max(0, Math.ceil((stop - start) / step));
  if (length > MAX_RANGE)
    throw new CodedError('ExceededMemoryLimit', `$range would use too much memory: ${length} elements`);
  return Array.from({ length }, (_, i) => new Int32(start + i * step));
}

function map(...[operand, compiler, name]: Parameters<Operator>): Expression {
  const args = namedArguments(name, operand, ['input', 'in'], ['as'], 16879);
  const as = variable(args.get('as'), 'this');
  const input = compiler.compile(args.get('input'));
  const each = compiler.binding(as).compile(args.get('in'));
  return (scope) => {
    const list = input(scope);
    if (isNullish(list)) return null;
    if (!isArray(list)) throw located(16883, `input to $map must be an array not ${typeName(list)}`);
    return list.map((item) => orNull(each(bind(scope, as, item))));
  };
}

function filter(...[operand, compiler, name]: Parameters<Operator>): Expression {
  const args = namedArguments(name, operand, ['input', 'cond'], ['as', 'limit'], 28646);
  const as = variable(args.get('as'), 'this');
  const input = compiler.compile(args.get('input'));
  const limit = args.has('limit') ? compiler.compile(args.get('limit')) : undefined;
  const test = compiler.binding(as).compile(args.get('cond'));
  return (scope) => {
    const list = input(scope);
    if (isNullish(list)) return null;
    if (!isArray(list)) throw located(28651, `input to $filter must be an array not ${typeName(list)}`);
    const most = limit?.(scope);
    const count =
      most === undefined || isNullish(most) ? list.length : int(most, 327391, '$filter limit must be numeric');
    const kept: Value[] = [];
    for (const item of list) {
      if (kept.length >= count) break;
      if (truthy(test(bind(scope, as, item)))) kept.push(item);
    }
    return kept;
  };
}

function reduce(...[operand, compiler, name]: Parameters<Operator>): Expression {
  const args = namedArguments(name, operand, ['input', 'initialValue', 'in'], [], 40075);
  const input = compiler.compile(args.get('input'));
  const initial = compiler.compile(args.get('initialValue'));
  const step = compiler.binding('this', 'value').compile(args.get('in'));
  return (scope) => {
    const list = input(scope);
    if (isNullish(list)) return null;
    if (!isArray(list)) throw located(40080, `$reduce requires that 'input' be an array, found: ${format(list)}`);
    let value = initial(scope);
    for (const item of list) value = step(bind(bind(scope, 'this', item), 'value', value));
    return value;
  };
}

function sortArray(...[operand, compiler, name]: Parameters<Operator>): Expression {
  const args = namedArguments(name, operand, ['input', 'sortBy'], [], 2942500);
  const input = compiler.compile(args.get('input'));
  const by = args.get('sortBy');
  const order = elementOrder(by, compiler.context.collator);
  return (scope) => {
    const list = input(scope);
    if (isNullish(list)) return null;
    if (!isArray(list)) {
      throw located(2942504, `The input argument to $sortArray must be an array, but was of type: ${typeName(list)}`);
    }
    return [...list].sort(order);
  };
}

function elementOrder(by: Value, collator: Collator | undefined): (left: Value, right: Value) => number {
  if (isDoc(by)) {
    const order = compileSort(by, collator);
    const asDoc = (value: Value): Doc => (isDoc(value) ? value : new Map());
    return (left, right) => order(asDoc(left), asDoc(right));
  }
  const direction = isNumeric(by) ? exactLong(by) : undefined;
  if (direction !== 1n && direction !== -1n) {
    throw located(2942506, '$sortArray sort must be 1/-1 to sort the whole element, or {field:1/-1}');
  }
  const compare = comparison(collator);
  return (left, right) => Number(direction) * compare(left, right);
}

function zip(...[operand, compiler, name]: Parameters<Operator>): Expression {
  const args = namedArguments(name, operand, ['inputs'], ['useLongestLength', 'defaults'], 34460);
  const inputs = compiler.compile(args.get('inputs'));
  const defaults = args.has('defaults') ? compiler.compile(args.get('defaults')) : undefined;
  const longest = args.get('useLongestLength') === true;
  if (defaults && !longest) {
    throw located(34466, 'cannot specify defaults unless useLongestLength is true');
  }
  return (scope) => {
    const lists = inputs(scope);
    if (!isArray(lists)) throw located(34461, `inputs must be an array of expressions, found ${typeName(lists)}`);
    if (lists.some(isNullish)) return null;
    const arrays = lists.map((list) => {
      if (!isArray(list)) throw located(34468, `$zip found a non-array expression in input: ${format(list)}`);
      return list;
    });
    const fill = defaults?.(scope);
    const lengths = arrays.map((list) => list.length);
    const length = arrays.length === 0 ? 0 : longest ? Math.max(...lengths) : Math.min(...lengths);
    return Array.from({ length }, (_, at) =>
      arrays.map((list, which) => (at < list.length ? list[at] : fill && isArray(fill) ? (fill[which] ?? null) : null)),
    );
  };
}

function endN(name: string, take: (items: readonly Value[], n: number, context: QueryContext) => Value[]): Operator {
  return (operand, compiler) => {
    const args = namedArguments(name, operand, ['n', 'input'], [], 5787901);
    const [count, input] = [compiler.compile(args.get('n')), compiler.compile(args.get('input'))];
    return (scope) => {
      const n = count(scope);
      const list = input(scope);
      const wanted = isNumeric(n) ? exactLong(n) : undefined;
      if (wanted === undefined)
        throw located(5787902, `Value for 'n' must be of integral type, but found ${format(n)}`);
      if (wanted <= 0n) throw located(5787908, `'n' must be greater than 0, found ${wanted}`);
      if (!isArray(list)) throw located(5788200, `Input must be an array`);
      return take(list, clampedInt(wanted), compiler.context);
    };
  };
}

/** A variable's name from an `as` argument. */
export function variable(name: Value, otherwise: string): string {
  if (name === undefined) return otherwise;
  if (typeof name !== 'string' || !/^[a-z\u0080-\uffff][\w\u0080-\uffff]*$/.test(name)) {
    throw located(16867, `${format(name)} starts with an invalid character for a user variable name`);
  }
  return name;
}

/** Inside an array nothing can be missing. */
export function orNull(value: Found): Value {
  return value === MISSING ? null : value;
}

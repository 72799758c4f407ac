import { CodedError } from '../../base/index.ts';
import { Int32 } from '../../bson/index.ts';
import { located } from '../error.ts';
import { exactInt, toDouble } from '../number.ts';
import { compareFound } from '../order.ts';
import {
  type Found,
  isArray,
  isNullish,
  isNumeric,
  MISSING,
  type Numeric,
  shortText,
  truthy,
  typeName,
  valueText,
} from '../value.ts';
import { binary, type Compiler, evaluated, type Operators, unary } from './types.ts';

/** What `$range` may take: MongoDB counts an array's head and the size of each of its numbers. */
const RANGE_BYTES = { limit: 104_857_600, head: 24, element: 16 };

/** Arrays as they are: their elements, and arrays of arrays. */
export const arrays: Operators = {
  $isArray: unary((value) => isArray(value)),
  $size: unary((value) => {
    if (!isArray(value)) {
      throw located(17124, `The argument to $size must be an array, but was of type: ${typeName(value)}`);
    }
    return new Int32(value.length);
  }),
  $arrayElemAt: binary(elementAt),
  $first: unary((value, name) => end(name, value, 0)),
  $last: unary((value, name) => end(name, value, -1)),
  $in: binary((value, list, _, { context }) => {
    if (!isArray(list)) throw located(40081, `$in requires an array as a second argument, found: ${typeName(list)}`);
    return list.some((item) => compareFound(item, value, context.collator) === 0);
  }),
  $indexOfArray: evaluated(2, 4, indexOf),
  $concatArrays: evaluated(0, Number.POSITIVE_INFINITY, (args) => {
    const all = [];
    for (const arg of args) {
      if (isNullish(arg)) return null;
      if (!isArray(arg)) throw located(28664, `$concatArrays only supports arrays, not ${typeName(arg)}`);
      all.push(...arg);
    }
    return all;
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
  $allElementsTrue: unary((value) => {
    if (!isArray(value))
      throw located(17040, `$allElementsTrue's argument must be an array, but is ${typeName(value)}`);
    return value.every(truthy);
  }),
  $anyElementTrue: unary((value) => {
    if (!isArray(value)) throw located(17041, `$anyElementTrue's argument must be an array, but is ${typeName(value)}`);
    return value.some(truthy);
  }),
};

function elementAt(list: Found, at: Found): Found {
  if (isNullish(list) || isNullish(at)) return null;
  if (!isArray(list)) throw located(28689, `$arrayElemAt's first argument must be an array, but is ${typeName(list)}`);
  if (!isNumeric(at)) {
    throw located(28690, `$arrayElemAt's second argument must be a numeric value, but is ${typeName(at)}`);
  }
  const index = exactInt(at);
  if (index === undefined) {
    throw located(
      28691,
      `$arrayElemAt's second argument must be representable as a 32-bit integer: ${shortText(toDouble(at))}`,
    );
  }
  const position = index < 0 ? list.length + index : index;
  return position >= 0 && position < list.length ? list[position] : MISSING;
}

function end(name: string, list: Found, at: 0 | -1): Found {
  if (isNullish(list)) return null;
  if (!isArray(list)) throw located(28689, `${name}'s argument must be an array, but is ${typeName(list)}`);
  return list.length > 0 ? list.at(at) : MISSING;
}

function indexOf(args: readonly Found[], name: string, { context }: Compiler): Found {
  const [list, value, start, stop] = args;
  if (isNullish(list!)) return null;
  if (!isArray(list!)) {
    throw located(40090, `$indexOfArray requires an array as a first argument, found: ${typeName(list!)}`);
  }
  const from = args.length > 2 ? indexBound(start!, name, 'starting index') : 0;
  const to = args.length > 3 ? Math.min(indexBound(stop!, name, 'ending index'), list.length) : list.length;
  for (let i = from; i < to; i++) if (compareFound(list[i], value!, context.collator) === 0) return new Int32(i);
  return new Int32(-1);
}

/** Where a search begins or ends. */
export function indexBound(value: Found, name: string, which: string): number {
  const index = isNumeric(value) ? exactInt(value) : undefined;
  if (index === undefined) {
    throw located(
      40096,
      `${name}requires an integral ${which}, found a value of type: ${typeName(value)}, with value: ${valueText(value)}`,
    );
  }
  if (index < 0) throw located(40097, `${name} requires a nonnegative ${which}, found: ${valueText(value)}`);
  return index;
}

function slice(args: readonly Found[]): Found {
  const [list, second, third] = args;
  if (args.some(isNullish)) return null;
  if (!isArray(list!)) {
    throw located(28724, `First argument to $slice must be an array, but is of type: ${typeName(list!)}`);
  }
  const first = sliceNumber(second!, 'Second', ' a numeric value', 28725);
  if (args.length === 2) return first >= 0 ? list.slice(0, first) : list.slice(first);
  const count = sliceNumber(third!, 'Third', ' numeric', 28727);
  if (count <= 0) throw located(28729, `Third argument to $slice must be positive: ${count}`);
  const start = first < 0 ? Math.max(0, list.length + first) : first;
  return list.slice(start, start + count);
}

function sliceNumber(value: Found, which: string, what: string, code: number): number {
  if (!isNumeric(value)) {
    throw located(code, `${which} argument to $slice must be${what}, but is of type: ${typeName(value)}`);
  }
  const number = exactInt(value);
  if (number !== undefined) return number;
  throw located(
    code + 1,
    `${which} argument to $slice can't be represented as a 32-bit integer: ${shortText(toDouble(value))}`,
  );
}

function range([from, to, by]: readonly Found[]): Found {
  const start = rangeNumber(from!, 'starting value', 'a starting value', 34443);
  const stop = rangeNumber(to!, 'ending value', 'an ending value', 34445);
  const step = by === undefined ? 1 : rangeNumber(by, 'step value', 'a step value', 34447);
  if (step === 0) throw located(34449, '$range requires a non-zero step value');
  const steps = Math.trunc((stop - start) / step);
  const bytes = RANGE_BYTES.head + (steps >= 0 ? 1 + steps : 0) * RANGE_BYTES.element;
  if (bytes >= RANGE_BYTES.limit) {
    throw new CodedError(
      'ExceededMemoryLimit',
      `$range would use too much memory (${bytes} bytes) and cannot spill to disk. Memory limit: ${RANGE_BYTES.limit} bytes`,
    );
  }
  const length = Math.max(0, Math.ceil((stop - start) / step));
  return Array.from({ length }, (_, i) => new Int32(start + i * step));
}

function rangeNumber(value: Found, what: string, article: string, code: number): number {
  if (!isNumeric(value)) {
    const space = code === 34447 ? '' : ' '; // The message about steps has none.
    throw located(code, `$range requires a numeric ${what}, found value of type:${space}${typeName(value)}`);
  }
  const number: number | undefined = exactInt(value as Numeric);
  if (number !== undefined) return number;
  throw located(
    code + 1,
    `$range requires ${article} that can be represented as a 32-bit integer, found value: ${valueText(value)}`,
  );
}

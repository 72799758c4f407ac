import { type Collator, comparison, type Doc, encodeKey, Int32, type Value } from '../bson/index.ts';
import { located } from './error.ts';
import type { Expression } from './expressions/types.ts';
import { clampedInt, exactLong, toDouble } from './number.ts';
import { compareFound } from './order.ts';
import { Total } from './total.ts';
import type { Comparator } from './types.ts';
import { element, type Found, format, isArray, isDoc, isNullish, isNumeric, MISSING, typeName } from './value.ts';

/** Takes a group's values in their order and gives one. More may be added after a result was asked for. */
export interface Accumulator {
  add(value: Found): void;
  result(): Found;
}

/** An accumulator whose argument is one expression, by name. */
export const ACCUMULATORS: Readonly<Record<string, (collator: Collator | undefined) => Accumulator>> = {
  $sum: () => {
    const total = new Total();
    return { add: (value) => isNumeric(value) && total.add(value), result: () => total.result() };
  },
  $avg: () => {
    const total = new Total();
    return { add: (value) => isNumeric(value) && total.add(value), result: () => total.average() ?? null };
  },
  $min: (collator) => extreme(-1, collator),
  $max: (collator) => extreme(1, collator),
  $first: () => {
    let first: Found | undefined;
    let has = false;
    return {
      add(value) {
        if (!has) first = value;
        has = true;
      },
      result: () => (has ? (first as Found) : MISSING),
    };
  },
  $last: () => {
    let last: Found = MISSING;
    return {
      add(value) {
        last = value;
      },
      result: () => last,
    };
  },
  $push: () => {
    const list: Value[] = [];
    return { add: (value) => void (value !== MISSING && list.push(value)), result: () => [...list] };
  },
  $addToSet: (collator) => new ValueSet(collator),
  $mergeObjects: () => {
    const merged: Doc = new Map();
    return {
      add(value) {
        if (isNullish(value)) return;
        if (!isDoc(value))
          throw located(
            40400,
            `$mergeObjects requires object inputs, but input ${format(value)} is of type ${typeName(value)}`,
          );
        for (const [key, item] of value) merged.set(key, item);
      },
      result: () => new Map(merged),
    };
  },
  $stdDevPop: () => deviation(0),
  $stdDevSamp: () => deviation(1),
  $count: () => {
    const total = new Total();
    return { add: () => total.add(new Int32(1)), result: () => total.result() };
  },
};

/** `$topN` and its family: the argument is a pair of the document to sort by and the output. Of equals the first stay. */
export function ranked(order: Comparator, n: number | undefined, fromTop: boolean): Accumulator {
  const most = n ?? 1;
  const entries: { key: Doc; output: Value }[] = [];
  return {
    add(value) {
      if (!isArray(value)) return;
      const entry = { key: isDoc(value[0]) ? value[0] : new Map(), output: value[1] };
      if (entries.length >= most) {
        if (fromTop ? order(entry.key, entries.at(-1)!.key) >= 0 : order(entry.key, entries[0]!.key) <= 0) return;
        if (fromTop) entries.pop();
        else entries.shift();
      }
      let [low, high] = [0, entries.length];
      while (low < high) {
        const middle = (low + high) >>> 1;
        if (order(entries[middle]!.key, entry.key) > 0) high = middle;
        else low = middle + 1;
      }
      entries.splice(low, 0, entry);
    },
    result() {
      const outputs = entries.map(({ output }) => output);
      return n === undefined ? (outputs[0] ?? null) : outputs;
    },
  };
}

/** `$firstN`, `$lastN`, `$minN`, `$maxN`. */
export function several(name: string, n: number, collator: Collator | undefined): Accumulator {
  const compare = comparison(collator);
  const list: Value[] = [];
  const isOrdered = name === '$minN' || name === '$maxN';
  return {
    add(value) {
      if (isOrdered ? !isNullish(value) : true) list.push(value === MISSING ? null : value);
    },
    result() {
      if (name === '$firstN') return list.slice(0, n);
      if (name === '$lastN') return list.slice(Math.max(0, list.length - n));
      const direction = name === '$minN' ? 1 : -1;
      return list.sort((left, right) => direction * compare(left, right)).slice(0, n);
    },
  };
}

/** The arguments of `$firstN` and its family. */
export function countedArguments(
  operator: string,
  argument: Value,
  compile: (value: Value) => Expression,
): { n: Expression; input: Expression } {
  if (!isDoc(argument)) {
    const code = operator === '$minN' || operator === '$maxN' ? 5787900 : 5787801;
    throw located(code, `specification must be an object; found ${element(operator, argument)}`);
  }
  for (const key of argument.keys()) {
    if (key !== 'n' && key !== 'input') throw located(5787901, `Unknown argument for 'n' operator: ${key}`);
  }
  if (!argument.has('n')) throw located(5787906, "Missing value for 'n'");
  if (!argument.has('input')) throw located(5787907, "Missing value for 'input'");
  return { n: compile(argument.get('n')), input: compile(argument.get('input')) };
}

/** The `n` of an accumulator: a positive integer. */
export function countArgument(value: Found): number {
  const wrong = `Value for 'n' must be of integral type, but found ${format(value)}`;
  if (!isNumeric(value)) throw located(5787902, wrong);
  const n = exactLong(value);
  if (n === undefined) throw located(5787903, wrong);
  if (n <= 0n) throw located(5787908, `'n' must be greater than 0, found ${n}`);
  return clampedInt(n);
}

function extreme(direction: 1 | -1, collator: Collator | undefined): Accumulator {
  let best: Found = MISSING;
  return {
    add(value) {
      if (isNullish(value)) return;
      if (best === MISSING || compareFound(value, best, collator) * direction > 0) best = value;
    },
    result: () => (best === MISSING ? null : best),
  };
}

/** Welford's running variance; `lost` is 1 for a sample. */
function deviation(lost: 0 | 1): Accumulator {
  let [count, mean, squares] = [0, 0, 0];
  return {
    add(value) {
      if (!isNumeric(value)) return;
      count += 1;
      const delta = toDouble(value) - mean;
      mean += delta / count;
      squares += delta * (toDouble(value) - mean);
    },
    result: () => (count <= lost ? null : Math.sqrt(squares / (count - lost))),
  };
}

/** Distinct values in order of first appearance. */
class ValueSet implements Accumulator {
  readonly #collator: Collator | undefined;
  readonly #values = new Map<string, Value>();

  constructor(collator: Collator | undefined) {
    this.#collator = collator;
  }

  add(value: Found): void {
    if (value === MISSING) return;
    const key = encodeKey(value, false, this.#collator);
    if (!this.#values.has(key)) this.#values.set(key, value);
  }

  result(): Value[] {
    return [...this.#values.values()];
  }
}

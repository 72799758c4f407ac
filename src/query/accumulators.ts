import { type Collator, comparison, type Doc, encodeKey, Int32, type Value } from '../bson/index.ts';
import { located } from './error.ts';
import type { Expression } from './expressions/types.ts';
import { coerceToLong } from './integer.ts';
import { clampedInt, exactLong, toDouble } from './number.ts';
import { compareFound } from './order.ts';
import { sizeOfValue, sizeOfValues } from './size.ts';
import { Total } from './total.ts';
import type { Comparator } from './types.ts';
import {
  element,
  type Found,
  isArray,
  isDoc,
  isNullish,
  isNumeric,
  MISSING,
  orNull,
  typeName,
  valueText,
} from './value.ts';

/** Takes a group's values in their order and gives one. More may be added after a result was asked for. */
export interface Accumulator {
  add(value: Found): void;
  result(): Found;
}

/** One whose work can be put aside, and gone on with. */
export interface GroupAccumulator extends Accumulator {
  /** Of what it holds beyond a few numbers, about the bytes of BSON. */
  readonly held: number;
  /** All that it knows. */
  save(): readonly Value[];
  /** Goes on from what another one saved; before anything is added. */
  load(saved: readonly Value[]): void;
}

/** An accumulator whose argument is one expression, by name. */
export const ACCUMULATORS: Readonly<Record<string, (collator: Collator | undefined) => GroupAccumulator>> = {
  $sum: () => totalled((total) => total.result()),
  $avg: () => totalled((total) => total.average() ?? null),
  $count: () => {
    const counted = totalled((total) => total.result());
    return { ...counted, add: () => counted.add(new Int32(1)) };
  },
  $min: (collator) => new Kept(null, (best, value) => isBetter(value, best, -1, collator)),
  $max: (collator) => new Kept(null, (best, value) => isBetter(value, best, 1, collator)),
  $first: () => new Kept(MISSING, (first) => first === undefined),
  $last: () => new Kept(MISSING, () => true),
  $push: () => new ValueList(),
  $addToSet: (collator) => new ValueSet(collator),
  $mergeObjects: () => new Merged(),
  $stdDevPop: () => deviation(0),
  $stdDevSamp: () => deviation(1),
};

interface Ranked {
  readonly key: Doc;
  readonly output: Value;
}

/**
 * `$topN` and its family: the argument is a pair of the document to sort by and the output. Of equals the first stay, but
 * at the bottom of a moving window, which MongoDB holds as a whole, the last.
 */
export function ranked(order: Comparator, n: number | undefined, fromTop: boolean, moving: boolean): GroupAccumulator {
  const most = n ?? 1;
  const entries: Ranked[] = [];
  let held = 0;
  const sizeOf = ({ key, output }: Ranked) => sizeOfValue(key) + sizeOfValue(output);
  const add = (value: Found) => {
    if (!isArray(value)) return;
    const entry = { key: isDoc(value[0]) ? value[0] : new Map(), output: value[1] };
    if (entries.length >= most) {
      const beyond = fromTop ? order(entries.at(-1)!.key, entry.key) : order(entry.key, entries[0]!.key);
      if (beyond < 0 || (beyond === 0 && (fromTop || !moving))) return;
      held -= sizeOf((fromTop ? entries.pop() : entries.shift())!);
    }
    let [low, high] = [0, entries.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (order(entries[middle]!.key, entry.key) > 0) high = middle;
      else low = middle + 1;
    }
    entries.splice(low, 0, entry);
    held += sizeOf(entry);
  };
  return {
    get held() {
      return held;
    },
    add,
    result() {
      const outputs = entries.map(({ output }) => output);
      return n === undefined ? (outputs[0] ?? null) : outputs;
    },
    save: () => entries.map(({ key, output }) => [key, output]),
    load: (saved) => saved.forEach(add),
  };
}

/** Values that are held beyond those asked for, until it is worth the while to drop them. */
const SPARE = 64;

/** `$firstN`, `$lastN`, `$minN`, `$maxN`. */
export function several(name: string, n: number, collator: Collator | undefined): GroupAccumulator {
  const compare = comparison(collator);
  let list: Value[] = [];
  let held = 0;
  const isOrdered = name === '$minN' || name === '$maxN';
  const direction = name === '$minN' ? 1 : -1;
  const cut = () => {
    if (isOrdered) list.sort((left, right) => direction * compare(left, right));
    list = name === '$lastN' ? list.slice(Math.max(0, list.length - n)) : list.slice(0, n);
    held = sizeOfValues(list);
  };
  const add = (value: Found) => {
    if (isOrdered && isNullish(value)) return;
    list.push(orNull(value));
    held += sizeOfValue(list.at(-1));
    if (list.length > 2 * n + SPARE) cut();
  };
  return {
    get held() {
      return held;
    },
    add,
    result() {
      cut();
      return [...list];
    },
    save: () => list,
    load: (saved) => saved.forEach(add),
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
  const wrong = `Value for 'n' must be of integral type, but found ${valueText(value)}`;
  if (!isNumeric(value)) throw located(5787902, wrong);
  const n = coerceToLong(value);
  if (n !== exactLong(value)) throw located(5787903, wrong);
  if (n <= 0n) throw located(5787908, `'n' must be greater than 0, found ${n}`);
  return clampedInt(n);
}

function totalled(result: (total: Total) => Found): GroupAccumulator {
  const total = new Total();
  return {
    held: 0,
    add: (value) => void (isNumeric(value) && total.add(value)),
    result: () => result(total),
    save: () => total.save(),
    load: (saved) => total.load(saved),
  };
}

/** A box, for undefined is a value of BSON. */
interface Box {
  readonly value: Found;
}

function isBetter(value: Found, best: Box | undefined, direction: 1 | -1, collator: Collator | undefined): boolean {
  if (isNullish(value)) return false;
  return !best || compareFound(value, best.value, collator) * direction > 0;
}

/** One of the values. */
class Kept implements GroupAccumulator {
  readonly #none: Found;
  readonly #takes: (box: Box | undefined, value: Found) => boolean;
  #box: Box | undefined;
  held = 0;

  /** `none` is the result where none was taken; `takes` says whether a value takes the place of the one held. */
  constructor(none: Found, takes: (box: Box | undefined, value: Found) => boolean) {
    this.#none = none;
    this.#takes = takes;
  }

  add(value: Found): void {
    if (!this.#takes(this.#box, value)) return;
    this.#box = { value };
    this.held = sizeOfValue(value);
  }

  result(): Found {
    return this.#box ? this.#box.value : this.#none;
  }

  save(): Value[] {
    if (!this.#box) return [];
    return this.#box.value === MISSING ? [true] : [false, this.#box.value];
  }

  load([isMissing, value]: readonly Value[]): void {
    if (isMissing === undefined) return;
    this.#box = { value: isMissing ? MISSING : value };
    this.held = sizeOfValue(this.#box.value);
  }
}

/** `$push`. */
class ValueList implements GroupAccumulator {
  #list: Value[] = [];
  held = 0;

  add(value: Found): void {
    if (value === MISSING) return;
    this.#list.push(value);
    this.held += sizeOfValue(value);
  }

  result(): Value[] {
    return [...this.#list];
  }

  save(): readonly Value[] {
    return this.#list;
  }

  load(saved: readonly Value[]): void {
    this.#list = [...saved];
    this.held = sizeOfValues(saved);
  }
}

/** Distinct values in order of first appearance. */
class ValueSet implements GroupAccumulator {
  readonly #collator: Collator | undefined;
  readonly #values = new Map<string, Value>();
  held = 0;

  constructor(collator: Collator | undefined) {
    this.#collator = collator;
  }

  add(value: Found): void {
    if (value === MISSING) return;
    const key = encodeKey(value, false, this.#collator);
    if (this.#values.has(key)) return;
    this.#values.set(key, value);
    this.held += key.length + sizeOfValue(value);
  }

  result(): Value[] {
    return [...this.#values.values()];
  }

  save(): Value[] {
    return this.result();
  }

  load(saved: readonly Value[]): void {
    for (const value of saved) this.add(value);
  }
}

/** `$mergeObjects`. */
class Merged implements GroupAccumulator {
  readonly #merged: Map<string, Value> = new Map();
  held = 0;

  add(value: Found): void {
    if (isNullish(value)) return;
    if (!isDoc(value)) {
      throw located(
        40400,
        `$mergeObjects requires object inputs, but input ${valueText(value)} is of type ${typeName(value)}`,
      );
    }
    for (const [name, item] of value) {
      if (this.#merged.has(name)) this.held -= sizeOfValue(this.#merged.get(name));
      else this.held += name.length;
      this.#merged.set(name, item);
      this.held += sizeOfValue(item);
    }
  }

  result(): Doc {
    return new Map(this.#merged);
  }

  save(): Value[] {
    return [this.#merged];
  }

  load([merged]: readonly Value[]): void {
    this.add(merged);
  }
}

/** Welford's running variance; `lost` is 1 for a sample. */
function deviation(lost: 0 | 1): GroupAccumulator {
  let [count, mean, squares] = [0, 0, 0];
  return {
    held: 0,
    add(value) {
      if (!isNumeric(value)) return;
      count += 1;
      const delta = toDouble(value) - mean;
      mean += delta / count;
      squares += delta * (toDouble(value) - mean);
    },
    result: () => (count <= lost ? null : Math.sqrt(squares / (count - lost))),
    save: () => [count, mean, squares],
    load(saved) {
      [count, mean, squares] = saved as [number, number, number];
    },
  };
}

/**
 * A standard deviation over a window that moves (`WindowFunctionStdDev`): null while a number in it is not finite, and
 * that of one number is the int32 0.
 */
export function movingDeviation(operator: '$stdDevPop' | '$stdDevSamp'): Accumulator {
  const ofSample = operator === '$stdDevSamp';
  const inner = deviation(ofSample ? 1 : 0);
  let [count, unbounded] = [0, 0];
  return {
    add(value) {
      if (!isNumeric(value)) return;
      count += 1;
      if (!Number.isFinite(toDouble(value))) unbounded += 1;
      inner.add(value);
    },
    result() {
      if (unbounded > 0) return null;
      return count === 1 && !ofSample ? new Int32(0) : inner.result();
    },
  };
}

import { comparison, encodeKey, type Value } from '../../bson/index.ts';
import { evaluatedEarly, located } from '../error.ts';
import { type Found, isArray, isNullish, typeName } from '../value.ts';
import {
  binary,
  type Compiler,
  constantValue,
  type Expression,
  evaluated,
  type Operator,
  type Operators,
} from './types.ts';

const ANY = Number.POSITIVE_INFINITY;

/** Arrays as sets: what is equal counts once, numbers of any type alike. */
export const sets: Operators = {
  $setUnion: evaluated(0, ANY, (args, name, compiler) => {
    const all: Value[] = [];
    for (const arg of args) {
      if (isNullish(arg)) return null;
      all.push(...elements(arg, 17043, `All operands of ${name} must be arrays. One argument is of type: `));
    }
    return ordered(all, compiler);
  }),
  $setIntersection: evaluated(0, ANY, (args, name, compiler) => {
    let common: readonly Value[] | undefined;
    for (const arg of args) {
      if (isNullish(arg)) return null;
      const list = elements(arg, 17047, `All operands of ${name} must be arrays. One argument is of type: `);
      if (!common) common = list;
      else {
        const keys = keysOf(list, compiler);
        common = common.filter((item) => keys.has(keyOf(item, compiler)));
      }
    }
    return ordered(common ?? [], compiler);
  }),
  $setDifference: binary((left, right, name, compiler) => {
    if (isNullish(left) || isNullish(right)) return null;
    const from = elements(left, 17048, `both operands of ${name} must be arrays. First argument is of type: `);
    const without = elements(right, 17049, `both operands of ${name} must be arrays. Second argument is of type: `);
    // What was kept once is not kept again.
    const seen = keysOf(without, compiler);
    return from.filter((item) => {
      const key = keyOf(item, compiler);
      if (seen.has(key)) return false;
      seen.add(key);
      return true;
    });
  }),
  $setEquals: setEquals,
  $setIsSubset: binary((left, right, name, compiler) => {
    const part = elements(left, 17046, `both operands of ${name} must be arrays. First argument is of type: `);
    const whole = elements(right, 17042, `both operands of ${name} must be arrays. Second argument is of type: `);
    const keys = keysOf(whole, compiler);
    return part.every((item) => keys.has(keyOf(item, compiler)));
  }),
};

const notArray = (at: number) => `All operands of $setEquals must be arrays. ${at + 1}-th argument is of type: `;

/** Constants are checked as they are made into sets, which is before anything is evaluated. */
function checkConstants(args: readonly Expression[]): void {
  for (const [at, arg] of args.entries()) {
    const known = constantValue(arg);
    if (known) evaluatedEarly(() => elements(known.value, 5887502, notArray(at)));
  }
}

const equalSets = evaluated(
  2,
  ANY,
  (args, _, compiler) => {
    const sets = args.map((arg, at) => keysOf(elements(arg, 17044, notArray(at)), compiler));
    const [first, ...rest] = sets;
    return rest.every((other) => other.size === first!.size && [...other].every((key) => first!.has(key)));
  },
  checkConstants,
);

function setEquals(...[operand, compiler, name]: Parameters<Operator>): ReturnType<Operator> {
  const given = isArray(operand) ? operand.length : 1;
  if (given < 2) throw located(17045, `$setEquals needs at least two arguments had: ${given}`);
  return equalSets(operand, compiler, name);
}

function elements(value: Found, code: number, message: string): readonly Value[] {
  if (isArray(value)) return value;
  throw located(code, message + typeName(value));
}

function keyOf(value: Value, { context }: Compiler): string {
  return encodeKey(value, false, context.collator);
}

function keysOf(list: readonly Value[], compiler: Compiler): Set<string> {
  return new Set(list.map((item) => keyOf(item, compiler)));
}

/** Sorted and without repetitions, as MongoDB's ordered sets come out; of what is equal the first is kept. */
function ordered(list: readonly Value[], { context }: Compiler): Value[] {
  const compare = comparison(context.collator);
  const sorted = [...list].sort(compare);
  return sorted.filter((item, at) => at === 0 || compare(item, sorted[at - 1]) !== 0);
}

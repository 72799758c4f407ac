import { Decimal128, Int32 } from '../../../bson/index.ts';
import { divideDecimal, negateDecimal } from '../../decimal.ts';
import { intOrLong, toDecimal, toDouble } from '../../number.ts';
import { Total } from '../../total.ts';
import type { Numeric } from '../../value.ts';

/**
 * A sum that values leave again (`RemovableSum`): a removal adds the opposite, what is not finite is counted, and the sum
 * is a decimal only while there are decimals in it.
 */
export class RemovableTotal {
  #total = new Total();
  #count = 0;
  #decimals = 0;
  /** How many there are of +Infinity, -Infinity and NaN. */
  readonly #unbounded = { positive: 0, negative: 0, nan: 0 };

  add(value: Numeric): void {
    this.#change(value, 1);
  }

  remove(value: Numeric): void {
    this.#change(value, -1);
  }

  result(): Numeric {
    const { positive, negative, nan } = this.#unbounded;
    if (nan > 0 || (positive > 0 && negative > 0)) return this.#like(Number.NaN);
    if (positive > 0) return this.#like(Number.POSITIVE_INFINITY);
    if (negative > 0) return this.#like(Number.NEGATIVE_INFINITY);
    const sum = this.#total.result();
    return sum instanceof Decimal128 && this.#decimals === 0 ? toDouble(sum) : sum;
  }

  /** Undefined of no values. */
  average(): number | Decimal128 | undefined {
    if (this.#count === 0) return undefined;
    const sum = this.result();
    if (sum instanceof Decimal128) return divideDecimal(sum, toDecimal(new Int32(this.#count)));
    return toDouble(sum) / this.#count;
  }

  reset(): void {
    this.#total = new Total();
    this.#count = 0;
    this.#decimals = 0;
    Object.assign(this.#unbounded, { positive: 0, negative: 0, nan: 0 });
  }

  #change(value: Numeric, by: 1 | -1): void {
    this.#count += by;
    if (value instanceof Decimal128) this.#decimals += by;
    if (isFiniteNumber(value)) this.#total.add(by > 0 ? value : negated(value));
    else this.#unbounded[Number.isNaN(toDouble(value)) ? 'nan' : toDouble(value) > 0 ? 'positive' : 'negative'] += by;
  }

  #like(value: number): Numeric {
    return this.#decimals > 0 ? toDecimal(value) : value;
  }
}

/** Also of decimals that no double can hold. */
export function isFiniteNumber(value: Numeric): boolean {
  return value instanceof Decimal128 ? /^-?\d/.test(value.toString()) : Number.isFinite(toDouble(value));
}

function negated(value: Numeric): Numeric {
  if (value instanceof Decimal128) return negateDecimal(value);
  if (value instanceof Int32) return intOrLong(-value.value);
  return -value;
}

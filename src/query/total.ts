import { type Decimal128, Int32, type Value } from '../bson/index.ts';
import { addDecimal, decimalFromDoubleExactly, divideDecimal } from './decimal.ts';
import { fitsInt64, intOrLong, toDecimal } from './number.ts';
import type { Numeric } from './value.ts';

type Width = 'int' | 'long' | 'double' | 'decimal';
const WIDTHS: readonly Width[] = ['int', 'long', 'double', 'decimal'];

/**
 * A running sum as MongoDB keeps it: integers exactly, doubles with a compensation term, the result in the widest type
 * that was seen (an int32 grows to int64, an int64 to double when it no longer fits).
 */
export class Total {
  count = 0;
  #width: Width = 'int';
  #integers = 0n;
  readonly #doubles = new CompensatedSum();
  #decimals: Decimal128 | undefined;

  add(value: Numeric): void {
    this.count += 1;
    if (value instanceof Int32) {
      this.#integers += BigInt(value.value);
    } else if (typeof value === 'bigint') {
      this.#integers += value;
      this.#widen('long');
    } else if (typeof value === 'number') {
      this.#doubles.add(value);
      this.#widen('double');
    } else {
      this.#decimals = this.#decimals ? addDecimal(this.#decimals, value) : value;
      this.#widen('decimal');
    }
  }

  result(): Numeric {
    if (this.#decimals) return this.#decimal(this.#decimals);
    if (this.#width === 'double' || !fitsInt64(this.#integers)) return this.#double();
    return this.#width === 'int' ? intOrLong(this.#integers) : this.#integers;
  }

  /** A double, or a decimal when one was seen; undefined for no values. */
  average(): number | Decimal128 | undefined {
    if (this.count === 0) return undefined;
    if (this.#decimals) return divideDecimal(this.#decimal(this.#decimals), toDecimal(new Int32(this.count)));
    return this.#double() / this.count;
  }

  /** All that it knows, as values that BSON holds. */
  save(): Value[] {
    const decimals = this.#decimals ? [this.#decimals] : [];
    return [this.count, this.#width, String(this.#integers), ...this.#doubles.save(), ...decimals];
  }

  /** Goes on from what another one saved; before anything is added. */
  load(saved: readonly Value[]): void {
    const [count, width, integers, sum, error, decimals] = saved;
    this.count = count as number;
    this.#width = width as Width;
    this.#integers = BigInt(integers as string);
    this.#doubles.load(sum as number, error as number);
    this.#decimals = decimals as Decimal128 | undefined;
  }

  #widen(width: Width): void {
    if (WIDTHS.indexOf(width) > WIDTHS.indexOf(this.#width)) this.#width = width;
  }

  #double(): number {
    const high = Number(this.#integers);
    return this.#doubles.with(high, Number(this.#integers - BigInt(high)));
  }

  #decimal(decimals: Decimal128): Decimal128 {
    // Also where there are none: -0 and 0 are 0.
    const withIntegers = addDecimal(decimals, toDecimal(this.#integers));
    const [sum, error] = this.#doubles.parts();
    if (sum === 0 && error === 0) return withIntegers;
    // Each with all the digits that it has, where a double alone becomes a decimal of 15.
    const doubles = addDecimal(decimalFromDoubleExactly(sum), decimalFromDoubleExactly(error));
    return addDecimal(withIntegers, doubles);
  }
}

/** Doubles added by Knuth's two-sum: the rounding error of each addition is kept and counted at the end. */
class CompensatedSum {
  #sum = 0;
  #error = 0;

  add(value: number): void {
    const sum = this.#sum + value;
    const part = sum - this.#sum;
    this.#error += this.#sum - (sum - part) + (value - part);
    this.#sum = sum;
  }

  save(): [sum: number, error: number] {
    return [this.#sum, this.#error];
  }

  load(sum: number, error: number): void {
    this.#sum = sum;
    this.#error = error;
  }

  /** The sum as two doubles; the second is zero where the first is not finite. */
  parts(): [sum: number, error: number] {
    return Number.isFinite(this.#error) ? [this.#sum, this.#error] : [this.#sum, 0];
  }

  /** The sum with more values, which are not kept. */
  with(...values: readonly number[]): number {
    const copy = new CompensatedSum();
    copy.#sum = this.#sum;
    copy.#error = this.#error;
    for (const value of values) copy.add(value);
    // Infinities make the error NaN; the plain sum is then the answer.
    return Number.isFinite(copy.#error) ? copy.#sum + copy.#error : copy.#sum;
  }
}

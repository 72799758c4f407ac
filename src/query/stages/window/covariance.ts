import { Decimal128 } from '../../../bson/index.ts';
import { difference, product } from '../../expressions/sum.ts';
import { divide, isNaNNumber, toDecimal, toDouble } from '../../number.ts';
import { type Found, isArray, isNumeric, type Numeric } from '../../value.ts';
import type { Removable } from './moving.ts';
import { isFiniteNumber, RemovableTotal } from './removable-total.ts';

/**
 * `$covariancePop` and `$covarianceSamp` of pairs (`WindowFunctionCovariance`): each pair that comes or leaves changes the
 * means and the sum of the products of what lies beside them.
 */
export function covariance(isSample: boolean): Removable {
  const [meanX, meanY, products] = [new RemovableTotal(), new RemovableTotal(), new RemovableTotal()];
  let count = 0;
  const productOf = (x: Numeric, meanOfX: Found, y: Numeric, meanOfY: Found) =>
    product([difference(x, meanOfX), difference(y, meanOfY)]);
  return {
    add(value) {
      if (!isPair(value)) return;
      const [x, y] = value;
      if (!isFiniteNumber(x) || !isFiniteNumber(y)) return products.add(notFinite(x, y));
      count += 1;
      // Nothing is beside the mean of nothing.
      const before = meanX.average() ?? null;
      meanX.add(x);
      meanY.add(y);
      const change = productOf(x, before, y, meanY.average()!);
      if (isNumeric(change)) products.add(change);
    },
    remove(value) {
      if (!isPair(value)) return;
      const [x, y] = value;
      if (!isFiniteNumber(x) || !isFiniteNumber(y)) return products.remove(notFinite(x, y));
      count -= 1;
      if (count === 0) {
        for (const total of [meanX, meanY, products]) total.reset();
        return;
      }
      meanX.remove(x);
      const change = productOf(x, meanX.average()!, y, meanY.average()!);
      if (isNumeric(change)) products.remove(change);
      meanY.remove(y);
    },
    result() {
      if (count === 1 && !isSample) return 0;
      const divisor = isSample ? count - 1 : count;
      return divisor <= 0 ? null : divide(products.result(), divisor);
    },
  };
}

function isPair(value: Found): value is [Numeric, Numeric] {
  return isArray(value) && value.length === 2 && value.every(isNumeric);
}

/** One value for a pair that has an infinity or NaN in it. */
function notFinite(...pair: readonly [Numeric, Numeric]): Numeric {
  const numbers = pair.filter((value) => !isFiniteNumber(value)).map(toDouble);
  const value = numbers.every((other) => other === numbers[0]) ? numbers[0]! : Number.NaN;
  // A decimal that is NaN does not count as one.
  return pair.some((each) => each instanceof Decimal128 && !isNaNNumber(each)) ? toDecimal(value) : value;
}

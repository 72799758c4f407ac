import { describe, expect, test } from 'vitest';
import { Decimal128 } from '../../../src/bson/index.ts';
import {
  addDecimal,
  decimalFromDouble,
  divideDecimal,
  isIntegral,
  multiplyDecimal,
  quantize,
  remainderDecimal,
} from '../../../src/query/decimal.ts';

const d = (text: string) => Decimal128.fromString(text);

describe('decimal arithmetic (IEEE 754 decimal128, 34 digits, ties to even)', () => {
  test.each([
    ['0.1', '0.2', '0.3'],
    ['1.10', '2.2', '3.30'],
    ['9999999999999999999999999999999999', '1', '1.000000000000000000000000000000000E+34'],
    ['9999999999999999999999999999999999', '0.5', '1.000000000000000000000000000000000E+34'],
    ['9999999999999999999999999999999998', '0.5', '9999999999999999999999999999999998'],
    ['1', '-1', '0'],
    ['-0', '-0', '-0'],
    ['0', '1E-6000', '1E-6000'],
    ['NaN', '1', 'NaN'],
    ['Infinity', '-Infinity', 'NaN'],
    ['9.999999999999999999999999999999999E+6144', '1E+6144', 'Infinity'],
  ])('%s + %s = %s', (left, right, sum) => {
    expect(addDecimal(d(left), d(right)).toString()).toBe(sum);
    expect(addDecimal(d(right), d(left)).toString()).toBe(sum);
  });

  test.each([
    ['1.5', '2', '3.0'],
    ['-0', '5', '-0'],
    ['1E-6000', '1E-200', '0E-6176'],
    ['1E+4000', '-1E+4000', '-Infinity'],
    ['Infinity', '0', 'NaN'],
  ])('%s * %s = %s', (left, right, product) => {
    expect(multiplyDecimal(d(left), d(right)).toString()).toBe(product);
  });

  test.each([
    ['1', '8', '0.125'],
    ['6', '3', '2'],
    ['600', '3', '200'],
    ['2', '3', '0.6666666666666666666666666666666667'],
    ['-2', '3', '-0.6666666666666666666666666666666667'],
    ['0', '3', '0'],
    ['1', '0', 'Infinity'],
    ['0', '0', 'NaN'],
  ])('%s / %s = %s', (left, right, quotient) => {
    expect(divideDecimal(d(left), d(right)).toString()).toBe(quotient);
  });

  test('remainders, rounding and conversion', () => {
    expect(remainderDecimal(d('-7.5'), d('2')).toString()).toBe('-1.5');
    expect(quantize(d('2.5'), 0, 'half-even').toString()).toBe('2');
    expect(quantize(d('3.5'), 0, 'half-even').toString()).toBe('4');
    expect(quantize(d('-2.5'), 0, 'floor').toString()).toBe('-3');
    expect(quantize(d('2.1'), 0, 'ceil').toString()).toBe('3');
    expect(quantize(d('1234.567'), -2, 'trunc').toString()).toBe('1.2E+3');
    expect(decimalFromDouble(0.1).toString()).toBe('0.100000000000000');
    expect(isIntegral(d('1.00'))).toBe(true);
    expect(isIntegral(d('1.01'))).toBe(false);
    expect(isIntegral(d('NaN'))).toBe(false);
  });
});

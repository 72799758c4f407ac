import { expect, test } from 'vitest';
import { showValue } from '../../../src/query/index.ts';

test.each([
  [1, '1.0'],
  [-0, '-0.0'],
  [0, '0.0'],
  [1.5, '1.5'],
  [1e15, '1000000000000000.0'],
  [1e16, '1e+16.0'],
  [1.5e20, '1.5e+20'],
  [123456789012345680, '1.234567890123457e+17'],
  [0.0001, '0.0001'],
  [0.00001, '1e-05.0'],
  [1 / 3, '0.3333333333333333'],
  [0.1, '0.1'],
  [5e-324, '4.940656458412465e-324'],
  [Number.NaN, 'nan.0'],
  [Number.NEGATIVE_INFINITY, '-inf.0'],
])('the double %d is shown as %s', (value, text) => {
  expect(showValue(value)).toBe(text);
});

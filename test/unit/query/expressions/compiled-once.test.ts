import { expect, test } from 'vitest';
import { sets } from '../../../../src/query/expressions/set.ts';
import { type Compiler, constant } from '../../../../src/query/expressions/types.ts';
import { context } from '../support.ts';

/** What is compiled twice at each level is compiled 2^n times at the n-th. */
test('$setEquals compiles each of its operands once', () => {
  const compiled: unknown[] = [];
  const compiler: Compiler = {
    context,
    compile(value) {
      compiled.push(value);
      return constant(value);
    },
    binding: () => compiler,
  };
  sets.$setEquals!([[1], [2]], compiler, '$setEquals');
  expect(compiled).toEqual([[1], [2]]);
});

import { expect, it } from 'vitest';
import { withoutTokens } from '../../../src/cli/options.ts';

it('hides the tokens of a command line, however they are given', () => {
  const argv = ['node', 'main.js', 'serve', '--token', 'one,two', '--token=two', '--port', '0'];
  expect(withoutTokens(argv, ['one', 'two'])).toEqual([
    'node',
    'main.js',
    'serve',
    '--token',
    '<hidden>,<hidden>',
    '--token=<hidden>',
    '--port',
    '0',
  ]);
});

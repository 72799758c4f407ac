import { describe, expect, test } from 'vitest';
import { compileRegex } from '../../../src/query/regex.ts';
import { expectCoded } from './support.ts';

describe('PCRE patterns', () => {
  test.each([
    ['^a', '', 'ab', true],
    ['^b', '', 'a\nb', false],
    ['^b', 'm', 'a\nb', true],
    ['^b', 'm', 'a\rb', false],
    ['a$', '', 'a\n', true],
    ['a$', '', 'a\n\n', false],
    ['a\\z', '', 'a\n', false],
    ['\\Aa', 'm', 'b\na', false],
    ['a.c', '', 'a\u2028c', true],
    ['\\s', '', '\u00a0', false],
    ['\\h+x', '', ' \tx', true],
    ['(?P<n>a)\\k<n>', '', 'aa', true],
    ['\\Qa.b\\E+', '', 'a.bb', true],
    ['\\Qa.b', '', 'axb', false],
    ['[]a]', '', ']', true],
    ['[[:upper:][:digit:]]', '', 'x7', true],
    ['\\x{1F600}', '', '\u{1f600}', true],
    ['^.$', '', '\u{1f600}', true],
    ['a\\-b\\_c', '', 'a-b_c', true],
    ['(?#note)a', '', 'a', true],
    ['a [ ] b', 'x', 'a b', true],
    ['(?im)^B', '', 'a\nb', true],
  ])('/%s/%s on %j: %s', (pattern, options, text, found) => {
    expect(compileRegex(pattern, options).test(text)).toBe(found);
  });

  test.each([
    ['(', '', 51091],
    ['[a', '', 51091],
    ['a++', '', 51091],
    ['(?>a)', '', 51091],
    ['a', 'g', 51108],
    ['a\0', '', 'BadValue'],
  ] as const)('/%s/%s is refused', (pattern, options, code) => {
    expectCoded(() => compileRegex(pattern, options), code);
  });
});

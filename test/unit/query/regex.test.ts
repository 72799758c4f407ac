import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CodedError } from '../../../src/base/index.ts';
import { compileRegex, MATCH_LIMIT_MS } from '../../../src/query/regex/index.ts';
import { expectCoded } from './support.ts';

describe('PCRE patterns', () => {
  test.each([
    // Anchors and the dot.
    ['^a', '', 'ab', true],
    ['^b', '', 'a\nb', false],
    ['^b', 'm', 'a\nb', true],
    ['^b', 'm', 'a\rb', false],
    ['^', 'm', 'a\n', true],
    ['a\\n^', 'm', 'a\n', false],
    ['a$', '', 'a\n', true],
    ['a$', '', 'a\n\n', false],
    ['a$', 'm', 'a\nb', true],
    ['a\\z', '', 'a\n', false],
    ['a\\Z', '', 'a\n', true],
    ['\\Aa', 'm', 'b\na', false],
    ['a.c', '', 'a\u2028c', true],
    ['a.c', '', 'a\nc', false],
    ['a.c', 's', 'a\nc', true],
    ['^.$', '', '\u{1f600}', true],
    ['a\\Nc', 's', 'a\nc', false],
    ['', '', '', true],
    // Case.
    ['STRASSE', 'i', 'strasse', true],
    ['é', 'i', 'É', true],
    ['[a-c]x', 'i', 'BX', true],
    ['[^a]', 'i', 'A', false],
    ['a', '', 'A', false],
    // Options within the pattern hold to the end of their group, through its alternatives.
    ['(?im)^B', '', 'a\nb', true],
    ['a(?i)b', '', 'aB', true],
    ['a(?i)b', '', 'AB', false],
    ['a(?i)b|c', '', 'C', true],
    ['(a(?i)b)c', '', 'aBC', false],
    ['(?i:a)b', '', 'Ab', true],
    ['(?i:a)b', '', 'AB', false],
    ['(?-i:a)b', 'i', 'aB', true],
    ['(?-i:a)b', 'i', 'AB', false],
    ['(?-i)a(?i:b)', 'i', 'aB', true],
    ['(?-i)a(?i:b)', 'i', 'AB', false],
    ['a(?s:.)b.c', '', 'a\nb\nc', false],
    ['(?s-m)a.b$', 'm', 'a\nb\nc', false],
    ['(?^)A', 'i', 'a', false],
    ['(?x) a b # c', '', 'ab', true],
    ['a [ ] b', 'x', 'a b', true],
    ['a\\ b', 'x', 'a b', true],
    ['a + b', 'x', 'aab', true],
    ['(?U)^a+?$', '', 'aaa', true],
    ['(?n)(a)(?<n>b)\\1', '', 'abb', true],
    // Groups and references.
    ['(?P<n>a)\\k<n>', '', 'aa', true],
    ["(?'n'a)(?P=n)", '', 'aa', true],
    ['(?<n>a)\\g{n}\\k{n}', '', 'aaa', true],
    ['(a)(b)\\g{-1}\\g1', '', 'abba', true],
    ['(a)\\1', '', 'ab', false],
    ['(a)\\11', '', 'a\t', true],
    ['(?=ab)a', '', 'ab', true],
    ['(?<!a)b', '', 'ab', false],
    ['(?<=a|bc)d', '', 'bcd', true],
    ['(?#note)a', '', 'a', true],
    ['(?:ab)+', '', 'abab', true],
    // No way back.
    ['^(?>a+)ab', '', 'aaab', false],
    ['^a++ab', '', 'aaab', false],
    ['^a*+b', '', 'aab', true],
    ['^a?+a', '', 'a', false],
    ['^a{1,2}+a', '', 'aa', false],
    ['^(?:a|ab)++c', '', 'abc', false],
    // Repetitions.
    ['^a{2}$', '', 'aa', true],
    ['^a{2,}?$', '', 'aaaa', true],
    ['^a{2}?$', '', '', false],
    ['a{,3}', '', 'aaa', false],
    ['a{,3}', '', 'a{,3}', true],
    ['{x}', '', '{x}', true],
    // Classes.
    ['[]a]', '', ']', true],
    ['[^]a]', '', ']', false],
    ['[[:upper:][:digit:]]', '', 'x7', true],
    ['[[:^alpha:]]', '', 'a', false],
    ['[[:word:]-]', '', '-', true],
    ['[a[b]', '', '[', true],
    ['[a&&b]', '', '&', true],
    ['[\\w-]', '', '-', true],
    ['[a-\\d]', '', '-', true],
    ['[\\Q]-\\E]', '', '-', true],
    ['[\\b]', '', '\b', true],
    ['[^\\W\\d]', '', '5', false],
    ['[\\x{1F600}-\\x{1F610}]', '', '\u{1f605}', true],
    // Escapes.
    ['\\s', '', '\u00a0', false],
    ['\\s', '', '\v', true],
    ['\\h+x', '', ' \tx', true],
    ['^\\H$', '', '\u00a0', false],
    ['\\v', '', '\u2028', true],
    ['\\d', '', '\u0661', false],
    ['\\w', '', 'é', false],
    ['\\bfoo\\b', '', 'a foo b', true],
    ['\\bé', '', 'é', false],
    ['^\\R$', '', '\r\n', true],
    ['\\x41\\x{42}\\103\\o{104}', '', 'ABCD', true],
    ['\\cA\\e\\a\\t', '', '\x01\x1b\x07\t', true],
    ['\\x{1F600}', '', '\u{1f600}', true],
    ['a\\-b\\_c\\/', '', 'a-b_c/', true],
    ['\\Qa.b\\E+', '', 'a.bb', true],
    ['\\Qa.b', '', 'axb', false],
    ['a\\Q\\Eb', '', 'ab', true],
    ['^\\p{Lu}\\pL\\P{L}$', '', 'Éa1', true],
    ['\\p{^Lu}', '', 'A', false],
    ['^\\p{Greek}+$', '', 'αβ', true],
    ['^[\\p{L}\\d]+$', '', 'é5', true],
    ['(*UCP)^\\w\\d$', '', 'é\u0661', true],
    ['\\bn', '', 'Ån', true],
    ['(*UCP)\\bn', '', 'Ån', false],
    ['(*UCP)\\bÅ', '', 'Ån', true],
    ['(*UCP)Å\\b', '', 'Ån Å.', true],
    ['(*UCP)Å\\Bn', '', 'Ån', true],
    ['(*UCP)n\\B', '', 'Ån', false],
    ['(*UTF8)é', '', 'é', true],
    // Text that is plain, and text that only looks so.
    ['foo bar', '', 'a foo bar', true],
    ['^foo', 'i', 'FOOD', true],
    ['/', '', 'a/b', true],
  ])('/%s/%s on %j: %s', (pattern, options, text, found) => {
    expect(compileRegex(pattern, options).test(text)).toBe(found);
  });

  test.each([
    ['(', '', 51091, 'Regular expression is invalid: missing closing parenthesis'],
    [')', '', 51091, 'Regular expression is invalid: unmatched closing parenthesis'],
    ['[a', '', 51091, 'Regular expression is invalid: missing terminating ] for character class'],
    ['[b-a]', '', 51091, 'Regular expression is invalid: range out of order in character class'],
    ['[[:nope:]]', '', 51091, 'Regular expression is invalid: unknown POSIX class name'],
    ['*a', '', 51091, 'Regular expression is invalid: quantifier does not follow a repeatable item'],
    ['a**', '', 51091, 'Regular expression is invalid: quantifier does not follow a repeatable item'],
    ['a{2,1}', '', 51091, 'Regular expression is invalid: numbers out of order in {} quantifier'],
    ['a{65536}', '', 51091, 'Regular expression is invalid: number too big in {} quantifier'],
    ['a\\', '', 51091, 'Regular expression is invalid: \\ at end of pattern'],
    ['\\y', '', 51091, 'Regular expression is invalid: unrecognized character follows \\'],
    ['\\1', '', 51091, 'Regular expression is invalid: reference to non-existent subpattern'],
    ['\\k<n>', '', 51091, 'Regular expression is invalid: reference to non-existent subpattern'],
    ['(?z)', '', 51091, 'Regular expression is invalid: unrecognized character after (? or (?-'],
    ['(?<=a+)b', '', 51091, 'Regular expression is invalid: lookbehind assertion is not fixed length'],
    ['\\p{Nope}', '', 51091, 'Regular expression is invalid: unknown property after \\P or \\p'],
    ['(?<n>a)(?<n>b)', '', 51091, /two named subpatterns have the same name/],
    ['(*NOPE)a', '', 51091, 'Regular expression is invalid: (*VERB) not recognized or malformed'],
    [
      `${'('.repeat(300)}${')'.repeat(300)}`,
      '',
      51091,
      'Regular expression is invalid: parentheses are too deeply nested',
    ],
    ['a'.repeat(32765), '', 51091, /pattern string is longer than the limit/],
    ['a', 'g', 51108, ' invalid flag in regex options: g'],
    ['a\0', '', 'BadValue', 'Regular expression cannot contain an embedded null byte'],
    ['(?(1)a|b)', '', 'NotImplemented', /conditions/],
    ['a(?R)?b', '', 'NotImplemented', /recursion/],
    ['(?|a|b)', '', 'NotImplemented', /branches/],
  ] as const)('/%s/%s is refused', (pattern, options, code, message) => {
    expectCoded(() => compileRegex(pattern, options), code, message);
  });

  test('matches are found from a place on, with their groups', () => {
    const regex = compileRegex('(?>a+)(b)?', '');
    expect(regex.exec('xaabaa', 0)).toMatchObject({ 0: 'aab', 1: 'b', index: 1, length: 2 });
    expect(regex.exec('xaabaa', 4)).toMatchObject({ 0: 'aa', index: 4 });
    expect(regex.exec('x')).toBeNull();
  });
});

/** Text on which a backtracking engine without a limit would not end. */
const RUNAWAY: [pattern: string, text: string][] = [
  ['^(a+)+$', `${'a'.repeat(60)}!a`],
  ['^(a|aa)+(?!b)$', `${'a'.repeat(80)}!`],
  ['^(\\w+\\s?)*\\b!!$', `${'a'.repeat(60)}!`],
  ['(x+x+)+y', `${'x'.repeat(60)}z${'y'}`],
  ['^(?:.*a){20}$', `${'a'.repeat(60)}!`],
  ['^(?:a?){40}a{40}$', `${'a'.repeat(70)}!`],
  ['a.*b.*c.*d', `${'abc'.repeat(20_000)}`],
  ['(.*)*\\1(?=!)', 'ab'.repeat(60)],
];

/** A loaded machine can spend the time of a match elsewhere: then the case says nothing. */
function testedInTime(pattern: string, text: string): boolean {
  try {
    return compileRegex(pattern, '').test(text);
  } catch (error) {
    fc.pre(!(error instanceof CodedError && error.codeName === 'Location51156'));
    throw error;
  }
}

describe('patterns that run away', () => {
  test.each(RUNAWAY)('/%s/ is stopped', (pattern, text) => {
    const regex = compileRegex(pattern, '', '$regexMatch');
    const started = performance.now();
    try {
      expect(regex.test(text)).toBe(false);
    } catch (error) {
      expectCoded(
        () => {
          throw error;
        },
        51156,
        'Error occurred while executing the regular expression in $regexMatch. Result code: match limit exceeded',
      );
    }
    expect(performance.now() - started).toBeLessThan(20 * MATCH_LIMIT_MS);
  });

  test('some end with an error', () => {
    expectCoded(() => compileRegex('^(a+b?)+$', '').test(`${'a'.repeat(60)}bb`), 51156);
    expectCoded(() => compileRegex('(.*)*\\1(?=!)', '').test('ab'.repeat(60)), 51156);
  });

  test('others are seen not to match without a try', () => {
    const regex = compileRegex('^([a-zA-Z0-9]+)*@', '');
    expect(regex.test('a'.repeat(60))).toBe(false);
    expect(regex.test('ab@c')).toBe(true);
  });

  test('and the same pattern is still good for text on which it ends', () => {
    const regex = compileRegex('^(a+)+$', '');
    expect(regex.test('a'.repeat(50))).toBe(true);
    expect(regex.test(`${'a'.repeat(50)}!`)).toBe(false);
    expect(regex.test('aab')).toBe(false);
  });

  test('a cheap look never says no where the pattern finds something', () => {
    const atom = fc.constantFrom('a', 'b', '.', '[ab]', '[^a]', '\\w', 'a?', 'b*', 'a+', '^', '$', '\\b');
    const group = fc
      .tuple(
        fc.array(fc.array(atom, { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 3 }),
        fc.constantFrom('*', '+', '{2,}', '?', ''),
      )
      .map(([branches, repeat]) => `(?:${branches.map((branch) => branch.join('')).join('|')})${repeat}`);
    const pattern = fc.array(fc.oneof(atom, group), { minLength: 1, maxLength: 4 }).map((parts) => parts.join(''));
    const text = fc.array(fc.constantFrom('a', 'b', 'A', ' ', '\n'), { maxLength: 8 }).map((parts) => parts.join(''));
    fc.assert(
      fc.property(pattern, text, (source, subject) => {
        const native = new RegExp(source.replaceAll('.', '[^\\n]').replaceAll('$', '(?=\\n?(?![^]))'), 'u');
        expect(testedInTime(source, subject)).toBe(native.test(subject));
      }),
      { numRuns: 2_000 },
    );
  });
});

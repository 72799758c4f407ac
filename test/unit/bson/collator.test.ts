import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Collator, compare, doc, encodeKey, type Value } from '../../../src/bson/index.ts';
import { anyValue, text } from './arbitraries.ts';

const collator = (options: object) => Collator.of(doc(options))!;
const sorted = (options: object, texts: readonly string[]) => [...texts].sort(collator(options).compare);

/** Each line of `rising` is in strictly rising order; texts of one class stand together. */
const ORDERS: [string, object, (string | string[])[]][] = [
  ['the order of a language', { locale: 'en' }, ['', '_', '1', 'a', 'A', 'á', 'b', 'B']],
  ['strength 1', { locale: 'en', strength: 1 }, [['a', 'A', 'á'], ['b', 'B'], 'c']],
  [
    'strength 2',
    { locale: 'en', strength: 2 },
    [
      ['a', 'A'],
      ['á', 'Á'],
      ['b', 'B'],
    ],
  ],
  ['strength 3', { locale: 'en', strength: 3 }, ['a', 'A', 'á', 'Á', 'b']],
  ['strength 5 tells canonical from compatible', { locale: 'en', strength: 5 }, ['a', 'a\u0001', 'A']],
  ['case level at strength 1', { locale: 'en', strength: 1, caseLevel: true }, [['a', 'á'], ['A', 'Á'], 'b']],
  ['case level at strength 2', { locale: 'en', strength: 2, caseLevel: true }, ['a', 'A', 'á', 'Á', 'b']],
  ['upper first', { locale: 'en', caseFirst: 'upper' }, ['A', 'a', 'Á', 'á', 'B', 'b']],
  ['lower first', { locale: 'da', caseFirst: 'lower' }, ['a', 'A', 'b']],
  ['Danish is upper first', { locale: 'da' }, ['A', 'a', 'B', 'z', 'å']],
  ['upper first by case level', { locale: 'en', strength: 1, caseLevel: true, caseFirst: 'upper' }, ['A', 'a', 'B']],
  ['digits as text', { locale: 'en' }, ['1', '10', '2']],
  ['numeric ordering', { locale: 'en', numericOrdering: true }, ['1', ['2', '02'], '10', '10a', 'a2', 'a10']],
  ['shifted', { locale: 'en', alternate: 'shifted' }, ['a$b', ['ab', 'a-b', 'a b'], 'aB', 'ac']],
  ['shifted, spaces only', { locale: 'en', alternate: 'shifted', maxVariable: 'space' }, ['a-b', ['ab', 'a b'], 'ac']],
  ['shifted, strength 4', { locale: 'en', alternate: 'shifted', strength: 4 }, ['a b', 'a-b', 'ab', 'aB']],
  ['Thai is shifted', { locale: 'th' }, [['ab', 'a b', 'a-b'], 'ac']],
  [
    'spaces between digits',
    { locale: 'en', alternate: 'shifted', maxVariable: 'space', numericOrdering: true },
    ['1 9', '2'],
  ],
  ['French accents', { locale: 'fr' }, ['cote', 'coté', 'côte', 'côté']],
  ['Canadian accents', { locale: 'fr_CA' }, ['cote', 'côte', 'coté', 'côté']],
  ['Canadian accents forwards', { locale: 'fr_CA', backwards: false }, ['cote', 'coté', 'côte', 'côté']],
  ['accents backwards', { locale: 'en', backwards: true }, ['cote', 'cotE', 'côte', 'coté', 'côté', 'd']],
  ['accents backwards, strength 2', { locale: 'en', strength: 2, backwards: true }, [['cote', 'COTE'], 'côte', 'coté']],
  ['POSIX', { locale: 'en_US_POSIX' }, ['A', 'B', 'a', 'b']],
  ['German', { locale: 'de' }, ['ad', 'ä', 'äd', 'ae', 'af'].sort(new Intl.Collator('de').compare)],
  ['the German phone book', { locale: 'de@collation=phonebook', strength: 1 }, ['ad', ['ae', 'ä'], 'af']],
  ['traditional Spanish', { locale: 'es@collation=traditional' }, ['cz', 'ch', 'd']],
  ['Spanish', { locale: 'es' }, ['ch', 'cz', 'd']],
  ['Swedish', { locale: 'sv' }, ['z', 'å', 'ä', 'ö']],
  ['strokes', { locale: 'zh@collation=stroke' }, ['一', '丁', '三', '中']],
];

describe('a collator', () => {
  test.each(ORDERS)('%s', (_, options, classes) => {
    const { compare: order } = collator(options);
    const all = classes.flatMap((texts, place) => [texts].flat().map((value) => ({ value, place })));
    for (const a of all) {
      for (const b of all) {
        const pair = `${a.value} ${b.value}`;
        expect([pair, Math.sign(order(a.value, b.value))]).toEqual([pair, Math.sign(a.place - b.place)]);
      }
    }
  });

  test('has no order that ICU dropped, and no Thai whose punctuation counts', () => {
    const refused = expect.objectContaining({ codeName: 'NotImplemented' });
    expect(() => collator({ locale: 'zh@collation=big5han' })).toThrow(refused);
    expect(() => collator({ locale: 'th', alternate: 'non-ignorable' })).toThrow(refused);
    expect(() => collator({ locale: 'th', maxVariable: 'space' })).toThrow(refused);
    expect(sorted({ locale: 'zh@collation=zhuyin' }, ['b', 'a'])).toEqual(['a', 'b']);
  });

  test('reaches into documents and arrays, not into names and code', () => {
    const lower = collator({ locale: 'en', strength: 2 });
    const same = (a: unknown, b: unknown) => compare(doc({ v: a }), doc({ v: b }), lower) === 0;
    expect(same('a', 'A')).toBe(true);
    expect(same([['a']], [['A']])).toBe(true);
    expect(same({ x: 'a' }, { x: 'A' })).toBe(true);
    expect(same({ x: 1 }, { X: 1 })).toBe(false);
    expect(same(/a/, /A/)).toBe(false);
  });
});

/** Options that meet every way to compare. */
const OPTIONS = [
  { locale: 'en', strength: 1 },
  { locale: 'en', strength: 2 },
  { locale: 'de', strength: 3, caseFirst: 'upper' },
  { locale: 'en', strength: 2, caseLevel: true, backwards: true },
  { locale: 'en', strength: 4, alternate: 'shifted', numericOrdering: true },
  { locale: 'en', strength: 5, alternate: 'shifted', maxVariable: 'space' },
];

/** Half of the pairs are close to each other. */
const words = fc.string({
  unit: fc.constantFrom('a', 'A', 'á', 'b', '1', '2', ' ', '-', '\u0301', '\0'),
  maxLength: 6,
});
const values = fc.oneof(anyValue, words, fc.array(words, { maxLength: 2 }), text);
const keyOrder = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);

describe.each(OPTIONS)('with %o', (options) => {
  test('the order is total', () => {
    const { compare: order } = collator(options);
    fc.assert(
      fc.property(words, words, words, (a, b, c) => {
        expect(order(a, a)).toBe(0);
        expect(Math.sign(order(a, b))).toBe(-Math.sign(order(b, a)) + 0);
        const [low, middle, high] = [a, b, c].sort(order) as [string, string, string];
        expect(order(low, middle)).toBeLessThanOrEqual(0);
        expect(order(middle, high)).toBeLessThanOrEqual(0);
        expect(order(low, high)).toBeLessThanOrEqual(0);
        if (order(low, middle) === 0) expect(Math.sign(order(low, high))).toBe(Math.sign(order(middle, high)));
      }),
      { numRuns: 2000 },
    );
  });

  test('keys are in the order of the values', () => {
    fc.assert(
      fc.property(fc.array(values, { minLength: 2, maxLength: 12 }), (list) => {
        const order = collator(options);
        const pairs = list.flatMap((a) => list.map((b): [Value, Value] => [a, b]));
        for (const [a, b] of pairs) {
          const expected = Math.sign(compare(a, b, order));
          expect(keyOrder(encodeKey(a, false, order), encodeKey(b, false, order))).toBe(expected);
          expect(keyOrder(encodeKey(b, true, order), encodeKey(a, true, order))).toBe(expected);
        }
      }),
    );
  });
});

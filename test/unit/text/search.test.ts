import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Doc, doc } from '../../../src/bson/index.ts';
import { TextSearch, type TextSearchOptions, termScores, textDefinition } from '../../../src/text/index.ts';

function definitionOf(weights: object, more: object = {}) {
  const index = {
    key: { _fts: 'text', _ftsx: 1 },
    weights,
    default_language: 'english',
    language_override: 'language',
  };
  return textDefinition(doc(JSON.parse(JSON.stringify({ ...index, ...more })) as never));
}

function from(value: unknown): Doc {
  return doc(value as never);
}

function search(text: string, options: Partial<TextSearchOptions> = {}, definition = definitionOf({ a: 1 })) {
  return new TextSearch(definition, { search: text, caseSensitive: false, diacriticSensitive: false, ...options });
}

describe('termScores', () => {
  it.each<[string, object, unknown, Record<string, number>]>([
    ['a text of one term', { a: 1 }, { a: 'coffee' }, { coffe: 1 }],
    ['a text that is its own stem', { a: 1 }, { a: 'shop' }, { shop: 1.1 }],
    ['the case of a whole text', { a: 1 }, { a: 'SHOP' }, { shop: 1.1 }],
    ['two terms', { a: 1 }, { a: 'Java Shop' }, { java: 0.75, shop: 0.75 }],
    ['repetitions, each for half', { a: 1 }, { a: 'cake cake cake tea' }, { cake: 1.75 * 0.875, tea: 0.625 }],
    ['stop words for nothing', { a: 1 }, { a: 'the cake of the tea' }, { cake: 0.75, tea: 0.75 }],
    ['weights', { a: 10, b: 3 }, { a: 'cake shop', b: 'cake' }, { cake: 7.5 + 3.3, shop: 7.5 }],
    ['texts of an array, each by itself', { a: 1 }, { a: ['cake', 'cake tea'] }, { cake: 1.1 + 0.75, tea: 0.75 }],
    ['paths through documents and arrays', { 'a.b': 1 }, { a: [{ b: 'cake' }, { c: 'tea' }, 'x'] }, { cake: 1.1 }],
    ['no arrays in arrays', { a: 1 }, { a: [['cake']] }, {}],
    ['nothing but texts', { a: 1 }, { a: 5, b: 'cake' }, {}],
    [
      'everything for a wildcard',
      { '$**': 1 },
      { x: 'cake', y: { z: [['tea time']] } },
      { cake: 1.1, tea: 0.75, time: 0.75 },
    ],
    ['no language field for a wildcard', { '$**': 1 }, { x: 'cake', language: 'none' }, { cake: 1.1 }],
    ['weights beside a wildcard', { '$**': 1, b: 5 }, { b: 'cake', c: 'tea' }, { cake: 5.5, tea: 1.1 }],
    ['the next weight for what a wildcard finds before it', { '$**': 1, b: 5 }, { a: 'cake' }, { cake: 5.5 }],
    ['the language of the document', { a: 1 }, { a: 'le chien courante', language: 'fr' }, { chien: 0.75, cour: 0.75 }],
    [
      'the language of a document within',
      { 'a.b': 1 },
      { language: 'french', a: [{ language: 'none', b: 'le chien' }, { b: 'le chien' }] },
      { le: 0.75, chien: 0.75 + 1 },
    ],
  ])('counts %s', (_, weights, document, scores) => {
    const found = termScores(definitionOf(weights), from(document));
    const expected = Object.entries(scores).map(([term, score]) => [term, expect.closeTo(score, 9)]);
    expect([...found].sort()).toEqual(expected.sort());
  });

  it.each<[unknown, string]>([
    [{ a: 'x', language: 5 }, 'found language override field in document with non-string type'],
    [{ a: 'x', language: 'klingon' }, 'language override unsupported: klingon'],
  ])('refuses %j', (document, message) => {
    expect(() => termScores(definitionOf({ a: 1 }), from(document))).toThrow(message);
  });
});

describe('TextSearch', () => {
  it.each<[string, Partial<Record<'terms' | 'negatedTerms' | 'phrases' | 'negatedPhrases', string[]>>]>([
    ['coffee shops', { terms: ['coffe', 'shop'] }],
    ['java -coffee', { terms: ['java'], negatedTerms: ['coffe'] }],
    ['- coffee', { terms: ['coffe'] }],
    ['foo-bar', { terms: ['bar', 'foo'] }],
    ['-foo-bar baz', { terms: ['baz'], negatedTerms: ['foo', 'bar'] }],
    ['"coffee shop" tea', { terms: ['coffe', 'shop', 'tea'], phrases: ['coffee shop'] }],
    ['tea -"coffee shop"', { terms: ['tea'], negatedPhrases: ['coffee shop'] }],
    ['-"foo bar"-"baz quux" x', { terms: ['x'], negatedPhrases: ['foo bar', 'baz quux'] }],
    ['- "foo bar"', { terms: ['bar', 'foo'], phrases: ['foo bar'] }],
    ['"a -cake', { terms: ['cake'] }],
    ['"foo -bar"', { terms: ['bar', 'foo'], phrases: ['foo -bar'] }],
    ['the of', {}],
    ['', {}],
    [' \n', {}],
  ])('parses %j', (text, { terms = [], negatedTerms = [], phrases = [], negatedPhrases = [] }) => {
    const parsed = search(text);
    expect([parsed.terms, [...parsed.negatedTerms], parsed.phrases, parsed.negatedPhrases]).toEqual([
      terms,
      negatedTerms,
      phrases,
      negatedPhrases,
    ]);
  });

  it.each<[string, Partial<TextSearchOptions>, string, boolean]>([
    ['coffee', {}, 'Coffee Shops', true],
    ['Coffee', { caseSensitive: true }, 'Coffee Shops', true],
    ['coffee', { caseSensitive: true }, 'Coffee Shops', false],
    ['cafe', {}, 'Café', true],
    ['café', { diacriticSensitive: true }, 'Cafe', false],
    ['leche', { language: 'es' }, 'leches', true],
    ['shop -coffee', {}, 'coffee shop', false],
    ['shop -Coffee', { caseSensitive: true }, 'coffee shop', true],
    ['"coffee shop" cake', {}, 'cake shop', false],
    ['cake -"coffee shop"', {}, 'cake in the coffee shop', false],
    ['-coffee', {}, 'tea', false],
    ['the', {}, 'the', false],
  ])('%j %j on %j: %s', (text, options, value, matches) => {
    expect(search(text, options).matches(from({ a: value }))).toBe(matches);
  });

  it('scores the sum of its terms', () => {
    expect(search('java shop tea').score(from({ a: 'Java Shop' }))).toBeCloseTo(1.5, 12);
  });

  it('matches exactly what it scores above nothing, where it says no more than terms', () => {
    const words = fc.array(fc.constantFrom('cake', 'Cakes', 'tea', 'the', 'café', 'running', 'x-y', "shop's"));
    fc.assert(
      fc.property(words, words, (asked, given) => {
        const found = search(asked.join(' '));
        const document = from({ a: given.join(' ') });
        expect(found.matches(document)).toBe(found.score(document) > 0);
      }),
    );
  });
});

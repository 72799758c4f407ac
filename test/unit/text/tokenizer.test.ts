import { describe, expect, it } from 'vitest';
import { foldCase, stripDiacritics } from '../../../src/text/fold.ts';
import { languageOf } from '../../../src/text/languages.ts';
import { hasPhrase, type TokenOptions, tokens } from '../../../src/text/tokenizer.ts';

const STOP: TokenOptions = { filterStopWords: true };
const TURKISH = 'KAÇ YAŞINDASIN SEN, VE SEN NEREDEN VARDIR?';
const FRENCH = 'Je ne vais pas etre énervé. Je vais même excité, meme.';

/** What MongoDB makes of each text. */
const cases: [string, string, string, TokenOptions, string][] = [
  ['keeps possessives together', 'english', "Do you see Mark's dog running?", {}, 'do you see mark dog run'],
  ['skips delimiters at the ends', 'english', "  , Do you see Mark's dog running?   ", {}, 'do you see mark dog run'],
  ['finds nothing in delimiters', 'english', ' -- ', {}, ''],
  ['leaves stop words out', 'english', "Do you see Mark's dog running?", STOP, 'see mark dog run'],
  ['takes modal verbs for words', 'english', 'A will can do us a favor', STOP, 'will can us favor'],
  ['parts at apostrophes outside English', 'french', "C'est bien!", {}, 'c est bien'],
  ['parts at guillemets', 'french', 'Voyez-vous «le chien» de Mark courante?', {}, 'voi vous le chien de mark cour'],
  ['stems before it strips', 'french', 'parlames, parlerent, parlâmes, parlèrent', {}, 'parlam parlerent parl parl'],
  ['knows stop words by their diacritics', 'french', FRENCH, STOP, 'vais etre enerv vais excit mem'],
  [
    'keeps diacritics where they count',
    'french',
    FRENCH,
    { ...STOP, diacriticSensitive: true },
    'vais etre énerv vais excit mem',
  ],
  ['folds the Turkish i', 'turkish', TURKISH, {}, 'kac yas sen ve sen nere var'],
  [
    'keeps the case where it counts',
    'turkish',
    TURKISH,
    { caseSensitive: true },
    'KAC YASINDASIN SEN VE SEN NEREDEN VARDIR',
  ],
  [
    'keeps both',
    'turkish',
    TURKISH,
    { ...STOP, caseSensitive: true, diacriticSensitive: true },
    'KAÇ YAŞINDASIN NEREDEN VARDIR',
  ],
  ['stems nothing in no language', 'none', "The dogs' running", STOP, 'the dogs running'],
  ['stems danish', 'danish', 'undersøgelse', {}, 'undersøg'],
  ['stems german', 'german', 'aufeinanderfolgende', {}, 'aufeinanderfolg'],
  ['stems russian', 'russian', 'вагонов', {}, 'вагон'],
  ['stems spanish', 'spanish', 'cheques', {}, 'chequ'],
  ['parts at tabs and no-break spaces', 'english', 'red\tgreen\u00a0blue\u30fbwhite', {}, 'red green blue white'],
];

describe('tokens', () => {
  it.each(cases)('%s (%s)', (_, language, text, options, terms) => {
    expect([...tokens(text, languageOf(language), options)].join(' ')).toBe(terms);
  });

  it('knows every language by name and code', () => {
    const names =
      'danish dutch english finnish french german hungarian italian norwegian portuguese romanian russian spanish swedish turkish';
    const codes = 'da nl en fi fr de hu it nb pt ro ru es sv tr';
    expect(codes.split(' ').map((code) => languageOf(code.toUpperCase()).name)).toEqual(names.split(' '));
    for (const name of names.split(' ')) expect(languageOf(name).stopWords.size).toBeGreaterThan(40);
    expect(languageOf('none').stopWords.size).toBe(0);
    expect(() => languageOf('klingon')).toThrow('unsupported language: "klingon" for text index version 3');
  });
});

describe('fold', () => {
  it.each([
    ['ÁÊÑÅÇ', 'áêñåç'],
    ['ΣΑΣ', 'σασ'],
    ['ς', 'σ'],
    ['ẞ', 'ß'],
    ['ß', 'ß'],
    ['ſ', 's'],
    ['İ', 'İ'],
    ['\u212a', 'k'],
    ['ᾈ', 'ᾀ'],
    ['𐐀', '𐐨'],
  ])('folds %s to %s', (text, folded) => {
    expect(foldCase(text, false)).toBe(folded);
  });

  it('folds the dotless i only in Turkish', () => {
    expect([foldCase('Iİ', true), foldCase('I', false)]).toEqual(['ıi', 'i']);
  });

  it.each([
    ['áêñåç', 'aenac'],
    ['a\u0301^`', 'a'],
    ['\u1ab4\u1dc5', ''],
    ['-.', '-.'],
    ['한ø', '한ø'],
  ])('strips %s to %s', (text, bare) => {
    expect(stripDiacritics(text)).toBe(bare);
  });
});

describe('hasPhrase', () => {
  const none = {};
  it.each<[string, string, string, TokenOptions, boolean]>([
    ['Coffee Shop', 'coffee shop', 'english', none, true],
    ['Coffee  Shop', 'coffee shop', 'english', none, false],
    ['Coffee Shop', 'coffee', 'english', { caseSensitive: true }, false],
    ['Café Con Leche', 'cafe con', 'english', none, true],
    ['Café Con Leche', 'cafe con', 'english', { diacriticSensitive: true }, false],
    ['the superwoman', 'woman', 'english', none, true],
    ['ISPARTA', 'ısparta', 'turkish', { caseSensitive: true }, true],
  ])('finds in %s %s (%s, %o): %s', (text, phrase, language, options, expected) => {
    expect(hasPhrase(text, phrase, languageOf(language), options)).toBe(expected);
  });
});

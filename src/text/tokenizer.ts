import { foldCase, stripDiacritics } from './fold.ts';
import type { Language } from './languages.ts';

export interface TokenOptions {
  /** Leave the stop words out. */
  readonly filterStopWords?: boolean;
  readonly caseSensitive?: boolean;
  readonly diacriticSensitive?: boolean;
}

/**
 * What parts words: what Unicode calls White_Space, Dash, Hyphen, Quotation_Mark, Terminal_Punctuation, Pattern_Syntax and
 * Sentence_Terminal. Regular expressions do not know Hyphen; these three are the hyphens that are no dashes.
 */
const DELIMITER =
  /[\p{White_Space}\p{Dash}\p{Quotation_Mark}\p{Terminal_Punctuation}\p{Pattern_Syntax}\p{Sentence_Terminal}\u00ad\u30fb\uff65\0]+/u;

/** In English an apostrophe is part of a word. */
const ENGLISH_DELIMITER =
  /(?:(?!')[\p{White_Space}\p{Dash}\p{Quotation_Mark}\p{Terminal_Punctuation}\p{Pattern_Syntax}\p{Sentence_Terminal}\u00ad\u30fb\uff65\0])+/u;

/** The terms of a text in their order, as an index of version 3 holds them: folded, stemmed, without diacritics. */
export function* tokens(text: string, language: Language, options: TokenOptions = {}): Generator<string> {
  const plain = !options.caseSensitive && !options.diacriticSensitive;
  for (const word of text.split(language.name === 'english' ? ENGLISH_DELIMITER : DELIMITER)) {
    if (word === '') continue;
    const { term, stop } = plain ? remembered(word, language) : termOf(word, language, options);
    if (!(stop && options.filterStopWords)) yield term;
  }
}

interface Term {
  readonly term: string;
  readonly stop: boolean;
}

function termOf(word: string, language: Language, { caseSensitive, diacriticSensitive }: TokenOptions): Term {
  // Stop words and stems are known with their diacritics.
  const lower = foldCase(word, language.name === 'turkish');
  const stem = language.stem(caseSensitive ? word : lower);
  return { term: diacriticSensitive ? stem : stripDiacritics(stem), stop: language.stopWords.has(lower) };
}

/** Stemming a word takes as long as looking it up a hundred times, and texts are made of the same words. */
const known = new WeakMap<Language, Map<string, Term>>();
const MAX_KNOWN_WORDS = 50_000;
const MAX_KNOWN_LENGTH = 40;

function remembered(word: string, language: Language): Term {
  let terms = known.get(language);
  if (!terms) {
    terms = new Map();
    known.set(language, terms);
  }
  let term = terms.get(word);
  if (term) return term;
  term = termOf(word, language, {});
  if (word.length > MAX_KNOWN_LENGTH) return term;
  if (terms.size >= MAX_KNOWN_WORDS) terms.clear();
  terms.set(word, term);
  return term;
}

/** Whether a text has the phrase in it, its spaces and punctuation as they are. */
export function hasPhrase(text: string, phrase: string, language: Language, options: TokenOptions): boolean {
  const turkish = language.name === 'turkish';
  const plain = (raw: string) => {
    // In Turkish the case never counts.
    const cased = options.caseSensitive && !turkish ? raw : foldCase(raw, turkish);
    return options.diacriticSensitive ? cased : stripDiacritics(cased);
  };
  return plain(text).includes(plain(phrase));
}

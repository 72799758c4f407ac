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
  /[\p{White_Space}\p{Dash}\p{Quotation_Mark}\p{Terminal_Punctuation}\p{Pattern_Syntax}\p{Sentence_Terminal}\u00ad\u30fb\uff65]+/u;

/** In English an apostrophe is part of a word. */
const ENGLISH_DELIMITER =
  /(?:(?!')[\p{White_Space}\p{Dash}\p{Quotation_Mark}\p{Terminal_Punctuation}\p{Pattern_Syntax}\p{Sentence_Terminal}\u00ad\u30fb\uff65])+/u;

/** The terms of a text in their order, as an index of version 3 holds them: folded, stemmed, without diacritics. */
export function* tokens(text: string, language: Language, options: TokenOptions = {}): Generator<string> {
  const turkish = language.name === 'turkish';
  for (const word of text.split(language.name === 'english' ? ENGLISH_DELIMITER : DELIMITER)) {
    if (word === '') continue;
    // Stop words and stems are known with their diacritics.
    const lower = foldCase(word, turkish);
    if (options.filterStopWords && language.stopWords.has(lower)) continue;
    const stem = language.stem(options.caseSensitive ? word : lower);
    yield options.diacriticSensitive ? stem : stripDiacritics(stem);
  }
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

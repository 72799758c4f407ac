import type { Doc } from '../bson/index.ts';
import { type TextDefinition, visitTexts } from './definition.ts';
import { type Language, languageOf } from './languages.ts';
import { termScores } from './score.ts';
import { hasPhrase, type TokenOptions, tokens } from './tokenizer.ts';

export interface TextSearchOptions {
  /** `$search`: words, `"phrases"`, and either with a `-` in front. */
  readonly search: string;
  /** Absent: the index's default language. */
  readonly language?: string | undefined;
  readonly caseSensitive: boolean;
  readonly diacriticSensitive: boolean;
}

/** A search of a text index. */
export class TextSearch {
  readonly definition: TextDefinition;
  readonly language: string;
  /** What the index is searched for, in order: a document with none of these does not match. */
  readonly terms: readonly string[];
  readonly positiveTerms: ReadonlySet<string>;
  readonly negatedTerms: ReadonlySet<string>;
  readonly phrases: readonly string[];
  readonly negatedPhrases: readonly string[];
  readonly options: TokenOptions;

  /** Throws BadValue for an unknown language. */
  constructor(definition: TextDefinition, asked: TextSearchOptions) {
    this.definition = definition;
    const language = languageOf(asked.language ?? definition.defaultLanguage);
    this.language = asked.language ?? definition.defaultLanguage;
    this.options = { caseSensitive: asked.caseSensitive, diacriticSensitive: asked.diacriticSensitive };
    const parsed = parse(asked.search);
    this.phrases = parsed.phrases;
    this.negatedPhrases = parsed.negatedPhrases;
    this.terms = [...termsOf(parsed.words, language, {})].sort();
    this.positiveTerms = termsOf(parsed.words, language, this.options);
    this.negatedTerms = termsOf(parsed.negatedWords, language, this.options);
  }

  matches(doc: Doc): boolean {
    const { options, phrases, negatedPhrases } = this;
    if (!this.#hasTerm(doc, this.terms, { filterStopWords: true })) return false;
    if (options.caseSensitive || options.diacriticSensitive) {
      if (!this.#hasTerm(doc, this.positiveTerms, options)) return false;
    }
    if (this.#hasTerm(doc, this.negatedTerms, options)) return false;
    return (
      phrases.every((phrase) => this.#hasPhrase(doc, phrase)) &&
      !negatedPhrases.some((phrase) => this.#hasPhrase(doc, phrase))
    );
  }

  /** `textScore`: what the terms count in the document together. */
  score(doc: Doc): number {
    const scores = termScores(this.definition, doc);
    return this.terms.reduce((sum, term) => sum + (scores.get(term) ?? 0), 0);
  }

  #hasTerm(doc: Doc, terms: Iterable<string>, options: TokenOptions): boolean {
    const wanted = new Set(terms);
    if (wanted.size === 0) return false;
    return visitTexts(this.definition, doc, (text, language) => {
      for (const term of tokens(text, language, options)) if (wanted.has(term)) return true;
      return false;
    });
  }

  #hasPhrase(doc: Doc, phrase: string): boolean {
    return visitTexts(this.definition, doc, (text, language) => hasPhrase(text, phrase, language, this.options));
  }
}

function termsOf(words: readonly string[], language: Language, options: TokenOptions): ReadonlySet<string> {
  return new Set(tokens(words.join(' '), language, { ...options, filterStopWords: true }));
}

interface Parsed {
  readonly words: string[];
  readonly negatedWords: string[];
  readonly phrases: string[];
  readonly negatedPhrases: string[];
}

/** A tab is none: it is a part of the word here, and parts words only later. */
const SPACES = '[\\n\\v\\f\\r ]*';
const PART = new RegExp(`([-"]|[^-"\\n\\v\\f\\r ]+)(${SPACES})`, 'y');
const LEADING = new RegExp(SPACES, 'y');

/**
 * Takes a search string apart as MongoDB does: a hyphen after white space negates what follows up to the next white
 * space, a phrase's words are also searched for one by one, and a phrase that does not end is only words.
 */
function parse(search: string): Parsed {
  const parsed: Parsed = { words: [], negatedWords: [], phrases: [], negatedPhrases: [] };
  let negated = false;
  let phraseStart: number | undefined;
  let afterSpace = true;
  LEADING.lastIndex = 0;
  LEADING.test(search);
  PART.lastIndex = LEADING.lastIndex;
  for (let at = PART.lastIndex, found = PART.exec(search); found; at = PART.lastIndex, found = PART.exec(search)) {
    const [, part, spaces] = found;
    if (part === '-') {
      if (phraseStart === undefined && afterSpace) negated = true;
    } else if (part === '"') {
      if (phraseStart === undefined) {
        if (afterSpace) negated = false;
        phraseStart = at + 1;
      } else {
        (negated ? parsed.negatedPhrases : parsed.phrases).push(search.slice(phraseStart, at));
        phraseStart = undefined;
      }
    } else if (phraseStart === undefined || !negated) {
      if (afterSpace) negated = false;
      (negated ? parsed.negatedWords : parsed.words).push(part!);
    }
    afterSpace = spaces !== '';
  }
  return parsed;
}

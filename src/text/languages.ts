import { createRequire } from 'node:module';
import { CodedError } from '../base/index.ts';

/** What a language does to words. */
export interface Language {
  /** MongoDB's name, in lower case. */
  readonly name: string;
  /** A word's stem; diacritics count. */
  stem(word: string): string;
  /** Words too common to search for, in lower case with their diacritics. */
  readonly stopWords: ReadonlySet<string>;
}

interface Stemmers {
  newStemmer(language: string): { stem(word: string): string };
}

/** Names and ISO codes, as the manual lists them. */
const CODES: Readonly<Record<string, string>> = {
  danish: 'da',
  dutch: 'nl',
  english: 'en',
  finnish: 'fi',
  french: 'fr',
  german: 'de',
  hungarian: 'hu',
  italian: 'it',
  norwegian: 'nb',
  portuguese: 'pt',
  romanian: 'ro',
  russian: 'ru',
  spanish: 'es',
  swedish: 'sv',
  turkish: 'tr',
};

const NAMES: ReadonlyMap<string, string> = new Map([
  ['none', 'none'],
  ...Object.entries(CODES).flatMap(([name, code]): [string, string][] => [
    [name, name],
    [code, name],
  ]),
]);

/** Where MongoDB's list for English, which has no modal verbs, differs from the package's. */
const NOT_ENGLISH_STOP_WORDS: ReadonlySet<string> = new Set(['us', 'will', 'shall', 'can', 'may', 'might', 'must']);
const MORE_ENGLISH_STOP_WORDS = ['a'];

/** Both packages are large, so that each of their parts is loaded by the first text that needs it. */
const load = createRequire(import.meta.url);
const loaded = new Map<string, Language>();

/** Whether a text index may name this language. Letters may be of either case. */
export function isLanguage(name: string): boolean {
  return NAMES.has(name.toLowerCase());
}

/** Throws BadValue for a language that MongoDB does not know. */
export function languageOf(name: string): Language {
  const known = NAMES.get(name.toLowerCase());
  if (!known) throw new CodedError('BadValue', `unsupported language: "${name}" for text index version 3`);
  const language = loaded.get(known) ?? loadLanguage(known);
  loaded.set(known, language);
  return language;
}

function loadLanguage(name: string): Language {
  if (name === 'none') return { name, stem: (word) => word, stopWords: new Set() };
  const stemmer = (load('snowball-stemmers') as Stemmers).newStemmer(name);
  const { stopwords } = load(`@orama/stopwords/${name}`) as { stopwords: readonly string[] };
  const words =
    name === 'english'
      ? [...stopwords.filter((word) => !NOT_ENGLISH_STOP_WORDS.has(word)), ...MORE_ENGLISH_STOP_WORDS]
      : stopwords;
  return { name, stem: (word) => stemmer.stem(word), stopWords: new Set(words) };
}

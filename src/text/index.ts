/**
 * Words of natural languages, as text indexes and `$text` see them: `fold.ts` and `tokenizer.ts` take a text apart,
 * `languages.ts` knows stems and stop words, `definition.ts` says which texts of a document count, `score.ts` how much,
 * `search.ts` what a search asks for and which documents answer it. Pure.
 */
export { type TextDefinition, textDefinition } from './definition.ts';
export { isLanguage } from './languages.ts';
export { termScores } from './score.ts';
export { TextSearch, type TextSearchOptions } from './search.ts';

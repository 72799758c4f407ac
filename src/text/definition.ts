import { CodedError } from '../base/index.ts';
import type { Doc, Value } from '../bson/index.ts';
import { isLanguage, type Language, languageOf } from './languages.ts';

/** Weight of what a wildcard finds and no weight names. */
const DEFAULT_WEIGHT = 1;

/** What a text index takes from documents, made of its complete definition. */
export interface TextDefinition {
  /** Paths and weights, in the order of the paths. */
  readonly weights: readonly (readonly [path: string, weight: number])[];
  /** `$**`: every text counts. */
  readonly wildcard: boolean;
  readonly defaultLanguage: string;
  /** The field by which a document, or one in it, says what language it is in. */
  readonly languageField: string;
  /** The other fields of the key, before and after the text. */
  readonly prefix: readonly string[];
  readonly suffix: readonly string[];
}

export function textDefinition(index: Doc): TextDefinition {
  const weights = [...(index.get('weights') as Doc)].map(([path, weight]) => [path, Number(weight)] as const);
  const paths = [...(index.get('key') as Doc).keys()];
  return {
    weights: weights.filter(([path]) => path !== '$**').sort(([left], [right]) => (left < right ? -1 : 1)),
    wildcard: weights.some(([path]) => path === '$**'),
    defaultLanguage: index.get('default_language') as string,
    languageField: index.get('language_override') as string,
    prefix: paths.slice(0, paths.indexOf('_fts')),
    suffix: paths.slice(paths.indexOf('_ftsx') + 1),
  };
}

/** Takes one text of a document; true ends the visit. */
export type TextVisitor = (text: string, language: Language, weight: number) => boolean;

/**
 * The texts of a document that the index holds. Throws Location17261 and Location17262 for a language that is none.
 * Returns whether the visitor ended it.
 */
export function visitTexts(definition: TextDefinition, doc: Doc, visit: TextVisitor): boolean {
  return visitFields(doc, '', languageOf(definition.defaultLanguage));

  function visitFields(parent: Doc, prefix: string, outer: Language): boolean {
    const language = languageIn(parent, definition.languageField) ?? outer;
    for (const [name, value] of parent) {
      if (definition.wildcard && name === definition.languageField) continue;
      if (visitValue(value, prefix === '' ? name : `${prefix}.${name}`, language, false)) return true;
    }
    return false;
  }

  function visitValue(value: Value, path: string, language: Language, inArray: boolean): boolean {
    const isDocument = value instanceof Map;
    if (!isDocument && typeof value !== 'string' && !Array.isArray(value)) return false;
    // MongoDB goes by the first weight from the path on, which need not be the path's own where there is a wildcard.
    const from = isDocument ? `${path}.` : path;
    const first = definition.weights.find(([weighted]) => weighted >= from);
    const exact = first?.[0] === path;
    if (!definition.wildcard && !exact && !first?.[0].startsWith(`${path}.`)) return false;
    if (isDocument) return visitFields(value, path, language);
    if (typeof value === 'string') {
      return (exact || definition.wildcard) && visit(value, language, first?.[1] ?? DEFAULT_WEIGHT);
    }
    if (inArray && !definition.wildcard) return false;
    return value.some((item) => visitValue(item, path, language, true));
  }
}

function languageIn(doc: Doc, field: string): Language | undefined {
  const name = doc.get(field);
  if (name === undefined && !doc.has(field)) return undefined;
  if (typeof name !== 'string') {
    throw new CodedError('Location17261', 'found language override field in document with non-string type');
  }
  if (!isLanguage(name)) throw new CodedError('Location17262', `language override unsupported: ${name}`);
  return languageOf(name);
}

import { CodedError } from '../../base/index.ts';
import {
  type ArrayParts,
  type Doc,
  encodeKey,
  expandPaths,
  Int32,
  isNumber,
  doc as literal,
  showDoc,
  type Value,
} from '../../bson/index.ts';
import { isLanguage, type TextDefinition, termScores, textDefinition } from '../../text/index.ts';
import { isDescending } from '../bounds.ts';
import type { IndexKey, IndexKind, KeyGenerator } from './kind.ts';

const VERSION = 3;
/** Weights lie between 0 and this. */
const MAX_WEIGHT = 100_000;
const FIELDS_OF_TEXT: ReadonlySet<string> = new Set(['_fts', '_ftsx']);

/**
 * The words of a document's texts. The key pattern is kept as `{_fts: 'text', _ftsx: 1}`, with the other fields before and
 * after, and the paths as `weights`. A key is the fields before, a term, its score, and the fields after.
 */
export const text: IndexKind = {
  name: 'text',
  single: true,
  check(definition) {
    checkKey(definition.get('key') as Doc);
    checkWeights(definition);
    checkLanguages(definition);
    const version = definition.get('textIndexVersion');
    if (version === undefined) return;
    if (!isNumber(version)) throw refuse("text index option 'textIndexVersion' must be a number");
    if (![1, 2, VERSION].includes(Math.trunc(Number(version)))) throw refuse(`bad textIndexVersion: ${version}`);
    if (Math.trunc(Number(version)) !== VERSION) {
      throw new CodedError('NotImplemented', `DiscoDB has text indexes of version ${VERSION} only`);
    }
  },
  complete(definition) {
    const completed: Doc = new Map();
    for (const [name, value] of definition) if (name !== 'textIndexVersion') completed.set(name, value);
    completed.set('key', fixedKey(definition.get('key') as Doc));
    completed.set('weights', literal(Object.fromEntries(weightsOf(definition))));
    if (!completed.has('default_language')) completed.set('default_language', 'english');
    if (!completed.has('language_override')) completed.set('language_override', 'language');
    return completed.set('textIndexVersion', new Int32(VERSION));
  },
  generator: (definition) => new TextKeys(definition),
};

class TextKeys implements KeyGenerator {
  readonly #definition: TextDefinition;
  readonly #prefix: OtherFields;
  readonly #suffix: OtherFields;
  readonly #noArrays: ArrayParts;

  constructor(index: Doc) {
    const pattern = index.get('key') as Doc;
    this.#noArrays = [...pattern.keys()].map(() => new Set<number>());
    this.#definition = textDefinition(index);
    this.#prefix = new OtherFields(this.#definition.prefix, pattern);
    this.#suffix = new OtherFields(this.#definition.suffix, pattern);
  }

  keys(doc: Doc) {
    const before = this.#prefix.of(doc);
    const after = this.#suffix.of(doc);
    const keys: IndexKey[] = [];
    for (const [term, score] of termScores(this.#definition, doc)) {
      keys.push({
        key: before.key + encodeKey(term) + encodeKey(score) + after.key,
        values: [...before.values, term, score, ...after.values],
      });
    }
    // As MongoDB has it, a document of several words is in it as one with an array is in others.
    return { keys, arrays: keys.length > 1 ? this.#noArrays : undefined };
  }
}

/** The fields beside the text, which may not be arrays. */
class OtherFields {
  readonly #paths: readonly (readonly string[])[];
  readonly #descending: readonly boolean[];

  constructor(paths: readonly string[], pattern: Doc) {
    this.#paths = paths.map((path) => path.split('.'));
    this.#descending = paths.map((path) => isDescending(pattern.get(path)));
  }

  of(doc: Doc): IndexKey {
    if (this.#paths.length === 0) return NOTHING;
    const values = this.#paths.map((path) => {
      const { rows, arrays } = expandPaths(doc, [path]);
      if (arrays) {
        throw new CodedError(
          'CannotBuildIndexKeys',
          `Field '${path.join('.')}' of text index contains an array in document: ${showDoc(doc)}`,
        );
      }
      return rows[0]!.values[0];
    });
    return { key: values.map((value, at) => encodeKey(value, this.#descending[at])).join(''), values };
  }
}

const NOTHING: IndexKey = { key: '', values: [] };

/** `{_fts: 'text', _ftsx: 1}` in place of the texts' paths. */
function fixedKey(key: Doc): Doc {
  const fixed: Doc = new Map();
  for (const [path, direction] of key) {
    if (direction !== 'text') fixed.set(path, direction);
    else if (!fixed.has('_fts')) fixed.set('_fts', 'text').set('_ftsx', key.get('_ftsx') ?? new Int32(1));
  }
  return fixed;
}

/** All weights, in the order of their paths. */
function weightsOf(definition: Doc): [string, Int32][] {
  const weights = new Map<string, number>();
  for (const [path, direction] of definition.get('key') as Doc) {
    if (direction === 'text' && path !== '_fts') weights.set(path, 1);
  }
  const given = definition.get('weights');
  if (given === '$**') weights.set('$**', 1);
  if (given instanceof Map) for (const [path, weight] of given) weights.set(path, Math.trunc(Number(weight)));
  return [...weights]
    .sort(([left], [right]) => (left < right ? -1 : 1))
    .map(([path, weight]) => [path, new Int32(weight)]);
}

function checkKey(key: Doc): void {
  const parts: ('other' | 'text')[] = [];
  for (const [path, direction] of key) {
    if (path === '_fts' && direction !== 'text') throw refuse('expecting _fts:"text"');
    if (path === '_ftsx' && !(isNumber(direction) && Number(direction) === 1)) throw refuse('expecting _ftsx:1');
    const isText = direction === 'text';
    if (!isText && (!isNumber(direction) || Math.abs(Math.trunc(Number(direction))) !== 1)) {
      throw refuse('expected value 1 or -1 for non-text key in compound index');
    }
    parts.push(isText ? 'text' : 'other');
  }
  const paths = [...key.keys()];
  const first = parts.indexOf('text');
  const fixed = paths[first] === '_fts';
  if (fixed && paths[first + 1] !== '_ftsx') throw refuse('expected _ftsx after _fts');
  const reserved = paths.some((path, at) => FIELDS_OF_TEXT.has(path) && !(fixed && (at === first || at === first + 1)));
  if (reserved) throw refuse('text index with reserved fields _fts/_ftsx not allowed');
  const end = parts.indexOf('other', first);
  if (end >= 0 && parts.includes('text', end)) throw refuse("'text' fields in index must all be adjacent");
}

function checkWeights(definition: Doc): void {
  const given = definition.get('weights');
  if (given instanceof Map) {
    if (![...given.values()].every(isNumber)) throw refuse('weight for text index needs numeric type');
  } else if (given !== undefined && given !== '$**') throw refuse("text index option 'weights' must be an object");
  const weights = weightsOf(definition);
  if (weights.length === 0) throw refuse("text index option 'weights' must specify fields or the wildcard");
  for (const [path, { value }] of weights) {
    if (!(value > 0 && value < MAX_WEIGHT)) {
      throw refuse(`text index weight must be in the exclusive interval (0,${MAX_WEIGHT}) but found: ${value}`);
    }
    if (path === '$**') continue;
    if (path === '') throw refuse('weight cannot be on an empty field');
    const names = path.split('.');
    if (names.includes('')) throw refuse('weight cannot have empty path component');
    if (names.some((name) => name.startsWith('$'))) throw refuse('weight cannot have path component with $ prefix');
  }
}

function checkLanguages(definition: Doc): void {
  const language = definition.get('default_language');
  if (language !== undefined) {
    if (typeof language !== 'string') throw refuse('default_language needs a string type');
    if (!isLanguage(language)) throw refuse('default_language is not valid');
  }
  const override: Value = definition.get('language_override');
  if (override === undefined) return;
  if (typeof override !== 'string') throw refuse('language_override must be a string');
  if (override === '' || override.startsWith('$') || override.includes('.')) {
    throw refuse('language_override is not valid');
  }
}

function refuse(message: string): CodedError {
  return new CodedError('CannotCreateIndex', message);
}

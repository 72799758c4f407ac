import { CodedError } from '../../base/index.ts';
import {
  type Doc,
  encodeKey,
  expandPaths,
  hashValue,
  showDoc,
  type TextKeys,
  type Value,
  withTextKeys,
} from '../../bson/index.ts';
import { isDescending } from '../bounds.ts';
import { type IndexKey, type IndexKind, isSparse, type KeyGenerator } from './kind.ts';

/** Keys of which one field is a hash of the value: of use for equality only. Other fields may stand before and after it. */
export const hashed: IndexKind = {
  name: 'hashed',
  check(definition) {
    const key = definition.get('key') as Doc;
    const fields = [...key.values()].filter(isHashed).length;
    if (fields > 1) {
      throw new CodedError(
        'Location31303',
        `A maximum of one index field is allowed to be hashed but found ${fields} for 'key' ${showDoc(key)}`,
      );
    }
    if (definition.get('unique') === true) {
      throw new CodedError(
        'Location16764',
        'Currently hashed indexes cannot guarantee uniqueness. Use a regular index.',
      );
    }
  },
  complete: (definition) => definition,
  generator: (definition, texts) => new HashedKeys(definition.get('key') as Doc, isSparse(definition), texts),
};

/** Whether a field of a key pattern is hashed. */
export function isHashed(direction: unknown): boolean {
  return direction === 'hashed';
}

/** The hash of a value in an index; `texts` makes the keys of strings where that has a collation. */
export function hashOf(value: Value, texts: TextKeys | undefined): bigint {
  return hashValue(texts ? withTextKeys(value, texts) : value);
}

class HashedKeys implements KeyGenerator {
  readonly #paths: readonly (readonly string[])[];
  readonly #descending: readonly boolean[];
  readonly #hashed: number;
  readonly #sparse: boolean;
  readonly #texts: TextKeys | undefined;

  constructor(pattern: Doc, sparse: boolean, texts: TextKeys | undefined) {
    this.#texts = texts;
    this.#paths = [...pattern.keys()].map((path) => path.split('.'));
    this.#descending = [...pattern.values()].map(isDescending);
    this.#hashed = [...pattern.values()].findIndex(isHashed);
    this.#sparse = sparse;
  }

  /** Throws `Location16766` for an array on the way to what is hashed. */
  keys(doc: Doc) {
    const { rows, arrays } = expandPaths(doc, this.#paths);
    const [array] = arrays?.[this.#hashed] ?? [];
    if (array !== undefined) {
      const path = this.#paths[this.#hashed]!.slice(0, array + 1).join('.');
      throw new CodedError(
        'Location16766',
        `Error: hashed indexes do not currently support array values. Found array at path: ${path}`,
      );
    }
    const keys: IndexKey[] = [];
    for (const { values, missing } of rows) {
      if (this.#sparse && missing === values.length) continue;
      const hashes = values.with(this.#hashed, hashOf(values[this.#hashed], this.#texts));
      let key = '';
      for (let field = 0; field < hashes.length; field++)
        key += encodeKey(hashes[field], this.#descending[field], this.#texts);
      keys.push({ key, values: this.#texts ? values : hashes });
    }
    return { keys, arrays };
  }
}

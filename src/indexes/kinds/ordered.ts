import { type Doc, encodeKey, expandPaths, type TextKeys } from '../../bson/index.ts';
import { isDescending } from '../bounds.ts';
import { type IndexKey, type IndexKind, isSparse, type KeyGenerator } from './kind.ts';

/** Ascending and descending keys. */
export const ordered: IndexKind = {
  name: 'btree',
  check: () => {},
  complete: (definition) => definition,
  generator: (definition, texts) => new OrderedKeys(definition.get('key') as Doc, isSparse(definition), texts),
};

/** A key for each row of values that the paths lead to. Throws `CannotIndexParallelArrays` or `Location16746`. */
class OrderedKeys implements KeyGenerator {
  readonly #paths: readonly (readonly string[])[];
  readonly #descending: readonly boolean[];
  readonly #sparse: boolean;
  readonly #texts: TextKeys | undefined;

  constructor(pattern: Doc, sparse: boolean, texts: TextKeys | undefined) {
    this.#texts = texts;
    this.#paths = [...pattern.keys()].map((path) => path.split('.'));
    this.#descending = [...pattern.values()].map(isDescending);
    this.#sparse = sparse;
  }

  keys(doc: Doc) {
    const { rows, arrays } = expandPaths(doc, this.#paths);
    const keys: IndexKey[] = [];
    for (const { values, missing } of rows) {
      if (this.#sparse && missing === values.length) continue;
      let key = '';
      for (let field = 0; field < values.length; field++)
        key += encodeKey(values[field], this.#descending[field], this.#texts);
      keys.push({ key, values });
    }
    return { keys, arrays };
  }
}

import { CodedError, located } from '../../base/index.ts';
import {
  type ArrayParts,
  type Doc,
  encodeKey,
  expandPaths,
  MinKey,
  type TextKeys,
  type Value,
} from '../../bson/index.ts';
import { isDescending } from '../bounds.ts';
import type { IndexKey, IndexKind, KeyGenerator } from './kind.ts';
import { WildcardPaths, wildcardsOf } from './wildcard-paths.ts';

/** Keys of all fields, or many: each its path and its value, in the place of the one field of the pattern. */
export const wildcard: IndexKind = {
  name: 'wildcard',
  check(definition) {
    for (const option of ['sparse', 'unique']) if (definition.get(option) === true) throw unsupported(option);
    if (definition.has('expireAfterSeconds')) throw unsupported('expireAfterSeconds', 'cannot make a TTL index');
  },
  complete: (definition) => definition,
  generator: (definition, texts) => new WildcardKeys(definition, texts),
};

function unsupported(option: string, context?: string): CodedError {
  const why = `Index type 'wildcard' does not support the '${option}' option`;
  return new CodedError('CannotCreateIndex', context ? `${context} :: caused by :: ${why}` : why);
}

/** A value that is held, by its path. */
type Held = readonly [path: Value, value: Value];

const NO_PATH: Held = [new MinKey(), new MinKey()];

class WildcardKeys implements KeyGenerator {
  readonly #paths: WildcardPaths;
  readonly #at: number;
  readonly #others: readonly (readonly string[])[];
  readonly #descending: readonly boolean[];
  readonly #texts: TextKeys | undefined;
  /** Where arrays were is told by their paths. */
  readonly #noArrays: ArrayParts;

  constructor(definition: Doc, texts: TextKeys | undefined) {
    this.#texts = texts;
    const key = definition.get('key') as Doc;
    const names = [...key.keys()];
    this.#paths = new WildcardPaths(definition);
    this.#at = names.indexOf(wildcardsOf(key)[0]!);
    this.#others = names.filter((_, field) => field !== this.#at).map((path) => path.split('.'));
    this.#descending = [...key.values()].map(isDescending);
    this.#noArrays = names.map(() => new Set<number>());
  }

  /** Throws `Location7246301` for arrays on the paths of the other fields. */
  keys(doc: Doc) {
    const held: Held[] = [];
    const arrayPaths = new Set<string>();
    this.#gather(doc, '', held, arrayPaths);
    // The other fields of a compound one are to be found in any case.
    if (held.length === 0 && this.#others.length > 0) held.push(NO_PATH);
    const { rows, arrays } = expandPaths(doc, this.#others);
    if (arrays) throw located(7246301, 'The fields beside the wildcard of a compound wildcard index cannot be arrays');
    const keys: IndexKey[] = [];
    for (const row of rows) {
      for (const entry of held) keys.push(this.#key(row.values, entry));
    }
    return { keys, arrays: arrayPaths.size > 0 ? this.#noArrays : undefined, arrayPaths };
  }

  #key(others: readonly Value[], [path, value]: Held): IndexKey {
    const values = [...others.slice(0, this.#at), value, ...others.slice(this.#at)];
    let key = '';
    for (let field = 0; field < values.length; field++) {
      if (field === this.#at) key += encodeKey(path);
      key += encodeKey(values[field], this.#descending[field], this.#texts);
    }
    return { key, values };
  }

  #gather(doc: Doc, prefix: string, held: Held[], arrayPaths: Set<string>): void {
    for (const [name, value] of doc) {
      const path = prefix + name;
      // No filter reaches a field with a dot in its name.
      if (name.includes('.') || !this.#paths.leadsOn(path)) continue;
      if (!Array.isArray(value)) this.#gatherValue(value, path, held, arrayPaths);
      else {
        arrayPaths.add(path);
        if (value.length === 0) this.#hold(path, undefined, held);
        // An array right in an array is held whole.
        for (const item of value) this.#gatherValue(item, path, held, arrayPaths);
      }
    }
  }

  #gatherValue(value: Value, path: string, held: Held[], arrayPaths: Set<string>): void {
    if (value instanceof Map && value.size > 0) this.#gather(value, `${path}.`, held, arrayPaths);
    else this.#hold(path, value, held);
  }

  #hold(path: string, value: Value, held: Held[]): void {
    if (this.#paths.holds(path)) held.push([path, value]);
  }
}

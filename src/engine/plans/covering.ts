import { type Doc, keyEnd, keyValue, UNTOLD, type Value } from '../../bson/index.ts';
import { isDescending, kindOf, type OrderedIndex } from '../../indexes/index.ts';
import { PATH_FIELD } from './condition.ts';
import type { Choice } from './plan.ts';

const NUMBER_IN_PATH = /(^|\.)\d+(\.|$)/;

interface Field {
  /** A path in parts. */
  readonly parts: readonly string[];
  /** The paths on the way, and the path itself. */
  readonly prefixes: readonly string[];
  readonly descending: boolean;
  readonly wanted: boolean;
  /** Its place among the fields of the index's own pattern, which has none for the path of a wildcard. */
  readonly own: number;
}

/** An index that stands in for documents: it holds all that is asked for of them. */
export class Covering {
  readonly #fields: readonly Field[];
  readonly #last: number;
  readonly #index: OrderedIndex;
  readonly #isWildcard: boolean;

  private constructor({ key, index }: Choice, paths: ReadonlySet<string>) {
    let own = 0;
    this.#fields = [...key].map(([path, direction]) => {
      const parts = path.split('.');
      return {
        parts,
        prefixes: parts.map((_, part) => parts.slice(0, part + 1).join('.')),
        descending: isDescending(direction),
        wanted: paths.has(path),
        own: path === PATH_FIELD ? own : own++,
      };
    });
    this.#last = this.#fields.findLastIndex(({ wanted }) => wanted);
    this.#index = index();
    this.#isWildcard = key.has(PATH_FIELD);
  }

  /** Undefined where some path is not in the index, or what stands there is not in it as it is in documents. */
  static of(choice: Choice, paths: ReadonlySet<string>): Covering | undefined {
    const { key, several, collation } = choice;
    if (several || collation || kindOf(key).name !== 'btree') return undefined;
    // A number may be an array's index, which a projection does not take it for.
    const isHeld = (path: string) => key.has(path) && path !== PATH_FIELD && !NUMBER_IN_PATH.test(path);
    if (![...paths].every(isHeld)) return undefined;
    const covering = new Covering(choice, paths);
    return covering.#hasArrays() ? undefined : covering;
  }

  /** Some document has, or had, an array on one of the paths that are asked for. */
  #hasArrays(): boolean {
    const { arrays, arrayPaths } = this.#index;
    return this.#fields.some(({ prefixes, wanted, own }) => {
      if (!wanted) return false;
      return this.#isWildcard ? prefixes.some((path) => arrayPaths.has(path)) : (arrays?.[own]?.size ?? 0) > 0;
    });
  }

  /** The fields that a key tells, in the index's order, as MongoDB gives them; undefined: the document must be asked. */
  fieldsOf(key: string): Doc | undefined {
    // An array that came after the plan was made.
    if (this.#index.multikey && this.#hasArrays()) return undefined;
    const fields: Doc = new Map();
    for (let place = 0, at = 0; place <= this.#last; place++) {
      const { parts, descending, wanted, own } = this.#fields[place]!;
      if (wanted) {
        const value = keyValue(key, at, descending, this.#index.types.of(own));
        if (value === UNTOLD) return undefined;
        setAt(fields, parts, value);
      }
      if (place < this.#last) at = keyEnd(key, at, descending);
    }
    return fields;
  }

  /** Where what tells one of the fields ends; undefined: the key does not tell all that is asked for. */
  endOf(key: string, path: string): number | undefined {
    if (!this.fieldsOf(key)) return undefined;
    let at = 0;
    for (const { descending, prefixes } of this.#fields) {
      at = keyEnd(key, at, descending);
      if (prefixes.at(-1) === path) break;
    }
    return at;
  }

  /** The same of the document, and perhaps more of the fields in which the paths begin. */
  fieldsIn(doc: Doc): Doc {
    const fields: Doc = new Map();
    for (const { parts, wanted } of this.#fields) {
      const name = parts[0]!;
      if (wanted && doc.has(name)) fields.set(name, doc.get(name));
    }
    return fields;
  }
}

function setAt(doc: Doc, path: readonly string[], value: Value): void {
  let within = doc;
  for (const name of path.slice(0, -1)) {
    const there = within.get(name);
    const next: Doc = there instanceof Map ? there : new Map();
    within.set(name, next);
    within = next;
  }
  within.set(path.at(-1)!, value);
}

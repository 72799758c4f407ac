import { type Doc, keyEnd, keyValue, UNTOLD, type Value } from '../../bson/index.ts';
import { isDescending, kindOf, type OrderedIndex } from '../../indexes/index.ts';
import { PATH_FIELD } from './condition.ts';
import type { Choice } from './plan.ts';

const NUMBER_IN_PATH = /(^|\.)\d+(\.|$)/;

/** An index that stands in for documents: it holds all that is asked for of them. */
export class Covering {
  readonly #paths: readonly (readonly string[])[];
  readonly #descending: readonly boolean[];
  readonly #wanted: readonly boolean[];
  readonly #index: OrderedIndex;

  private constructor({ key, index }: Choice, paths: ReadonlySet<string>) {
    this.#paths = [...key.keys()].map((path) => path.split('.'));
    this.#descending = [...key.values()].map(isDescending);
    this.#wanted = [...key.keys()].map((path) => paths.has(path));
    this.#index = index();
  }

  /** Undefined where some path is not in the index, or what stands there is not in it as it is in documents. */
  static of(choice: Choice, paths: ReadonlySet<string>): Covering | undefined {
    const { key, arrays, collation } = choice;
    if (arrays || collation || kindOf(key).name !== 'btree' || key.has(PATH_FIELD)) return undefined;
    // A number may be an array's index, which a projection does not take it for.
    const isHeld = (path: string) => key.has(path) && !NUMBER_IN_PATH.test(path);
    return [...paths].every(isHeld) ? new Covering(choice, paths) : undefined;
  }

  /** The fields that a key tells, in the index's order, as MongoDB gives them; undefined: the document must be asked. */
  fieldsOf(key: string): Doc | undefined {
    // An array that came after the plan was made.
    if (this.#index.multikey) return undefined;
    const last = this.#wanted.lastIndexOf(true);
    const fields: Doc = new Map();
    for (let field = 0, at = 0; field <= last; field++) {
      const descending = this.#descending[field]!;
      if (this.#wanted[field]) {
        const value = keyValue(key, at, descending, this.#index.types.of(field));
        if (value === UNTOLD) return undefined;
        setAt(fields, this.#paths[field]!, value);
      }
      if (field < last) at = keyEnd(key, at, descending);
    }
    return fields;
  }

  /** Where what tells the fields ends; undefined: the key does not tell them. */
  endOf(key: string): number | undefined {
    if (!this.fieldsOf(key)) return undefined;
    const last = this.#wanted.lastIndexOf(true);
    let at = 0;
    for (let field = 0; field <= last; field++) at = keyEnd(key, at, this.#descending[field]!);
    return at;
  }

  /** The same of the document, and perhaps more of the fields in which the paths begin. */
  fieldsIn(doc: Doc): Doc {
    const fields: Doc = new Map();
    for (const [field, [name]] of this.#paths.entries()) {
      if (this.#wanted[field] && doc.has(name!)) fields.set(name!, doc.get(name!));
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

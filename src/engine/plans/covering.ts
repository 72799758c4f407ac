import { type Doc, keyEnd, keyValue, UNTOLD } from '../../bson/index.ts';
import { isDescending, kindOf, type OrderedIndex } from '../../indexes/index.ts';
import { PATH_FIELD } from './condition.ts';
import type { Choice } from './plan.ts';

/** An index that stands in for documents: it holds all the fields of them that are asked for. */
export class Covering {
  readonly #paths: readonly string[];
  readonly #descending: readonly boolean[];
  readonly #wanted: readonly boolean[];
  readonly #index: OrderedIndex;

  private constructor({ key, index }: Choice, fields: ReadonlySet<string>) {
    this.#paths = [...key.keys()];
    this.#descending = [...key.values()].map(isDescending);
    this.#wanted = this.#paths.map((path) => fields.has(path));
    this.#index = index();
  }

  /** Undefined where some field is not in the index, or is not in it as it is in documents. */
  static of(choice: Choice, fields: ReadonlySet<string>): Covering | undefined {
    const { key, arrays, collation } = choice;
    if (arrays || collation || kindOf(key).name !== 'btree' || key.has(PATH_FIELD)) return undefined;
    const isHeld = (field: string) => key.has(field) && !field.includes('.');
    return [...fields].every(isHeld) ? new Covering(choice, fields) : undefined;
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
        fields.set(this.#paths[field]!, value);
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

  /** The same of the document. */
  fieldsIn(doc: Doc): Doc {
    const fields: Doc = new Map();
    for (const [field, path] of this.#paths.entries()) {
      if (this.#wanted[field] && doc.has(path)) fields.set(path, doc.get(path));
    }
    return fields;
  }
}

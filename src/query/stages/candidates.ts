import { BSONRegExp, type Collator, type Doc, encodeKey, type Value } from '../../bson/index.ts';
import { parsePath, visitPath } from '../path.ts';
import type { Foreign, PipelineContext } from '../types.ts';
import { orNull } from '../value.ts';
import { collect, type Stream } from './stage.ts';

/** While the values asked for are no more than one in so many documents, an index is asked; beyond, all is read once. */
const INDEXED_SHARE = 5;

/**
 * The documents of another collection by what a path is equal to. Asks an index for the values that come up, or holds
 * the whole collection, by which of the two is less.
 */
export class Candidates {
  readonly #foreign: Foreign;
  readonly #path: string;
  readonly #context: PipelineContext;
  readonly #restriction: readonly Doc[];
  #indexed: { readonly documents: number } | undefined;
  #begun = false;
  #asked = 0;
  #all: FieldIndex | undefined;
  #some: FieldIndex | undefined;

  /** With `restrict`, of the documents that match it. */
  constructor(foreign: Foreign, path: string, context: PipelineContext, restrict?: Doc) {
    this.#foreign = foreign;
    this.#path = path;
    this.#context = context;
    this.#restriction = restrict ? [new Map([['$match', restrict]])] : [];
  }

  /** To be called with all values before they are looked up; each call makes the one before it void. */
  async prepare(values: readonly Value[]): Promise<void> {
    if (this.#all) return;
    if (!this.#begun) this.#indexed = await this.#foreign.indexed(this.#path);
    this.#begun = true;
    const { collator } = this.#context;
    const distinct = new Map(values.map((value) => [encodeKey(value, false, collator), value]));
    this.#asked += distinct.size;
    const isMuch = !this.#indexed || this.#asked > this.#indexed.documents / INDEXED_SHARE;
    if (isMuch || !values.every(isExact)) {
      this.#all = await this.#index(this.#foreign.run(this.#restriction, this.#context));
      return;
    }
    const filter: Doc = new Map([[this.#path, new Map([['$in', [...distinct.values()]]])]]);
    const stages = [new Map([['$match', filter]]), ...this.#restriction];
    this.#some = await this.#index(this.#foreign.run(stages, this.#context));
  }

  /** The documents that are equal to one of the values, or hold one in an array. */
  find(values: readonly Value[]): Doc[] {
    return (this.#all ?? this.#some)!.find(values);
  }

  async #index(documents: Stream): Promise<FieldIndex> {
    return new FieldIndex(await collect(documents), this.#path, this.#context.collator);
  }
}

/** Documents by the values at a path, as equality in a filter sees them. */
export class FieldIndex {
  readonly #docs: readonly Doc[];
  readonly #collator: Collator | undefined;
  readonly #positions = new Map<string, number[]>();

  constructor(docs: readonly Doc[], path: string, collator: Collator | undefined) {
    this.#docs = docs;
    this.#collator = collator;
    const parsed = parsePath(path);
    for (const [position, doc] of docs.entries()) {
      visitPath(doc, parsed, true, (value) => {
        const key = this.#key(orNull(value));
        const positions = this.#positions.get(key);
        if (!positions) this.#positions.set(key, [position]);
        else if (positions.at(-1) !== position) positions.push(position);
        return false;
      });
    }
  }

  find(values: readonly Value[]): Doc[] {
    const lists = values.map((value) => this.#positions.get(this.#key(value)) ?? []);
    const positions = lists.length === 1 ? lists[0]! : [...new Set(lists.flat())].sort((one, other) => one - other);
    return positions.map((position) => this.#docs[position]!);
  }

  #key(value: Value): string {
    return encodeKey(value, false, this.#collator);
  }
}

/** Whether `$in` takes the value for what it is. */
function isExact(value: Value): boolean {
  return value !== undefined && !(value instanceof BSONRegExp);
}

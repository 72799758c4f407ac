import {
  type CollationSpec,
  Collator,
  type Doc,
  encodeKey,
  KeyTypes,
  doc as literal,
  type TextOrder,
  type Value,
} from '../bson/index.ts';
import { kindOf, OrderedIndex } from '../indexes/index.ts';
import type { Slot } from './slot.ts';

/** A key of an ObjectId and its place in a Map. */
const ENTRY_BYTES = 64;

/** A collection's documents by `_id`, which is unique under the collection's own collation. */
export class IdDirectory {
  readonly #slots = new Map<string, Slot>();
  /** Absent: the order of code points. */
  readonly collation: Doc | undefined;
  readonly #texts: TextOrder | undefined;
  readonly #types = new KeyTypes();
  #order: OrderedIndex | undefined;

  constructor(collation: CollationSpec | undefined) {
    const collator = collation && new Collator(collation);
    this.collation = collator?.toDoc();
    this.#texts = collator?.newOrder();
  }

  /** An estimate of what it takes in memory. */
  get bytes(): number {
    return this.#slots.size * ENTRY_BYTES + (this.#order?.bytes ?? 0);
  }

  values(): Iterable<Slot> {
    return this.#slots.values();
  }

  get(id: Value): Slot | undefined {
    return this.#slots.get(encodeKey(id, false, this.#texts?.seek));
  }

  /** The key for a slot to be put in; `has` and `put` come right after it. */
  keyOf(id: Value): string {
    return encodeKey(id, false, this.#texts);
  }

  has(idKey: string): boolean {
    return this.#slots.has(idKey);
  }

  put(slot: Slot, id: Value): void {
    this.#slots.set(slot.idKey, slot);
    this.#types.note([id]);
    this.#order?.insertKey(slot.recordId, slot.idKey);
    this.#texts?.retain([id]);
    this.#texts?.tidy();
  }

  /** `id` is undefined where nobody knows it any more. */
  remove(slot: Slot, id: Value): void {
    this.#slots.delete(slot.idKey);
    this.#order?.removeKey(slot.recordId, slot.idKey);
    this.#texts?.release([id]);
  }

  clear(): void {
    this.#slots.clear();
  }

  /** The `_id` index in key order, built when first asked for: most collections are only ever asked by equality. */
  inOrder(): OrderedIndex {
    if (!this.#order) {
      const key = literal({ _id: 1 });
      const generator = kindOf(key).generator(literal({ key }), this.#texts);
      this.#order = new OrderedIndex({ key, generator, unique: true, texts: this.#texts, types: this.#types });
      for (const slot of this.#slots.values()) this.#order.insertKey(slot.recordId, slot.idKey);
    }
    return this.#order;
  }
}

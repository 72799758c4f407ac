import { type CollationSpec, collationDoc, parseCollation } from './collation-spec.ts';
import { intlComparison } from './intl-comparison.ts';
import { type TextKeys, TextOrder } from './text-order.ts';
import type { Doc } from './values.ts';

/** An order of texts. One that has given keys lives as long as they do: its own keys go with no other collator's. */
export class Collator implements TextKeys {
  readonly spec: CollationSpec;
  readonly compare: (a: string, b: string) => number;
  /** The texts that keys were asked for, and a shorter way to those asked for before. */
  #order: TextOrder | undefined;
  readonly #keys = new Map<string, string>();

  constructor(spec: CollationSpec) {
    this.spec = spec;
    this.compare = intlComparison(spec);
  }

  /**
   * Of what a client gave, or of what was stored; undefined for none and for `{locale: 'simple'}`, which is the order of
   * code points. Throws what MongoDB does for a bad one, NotImplemented for the few that ICU has no more.
   */
  static of(source: Doc | undefined): Collator | undefined {
    const spec = source && parseCollation(source);
    return spec && new Collator(spec);
  }

  /** All options, as MongoDB lists them. */
  toDoc(): Doc {
    return collationDoc(this.spec);
  }

  /** For keys of one query: a text that was asked for stays known. */
  key(text: string): string {
    let key = this.#keys.get(text);
    if (key === undefined) {
      this.#order ??= this.newOrder();
      key = this.#order.key(text);
      this.#keys.set(text, key);
    }
    return key;
  }

  /** How many texts it has given keys for, and keeps. */
  get known(): number {
    return this.#keys.size;
  }

  /** For an index, which outlives a query and forgets again. */
  newOrder(): TextOrder {
    return new TextOrder(this.compare);
  }
}

/** Whether both order alike, as far as their options say. */
export function sameCollation(a: Collator | undefined, b: Collator | undefined): boolean {
  if (!a || !b) return a === b;
  return Object.entries(a.spec).every(([name, value]) => b.spec[name as keyof CollationSpec] === value);
}

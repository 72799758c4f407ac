import { BSONSymbol } from 'bson';
import { type BTree, createBTree } from '../base/index.ts';
import { labelBetween } from './text-label.ts';
import type { Value } from './values.ts';

/** Gives each text one that stands for it in keys: their order under `<` is the order, and equal texts have equal ones. */
export interface TextKeys {
  key(text: string): string;
}

/** Texts that the order takes for one. */
interface Class {
  readonly label: string;
  /** Grows from class to class. */
  readonly born: number;
  /** Keys that hold the label. */
  uses: number;
}

/** Classes that no key holds are kept until there are so many: a key is made before it is put in, and another one taken out between. */
const IDLE_MAX = 1000;

/**
 * The labels of the texts that something with keys holds (an index, a query), in the order of a collator, which itself
 * cannot say what a text's key is, only which of two comes first. A label never changes while its class is in use.
 * Pairs that come closer and closer from both sides make labels grow; nothing else does for long.
 */
export class TextOrder implements TextKeys {
  readonly #classes: BTree<Class>;
  readonly #compare: (a: string, b: string) => number;
  readonly #idle = new Set<string>();
  #born = 0;

  constructor(compare: (a: string, b: string) => number) {
    this.#compare = compare;
    this.#classes = createBTree(compare);
  }

  get size(): number {
    return this.#classes.size;
  }

  /** The text's label, a new one if need be. */
  key(text: string): string {
    const { known, lower } = this.#place(text);
    if (known) return known.label;
    const label = this.#labelAfter(lower, text);
    this.#classes.set(text, { label, born: this.#born++, uses: 0 });
    this.#idle.add(text);
    return label;
  }

  /** Labels to look for, which leave no trace: that of an unknown text lies between those of its neighbours. */
  readonly seek: TextKeys = {
    key: (text) => {
      const { known, lower } = this.#place(text);
      return known?.label ?? this.#labelAfter(lower, text);
    },
  };

  /** A key was put in that holds the labels of these values. */
  retain(values: readonly Value[]): void {
    eachText(values, (text) => {
      const found = this.#classes.get(text);
      if (found && found.uses++ === 0) this.#idle.delete(text);
    });
  }

  /** Such a key was taken out; another of the same class may be on its way in. */
  release(values: readonly Value[]): void {
    eachText(values, (text) => {
      const found = this.#classes.get(text);
      if (found && --found.uses === 0) this.#idle.add(text);
    });
  }

  /** Forgets what was asked for and never put in, once it is much. Not to be called between the two. */
  tidy(): void {
    if (this.#idle.size <= IDLE_MAX) return;
    for (const text of this.#idle) if (this.#classes.get(text)?.uses === 0) this.#classes.delete(text);
    this.#idle.clear();
  }

  /** The text's own class, or else the one below it: one search for both. */
  #place(text: string): { readonly known?: Class; readonly lower?: Class } {
    const found = this.#classes.getPairOrNextLower(text);
    if (!found) return {};
    return this.#compare(found[0], text) === 0 ? { known: found[1] } : { lower: found[1] };
  }

  #labelAfter(lower: Class | undefined, text: string): string {
    const upper = this.#classes.nextHigherPair(text)?.[1];
    return labelBetween(lower?.label, upper?.label, (lower?.born ?? -1) >= (upper?.born ?? -1) ? 'lower' : 'upper');
  }
}

/** The value with the texts' keys in place of the texts, those within documents and arrays too. */
export function withTextKeys(value: Value, texts: TextKeys): Value {
  if (typeof value === 'string') return texts.key(value);
  if (value instanceof BSONSymbol) return texts.key(value.value);
  if (Array.isArray(value)) return value.map((item) => withTextKeys(item, texts));
  if (value instanceof Map) return new Map([...value].map(([name, item]) => [name, withTextKeys(item, texts)]));
  return value;
}

/** The texts of values, those within documents and arrays too. */
function eachText(values: Iterable<Value>, visit: (text: string) => void): void {
  for (const value of values) {
    if (typeof value === 'string') visit(value);
    else if (value instanceof BSONSymbol) visit(value.value);
    else if (Array.isArray(value)) eachText(value, visit);
    else if (value instanceof Map) eachText(value.values(), visit);
  }
}

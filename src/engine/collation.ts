import {
  BSONSymbol,
  type CollationSpec,
  Collator,
  type Doc,
  parseCollation,
  sameCollation,
  type Value,
} from '../bson/index.ts';
import type { QueryContext } from '../query/index.ts';

/** The collation that a collection was made with, from its options. */
export function defaultCollation(options: Doc): CollationSpec | undefined {
  const given = options.get('collation');
  return given instanceof Map ? parseCollation(given) : undefined;
}

/**
 * What a command or a statement compares by: the collation that it gives, where that says anything, or else the
 * collection's. Throws what is wrong with the one given.
 */
export function collated(context: QueryContext, given: Doc | undefined, own: CollationSpec | undefined): QueryContext {
  const collator = given && given.size > 0 ? Collator.of(given) : own && new Collator(own);
  return collator || context.collator ? { ...context, collator } : context;
}

/** Whether a query finds a value in an index where it looks for it: always where both order texts alike, else if it holds none. */
export function isFoundIn(value: Value, collator: Collator | undefined, index: Doc | undefined): boolean {
  return comparesAlike(collator, index) || !holdsText(value);
}

/** Whether a query and an index (by its collation, as it is listed) order texts alike. */
export function comparesAlike(collator: Collator | undefined, index: Doc | undefined): boolean {
  return sameCollation(collator, Collator.of(index));
}

export function holdsText(value: Value): boolean {
  if (Array.isArray(value)) return value.some(holdsText);
  if (value instanceof Map) return [...value.values()].some(holdsText);
  return typeof value === 'string' || value instanceof BSONSymbol;
}

import { Collator, type Doc, sameCollation, type TextKeys } from '../../bson/index.ts';
import { type Intervals, intersection, TEXT_HOLDERS } from '../../indexes/index.ts';
import type { Filter } from '../../query/index.ts';
import type { Choice } from './plan.ts';

/** How an index orders texts, and whether the query that is to go by it does the same. */
export interface TextOrdering {
  readonly index: Collator | undefined;
  readonly alike: boolean;
  /** How bounds on the index are made. */
  seek(): TextKeys | undefined;
}

export function textOrdering(choice: Choice, { collator }: Filter): TextOrdering {
  const index = Collator.of(choice.collation);
  return { index, alike: sameCollation(index, collator), seek: () => choice.index().seek };
}

/** Whether the fields that a sort asks for have no texts in them, which a query and an index could order differently. */
export function isTextless(sort: Doc, key: Doc, bounds: readonly { readonly intervals: Intervals }[]): boolean {
  const fields = [...key.keys()];
  return [...sort.keys()].every((path) => {
    const intervals = bounds[fields.indexOf(path)]?.intervals;
    return intervals && intersection(intervals, TEXT_HOLDERS).length === 0;
  });
}

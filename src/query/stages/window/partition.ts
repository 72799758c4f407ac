import type { Doc } from '../../../bson/index.ts';
import type { Expression } from '../../expressions/index.ts';
import type { Comparator } from '../../types.ts';
import type { Found } from '../../value.ts';

/** The documents of one partition, in their order, and the value each sorts by where that is one field. */
export interface Partition {
  readonly docs: readonly Doc[];
  readonly keys: readonly Found[];
}

/** What `sortBy` says. */
export interface SortSpec {
  readonly fields: readonly { readonly path: string; readonly direction: 1 | -1 }[];
  readonly order: Comparator;
  /** The value that a document sorts by; undefined where that is of several fields. */
  readonly key: Expression | undefined;
}

/** The values of one output field, for the documents of a partition in their order. */
export type WindowFunction = (partition: Partition) => Iterable<Found>;

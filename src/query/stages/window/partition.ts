import type { Doc } from '../../../bson/index.ts';
import type { Expression } from '../../expressions/index.ts';
import type { Comparator } from '../../types.ts';
import type { Found } from '../../value.ts';

/** What `sortBy` says. */
export interface SortSpec {
  readonly fields: readonly { readonly path: string; readonly direction: 1 | -1 }[];
  readonly order: Comparator;
  /** The value that a document sorts by; undefined where that is of several fields. */
  readonly key: Expression | undefined;
}

/**
 * A window function at work on one partition, whose documents have places from 0 on. For each place in turn it is shown
 * the next documents while it wants them and there are some, and then asked for its value.
 */
export interface Running {
  /** Of what it holds, about the bytes of BSON. */
  readonly held: number;
  wants(at: number, current: Doc): boolean;
  show(doc: Doc): void;
  value(at: number, current: Doc): Found;
}

/** The values of one output field: begins anew with each partition. */
export type WindowFunction = () => Running;

/** A function that looks at each document when its turn comes, and at no other. */
export function inTurn(begin: () => (current: Doc, at: number) => Found): WindowFunction {
  return () => {
    const tell = begin();
    let seen = 0;
    return {
      held: 0,
      wants: (at) => seen <= at,
      show: () => void seen++,
      value: (at, current) => tell(current, at),
    };
  };
}

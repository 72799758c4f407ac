import { CodedError } from '../base/index.ts';
import type { Doc } from '../bson/index.ts';
import type { OrderedIndex } from '../indexes/index.ts';
import type { IndexSpec } from './contract.ts';

/** A secondary index with what the catalog says of it. */
export interface BuiltIndex {
  readonly spec: IndexSpec;
  readonly index: OrderedIndex;
  /** False while it is being built, and where it lacks documents: writes maintain it, plans do not use it. */
  ready: boolean;
  /** Why a document that is kept is not in it. */
  refusal?: CodedError;
}

/**
 * Puts a document that is kept into an index as a collection is opened. One that the index refuses, for its rules have
 * changed since it was written, takes the index out of use, and not the collection.
 */
export function takeIn(built: BuiltIndex, recordId: number, doc: Doc): void {
  try {
    built.index.insert(recordId, doc);
  } catch (error) {
    if (!(error instanceof CodedError)) throw error;
    built.ready = false;
    built.refusal ??= error;
  }
}

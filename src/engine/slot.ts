import type { RecordRef } from '../log/index.ts';
import type { Cached } from './cache.ts';

/**
 * A document as its collection knows it, whether or not its bytes are in memory. The object lives as long as the
 * document: an update moves `record` and `index` on.
 */
export class Slot implements Cached {
  /** Given at the insert, never again used: natural order. */
  readonly recordId: number;
  /** `encodeKey` of `_id`. */
  readonly idKey: string;
  /** Where the newest version stands. */
  record: RecordRef;
  index: number;
  /** Bytes of BSON. */
  size: number;
  /** Taken out of the collection; whoever still holds the slot must pass over it. */
  deleted = false;

  kept: string | undefined = undefined;
  newer: Cached | undefined = undefined;
  older: Cached | undefined = undefined;
  visited = false;

  constructor(recordId: number, idKey: string, record: RecordRef, index: number, size: number) {
    this.recordId = recordId;
    this.idKey = idKey;
    this.record = record;
    this.index = index;
    this.size = size;
  }
}

/** A version of a document that has been superseded in memory but not yet, or only just, in Discord. */
export interface Version {
  readonly record: RecordRef;
  readonly index: number;
  /** Where they were in memory when the version was made. */
  readonly bytes: Uint8Array | undefined;
}

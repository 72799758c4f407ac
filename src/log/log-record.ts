import { assert } from '../base/index.ts';
import type { MessageId } from '../store/index.ts';
import type { MarkKey } from './mark-horizon.ts';
import type { RecordRef } from './types.ts';

/** A record as this room holds it: the reference that the engine sees, and what upkeep must know. One for each live message. */
export class LogRecord implements RecordRef {
  seq = 0;
  messageId: MessageId | undefined;
  entries = 0;
  /** As of the newest sealed record, not of entries that still wait. */
  live = 0;
  deletions = 0;
  /** Recovery found it as the last of its epoch. */
  newestOfEpoch = false;
  /** Recovery did not read what stands before it: what it keeps away may be there. */
  followsUnread = false;
  /** Older records that hold versions which entries of this one supersede. */
  #over: Set<LogRecord> | undefined;
  marks: readonly MarkKey[] | undefined;
  /** A bit for each slot that holds no newest version; undefined while every slot does, or none. */
  #stale: Uint8Array | undefined;
  /** Asked to be removed: Discord may do that long before it answers. */
  leaving = false;
  removed = false;

  /** The slots without a newest version, as a bitmap, lowest bit first; undefined while every slot has one, or none. */
  get stale(): Uint8Array | undefined {
    return this.#stale;
  }

  /** True for a slot that holds the newest version of a document. */
  isLive(slot: number): boolean {
    return this.live > 0 && (this.#stale === undefined || (this.#stale[slot >> 3]! & (1 << (slot & 7))) === 0);
  }

  /** The slot never held a newest version, or holds one no more; `live` is the caller's to count. */
  retire(slot: number): void {
    this.#stale ??= new Uint8Array(Math.ceil(this.entries / 8));
    this.#stale[slot >> 3]! |= 1 << (slot & 7);
  }

  /** No slot holds a newest version any more. */
  die(): void {
    this.#stale = undefined;
  }

  supersedes(older: LogRecord): void {
    this.#over ??= new Set();
    this.#over.add(older);
  }

  /**
   * Older records still in the channel that hold a version of a document which a later version stands in this one:
   * those superseded from here, and what they superseded in turn, where they are removed themselves.
   */
  surviving(): ReadonlySet<LogRecord> {
    const surviving = new Set<LogRecord>();
    const removed = new Set<LogRecord>();
    const open = [...(this.#over ?? [])];
    for (let record = open.pop(); record; record = open.pop()) {
      if (!record.removed) surviving.add(record);
      else if (!removed.has(record)) {
        removed.add(record);
        open.push(...(record.#over ?? []));
      }
    }
    this.#over = surviving.size > 0 ? surviving : undefined;
    return surviving;
  }
}

/** A reference that came back from the engine. */
export function asLogRecord(ref: RecordRef): LogRecord {
  assert(ref instanceof LogRecord, 'a record reference comes from the log');
  return ref;
}

import type { ChannelId, MessageId, Priority } from '../store/index.ts';

/** One change to one document. */
export interface Entry {
  readonly op: 'put' | 'delete';
  /** Given once, at the insert, and kept by every later version: natural order is the order of these. A positive safe integer. */
  readonly recordId: number;
  /** put: the whole document; delete: the BSON document `{_id}`, for people and tools (recovery goes by `recordId`). */
  readonly bytes: Uint8Array;
  /** Where the version that this one supersedes stands; absent for an insert. The bytes may be the same: then the document moves. */
  readonly previous?: Placement;
}

/** What a retryable write leaves in the record, so that its repetition is answered once, also after a crash. */
export interface RetryMark {
  /** The `id` UUID of the logical session, 16 bytes. */
  readonly lsid: Uint8Array;
  readonly txnNumber: bigint;
  readonly stmtId: number;
  /** BSON: the statement's result, as the engine wants it back. */
  readonly result: Uint8Array;
}

/**
 * A record of the log as the engine holds it: shared by all documents whose newest version stands in it, so it is kept
 * small. `seq` is 0 until the batch is sealed, `messageId` is undefined until it is durable.
 */
export interface RecordRef {
  seq: number;
  messageId: MessageId | undefined;
  /** Entries in the record. */
  entries: number;
  /** Of these, how many are the newest version of a document, as of the newest sealed record. */
  live: number;
}

/** A record that was brought back. It holds on to all of its bytes: keep copies of documents, not the views. */
export interface FetchedRecord {
  /** What it takes in memory, about. */
  readonly bytes: number;
  /** Undefined where the slot is no put. */
  document(slot: number): Uint8Array | undefined;
}

/** Where an entry came to stand. */
export interface Placement {
  readonly record: RecordRef;
  /** Index of the entry in the record. */
  readonly slot: number;
}

export interface Appended {
  /** One for each entry given, in order. */
  readonly placements: readonly Placement[];
  /** Resolves when Discord holds all of it; rejects with the `StoreError` that stopped the writer. */
  readonly durable: Promise<void>;
}

export type Append = (entries: readonly Entry[], marks?: readonly RetryMark[]) => Appended;

/** What the newest record of a channel says of the whole log up to itself. */
export interface LogSummary {
  /** Sequence of the newest record; 0 for an empty channel. */
  readonly seq: number;
  readonly epoch: number;
  /** Live documents. */
  readonly documents: number;
  /** Entries ever written that superseded or deleted something: 0 means that the log is pure inserts, in natural order. */
  readonly superseding: number;
  /** How many seconds an `_id` may be ahead of Discord's clock (`secondsAhead`); undefined where that is not known. */
  readonly ahead: number | undefined;
}

/** What recovery hands up, once for each live document, newest record first. The bytes may be kept as they are. */
export interface LiveEntry {
  readonly recordId: number;
  readonly placement: Placement;
  readonly bytes: Uint8Array;
}

/** What a walk of the whole channel found. */
export interface Scrubbed {
  readonly messages: number;
  readonly problems: readonly LogProblem[];
  /** Messages that hold newest versions, and are not there. */
  readonly missing: readonly MessageId[];
  /** Records that are not sealed as records are now. */
  readonly otherwiseSealed: number;
}

/** How many messages the log knows of in its channel. */
export interface Standing {
  /** Records that hold a newest version. */
  readonly live: number;
  /** Superseded, and not removed yet. */
  readonly garbage: number;
  /** Of these, what must go within a day, or each message would cost a request of its own. */
  readonly agingGarbage: number;
  /** Of these, what does cost a request of its own. */
  readonly tooOldGarbage: number;
  /** Of these, written after the newest checkpoint. */
  readonly garbageSinceCheckpoint: number;
}

/** Something in a channel that should not be there, or is missing. Said loudly, never guessed away. */
export interface LogProblem {
  readonly kind: 'gap' | 'foreign' | 'checksum' | 'blank' | 'epoch' | 'live-set';
  readonly messageId: MessageId | undefined;
  readonly fromSeq: number;
  readonly toSeq: number;
  readonly text: string;
}

export interface Recovered {
  readonly summary: LogSummary;
  /** Above every recordId seen. */
  readonly nextRecordId: number;
  /** Those that a client may still ask for: of the last 30 minutes. */
  readonly marks: readonly RetryMark[];
  readonly problems: readonly LogProblem[];
}

/**
 * One channel's log. Made by `openLog(...)`; nothing is read until asked for. `append` may be called only after
 * `recover` (or after `startEmpty` for a channel just made).
 */
export interface Log {
  readonly channel: ChannelId;
  /** Reads the newest page (one request, kept for `recover`) and says what its newest record says. */
  summary(): Promise<LogSummary>;
  /** Reads the channel and hands each live entry to `visit`. The log knows its live records afterwards. */
  /**
   * With `restart` it begins at the newest checkpoint that is whole; where the rest of the channel does not bear that
   * out, `restart` is called, and all entries are handed up anew, from the whole channel.
   */
  recover(visit: (entry: LiveEntry) => void, restart?: () => void): Promise<Recovered>;
  startEmpty(): void;
  /**
   * The oldest puts of a log that is pure inserts (`summary().superseding === 0`), in natural order, page by page
   * (100 messages each, one page ahead), without the directory.
   */
  scanOldest(): AsyncIterable<LiveEntry[]>;
  /**
   * As `scanOldest`, but of messages that hold no `_id` of ObjectId(`seconds`, in Unix time) or above some may be left
   * out. Only where `summary().ahead` is known.
   */
  scanIdsFrom(seconds: number): AsyncIterable<LiveEntry[]>;
  /** As `scanOldest`, newest first: for `sort({$natural: -1})`. */
  scanNewest(): AsyncIterable<LiveEntry[]>;
  /** Joins the open batch, at once; the record leaves when the channel's bucket has room. A group goes out in one record while it fits. */
  append(entries: readonly Entry[], marks?: readonly RetryMark[]): Appended;
  /**
   * Resolves when everything appended so far is durable and a record of this epoch stands in the channel, so that what a
   * former owner still has on its way, and `recover` did not find, can no longer come to count. For answers that rest on
   * what is not there.
   */
  fence(): Promise<void>;
  /**
   * One record for upkeep: `compose` is called at the moment when it may leave, and appends, in that step alone, what is
   * to go along; all of it fits in one record. Records of clients go first, but for a reserved share. Resolves when it is
   * durable; rejects with the `StoreError` that stopped the writer.
   */
  appendLast(compose: (append: Append) => void): Promise<void>;
  /**
   * Writes down, as a record of upkeep, all that the log knows of its channel, so that the next recovery need not read
   * what is older. Two are kept. Resolves with false where not everything is known, or where it would be too long.
   */
  checkpoint(): Promise<boolean>;
  /** Resolves when the queue has room for more bytes (backpressure); at once mostly. */
  room(): Promise<void>;
  /**
   * Brings records back, in no certain order: one GET each, or a page for those that stand close together, and the CDN
   * where they have files. A record that was removed meanwhile is left out; one that is lost throws a `StoreError`.
   */
  fetch(records: readonly RecordRef[], priority?: Priority): AsyncIterable<readonly [RecordRef, FetchedRecord]>;
  /** Resolves when everything appended so far is durable. */
  flush(): Promise<void>;
  /** Deletes what is superseded, as far as that is safe now, and cheap: of what is too old to go in bulk only some. Upkeep calls it by itself when 100 have gathered. */
  clean(): Promise<void>;
  /** Walks the whole channel in spare budget. Undefined when `goesOn` ended it. */
  scrub(goesOn: () => boolean): Promise<Scrubbed | undefined>;
  /** No request. */
  standing(): Standing;
  /** Flushes, then refuses everything. */
  close(): Promise<void>;
}

import type { Doc, Value } from '../bson/index.ts';
import type { Limits, QueryContext } from '../query/index.ts';

export interface Namespace {
  readonly db: string;
  readonly coll: string;
}

export interface IndexSpec {
  readonly name: string;
  readonly key: Doc;
  /** No two documents may come to have a key in common; with `prepareUnique` some may have one from before. */
  readonly unique: boolean;
  /** The index as `listIndexes` shows it: `v`, `key`, `name`, and every option given. */
  readonly spec: Doc;
}

export interface CollectionInfo {
  readonly ns: Namespace;
  /** 16 bytes, subtype 4. */
  readonly uuid: Uint8Array;
  /** The options of `create`, as given, but for `collation`, which has every option. */
  readonly options: Doc;
  readonly indexes: readonly IndexSpec[];
}

/** What collMod asks for; what is absent stays as it is. */
export interface CollectionChange {
  readonly options: { readonly validator?: Doc; readonly validationLevel?: string; readonly validationAction?: string };
  readonly index: IndexChange | undefined;
  /** Of a clustered collection. */
  readonly expireAfterSeconds: number | 'off' | undefined;
  readonly capped: { readonly size: number | undefined; readonly max: number | undefined } | undefined;
  /** Of a view. */
  readonly view: { readonly on: string | undefined; readonly pipeline: readonly Doc[] | undefined } | undefined;
  /** Whether it could be, and nothing more. */
  readonly dryRun: boolean;
}

/** One index by name or key, and what is to change about it. */
export interface IndexChange {
  readonly name: string | undefined;
  readonly key: Doc | undefined;
  readonly expireAfterSeconds: number | undefined;
  readonly hidden: boolean | undefined;
  readonly unique: boolean | undefined;
  readonly prepareUnique: boolean | undefined;
}

/** How often queries went by an index since a time: its making, or the start of the process. */
export interface IndexUse {
  readonly ops: number;
  readonly since: Date;
}

export interface CollectionStats {
  readonly count: number;
  /** Bytes of BSON in all documents. */
  readonly size: number;
  readonly indexSizes: ReadonlyMap<string, number>;
  readonly indexKeys: ReadonlyMap<string, number>;
  /** Bytes of documents held in memory. */
  readonly cached: number;
}

/** What reading a view comes to. */
export interface ResolvedView {
  /** The collection that it stands on, which need not exist. */
  readonly ns: Namespace;
  /** What makes the view of it; begins with `$documents` where there is no collection. */
  readonly pipeline: readonly Doc[];
  /** What it compares by, whatever that collection does. */
  readonly collation: Doc;
}

/** What the monitor of expiring documents has done since the start. */
export interface TtlStatus {
  readonly passes: number;
  readonly deletedDocuments: number;
}

/** The monitor of expiring documents. */
export interface TtlControl {
  enabled: boolean;
  /** Between the beginnings of two passes; a change counts from now on. */
  sleepSeconds: number;
  readonly status: TtlStatus;
}

/** How a statement that may be repeated is known; absent where the client did not ask for retryable writes. */
export interface RetryIdentity {
  /** The session's UUID, 16 bytes. */
  readonly lsid: Uint8Array;
  readonly txnNumber: bigint;
  /** `stmtId` of statement 0; statement i has `stmtIds[i]`, or `stmtIds[0] + i` when one is given, or i. */
  readonly stmtIds: readonly number[];
}

export interface WriteOptions {
  readonly ordered: boolean;
  readonly retry?: RetryIdentity | undefined;
  readonly context: QueryContext;
  /** Documents need not please the collection's validator. */
  readonly bypassValidation?: boolean | undefined;
  /** Aborts the part not yet done: maxTimeMS, killOp, a closed connection never. */
  readonly signal?: AbortSignal | undefined;
}

/** A statement that failed: what becomes an element of `writeErrors`. `error` is mostly a `CodedError`. */
export interface StatementError {
  readonly index: number;
  readonly error: Error;
}

export interface WriteResult {
  /** Inserted, matched or deleted documents, as the command's `n` counts them (an upsert counts 1). */
  readonly n: number;
  readonly nModified: number;
  readonly upserted: readonly { readonly index: number; readonly id: Value }[];
  readonly errors: readonly StatementError[];
  /** Statement ids that were answered from an earlier execution. */
  readonly retriedStmtIds: readonly number[];
  /** Resolves when Discord holds every write of the result; rejects with a `StoreError` when it never will. */
  readonly durable: Promise<void>;
}

export interface UpdateStatement {
  readonly filter: Doc;
  /** Operators or a replacement; an array is a pipeline. */
  readonly update: Doc | Doc[];
  /** Variables of a pipeline, as the values that they are. */
  readonly constants?: Doc | undefined;
  readonly multi: boolean;
  readonly upsert: boolean;
  readonly arrayFilters?: readonly Doc[] | undefined;
  readonly sort?: Doc | undefined;
  readonly hint?: string | Doc | undefined;
  /** As the client gave it; absent or empty is the collection's own. */
  readonly collation?: Doc | undefined;
}

export interface DeleteStatement {
  readonly filter: Doc;
  /** 0 is all, 1 is the first. */
  readonly limit: 0 | 1;
  readonly hint?: string | Doc | undefined;
  readonly collation?: Doc | undefined;
}

/** One operation of a `bulkWrite`. */
export type BulkOperation =
  | { readonly kind: 'insert'; readonly document: Uint8Array }
  | ({ readonly kind: 'update' } & UpdateStatement)
  | ({ readonly kind: 'delete' } & DeleteStatement);

export interface BulkResult {
  /** What each operation did, in order; with `ordered` up to the first that failed. */
  readonly outcomes: readonly BulkOutcome[];
  readonly retriedStmtIds: readonly number[];
  /** As that of a `WriteResult`. */
  readonly durable: Promise<void>;
}

/** `n` is what it inserted, matched or deleted; `error` is set where it failed, and then it counts for nothing. */
export interface BulkOutcome {
  readonly n: number;
  readonly nModified: number;
  readonly upserted?: { readonly id: Value };
  readonly error?: Error;
}

export interface FindAndModify {
  readonly filter: Doc;
  readonly sort?: Doc | undefined;
  readonly fields?: Doc | undefined;
  readonly hint?: string | Doc | undefined;
  readonly collation?: Doc | undefined;
  readonly arrayFilters?: readonly Doc[] | undefined;
  /** Absent: remove. */
  readonly update?: Doc | Doc[] | undefined;
  readonly upsert: boolean;
  /** Return the document as it is afterwards. */
  readonly returnNew: boolean;
}

export interface FindAndModifyResult {
  /** Encoded; null when there is none to return. */
  readonly value: Uint8Array | null;
  readonly n: 0 | 1;
  /** Only for updates. */
  readonly updatedExisting: boolean;
  readonly upsertedId?: Value;
  readonly durable: Promise<void>;
}

export interface FindQuery {
  /** False: a sort of more than 100 MB fails. Otherwise it holds in memory what it must. */
  readonly allowDiskUse?: boolean | undefined;
  readonly filter: Doc;
  readonly projection?: Doc | undefined;
  readonly sort?: Doc | undefined;
  readonly skip: number;
  /** 0 is no limit. */
  readonly limit: number;
  readonly hint?: string | Doc | undefined;
  /** As the client gave it; absent or empty is the collection's own. The engine puts it into the context. */
  readonly collation?: Doc | undefined;
  readonly min?: Doc | undefined;
  readonly max?: Doc | undefined;
  readonly returnKey?: boolean | undefined;
  /** The cursor stays at the end of a capped collection, and goes on with what comes. */
  readonly tailable?: boolean | undefined;
  readonly showRecordId?: boolean | undefined;
  /** The dotted paths that are looked at, where these are not all: what an index tells of them will do. */
  readonly paths?: ReadonlySet<string> | undefined;
  /** Only which values there are at this path is asked: what shows one that was shown before may be left out. */
  readonly distinct?: string | undefined;
  /** With `distinct`: of what shows one value, the first in this order is wanted; absent: any. */
  readonly firstBy?: Doc | undefined;
  /** Any so many of the matches will do: documents are looked at at random, where nothing but them tells what matches. */
  readonly sample?: number | undefined;
  /** `durable` sees only what Discord holds (`majority`, `linearizable`, `snapshot`). */
  readonly read: 'local' | 'durable';
  readonly context: QueryContext;
}

/** What the caller knows of that a stage can begin a pipeline with, by the stage's name. Throws for a bad specification. */
export type PipelineSources = Readonly<Record<string, (spec: Value, ns: Namespace) => () => readonly Doc[]>>;

export type AggregateOptions = Pick<FindQuery, 'allowDiskUse' | 'read' | 'context' | 'hint' | 'collation'> &
  Pick<WriteOptions, 'bypassValidation'> & { readonly sources?: PipelineSources | undefined };

/** A pull stream of encoded documents, in the query's order. Holds at most one batch of its own. */
export interface DocCursor {
  /** Up to `maxDocs` documents of at most `maxBytes` together (at least one, if there is one). */
  next(maxDocs: number, maxBytes: number, signal?: AbortSignal): Promise<Uint8Array[]>;
  /** True once nothing is left; may turn true only with the `next` that returns nothing more. */
  readonly exhausted: boolean;
  /** Of a tailable cursor: resolves when there may be more than the last `next` saw. */
  changed?(): Promise<void>;
  close(): void;
}

/** What becomes of the documents that an explained query finds. */
export type Explained =
  | { readonly kind: 'find' | 'count' | 'delete' }
  | { readonly kind: 'update'; readonly statement: UpdateStatement };

export type Verbosity = 'queryPlanner' | 'executionStats' | 'allPlansExecution';

/** An entry of an index that is not as its document has it. */
export interface IndexFault {
  readonly index: string;
  readonly recordId: number;
  /** The document's `_id`, where there is a document. */
  readonly id?: Value;
  /** The key's values by the fields of the index, where they are known. */
  readonly key?: Doc;
}

export interface IndexFaults {
  readonly missing: readonly IndexFault[];
  readonly extra: readonly IndexFault[];
}

/** Everything that commands may ask. Errors are `CodedError` (the client's fault) or `StoreError` (Discord's). */
export interface Engine {
  /** Names that are `db` with the collections in it; DiscoDB's own are not listed. No request. */
  databases(): readonly string[];
  collections(db: string): readonly CollectionInfo[];
  /** Undefined for a view as well. */
  collection(ns: Namespace): CollectionInfo | undefined;
  /** The views of a database; their options are `viewOn`, `pipeline` and perhaps `collation`. */
  views(db: string): readonly CollectionInfo[];
  /** What reading this namespace comes to; undefined where it is no view. */
  resolveView(ns: Namespace): ResolvedView | undefined;
  /** Reads the collection where that has not been done. */
  stats(ns: Namespace): Promise<CollectionStats>;
  /** Reads every document, and compares the indexes with them. */
  checkIndexes(ns: Namespace): Promise<IndexFaults>;
  /** By the names of the indexes; empty where there is no collection. */
  indexUses(ns: Namespace): ReadonlyMap<string, IndexUse>;
  /** Bytes of the documents, as far as that is known without a request: 0 before the collection is read. */
  loadedSize(ns: Namespace): number;

  /** NamespaceExists when it exists with other options; nothing when the same. Throws for options that cannot be. */
  createCollection(ns: Namespace, options: Doc): Promise<void>;
  /** Returns what the reply tells of the change. */
  modifyCollection(ns: Namespace, change: CollectionChange): Promise<Doc>;
  /** The collection that was dropped; undefined when there was none. */
  dropCollection(ns: Namespace): Promise<CollectionInfo | undefined>;
  dropDatabase(db: string): Promise<void>;
  renameCollection(from: Namespace, to: Namespace, dropTarget: boolean): Promise<void>;
  /** `specs` as in the command, each with `key` and `name`. */
  createIndexes(
    ns: Namespace,
    specs: readonly Doc[],
  ): Promise<{ before: number; after: number; createdCollection: boolean }>;
  /** A name, `*`, a list of names, or a key. Returns the count before. */
  dropIndexes(ns: Namespace, which: string | readonly string[] | Doc): Promise<number>;

  /** Caps a collection: the oldest documents go, and all indexes but that on `_id`. `size` is in bytes. */
  convertToCapped(ns: Namespace, size: number): Promise<void>;

  /** Writes a collection anew in another channel, and drops the old one. False where clients left no moment for it. */
  compact(ns: Namespace): Promise<boolean>;

  /** `docs` are encoded; a missing `_id` is added in front, an `_id` elsewhere moves to the front. */
  insert(ns: Namespace, docs: readonly Uint8Array[], options: WriteOptions): Promise<WriteResult>;
  update(ns: Namespace, statements: readonly UpdateStatement[], options: WriteOptions): Promise<WriteResult>;
  delete(ns: Namespace, statements: readonly DeleteStatement[], options: WriteOptions): Promise<WriteResult>;
  /** Operations of all kinds on one collection: as far as nothing must be fetched for them, one commit. */
  bulkWrite(ns: Namespace, operations: readonly BulkOperation[], options: WriteOptions): Promise<BulkResult>;
  findAndModify(ns: Namespace, statement: FindAndModify, options: WriteOptions): Promise<FindAndModifyResult>;

  find(ns: Namespace, query: FindQuery): Promise<DocCursor>;
  /** Matching documents, after skip and limit. An empty filter costs no read. */
  count(ns: Namespace, query: FindQuery): Promise<number>;
  /** Distinct values of a dotted path, arrays taken apart, in order of first appearance. */
  distinct(ns: Namespace, path: string, query: FindQuery): Promise<Value[]>;
  aggregate(ns: Namespace, pipeline: readonly Doc[], query: AggregateOptions): Promise<DocCursor>;
  /** MongoDB's `queryPlanner` and, from `executionStats` on, `executionStats`. Changes nothing. */
  explain(ns: Namespace, query: FindQuery, explained: Explained, verbosity: Verbosity): Promise<Doc>;
  /** The same of a pipeline: its stages with what each has done, writing nothing. */
  explainPipeline(ns: Namespace, pipeline: readonly Doc[], query: AggregateOptions, verbosity: Verbosity): Promise<Doc>;

  /** Resolves when Discord holds all that was written before; tells how many collections that was about. */
  flush(): Promise<number>;

  /** Numbers for `serverStatus().discodb`. */
  status(): Doc;
  /** Packing, checkpoints and the like are held back while true; what is under way ends. */
  upkeepPaused: boolean;
  readonly ttl: TtlControl;
  /** What queries may hold in memory, from the next one on. */
  readonly limits: Limits;
  /** Whether queries that do not say may use temporary files. */
  allowDiskUseByDefault: boolean;
  /** Finishes what was taken, then refuses. */
  close(): Promise<void>;
}

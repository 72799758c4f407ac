import type { Scratch } from '../base/index.ts';
import type { Collator, Doc, KeptDoc, ObjectId, Timestamp, Value } from '../bson/index.ts';
import type { Near } from '../geo/index.ts';
import type { TextDefinition, TextSearch } from '../text/index.ts';
import type { Limits } from './limits.ts';
import type { Found } from './value.ts';

/** What a command gives along with its query. */
export interface QueryContext {
  /** `let` of the command, already evaluated; names without `$$`. */
  readonly variables?: ReadonlyMap<string, Found> | undefined;
  /** `$$NOW`. */
  readonly now: Date;
  /** `$$CLUSTER_TIME`. */
  readonly clusterTime?: Timestamp;
  /** The order of strings; without one, that of code points. */
  readonly collator?: Collator | undefined;
  /** What `$text` searches. Absent where nothing can be; throws IndexNotFound where the collection has no text index. */
  readonly textIndex?: () => TextDefinition;
  /** What `$meta` can ask for; absent is nothing. */
  readonly metadata?: ReadonlySet<keyof Metadata>;
  /** What may be held in memory; absent: what MongoDB holds. */
  readonly limits?: Readonly<Limits> | undefined;
  /** Timestamps of zeros are stored as they are (`bypassEmptyTsReplacement`). */
  readonly keepsEmptyTimestamps?: boolean | undefined;
  /** A double in [0, 1), for `$rand`, `$sample`, `$sampleRate`. */
  readonly random: () => number;
  /** Where a filter may ask for documents by distance: what it asks for is put here. Absent where it may not. */
  readonly nears?: NearPredicate[];
}

/** What a filter asks for by distance. */
export interface NearPredicate {
  readonly path: string;
  readonly near: Near;
}

/** A compiled filter. Compilation throws `CodedError` for what MongoDB refuses; matching never throws for a document's shape. */
export interface Filter {
  readonly source: Doc;
  readonly collator: Collator | undefined;
  /** Its `$text`: then the text index is the only way to its documents. */
  readonly text: TextSearch | undefined;
  /** What `$meta` can ask for of its matches. */
  readonly metadata: ReadonlySet<keyof Metadata>;
  /** The top-level fields that decide: a document of these alone matches as the whole one does. Undefined: perhaps all. */
  readonly fields: ReadonlySet<string> | undefined;
  matches(doc: Doc | KeptDoc): boolean;
  /** Index of the array element that the positional operator `$` stands for in a document that matches. */
  positional(doc: Doc | KeptDoc): number | undefined;
  /** Set where the matches are to come nearest first; an index must find them. */
  readonly near: NearPredicate | undefined;
}

/** A compiled update: operators, replacement, or pipeline. */
export interface Updater {
  readonly kind: 'operators' | 'replacement' | 'pipeline';
  /**
   * The new document, or the same object when nothing changes. Never changes its argument. `_id` cannot change
   * (ImmutableField). `positional` tells what the filter does of the document; `inserting` makes `$setOnInsert` count.
   */
  apply(doc: Doc, options: { positional?: (() => number | undefined) | undefined; inserting?: boolean }): Doc;
}

/** What is known of a document on its way through a query beside its fields: what `$meta` can ask for. */
export interface Metadata {
  readonly textScore?: number | undefined;
  /** In the unit of the index: metres for GeoJSON, else degrees or radians. */
  readonly geoNearDistance?: number | undefined;
  /** The point of the document that was the nearest. */
  readonly geoNearPoint?: Value;
  /** A long. */
  readonly recordId?: bigint | undefined;
  /** The key by which the document was found, by the fields of its index. */
  readonly indexKey?: Doc | undefined;
  /** What the document was sorted by, a value for each field of the sort. */
  readonly sortKey?: Value[] | undefined;
}

/** What is known of every document, where somebody asks for it. */
export type Told = 'recordId' | 'indexKey' | 'sortKey';

/**
 * Compares two documents by a sort specification, in BSON order, arrays by their least or greatest element. The metadata
 * is that of the two, for keys such as `{$meta: 'textScore'}`.
 */
export type Comparator = (left: Doc, right: Doc, leftMeta?: Metadata, rightMeta?: Metadata) => number;

/** Another collection as stages see it. */
export interface Foreign {
  /** As that of a context. */
  readonly textIndex?: () => TextDefinition;
  /** What all pipelines on it have done, in the fields of `$lookup`; counted where `explained` is set. */
  figures(): Doc;
  /** What a pipeline on it gives; what stands in front of it goes down to indexes. */
  run(stages: readonly Doc[], context: PipelineContext): AsyncIterable<Doc[]>;
  /** Where an index answers what a path is equal to: how many documents there are. */
  indexed(path: string): Promise<{ readonly documents: number } | undefined>;
}

/** How `$merge` writes; everything is said. */
export interface MergeSpec {
  readonly into: { readonly db: string; readonly coll: string };
  /** Paths that find the document of the target. */
  readonly on: readonly string[];
  readonly whenMatched: 'replace' | 'keepExisting' | 'merge' | 'fail' | readonly Doc[];
  readonly whenNotMatched: 'insert' | 'discard' | 'fail';
}

export interface MergeTarget {
  write(items: readonly MergeItem[]): Promise<void>;
  /** Resolves when all of it will stay. */
  durable(): Promise<void>;
}

/** One document for `$merge`. */
export interface MergeItem {
  readonly doc: Doc;
  /** The values of `on`. */
  readonly key: Doc;
  /** What the pipeline of `whenMatched` knows, `new` included. */
  readonly variables: ReadonlyMap<string, Found>;
}

/** What `$geoNear` asks for. */
export interface GeoNear {
  /** The path that it measures; undefined: that of the one index that can. */
  readonly key: string | undefined;
  /** The filter, once the path is known. */
  filter(path: string): Doc;
  /** A match with its distance, and what else was asked for. */
  add(doc: Doc, meta: Metadata): Doc;
}

/** What stages need of the world outside the pipeline. */
export interface PipelineContext extends QueryContext {
  /** Somebody asks what the stages have done: what costs time to know is counted as well. */
  readonly explained?: boolean | undefined;
  /** What sorted documents carry beside them: some stage asks for it. */
  readonly sortKeys?: boolean;
  /** False: blocking stages fail beyond their limits. */
  readonly allowDiskUse?: boolean | undefined;
  /** Where blocking stages put what they may not hold; undefined: they hold it. */
  readonly scratch?: Scratch | undefined;
  /** How many pipelines this one is within. */
  readonly depth?: number;
  readonly db: string;
  readonly collection: string;
  /** Another collection of the same database, for `$lookup`, `$unionWith`, `$graphLookup`. */
  foreign(collection: string): Foreign;
  /** The documents of the collection, nearest first, for `$geoNear`. Rejects where no index tells. */
  nearest(asked: GeoNear, context: PipelineContext): Promise<AsyncIterable<Doc[]>>;
  /** `$out`: the collection's new content, at once. */
  replaceCollection(db: string, collection: string, docs: Doc[]): Promise<void>;
  /** `$merge`: checks the target, and gives what writes to it. */
  mergeInto(spec: MergeSpec): MergeTarget;
  /** An ObjectId for a document without `_id`. */
  newId(): ObjectId;
  /** `$collStats`, `$indexStats`, `$currentOp`: what gives the documents that the stage starts the pipeline with. */
  source(stage: string, spec: Value): () => Promise<readonly Doc[]>;
}

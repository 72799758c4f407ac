import type { ArrayParts, Doc } from '../../bson/index.ts';
import type { OrderedIndex } from '../../indexes/index.ts';
import type { Filter, FilterNode, Metadata } from '../../query/index.ts';
import type { Collection } from '../collection.ts';
import type { Slot } from '../slot.ts';
import type { Condition } from './condition.ts';
import type { Covering } from './covering.ts';

/** A way to the candidates of a query. Whoever follows it filters again, unless it is `exact`. */
export interface Plan {
  /** The stage that finds candidates, by MongoDB's name. */
  readonly stage: string;
  /** The candidates come in the order asked for: that of the query's sort, or `order` where the query has none. */
  readonly sorted: boolean;
  /** Every candidate matches at the moment when it is given: its newest version does, not one that is read later. */
  readonly exact: boolean;
  /** Each candidate once. The collection may change between two of them. */
  slots(): Iterable<Slot>;
  /** How its index stands in for documents of which only these paths are asked for; absent or undefined: it does not. */
  covering?(paths: ReadonlySet<string>): Covering | undefined;
  /**
   * As `slots`, for an `order` by distance: what is near first, so that whoever has enough need not go through the rest.
   * Absent: there is no way to tell what is near.
   */
  rings?(): Iterable<Ring>;
  /**
   * As `slots`, with the key that leads to each. There where `covering` is. What begins with as much of a key as `skip` says
   * is passed over.
   */
  entries?(skip?: (key: string) => number | undefined): Iterable<{ readonly slot: Slot; readonly key: string }>;
  /** As `explain` shows it; with `ran`, what its stages did when `slots` was last gone through. */
  describe(ran?: Ran): Doc;
  /** As `explain` shows it where no document is asked, for each entry or each value. */
  describeCovered?(stage: 'IXSCAN' | 'DISTINCT_SCAN', ran?: Ran): Doc;
  /** As `explain` shows it where its candidates are only counted; of use where it is `exact`. */
  describeCount?(ran?: Ran): Doc;
  /** The key that leads to a match, for `returnKey`; absent: there is none. */
  indexKey?(doc: Doc): Doc | undefined;
  /** Keys that were looked at when `slots` was last gone through; absent: one for each candidate. */
  readonly keysExamined?: number;
  /**
   * What the plan knows of a match beside its document: what `$meta` shows and sorts by. A function of the document alone
   * (and of the query), for a durable read shows other versions than those in the index.
   */
  meta?(doc: Doc): Metadata;
  /** The order that the plan itself asks for, where the query has no sort: `$near` gives the nearest first. */
  order?(left: Metadata, right: Metadata): number;
}

/** Candidates of a plan that goes outwards from a point; each is in one ring only. */
export interface Ring {
  readonly slots: Iterable<Slot>;
  /** Every candidate whose `geoNearDistance` is at most this is in this ring or one before it. */
  readonly reached: number;
}

/** What became of a plan's candidates. */
export interface Ran {
  readonly docsExamined: number;
  /** Documents that matched. */
  readonly matched: number;
}

export interface PlanRequest {
  readonly sort?: Doc | undefined;
  readonly hint?: string | Doc | undefined;
  readonly skip?: number;
  /** 0 or absent is no limit. */
  readonly limit?: number;
  /** Keys of the hinted index, from which on, and up to which, it is looked at. */
  readonly min?: Doc | undefined;
  readonly max?: Doc | undefined;
}

/** An index that a query may go by. */
export interface Choice {
  readonly name: string;
  readonly key: Doc;
  readonly spec: Doc;
  /** As it is listed; absent: it orders texts by code points. */
  readonly collation: Doc | undefined;
  /** Where it has been given arrays (`OrderedIndex.arrays`). */
  readonly arrays: ArrayParts | undefined;
  /** A document has several keys in it, even without arrays. */
  readonly several?: boolean;
  /** Of the kind that `kindOf(key)` names. Called by whoever scans it: that of `_id` is built when first asked for. */
  readonly index: () => OrderedIndex;
}

/** A query as access paths see it. */
export interface PlanQuery {
  readonly collection: Collection;
  readonly filter: Filter;
  /** What the filter demands: all of these. */
  readonly conjuncts: readonly FilterNode[];
  /** The conditions on paths among them. */
  readonly conditions: readonly Condition[];
  /** Absent: none asked for. Never `$natural`. */
  readonly sort: Doc | undefined;
  /** How many matches are wanted, skipped ones included; infinity for all. */
  readonly wanted: number;
  /** The indexes that may be used: the hinted one alone, or all that are built and not hidden. */
  readonly choices: readonly Choice[];
  /** `choices` is the one that the client asked for. */
  readonly hinted: boolean;
}

export interface Offer {
  readonly plan: Plan;
  /**
   * How much of the query it answers; 0 is nothing, and the offer with the greatest number wins, of equal ones the first.
   * `Number.POSITIVE_INFINITY` where the query has no other way, as `$text` and `$near` have none.
   */
  readonly score: number;
  /** Plans that were weighed against it, for `explain`. */
  readonly rejected?: readonly Plan[];
}

/**
 * A way to go by some kind of index, or by some kind of predicate. One is one file in this folder and one row in
 * `planner.ts`.
 */
export interface AccessPath {
  /**
   * The plans for a query, none where it has none of this path's predicates, or no index that answers them. Throws what
   * MongoDB says where a predicate needs an index and there is none.
   */
  offers(query: PlanQuery): readonly Offer[];
}

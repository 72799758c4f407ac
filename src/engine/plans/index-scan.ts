import type { Doc, TextKeys, Value } from '../../bson/index.ts';
import {
  type IndexEntry,
  type Interval,
  type Intervals,
  interval,
  isDescending,
  isEverything,
  isPoint,
  type KeyRange,
  keyPrefix,
  keyRange,
  keysOf,
  showIntervals,
} from '../../indexes/index.ts';
import type { FieldBounds } from './assign.ts';
import { PATH_FIELD } from './condition.ts';
import { LaterBounds } from './later-bounds.ts';
import type { Choice } from './plan.ts';
import { type StageWork, stageDoc } from './stage.ts';

/** More scans than this for the values of several fields together are not worth a search each. */
const MAX_SCANS = 4096;

/** Scans that give their entries in order, one after the other; they share the beginning of their keys. */
interface Stream {
  readonly prefix: number;
  readonly ranges: readonly KeyRange[];
}

/** A stretch of an index that the client names by its ends. */
export interface NamedStretch {
  readonly range: KeyRange;
  readonly startKey: Doc;
  readonly endKey: Doc;
}

/** The stretches of an index that bounds ask for, and going through them. */
export class IndexScan {
  readonly choice: Choice;
  /** Of each field. */
  readonly bounds: readonly Intervals[];
  /** How many fields in front are bounded by single values only. */
  readonly points: number;
  /** The fields whose bounds make the stretches that are scanned: `points`, and one more where that is bounded too. */
  readonly bounded: number;
  /** The field whose bounds are looser than was asked for, if there is one. */
  readonly loose: number | undefined;
  keysExamined = 0;
  seeks = 0;
  dupsTested = 0;
  dupsDropped = 0;
  advanced = 0;
  readonly #descending: readonly boolean[];
  readonly #multikey: boolean;
  readonly #named: NamedStretch | undefined;
  #direction: 1 | -1 = 1;
  #merged = 0;
  #skip: ((key: string) => number | undefined) | undefined;

  constructor(choice: Choice, bounds: readonly FieldBounds[], named?: NamedStretch) {
    this.choice = choice;
    this.#named = named;
    this.#descending = [...choice.key.values()].map(isDescending);
    this.#multikey = choice.arrays !== undefined;
    const intervals = bounds.map((each) => each.intervals);
    const { points, scans } = pointFields(intervals);
    this.points = points;
    const next = intervals[points];
    this.bounded = next && !isEverything(next) ? points + 1 : points;
    this.loose = next !== undefined && points > 0 && scans * next.length > MAX_SCANS ? points : undefined;
    this.bounds = intervals.map((each, field) => (field === this.loose ? hull(each) : each));
  }

  /** Goes backwards, or merges the scans for the values of the first fields: what `indexOrder` says. */
  inOrder({ direction, merged }: { direction: 1 | -1; merged: number }): void {
    this.#direction = direction;
    this.#merged = merged;
  }

  /** Whether the order comes from merging. */
  get merges(): boolean {
    return this.#merged > 0;
  }

  /** Counts entries, up to `limit`, to compare scans by. */
  count(limit: number): number {
    const before = this.keysExamined;
    for (const _ of this.#concatenated(this.#streams(0))) if (this.keysExamined - before >= limit) break;
    return this.keysExamined - before;
  }

  /**
   * The entries in order; of a multikey index each record once. `skip` says of how much of a key one entry is enough;
   * undefined: of each an own.
   */
  *entries(skip?: (key: string) => number | undefined): Generator<IndexEntry> {
    this.#skip = skip;
    this.keysExamined = this.seeks = this.dupsTested = this.dupsDropped = this.advanced = 0;
    const streams = this.#streams(this.#merged);
    const all = this.#merged > 0 ? this.#mergedEntries(streams) : this.#concatenated(streams);
    if (!this.#multikey && !this.choice.several) {
      for (const entry of all) {
        this.advanced++;
        yield entry;
      }
      return;
    }
    const seen = new Set<number>();
    for (const entry of all) {
      this.dupsTested++;
      if (seen.has(entry.recordId)) {
        this.dupsDropped++;
        continue;
      }
      seen.add(entry.recordId);
      this.advanced++;
      yield entry;
    }
  }

  /** Of a document's keys the one that leads to it: the first within the bounds, by the names of the index's fields. */
  keyOf(doc: Doc): Doc | undefined {
    const index = this.choice.index();
    const ranges = this.#streams(0).flatMap((stream) => stream.ranges);
    const later = this.#later();
    const keys = index
      .prepare(doc)
      .keys.filter(({ key }) => ranges.some((range) => isWithin(key, range)) && !later.check(key, false));
    const first = keys.reduce<(typeof keys)[number] | undefined>(
      (best, next) => (!best || next.key < best.key === (this.#direction === 1) ? next : best),
      undefined,
    );
    return first && new Map([...index.pattern.keys()].map((path, field) => [path, first.values[field]]));
  }

  /** As `explain` shows it; `ran` adds what it did. */
  describe(ran: boolean, stage: 'IXSCAN' | 'DISTINCT_SCAN' = 'IXSCAN'): Doc {
    const paths = [...this.choice.key.keys()];
    return stageDoc(stage, {
      work: this.#work(ran),
      fields: {
        ...this.#describeIndex(),
        direction: this.#direction === 1 ? 'forward' : 'backward',
        indexBounds: this.#showStretch() ?? new Map(paths.map((path, field) => [path, this.#showBounds(field)])),
        ...(ran && { keysExamined: this.keysExamined }),
        ...(ran &&
          stage === 'IXSCAN' && {
            seeks: this.seeks,
            dupsTested: this.dupsTested,
            dupsDropped: this.dupsDropped,
          }),
      },
    });
  }

  /** The same where its entries are only counted. Counting goes from one key to another one: in several stretches it is a scan. */
  describeCount(ran: boolean): Doc {
    const ends = this.bounds.map(([only, more]) => (more ? undefined : only));
    if (!ends.every((each) => each !== undefined) || !this.#later().none) return this.describe(ran);
    const paths = [...this.choice.key.keys()];
    const end = (of: (each: Interval) => Value) => new Map(ends.map((each, field) => [paths[field]!, of(each)]));
    return stageDoc('COUNT_SCAN', {
      work: this.#work(ran),
      fields: {
        ...this.#describeIndex(),
        indexBounds: {
          startKey: end(({ low }) => low),
          startKeyInclusive: ends.every(({ lowInclusive }) => lowInclusive),
          endKey: end(({ high }) => high),
          endKeyInclusive: ends.every(({ highInclusive }) => highInclusive),
        },
        ...(ran && { keysExamined: this.keysExamined }),
      },
    });
  }

  #work(ran: boolean): StageWork | undefined {
    return ran ? { advanced: this.advanced, works: this.keysExamined + 1 } : undefined;
  }

  #describeIndex(): object {
    const { spec, key, name, arrays } = this.choice;
    const paths = [...key.keys()];
    return {
      keyPattern: key,
      indexName: name,
      collation: this.choice.collation,
      isMultiKey: this.#multikey,
      multiKeyPaths: new Map(paths.map((path, field) => [path, arrayPrefixes(path, arrays?.[field])])),
      isUnique: spec.get('unique') === true || name === '_id_',
      isSparse: spec.get('sparse') === true,
      isPartial: spec.has('partialFilterExpression'),
      indexVersion: 2,
    };
  }

  #showStretch(): Doc | undefined {
    if (!this.#named) return undefined;
    const { startKey, endKey } = this.#named;
    return new Map<string, Value>([
      ['startKey', startKey],
      ['startKeyInclusive', true],
      ['endKey', endKey],
      ['endKeyInclusive', false],
    ]);
  }

  #showBounds(field: number): string[] {
    const runsDown = this.#descending[field] !== (this.#direction === -1);
    return showIntervals(this.bounds[field]!, runsDown);
  }

  *#scan(ranges: readonly KeyRange[]): Generator<IndexEntry> {
    const reverse = this.#direction === -1;
    const later = this.#later();
    for (const range of reverse ? [...ranges].reverse() : ranges) {
      const begin = later.none ? range : later.from(range, reverse);
      for (let rest: KeyRange | undefined = begin; rest; ) rest = yield* this.#scanFrom(rest, later);
    }
  }

  /** Returns what is left of the stretch behind keys that are to be passed over. */
  *#scanFrom(range: KeyRange, later: LaterBounds): Generator<IndexEntry, KeyRange | undefined> {
    const reverse = this.#direction === -1;
    this.seeks++;
    for (const entry of this.choice.index().scan({ ...range, reverse })) {
      this.keysExamined++;
      let place = later.none ? undefined : later.check(entry.key, reverse);
      if (!place) {
        yield entry;
        const end = this.#skip?.(entry.key);
        if (end === undefined) continue;
        place = { text: entry.key.slice(0, end), inclusive: false };
      }
      const { text, inclusive } = place;
      if (reverse) return { ...range, upper: text, upperInclusive: inclusive };
      return { ...range, lower: text, lowerInclusive: inclusive };
    }
    return undefined;
  }

  #later(): LaterBounds {
    const first = this.#named ? this.bounds.length : this.bounded;
    return new LaterBounds(this.bounds, first, this.#descending, this.#texts());
  }

  /** What makes the keys of each field's texts. */
  #texts(): (TextKeys | undefined)[] {
    const { seek } = this.choice.index();
    return [...this.choice.key.keys()].map((path) => (path === PATH_FIELD ? undefined : seek));
  }

  *#concatenated(streams: readonly Stream[]): Generator<IndexEntry> {
    for (const { ranges } of streams) yield* this.#scan(ranges);
  }

  /** The entries of all streams by what follows the beginning that each stream's keys share. */
  *#mergedEntries(streams: readonly Stream[]): Generator<IndexEntry> {
    const direction = this.#direction;
    const heads: { rest: string; entry: IndexEntry; stream: Generator<IndexEntry>; prefix: number }[] = [];
    const order = (left: (typeof heads)[number], right: (typeof heads)[number]) =>
      (left.rest < right.rest ? -1 : left.rest > right.rest ? 1 : left.entry.recordId - right.entry.recordId) *
      direction;
    const advance = (stream: Generator<IndexEntry>, prefix: number) => {
      const { value: entry } = stream.next();
      if (!entry) return;
      const head = { rest: entry.key.slice(prefix), entry, stream, prefix };
      // The last head is the first in order: taking it off costs nothing.
      let [low, high] = [0, heads.length];
      while (low < high) {
        const middle = (low + high) >>> 1;
        if (order(head, heads[middle]!) > 0) high = middle;
        else low = middle + 1;
      }
      heads.splice(low, 0, head);
    };
    for (const { ranges, prefix } of streams) advance(this.#scan(ranges), prefix);
    for (let head = heads.pop(); head; head = heads.pop()) {
      yield head.entry;
      advance(head.stream, head.prefix);
    }
  }

  /** The scans, in the order of the index; one stream for each combination of values of the first `split` fields. */
  #streams(split: number): Stream[] {
    if (this.#named) return [{ prefix: 0, ranges: [this.#named.range] }];
    const descending = this.#descending;
    const texts = this.#texts();
    const inOrder = (field: number) => {
      const intervals = this.bounds[field]!;
      return descending[field] ? [...intervals].reverse() : intervals;
    };
    const combine = (tuples: readonly Value[][], from: number, to: number) => {
      let all = tuples;
      for (let field = from; field < to; field++) {
        const values = inOrder(field).map(({ low }) => low);
        all = all.flatMap((tuple) => values.map((value) => [...tuple, value]));
      }
      return all;
    };
    const last = this.bounded > this.points ? this.points : undefined;
    const rangesOf = (tuple: readonly Value[]): KeyRange[] => {
      const prefix = keyPrefix(descending, tuple, texts);
      if (last === undefined) return [keysOf(prefix)];
      return inOrder(last).map((each) => keyRange(prefix, each, descending[last], texts[last]));
    };
    return combine([[]], 0, split).map((tuple) => ({
      prefix: keyPrefix(descending, tuple, texts).length,
      ranges: combine([tuple], split, this.points).flatMap(rangesOf),
    }));
  }
}

/** How many fields in front have single values that are few enough to look for each combination, and how many those are. */
function pointFields(bounds: readonly Intervals[]): { points: number; scans: number } {
  let scans = 1;
  let points = 0;
  for (; points < bounds.length; points++) {
    const intervals = bounds[points]!;
    if (!intervals.every(isPoint) || (points > 0 && scans * intervals.length > MAX_SCANS)) break;
    scans *= intervals.length;
  }
  return { points, scans };
}

/** All from the first to the last. */
function hull(intervals: Intervals): Intervals {
  const [first, last] = [intervals[0]!, intervals.at(-1)!];
  return [interval(first.low, first.lowInclusive, last.high, last.highInclusive)];
}

function isWithin(key: string, range: KeyRange): boolean {
  const { lower = '', upper = '', lowerInclusive = true, upperInclusive = true } = range;
  if (key < lower || (!lowerInclusive && key.startsWith(lower))) return false;
  return range.upper === undefined || key < upper || (upperInclusive && key.startsWith(upper));
}

function arrayPrefixes(path: string, arrays: ReadonlySet<number> | undefined): string[] {
  const parts = path.split('.');
  return [...(arrays ?? [])].sort((a, b) => a - b).map((part) => parts.slice(0, part + 1).join('.'));
}

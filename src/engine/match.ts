import { CodedError } from '../base/index.ts';
import { type Doc, decode, equal, type Value } from '../bson/index.ts';
import { compileFilter, compileSort, type Filter, type Metadata } from '../query/index.ts';
import type { Collection } from './collection.ts';
import type { Loaded } from './handle.ts';
import { type Plan, planQuery } from './planner.ts';
import type { ReadVersion } from './reader.ts';
import type { Slot } from './slot.ts';

/** A document that a statement found, as it is at this moment. */
export interface Match {
  readonly slot: Slot;
  readonly bytes: Uint8Array;
  readonly doc: Doc;
  /** The filter's array index for the positional operator. */
  positional(): number | undefined;
}

export interface MatchQuery {
  readonly filter: Filter;
  /** 0 is all. */
  readonly limit: number;
  readonly sort?: Doc | undefined;
  readonly hint?: string | Doc | undefined;
}

/** How many documents that are not in memory are asked for together. */
const FETCH_AHEAD = 256;

/** What happens in one go, up to where it yields the slots that it must have fetched to go on. */
export type Work<T> = Generator<readonly Slot[], T, ReadonlyMap<Slot, ReadVersion>>;

/**
 * Carries `work` out. All that it does between two fetches is one step, in which no other command comes, and `commit`
 * ends each step: were it left to whoever awaits this, another command could commit half of what was staged, and the
 * rest of it would be taken for durable.
 */
export async function carryOut<T>({ collection, reader }: Loaded, work: Work<T>, commit: () => void): Promise<T> {
  let fetched: ReadonlyMap<Slot, ReadVersion> = new Map();
  for (;;) {
    const step = stepOf(work, fetched, commit);
    if (step.done) return step.value;
    fetched = await reader.readAll(step.value).catch((error) => {
      collection.checkAlive();
      throw error;
    });
    collection.checkAlive();
  }
}

/** Also what was done before an error is done. */
function stepOf<T>(work: Work<T>, fetched: ReadonlyMap<Slot, ReadVersion>, commit: () => void) {
  try {
    return work.next(fetched);
  } finally {
    commit();
  }
}

/** Calls `run` for every match, in the very step in which it was found to match: nothing can come between. */
export function* eachMatch(loaded: Loaded, query: MatchQuery, run: (match: Match) => void): Work<void> {
  const { filter, limit } = query;
  const { collection } = loaded;
  const plan = planQuery(collection, filter, query);
  if ((query.sort || plan.order) && !plan.sorted) {
    yield* eachCandidate(collection, filter, limit, yield* sortedMatches(collection, filter, plan, query.sort), run);
    return;
  }
  // A snapshot for many: what `run` changes must not be met again under its new key.
  yield* eachCandidate(collection, filter, limit, limit === 1 ? plan.slots() : [...plan.slots()], run);
}

/**
 * Looks for what a statement is to change, and makes it where `look` finds nothing. What somebody else made while
 * documents were fetched is met as a duplicate key; where that is the key that the filter asks for, it is looked for
 * again, as the server does.
 */
export function* findOrMake(filter: Doc, look: () => Work<boolean>, make: () => void): Work<void> {
  for (;;) {
    const work = look();
    let waited = false;
    let step = work.next(new Map());
    while (!step.done) {
      waited = true;
      step = work.next(yield step.value);
    }
    if (step.value) return;
    try {
      make();
      return;
    } catch (error) {
      if (!waited || !isKeyOf(filter, error)) throw error;
    }
  }
}

/** Whether `error` tells that the very key is taken that the filter asks for, and nothing else. */
function isKeyOf(filter: Doc, error: unknown): boolean {
  if (!(error instanceof CodedError && error.codeName === 'DuplicateKey')) return false;
  const pattern = error.details.get('keyPattern') as Doc;
  const taken = error.details.get('keyValue') as Doc;
  const isAsked = (path: string) => {
    const asked = filter.get(path);
    const value = asked instanceof Map && asked.size === 1 && asked.has('$eq') ? asked.get('$eq') : asked;
    return value !== undefined && equal(value, taken.get(path) as Value);
  };
  return filter.size === pattern.size && [...pattern.keys()].every(isAsked);
}

function* eachCandidate(
  collection: Collection,
  filter: Filter,
  limit: number,
  slots: Iterable<Slot>,
  run: (match: Match) => void,
): Work<void> {
  let left = limit === 0 ? Number.POSITIVE_INFINITY : limit;
  const visit = (slot: Slot, bytes: Uint8Array) => {
    const doc = decode(bytes);
    if (!filter.matches(doc)) return;
    left--;
    run({ slot, bytes, doc, positional: () => filter.positional(doc) });
  };
  let absent: Slot[] = [];
  function* fetchAbsent(): Work<void> {
    while (absent.length > 0 && left > 0) {
      const fetched = yield absent;
      const again: Slot[] = [];
      for (const slot of absent) {
        const read = fetched.get(slot);
        if (!read || slot.deleted || left <= 0) continue;
        const same = slot.record === read.record && slot.index === read.index;
        const bytes = collection.bytesOf(slot) ?? (same ? read.bytes : undefined);
        if (bytes) visit(slot, bytes);
        else again.push(slot);
      }
      absent = again;
    }
    absent = [];
  }
  for (const slot of slots) {
    if (left <= 0) return;
    if (slot.deleted) continue;
    const bytes = absent.length === 0 ? collection.bytesOf(slot) : undefined;
    if (bytes) visit(slot, bytes);
    else absent.push(slot);
    if (absent.length >= FETCH_AHEAD) yield* fetchAbsent();
  }
  yield* fetchAbsent();
}

/** Calls `run` for each of these documents that is still there, in one step with what it is at that moment. */
export function eachOf(collection: Collection, slots: Iterable<Slot>, run: (match: Match) => void): Work<void> {
  return eachCandidate(collection, compileFilter(new Map(), { now: new Date(0), random: () => 0 }), 0, slots, run);
}

/** All matches in order of `sort`, or the plan's own; each must be looked at again before it is used. */
function* sortedMatches(collection: Collection, filter: Filter, plan: Plan, sort: Doc | undefined): Work<Slot[]> {
  const found: (Match & { meta: Metadata })[] = [];
  yield* eachCandidate(collection, filter, 0, [...plan.slots()], (match) =>
    found.push({ ...match, meta: plan.meta?.(match.doc) ?? {} }),
  );
  const compare = sort && compileSort(sort, filter.collator);
  const order = (left: (typeof found)[number], right: (typeof found)[number]) =>
    compare ? compare(left.doc, right.doc, left.meta, right.meta) : plan.order!(left.meta, right.meta);
  return found.sort(order).map(({ slot }) => slot);
}

import type { Env } from '../base/index.ts';
import { ObjectId } from '../bson/index.ts';
import { idsUntil, type LiveEntry } from '../log/index.ts';
import { type Comparator, conjuncts, type Filter, filterTree } from '../query/index.ts';
import { snowflakeTime } from '../store/index.ts';
import type { FindQuery } from './contract.ts';
import { candidates, type Found, matchesIn, nothingExamined, scanLoaded } from './found.ts';
import type { CollectionHandle } from './handle.ts';
import { naturalOrder, planQuery } from './planner.ts';
import { boundsOf, conditionsOf } from './plans/condition.ts';
import type { TextOrdering } from './plans/text-ordering.ts';

/** Batches of documents read in search of the greatest `_id`s before the whole collection is opened instead. */
const SEARCHED_BATCHES_MAX = 8;

/** The matches of a query in a log that is read as it stands, page by page. */
export interface Stream {
  readonly matches: AsyncIterable<Found[]>;
  /** In the order that the query asks for. */
  readonly sorted: boolean;
}

/**
 * How a query reads a collection that is not in memory without its directory: from one end, or from the place in the
 * channel below which no `_id` that is asked for can stand. Undefined: it needs the directory, or would read more
 * than opening the collection does.
 */
export async function stream(
  env: Env,
  handle: CollectionHandle,
  query: FindQuery,
  filter: Filter,
  compare: Comparator | undefined,
): Promise<Stream | undefined> {
  if (query.hint || query.sample || filter.text || filter.near) return undefined;
  // A channel is in the order of insertion.
  if (handle.info.options.has('clusteredIndex')) return undefined;
  const ids = idsSought(filter);
  const newestIds = isNewestIds(query, filter);
  const ends = !compare && !filter.source.has('_id');
  if (!ids && !newestIds && !ends) return undefined;
  const summary = await handle.streamable();
  if (!summary) return undefined;
  const { log } = handle;
  const { ahead } = summary;
  const reading = { env, handle, query, filter };
  const ordered = (pages: AsyncIterable<LiveEntry[]>, step: 1 | -1) => ({
    matches: goOn(reading, pages, step),
    sorted: !compare,
  });
  if (newestIds && compare && ahead !== undefined) return greatest(handle, query, filter, compare, ahead);
  if (ends && naturalOrder(query.sort) === -1) return ordered(log.scanNewest(), -1);
  if (ids && ahead !== undefined && naturalOrder(query.sort) !== -1) {
    const found = ordered(log.scanIdsFrom(ids.from), 1);
    return ids.one ? { ...found, matches: untilFound(found.matches) } : found;
  }
  return ends ? ordered(log.scanOldest(), 1) : undefined;
}

interface Reading {
  readonly env: Env;
  readonly handle: CollectionHandle;
  readonly query: FindQuery;
  readonly filter: Filter;
}

/**
 * The matches in natural order, or its reverse, page by page. Once somebody has opened the collection, what stands in the
 * channel may be superseded and removed: from there on the directory tells what is left.
 */
async function* goOn(reading: Reading, pages: AsyncIterable<LiveEntry[]>, step: 1 | -1): AsyncGenerator<Found[]> {
  const { handle, filter } = reading;
  let last: number | undefined;
  for await (const page of pages) {
    if (handle.opened) break;
    last = page.at(-1)?.recordId ?? last;
    yield matchesIn(page, filter);
  }
  if (handle.opened) yield* rest(reading, last, step);
}

/** What comes after a document, read from memory. */
async function* rest(
  { env, handle, query, filter }: Reading,
  last: number | undefined,
  step: 1 | -1,
): AsyncGenerator<Found[]> {
  const loaded = await handle.load();
  const { read } = query;
  const plan = planQuery(loaded.collection, filter, { ...query, sort: new Map([['$natural', step]]) });
  const slots = function* () {
    for (const slot of candidates(loaded, plan, read, step)) {
      if (last === undefined || (slot.recordId - last) * step > 0) yield slot;
    }
  };
  const examined = nothingExamined();
  yield* scanLoaded({ clock: env.clock, loaded, filter, plan, slots: slots(), read, examined });
}

/** No `_id` that is sought is of a type that a collation orders. */
const IDS: TextOrdering = { index: undefined, alike: true, seek: () => undefined };

/** The Unix second of the least ObjectId that a match may have as its `_id`, where all that match are no less. */
function idsSought({ source }: Filter): { readonly from: number; readonly one: boolean } | undefined {
  let sought: { from: number; one: boolean } | undefined;
  for (const condition of conditionsOf(conjuncts(filterTree(source)))) {
    if (condition.path !== '_id' || condition.scopes.length > 0) continue;
    const { intervals } = boundsOf(condition, false, IDS) ?? {};
    const low = intervals?.[0]?.low;
    if (!(low instanceof ObjectId)) continue;
    const from = low.getTimestamp().getTime() / 1000;
    const one = condition.operator === '$eq' && !condition.negated;
    if (!sought || from > sought.from || one) sought = { from, one };
  }
  return sought;
}

/** Of all that match, those with the greatest `_id`s. */
function isNewestIds({ sort, limit }: FindQuery, { source }: Filter): boolean {
  return (
    limit > 0 &&
    sort?.size === 1 &&
    sort.get('_id') !== undefined &&
    Number(sort.get('_id')) === -1 &&
    !source.has('_id')
  );
}

/** An `_id` is there once. */
async function* untilFound(matches: AsyncIterable<Found[]>): AsyncGenerator<Found[]> {
  for await (const batch of matches) {
    yield batch;
    if (batch.length > 0) return;
  }
}

/**
 * From the newest message back, until no older one can hold a greater `_id` than those that were found. Undefined where
 * that is not soon.
 */
async function greatest(
  handle: CollectionHandle,
  { skip, limit }: FindQuery,
  filter: Filter,
  compare: Comparator,
  ahead: number,
): Promise<Stream | undefined> {
  const wanted = skip + limit;
  let held: Found[] = [];
  let searched = 0;
  for await (const page of handle.log.scanNewest()) {
    if (handle.opened) return undefined;
    held = [...held, ...matchesIn(page, filter)].sort((left, right) => compare(left.doc, right.doc)).slice(0, wanted);
    const least = held.length === wanted ? held.at(-1)!.doc.get('_id') : undefined;
    const postedAt = snowflakeTime(page.at(-1)!.placement.record.messageId!);
    if (least instanceof ObjectId && least.getTimestamp().getTime() / 1000 >= idsUntil(postedAt, ahead)) {
      return { matches: once(held), sorted: true };
    }
    if (++searched === SEARCHED_BATCHES_MAX) return undefined;
  }
  return handle.opened ? undefined : { matches: once(held), sorted: true };
}

async function* once(found: Found[]): AsyncGenerator<Found[]> {
  yield found;
}

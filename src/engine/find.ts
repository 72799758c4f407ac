import { draw, type Env } from '../base/index.ts';
import { type Doc, encode, FieldReader, type Value } from '../bson/index.ts';
import {
  askedOf,
  carry,
  checkMetaSort,
  compileFilter,
  compileProjection,
  compileSort,
  type Filter,
  rootOf,
  type Told,
} from '../query/index.ts';
import type { DocCursor, FindQuery } from './contract.ts';
import { coveringOf, planFind, scanCovered } from './covered.ts';
import { QueueCursor } from './cursor.ts';
import { candidates, type Examined, type Found, nothingExamined, scanLoaded } from './found.ts';
import type { CollectionHandle } from './handle.ts';
import { nearestFirst } from './nearest-first.ts';
import { naturalOrder, type Plan } from './planner.ts';
import { checkBetween } from './plans/between.ts';
import type { Slot } from './slot.ts';
import { byDocument, byMetadata, sorted } from './sorted.ts';
import { stream } from './streams.ts';
import { tail } from './tail.ts';
import { teller } from './told.ts';

/** What a query did, for `explain`; filled as the matches are pulled. */
export interface Execution {
  /** Undefined where the channel was read without a directory. */
  readonly plan: Plan | undefined;
  readonly examined: Examined;
  readonly matches: AsyncGenerator<Found[]>;
}

/** Opens a cursor on a collection; nothing but what the answer needs is read. */
export async function find(env: Env, handle: CollectionHandle, query: FindQuery): Promise<DocCursor> {
  const filter = compileFilter(query.filter, query.context);
  const project = shower(query, filter);
  if (query.tailable) {
    checkBetween(query);
    return tail(handle, query, filter, query.returnKey ? keyShower(undefined) : project(undefined));
  }
  const { matches, plan } = await execute(env, handle, query, filter);
  const show = query.returnKey ? keyShower(plan) : project(plan);
  return new QueueCursor(mapBatches(matches, show), () => handle.checkAlive());
}

/** Throws what `find` throws for a query that cannot be: a collection that does not exist refuses it as well. */
export function checkQuery(query: FindQuery): void {
  const filter = compileFilter(query.filter, query.context);
  shower(query, filter);
  checkBetween(query);
  if (query.sort && !naturalOrder(query.sort)) {
    compileSort(query.sort, query.context.collator);
    checkMetaSort(query.sort, filter.metadata);
  }
}

export async function execute(
  env: Env,
  handle: CollectionHandle,
  query: FindQuery,
  filter = compileFilter(query.filter, query.context),
): Promise<Execution> {
  try {
    const execution = await begin(env, handle, query, filter);
    return { ...execution, matches: whileAlive(handle, execution.matches) };
  } catch (error) {
    handle.checkAlive();
    throw error;
  }
}

/** Where the collection ends, so does the query: what is met then is no fault of Discord's. */
async function* whileAlive(handle: CollectionHandle, matches: AsyncGenerator<Found[]>): AsyncGenerator<Found[]> {
  try {
    for await (const batch of matches) {
      handle.checkAlive();
      yield batch;
    }
  } catch (error) {
    handle.checkAlive();
    throw error;
  }
}

async function begin(env: Env, handle: CollectionHandle, query: FindQuery, filter: Filter): Promise<Execution> {
  const compare = query.sort && !naturalOrder(query.sort) ? compileSort(query.sort, filter.collator) : undefined;
  if (compare) checkMetaSort(query.sort!, filter.metadata);
  const examined = nothingExamined();
  const sorting = { query, examined, scratch: env.scratch };
  const streamed = await stream(env, handle, query, filter, compare);
  if (streamed) {
    const { matches } = streamed;
    const ordered = compare && !streamed.sorted ? sorted(matches, byDocument(compare, query.sort!), sorting) : matches;
    return { plan: undefined, examined, matches: slice(ordered, query.skip, query.limit) };
  }
  const loaded = await handle.load();
  const { plan, query: planned } = planFind(loaded.collection, filter, query);
  const { read } = query;
  const covering = coveringOf(plan, planned);
  if (covering) {
    const { distinct } = planned;
    const covered = scanCovered({ clock: env.clock, loaded, filter, plan, covering, distinct, examined });
    return { plan, examined, matches: slice(covered, query.skip, query.limit) };
  }
  if (plan.rings && !compare && read === 'local') {
    const scan = (slots: Iterable<Slot>) =>
      scanLoaded({ clock: env.clock, loaded, filter, plan, slots, read, examined });
    const matches = nearestFirst(plan.rings(), scan, byMetadata(plan)!, { ...sorting, metaOf: plan.meta });
    return { plan, examined, matches: slice(matches, query.skip, query.limit) };
  }
  const slots = drawn(query, filter, plan, candidates(loaded, plan, read, naturalOrder(query.sort)));
  const inOrder = plan.sorted && (read === 'local' || loaded.collection.unsettled.size === 0);
  const order = compare ? byDocument(compare, query.sort!) : byMetadata(plan);
  const enough = query.limit > 0 && (!order || inOrder) ? query.skip + query.limit : undefined;
  const scan = scanLoaded({ clock: env.clock, loaded, filter, plan, slots, read, enough, examined });
  const ordered = order && !inOrder ? sorted(scan, order, { ...sorting, metaOf: plan.meta }) : scan;
  return { plan, examined, matches: slice(ordered, query.skip, query.limit) };
}

/** Of slots that are sure to match, as many as are asked for; nothing else is read. */
function drawn(
  { sample, read, context }: FindQuery,
  filter: Filter,
  plan: Plan,
  slots: Iterable<Slot>,
): Iterable<Slot> {
  const sure = plan.exact || filter.source.size === 0;
  if (!sample || !sure || read !== 'local' || filter.text || filter.near) return slots;
  return draw([...slots], sample, context.random);
}

/** What becomes of a match of a plan on its way out: mostly the bytes themselves. */
function shower(query: FindQuery, filter: Filter): (plan: Plan | undefined) => (found: Found) => Uint8Array {
  const { projection, showRecordId, context } = query;
  if ((!projection || projection.size === 0) && !showRecordId)
    return () =>
      ({ bytes }) =>
        bytes;
  const project = projection && projection.size > 0 ? compileProjection(projection, { context, filter }) : undefined;
  const asked = askedOf(projection);
  return (plan) => {
    const tell = teller(query, plan, asked);
    return (found) => {
      const shown = project ? project.apply(found.doc, tell(found)) : found.doc;
      return encode(showRecordId ? new Map<string, Value>([...shown, ['$recordId', BigInt(found.recordId)]]) : shown);
    };
  };
}

/**
 * The key by which a match was found in place of the document: nothing of it where that was no index. As in MongoDB,
 * neither a projection nor `showRecordId` adds anything to it.
 */
function keyShower(plan: Plan | undefined): (found: Found) => Uint8Array {
  return ({ doc }) => encode(plan?.indexKey?.(doc) ?? new Map());
}

async function* slice(matches: AsyncIterable<Found[]>, skip: number, limit: number): AsyncGenerator<Found[]> {
  let toSkip = skip;
  let left = limit === 0 ? Number.POSITIVE_INFINITY : limit;
  for await (const batch of matches) {
    const from = Math.min(toSkip, batch.length);
    toSkip -= from;
    const taken = from === 0 && batch.length <= left ? batch : batch.slice(from, from + left);
    left -= taken.length;
    yield taken;
    if (left === 0) return;
  }
}

async function* mapBatches<From, To>(batches: AsyncIterable<From[]>, map: (item: From) => To): AsyncGenerator<To[]> {
  for await (const batch of batches) yield batch.map(map);
}

/**
 * Every match decoded, batch by batch, for what works on documents and not on bytes; with the query's `paths`, the fields
 * that they begin with alone. `asked` is what is to be told beside them; `watch` is told what the query does. Rejects for what cannot be planned.
 */
export async function findDocs(
  env: Env,
  handle: CollectionHandle,
  query: FindQuery,
  asked: ReadonlySet<Told> = new Set(),
  watch?: (execution: Execution) => void,
): Promise<AsyncGenerator<Doc[]>> {
  const execution = await execute(env, handle, telling(query, asked));
  watch?.(execution);
  return decoded(query, execution, asked);
}

/** The query where something is to be told of its matches: what an index stands in for is not there to be asked. */
export function telling(query: FindQuery, asked: ReadonlySet<Told>): FindQuery {
  return asked.size > 0 ? { ...query, paths: undefined } : query;
}

/** The matches of a query that was begun, as `findDocs` gives them. */
export function decoded(
  query: FindQuery,
  { plan, matches }: Execution,
  asked: ReadonlySet<Told>,
): AsyncGenerator<Doc[]> {
  const reader = query.paths && new FieldReader(new Set([...query.paths].map(rootOf)));
  const tell = teller(query, plan, asked);
  return mapBatches(matches, (found) => carry(reader ? found.only(reader) : found.doc, tell(found)));
}

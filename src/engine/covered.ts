import { type Clock, giveWay } from '../base/index.ts';
import { type Doc, decode } from '../bson/index.ts';
import type { Filter } from '../query/index.ts';
import type { Collection } from './collection.ts';
import type { FindQuery } from './contract.ts';
import { type Examined, Found } from './found.ts';
import type { Loaded } from './handle.ts';
import { naturalOrder, type Plan, type Planned, weighPlans } from './planner.ts';
import type { Covering } from './plans/covering.ts';
import type { Slot } from './slot.ts';

/** Keys looked at between two looks at whether anybody waits: few at first, for a `limit` that is soon reached. */
const FIRST_CHUNK = 16;
const LAST_CHUNK = 512;

/** A plan, and the query as it is carried out. */
export interface PlannedFind extends Planned {
  readonly query: FindQuery;
}

/**
 * The plan of a query. Distinct values are found in an index's order where that index stands in for documents, also where
 * nothing bounds it.
 */
export function planFind(collection: Collection, filter: Filter, query: FindQuery): PlannedFind {
  const { distinct, firstBy } = query;
  if (distinct !== undefined) {
    const ordered = { ...query, sort: firstBy ?? new Map([[distinct, 1]]) };
    const planned = weighPlans(collection, filter, ordered);
    if (coveringOf(planned.plan, ordered)) return { ...planned, query: ordered };
  }
  // In another order what is met first of a value is not what is wanted.
  const all = firstBy ? { ...query, distinct: undefined } : query;
  return { ...weighPlans(collection, filter, all), query: all };
}

/** How a plan answers a query by its index alone; undefined where documents must be read. */
export function coveringOf(plan: Plan, query: FindQuery): Covering | undefined {
  const { sort, read, returnKey, sample } = query;
  const isOrdered = !sort || naturalOrder(sort) || plan.sorted;
  // What is not durable yet stands in the index.
  if (!plan.exact || !isOrdered || read !== 'local' || returnKey || sample) return undefined;
  const paths = query.paths ?? pathsShown(query.projection);
  return paths && plan.covering?.(paths);
}

/** The paths that an inclusion shows, where it shows them whole and nothing else. */
function pathsShown(projection: Doc | undefined): ReadonlySet<string> | undefined {
  const paths = new Set<string>();
  for (const [path, value] of projection ?? []) {
    if (path.includes('$') || typeof value === 'string' || Number.isNaN(Number(value))) return undefined;
    if (Number(value) !== 0) paths.add(path);
    else if (path !== '_id') return undefined;
  }
  if (paths.size === 0) return undefined;
  if (!projection!.has('_id')) paths.add('_id');
  return paths;
}

export interface CoveredScan {
  readonly clock: Clock;
  readonly loaded: Loaded;
  readonly filter: Filter;
  readonly plan: Plan;
  readonly covering: Covering;
  /** Each value of this path is wanted once. */
  readonly distinct: string | undefined;
  readonly examined: Examined;
}

/** What an index tells of the matches. Documents whose keys do not tell it are read, and nothing else is. */
export async function* scanCovered(scan: CoveredScan): AsyncGenerator<Found[]> {
  const { clock, plan, covering, examined } = scan;
  let size = FIRST_CHUNK;
  let chunk: (Found | Slot)[] = [];
  const { distinct } = scan;
  const skip = distinct === undefined ? undefined : (key: string) => covering.endOf(key, distinct);
  for (const { slot, key } of plan.entries!(skip)) {
    scan.loaded.collection.checkAlive();
    examined.keys++;
    const fields = covering.fieldsOf(key);
    chunk.push(fields ? Found.of(slot.recordId, fields) : slot);
    if (chunk.length < size) continue;
    yield read(scan, chunk);
    await giveWay(clock);
    chunk = [];
    size = Math.min(size * 2, LAST_CHUNK);
  }
  yield read(scan, chunk);
}

async function read({ loaded, filter, covering, examined }: CoveredScan, chunk: (Found | Slot)[]): Promise<Found[]> {
  const slots = chunk.filter((each): each is Slot => !(each instanceof Found));
  const versions = slots.length > 0 ? await loaded.reader.readAll(slots) : undefined;
  examined.docs += slots.length;
  const found = chunk.flatMap((each) => {
    if (each instanceof Found) return each;
    const bytes = versions!.get(each)?.bytes;
    const doc = bytes && decode(bytes);
    // Others may have changed it meanwhile.
    return doc && filter.matches(doc) ? Found.of(each.recordId, covering.fieldsIn(doc)) : [];
  });
  examined.matched += found.length;
  return found;
}

import { type Env, giveWay } from '../base/index.ts';
import { compileFilter } from '../query/index.ts';
import type { FindQuery } from './contract.ts';
import { execute } from './find.ts';
import type { CollectionHandle } from './handle.ts';
import { planQuery } from './planner.ts';
import type { Plan } from './plans/plan.ts';

/** Candidates counted while other commands wait. */
const CHUNK = 4096;

/** Counts matches after skip and limit. Where an index says all that the filter asks, no document is read. */
export async function countMatches(env: Env, handle: CollectionHandle, query: FindQuery): Promise<number> {
  const count = await planCount(env, handle, query);
  return count();
}

/** What counts them. Rejects for what cannot be planned. */
export async function planCount(env: Env, handle: CollectionHandle, query: FindQuery): Promise<() => Promise<number>> {
  const within = (total: number) => Math.min(Math.max(0, total - query.skip), query.limit || Number.POSITIVE_INFINITY);
  if (query.filter.size === 0 && query.read === 'local' && !query.hint) {
    const { loaded } = handle;
    return async () => within(loaded ? loaded.collection.count : (await handle.log.summary()).documents);
  }
  if (handle.loaded && query.read === 'local') {
    const { collection } = handle.loaded;
    const plan = planQuery(collection, compileFilter(query.filter, query.context), query);
    if (plan.exact) {
      const enough = query.limit === 0 ? Number.POSITIVE_INFINITY : query.skip + query.limit;
      return async () => {
        const total = await countCandidates(env, plan, enough);
        handle.checkAlive();
        collection.checkAlive();
        return within(total);
      };
    }
  }
  const { matches } = await execute(env, handle, query);
  return async () => {
    let count = 0;
    for await (const batch of matches) count += batch.length;
    return count;
  };
}

/** How many candidates there are, up to `enough`; no document is read. */
export async function countCandidates(env: Env, plan: Plan, enough: number): Promise<number> {
  let count = 0;
  for (const _ of plan.slots()) {
    if (++count >= enough) break;
    if (count % CHUNK === 0) await giveWay(env.clock);
  }
  return count;
}

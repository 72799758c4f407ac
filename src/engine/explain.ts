import type { Env } from '../base/index.ts';
import { type Doc, doc as literal } from '../bson/index.ts';
import { compileFilter } from '../query/index.ts';
import type { FindQuery, Verbosity } from './contract.ts';
import { execute } from './find.ts';
import type { CollectionHandle } from './handle.ts';
import { naturalOrder, planQuery } from './planner.ts';

/** `queryPlanner`, and from `executionStats` on what running the query took, in MongoDB's shape. */
export async function explainFind(
  env: Env,
  handle: CollectionHandle | undefined,
  namespace: string,
  query: FindQuery,
  verbosity: Verbosity,
): Promise<Doc> {
  const filter = compileFilter(query.filter, query.context);
  const blocking = query.sort && !naturalOrder(query.sort);
  const plan = handle && planQuery((await handle.load()).collection, filter, query);
  const access = plan ? plan.describe() : literal({ stage: 'EOF' });
  const sortStage =
    blocking && !plan?.sorted ? literal({ stage: 'SORT', sortPattern: query.sort, inputStage: access }) : access;
  const projected = query.projection && query.projection.size > 0;
  const winningPlan = projected
    ? literal({ stage: 'PROJECTION_DEFAULT', transformBy: query.projection, inputStage: sortStage })
    : sortStage;
  const explained = literal({
    explainVersion: '1',
    queryPlanner: {
      namespace,
      parsedQuery: query.filter,
      collation: filter.collator?.toDoc(),
      indexFilterSet: false,
      winningPlan,
      rejectedPlans: [],
    },
  });
  if (verbosity === 'queryPlanner') return explained;

  const started = env.clock.monotonic();
  let nReturned = 0;
  let examined = { keys: 0, docs: 0 };
  if (handle) {
    const execution = await execute(env, handle, query, filter);
    for await (const batch of execution.matches) nReturned += batch.length;
    examined = execution.examined;
  }
  const stats = {
    executionSuccess: true,
    nReturned,
    executionTimeMillis: Math.round(env.clock.monotonic() - started),
    totalKeysExamined: examined.keys,
    totalDocsExamined: examined.docs,
    executionStages: literal({ stage: winningPlan.get('stage'), nReturned }),
  };
  explained.set('executionStats', literal(stats));
  return explained;
}

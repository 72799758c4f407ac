import { withContext } from '../base/index.ts';
import { type Doc, decode, doc as literal, type Value } from '../bson/index.ts';
import type { DocCursor, Engine, FindQuery, Namespace } from './contract.ts';
import { DistinctValues } from './distinct.ts';
import { queryStages } from './views.ts';

/** Where errors of a running pipeline say that they happened (`run_aggregate.cpp`). */
export const EXECUTING_AGGREGATE = 'PlanExecutor error during aggregation';

const BATCH_DOCS = 1000;
const BATCH_BYTES = 16 * 1024 * 1024;

/** What a find gives on a view. */
export function findInView(engine: Engine, ns: Namespace, query: FindQuery): Promise<DocCursor> {
  return engine.aggregate(ns, queryStages(query), query);
}

export async function countInView(engine: Engine, ns: Namespace, query: FindQuery): Promise<number> {
  const counted = [...queryStages(query), literal({ $count: 'count' })];
  const [found] = await all(await engine.aggregate(ns, counted, query))
    .next()
    .then(({ value }) => value ?? []);
  return found ? Number(found.get('count')) : 0;
}

export async function distinctInView(engine: Engine, ns: Namespace, path: string, query: FindQuery): Promise<Value[]> {
  const distinct = new DistinctValues(path, query.context.collator);
  for await (const batch of all(await engine.aggregate(ns, queryStages(query), query))) distinct.add(batch);
  return distinct.sorted();
}

async function* all(cursor: DocCursor): AsyncGenerator<Doc[], undefined> {
  try {
    while (!cursor.exhausted) yield (await cursor.next(BATCH_DOCS, BATCH_BYTES)).map((bytes) => decode(bytes));
  } catch (error) {
    throw withContext(error, EXECUTING_AGGREGATE);
  } finally {
    cursor.close();
  }
}

import type { Env } from '../base/index.ts';
import { type Doc, hashValue, doc as literal, type Value } from '../bson/index.ts';
import {
  compileFilter,
  conjuncts,
  type Filter,
  type FilterNode,
  filterTree,
  limitOf,
  type SortWork,
  showAll,
} from '../query/index.ts';
import type { Explained, FindQuery, Verbosity } from './contract.ts';
import { countCandidates } from './count.ts';
import { coveringOf, planFind } from './covered.ts';
import { type Execution, execute } from './find.ts';
import { type Found, nothingExamined } from './found.ts';
import type { CollectionHandle } from './handle.ts';
import { naturalOrder, type Plan, weighPlans } from './planner.ts';
import { type Express, expressOf, isSimple } from './plans/express.ts';
import type { Ran } from './plans/plan.ts';
import { stageDoc } from './plans/stage.ts';
import { compileStatement } from './writes.ts';

/** What running a query did. */
interface Run {
  readonly plan: Plan | undefined;
  readonly ran: Ran;
  readonly keysExamined: number;
  readonly sort: SortWork;
  /** What the stage on top gave: documents, after skip and limit, or changes. */
  readonly returned: number;
  readonly modified: number;
  readonly millis: number;
}

/** `queryPlanner`, and from `executionStats` on what running the query took, in MongoDB's shape. Nothing is changed. `consume` goes through what is found. */
export async function explainQuery(
  env: Env,
  handle: CollectionHandle | undefined,
  namespace: string,
  query: FindQuery,
  explained: Explained,
  verbosity: Verbosity,
  consume: Consumer = ({ matches }) => drain(matches),
): Promise<Doc> {
  const filter = compileFilter(query.filter, query.context);
  const nodes = conjuncts(filterTree(filter.source));
  const before = handle && { ...handle.requests };
  const collection = (await handle?.load())?.collection;
  const planned = collection && planFind(collection, filter, query);
  const express = collection && explained.kind === 'find' ? expressOf(collection, query, filter) : undefined;
  const tree = (plan: Plan | undefined, run?: Run): Doc =>
    express ? expressStage(express, run) : stages(planned?.query ?? query, explained, plan, run);
  const show = (plan: Plan | undefined, run?: Run): Doc =>
    new Map<string, Value>([['isCached', false], ...tree(plan, run)]);
  const reply = literal({
    explainVersion: '1',
    queryPlanner: {
      namespace,
      parsedQuery: showAll(nodes) ?? new Map(),
      collation: filter.collator?.toDoc(),
      indexFilterSet: false,
      ...planCacheKeys(nodes, query, handle),
      optimizationTimeMillis: 0,
      maxIndexedOrSolutionsReached: false,
      maxIndexedAndSolutionsReached: false,
      maxScansToExplodeReached: false,
      prunedSimilarIndexes: false,
      winningPlan: show(planned?.plan),
      rejectedPlans: express ? [] : (planned?.rejected ?? []).map((plan) => show(plan)),
    },
  });
  if (verbosity === 'queryPlanner') return reply;

  const run = await carryOut(env, handle, query, explained, filter, consume);
  const executionStats = literal({
    executionSuccess: true,
    nReturned: run.returned,
    executionTimeMillis: run.millis,
    totalKeysExamined: run.keysExamined,
    totalDocsExamined: run.ran.docsExamined,
    executionStages: show(run.plan ?? planned?.plan, run),
  });
  // One plan is chosen by counting keys, and no other is tried.
  if (verbosity === 'allPlansExecution') executionStats.set('allPlansExecution', []);
  reply.set('executionStats', executionStats);
  if (handle && before) {
    const { requests } = handle;
    const asked = Object.entries(requests).map(([kind, count]) => [kind, count - before[kind as keyof typeof before]]);
    reply.set('discord', literal({ requests: literal(Object.fromEntries(asked)) }));
  }
  return reply;
}

/** What goes through the matches: to the end, or until it has enough. */
type Consumer = (execution: Execution) => Promise<void>;

/** Goes through all of it. */
export async function drain(stream: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of stream);
}

async function* none(): AsyncGenerator<Found[]> {
  yield [];
}

async function carryOut(
  env: Env,
  handle: CollectionHandle | undefined,
  query: FindQuery,
  explained: Explained,
  filter: Filter,
  consume: Consumer,
): Promise<Run> {
  const started = env.clock.monotonic();
  const millis = () => Math.round(env.clock.monotonic() - started);
  const nothing = nothingExamined();
  if (!handle) {
    await consume({ plan: undefined, examined: nothing, matches: none() });
    const ran = { docsExamined: 0, matched: 0 };
    const run = { plan: undefined, ran, keysExamined: 0, sort: nothing.sort, returned: 0, modified: 0 };
    return { ...run, millis: millis() };
  }
  const { collection } = await handle.load();
  const counts = explained.kind === 'count' && query.read === 'local';
  const exact = counts ? weighPlans(collection, filter, query).plan : undefined;
  if (exact?.exact) {
    const enough = query.limit === 0 ? Number.POSITIVE_INFINITY : query.skip + query.limit;
    const counted = await countCandidates(env, exact, enough);
    const ran = { docsExamined: 0, matched: counted };
    const returned = Math.max(0, counted - query.skip);
    return {
      plan: exact,
      ran,
      keysExamined: exact.keysExamined ?? counted,
      sort: nothing.sort,
      returned,
      modified: 0,
      millis: millis(),
    };
  }
  // A change is tried on each match, and thrown away.
  const updater =
    explained.kind === 'update' ? compileStatement(explained.statement, query.context).updater : undefined;
  const execution = await execute(env, handle, query, filter);
  const { plan, examined } = execution;
  let [returned, modified] = [0, 0];
  const counted = async function* () {
    for await (const batch of execution.matches) {
      returned += batch.length;
      yield batch;
      if (!updater) continue;
      for (const { doc } of batch) {
        if (updater.apply(doc, { positional: () => filter.positional(doc) }) !== doc) modified++;
      }
    }
  };
  await consume({ ...execution, matches: counted() });
  const matched = plan?.exact && !coveringOf(plan, query) ? examined.docs : examined.matched;
  return {
    plan,
    ran: { docsExamined: examined.docs, matched },
    keysExamined: plan?.keysExamined ?? examined.keys,
    sort: examined.sort,
    returned,
    modified,
    millis: millis(),
  };
}

function expressStage(express: Express, run: Run | undefined): Doc {
  const ran = run && { keysExamined: run.keysExamined, docsExamined: run.ran.docsExamined, nReturned: run.returned };
  return literal({ ...express, ...ran });
}

/** The tree of stages, from the one that finds documents up. */
function stages(query: FindQuery, explained: Explained, plan: Plan | undefined, run: Run | undefined): Doc {
  if (!plan)
    return stageDoc('EOF', { fields: { type: 'nonExistentNamespace' }, work: run && { advanced: 0, works: 1 } });
  const { sort, skip, limit, projection, returnKey } = query;
  const ran = run?.ran;
  const found = ran?.matched ?? 0;
  let advanced = found;
  const work = () => ran && { advanced, works: (run?.keysExamined || ran.docsExamined) + 1 };
  if (explained.kind === 'count') return countStages(query, plan, run);
  const covered = coveringOf(plan, query) !== undefined;
  const scanned = query.distinct === undefined ? 'IXSCAN' : 'DISTINCT_SCAN';
  let tree = (covered && plan.describeCovered?.(scanned, ran)) || plan.describe(ran);
  const blocking = sort && !naturalOrder(sort) && !plan.sorted;
  const shown = explained.kind === 'find';
  if (blocking) {
    advanced = limit > 0 ? Math.min(found, skip + limit) : found;
    const fields = {
      sortPattern: sort,
      memLimit: limitOf(query.context, 'sort'),
      limitAmount: limit > 0 ? skip + limit : undefined,
      type: 'simple',
      ...(run && sortFigures(run.sort)),
    };
    tree = stageDoc('SORT', { work: work(), fields, input: tree });
  }
  if (shown && skip > 0) {
    advanced = Math.max(0, advanced - skip);
    tree = stageDoc('SKIP', { work: work(), fields: { skipAmount: skip }, input: tree });
  }
  if (returnKey) tree = stageDoc('RETURN_KEY', { work: work(), input: tree });
  else if (covered && query.paths) {
    const transformBy = literal(
      Object.fromEntries([...query.paths, '_id'].map((path) => [path, query.paths!.has(path)])),
    );
    tree = stageDoc('PROJECTION_COVERED', { work: work(), fields: { transformBy }, input: tree });
  } else if (projection && projection.size > 0) {
    const name = covered ? 'PROJECTION_COVERED' : isSimple(projection) ? 'PROJECTION_SIMPLE' : 'PROJECTION_DEFAULT';
    tree = stageDoc(name, { work: work(), fields: { transformBy: projection }, input: tree });
  }
  if (shown && limit > 0 && !blocking) {
    advanced = Math.min(advanced, limit);
    tree = stageDoc('LIMIT', { work: work(), fields: { limitAmount: limit }, input: tree });
  }
  return changeStage(explained, tree, run);
}

function sortFigures({ sorted, spills, stored }: SortWork): object {
  return { totalDataSizeSorted: sorted, usedDisk: spills > 0, spills, spilledDataStorageSize: stored };
}

function countStages(query: FindQuery, plan: Plan, run: Run | undefined): Doc {
  const { skip, filter, hint } = query;
  const ran = run?.ran;
  const counted = run && { nCounted: run.returned, nSkipped: Math.min(skip, ran!.matched) };
  const work = ran && { advanced: 0, works: (run?.keysExamined || ran.docsExamined) + 1 };
  if (filter.size === 0 && !hint) return stageDoc('RECORD_STORE_FAST_COUNT', { work, fields: counted });
  const input = plan.exact && plan.describeCount ? plan.describeCount(ran) : plan.describe(ran);
  return stageDoc('COUNT', { work, fields: counted, input });
}

function changeStage(explained: Explained, input: Doc, run: Run | undefined): Doc {
  const work = run && { advanced: 0, works: run.ran.docsExamined + 1 };
  if (explained.kind === 'delete') {
    return stageDoc('DELETE', { work, fields: run && { nWouldDelete: run.returned }, input });
  }
  if (explained.kind !== 'update') return input;
  const upserts = run && explained.statement.upsert && run.returned === 0 ? 1 : 0;
  const fields = run && { nMatched: run.returned, nWouldModify: run.modified, nWouldUpsert: upserts };
  return stageDoc('UPDATE', { work, fields, input });
}

/** Hashes of what queries of one shape have in common: all but the values that they ask for. */
function planCacheKeys(nodes: readonly FilterNode[], query: FindQuery, handle: CollectionHandle | undefined): object {
  const { sort, projection } = query;
  const shape = [...nodes.map(shapeOf), ...(sort?.keys() ?? []), ...(projection?.keys() ?? [])].join();
  const indexes = handle?.info.indexes.map(({ name }) => name).join() ?? '';
  const shapeHash = shortHash(shape);
  return { queryHash: shapeHash, planCacheShapeHash: shapeHash, planCacheKey: shortHash(`${shape};${indexes}`) };
}

function shapeOf(node: FilterNode): string {
  if (node.kind === 'leaf') return `${node.operator} ${node.path}`;
  if (node.kind === 'near') return `near ${node.path}`;
  if (node.kind === 'not') return `not(${shapeOf(node.child)})`;
  return node.kind === 'other' ? node.name : `${node.kind}(${node.children.map(shapeOf).join()})`;
}

function shortHash(text: string): string {
  return (hashValue(text) & 0xffff_ffffn).toString(16).toUpperCase().padStart(8, '0');
}

import type { Env } from '../../base/index.ts';
import { type Doc, encode, newObjectId, Timestamp, type Value } from '../../bson/index.ts';
import {
  askedOf,
  checkPipeline,
  compileFilter,
  compilePipeline,
  countOf,
  openPipeline,
  type PipelineContext,
  runPipeline,
  startsPipeline,
  streamOf,
  type Told,
} from '../../query/index.ts';
import { comparesAlike } from '../collation.ts';
import type { AggregateOptions, DocCursor, Engine, Namespace } from '../contract.ts';
import { planCount } from '../count.ts';
import { emptyCursor, QueueCursor } from '../cursor.ts';
import { checkQuery, type Execution, find, findDocs } from '../find.ts';
import type { Namespaces } from '../namespaces.ts';
import { searching } from '../text-index.ts';
import { checkViewPipeline } from '../views.ts';
import { lookupFigures } from './lookup-figures.ts';
import { Merger } from './merge.ts';
import { nearestDocs } from './nearest.ts';
import { replaceContent } from './out.ts';
import { type PipelinePlan, planPipeline } from './push-down.ts';
import { stageSource } from './sources.ts';

/** Documents encoded between two looks at whether the client still wants more. */
const OUTPUT_BATCH = 128;

/** What pipelines run on. */
export interface Deployment {
  readonly engine: Engine;
  readonly env: Env;
  readonly namespaces: Namespaces;
}

/** Runs a pipeline: what stands in front goes down to `find`, the rest works on decoded documents. */
export async function aggregate(
  deployment: Deployment,
  ns: Namespace,
  pipeline: readonly Doc[],
  query: AggregateOptions,
): Promise<DocCursor> {
  const { env, namespaces } = deployment;
  const context = pipelineContext(deployment, ns, query);
  checkPipeline(pipeline);
  // What is wrong with a stage is told of the pipeline as it was given.
  compilePipeline(pipeline, context);
  namespaces.views.checkCollation(ns.db, pipeline, context.collator);
  if (startsPipeline(pipeline)) return new QueueCursor(encoded(await ownSource(pipeline, context)));
  const plan = planPipeline(pipeline, query);
  const handle = namespaces.handle(ns);
  if (!handle) checkQuery(plan.query);
  if (plan.rest.length === 0) return handle ? find(env, handle, plan.query) : emptyCursor();
  return new QueueCursor(encoded(await open(deployment, ns, plan, context)));
}

/** Throws for a view that cannot be. */
export function checkView(engine: Engine, env: Env, namespaces: Namespaces, ns: Namespace, options: Doc): void {
  const [on, pipeline] = [options.get('viewOn'), options.get('pipeline')];
  if (typeof on !== 'string' || !Array.isArray(pipeline)) return;
  const stages = pipeline.filter((stage) => stage instanceof Map);
  const now = new Date(env.clock.now());
  // For the check alone, which runs nothing: a view's readers bring the time of their command.
  const clusterTime = new Timestamp({ t: Math.floor(now.getTime() / 1000), i: 1 });
  const context = { now, clusterTime, random: () => env.random.next() };
  const source = { db: ns.db, coll: on };
  const query = searching({ read: 'local', context } as const, source, namespaces.handle(source)?.info);
  checkPipeline(stages);
  compilePipeline(stages, pipelineContext({ engine, env, namespaces }, source, query));
  checkViewPipeline(ns, stages);
}

/** The documents of a pipeline that runs inside another one: it is planned each time that it runs. */
async function* run(
  deployment: Deployment,
  ns: Namespace,
  pipeline: readonly Doc[],
  query: AggregateOptions,
  context: PipelineContext,
  watch: ((execution: Execution) => void) | undefined,
): AsyncGenerator<Doc[]> {
  if (startsPipeline(pipeline)) yield* await ownSource(pipeline, context);
  else yield* await open(deployment, ns, planPipeline(pipeline, query), context, watch);
}

/** A pipeline that begins with documents of its own. Rejects for what cannot be planned. */
function ownSource(pipeline: readonly Doc[], context: PipelineContext): Promise<AsyncIterable<Doc[]>> {
  return openPipeline(pipeline, { ...context, sortKeys: askedOf([...pipeline]).has('sortKey') });
}

/** The documents of a pipeline that begins with those of a collection. Rejects for what cannot be planned. */
async function open(
  { env, namespaces }: Deployment,
  ns: Namespace,
  plan: PipelinePlan,
  given: PipelineContext,
  watch?: (execution: Execution) => void,
): Promise<AsyncIterable<Doc[]>> {
  const { query, rest } = plan;
  const handle = namespaces.handle(ns);
  const asked = askedOf([...rest]);
  const context = behindQuery(plan, asked, given);
  if (!handle) return runPipeline(rest, streamOf([]), context);
  const counted = countOf(rest);
  if (counted) {
    const count = await planCount(env, handle, query);
    const result = async function* () {
      yield counted.documents(await count());
    };
    return runPipeline(counted.rest, result(), context);
  }
  return runPipeline(rest, await findDocs(env, handle, query, asked, watch), context);
}

/** The context of the stages behind a query: what `$text` searches is for the query alone, they know its score. */
export function behindQuery(
  { query }: PipelinePlan,
  asked: ReadonlySet<Told>,
  { textIndex: _, ...own }: PipelineContext,
): PipelineContext {
  const { metadata } = compileFilter(query.filter, query.context);
  return { ...own, metadata, sortKeys: asked.has('sortKey') };
}

export function pipelineContext(deployment: Deployment, ns: Namespace, query: AggregateOptions): PipelineContext {
  const { engine, env, namespaces } = deployment;
  const context: PipelineContext = {
    ...query.context,
    allowDiskUse: query.allowDiskUse,
    scratch: env.scratch,
    db: ns.db,
    collection: ns.coll,
    foreign: (coll) => {
      const view = namespaces.views.resolve({ db: ns.db, coll });
      const other = view?.ns ?? { db: ns.db, coll };
      const handle = namespaces.handle(other);
      const { textIndex } = searching(query, other, handle?.info).context;
      const executions: Execution[] = [];
      return {
        ...(textIndex && { textIndex }),
        async indexed(path) {
          if (!handle || view) return undefined;
          const { collection } = await handle.load();
          const first = [...collection.secondary.values()].filter(({ ready }) => ready).map(({ spec }) => spec);
          const usable = first.some(
            ({ key, spec }) =>
              key.keys().next().value === path &&
              Number(key.get(path)) !== 0 &&
              comparesAlike(query.context.collator, spec.get('collation') as Doc | undefined) &&
              !['sparse', 'hidden', 'partialFilterExpression'].some((option) => spec.has(option)),
          );
          const byId = path === '_id' && comparesAlike(query.context.collator, collection.ids.collation);
          return byId || usable ? { documents: collection.count } : undefined;
        },
        run: (stages, own) =>
          run(
            deployment,
            other,
            [...(view?.pipeline ?? []), ...stages],
            { read: query.read, context: own },
            { ...own, collection: other.coll },
            own.explained ? (execution) => executions.push(execution) : undefined,
          ),
        figures: () => lookupFigures(executions),
      };
    },
    nearest: (asked, { collection: coll, ...own }) =>
      nearestDocs(env, namespaces, { db: ns.db, coll }, asked, { ...query, context: own }),
    replaceCollection: (db, coll, docs) => replaceContent(env, namespaces, { db, coll }, docs, query.bypassValidation),
    mergeInto: (spec) => new Merger(env, namespaces, spec, query.context, query.bypassValidation),
    newId: () => newObjectId(env),
    source: (stage: string, spec: Value) => stageSource(engine, ns, env, query, stage, spec),
  };
  return context;
}

async function* encoded(batches: AsyncIterable<Doc[]>): AsyncGenerator<Uint8Array[]> {
  for await (const batch of batches) {
    for (let at = 0; at < batch.length; at += OUTPUT_BATCH) yield batch.slice(at, at + OUTPUT_BATCH).map(encode);
  }
}

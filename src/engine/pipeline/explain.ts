import { type Doc, doc as literal, type Value } from '../../bson/index.ts';
import {
  askedOf,
  checkPipeline,
  compilePipeline,
  figuresOf,
  type PipelineContext,
  profilePipeline,
  startsPipeline,
  streamOf,
} from '../../query/index.ts';
import { nsText } from '../collection.ts';
import type { AggregateOptions, Namespace, Verbosity } from '../contract.ts';
import { drain, explainQuery } from '../explain.ts';
import { decoded, telling } from '../find.ts';
import { behindQuery, type Deployment, pipelineContext } from './aggregate.ts';
import { planPipeline } from './push-down.ts';

/**
 * A pipeline's plan: that of its query alone, where all of it goes down to that, else its stages, the first of them with
 * the query (`$cursor`). From `executionStats` on it is run, and writes nothing.
 */
export async function explainPipeline(
  deployment: Deployment,
  ns: Namespace,
  pipeline: readonly Doc[],
  given: AggregateOptions,
  verbosity: Verbosity,
): Promise<Doc> {
  const { env, namespaces } = deployment;
  const context = writingNothing(pipelineContext(deployment, ns, given));
  const monotonic = () => env.clock.monotonic();
  const runs = verbosity !== 'queryPlanner';
  checkPipeline(pipeline);
  // What is wrong with a stage is told of the pipeline as it was given.
  compilePipeline(pipeline, context);
  namespaces.views.checkCollation(ns.db, pipeline, context.collator);
  const asked = askedOf([...pipeline]);
  if (startsPipeline(pipeline)) {
    const profile = profilePipeline(pipeline, { ...context, sortKeys: asked.has('sortKey') }, monotonic);
    if (runs) await drain(profile.run(streamOf([])));
    return literal({ explainVersion: '1', stages: profile.show(runs) });
  }
  const plan = planPipeline(pipeline, given);
  const { rest } = plan;
  const told = askedOf([...rest]);
  const query = telling(plan.query, told);
  const explain = explainQuery.bind(undefined, env, namespaces.handle(ns), nsText(ns), query, { kind: 'find' });
  if (rest.length === 0) return explain(verbosity);
  const profile = profilePipeline(rest, behindQuery(plan, told, context), monotonic);
  const shown = await explain(verbosity, (execution) => drain(profile.run(decoded(query, execution, told))));
  const { explainVersion, ...cursor } = Object.fromEntries(shown);
  const first: Doc = new Map([['$cursor', literal(cursor)], ...(runs ? figuresOf(profile.source) : [])]);
  const stages = profile.show(runs);
  return literal({ explainVersion, stages: [first, ...(isByDistinctScan(shown) ? groupedByScan(stages) : stages)] });
}

/** Of `$out` and `$merge` only what they are given is asked, and their targets checked (`DocumentSourceWriter::doGetNext`). */
function writingNothing(context: PipelineContext): PipelineContext {
  const nothing = async () => {};
  const mergeInto: PipelineContext['mergeInto'] = (spec) => ({
    ...context.mergeInto(spec),
    write: nothing,
    durable: nothing,
  });
  return { ...context, replaceCollection: nothing, mergeInto };
}

function isByDistinctScan(plan: Doc): boolean {
  const planner = plan.get('queryPlanner') as Doc;
  const input = (planner.get('winningPlan') as Doc).get('inputStage');
  return input instanceof Map && input.get('stage') === 'DISTINCT_SCAN';
}

/** The stages behind a scan that finds one document of each group: the `$group` in front makes it into the group. */
function groupedByScan([group, ...rest]: readonly Doc[]): Doc[] {
  const kept = [...group!].filter(([name]) => name === 'nReturned' || name === 'executionTimeMillisEstimate');
  const shown = literal({ newRoot: group!.get('$group') });
  return [new Map<string, Value>([['$groupByDistinctScan', shown], ...kept]), ...rest];
}

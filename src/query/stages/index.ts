import type { Doc, Value } from '../../bson/index.ts';
import { located, notImplemented, optimized } from '../error.ts';
import { compileFilter, hasText } from '../filter/index.ts';
import { MEASURED } from '../metadata.ts';
import type { PipelineContext } from '../types.ts';
import { isArray, isDoc } from '../value.ts';
import { noSearchIndexes, noSearchStages } from './atlas.ts';
import { bucket } from './bucket.ts';
import { bucketAuto } from './bucket-auto.ts';
import { densify } from './densify.ts';
import { facet } from './facet.ts';
import { fill } from './fill.ts';
import { geoNear } from './geo-near.ts';
import { graphLookup } from './graph-lookup.ts';
import { group, sortByCount } from './group.ts';
import { lookup } from './lookup.ts';
import { OWN_SOURCES, withoutEmptyFilters } from './own-source.ts';
import { type Compiled, Profile, shownLookup, shownSort } from './profile.ts';
import { redact } from './redact.ts';
import * as simple from './simple.ts';
import { documents, fromServer } from './source.ts';
import { isPlanned, type Stage, type StageCompiler, type Stream, streamOf } from './stage.ts';
import { unionWith } from './union-with.ts';
import { unwind } from './unwind.ts';
import { setWindowFields } from './window/index.ts';
import { merge, out } from './write.ts';

/** Most stages that a pipeline may have (MongoDB's `internalPipelineLengthLimit`). */
const MAX_STAGES = 1000;

const STAGES: Readonly<Record<string, StageCompiler>> = {
  $addFields: simple.addFields,
  $bucket: bucket,
  $bucketAuto: bucketAuto,
  $collStats: fromServer,
  $count: simple.count,
  $currentOp: fromServer,
  $densify: densify,
  $documents: documents,
  $facet: facet,
  $fill: fill,
  $geoNear: geoNear,
  $graphLookup: graphLookup,
  $group: group,
  $indexStats: fromServer,
  $limit: simple.limit,
  $listLocalSessions: fromServer,
  $listSessions: fromServer,
  $lookup: lookup,
  $match: simple.match,
  $merge: merge,
  $out: out,
  $planCacheStats: fromServer,
  $project: simple.project,
  $redact: redact,
  $replaceRoot: simple.replaceRoot,
  $replaceWith: simple.replaceWith,
  $sample: simple.sample,
  $set: simple.addFields,
  $setWindowFields: setWindowFields,
  $skip: simple.skip,
  $sort: (spec, env) => simple.sort(spec, env),
  $sortByCount: sortByCount,
  $unionWith: unionWith,
  $unset: simple.unset,
  $unwind: unwind,
};

const NOT_FIRST =
  '$geoNear was not the first stage in the pipeline after optimization. Is optimization disabled or inhibited?';
const LAST_ONLY = new Set(['$out', '$merge']);
/** Stages that MongoDB has, and why they are not here. */
const NOT_HERE = new Map<string, () => Error>([
  ['$changeStream', () => notImplemented('$changeStream is not supported by DiscoDB')],
  ['$listSearchIndexes', noSearchIndexes],
  ...['$search', '$searchMeta', '$vectorSearch'].map((name) => [name, noSearchStages] as const),
]);

/** Checks the stages' names and places, without their arguments. */
export function checkPipeline(given: readonly Doc[]): void {
  if (given.length > MAX_STAGES) throw located(7749501, `Pipeline length must be no longer than ${MAX_STAGES} stages.`);
  const stages = withoutEmptyFilters(given);
  for (const [at, stage] of stages.entries()) {
    const name = stageName(stage);
    const refusal = NOT_HERE.get(name);
    if (refusal) throw refusal();
    if (!Object.hasOwn(STAGES, name)) throw located(40324, `Unrecognized pipeline stage name: '${name}'`);
    if (OWN_SOURCES.has(name) && at > 0) {
      if (name === '$geoNear') throw located(40603, NOT_FIRST);
      throw located(40602, `${name} is only valid as the first stage in a pipeline.`);
    }
    if (at > 0 && isTextMatch(stage)) {
      throw located(17313, '$match with $text is only allowed as the first pipeline stage');
    }
    if (LAST_ONLY.has(name) && at < stages.length - 1) {
      throw located(40601, `${name} can only be the final stage in the pipeline`);
    }
    checkNested(name, stage);
  }
}

const BANNED: Readonly<Record<string, { readonly code: number; readonly where: string }>> = {
  $facet: { code: 40600, where: 'to be used within a $facet stage' },
  $lookup: { code: 51047, where: "within a $lookup's sub-pipeline" },
  $unionWith: { code: 31441, where: "within a $unionWith's sub-pipeline" },
};

function checkNested(name: string, stage: Doc): void {
  const spec = stage.get(name);
  if (!isDoc(spec)) return;
  const pipelines = name === '$facet' ? [...spec.values()] : [spec.get('pipeline')];
  if (name !== '$facet' && name !== '$lookup' && name !== '$unionWith') return;
  for (const pipeline of pipelines) {
    if (!isArray(pipeline)) continue;
    const nested = pipeline.filter(isDoc);
    checkPipeline(nested);
    const stage = nested.find((inner) => isBanned(inner, name));
    const banned = stage && stageName(stage);
    if (banned) throw located(BANNED[name]!.code, `${banned} is not allowed ${BANNED[name]!.where}`);
  }
}

export function isTextMatch(stage: Doc): boolean {
  const filter = stage.get('$match');
  return isDoc(filter) && hasText(filter);
}

/** Whether a stage may not stand in a pipeline within the stage `outer`. A join may not where its pipeline may not. */
function isBanned(stage: Doc, outer: string): boolean {
  const name = stageName(stage);
  if (LAST_ONLY.has(name)) return true;
  if (outer !== '$facet') return false;
  if (name === '$facet' || OWN_SOURCES.has(name) || isTextMatch(stage)) return true;
  const spec = JOINS.has(name) && stage.get(name);
  const inner = isDoc(spec) && spec.get('pipeline');
  return isArray(inner) && inner.filter(isDoc).some((each) => isBanned(each, outer));
}

const JOINS: ReadonlySet<string> = new Set(['$lookup', '$unionWith']);

function stageName(stage: Doc): string {
  const name = stage.keys().next().value;
  if (stage.size !== 1 || name === undefined) {
    throw located(40323, 'A pipeline stage specification object must contain exactly one field.');
  }
  return name;
}

/** Whether a pipeline's first stage makes its own documents, so that its collection need not be read. */
export function startsPipeline(stages: readonly Doc[]): boolean {
  const [first] = withoutEmptyFilters(stages);
  return first !== undefined && OWN_SOURCES.has(stageName(first));
}

/** Compiles the whole pipeline at once and runs it as its result is pulled. */
export function runPipeline(stages: readonly Doc[], source: Stream, context: PipelineContext): Stream {
  return compilePipeline(stages, context)(source);
}

/** As `runPipeline`, of one that begins with documents of its own: rejects for what cannot be planned, and runs nothing yet. */
export async function openPipeline(stages: readonly Doc[], context: PipelineContext): Promise<Stream> {
  const [first, ...rest] = compileStages(stages, context).map(({ stage }) => stage);
  return through(rest, isPlanned(first) ? await first.open() : first!(streamOf([])));
}

/** A pipeline as one stage, which may run many times. Throws for what MongoDB refuses. */
export function compilePipeline(stages: readonly Doc[], context: PipelineContext): Stage {
  const compiled = compileStages(stages, context).map(({ stage }) => stage);
  return (source) => through(compiled, source);
}

/** A pipeline that is watched as it runs. `monotonic` tells the time in milliseconds. Throws for what MongoDB refuses. */
export function profilePipeline(stages: readonly Doc[], context: PipelineContext, monotonic: () => number): Profile {
  return new Profile(compileStages(stages, { ...context, explained: true }), monotonic);
}

function through(stages: readonly Stage[], source: Stream): Stream {
  return stages.reduce((stream, stage) => stage(stream), source);
}

function compileStages(stages: readonly Doc[], context: PipelineContext): Compiled[] {
  checkPipeline(stages);
  return optimized(() => compileEach(withoutEmptyFilters(stages), context));
}

function compileEach(stages: readonly Doc[], context: PipelineContext): Compiled[] {
  let env = { context, compile: compilePipeline };
  const compiled: Compiled[] = [];
  for (let at = 0; at < stages.length; at++) {
    const stage = stages[at]!;
    const name = stageName(stage);
    const spec = stage.get(name);
    const after = stages.slice(at + 1);
    if (name === '$sort') {
      const keep = keptAfterSort(after);
      compiled.push({ stage: simple.sort(spec, env, keep), shown: shownSort(spec, keep) });
      const [next] = after;
      if (next?.has('$limit')) {
        // It is checked, and has nothing to do: no more is kept.
        simple.limit(next.get('$limit'), env, '$limit');
        at++;
      }
    } else if (name === '$lookup' && unwindsOf(spec, after[0])) {
      // The array would be made only to be taken apart.
      const unwinding = after[0]!.get('$unwind');
      compiled.push({ stage: lookup(spec, env, name, unwinding), shown: shownLookup(spec, unwinding) });
      at++;
    } else compiled.push({ stage: STAGES[name]!(spec, env, name), shown: stage });
    if (at === 0 && name === '$geoNear') env = { ...env, context: { ...context, metadata: MEASURED } };
    if (at === 0 && isTextMatch(stage)) env = { ...env, context: afterText(stage, context) };
  }
  return compiled;
}

/** The stages after a `$text` know its score, and search no more. */
function afterText(stage: Doc, { textIndex, ...context }: PipelineContext): PipelineContext {
  const { metadata } = compileFilter(stage.get('$match') as Doc, { ...context, ...(textIndex && { textIndex }) });
  return { ...context, metadata };
}

/** Of what is sorted, how many from the front are ever looked at. */
function keptAfterSort(after: readonly Doc[]): number {
  let skipped = 0;
  for (const stage of after) {
    if (stage.has('$skip')) skipped += Number(stage.get('$skip'));
    else return stage.has('$limit') ? skipped + Number(stage.get('$limit')) : Number.POSITIVE_INFINITY;
  }
  return Number.POSITIVE_INFINITY;
}

/** Whether the stage takes apart what the `$lookup` before it made. */
function unwindsOf(lookupSpec: Value, after: Doc | undefined): boolean {
  const unwinding = after?.get('$unwind');
  const path = isDoc(unwinding) ? unwinding.get('path') : unwinding;
  return isDoc(lookupSpec) && path !== undefined && path === `$${lookupSpec.get('as')}`;
}

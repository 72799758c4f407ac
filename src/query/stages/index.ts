import type { Doc } from '../../bson/index.ts';
import { located, notImplemented } from '../error.ts';
import { hasText } from '../filter/index.ts';
import type { PipelineContext } from '../types.ts';
import { isArray, isDoc } from '../value.ts';
import { densify, fill } from './gaps.ts';
import { bucket, bucketAuto, group, sortByCount } from './group.ts';
import { facet, graphLookup, lookup, unionWith } from './join.ts';
import { redact } from './redact.ts';
import * as simple from './simple.ts';
import { documents, fromServer } from './source.ts';
import type { Stage, StageCompiler, Stream } from './stage.ts';
import { unwind } from './unwind.ts';
import { setWindowFields } from './window.ts';
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
  $sort: simple.sort,
  $sortByCount: sortByCount,
  $unionWith: unionWith,
  $unset: simple.unset,
  $unwind: unwind,
};

const FIRST_ONLY = new Set([
  '$collStats',
  '$currentOp',
  '$documents',
  '$indexStats',
  '$listLocalSessions',
  '$listSessions',
  '$planCacheStats',
]);
const LAST_ONLY = new Set(['$out', '$merge']);
/** Stages that MongoDB has and DiscoDB has not. */
const NOT_HERE = new Set(['$changeStream', '$geoNear', '$search', '$searchMeta', '$vectorSearch', '$rankFusion']);

/** Checks the stages' names and places, without their arguments. */
export function checkPipeline(stages: readonly Doc[]): void {
  if (stages.length > MAX_STAGES)
    throw located(7749501, `Pipeline length must be no longer than ${MAX_STAGES} stages.`);
  for (const [at, stage] of stages.entries()) {
    const name = stageName(stage);
    if (NOT_HERE.has(name)) throw notImplemented(`${name} is not supported by DiscoDB`);
    if (!Object.hasOwn(STAGES, name)) throw located(40324, `Unrecognized pipeline stage name: '${name}'`);
    if (FIRST_ONLY.has(name) && at > 0) throw located(40602, `${name} is only valid as the first stage in a pipeline.`);
    if (at > 0 && isTextMatch(stage)) {
      throw located(17313, '$match with $text is only allowed as the first pipeline stage');
    }
    if (LAST_ONLY.has(name) && at < stages.length - 1) {
      throw located(40601, `${name} can only be the final stage in the pipeline`);
    }
    checkNested(name, stage);
  }
}

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
    if (banned)
      throw located(name === '$facet' ? 40600 : 51047, `${banned} is not allowed to be used within a ${name} stage`);
  }
}

function isTextMatch(stage: Doc): boolean {
  const filter = stage.get('$match');
  return isDoc(filter) && hasText(filter);
}

/** Whether a stage may not stand in a pipeline within the stage `outer`. */
function isBanned(stage: Doc, outer: string): boolean {
  const name = stageName(stage);
  if (LAST_ONLY.has(name)) return true;
  return outer === '$facet' && (name === '$facet' || FIRST_ONLY.has(name) || isTextMatch(stage));
}

function stageName(stage: Doc): string {
  const name = stage.keys().next().value;
  if (stage.size !== 1 || name === undefined) {
    throw located(40323, 'A pipeline stage specification object must contain exactly one field.');
  }
  return name;
}

/** Whether a pipeline's first stage makes its own documents, so that its collection need not be read. */
export function startsPipeline(stages: readonly Doc[]): boolean {
  const [first] = stages;
  return first !== undefined && FIRST_ONLY.has(stageName(first));
}

/** Compiles the whole pipeline at once and runs it as its result is pulled. */
export function runPipeline(stages: readonly Doc[], source: Stream, context: PipelineContext): Stream {
  checkPipeline(stages);
  const compiled = stages.map((stage): Stage => {
    const name = stageName(stage);
    return STAGES[name]!(stage.get(name), { context, run: runPipeline }, name);
  });
  return compiled.reduce((stream, stage) => stage(stream), source);
}

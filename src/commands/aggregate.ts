import { CodedError } from '../base/index.ts';
import type { Doc, Value } from '../bson/index.ts';
import { EXECUTING_AGGREGATE } from '../engine/index.ts';
import { defineCommand } from './command.ts';
import { explainCommand } from './explain.ts';
import { isDocument } from './fields.ts';
import { aggregateFields } from './shared/aggregate-fields.ts';
import { aggregateSources } from './shared/aggregate-sources.ts';
import { checkUuid } from './shared/collection-uuid.ts';
import { sessionOf } from './shared/cursor-reply.ts';
import { readable, showNamespace, writable } from './shared/namespace.ts';
import { checkNatural, diskUse, queryContext } from './shared/query.ts';
import { checkStableStages } from './shared/strict-api.ts';

export const aggregate = defineCommand({
  name: 'aggregate',
  apiV1: true,
  writes: (body) => writesOut(body.get('pipeline')),
  readConcern: true,
  help: 'runs an aggregation pipeline',
  unstable: ['explain'],
  fields: aggregateFields,
  async run(args, request, context): Promise<Doc> {
    const { pipeline } = args;
    if (request.generic.api.strict) checkStableStages(pipeline);
    if (args.explain && request.body.has('writeConcern')) {
      const message = "Aggregation explain does not support the'writeConcern' option";
      throw new CodedError('FailedToParse', message);
    }
    if (args.explain) return explainCommand(withoutExplain(request.body), 'queryPlanner', request, context);
    if (!args.cursor) {
      throw new CodedError(
        'FailedToParse',
        "The 'cursor' option is required, except for aggregate with the explain argument",
      );
    }
    const ns = readable(request.db, args.aggregate);
    checkUuid(context.engine, ns, args.collectionUUID);
    checkNatural(undefined, args.hint);
    refuseChangeStream(pipeline);
    checkBeginning(pipeline, typeof request.body.get('aggregate') !== 'string');
    checkReadConcern(pipeline, request.generic.readConcern.level);
    const source = await context.engine.aggregate(ns, pipeline, {
      read: request.generic.readConcern.read,
      context: queryContext(context, args.let),
      hint: args.hint,
      allowDiskUse: diskUse(args.allowDiskUse, context),
      bypassValidation: args.bypassDocumentValidation,
      collation: args.collation,
      sources: aggregateSources(context),
    });
    // Nothing has run yet: what is wrong with the stages themselves is told first.
    checkTarget(pipeline, request.db);
    const cursor = await context.cursors.begin(
      source,
      {
        ns: showNamespace(ns),
        batchSize: args.cursor?.batchSize,
        session: sessionOf(request),
        maxTimeMS: request.generic.maxTimeMS,
        executing: EXECUTING_AGGREGATE,
      },
      request.operation,
    );
    return new Map<string, Value>([['cursor', cursor]]);
  },
});

function withoutExplain(body: Doc): Doc {
  return new Map([...body].filter(([name]) => name !== 'explain'));
}

function writesOut(pipeline: Value): boolean {
  const last = Array.isArray(pipeline) ? pipeline.at(-1) : undefined;
  return isDocument(last) && (last.has('$out') || last.has('$merge'));
}

/** Stages that need no collection, and may have none. */
const COLLECTIONLESS: ReadonlySet<string> = new Set(['$currentOp', '$documents', '$listLocalSessions']);

/** A pipeline without a collection begins with documents of its own, and one that does so has no collection. */
function checkBeginning(pipeline: readonly Doc[], collectionless: boolean): void {
  const name = pipeline[0]?.keys().next().value;
  if (name === undefined && collectionless) {
    throw new CodedError('InvalidNamespace', '{aggregate: 1} is not valid for an empty pipeline.');
  }
  if (name === undefined || collectionless === COLLECTIONLESS.has(name)) return;
  if (collectionless) {
    throw new CodedError('InvalidNamespace', `{aggregate: 1} is not valid for '${name}'; a collection is required.`);
  }
  if (name !== '$currentOp') throw new CodedError('InvalidNamespace', `'${name}' can only be run with {aggregate: 1}`);
}

function refuseChangeStream(pipeline: readonly Doc[]): void {
  if (!pipeline.some((stage) => stage.has('$changeStream'))) return;
  throw new CodedError('Location40573', 'The $changeStream stage is not supported by DiscoDB yet');
}

/** Throws where nothing may be written. */
function checkTarget(pipeline: readonly Doc[], db: string): void {
  const last = pipeline.at(-1);
  const out = last?.get('$out') ?? into(last?.get('$merge'));
  if (typeof out === 'string') writable(db, out);
  if (!isDocument(out)) return;
  const [toDb, coll] = [out.get('db') || db, out.get('coll')];
  if (typeof toDb === 'string' && typeof coll === 'string') writable(toDb, coll);
}

/** Stages that tell of the server as it is. */
const LOCAL: ReadonlySet<string> = new Set(['$currentOp', '$listLocalSessions', '$planCacheStats']);

/** What is written could not be proven to be the newest as it is read, and some stages know no other moment than this one. */
function checkReadConcern(pipeline: readonly Doc[], level: string): void {
  const local = pipeline.map((stage) => stage.keys().next().value ?? '').find((each) => LOCAL.has(each));
  if (local !== undefined && level !== 'local') {
    throw new CodedError(
      'InvalidOptions',
      `Command aggregate does not support { readConcern: { level: "${level}", provenance: "clientSupplied" } } :: caused by :: Aggregation stage ${local} cannot run with a readConcern other than 'local'. Current readConcern: ${level}`,
    );
  }
  const name = ['$out', '$merge'].find((each) => pipeline.at(-1)?.has(each));
  if (name === undefined || level !== 'linearizable') return;
  throw new CodedError('InvalidOptions', `${name} cannot be used with a 'linearizable' read concern level`);
}

function into(merge: Value): Value {
  return isDocument(merge) ? merge.get('into') : merge;
}

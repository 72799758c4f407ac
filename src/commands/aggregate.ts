import { CodedError } from '../base/index.ts';
import { type Doc, doc, type Value } from '../bson/index.ts';
import { defineCommand } from './command.ts';
import { explainCommand } from './explain.ts';
import { isDocument } from './fields.ts';
import { aggregateFields } from './shared/aggregate-fields.ts';
import { sessionOf } from './shared/cursor-reply.ts';
import { readable, showNamespace, writable } from './shared/namespace.ts';
import { queryContext } from './shared/query.ts';
import { showOperations } from './shared/show-operations.ts';
import type { Context } from './types.ts';

export const aggregate = defineCommand({
  name: 'aggregate',
  apiV1: true,
  writes: (body) => writesOut(body.get('pipeline')),
  readConcern: true,
  help: 'runs an aggregation pipeline',
  fields: aggregateFields,
  async run(args, request, context): Promise<Doc> {
    const { pipeline } = args;
    if (args.explain) return explainCommand(withoutExplain(request.body), 'queryPlanner', request, context);
    if (!args.cursor) {
      throw new CodedError(
        'FailedToParse',
        "The 'cursor' option is required, except for aggregate with the explain argument",
      );
    }
    const ns = readable(request.db, args.aggregate);
    refuseChangeStream(pipeline);
    checkReadConcern(pipeline, request.generic.readConcern.level);
    const source = await context.engine.aggregate(ns, withOperations(pipeline, request.db, context), {
      read: request.generic.readConcern.read,
      context: queryContext(context, args.let),
      hint: args.hint,
      bypassValidation: args.bypassDocumentValidation,
      collation: args.collation,
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
      },
      request.operation,
    );
    return new Map<string, Value>([['cursor', cursor]]);
  },
});

/** What runs is known here and not to the engine: `$currentOp` becomes the documents that it stands for. */
function withOperations(pipeline: readonly Doc[], db: string, context: Context): readonly Doc[] {
  const [first, ...rest] = pipeline;
  if (!first?.has('$currentOp')) return pipeline;
  if (db !== 'admin') {
    throw new CodedError('InvalidNamespace', "$currentOp must be run against the 'admin' database with {aggregate: 1}");
  }
  return [doc({ $documents: { $literal: showOperations(context) } }), ...rest];
}

function withoutExplain(body: Doc): Doc {
  return new Map([...body].filter(([name]) => name !== 'explain'));
}

function writesOut(pipeline: Value): boolean {
  const last = Array.isArray(pipeline) ? pipeline.at(-1) : undefined;
  return isDocument(last) && (last.has('$out') || last.has('$merge'));
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
  const [toDb, coll] = [out.get('db') ?? db, out.get('coll')];
  if (typeof toDb === 'string' && typeof coll === 'string') writable(toDb, coll);
}

/** What is written could not be proven to be the newest as it is read. */
function checkReadConcern(pipeline: readonly Doc[], level: string): void {
  const name = ['$out', '$merge'].find((each) => pipeline.at(-1)?.has(each));
  if (name === undefined || level !== 'linearizable') return;
  throw new CodedError('InvalidOptions', `${name} cannot be used with a 'linearizable' read concern level`);
}

function into(merge: Value): Value {
  return isDocument(merge) ? merge.get('into') : merge;
}

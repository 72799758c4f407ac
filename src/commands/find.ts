import type { Value } from '../bson/index.ts';
import { EXECUTING_AGGREGATE } from '../engine/index.ts';
import { defineCommand } from './command.ts';
import { checkUuid } from './shared/collection-uuid.ts';
import { sessionOf } from './shared/cursor-reply.ts';
import { FIND_PATH, findFields, findQuery } from './shared/find-query.ts';
import { readable, showNamespace } from './shared/namespace.ts';

export const find = defineCommand({
  name: 'find',
  apiV1: true,
  readConcern: true,
  help: 'returns the documents that match a filter',
  unstable: ['min', 'max', 'returnKey', 'showRecordId', 'noCursorTimeout', 'tailable', 'awaitData', 'oplogReplay'],
  parsedAs: FIND_PATH,
  fields: findFields,
  async run(args, request, context) {
    const ns = readable(request.db, args.find);
    checkUuid(context.engine, ns, args.collectionUUID);
    const source = await context.engine.find(ns, findQuery(args, request, context));
    const options = {
      ns: showNamespace(ns),
      batchSize: args.batchSize,
      singleBatch: args.singleBatch,
      limit: args.limit,
      noTimeout: args.noCursorTimeout,
      session: sessionOf(request),
      // Where a getMore waits, it says itself for how long.
      maxTimeMS: args.awaitData ? 0 : request.generic.maxTimeMS,
      awaitData: args.awaitData,
      executing: context.engine.resolveView(ns)
        ? EXECUTING_AGGREGATE
        : `Executor error during find command: ${showNamespace(ns)}`,
    };
    return new Map<string, Value>([['cursor', await context.cursors.begin(source, options, request.operation)]]);
  },
});

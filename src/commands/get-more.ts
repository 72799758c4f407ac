import type { Doc, Value } from '../bson/index.ts';
import { defineCommand } from './command.ts';
import { document, integer, long, required, string } from './fields.ts';
import { sessionOf } from './shared/cursor-reply.ts';
import { readable, showNamespace } from './shared/namespace.ts';

export const getMore = defineCommand({
  name: 'getMore',
  apiV1: true,
  help: 'returns the next batch of a cursor',
  fields: {
    getMore: required(long()),
    collection: required(string()),
    batchSize: integer({ min: 0 }),
    term: integer(),
    lastKnownCommittedOpTime: document(),
  },
  async run(args, request, context): Promise<Doc> {
    const ns = showNamespace(readable(request.db, args.collection));
    const { maxTimeMS } = request.generic;
    const asked = { batchSize: args.batchSize, maxTimeMS: maxTimeMS > 0 ? maxTimeMS : undefined };
    const cursor = await context.cursors.more(args.getMore, ns, asked, sessionOf(request), request.operation);
    return new Map<string, Value>([['cursor', cursor]]);
  },
});

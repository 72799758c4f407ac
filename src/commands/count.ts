import { Int32, type Value } from '../bson/index.ts';
import { defineCommand } from './command.ts';
import { checkUuid } from './shared/collection-uuid.ts';
import { countFields, countQuery } from './shared/count-query.ts';
import { readable } from './shared/namespace.ts';

const MAX_INT32 = 2 ** 31 - 1;

export const count = defineCommand({
  name: 'count',
  apiV1: true,
  readConcern: true,
  help: 'counts the documents that match a query',
  fields: countFields,
  async run(args, request, context) {
    const ns = readable(request.db, args.count);
    checkUuid(context.engine, ns, args.collectionUUID);
    const n = await context.engine.count(ns, countQuery(args, request, context));
    return new Map<string, Value>([['n', n > MAX_INT32 ? BigInt(n) : new Int32(n)]]);
  },
});

import type { Value } from '../bson/index.ts';
import { defineCommand } from './command.ts';
import { DISTINCT_PATH, distinctFields, distinctQuery } from './shared/distinct-query.ts';
import { readable } from './shared/namespace.ts';

export const distinct = defineCommand({
  name: 'distinct',
  readConcern: true,
  help: 'lists the distinct values of a field',
  parsedAs: DISTINCT_PATH,
  fields: distinctFields,
  async run(args, request, context) {
    const ns = readable(request.db, args.distinct);
    const values = await context.engine.distinct(ns, args.key, distinctQuery(args, request, context));
    return new Map<string, Value>([['values', values]]);
  },
});

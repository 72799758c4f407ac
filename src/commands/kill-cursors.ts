import type { Value } from '../bson/index.ts';
import { defineCommand } from './command.ts';
import { arrayOf, collectionName, long, required } from './fields.ts';
import { readable } from './shared/namespace.ts';

export const killCursors = defineCommand({
  name: 'killCursors',
  apiV1: true,
  help: 'ends cursors',
  fields: { killCursors: collectionName(), cursors: required(arrayOf(required(long()))) },
  run(args, request, { cursors }) {
    readable(request.db, args.killCursors);
    const killed: bigint[] = [];
    const notFound: bigint[] = [];
    for (const id of args.cursors) (cursors.kill(id) ? killed : notFound).push(id);
    return new Map<string, Value>([
      ['cursorsKilled', killed],
      ['cursorsNotFound', notFound],
      ['cursorsAlive', []],
      ['cursorsUnknown', []],
    ]);
  },
});

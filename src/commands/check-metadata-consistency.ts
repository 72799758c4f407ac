import { defineCommand } from './command.ts';
import { any, boolean } from './fields.ts';
import { cursorField, listReply } from './shared/cursor-reply.ts';
import { readable, showNamespace } from './shared/namespace.ts';

/** A mongos compares what its shards say of collections. There are none, so nothing can contradict anything else. */
export const checkMetadataConsistency = defineCommand({
  name: 'checkMetadataConsistency',
  help: 'lists contradictions between shards',
  fields: { checkMetadataConsistency: any(), checkIndexes: boolean(), cursor: cursorField() },
  async run(args, request, context) {
    const { checkMetadataConsistency: target, cursor } = args;
    const ns = readable(request.db, typeof target === 'string' ? target : '$cmd.aggregate');
    return listReply([], { ns: showNamespace(ns), batchSize: cursor?.batchSize }, request, context);
  },
});

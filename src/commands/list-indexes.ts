import { CodedError } from '../base/index.ts';
import type { Value } from '../bson/index.ts';
import { defineCommand } from './command.ts';
import { boolean, collectionName, isDocument } from './fields.ts';
import { cursorField, listReply } from './shared/cursor-reply.ts';
import { readable, refuseView, showNamespace } from './shared/namespace.ts';

export const listIndexes = defineCommand({
  name: 'listIndexes',
  apiV1: true,
  help: 'lists the indexes of a collection',
  fields: {
    listIndexes: collectionName(),
    cursor: cursorField(),
    includeBuildUUIDs: boolean(),
    includeIndexBuildInfo: boolean(),
  },
  async run(args, request, context) {
    const ns = readable(request.db, args.listIndexes);
    refuseView(context.engine, ns);
    const info = context.engine.collection(ns);
    if (!info) throw new CodedError('NamespaceNotFound', `ns does not exist: ${showNamespace(ns)}`);
    const clustered = info.options.get('clusteredIndex');
    const specs = info.indexes.map(({ name, spec }) =>
      name === '_id_' && isDocument(clustered) ? new Map<string, Value>([...clustered, ['clustered', true]]) : spec,
    );
    return listReply(specs, { ns: showNamespace(ns), batchSize: args.cursor?.batchSize }, request, context);
  },
});

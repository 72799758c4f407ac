import { CodedError } from '../base/index.ts';
import { defineCommand } from './command.ts';
import { collectionName, integer, required } from './fields.ts';
import { cappedSize } from './shared/capped.ts';
import { refuseView, showNamespace, writable } from './shared/namespace.ts';

export const convertToCapped = defineCommand({
  name: 'convertToCapped',
  writes: true,
  help: 'caps a collection: the oldest documents go, and all indexes but that on _id',
  fields: { convertToCapped: collectionName(), size: required(integer({ min: 1 })) },
  async run(args, request, { engine }) {
    const ns = writable(request.db, args.convertToCapped);
    refuseView(engine, ns);
    if (!engine.collection(ns)) {
      throw new CodedError('NamespaceNotFound', `source collection ${showNamespace(ns)} does not exist`);
    }
    await engine.convertToCapped(ns, cappedSize(args.size));
    return new Map();
  },
});

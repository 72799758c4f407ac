import { doc } from '../bson/index.ts';
import { indexesOf } from '../engine/index.ts';
import { defineCommand } from './command.ts';
import { collectionName } from './fields.ts';
import { checkUuid, collectionUuid } from './shared/collection-uuid.ts';
import { showNamespace, writable } from './shared/namespace.ts';

/** Dropping what is not there succeeds, as since MongoDB 7.0. */
export const drop = defineCommand({
  name: 'drop',
  apiV1: true,
  writes: true,
  help: 'removes a collection',
  fields: { drop: collectionName(), collectionUUID: collectionUuid() },
  async run(args, request, { engine }) {
    const ns = writable(request.db, args.drop);
    checkUuid(engine, ns, args.collectionUUID);
    const dropped = await engine.dropCollection(ns);
    if (!dropped) return doc({});
    const nIndexesWas = dropped.options.has('viewOn') ? undefined : indexesOf(dropped).length;
    return doc({ nIndexesWas, ns: showNamespace(ns) });
  },
});

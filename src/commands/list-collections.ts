import { Binary, type Doc, doc } from '../bson/index.ts';
import type { CollectionInfo } from '../engine/index.ts';
import { compileFilter } from '../query/index.ts';
import { defineCommand } from './command.ts';
import { any, boolean, document, strictBoolean, withDefault } from './fields.ts';
import { cursorField, listReply } from './shared/cursor-reply.ts';
import { queryContext } from './shared/query.ts';
import { systemViews } from './shared/system-views.ts';

export const listCollections = defineCommand({
  name: 'listCollections',
  apiV1: true,
  help: 'lists the collections of a database',
  fields: {
    listCollections: any(),
    filter: document(),
    nameOnly: withDefault(strictBoolean(), false),
    authorizedCollections: strictBoolean(),
    cursor: cursorField(),
    includePendingDrops: boolean(),
  },
  async run(args, request, context) {
    const { db } = request;
    const filter = compileFilter(args.filter ?? new Map(), queryContext(context));
    const views = context.engine.views(db);
    const kept = systemViews(context.engine, db);
    const collections = [...context.engine.collections(db), ...(kept ? [kept] : [])].map(entry);
    const all = [...collections, ...views.map(viewEntry)];
    const asked = args.nameOnly ? all.map((each) => doc({ name: each.get('name'), type: each.get('type') })) : all;
    const shown = asked.filter((each) => filter.matches(each));
    return listReply(shown, { ns: `${db}.$cmd.listCollections`, batchSize: args.cursor?.batchSize }, request, context);
  },
});

function viewEntry({ ns, options }: CollectionInfo): Doc {
  return doc({ name: ns.coll, type: 'view', options, info: { readOnly: true } });
}

function entry({ ns, uuid, options, indexes }: CollectionInfo): Doc {
  return doc({
    name: ns.coll,
    type: 'collection',
    options,
    info: { readOnly: false, uuid: new Binary(uuid, Binary.SUBTYPE_UUID) },
    idIndex: options.has('clusteredIndex') ? undefined : indexes.find(({ name }) => name === '_id_')?.spec,
  });
}

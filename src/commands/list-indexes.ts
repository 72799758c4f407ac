import { CodedError } from '../base/index.ts';
import { type Doc, doc, Int32, type Value } from '../bson/index.ts';
import { defineCommand } from './command.ts';
import { boolean, collectionName, isDocument } from './fields.ts';
import { cursorField, listReply } from './shared/cursor-reply.ts';
import { readable, refuseView, showNamespace } from './shared/namespace.ts';
import { systemViews } from './shared/system-views.ts';

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
    if (args.includeBuildUUIDs && args.includeIndexBuildInfo) {
      const why = 'The includeBuildUUIDs flag and includeBuildIndexInfo flag cannot both be set to true';
      throw new CodedError('InvalidOptions', why);
    }
    refuseView(context.engine, ns);
    const info = ns.coll === 'system.views' ? systemViews(context.engine, ns.db) : context.engine.collection(ns);
    if (!info) throw new CodedError('NamespaceNotFound', `ns does not exist: ${showNamespace(ns)}`);
    const clustered = info.options.get('clusteredIndex');
    const specs = info.indexes.map(({ name, spec }) =>
      name === '_id_' && isDocument(clustered) ? new Map<string, Value>([...clustered, ['clustered', true]]) : spec,
    );
    // What is being built, of which there would be more to tell, is not listed yet.
    const shown = specs.map(inReplyTypes).map((spec) => (args.includeIndexBuildInfo ? doc({ spec }) : spec));
    return listReply(shown, { ns: showNamespace(ns), batchSize: args.cursor?.batchSize }, request, context);
  },
});

/** Options that are kept as the number that they were given as, and listed as one of a type. */
const REPLY_TYPES: ReadonlyMap<string, (given: number) => Value> = new Map<string, (given: number) => Value>([
  ...['min', 'max'].map((name) => [name, (given: number) => given] as const),
  ...['bits', 'coarsestIndexedLevel', 'finestIndexedLevel', '2dsphereIndexVersion'].map(
    (name) => [name, (given: number) => new Int32(Math.trunc(given))] as const,
  ),
]);

function inReplyTypes(spec: Doc): Doc {
  return new Map([...spec].map(([name, value]) => [name, REPLY_TYPES.get(name)?.(Number(value)) ?? value]));
}

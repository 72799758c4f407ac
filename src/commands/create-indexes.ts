import { doc } from '../bson/index.ts';
import { checkIndexSpecs } from '../engine/index.ts';
import { defineCommand } from './command.ts';
import { any, arrayOf, boolean, collectionName, document, required, withDefault } from './fields.ts';
import { checkUuid, collectionUuid } from './shared/collection-uuid.ts';
import { writable } from './shared/namespace.ts';

export const createIndexes = defineCommand({
  name: 'createIndexes',
  apiV1: true,
  writes: true,
  help: 'makes indexes',
  fields: {
    createIndexes: collectionName(),
    indexes: required(arrayOf(required(document()))),
    ignoreUnknownIndexOptions: withDefault(boolean(), false),
    // One process builds every index: there is no quorum to wait for.
    commitQuorum: any(),
    background: boolean(),
    collectionUUID: collectionUuid(),
  },
  async run(args, request, { engine }) {
    const ns = writable(request.db, args.createIndexes);
    const specs = checkIndexSpecs(args.indexes, {
      ignoreUnknown: args.ignoreUnknownIndexOptions,
      apiStrict: request.generic.api.strict,
    });
    checkUuid(engine, ns, args.collectionUUID);
    const { before, after, createdCollection } = await engine.createIndexes(ns, specs);
    return doc({
      numIndexesBefore: before,
      numIndexesAfter: after,
      createdCollectionAutomatically: createdCollection,
      note: noteOf(after - before, specs.length),
    });
  },
});

/** Where some of the indexes were there. */
function noteOf(made: number, asked: number): string | undefined {
  if (made === 0) return 'all indexes already exist';
  return made < asked ? 'index already exists' : undefined;
}

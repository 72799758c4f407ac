import { CodedError } from '../base/index.ts';
import { type Doc, doc, typeAlias } from '../bson/index.ts';
import { isAll } from '../engine/index.ts';
import { defineCommand } from './command.ts';
import { collectionName, type Field, isDocument, required } from './fields.ts';
import { checkUuid, collectionUuid } from './shared/collection-uuid.ts';
import { refuseView, showNamespace, writable } from './shared/namespace.ts';

/** A name, `*`, a list of names, or a key. */
const which = (): Field<string | readonly string[] | Doc> =>
  required({
    absent: () => undefined,
    takesNull: true,
    parse(value, path) {
      if (typeof value === 'string' || isDocument(value)) return value;
      if (Array.isArray(value) && value.every((each) => typeof each === 'string')) return value;
      throw new CodedError(
        'TypeMismatch',
        `BSON field '${path}' is the wrong type '${typeAlias(value)}', expected types '[string, array, object]'`,
      );
    },
  });

export const dropIndexes = defineCommand({
  name: 'dropIndexes',
  aliases: ['deleteIndexes'],
  apiV1: true,
  writes: true,
  help: 'removes indexes',
  fields: { dropIndexes: collectionName(), index: which(), collectionUUID: collectionUuid() },
  async run(args, request, { engine }) {
    const ns = writable(request.db, args.dropIndexes);
    checkUuid(engine, ns, args.collectionUUID);
    refuseView(engine, ns);
    if (!engine.collection(ns)) throw new CodedError('NamespaceNotFound', `ns not found ${showNamespace(ns)}`);
    const nIndexesWas = await engine.dropIndexes(ns, args.index);
    const msg = isAll(args.index) ? 'non-_id indexes dropped for collection' : undefined;
    return doc({ nIndexesWas, msg });
  },
});

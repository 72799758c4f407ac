import { CodedError } from '../base/index.ts';
import { doc, validate as validateBson } from '../bson/index.ts';
import type { DocCursor } from '../engine/index.ts';
import { defineCommand } from './command.ts';
import { boolean, collectionName } from './fields.ts';
import { readable, refuseView, showNamespace } from './shared/namespace.ts';
import { queryContext } from './shared/query.ts';

const BATCH_DOCS = 1000;
const BATCH_BYTES = 16 * 1024 * 1024;

/** Reads every document and checks that it is sound BSON. What Discord holds beside the documents is the log's to check. */
export const validate = defineCommand({
  name: 'validate',
  lenient: true,
  help: 'reads a collection and checks its documents',
  fields: {
    validate: collectionName(),
    full: boolean(),
    background: boolean(),
    repair: boolean(),
    metadata: boolean(),
    checkBSONConformance: boolean(),
  },
  async run(args, request, context) {
    const ns = readable(request.db, args.validate);
    refuseView(context.engine, ns);
    const info = context.engine.collection(ns);
    if (!info) {
      throw new CodedError('NamespaceNotFound', `Collection '${showNamespace(ns)}' does not exist to validate.`);
    }
    const everything = { filter: new Map(), skip: 0, limit: 0, read: 'local', context: queryContext(context) } as const;
    const source = await context.engine.find(ns, everything);
    const { nrecords, errors } = await check(source, request.signal);
    return doc({
      ns: showNamespace(ns),
      nInvalidDocuments: errors.length,
      nNonCompliantDocuments: 0,
      nrecords,
      nIndexes: info.indexes.length,
      valid: errors.length === 0,
      repaired: false,
      warnings: [],
      errors,
    });
  },
});

async function check(source: DocCursor, signal: AbortSignal): Promise<{ nrecords: number; errors: string[] }> {
  const errors: string[] = [];
  let nrecords = 0;
  try {
    while (!source.exhausted) {
      const batch = await source.next(BATCH_DOCS, BATCH_BYTES, signal);
      signal.throwIfAborted();
      nrecords += batch.length;
      for (const bytes of batch) {
        try {
          validateBson(bytes);
        } catch (error) {
          if (!(error instanceof CodedError)) throw error;
          errors.push(error.message);
        }
      }
    }
  } finally {
    source.close();
  }
  return { nrecords, errors };
}

import { CodedError } from '../base/index.ts';
import { defineCommand } from './command.ts';
import { collectionName } from './fields.ts';
import { allFail, uuidMismatch } from './shared/collection-uuid.ts';
import { writable } from './shared/namespace.ts';
import { checkBatchSize, writeFields, writeOptions, writeReply } from './shared/writes.ts';

/** Document checks (size, type of `_id`) are the engine's: there they count for upserts too, statement by statement. */
export const insert = defineCommand({
  name: 'insert',
  apiV1: true,
  writes: true,
  retryable: true,
  raw: 'documents',
  help: 'inserts documents',
  fields: { insert: collectionName(), ...writeFields },
  async run(args, request, context) {
    const ns = writable(request.db, args.insert);
    const { documents } = request;
    if (!documents) {
      throw new CodedError('IDLFailedToParse', "BSON field 'insert.documents' is missing but a required field");
    }
    checkBatchSize(documents.length);
    const mismatch = uuidMismatch(context.engine, ns, args.collectionUUID);
    const result = mismatch
      ? allFail(mismatch, documents.length, args.ordered)
      : await context.engine.insert(ns, documents, writeOptions(args, request, context));
    return writeReply('insert', result, request, context);
  },
});

import { CodedError } from '../base/index.ts';
import { type Doc, Int32, RawDoc, type Value } from '../bson/index.ts';
import type { FindAndModifyResult } from '../engine/index.ts';
import { askedOf } from '../query/index.ts';
import { defineCommand } from './command.ts';
import { arrayOf, boolean, collectionName, document, integer, required, unsupported, withDefault } from './fields.ts';
import { writable } from './shared/namespace.ts';
import { checkNatural, collation, hint, queryContext } from './shared/query.ts';
import { updateSpec } from './shared/update-spec.ts';
import { addConcernError, retryIdentity } from './shared/writes.ts';

export const findAndModifyFields = {
  findAndModify: collectionName(),
  query: document(),
  sort: document(),
  remove: withDefault(boolean(), false),
  update: updateSpec(),
  new: withDefault(boolean(), false),
  fields: document(),
  upsert: withDefault(boolean(), false),
  bypassDocumentValidation: boolean(),
  arrayFilters: arrayOf(required(document())),
  collation: collation(),
  hint: hint(),
  let: document(),
  stmtId: integer(),
  encryptionInformation: unsupported('queryable encryption', () => false),
};

export const findAndModify = defineCommand({
  name: 'findAndModify',
  aliases: ['findandmodify'],
  apiV1: true,
  writes: true,
  retryable: true,
  help: 'changes or removes one document and returns it',
  fields: findAndModifyFields,
  async run(args, request, context) {
    const ns = writable(request.db, args.findAndModify);
    checkKind(args);
    checkNatural(args.sort, args.hint);
    if (args.fields && askedOf(args.fields).has('sortKey')) {
      throw new CodedError('BadValue', 'Cannot use a $meta sortKey projection in findAndModify commands.');
    }
    const { query, sort, fields, arrayFilters, hint, update, upsert, collation } = args;
    const statement = {
      filter: query ?? new Map(),
      sort,
      fields,
      arrayFilters,
      hint,
      update,
      upsert,
      collation,
      returnNew: args.new,
    };
    const result = await context.engine.findAndModify(ns, statement, {
      ordered: true,
      retry: retryIdentity(request, { stmtId: args.stmtId }),
      context: queryContext(context, args.let),
      bypassValidation: args.bypassDocumentValidation,
      signal: request.signal,
    });
    const reply: Doc = new Map<string, Value>([
      ['lastErrorObject', lastError(result, args.remove)],
      ['value', result.value && new RawDoc(result.value)],
    ]);
    await addConcernError(reply, result.durable, request, context);
    return reply;
  },
});

function checkKind(args: {
  remove: boolean;
  update: unknown;
  upsert: boolean;
  new: boolean;
  arrayFilters: unknown;
}): void {
  const refuse = (message: string) => new CodedError('FailedToParse', message);
  if (!args.remove && !args.update) throw refuse('Either an update or remove=true must be specified');
  if (!args.remove) {
    if (Array.isArray(args.update) && args.arrayFilters) {
      throw refuse('Cannot specify arrayFilters and a pipeline update');
    }
    return;
  }
  if (args.update) throw refuse('Cannot specify both an update and remove=true');
  if (args.upsert) throw refuse('Cannot specify both upsert=true and remove=true ');
  if (args.new)
    throw refuse("Cannot specify both new=true and remove=true; 'remove' always returns the deleted document");
  if (args.arrayFilters) throw refuse('Cannot specify arrayFilters and remove=true');
}

function lastError(result: FindAndModifyResult, remove: boolean): Doc {
  const report: Doc = new Map<string, Value>([['n', new Int32(result.n)]]);
  if (!remove) report.set('updatedExisting', result.updatedExisting);
  if (result.upsertedId !== undefined) report.set('upserted', result.upsertedId);
  return report;
}

import { CodedError } from '../base/index.ts';
import type { DeleteStatement } from '../engine/index.ts';
import { defineCommand } from './command.ts';
import { byHand, collectionName, document, type Field, required, structs, toNumber } from './fields.ts';
import { allFail, uuidMismatch } from './shared/collection-uuid.ts';
import { writable } from './shared/namespace.ts';
import { collation, hint } from './shared/query.ts';
import { checkBatchSize, writeFields, writeOptions, writeReply } from './shared/writes.ts';

/** 1, or 0 for no limit, which is also what everything but a number stands for (`readMultiDeleteProperty`). */
const limit = (): Field<0 | 1 | undefined> =>
  byHand((value) => {
    const number = toNumber(value) ?? 0;
    if (number === 0 || number === 1) return number;
    throw new CodedError('FailedToParse', `The limit field in delete objects must be 0 or 1. Got ${number}`);
  });

const statement = {
  q: required(document()),
  limit: required(limit()),
  collation: collation(),
  hint: hint(),
};

export const deleteFields = { delete: collectionName(), deletes: required(structs(statement)), ...writeFields };

export const deleteCommand = defineCommand({
  name: 'delete',
  apiV1: true,
  writes: true,
  retryable: true,
  help: 'removes documents',
  fields: deleteFields,
  async run(args, request, context) {
    checkBatchSize(args.deletes.length);
    const ns = writable(request.db, args.delete);
    const statements = args.deletes.map(({ q, limit, hint, collation }): DeleteStatement => {
      if (limit === 0 && request.generic.txnNumber !== undefined) {
        throw new CodedError('InvalidOptions', 'Cannot use (or request) retryable writes with limit=0');
      }
      return { filter: q, limit, hint, collation };
    });
    const mismatch = uuidMismatch(context.engine, ns, args.collectionUUID);
    const result = mismatch
      ? allFail(mismatch, statements.length, args.ordered)
      : await context.engine.delete(ns, statements, writeOptions(args, request, context));
    return writeReply('delete', result, request, context);
  },
});

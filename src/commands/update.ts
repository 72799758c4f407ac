import { CodedError } from '../base/index.ts';
import type { UpdateStatement } from '../engine/index.ts';
import { defineCommand } from './command.ts';
import { arrayOf, collectionName, document, required, strictBoolean, structs, withDefault } from './fields.ts';
import { allFail, uuidMismatch } from './shared/collection-uuid.ts';
import { writable } from './shared/namespace.ts';
import { collation, hint } from './shared/query.ts';
import { updateSpec } from './shared/update-spec.ts';
import { checkBatchSize, writeFields, writeOptions, writeReply } from './shared/writes.ts';

const statement = {
  q: required(document()),
  u: required(updateSpec()),
  c: document(),
  multi: withDefault(strictBoolean(), false),
  upsert: withDefault(strictBoolean(), false),
  arrayFilters: arrayOf(required(document())),
  collation: collation(),
  hint: hint(),
  sort: document(),
};

export const updateFields = { update: collectionName(), updates: required(structs(statement)), ...writeFields };

export const update = defineCommand({
  name: 'update',
  apiV1: true,
  writes: true,
  retryable: true,
  help: 'changes documents, or replaces them',
  fields: updateFields,
  async run(args, request, context) {
    checkBatchSize(args.updates.length);
    const ns = writable(request.db, args.update);
    const statements = args.updates.map(
      ({ q, u, c, multi, upsert, arrayFilters, hint, sort, collation }): UpdateStatement => {
        if (multi && request.generic.txnNumber !== undefined) {
          throw new CodedError('InvalidOptions', 'Cannot use (or request) retryable writes with multi=true');
        }
        if (multi && sort) throw new CodedError('FailedToParse', 'Cannot specify sort with multi=true');
        return { filter: q, update: u, constants: c, multi, upsert, arrayFilters, hint, sort, collation };
      },
    );
    const mismatch = uuidMismatch(context.engine, ns, args.collectionUUID);
    const result = mismatch
      ? allFail(mismatch, statements.length, args.ordered)
      : await context.engine.update(ns, statements, writeOptions(args, request, context));
    return writeReply('update', result, request, context);
  },
});

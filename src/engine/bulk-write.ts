import { CodedError, type Env } from '../base/index.ts';
import { compileFilter, type QueryContext } from '../query/index.ts';
import { collated } from './collation.ts';
import type { BulkOperation, BulkOutcome, BulkResult, StatementError, WriteOptions } from './contract.ts';
import { stamped, withIdFirst } from './document-id.ts';
import type { Loaded } from './handle.ts';
import type { Work } from './match.ts';
import { WriteBatch } from './write-batch.ts';
import { compileStatement, countRepeated, deleteStatement, insertOne, ONE, updateStatement } from './writes.ts';

/** An operation that did nothing. */
const NOTHING: BulkOutcome = { n: 0, nModified: 0 };

/** Runs what a `bulkWrite` does to one collection, as one batch. */
export async function bulkWrite(
  env: Env,
  loaded: Loaded,
  operations: readonly BulkOperation[],
  options: WriteOptions,
): Promise<BulkResult> {
  const batch = new WriteBatch(loaded, options);
  const outcomes: BulkOutcome[] = [];
  await batch.carryOut(run(env, batch, operations, outcomes));
  const { retriedStmtIds, durable } = batch.result();
  return { outcomes, retriedStmtIds, durable };
}

function* run(env: Env, batch: WriteBatch, operations: readonly BulkOperation[], outcomes: BulkOutcome[]): Work<void> {
  for (const [index, operation] of operations.entries()) {
    const { n, nModified } = batch;
    try {
      const repeated = batch.repeated(index);
      if (repeated) countRepeated(batch, index, repeated);
      else yield* carryOut(env, batch, index, operation);
    } catch (error) {
      const goesOn = batch.failed(index, error);
      outcomes.push({ ...NOTHING, error: error as Error });
      if (goesOn) continue;
      return;
    }
    const upserted = batch.upserted.at(-1);
    outcomes.push({
      n: batch.n - n,
      nModified: batch.nModified - nModified,
      ...(upserted?.index === index && { upserted: { id: upserted.id } }),
    });
  }
}

function* carryOut(env: Env, batch: WriteBatch, index: number, operation: BulkOperation): Work<void> {
  if (batch.options.retry && isMulti(operation)) {
    throw new CodedError('InvalidOptions', 'Cannot use retryable writes with multi=true');
  }
  switch (operation.kind) {
    case 'insert':
      insertOne(batch.loaded, withIdFirst(stamped(operation.document, batch.options.context), env), batch.options);
      batch.n++;
      batch.executed(index, () => ONE);
      return;
    case 'update':
      yield* updateStatement(env, batch, index, operation);
      return;
    case 'delete':
      yield* deleteStatement(batch, index, operation);
  }
}

function isMulti(operation: BulkOperation): boolean {
  return operation.kind === 'update' ? operation.multi : operation.kind === 'delete' && operation.limit === 0;
}

/** Throws what is wrong with an operation on a collection that does not exist. */
export function checkOperation(operation: BulkOperation, context: QueryContext): void {
  if (operation.kind === 'update') compileStatement(operation, context);
  if (operation.kind === 'delete') compileFilter(operation.filter, collated(context, operation.collation, undefined));
}

/** What operations did to a collection that does not exist, up to the error that ended them. */
export function outcomesOfNothing(
  operations: readonly BulkOperation[],
  errors: readonly StatementError[],
  ordered: boolean,
): BulkOutcome[] {
  const failed = new Map(errors.map(({ index, error }) => [index, error]));
  const run = ordered && errors[0] ? operations.slice(0, errors[0].index + 1) : operations;
  return run.map((_, index) => {
    const error = failed.get(index);
    return error ? { ...NOTHING, error } : NOTHING;
  });
}

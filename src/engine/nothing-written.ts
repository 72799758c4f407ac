import { CodedError } from '../base/index.ts';
import { outcomesOfNothing } from './bulk-write.ts';
import type { BulkOperation, BulkResult, Namespace, StatementError, WriteOptions, WriteResult } from './contract.ts';
import { notOnView } from './views.ts';

/** What statements do to a view: each fails. */
export function refused(ns: Namespace, statements: readonly unknown[], options: WriteOptions): WriteResult {
  return nothingWritten(statements, options, () => {
    throw notOnView(ns);
  });
}

export function bulkOfNothing(
  operations: readonly BulkOperation[],
  nothing: WriteResult,
  { ordered }: WriteOptions,
): BulkResult {
  return { ...nothing, outcomes: outcomesOfNothing(operations, nothing.errors, ordered) };
}

/** What statements do to a collection that does not exist: nothing; but what is wrong with them is said. */
export function nothingWritten<Statement>(
  statements: readonly Statement[],
  { ordered }: WriteOptions,
  check: (statement: Statement) => void,
): WriteResult {
  const errors: StatementError[] = [];
  for (const [index, statement] of statements.entries()) {
    try {
      check(statement);
    } catch (error) {
      if (!(error instanceof CodedError)) throw error;
      errors.push({ index, error });
      if (ordered) break;
    }
  }
  return { n: 0, nModified: 0, upserted: [], errors, retriedStmtIds: [], durable: Promise.resolve() };
}

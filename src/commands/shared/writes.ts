import { CodedError } from '../../base/index.ts';
import { type Doc, Int32, type Value } from '../../bson/index.ts';
import type { RetryIdentity, WriteOptions, WriteResult } from '../../engine/index.ts';
import { confirm } from '../concerns.ts';
import { writeError } from '../errors.ts';
import {
  arrayOf,
  boolean,
  document,
  integer,
  optionalBoolean,
  strictBoolean,
  unsupported,
  withDefault,
} from '../fields.ts';
import type { Context, Request } from '../types.ts';
import { collectionUuid } from './collection-uuid.ts';
import { MAX_WRITE_BATCH } from './limits.ts';
import { queryContext } from './query.ts';

/** What insert, update and delete have in common. */
export const writeFields = {
  ordered: withDefault(strictBoolean(), true),
  bypassDocumentValidation: boolean(),
  bypassEmptyTsReplacement: optionalBoolean(),
  let: document(),
  stmtId: integer(),
  stmtIds: arrayOf(integer()),
  collectionUUID: collectionUuid(),
  encryptionInformation: unsupported('queryable encryption', () => false),
};

export function checkBatchSize(size: number): void {
  if (size > 0 && size <= MAX_WRITE_BATCH) return;
  throw new CodedError(
    'InvalidLength',
    `Write batch sizes must be between 1 and ${MAX_WRITE_BATCH}. Got ${size} operations.`,
  );
}

/** How the command's statements are known when the client sends them again. */
export function retryIdentity(
  request: Request,
  args: { stmtId?: number | undefined; stmtIds?: readonly (number | undefined)[] | undefined } = {},
): RetryIdentity | undefined {
  const { lsid, txnNumber } = request.generic;
  if (!lsid || txnNumber === undefined) return undefined;
  const stmtIds = args.stmtIds?.map((id) => id ?? 0) ?? [args.stmtId ?? request.generic.stmtId ?? 0];
  return { lsid, txnNumber, stmtIds };
}

export function writeOptions(
  args: {
    ordered: boolean;
    bypassDocumentValidation: boolean | undefined;
    bypassEmptyTsReplacement: boolean | undefined;
    let: Doc | undefined;
    stmtId: number | undefined;
    stmtIds: readonly (number | undefined)[] | undefined;
  },
  request: Request,
  context: Context,
): WriteOptions {
  return {
    ordered: args.ordered,
    retry: retryIdentity(request, args),
    context: { ...queryContext(context, args.let), keepsEmptyTimestamps: args.bypassEmptyTsReplacement },
    bypassValidation: args.bypassDocumentValidation,
    signal: request.signal,
  };
}

/** The reply to a batch of statements, once the write concern is met. */
export async function writeReply(
  kind: 'insert' | 'update' | 'delete',
  result: WriteResult,
  request: Request,
  context: Context,
): Promise<Doc> {
  const reply = request.generic.writeConcern.acknowledged ? replyOf(kind, result) : new Map<string, Value>();
  await addConcernError(reply, result.durable, request, context);
  return reply;
}

function replyOf(kind: 'insert' | 'update' | 'delete', result: WriteResult): Doc {
  const reply: Doc = new Map<string, Value>([['n', new Int32(result.n)]]);
  if (kind === 'update') {
    reply.set('nModified', new Int32(result.nModified));
    if (result.upserted.length > 0) {
      reply.set(
        'upserted',
        result.upserted.map(
          ({ index, id }): Doc =>
            new Map<string, Value>([
              ['index', new Int32(index)],
              ['_id', id],
            ]),
        ),
      );
    }
  }
  if (result.errors.length > 0) {
    reply.set(
      'writeErrors',
      result.errors.map(({ index, error }) => writeError(index, error)),
    );
  }
  if (result.retriedStmtIds.length > 0) {
    reply.set(
      'retriedStmtIds',
      result.retriedStmtIds.map((id) => new Int32(id)),
    );
  }
  return reply;
}

/** Waits as the write concern asks, and adds `writeConcernError` where it was not met. */
export async function addConcernError(
  reply: Doc,
  durable: Promise<void>,
  request: Request,
  context: Context,
): Promise<void> {
  const { clock, log } = context.env;
  const failed = await confirm(durable, request.generic.writeConcern, { clock, log, signal: request.signal });
  if (failed) reply.set('writeConcernError', failed);
}

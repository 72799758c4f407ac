import { CodedError, InvariantError } from '../base/index.ts';
import { type Doc, encode, Int32, type Value } from '../bson/index.ts';
import { codeOf } from './error-codes.ts';

/** An error as a client sees it. */
export interface Described {
  readonly code: number;
  readonly codeName: string;
  readonly errmsg: string;
  /** Extra fields of the reply: `keyPattern`, `keyValue`, `errInfo`. */
  readonly details: ReadonlyMap<string, unknown>;
  /** A fault of this program, to be logged with its stack. */
  readonly internal: boolean;
}

/**
 * What the engine rejects with when Discord refuses for good. It is known by its name: the class belongs to the store,
 * which this room does not see. `code` is one of the store's `StoreErrorCode`.
 */
interface StoreFailure extends Error {
  readonly code: string;
}

function isStoreFailure(error: unknown): error is StoreFailure {
  return error instanceof Error && error.name === 'StoreError' && 'code' in error && typeof error.code === 'string';
}

/**
 * A lasting refusal is a command error: the write was dropped from memory again, so nothing is left that a write
 * concern error could tell of. It names what to mend and bears no label, for a retry would meet the same refusal. No
 * code here is one that makes drivers think the server itself is gone.
 */
const STORE_FAILURES: ReadonlyMap<string, { codeName: string; text: string }> = new Map([
  ['unauthorized', { codeName: 'OperationFailed', text: 'Discord does not accept the bot token any more' }],
  ['forbidden', { codeName: 'OperationFailed', text: 'the bot lacks a permission in Discord' }],
  ['gone', { codeName: 'OperationFailed', text: 'the Discord channel does not exist any more' }],
  ['full', { codeName: 'OutOfDiskSpace', text: 'the Discord server has no room for another channel' }],
  ['refused', { codeName: 'OperationFailed', text: 'Discord refused the request' }],
  ['fenced', { codeName: 'NotWritablePrimary', text: 'not primary' }],
  ['closed', { codeName: 'OperationFailed', text: 'DiscoDB has stopped talking to Discord' }],
]);

/** `stopping`: this process is being shut down, so a closed store is no lasting failure. */
export function describe(error: unknown, stopping = false): Described {
  if (error instanceof CodedError) {
    const code = codeOf(error.codeName);
    if (code !== undefined) {
      return { code, codeName: error.codeName, errmsg: error.message, details: error.details, internal: false };
    }
    return internal(new InvariantError(`no number is known for the error name ${error.codeName}: ${error.message}`));
  }
  if (stopping && isStoreFailure(error) && error.code === 'closed') {
    return describe(new CodedError('InterruptedAtShutdown', 'DiscoDB is shutting down'));
  }
  if (isStoreFailure(error)) {
    const known = STORE_FAILURES.get(error.code);
    if (known) {
      const code = codeOf(known.codeName) ?? 0;
      const errmsg = `${known.text}: ${error.message}`;
      return { code, codeName: known.codeName, errmsg, details: new Map(), internal: false };
    }
  }
  return internal(error);
}

/** The text of an unforeseen error stays in the log: it may hold anything. */
function internal(error: unknown): Described {
  const errmsg =
    error instanceof InvariantError ? error.message : 'an internal error of DiscoDB; its log has the details';
  return { code: 1, codeName: 'InternalError', errmsg, details: new Map(), internal: true };
}

/** Codes after which the same request may succeed: at this server started again, or a little later. */
const RETRYABLE: ReadonlySet<string> = new Set(['InterruptedAtShutdown', 'ShutdownInProgress']);

/** The labels that MongoDB's servers add (`error_labels.cpp`): a retryable write may be sent again, for it is done once. */
export function labelsOf(described: Described, retryableWrite: boolean): readonly string[] {
  return retryableWrite && RETRYABLE.has(described.codeName) ? ['RetryableWriteError'] : [];
}

/** `{ok: 0, errmsg, code, codeName, ...}`. */
export function errorDocument(described: Described, labels: readonly string[] = []): Doc {
  const reply: Doc = new Map<string, Value>([
    ['ok', 0],
    ['errmsg', described.errmsg],
    ['code', new Int32(described.code)],
    ['codeName', described.codeName],
  ]);
  addDetails(reply, described);
  if (labels.length > 0) reply.set('errorLabels', [...labels]);
  return reply;
}

/** The encoded reply to a message that no dispatcher could be given: for the server room. */
export function errorReply(error: unknown): Uint8Array {
  return encode(errorDocument(describe(error)));
}

/** An element of `writeErrors`. */
export function writeError(index: number, error: unknown): Doc {
  const described = describe(error);
  const entry: Doc = new Map<string, Value>([
    ['index', new Int32(index)],
    ['code', new Int32(described.code)],
    ['errmsg', described.errmsg],
  ]);
  addDetails(entry, described);
  return entry;
}

/** A `writeConcernError`. */
export function concernError(codeName: string, errmsg: string, errInfo?: Doc): Doc {
  const entry: Doc = new Map<string, Value>([
    ['code', new Int32(codeOf(codeName) ?? 0)],
    ['codeName', codeName],
    ['errmsg', errmsg],
  ]);
  if (errInfo) entry.set('errInfo', errInfo);
  return entry;
}

function addDetails(target: Doc, described: Described): void {
  // A CodedError's details are BSON values; its type cannot say so, for base/ knows no BSON.
  for (const [name, value] of described.details) target.set(name, value as Value);
}

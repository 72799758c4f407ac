import { CodedError } from '../base/index.ts';
import { type Doc, decode, encode, Int32, type Value } from '../bson/index.ts';
import type { BulkOutcome, BulkResult, Namespace } from '../engine/index.ts';
import { showValue } from '../query/index.ts';
import { defineCommand } from './command.ts';
import { arrayCursor } from './cursors.ts';
import { writeError } from './errors.ts';
import {
  any,
  arrayOf,
  boolean,
  document,
  integer,
  optionalBoolean,
  required,
  strictBoolean,
  string,
  structs,
  unsupported,
  withDefault,
} from './fields.ts';
import { type BulkEntry, bulkEntry } from './shared/bulk-operation.ts';
import { type BulkRun, bulkRuns } from './shared/bulk-runs.ts';
import { collectionUuid, uuidMismatch } from './shared/collection-uuid.ts';
import { cursorField, sessionOf } from './shared/cursor-reply.ts';
import { readable, splitNamespace, writable } from './shared/namespace.ts';
import { queryContext } from './shared/query.ts';
import { addConcernError, checkBatchSize, retryIdentity } from './shared/writes.ts';

const namespaceInfo = {
  ns: required(string()),
  collectionUUID: collectionUuid(),
  encryptionInformation: unsupported('queryable encryption', () => false),
};

/** What getMore calls the collection of this command's cursor. */
const CURSOR_NAMESPACE = 'admin.$cmd.bulkWrite';

/** What becomes of one operation, and which it is. */
interface Done {
  readonly at: number;
  readonly kind: 'insert' | 'update' | 'delete';
  readonly outcome: BulkOutcome;
}

export const bulkWrite = defineCommand({
  name: 'bulkWrite',
  adminOnly: true,
  apiV1: true,
  writes: true,
  retryable: true,
  raw: 'ops',
  help: 'inserts, changes and removes documents in any collections',
  fields: {
    bulkWrite: any(),
    nsInfo: required(structs(namespaceInfo)),
    cursor: cursorField(),
    bypassDocumentValidation: boolean(),
    bypassEmptyTsReplacement: optionalBoolean(),
    errorsOnly: withDefault(strictBoolean(), false),
    ordered: withDefault(strictBoolean(), true),
    let: document(),
    stmtId: integer(),
    stmtIds: arrayOf(integer()),
  },
  async run(args, request, context) {
    const entries = entriesOf(request.documents);
    const stmtIds = statementIds(args, entries.length);
    const targets = targetsOf(
      entries,
      args.nsInfo.map(({ ns }) => ns),
    );
    const run = async ({ ns, members }: BulkRun) => {
      const meant = args.nsInfo[entries[members[0]!]!.index]!.collectionUUID;
      const mismatch = uuidMismatch(context.engine, ns, meant);
      if (mismatch) return noneDone(mismatch, members.length, args.ordered);
      const operations = members.map((at) => entries[at]!.operation);
      return context.engine.bulkWrite(ns, operations, {
        ordered: args.ordered,
        retry: retryIdentity(request, { stmtIds: members.map((at) => stmtIds[at]!) }),
        context: { ...queryContext(context, args.let), keepsEmptyTimestamps: args.bypassEmptyTsReplacement },
        bypassValidation: args.bypassDocumentValidation,
        signal: request.signal,
      });
    };
    const done: Done[] = [];
    const retried: number[] = [];
    const durables: Promise<void>[] = [];
    for (const each of bulkRuns(targets, args.ordered)) {
      const { outcomes, retriedStmtIds, durable } = await run(each);
      for (const [index, outcome] of outcomes.entries()) {
        const at = each.members[index]!;
        done.push({ at, kind: entries[at]!.operation.kind, outcome });
      }
      retried.push(...retriedStmtIds);
      durables.push(durable);
      if (args.ordered && outcomes.some(({ error }) => error)) break;
    }
    done.sort((left, right) => left.at - right.at);
    const shown = done.filter(({ outcome }) => !args.errorsOnly || outcome.error).map(replyItem);
    const options = { ns: CURSOR_NAMESPACE, batchSize: args.cursor?.batchSize, session: sessionOf(request) };
    const batchSize = options.batchSize ?? Number.POSITIVE_INFINITY;
    const source = arrayCursor(shown.map(encode));
    const cursor = await context.cursors.begin(source, { ...options, batchSize }, request.operation);
    const reply = new Map<string, Value>([['cursor', cursor], ...counts(done)]);
    if (retried.length > 0) {
      reply.set(
        'retriedStmtIds',
        retried.map((id) => new Int32(id)),
      );
    }
    await addConcernError(
      reply,
      Promise.all(durables).then(() => {}),
      request,
      context,
    );
    return reply;
  },
});

/** What comes of operations on a collection that is not the one that is meant. */
function noneDone(error: CodedError, count: number, ordered: boolean): BulkResult {
  const outcomes = Array.from({ length: ordered ? 1 : count }, () => ({ n: 0, nModified: 0, error }));
  return { outcomes, retriedStmtIds: [], durable: Promise.resolve() };
}

function entriesOf(documents: readonly Uint8Array[] | undefined): readonly BulkEntry[] {
  if (!documents)
    throw new CodedError('IDLFailedToParse', "BSON field 'bulkWrite.ops' is missing but a required field");
  const entries = documents.map(bulkEntry);
  checkBatchSize(entries.length);
  return entries;
}

/** The statement id of each operation. */
function statementIds(
  args: { stmtId: number | undefined; stmtIds: readonly (number | undefined)[] | undefined },
  count: number,
): readonly number[] {
  const { stmtId, stmtIds } = args;
  if (stmtId !== undefined && stmtIds) {
    throw new CodedError('InvalidOptions', 'May not specify both stmtId and stmtIds in bulkWrite command.');
  }
  if (stmtIds && stmtIds.length !== count) {
    throw new CodedError(
      'InvalidLength',
      'Number of statement ids must match the number of batch entries. ' +
        `Got ${stmtIds.length} statement ids but ${count} operations.`,
    );
  }
  return Array.from({ length: count }, (_, at) => stmtIds?.[at] ?? (stmtId ?? 0) + at);
}

/** Where each operation goes; all is checked before anything is written. */
function targetsOf(entries: readonly BulkEntry[], names: readonly string[]): readonly Namespace[] {
  for (const name of names) checkNamespace(name);
  for (const { index, source } of entries) {
    if (index < names.length) continue;
    const shown = showValue(decode(source));
    throw new CodedError('BadValue', `BulkWrite ops entry ${shown} has an invalid nsInfo index.`);
  }
  const used = new Map([...new Set(entries.map(({ index }) => index))].map((at) => [at, target(names[at]!)]));
  return entries.map(({ index }) => used.get(index)!);
}

/** Every name must be one that could be, also where no operation goes there. */
function checkNamespace(name: string): void {
  try {
    const { db, coll } = splitNamespace(name);
    readable(db, coll);
  } catch (error) {
    if (!(error instanceof CodedError)) throw error;
    throw new CodedError('InvalidNamespace', `Invalid namespace specified for bulkWrite: '${name.replace(/\.$/, '')}'`);
  }
}

function target(name: string): Namespace {
  const { db, coll } = splitNamespace(name);
  return writable(db, coll);
}

function replyItem({ at, kind, outcome }: Done): Doc {
  const { n, nModified, upserted, error } = outcome;
  const item: Doc = new Map<string, Value>([
    ['ok', error ? 0 : 1],
    ['idx', new Int32(at)],
  ]);
  if (error) for (const [name, value] of writeError(at, error)) if (name !== 'index') item.set(name, value);
  item.set('n', new Int32(n));
  if (kind === 'update') item.set('nModified', new Int32(nModified));
  if (upserted) item.set('upserted', new Map([['_id', upserted.id]]));
  return item;
}

function counts(done: readonly Done[]): [string, Value][] {
  const total = (of: (each: Done) => number) => new Int32(done.reduce((sum, each) => sum + of(each), 0));
  const ofKind = (kind: Done['kind']) => total((each) => (each.kind === kind ? each.outcome.n : 0));
  return [
    ['nErrors', total(({ outcome }) => (outcome.error ? 1 : 0))],
    ['nInserted', ofKind('insert')],
    ['nMatched', total(({ kind, outcome }) => (kind === 'update' && !outcome.upserted ? outcome.n : 0))],
    ['nModified', total(({ outcome }) => outcome.nModified)],
    ['nUpserted', total(({ outcome }) => (outcome.upserted ? 1 : 0))],
    ['nDeleted', ofKind('delete')],
  ];
}

import { CodedError, type Env } from '../base/index.ts';
import { type CollationSpec, type Doc, decode, doc as literal, MAX_DOCUMENT_BYTES, type Value } from '../bson/index.ts';
import {
  checkUpsertFilter,
  compileFilter,
  compileUpdate,
  type Filter,
  type QueryContext,
  type Updater,
  upsertSeed,
} from '../query/index.ts';
import { collated } from './collation.ts';
import type { DeleteStatement, UpdateStatement, WriteOptions, WriteResult } from './contract.ts';
import { checkDepth, encodeUpdated, stamped, withIdFirst } from './document-id.ts';
import type { Loaded } from './handle.ts';
import { eachMatch, findOrMake, type Match, type Work } from './match.ts';
import { WriteBatch } from './write-batch.ts';

export const ONE = literal({ n: 1 });

/** Runs an `insert`: synchronous, so the whole command is one group of the log. */
export function insertDocuments(
  env: Env,
  loaded: Loaded,
  docs: readonly Uint8Array[],
  options: WriteOptions,
): WriteResult {
  const batch = new WriteBatch(loaded, options);
  for (const [index, given] of docs.entries()) {
    try {
      if (batch.repeated(index)) {
        batch.n++;
        continue;
      }
      insertOne(loaded, withIdFirst(stamped(given, options.context), env), options);
      batch.n++;
      batch.executed(index, () => ONE);
    } catch (error) {
      if (!batch.failed(index, error)) break;
    }
  }
  return batch.result();
}

/** What of a command's options says how its documents are written. */
type DocumentOptions = Pick<WriteOptions, 'bypassValidation'>;

export function insertOne(loaded: Loaded, bytes: Uint8Array, options: DocumentOptions, doc?: Doc): void {
  let decoded = doc;
  const decodedOnce = () => {
    decoded ??= decode(bytes);
    return decoded;
  };
  if (!options.bypassValidation) loaded.validation?.check(decodedOnce());
  loaded.collection.insert(bytes, decodedOnce);
}

export async function updateDocuments(
  env: Env,
  loaded: Loaded,
  statements: readonly UpdateStatement[],
  options: WriteOptions,
): Promise<WriteResult> {
  const batch = new WriteBatch(loaded, options);
  await batch.carryOut(updates(env, batch, statements));
  return batch.result();
}

function* updates(env: Env, batch: WriteBatch, statements: readonly UpdateStatement[]): Work<void> {
  for (const [index, statement] of statements.entries()) {
    try {
      const repeated = batch.repeated(index);
      if (repeated) countRepeated(batch, index, repeated);
      else yield* updateStatement(env, batch, index, statement);
    } catch (error) {
      if (!batch.failed(index, error)) return;
    }
  }
}

export function countRepeated(batch: WriteBatch, index: number, result: Doc): void {
  batch.n += Number(result.get('n') ?? 0);
  batch.nModified += Number(result.get('nModified') ?? 0);
  if (result.has('upserted')) batch.upserted.push({ index, id: result.get('upserted') as Value });
}

export function compileStatement(
  statement: UpdateStatement,
  given: QueryContext,
  own?: CollationSpec,
): { filter: Filter; updater: Updater } {
  const { arrayFilters, constants } = statement;
  const context = collated(given, statement.collation, own);
  // The update before the filter, as `ParsedUpdate::parseRequest` does: where both are wrong, its error is told.
  const updater = compileUpdate(statement.update, { context, arrayFilters, constants });
  if (statement.multi && updater.kind === 'replacement') {
    throw new CodedError('FailedToParse', 'multi update is not supported for replacement-style update');
  }
  const filter = compileFilter(statement.filter, context);
  if (statement.upsert) checkUpsertFilter(statement.filter);
  return { filter, updater };
}

export function* updateStatement(env: Env, batch: WriteBatch, index: number, statement: UpdateStatement): Work<void> {
  const { filter, updater } = compileStatement(statement, batch.options.context, batch.loaded.collection.collation);
  function* change(): Work<boolean> {
    let [matched, modified] = [0, 0];
    yield* eachMatch(batch.loaded, { ...statement, filter, limit: statement.multi ? 0 : 1 }, (match) => {
      matched++;
      const changed = applyUpdate(env, batch.loaded, match, updater, batch.options);
      if (!changed) return;
      modified++;
      if (!statement.multi) batch.executed(index, () => literal({ n: 1, nModified: 1 }));
    });
    // Only now: a statement that fails half-way counts for nothing, though what it changed stays changed.
    batch.n += matched;
    batch.nModified += modified;
    return matched > 0 || !statement.upsert;
  }
  yield* findOrMake(statement.filter, change, () => {
    const { id } = upsert(env, batch.loaded, statement.filter, updater, batch.options);
    batch.n++;
    batch.upserted.push({ index, id });
    const repeated: Doc = new Map<string, Value>([
      ['n', 1],
      ['upserted', id],
    ]);
    batch.executed(index, () => repeated);
  });
}

/** The new document when the update changed something. */
export function applyUpdate(
  env: Env,
  loaded: Loaded,
  match: Match,
  updater: Updater,
  options: DocumentOptions,
): { doc: Doc; bytes: Uint8Array } | undefined {
  const { slot, doc, positional } = match;
  const updated = updater.apply(doc, { positional });
  if (updated === doc) return undefined;
  const bytes = encodeUpdated(updated, env);
  checkDepth(bytes);
  if (bytes.length > MAX_DOCUMENT_BYTES) {
    throw new CodedError('Location17419', `Resulting document after update is larger than ${MAX_DOCUMENT_BYTES}`);
  }
  if (!options.bypassValidation) loaded.validation?.check(updated, doc);
  loaded.collection.replace(slot, doc, bytes, updated);
  return { doc: updated, bytes };
}

/** Inserts what the filter's equalities and the update make together. */
export function upsert(
  env: Env,
  loaded: Loaded,
  filter: Doc,
  updater: Updater,
  options: DocumentOptions,
): { id: Value; bytes: Uint8Array } {
  const made = updater.apply(upsertSeed(filter, updater.kind === 'replacement' ? '_id' : undefined), {
    inserting: true,
  });
  const bytes = encodeUpdated(made, env);
  checkDepth(bytes);
  if (bytes.length > MAX_DOCUMENT_BYTES) {
    throw new CodedError('Location17420', `Document to upsert is larger than ${MAX_DOCUMENT_BYTES}`);
  }
  const inserted = decode(bytes);
  insertOne(loaded, bytes, options, inserted);
  return { id: inserted.get('_id') as Value, bytes };
}

export async function deleteDocuments(
  loaded: Loaded,
  statements: readonly DeleteStatement[],
  options: WriteOptions,
): Promise<WriteResult> {
  const batch = new WriteBatch(loaded, options);
  await batch.carryOut(deletions(batch, statements));
  return batch.result();
}

function* deletions(batch: WriteBatch, statements: readonly DeleteStatement[]): Work<void> {
  for (const [index, statement] of statements.entries()) {
    try {
      if (batch.repeated(index)) batch.n++;
      else yield* deleteStatement(batch, index, statement);
    } catch (error) {
      if (!batch.failed(index, error)) return;
    }
  }
}

export function* deleteStatement(batch: WriteBatch, index: number, statement: DeleteStatement): Work<void> {
  const { loaded, options } = batch;
  const filter = compileFilter(
    statement.filter,
    collated(options.context, statement.collation, loaded.collection.collation),
  );
  yield* eachMatch(loaded, { ...statement, filter }, ({ slot, bytes, doc }) => {
    loaded.collection.remove(slot, bytes, () => doc);
    batch.n++;
    if (statement.limit === 1) batch.executed(index, () => ONE);
  });
}

import { CodedError, type Env, inContext } from '../base/index.ts';
import { type CollationSpec, type Doc, decode, encode, RawDoc, type Value } from '../bson/index.ts';
import {
  checkUpsertFilter,
  compileFilter,
  compileProjection,
  compileUpdate,
  type QueryContext,
} from '../query/index.ts';
import { collated } from './collation.ts';
import type { FindAndModify, FindAndModifyResult, WriteOptions } from './contract.ts';
import type { Loaded } from './handle.ts';
import { eachMatch, findOrMake, type Match, type Work } from './match.ts';
import { WriteBatch } from './write-batch.ts';
import { applyUpdate, upsert } from './writes.ts';

interface Outcome {
  readonly value: Uint8Array | null;
  readonly n: 0 | 1;
  readonly updatedExisting: boolean;
  readonly upsertedId?: Value;
}

/** What MongoDB puts before an error of the modification itself. */
const EXECUTING = 'Plan executor error during findAndModify';

const NOTHING: Outcome = { value: null, n: 0, updatedExisting: false };

/** Finds one document and changes it, in one step. */
export async function findAndModify(
  env: Env,
  loaded: Loaded,
  statement: FindAndModify,
  options: WriteOptions,
): Promise<FindAndModifyResult> {
  const batch = new WriteBatch(loaded, options);
  const repeated = batch.repeated(0);
  const outcome = repeated ? fromRepeated(repeated) : await batch.carryOut(execute(env, batch, statement));
  return { ...outcome, durable: batch.result().durable };
}

/** Throws for a statement that cannot be. */
export function compileModification(
  { filter: query, fields, update, arrayFilters, upsert: makes, collation }: FindAndModify,
  given: QueryContext,
  own?: CollationSpec,
) {
  const context = collated(given, collation, own);
  const updater = update && compileUpdate(update, { context, arrayFilters });
  const filter = compileFilter(query, context);
  if (makes) checkUpsertFilter(query);
  const projection = fields && compileProjection(fields, { context, filter });
  return { filter, projection, updater };
}

function* execute(env: Env, batch: WriteBatch, statement: FindAndModify): Work<Outcome> {
  const { returnNew } = statement;
  const { filter, projection, updater } = compileModification(
    statement,
    batch.options.context,
    batch.loaded.collection.collation,
  );
  const shown = (bytes: Uint8Array, match?: Match) => {
    if (!projection) return bytes;
    const meta = match && filter.text && { textScore: filter.text.score(match.doc) };
    return encode(projection.apply(decode(bytes), meta));
  };

  let outcome = NOTHING;
  const apply = (match: Match) => inContext(EXECUTING, () => modify(match));
  const modify = (match: Match) => {
    // Projected before anything changes: a projection may fail.
    const before = returnNew ? undefined : shown(match.bytes, match);
    if (!updater) {
      batch.loaded.collection.remove(match.slot, match.bytes, () => match.doc);
      outcome = { value: before ?? shown(match.bytes, match), n: 1, updatedExisting: false };
    } else {
      const changed = applyUpdate(env, batch.loaded, match, updater, batch.options);
      outcome = { value: before ?? shown(changed?.bytes ?? match.bytes, match), n: 1, updatedExisting: true };
      if (!changed) return;
    }
    batch.executed(0, () => toRepeat(outcome));
  };
  function* change(): Work<boolean> {
    yield* eachMatch(batch.loaded, { ...statement, filter, limit: 1 }, apply);
    return outcome !== NOTHING || !statement.upsert;
  }
  yield* findOrMake(statement.filter, change, () => {
    if (!updater) throw new CodedError('FailedToParse', 'Cannot specify both upsert=true and remove=true ');
    const make = () => upsert(env, batch.loaded, statement.filter, updater, batch.options);
    const { id, bytes } = inContext(EXECUTING, make);
    outcome = { value: returnNew ? shown(bytes) : null, n: 1, updatedExisting: false, upsertedId: id };
    batch.executed(0, () => toRepeat(outcome));
  });
  return outcome;
}

function toRepeat({ value, updatedExisting, upsertedId }: Outcome): Doc {
  const doc: Doc = new Map<string, Value>([
    ['value', value && new RawDoc(value)],
    ['updatedExisting', updatedExisting],
  ]);
  if (upsertedId !== undefined) doc.set('upserted', upsertedId);
  return doc;
}

function fromRepeated(doc: Doc): Outcome {
  const value = doc.get('value');
  const bytes = value instanceof RawDoc ? value.bytes : value instanceof Map ? encode(value) : null;
  const outcome: Outcome = { value: bytes, n: 1, updatedExisting: doc.get('updatedExisting') === true };
  return doc.has('upserted') ? { ...outcome, upsertedId: doc.get('upserted') as Value } : outcome;
}

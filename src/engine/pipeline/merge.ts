import { CodedError, type Env } from '../../base/index.ts';
import { type Collator, type Doc, equal, doc as literal, type Value } from '../../bson/index.ts';
import { type MergeItem, type MergeSpec, type QueryContext, withTimestamps } from '../../query/index.ts';
import { idIndex } from '../catalog.ts';
import { comparesAlike } from '../collation.ts';
import type { Namespace, UpdateStatement, WriteOptions } from '../contract.ts';
import { checkInsertable, encodeWithIdFirst } from '../document-id.ts';
import type { Loaded } from '../handle.ts';
import type { Work } from '../match.ts';
import type { Namespaces } from '../namespaces.ts';
import { WriteBatch } from '../write-batch.ts';
import { insertOne, updateStatement } from '../writes.ts';

/** Writes batches of a `$merge`; one batch is one commit, as far as nothing must be fetched for it. */
export class Merger {
  readonly #env: Env;
  readonly #namespaces: Namespaces;
  readonly #spec: MergeSpec;
  readonly #options: WriteOptions;
  /** Those of the document that is being written. */
  readonly #variables: Map<string, unknown>;
  readonly #durables: Promise<void>[] = [];

  /** Throws 51183 where no unique index says that `on` finds one document at most. */
  constructor(
    env: Env,
    namespaces: Namespaces,
    spec: MergeSpec,
    context: QueryContext,
    bypassValidation: boolean | undefined,
  ) {
    this.#env = env;
    this.#namespaces = namespaces;
    this.#spec = spec;
    const variables = new Map(context.variables);
    this.#variables = variables;
    this.#options = { ordered: false, bypassValidation, context: { ...context, variables } };
    checkUnique(namespaces, spec, context.collator);
  }

  async write(items: readonly MergeItem[]): Promise<void> {
    const { into, whenNotMatched } = this.#spec;
    // What inserts nothing makes no collection either.
    if (whenNotMatched !== 'insert' && !this.#namespaces.handle(into)) {
      if (whenNotMatched === 'fail') throw noMatch();
      return;
    }
    const handle = await this.#namespaces.ensure(into);
    const loaded = await handle.load();
    await loaded.collection.log.room();
    loaded.collection.checkAlive();
    const batch = new WriteBatch(loaded, this.#options);
    await batch.carryOut(this.#all(batch, items));
    const { errors, durable } = batch.result();
    this.#durables.push(durable);
    if (errors[0]) throw explained(errors[0].error, this.#spec);
    if (whenNotMatched === 'fail' && batch.n < items.length) throw noMatch();
  }

  /** Resolves when Discord holds all that was written. */
  async durable(): Promise<void> {
    await Promise.all(this.#durables);
  }

  *#all(batch: WriteBatch, items: readonly MergeItem[]): Work<void> {
    for (const [index, item] of items.entries()) {
      for (const [name, value] of item.variables) this.#variables.set(name, value);
      try {
        yield* this.#one(batch, index, item);
      } catch (error) {
        batch.failed(index, error);
      }
      for (const name of item.variables.keys()) this.#variables.delete(name);
    }
  }

  *#one(batch: WriteBatch, index: number, { doc, key }: MergeItem): Work<void> {
    const { whenMatched, whenNotMatched } = this.#spec;
    if (whenMatched === 'fail') {
      this.#insert(batch.loaded, doc);
      return;
    }
    const supplied = typeof whenMatched !== 'string' && whenNotMatched === 'insert';
    const statement: UpdateStatement = {
      filter: key,
      update: changeOf(doc, whenMatched),
      multi: false,
      upsert: whenNotMatched === 'insert' && !supplied,
      // The pipeline's, whatever the target's own is.
      collation: this.#options.context.collator?.toDoc() ?? literal({ locale: 'simple' }),
    };
    const found = batch.n;
    yield* updateStatement(this.#env, batch, index, statement);
    if (supplied && batch.n === found) this.#insert(batch.loaded, doc);
  }

  #insert(loaded: Loaded, doc: Doc): void {
    const stored = withTimestamps(doc, this.#options.context);
    insertOne(loaded, checkInsertable(encodeWithIdFirst(stored, this.#env)), this.#options);
  }
}

function noMatch(): CodedError {
  return new CodedError(
    'MergeStageNoMatchingDocument',
    '$merge could not find a matching document in the target collection for at least one document in the source collection',
  );
}

function changeOf(doc: Doc, whenMatched: Exclude<MergeSpec['whenMatched'], 'fail'>): Doc | Doc[] {
  if (whenMatched === 'replace') return doc;
  if (whenMatched === 'keepExisting') return literal({ $setOnInsert: doc });
  return whenMatched === 'merge' ? literal({ $set: doc }) : [...whenMatched];
}

function checkUnique(namespaces: Namespaces, { into, on }: MergeSpec, collator: Collator | undefined): void {
  const wanted = [...on].sort();
  const handle = namespaces.handle(into as Namespace);
  const indexes = handle?.info.indexes ?? [idIndex(new Map())];
  const isUnique = indexes.some(({ key, unique, spec }) => {
    const given: Value = [...key.keys()].sort();
    const alike = comparesAlike(collator, spec.get('collation') as Doc | undefined);
    return unique && alike && !spec.has('partialFilterExpression') && equal(given, wanted);
  });
  if (!isUnique) throw new CodedError('Location51183', 'Cannot find index to verify that join fields will be unique');
}

/** What MongoDB says before the error of the write. */
function explained(error: Error, { whenMatched }: MergeSpec): Error {
  if (!(error instanceof CodedError)) return error;
  const { codeName, message, details } = error;
  if (codeName === 'DuplicateKey' && whenMatched === 'fail') {
    return new CodedError(codeName, `$merge failed due to a DuplicateKey error :: caused by :: ${message}`, [
      ...details,
    ]);
  }
  if (codeName === 'ImmutableField') {
    const why = '$merge failed to update the matching document, did you attempt to modify the _id or the shard key?';
    return new CodedError(codeName, `${why} :: caused by :: ${message}`, [...details]);
  }
  return error;
}

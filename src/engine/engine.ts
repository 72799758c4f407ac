import { CodedError, type Env } from '../base/index.ts';
import { type Doc, doc as literal, type Value } from '../bson/index.ts';
import { compileFilter, defaultLimits } from '../query/index.ts';
import { bulkWrite, checkOperation } from './bulk-write.ts';
import { trim } from './cap.ts';
import { modifyCollection, modifyView } from './coll-mod.ts';
import { collated, defaultCollation } from './collation.ts';
import { nsText } from './collection.ts';
import type {
  AggregateOptions,
  BulkOperation,
  BulkResult,
  CollectionChange,
  CollectionInfo,
  CollectionStats,
  DeleteStatement,
  DocCursor,
  Engine,
  Explained,
  FindAndModify,
  FindAndModifyResult,
  FindQuery,
  IndexFaults,
  IndexUse,
  Namespace,
  ResolvedView,
  UpdateStatement,
  Verbosity,
  WriteOptions,
  WriteResult,
} from './contract.ts';
import { countMatches } from './count.ts';
import { emptyCursor } from './cursor.ts';
import { distinctValues } from './distinct.ts';
import { explainQuery } from './explain.ts';
import type { ExternalChanges } from './external-changes.ts';
import { checkQuery, find } from './find.ts';
import { compileModification, findAndModify } from './find-and-modify.ts';
import type { CollectionHandle, HandleContext, Loaded } from './handle.ts';
import { createIndexes, dropIndexes } from './index-build.ts';
import { checkIndexes } from './index-check.ts';
import { indexesOf } from './index-definition.ts';
import type { Namespaces } from './namespaces.ts';
import { bulkOfNothing, nothingWritten, refused } from './nothing-written.ts';
import { aggregate, checkView, type Deployment } from './pipeline/aggregate.ts';
import { explainPipeline } from './pipeline/explain.ts';
import { statsOf } from './stats.ts';
import { searching } from './text-index.ts';
import { TtlMonitor } from './ttl.ts';
import { Upkeep, type UpkeepLimits } from './upkeep/upkeep.ts';
import { checkValidator } from './validation.ts';
import { countInView, distinctInView, findInView } from './view-reads.ts';
import { notOnView, ofView } from './views.ts';
import { compileStatement, deleteDocuments, insertDocuments, updateDocuments } from './writes.ts';

/** The deployment as commands ask it: finds what a namespace stands for, and hands the rest to those who do it. */
export class DiscordEngine implements Engine {
  readonly #context: HandleContext;
  readonly #env: Env;
  readonly #namespaces: Namespaces;
  readonly #external: ExternalChanges;
  readonly ttl: TtlMonitor;
  readonly #upkeep: Upkeep;
  readonly #unwatch: () => void;

  constructor(
    context: HandleContext,
    namespaces: Namespaces,
    external: ExternalChanges,
    unwatch: () => void,
    limits: Partial<UpkeepLimits> | undefined,
  ) {
    this.#unwatch = unwatch;
    this.#context = context;
    this.#env = context.env;
    this.#namespaces = namespaces;
    this.#external = external;
    this.ttl = new TtlMonitor({
      env: context.env,
      targets: () => namespaces.expiring(),
      load: (ns) => this.#loaded(ns),
    });
    this.#upkeep = new Upkeep({
      env: context.env,
      collections: () => namespaces.loaded(),
      compact: (collection, readable, goesOn) => namespaces.compact(collection, readable, goesOn),
      onMissing: (channel, ids) => external.suspect(channel, ids),
      limits,
    });
  }

  databases(): readonly string[] {
    return this.#namespaces.databases();
  }

  collections(db: string): readonly CollectionInfo[] {
    return this.#namespaces.collections(db);
  }

  collection(ns: Namespace): CollectionInfo | undefined {
    return this.#namespaces.handle(ns)?.info;
  }

  async stats(ns: Namespace): Promise<CollectionStats> {
    const handle = this.#existing(ns);
    return statsOf(
      (await handle.load()).collection,
      indexesOf(handle.info).some(({ name }) => name === '_id_'),
    );
  }

  async checkIndexes(ns: Namespace): Promise<IndexFaults> {
    return checkIndexes(this.#env, await this.#existing(ns).load());
  }

  indexUses(ns: Namespace): ReadonlyMap<string, IndexUse> {
    return this.#namespaces.handle(ns)?.indexUses() ?? new Map();
  }

  loadedSize(ns: Namespace): number {
    return this.#namespaces.handle(ns)?.loaded?.collection.dataSize ?? 0;
  }

  views(db: string): readonly CollectionInfo[] {
    return this.#namespaces.views.of(db);
  }

  resolveView(ns: Namespace): ResolvedView | undefined {
    return this.#namespaces.views.resolve(ns);
  }

  async createCollection(ns: Namespace, options: Doc): Promise<void> {
    checkView(this, this.#env, this.#namespaces, ns, options);
    const validator = options.get('validator');
    if (validator instanceof Map) checkValidator(this.#env, ns, validator);
    return this.#namespaces.create(ns, options);
  }

  async modifyCollection(ns: Namespace, change: CollectionChange): Promise<Doc> {
    const view = this.#namespaces.views.get(ns);
    if (!view) return modifyCollection(this.#env, this.#namespaces, this.#existing(ns), change);
    const { on = view.options.get('viewOn'), pipeline = view.options.get('pipeline') } = change.view ?? {};
    checkView(this, this.#env, this.#namespaces, ns, literal({ viewOn: on, pipeline }));
    await modifyView(this.#namespaces, view, change);
    return new Map();
  }

  dropCollection(ns: Namespace): Promise<CollectionInfo | undefined> {
    return this.#namespaces.drop(ns);
  }

  dropDatabase(db: string): Promise<void> {
    return this.#namespaces.dropDatabase(db);
  }

  renameCollection(from: Namespace, to: Namespace, dropTarget: boolean): Promise<void> {
    return this.#namespaces.rename(from, to, dropTarget);
  }

  async createIndexes(
    ns: Namespace,
    specs: readonly Doc[],
  ): Promise<{ before: number; after: number; createdCollection: boolean }> {
    return createIndexes(this.#env, this.#namespaces, ns, specs);
  }

  async dropIndexes(ns: Namespace, which: string | readonly string[] | Doc): Promise<number> {
    return dropIndexes(this.#namespaces, this.#existing(ns), which);
  }

  async convertToCapped(ns: Namespace, size: number): Promise<void> {
    const handle = this.#existing(ns);
    const { collection } = await handle.load();
    await this.#namespaces.alter(handle, ({ options, indexes }) => ({
      options: new Map([...options, ...literal({ capped: true, size, max: undefined })]),
      indexes: indexes.filter(({ name }) => name === '_id_'),
    }));
    collection.secondary.clear();
    trim(collection, { size, max: Number.POSITIVE_INFINITY });
    await collection.commit([]);
  }

  async compact(ns: Namespace): Promise<boolean> {
    const handle = this.#existing(ns);
    const { collection } = await handle.load();
    return this.#upkeep.compact({ collection, channel: handle.channel });
  }

  async insert(ns: Namespace, docs: readonly Uint8Array[], options: WriteOptions): Promise<WriteResult> {
    if (this.#isView(ns)) return refused(ns, docs, options);
    return insertDocuments(this.#env, await this.#ensured(ns), docs, options);
  }

  async update(ns: Namespace, statements: readonly UpdateStatement[], given: WriteOptions): Promise<WriteResult> {
    if (this.#isView(ns)) return refused(ns, statements, given);
    const options = searching(given, ns, this.collection(ns));
    const creates = statements.some(({ upsert }) => upsert);
    const loaded = await (creates ? this.#ensured(ns) : this.#loaded(ns));
    if (loaded) return updateDocuments(this.#env, loaded, statements, options);
    return nothingWritten(statements, options, (statement) => compileStatement(statement, options.context));
  }

  async delete(ns: Namespace, statements: readonly DeleteStatement[], given: WriteOptions): Promise<WriteResult> {
    if (this.#isView(ns)) return refused(ns, statements, given);
    const options = searching(given, ns, this.collection(ns));
    const loaded = await this.#loaded(ns);
    if (loaded) return deleteDocuments(loaded, statements, options);
    return nothingWritten(statements, options, ({ filter, collation }) =>
      compileFilter(filter, collated(options.context, collation, undefined)),
    );
  }

  async bulkWrite(ns: Namespace, operations: readonly BulkOperation[], given: WriteOptions): Promise<BulkResult> {
    if (this.#isView(ns)) return bulkOfNothing(operations, refused(ns, operations, given), given);
    const options = searching(given, ns, this.collection(ns));
    const creates = operations.some((each) => each.kind === 'insert' || (each.kind === 'update' && each.upsert));
    const loaded = await (creates ? this.#ensured(ns) : this.#loaded(ns));
    if (loaded) return bulkWrite(this.#env, loaded, operations, options);
    const nothing = nothingWritten(operations, options, (each) => checkOperation(each, options.context));
    return bulkOfNothing(operations, nothing, options);
  }

  async findAndModify(ns: Namespace, statement: FindAndModify, given: WriteOptions): Promise<FindAndModifyResult> {
    if (this.#isView(ns)) throw notOnView(ns);
    const options = searching(given, ns, this.collection(ns));
    const loaded = await (statement.upsert ? this.#ensured(ns) : this.#loaded(ns));
    if (loaded) return findAndModify(this.#env, loaded, statement, options);
    compileModification(statement, options.context);
    return { value: null, n: 0, updatedExisting: false, durable: Promise.resolve() };
  }

  async find(ns: Namespace, given: FindQuery): Promise<DocCursor> {
    if (this.resolveView(ns)) return findInView(this, ns, given);
    const query = this.#asked(ns, given);
    const handle = this.#namespaces.handle(ns);
    if (handle) return find(this.#env, handle, query);
    checkQuery(query);
    return emptyCursor();
  }

  async count(ns: Namespace, given: FindQuery): Promise<number> {
    if (this.resolveView(ns)) return countInView(this, ns, given);
    const query = this.#asked(ns, given);
    const handle = this.#namespaces.handle(ns);
    if (handle) return countMatches(this.#env, handle, query);
    checkQuery(query);
    return 0;
  }

  async distinct(ns: Namespace, path: string, given: FindQuery): Promise<Value[]> {
    if (this.resolveView(ns)) return distinctInView(this, ns, path, given);
    const query = this.#asked(ns, given);
    const handle = this.#namespaces.handle(ns);
    if (handle) return distinctValues(this.#env, handle, path, query);
    checkQuery(query);
    return [];
  }

  get #deployment(): Deployment {
    return { engine: this, env: this.#env, namespaces: this.#namespaces };
  }

  async aggregate(ns: Namespace, pipeline: readonly Doc[], query: AggregateOptions): Promise<DocCursor> {
    // Of a view itself nothing can be told but that it is one.
    const view = pipeline[0]?.has('$collStats') && this.#isView(ns) ? undefined : this.resolveView(ns);
    const source = view?.ns ?? ns;
    const stages = view ? [...view.pipeline, ...pipeline] : pipeline;
    const asked = this.#asked(source, view ? ofView(ns, view, query) : query);
    return aggregate(this.#deployment, source, stages, asked);
  }

  async explain(ns: Namespace, given: FindQuery, explained: Explained, verbosity: Verbosity): Promise<Doc> {
    const query = this.#asked(ns, given);
    return explainQuery(this.#env, this.#namespaces.handle(ns), nsText(ns), query, explained, verbosity);
  }

  async explainPipeline(
    ns: Namespace,
    pipeline: readonly Doc[],
    given: AggregateOptions,
    verbosity: Verbosity,
  ): Promise<Doc> {
    const asked = this.#asked(ns, given);
    return explainPipeline(this.#deployment, ns, pipeline, asked, verbosity);
  }

  async flush(): Promise<number> {
    const open = this.#namespaces.loaded();
    await Promise.all(open.map(({ collection }) => collection.log.fence()));
    return open.length;
  }

  status(): Doc {
    const { cache, ownership } = this.#context;
    return literal({
      epoch: ownership.epoch,
      cache: { limitBytes: cache.limit, usedBytes: cache.used },
      collections: { known: this.#namespaces.known, open: this.#namespaces.open },
      upkeep: this.#upkeep.status(),
    });
  }

  readonly limits = defaultLimits();
  allowDiskUseByDefault = true;

  get upkeepPaused(): boolean {
    return this.#upkeep.paused;
  }

  set upkeepPaused(paused: boolean) {
    this.#upkeep.paused = paused;
  }

  async close(): Promise<void> {
    await this.ttl.stop();
    await this.#upkeep.stop();
    await this.#external.stop();
    await this.#namespaces.close();
    this.#unwatch();
    await this.#context.ownership.release();
  }

  /** A query with what it needs to know of its collection: what it compares by, and what it may search. */
  #asked<Q extends Pick<FindQuery, 'context' | 'collation'>>(ns: Namespace, query: Q): Q {
    const handle = this.#namespaces.handle(ns);
    const own = handle && defaultCollation(handle.info.options);
    return searching({ ...query, context: collated(query.context, query.collation, own) }, ns, handle?.info);
  }

  #isView(ns: Namespace): boolean {
    return this.#namespaces.views.get(ns) !== undefined;
  }

  #existing(ns: Namespace): CollectionHandle {
    if (this.#isView(ns)) throw notOnView(ns);
    const handle = this.#namespaces.handle(ns);
    if (!handle) throw new CodedError('NamespaceNotFound', `ns does not exist: ${nsText(ns)}`);
    return handle;
  }

  /** The collection where it exists, loaded and with room in its queue. */
  async #loaded(ns: Namespace): Promise<Loaded | undefined> {
    for (;;) {
      const handle = this.#namespaces.handle(ns);
      if (!handle) return undefined;
      try {
        const loaded = await handle.load();
        await loaded.collection.room();
        // Dropped, or read anew, while this one waited: begin again with what is there now.
        if (this.#namespaces.handle(ns) === handle && handle.loaded === loaded) return loaded;
      } catch (error) {
        if (this.#namespaces.handle(ns) === handle) throw error;
      }
    }
  }

  /** The same, made where it is missing. */
  async #ensured(ns: Namespace): Promise<Loaded> {
    for (;;) {
      if (!this.#namespaces.handle(ns)) await this.#namespaces.ensure(ns);
      const loaded = await this.#loaded(ns);
      if (loaded) return loaded;
    }
  }
}

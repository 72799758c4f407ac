import { CodedError, type Env, InvariantError } from '../base/index.ts';
import { Collator, type Doc } from '../bson/index.ts';
import { kindOf, OrderedIndex } from '../indexes/index.ts';
import { type KeyRing, type Log, type LogProblem, type LogSummary, type Ownership, openLog } from '../log/index.ts';
import { compileFilter } from '../query/index.ts';
import { type ChannelId, meteredStore, type Store, type StoreRequests } from '../store/index.ts';
import type { DocumentCache } from './cache.ts';
import { type Cap, capOf } from './cap.ts';
import { defaultCollation } from './collation.ts';
import { Collection, nsText } from './collection.ts';
import type { CollectionInfo, IndexSpec, IndexUse, Namespace } from './contract.ts';
import { RecordReader } from './reader.ts';
import type { RecordShelf } from './record-shelf.ts';
import { RetryTable } from './retry-table.ts';
import { Validation } from './validation.ts';

/** A collection whose directory is in memory. */
export interface Loaded {
  readonly collection: Collection;
  readonly retries: RetryTable;
  readonly reader: RecordReader;
  /** Changes with the collection's options. */
  validation: Validation | undefined;
  cap: Cap | undefined;
}

/** What every handle needs of the process. */
export interface HandleContext {
  readonly env: Env;
  readonly store: Store;
  readonly cache: DocumentCache;
  readonly shelf: RecordShelf;
  /** The right to write, and its epoch. */
  readonly ownership: Ownership;
  readonly keys: KeyRing | undefined;
}

/**
 * A collection that the catalog knows, in one of three states: nothing read; streamed (the log answers without a
 * directory); loaded. When the log stops on an error that will not heal, everything in memory is thrown away and the
 * next use reads the channel anew: what was never durable is gone, and what was, is there.
 */
export class CollectionHandle {
  #info: CollectionInfo;
  #channel: ChannelId;
  readonly #context: HandleContext;
  readonly #metered: ReturnType<typeof meteredStore>;
  /** Since when uses of the indexes are counted, where that is later than the handle. */
  readonly #madeAt = new Map<string, Date>();
  readonly #openedAt: Date;
  #log: Log;
  #loading: Promise<Loaded> | undefined;
  #loaded: Loaded | undefined;
  /** Reads that went by without a directory; the second one is a sign that the collection is in use. */
  #streamed = 0;
  #opened = false;
  #ended: CodedError | undefined;
  #ready: Promise<void>;

  /** Nothing is read before `ready`: another handle of the channel may still be writing. */
  constructor(context: HandleContext, info: CollectionInfo, channel: ChannelId, ready = Promise.resolve()) {
    this.#context = context;
    this.#openedAt = new Date(context.env.clock.now());
    this.#metered = meteredStore(context.store);
    this.#ready = ready;
    this.#info = info;
    this.#channel = channel;
    this.#log = this.#openLog(channel);
  }

  get info(): CollectionInfo {
    return this.#info;
  }

  /** What is in memory goes by it from now on. */
  set info(info: CollectionInfo) {
    this.#info = info;
    if (!this.#loaded) return;
    this.#loaded.validation = Validation.of(this.#context.env, info);
    this.#loaded.cap = capOf(info.options);
    this.#loaded.collection.redefine(info.indexes);
  }

  get channel(): ChannelId {
    return this.#channel;
  }

  /** What Discord has been asked for this collection. */
  get requests(): StoreRequests {
    return this.#metered.requests;
  }

  get log(): Log {
    return this.#log;
  }

  /** How often queries went by each index, and since when that is counted. */
  indexUses(): Map<string, IndexUse> {
    const { indexUses } = this.#loaded?.collection ?? {};
    return new Map(
      this.info.indexes.map(({ name }) => [
        name,
        { ops: indexUses?.of(name) ?? 0, since: this.#madeAt.get(name) ?? this.#openedAt },
      ]),
    );
  }

  /** An index was made just now, or is another one since: its uses are counted anew. */
  noteIndex(name: string): void {
    this.#madeAt.set(name, new Date(this.#context.env.clock.now()));
    this.#loaded?.collection.indexUses.forget(name);
  }

  get loaded(): Loaded | undefined {
    return this.#loaded;
  }

  /** What it holds in memory, or is reading; undefined where nobody has asked for it. */
  get opening(): Promise<Loaded> | undefined {
    return this.#loading;
  }

  /** Its channel was read whole at any time: since then what stands there may be superseded, and removed. */
  get opened(): boolean {
    return this.#opened;
  }

  /** Reads the channel unless that has been done. */
  load(): Promise<Loaded> {
    if (this.#loading) return this.#loading;
    if (this.#ended) return Promise.reject(this.#ended);
    this.#opened = true;
    const loading = this.#recover();
    this.#loading = loading;
    loading.catch((error) => {
      if (this.#loading === loading) this.#reset(error);
    });
    return loading;
  }

  /** The log of another channel, which was made just now. */
  emptyLogIn(channel: ChannelId): Log {
    const log = this.#openLog(channel);
    log.startEmpty();
    return log;
  }

  /**
   * The collection goes on in this channel, with what it holds in memory; the channel counts once `entered` resolves, and
   * nothing is read there before.
   */
  moveTo(channel: ChannelId, log: Log, entered: Promise<void>): void {
    this.#channel = channel;
    this.#log = log;
    this.#ready = entered;
  }

  /** Whether the collection has moved is not known, and only a new start can tell. */
  lose(error: unknown): void {
    this.#ended = new CodedError(
      'OperationFailed',
      `${nsText(this.info.ns)} was on its way to another channel when Discord failed: restart DiscoDB (${String(error)})`,
    );
    this.#discard(this.#ended);
  }

  /** For a channel that was made just now: there is nothing to read. */
  startEmpty(): void {
    this.#log.startEmpty();
    this.#opened = true;
    this.#loaded = this.#newLoaded();
    this.#loading = Promise.resolve(this.#loaded);
  }

  /**
   * The log's summary where a natural-order read may go by without a directory: the log holds inserts alone, and this
   * is the first such read since the collection was opened. Undefined: load it.
   */
  async streamable(): Promise<LogSummary | undefined> {
    if (this.#loading || this.#streamed > 0) return undefined;
    this.#streamed++;
    await this.#ready;
    const summary = await this.#log.summary();
    return summary.superseding === 0 && !this.#loading ? summary : undefined;
  }

  async close(): Promise<void> {
    await this.#log.close();
  }

  /** The collection is no more. */
  drop(): void {
    this.#end(`collection dropped: ${nsText(this.info.ns)}`);
  }

  /** The collection has another name, and another handle. */
  rename(to: Namespace): void {
    this.#end(`collection renamed from '${nsText(this.info.ns)}' to '${nsText(to)}'`);
  }

  /** Throws what a command under way meets on a collection that was dropped or renamed. */
  checkAlive(): void {
    if (this.#ended) throw this.#ended;
  }

  #end(why: string): void {
    this.#ended = new CodedError('QueryPlanKilled', why);
    this.#discard(this.#ended);
  }

  /** Lets go of memory without waiting for anything. */
  #discard(reason: unknown): void {
    this.#loaded?.collection.discard(reason);
    this.#loaded = undefined;
    this.#loading = undefined;
  }

  async #recover(): Promise<Loaded> {
    await this.#ready;
    let loaded = this.#newLoaded();
    const restart = () => {
      loaded.collection.discard(new InvariantError('this reading of the channel was given up'));
      loaded = this.#newLoaded();
    };
    const recovered = await this.#log.recover((entry) => loaded.collection.adopt(entry), restart);
    loaded.collection.sortRecovered(recovered.nextRecordId);
    loaded.retries.restore(recovered.marks);
    for (const { spec, refusal } of loaded.collection.secondary.values()) {
      const where = { err: refusal, ns: this.info.ns, index: spec.name };
      if (refusal) this.#context.env.log.warn(where, 'an index refuses documents that are kept, and is not used');
    }
    this.#loaded = loaded;
    return loaded;
  }

  #newLoaded(): Loaded {
    const { env, cache, shelf } = this.#context;
    const collection: Collection = new Collection(
      this.info.ns,
      this.#log,
      cache,
      (error) => {
        if (this.#loaded?.collection !== collection) return;
        env.log.error({ err: error, ns: this.info.ns }, 'the collection stopped; it will be read anew');
        this.#reset(error);
      },
      defaultCollation(this.info.options),
      this.info.options.has('clusteredIndex'),
    );
    for (const spec of this.info.indexes) {
      if (spec.name !== '_id_') collection.addIndex({ spec, index: buildIndex(spec), ready: true });
    }
    return {
      collection,
      retries: new RetryTable(() => env.clock.now()),
      reader: new RecordReader(collection, shelf),
      validation: Validation.of(env, this.info),
      cap: capOf(this.info.options),
    };
  }

  #reset(reason: unknown): void {
    this.#discard(reason);
    this.#log = this.#openLog(this.#channel);
  }

  #openLog(channel: ChannelId): Log {
    const { env, ownership, keys } = this.#context;
    return openLog({
      env,
      store: this.#metered.store,
      channel,
      epoch: ownership.epoch,
      keys,
      onProblem: (problem) => this.#report(channel, problem),
    });
  }

  #report(channel: ChannelId, problem: LogProblem): void {
    const { kind, messageId, fromSeq, toSeq } = problem;
    const fields = { ns: this.info.ns, channel, kind, messageId: messageId?.toString(), fromSeq, toSeq };
    this.#context.env.log.error(fields, problem.text);
  }
}

/** The structure of an index as its definition asks for it. */
export function buildIndex({ key, unique, spec }: IndexSpec): OrderedIndex {
  const collator = Collator.of(spec.get('collation') as Doc | undefined);
  const texts = collator?.newOrder();
  const options = { key, unique, generator: kindOf(key).generator(spec, texts), texts };
  const partial = spec.get('partialFilterExpression');
  if (!(partial instanceof Map)) return new OrderedIndex(options);
  const filter = compileFilter(partial, { now: new Date(0), random: () => 0, collator });
  return new OrderedIndex({ ...options, partial: (doc) => filter.matches(doc) });
}

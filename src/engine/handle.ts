import { CodedError, type Env } from '../base/index.ts';
import { OrderedIndex } from '../indexes/index.ts';
import { type KeyRing, type Log, type LogProblem, type LogSummary, type Ownership, openLog } from '../log/index.ts';
import { compileFilter } from '../query/index.ts';
import type { ChannelId, Store } from '../store/index.ts';
import type { DocumentCache } from './cache.ts';
import { Collection, nsText } from './collection.ts';
import type { CollectionInfo, IndexSpec } from './contract.ts';
import { RecordReader } from './reader.ts';
import type { RecordShelf } from './record-shelf.ts';
import { RetryTable } from './retry-table.ts';

/** A collection whose directory is in memory. */
export interface Loaded {
  readonly collection: Collection;
  readonly retries: RetryTable;
  readonly reader: RecordReader;
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
  info: CollectionInfo;
  readonly channel: ChannelId;
  readonly #context: HandleContext;
  #log: Log;
  #loading: Promise<Loaded> | undefined;
  #loaded: Loaded | undefined;
  /** Reads that went by without a directory; the second one is a sign that the collection is in use. */
  #streamed = 0;
  #dropped = false;

  constructor(context: HandleContext, info: CollectionInfo, channel: ChannelId) {
    this.#context = context;
    this.info = info;
    this.channel = channel;
    this.#log = this.#openLog();
  }

  get log(): Log {
    return this.#log;
  }

  get loaded(): Loaded | undefined {
    return this.#loaded;
  }

  /** What it holds in memory, or is reading; undefined where nobody has asked for it. */
  get opening(): Promise<Loaded> | undefined {
    return this.#loading;
  }

  /** Reads the channel unless that has been done. */
  load(): Promise<Loaded> {
    if (this.#loading) return this.#loading;
    const loading = this.#recover();
    this.#loading = loading;
    loading.catch(() => {
      if (this.#loading === loading) this.#reset();
    });
    return loading;
  }

  /** For a channel that was made just now: there is nothing to read. */
  startEmpty(): void {
    this.#log.startEmpty();
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
    const summary = await this.#log.summary();
    return summary.superseding === 0 && !this.#loading ? summary : undefined;
  }

  async close(): Promise<void> {
    await this.#log.close();
  }

  /** The collection is no more. */
  drop(): void {
    this.#dropped = true;
    this.discard();
  }

  /** Throws what a cursor meets on a collection that was dropped under it. */
  checkAlive(): void {
    if (this.#dropped) throw new CodedError('QueryPlanKilled', `collection dropped: ${nsText(this.info.ns)}`);
  }

  /** Lets go of memory without waiting for anything. */
  discard(): void {
    this.#loaded?.collection.discard();
    this.#loaded = undefined;
    this.#loading = undefined;
  }

  async #recover(): Promise<Loaded> {
    let loaded = this.#newLoaded();
    const restart = () => {
      loaded.collection.discard();
      loaded = this.#newLoaded();
    };
    const recovered = await this.#log.recover((entry) => loaded.collection.adopt(entry), restart);
    loaded.collection.sortRecovered(recovered.nextRecordId);
    loaded.retries.restore(recovered.marks);
    this.#loaded = loaded;
    return loaded;
  }

  #newLoaded(): Loaded {
    const { env, cache, shelf } = this.#context;
    const collection: Collection = new Collection(this.info.ns, this.#log, cache, (error) => {
      if (this.#loaded?.collection !== collection) return;
      env.log.error({ err: error, ns: this.info.ns }, 'the collection stopped; it will be read anew');
      this.#reset();
    });
    for (const spec of this.info.indexes) {
      if (spec.name !== '_id_') collection.addIndex({ spec, index: buildIndex(spec), ready: true });
    }
    return { collection, retries: new RetryTable(() => env.clock.now()), reader: new RecordReader(collection, shelf) };
  }

  #reset(): void {
    this.discard();
    this.#log = this.#openLog();
  }

  #openLog(): Log {
    const { env, store, ownership, keys } = this.#context;
    return openLog({
      env,
      store,
      channel: this.channel,
      epoch: ownership.epoch,
      keys,
      onProblem: (problem) => this.#report(problem),
    });
  }

  #report(problem: LogProblem): void {
    const { kind, messageId, fromSeq, toSeq } = problem;
    const fields = { ns: this.info.ns, channel: this.channel, kind, messageId: messageId?.toString(), fromSeq, toSeq };
    this.#context.env.log.error(fields, problem.text);
  }
}

/** The structure of an index as its definition asks for it. */
export function buildIndex(spec: IndexSpec): OrderedIndex {
  const options = { key: spec.key, unique: spec.unique, sparse: spec.spec.get('sparse') === true };
  const partial = spec.spec.get('partialFilterExpression');
  if (!(partial instanceof Map)) return new OrderedIndex(options);
  const filter = compileFilter(partial, { now: new Date(0), random: () => 0 });
  return new OrderedIndex({ ...options, partial: (doc) => filter.matches(doc) });
}

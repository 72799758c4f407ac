import { CodedError, sleep, uuidBytes } from '../base/index.ts';
import { type Doc, equal } from '../bson/index.ts';
import type { Log } from '../log/index.ts';
import type { ChannelId } from '../store/index.ts';
import { type Catalog, type CatalogEntry, idIndex, type Place } from './catalog.ts';
import { type Collection, nsText } from './collection.ts';
import type { CollectionInfo, IndexSpec, Namespace } from './contract.ts';
import { CollectionHandle, type HandleContext } from './handle.ts';
import { expiringIn, type TtlTarget } from './ttl.ts';
import { unlike } from './unlike.ts';
import { Compaction } from './upkeep/compaction.ts';
import { notOnView, type Views } from './views.ts';

/** How long the channel that a collection has left stays for those who are reading there. */
const STRAGGLERS_MS = 60_000;

/**
 * Which collections there are, and their handles. Changes go to the catalog first; memory follows when Discord holds
 * them. Changes of one namespace wait for each other.
 */
export class Namespaces {
  readonly #context: HandleContext;
  readonly #catalog: Catalog;
  readonly #handles = new Map<string, CollectionHandle>();
  /** The last change under way for each namespace. */
  readonly #changing = new Map<string, Promise<unknown>>();
  /** Channel removals under way, which `close` waits for. */
  readonly #removals = new Set<Promise<void>>();
  readonly #closing = new AbortController();

  constructor(context: HandleContext, catalog: Catalog) {
    this.#context = context;
    this.#catalog = catalog;
    for (const entry of catalog.entries()) this.#open(entry);
  }

  get known(): number {
    return this.#handles.size;
  }

  get open(): number {
    return [...this.#handles.values()].filter(({ loaded }) => loaded).length;
  }

  /** The collections that are in memory, and the catalog. */
  loaded(): { collection: Collection; channel: ChannelId }[] {
    const open = [...this.#handles.values()].flatMap(({ loaded, channel }) =>
      loaded ? [{ collection: loaded.collection, channel }] : [],
    );
    return this.#catalog.kept ? [...open, this.#catalog.kept] : open;
  }

  databases(): string[] {
    const infos = [...[...this.#handles.values()].map(({ info }) => info), ...this.views.all()];
    return [...new Set(infos.map(({ ns }) => ns.db))].sort();
  }

  collections(db: string): CollectionInfo[] {
    return [...this.#handles.values()].map(({ info }) => info).filter(({ ns }) => ns.db === db);
  }

  get views(): Views {
    return this.#catalog.views;
  }

  /** What expires where. */
  expiring(): TtlTarget[] {
    return [...this.#handles.values()].flatMap(({ info }) => expiringIn(info));
  }

  /** Throws a StoreError once another process has taken over: what is in memory may no longer be what is. */
  handle(ns: Namespace): CollectionHandle | undefined {
    this.#context.ownership.check();
    return this.#handles.get(nsText(ns));
  }

  /** The collection that lives in a channel. */
  inChannel(channel: ChannelId): CollectionHandle | undefined {
    for (const handle of this.#handles.values()) if (handle.channel === channel) return handle;
    return undefined;
  }

  /** The collection, made with no options where it is missing. */
  ensure(ns: Namespace): Promise<CollectionHandle> {
    return this.#change([ns], async () => {
      if (this.views.get(ns)) throw notOnView(ns);
      return this.handle(ns) ?? (await this.#make(ns, new Map()));
    });
  }

  create(ns: Namespace, options: Doc): Promise<void> {
    return this.#change(withViews(ns), async () => {
      const existing = this.handle(ns)?.info ?? this.views.get(ns);
      if (existing && equal(existing.options, options)) return;
      if (existing)
        throw new CodedError(
          'NamespaceExists',
          `namespace ${nsText(ns)} already exists, but ${unlike(existing, options)}`,
        );
      if (options.has('viewOn')) await this.#putView(ns, options);
      else await this.#make(ns, options);
    });
  }

  /** Defines a view anew. */
  redefineView(ns: Namespace, options: Doc): Promise<void> {
    return this.#change(withViews(ns), async () => {
      if (!this.views.get(ns)) throw new CodedError('NamespaceNotFound', `ns does not exist: ${nsText(ns)}`);
      await this.#putView(ns, options);
    });
  }

  async #putView(ns: Namespace, options: Doc): Promise<void> {
    const uuid = this.views.of(ns.db)[0]?.uuid ?? uuidBytes(this.#context.env.random);
    const view = { ns, uuid, options, indexes: [] };
    this.views.check(view);
    await this.#catalog.putView(view);
  }

  drop(ns: Namespace): Promise<CollectionInfo | undefined> {
    return this.#change([ns], async () => {
      const handle = this.handle(ns);
      const view = this.views.get(ns);
      if (view) await this.#catalog.write([], [], [view]);
      if (!handle) return view;
      await this.#catalog.write([this.#entry(handle)], []);
      this.#forget(handle);
      return handle.info;
    });
  }

  dropDatabase(db: string): Promise<void> {
    const all = [...this.collections(db), ...this.views.of(db)].map(({ ns }) => ns);
    return this.#change(all, async () => {
      const handles = all.flatMap((ns) => this.handle(ns) ?? []);
      const views = all.flatMap((ns) => this.views.get(ns) ?? []);
      if (handles.length + views.length === 0) return;
      await this.#catalog.write(
        handles.map((handle) => this.#entry(handle)),
        [],
        views,
      );
      for (const handle of handles) this.#forget(handle);
    });
  }

  /** The channel stays; only the catalog says what its name is. */
  rename(from: Namespace, to: Namespace, dropTarget: boolean): Promise<void> {
    return this.#change([from, to], async () => {
      if (this.views.get(from))
        throw new CodedError('CommandNotSupportedOnView', `cannot rename view: ${nsText(from)}`);
      if (this.views.get(to)) {
        throw new CodedError('NamespaceExists', `a view already exists with that name: ${nsText(to)}`);
      }
      const handle = this.handle(from);
      if (!handle) throw new CodedError('NamespaceNotFound', `Source collection ${nsText(from)} does not exist`);
      const target = this.handle(to);
      if (target && !dropTarget) throw new CodedError('NamespaceExists', 'target namespace exists');
      const entry = this.#entry(handle);
      const renamed = { ...entry, info: { ...entry.info, ns: to } };
      await handle.log.flush();
      await this.#catalog.write([entry], [renamed]);
      if (target) this.#forget(target);
      this.#handles.delete(nsText(from));
      handle.rename(to);
      const closed = handle.close();
      this.#open(renamed, closed);
      await closed;
    });
  }

  /**
   * Writes a collection anew into a channel of its own, and drops the old one, which one request deletes with all that it
   * holds. Returns false where `goesOn` ended it, or where clients left no moment for it. Nothing but upkeep may work on
   * the collection meanwhile, and only one at a time. The catalog stays in its channel, where whoever starts looks for it.
   */
  async compact(collection: Collection, readable: number, goesOn: () => boolean): Promise<boolean> {
    if (collection === this.#catalog.kept?.collection) {
      await this.#catalog.rewrite();
      return true;
    }
    const handle = [...this.#handles.values()].find(({ loaded }) => loaded?.collection === collection);
    const loaded = handle?.loaded;
    if (!loaded) return false;
    const place = await this.#catalog.reserve(handle.info);
    const former = handle.log;
    const log = handle.emptyLogIn(place.channel);
    const compaction = new Compaction(this.#context.env.clock, loaded, log, readable, goesOn);
    let moved = false;
    try {
      if (await compaction.copy()) {
        moved = await this.#change([handle.info.ns], () => compaction.finish(() => this.#enter(handle, place, log)));
      }
    } finally {
      this.#inBackground(() => this.#leave(loaded.collection, moved ? former : log, moved));
    }
    return moved;
  }

  /**
   * Puts other documents in the place of a collection's: `fill` writes them to a channel of their own, and then they count
   * all at once, under a new UUID. A crash before leaves everything as it was. Nothing of the old ones is read.
   */
  async replace(handle: CollectionHandle, fill: (log: Log) => Promise<void>): Promise<void> {
    const { ns } = handle.info;
    const uuid = uuidBytes(this.#context.env.random);
    const place = await this.#catalog.reserve({ ...handle.info, uuid });
    const log = handle.emptyLogIn(place.channel);
    let entered = false;
    try {
      await fill(log);
      await log.fence();
      await this.#change([ns], async () => {
        handle.checkAlive();
        const entry = this.#entry(handle);
        const replaced = { ...entry, info: { ...entry.info, uuid }, ...place };
        await this.#catalog.write([entry], [replaced]);
        entered = true;
        this.#forget(handle);
        this.#open(replaced, log.close());
      });
    } finally {
      if (!entered) {
        this.#inBackground(async () => {
          await log.close();
          await this.#removeChannel(place.channel);
        });
      }
    }
  }

  /** Deletes the channel of a log that counts no more, or never did. */
  async #leave(collection: Collection, log: Log, wasRead: boolean): Promise<void> {
    if (wasRead) await sleep(this.#context.env.clock, STRAGGLERS_MS, this.#closing.signal).catch(() => {});
    await log.close();
    collection.home.forgetFormer();
    // The catalog knows that it is to be deleted; there may be readers still.
    if (!this.#closing.signal.aborted) await this.#removeChannel(log.channel);
  }

  /** Where the catalog cannot be written, nobody knows which channel counts. */
  async #enter(handle: CollectionHandle, place: Place, log: Log): Promise<void> {
    const entry = this.#entry(handle);
    const entered = this.#catalog.write([entry], [{ ...entry, ...place }]);
    handle.moveTo(place.channel, log, entered);
    await entered.catch((error) => {
      handle.lose(error);
      throw error;
    });
  }

  /** Writes the collection's new index definitions. */
  setIndexes(handle: CollectionHandle, indexes: readonly IndexSpec[]): Promise<void> {
    return this.alter(handle, () => ({ indexes }));
  }

  /** Writes what `change` makes of the collection's options and indexes; then memory goes by it. */
  alter(
    handle: CollectionHandle,
    change: (info: CollectionInfo) => Partial<Pick<CollectionInfo, 'options' | 'indexes'>>,
  ): Promise<void> {
    return this.#change([handle.info.ns], async () => {
      const entry = this.#entry(handle);
      const changed = { ...entry, info: { ...entry.info, ...change(entry.info) } };
      await this.#catalog.write([], [changed]);
      handle.info = changed.info;
    });
  }

  /** Deletes the channels that dropped collections left, while nobody waits. */
  removeDropped(): void {
    for (const channel of this.#catalog.dropped()) this.#inBackground(() => this.#removeChannel(channel));
  }

  /** Deletes channels that a crash left before anything was written to them. What holds messages is left to a person. */
  removeOrphans(channels: readonly ChannelId[]): void {
    const { store, env } = this.#context;
    for (const channel of channels) {
      this.#inBackground(async () => {
        const [message] = await store.pageBefore(channel, undefined, 1, 'upkeep');
        if (!message) return store.deleteChannel(channel);
        env.log.warn({ channel }, 'a channel of a collection that the catalog does not know; it is left alone');
      });
    }
  }

  async #removeChannel(channel: ChannelId): Promise<void> {
    await this.#context.store.deleteChannel(channel);
    await this.#catalog.deleted(channel);
  }

  #inBackground(work: () => Promise<void>): void {
    const running = work()
      .catch((error) =>
        this.#context.env.log.warn({ err: error }, 'a channel stays for now; the next start tries again'),
      )
      .finally(() => this.#removals.delete(running));
    this.#removals.add(running);
  }

  async close(): Promise<void> {
    this.#closing.abort(new Error('the engine closes'));
    await Promise.allSettled(this.#changing.values());
    await Promise.all([...this.#handles.values()].map((handle) => handle.close()));
    await this.#catalog.close();
    while (this.#removals.size > 0) await Promise.all(this.#removals);
  }

  async #make(ns: Namespace, options: Doc): Promise<CollectionHandle> {
    const handle = this.#open(await this.#catalog.create(ns, options, [idIndex(options)]));
    handle.startEmpty();
    return handle;
  }

  #open(entry: CatalogEntry, ready?: Promise<void>): CollectionHandle {
    const handle = new CollectionHandle(this.#context, entry.info, entry.channel, ready);
    this.#handles.set(nsText(entry.info.ns), handle);
    return handle;
  }

  #entry({ info }: CollectionHandle): CatalogEntry {
    const entry = this.#catalog.get(info.ns);
    if (!entry) throw new CodedError('NamespaceNotFound', `ns does not exist: ${nsText(info.ns)}`);
    return entry;
  }

  /** The collection is gone from the catalog: let go of memory, and of the channel once its last writes are through. */
  #forget(handle: CollectionHandle): void {
    this.#handles.delete(nsText(handle.info.ns));
    handle.drop();
    this.#inBackground(async () => {
      await handle.close();
      await this.#removeChannel(handle.channel);
    });
  }

  /** Runs `change` after every change of the same namespaces that came before it. */
  async #change<T>(namespaces: readonly Namespace[], change: () => Promise<T>): Promise<T> {
    const keys = namespaces.map(nsText);
    const earlier = keys.map((key) => this.#changing.get(key));
    const running = Promise.allSettled(earlier).then(change);
    for (const key of keys) this.#changing.set(key, running);
    try {
      return await running;
    } finally {
      for (const key of keys) if (this.#changing.get(key) === running) this.#changing.delete(key);
    }
  }
}

/** What a view may be changes with every other view of its database. */
function withViews(ns: Namespace): Namespace[] {
  return [ns, { db: ns.db, coll: 'system.views' }];
}

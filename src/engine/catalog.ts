import { CodedError, type Env, uuidBytes } from '../base/index.ts';
import { Binary, type Doc, decode, encode, doc as literal, type Value } from '../bson/index.ts';
import type { ChannelId, ChannelInfo, MessageId, NewChannel, Store } from '../store/index.ts';
import { SYSTEM_CATEGORY } from './bootstrap.ts';
import { Categories } from './categories.ts';
import { type Collection, nsText } from './collection.ts';
import type { CollectionInfo, IndexSpec, Namespace } from './contract.ts';
import type { CollectionHandle } from './handle.ts';
import { rewrite } from './upkeep/packing.ts';
import { Views } from './views.ts';

const UUID_SUBTYPE = 4;
const RANDOM_NAME_BYTES = 4;

/** A topic begins with it, so that people and the next start know whose channel it is. */
const COLLECTION_TOPIC = 'DiscoDB collection ';

/** Where a collection lives. */
export interface Place {
  readonly channel: ChannelId;
  readonly category: ChannelId;
}

/** A collection with where it lives. */
export interface CatalogEntry extends Place {
  readonly info: CollectionInfo;
}

/** What a document of the catalog says: that a collection or a view is there, or that the channel of one is to be deleted. */
export type CatalogItem = { readonly entry: CatalogEntry } | { readonly view: CollectionInfo } | DroppedItem;

interface DroppedItem {
  readonly dropped: ChannelId;
  /** Undefined in what was written before categories were noted. */
  readonly category: ChannelId | undefined;
}

/** Throws a CodedError for a document that says neither. */
export function catalogItem(doc: Doc): CatalogItem {
  const dropped = droppedChannel(doc);
  if (dropped === undefined) return fromDoc(doc);
  const category = doc.get('category');
  return { dropped, category: typeof category === 'string' ? category : undefined };
}

/** Whether channels and categories made from now on show in Discord whose they are. */
export type Names = 'shown' | 'hidden';

/**
 * Namespaces, options and indexes: one document for each collection, `{_id: "db.coll", uuid, channel, category,
 * options, indexes}`, and for each view, `{_id: "db.view", uuid, options}`, in a collection of DiscoDB's own. A collection exists exactly while its document does. The record
 * that drops one leaves `{_id: "dropped <channel>", category}`, so that a crash cannot make anybody forget to delete the channel,
 * and nobody deletes one that nothing is known of.
 */
export class Catalog {
  readonly #env: Env;
  readonly #store: Store;
  readonly #handle: CollectionHandle;
  readonly #names: Names;
  readonly #entries = new Map<string, CatalogEntry>();
  readonly views = new Views();
  /** Channels of dropped collections, and whether they have been deleted. */
  readonly #dropped = new Map<ChannelId, { readonly category: ChannelId | undefined; deleted: boolean }>();
  readonly #categories: Categories;

  private constructor(env: Env, store: Store, handle: CollectionHandle, names: Names) {
    this.#env = env;
    this.#store = store;
    this.#handle = handle;
    this.#names = names;
    this.#categories = new Categories(env, store, (db) => this.#categoryName(db));
  }

  static async open(env: Env, store: Store, handle: CollectionHandle, names: Names): Promise<Catalog> {
    const catalog = new Catalog(env, store, handle, names);
    const { collection, reader } = await handle.load();
    // A drop that a killed process left on its way must not take effect after this one has acknowledged writes to the
    // collection, nor a creation after its channel was removed as an orphan.
    await collection.log.fence();
    for (const { bytes } of (await reader.readAll([...collection.scan()])).values()) {
      const item = catalogItem(decode(bytes));
      if ('entry' in item) catalog.#adopt(item.entry);
      else if ('view' in item) catalog.views.put(item.view);
      else catalog.#adoptDropped(item);
    }
    return catalog;
  }

  #adopt(entry: CatalogEntry): void {
    const { ns } = entry.info;
    this.#entries.set(nsText(ns), entry);
    this.#categories.add(entry.category, ns.db);
  }

  #adoptDropped({ dropped, category }: DroppedItem): void {
    this.#dropped.set(dropped, { category, deleted: false });
    // Of no database that anybody could ask for: where nothing else is in it, it goes with this channel.
    if (category) this.#categories.add(category, '');
  }

  entries(): Iterable<CatalogEntry> {
    return this.#entries.values();
  }

  get(ns: Namespace): CatalogEntry | undefined {
    return this.#entries.get(nsText(ns));
  }

  /** Makes the channel, then the document that makes the collection exist. */
  async create(ns: Namespace, options: Doc, indexes: readonly IndexSpec[]): Promise<CatalogEntry> {
    const uuid = uuidBytes(this.#env.random);
    const { id, category } = await this.#createChannel(ns, uuid);
    const entry: CatalogEntry = { info: { ns, uuid, options, indexes }, channel: id, category };
    await this.write([], [entry]);
    return entry;
  }

  /**
   * Makes another channel for a collection, which stays one to be deleted until `write` adds an entry that lives in it: a
   * crash leaves nothing behind.
   */
  async reserve({ ns, uuid }: CollectionInfo): Promise<Place> {
    const { id, category } = await this.#createChannel(ns, uuid, ` again ${randomHex(this.#env)}`);
    await this.#change([], [droppedDoc({ channel: id, category })]);
    this.#dropped.set(id, { category, deleted: false });
    return { channel: id, category };
  }

  /** `suffix` keeps a wish apart from an earlier one for the same collection. */
  async #createChannel(ns: Namespace, uuid: Uint8Array, suffix = ''): Promise<{ id: ChannelId; category: ChannelId }> {
    const wanted = await this.#categories.enter(ns.db);
    let category: ChannelId | undefined;
    try {
      const wish = this.#wish(ns, uuid);
      const made = await this.#store.createChannel({ ...wish, topic: `${wish.topic}${suffix}`, parentId: wanted });
      // Where the guild of that category has no room, the channel came to stand in another one.
      category = made.parentId ?? wanted;
      if (category !== wanted) this.#categories.add(category, ns.db);
      return { id: made.id, category };
    } finally {
      if (category !== wanted) this.#categories.leave(wanted);
    }
  }

  /** Channels that a dropped collection left and that are still to be deleted. */
  dropped(): ChannelId[] {
    return [...this.#dropped].filter(([, { deleted }]) => !deleted).map(([channel]) => channel);
  }

  /** The channel is gone. Its document goes along with the next change, and its category after a while if that was the last. */
  deleted(channel: ChannelId): void {
    const dropped = this.#dropped.get(channel);
    if (!dropped || dropped.deleted) return;
    dropped.deleted = true;
    if (dropped.category) this.#categories.leave(dropped.category);
  }

  /** Removes and adds collections, and removes views, as one record. Memory changes only once Discord holds it. */
  async write(
    removed: readonly CatalogEntry[],
    added: readonly CatalogEntry[],
    views: readonly CollectionInfo[] = [],
  ): Promise<void> {
    const dropped = removed.filter(({ channel }) => added.every((entry) => entry.channel !== channel));
    const isAdopted = (channel: ChannelId) => added.some((entry) => entry.channel === channel);
    const forgotten = [...this.#dropped]
      .filter(([channel, { deleted }]) => deleted || isAdopted(channel))
      .map(([channel]) => channel);
    await this.#change(
      [
        ...removed.map(({ info }) => nsText(info.ns)),
        ...views.map(({ ns }) => nsText(ns)),
        ...forgotten.map(droppedId),
      ],
      [...added.map(toDoc), ...dropped.map(droppedDoc)],
    );
    for (const { ns } of views) this.views.delete(ns);
    for (const { info } of removed) this.#entries.delete(nsText(info.ns));
    for (const entry of added) this.#entries.set(nsText(entry.info.ns), entry);
    for (const channel of forgotten) this.#dropped.delete(channel);
    for (const { channel, category } of dropped) this.#dropped.set(channel, { category, deleted: false });
  }

  /** Adds a view, or defines it anew. */
  async putView(view: CollectionInfo): Promise<void> {
    await this.#change([], [viewDoc(view)]);
    this.views.put(view);
  }

  async #change(removed: readonly string[], put: readonly Doc[]): Promise<void> {
    const { collection, reader } = await this.#handle.load();
    const bySlot = (id: Value) => collection.ids.get(id);
    const before = await reader.readAll(removed.flatMap((id) => bySlot(id) ?? []));
    for (const id of removed) {
      const slot = bySlot(id);
      const bytes = slot && before.get(slot)?.bytes;
      if (slot && bytes) collection.remove(slot, bytes, () => decode(bytes));
    }
    for (const doc of put) {
      const slot = bySlot(doc.get('_id'));
      if (slot) collection.replace(slot, doc, encode(doc), doc);
      else collection.insert(encode(doc), () => doc);
    }
    await collection.commit([]);
  }

  /** Writes what stood in these messages, which somebody deleted, once more. Returns how many documents that were. */
  async restore(ids: ReadonlySet<MessageId>): Promise<number> {
    const { collection } = await this.#handle.load();
    const dropped = [...this.#dropped].map(([channel, { category }]) => droppedDoc({ channel, category }));
    let restored = 0;
    for (const doc of [...[...this.entries()].map(toDoc), ...[...this.views.all()].map(viewDoc), ...dropped]) {
      const slot = collection.ids.get(doc.get('_id'));
      if (slot?.record.messageId === undefined || !ids.has(slot.record.messageId)) continue;
      collection.replace(slot, doc, encode(doc), doc);
      restored++;
    }
    await collection.commit([]);
    return restored;
  }

  /** Where it stands, once it is open. */
  get kept(): { collection: Collection; channel: ChannelId } | undefined {
    const { loaded, channel } = this.#handle;
    return loaded && { collection: loaded.collection, channel };
  }

  /** Writes all of it anew, sealed as records are now, and removes what it can of the rest. */
  async rewrite(): Promise<void> {
    const { collection } = await this.#handle.load();
    await rewrite(collection, [...collection.scan()]);
    await collection.log.clean();
  }

  async close(): Promise<void> {
    await this.#handle.close();
    await this.#categories.removeIdle();
  }

  /** The topic makes the channel recognisable, also where its names are hidden. */
  #wish(ns: Namespace, uuid: Uint8Array): NewChannel {
    const hex = Buffer.from(uuid).toString('hex');
    if (this.#names === 'hidden') {
      return { name: `collection-${hex.slice(0, 8)}`, kind: 'text', topic: `${COLLECTION_TOPIC}${hex}` };
    }
    const topic = `${COLLECTION_TOPIC}${printable(nsText(ns))} ${hex}`;
    return { name: channelName(ns.coll), kind: 'text', topic };
  }

  #categoryName(db: string): string {
    if (this.#names === 'hidden') {
      return `database-${randomHex(this.#env)}`;
    }
    return db === SYSTEM_CATEGORY ? `${db} (database)` : printable(db);
  }
}

/** What a catalog knows, for telling what it does not know. */
export interface KnownChannels {
  entries(): Iterable<CatalogEntry>;
  dropped(): readonly ChannelId[];
}

/** Channels of collections that the catalog knows nothing of: a crash came between making one and writing it down. */
export function orphans(catalog: KnownChannels, channels: readonly ChannelInfo[]): ChannelInfo[] {
  const known = new Set([...catalog.entries()].map(({ channel }) => channel).concat(catalog.dropped()));
  return channels.filter(
    ({ id, topic, kind }) => kind === 'text' && topic.startsWith(COLLECTION_TOPIC) && !known.has(id),
  );
}

function droppedId(channel: ChannelId): string {
  return `dropped ${channel}`;
}

function droppedDoc({ channel, category }: { channel: ChannelId; category: ChannelId | undefined }): Doc {
  const doc = new Map([['_id', droppedId(channel)]]);
  return category === undefined ? doc : doc.set('category', category);
}

function droppedChannel(doc: Doc): ChannelId | undefined {
  return /^dropped (\d+)$/.exec(String(doc.get('_id')))?.[1];
}

function toDoc({ info, channel, category }: CatalogEntry): Doc {
  return new Map<string, Value>([
    ['_id', nsText(info.ns)],
    ['uuid', new Binary(info.uuid, UUID_SUBTYPE)],
    ['channel', channel],
    ['category', category],
    ['options', info.options],
    ['indexes', info.indexes.map(({ spec }) => spec)],
  ]);
}

function viewDoc({ ns, uuid, options }: CollectionInfo): Doc {
  return new Map<string, Value>([
    ['_id', nsText(ns)],
    ['uuid', new Binary(uuid, UUID_SUBTYPE)],
    ['options', options],
  ]);
}

function fromDoc(doc: Doc): CatalogItem {
  const [id, uuid, channel, category, options, indexes] = [
    '_id',
    'uuid',
    'channel',
    'category',
    'options',
    'indexes',
  ].map((name) => doc.get(name));
  const isOther = () =>
    new CodedError('UnknownError', `the catalog holds a document that is no collection: ${String(id)}`);
  if (typeof id !== 'string' || !(uuid instanceof Binary) || !(options instanceof Map)) throw isOther();
  const dot = id.indexOf('.');
  const ns = { db: id.slice(0, dot), coll: id.slice(dot + 1) };
  const identity = { ns, uuid: uuid.buffer.subarray(0, uuid.position), options };
  if (options.has('viewOn')) return { view: { ...identity, indexes: [] } };
  if (typeof channel !== 'string' || typeof category !== 'string' || !Array.isArray(indexes)) throw isOther();
  return { entry: { info: { ...identity, indexes: indexes.map(indexSpec) }, channel, category } };
}

/** An index definition as the catalog and `listIndexes` hold it. */
export function indexSpec(spec: Value): IndexSpec {
  const fields = spec as Doc;
  return {
    name: fields.get('name') as string,
    key: fields.get('key') as Doc,
    unique: ['unique', 'prepareUnique'].some((option) => fields.get(option) === true) || fields.get('name') === '_id_',
    spec: fields,
  };
}

/** The `_id` index, which every collection has, with the collation of its options. */
export function idIndex(options: Doc): IndexSpec {
  return indexSpec(literal({ v: 2, key: { _id: 1 }, name: '_id_', collation: options.get('collation') }));
}

function randomHex({ random }: Env): string {
  return Buffer.from(random.bytes(RANDOM_NAME_BYTES)).toString('hex');
}

/** Discord lower-cases text channel names and strips what it does not like; only people read them. */
function channelName(coll: string): string {
  const name = coll.toLowerCase().replace(/[^a-z0-9_-]+/g, '-');
  return name.replace(/^-+|-+$/g, '').slice(0, 90) || 'collection';
}

function printable(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, '?').slice(0, 100);
}

import type { Env } from '../base/index.ts';
import { AttachmentCache } from './attachment-cache.ts';
import type { CacheDisk } from './cache-disk.ts';
import { ChannelCache, Horizon } from './channel-cache.ts';
import { PAGE_MESSAGES_MAX } from './limits.ts';
import type {
  Attachment,
  ChannelId,
  ChannelInfo,
  Draft,
  Message,
  MessageId,
  NewChannel,
  Priority,
  Store,
  StoreListener,
} from './port.ts';
import type { Span } from './spans.ts';

export const LOCAL_CACHE_BYTES = 2 * 2 ** 30;
/** After so many appends the cache looks once at the channel, or the next start could not prove what was posted since. */
const APPENDS_PER_LOOK = 50;
const LOOK_PAGES_MAX = 10;
const OWNER = 'owner.json';
const FORMAT = 1;
/** Above every snowflake, and a number of 64 bits. */
const LAST_ID: MessageId = (1n << 64n) - 1n;

export interface CachedStoreOptions {
  readonly env: Env;
  /** Closed with the store. */
  readonly disk: CacheDisk;
  /** What is on the disk of another guild is thrown away. */
  readonly guildId: string;
  /** Bound on the bytes on disk. The files of the oldest messages go first. */
  readonly maxBytes?: number;
}

export interface CachedStore extends Store {
  /**
   * Begins to use the cache, as the owner of this epoch. Until then everything is Discord's to answer. What is on disk
   * counts where its owner had the epoch before, so that nobody can have removed anything behind its back.
   */
  adopt(epoch: number): Promise<void>;
}

/**
 * `store`, with what never changes kept on a disk: messages and their files. What has to be asked of Discord all the same
 * is what is newest, and whatever is read as `upkeep`. Rules: `channel-cache.ts`.
 */
export function cachedStore(store: Store, options: CachedStoreOptions): CachedStore {
  return new LocallyCached(store, options);
}

class LocallyCached implements CachedStore {
  readonly #store: Store;
  readonly #options: CachedStoreOptions;
  readonly #maxBytes: number;
  readonly #opening = new Map<ChannelId, Promise<ChannelCache>>();
  readonly #open = new Map<ChannelId, ChannelCache>();
  readonly #appends = new Map<ChannelId, number>();
  readonly #horizon = new Horizon();
  readonly #unwatch: () => void;
  /** Bytes of channels that nobody has asked for yet. */
  readonly #closedBytes = new Map<string, number>();
  #attachments: AttachmentCache | undefined;
  #listed: ReadonlySet<ChannelId> | undefined;
  #closed = false;

  constructor(store: Store, options: CachedStoreOptions) {
    this.#store = store;
    this.#options = options;
    this.#maxBytes = options.maxBytes ?? LOCAL_CACHE_BYTES;
    this.#unwatch = store.watch((event) => {
      if (event.kind === 'deleted') this.#open.get(event.channel)?.doubt(event.ids);
    });
  }

  async adopt(epoch: number): Promise<void> {
    const { disk, guildId, env } = this.#options;
    const owner = (of: number) => Buffer.from(JSON.stringify({ format: FORMAT, guild: guildId, epoch: of }));
    try {
      const kept = owner(epoch - 1).equals((await disk.read(OWNER)) ?? Buffer.of());
      const files = (await disk.list()).filter(({ name }) => name !== OWNER);
      const present = kept ? files.filter(({ name }) => !this.#isStale(name)) : [];
      await disk.remove(files.filter((file) => !present.includes(file)).map(({ name }) => name));
      // Last: it says that what is there counts.
      await disk.write(OWNER, owner(epoch));
      for (const { name, size } of present) if (name.endsWith('.log')) this.#closedBytes.set(name, size);
      this.#attachments = new AttachmentCache(disk, present, (error) => this.#warn(error));
      env.log.debug({ files: present.length }, 'the local cache is in use');
    } catch (error) {
      this.#warn(error);
    }
  }

  async channels(): Promise<ChannelInfo[]> {
    const channels = await this.#store.channels();
    this.#listed = new Set(channels.map(({ id }) => id));
    return channels;
  }

  createChannel(channel: NewChannel): Promise<ChannelInfo> {
    return this.#store.createChannel(channel);
  }

  /** Ids of channels are not given twice: what a crash leaves of one is never asked for, and goes at a start. */
  async deleteChannel(id: ChannelId): Promise<void> {
    await this.#store.deleteChannel(id);
    const cache = await this.#cache(id);
    this.#attachments?.drop((channel) => channel === id);
    await cache?.forget().catch((error) => this.#warn(error));
  }

  async append(channel: ChannelId, seal: () => Draft, priority?: Priority): Promise<Message> {
    let draft: Draft | undefined;
    const keep = () => {
      draft = seal();
      return draft;
    };
    const message = await this.#store.append(channel, keep, priority);
    this.#horizon.note(message.id);
    if (this.#attachments) this.#keep(channel, message, draft).catch((error) => this.#warn(error));
    return message;
  }

  async pageBefore(
    channel: ChannelId,
    before: MessageId | undefined,
    limit: number,
    priority: Priority,
  ): Promise<Message[]> {
    const cache = await this.#cache(channel);
    const known = priority !== 'upkeep' && before !== undefined ? await cache?.before(before, limit) : undefined;
    if (known) return known;
    const to = before === undefined ? LAST_ID : before - 1n;
    const request = () => this.#store.pageBefore(channel, before, limit, priority);
    return this.#ask(channel, cache, request, (page) => ({ from: page.length < limit ? 0n : page.at(-1)!.id, to }));
  }

  async pageAfter(channel: ChannelId, after: MessageId, limit: number, priority: Priority): Promise<Message[]> {
    const cache = await this.#cache(channel);
    const known = priority === 'upkeep' ? undefined : await cache?.after(after, limit);
    if (known) return known;
    const from = after === 0n ? 0n : after + 1n;
    const request = () => this.#store.pageAfter(channel, after, limit, priority);
    return this.#ask(channel, cache, request, (page) => ({ from, to: page.length < limit ? LAST_ID : page[0]!.id }));
  }

  async read(channel: ChannelId, id: MessageId, priority: Priority): Promise<Message | undefined> {
    const cache = await this.#cache(channel);
    const known = priority === 'upkeep' ? undefined : await cache?.get(id);
    if (known || !cache) return known ?? this.#store.read(channel, id, priority);
    cache.look();
    try {
      const message = await this.#store.read(channel, id, priority);
      if (message) cache.put(message);
      else await cache.absent(id);
      return message;
    } finally {
      cache.done();
    }
  }

  async download(
    channel: ChannelId,
    message: Message,
    attachment: Attachment,
    priority: Priority,
  ): Promise<Uint8Array | undefined> {
    const cache = await this.#cache(channel);
    const usable = cache?.stands(message.id);
    const known =
      usable && priority !== 'upkeep' ? await this.#attachments?.read(channel, message.id, attachment) : undefined;
    if (known) return known;
    const bytes = await this.#store.download(channel, message, attachment, priority);
    if (bytes && usable) this.#attachments?.add(channel, message.id, attachment, bytes);
    this.#fit(channel);
    return bytes;
  }

  /** What Discord said that it removed, and has not shown since, is not asked for again. */
  async remove(channel: ChannelId, ids: readonly MessageId[]): Promise<void> {
    const cache = await this.#cache(channel);
    const wanted = ids.filter((id) => !cache?.isRemoved(id));
    // Before the request: if it fails, it may have been done or not.
    cache?.doubt(wanted);
    if (wanted.length > 0 || ids.length === 0) await this.#store.remove(channel, wanted);
    cache?.removed(wanted);
    const known = wanted.filter((id) => cache?.has(id));
    if (known.length > 0) this.#inBackground(this.#see(channel, lowest(known) - 1n, 1));
  }

  watch(listener: StoreListener): () => void {
    return this.#store.watch(listener);
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#unwatch();
    await this.#store.close();
    try {
      for (const cache of this.#open.values()) await cache.close();
      await this.#attachments?.flush();
      await this.#options.disk.close();
    } catch (error) {
      this.#warn(error);
    }
  }

  async #ask(
    channel: ChannelId,
    cache: ChannelCache | undefined,
    request: () => Promise<Message[]>,
    spanOf: (page: readonly Message[]) => Span,
  ): Promise<Message[]> {
    if (!cache) return request();
    const look = cache.look();
    try {
      const page = await request();
      const gone = new Set(await cache.learn(look, page, spanOf(page)));
      if (gone.size > 0) this.#attachments?.drop((of, message) => of === channel && gone.has(message));
      this.#fit(channel);
      return page;
    } finally {
      cache.done();
    }
  }

  async #keep(channel: ChannelId, message: Message, draft: Draft | undefined): Promise<void> {
    const cache = await this.#cache(channel);
    cache?.posted(message);
    for (const { name, bytes } of draft?.files ?? []) {
      const attachment = message.attachments.find((candidate) => candidate.name === name);
      if (attachment && cache) this.#attachments?.add(channel, message.id, attachment, bytes);
    }
    this.#fit(channel);
    const appends = (this.#appends.get(channel) ?? 0) + 1;
    this.#appends.set(channel, appends % APPENDS_PER_LOOK);
    if (appends === APPENDS_PER_LOOK) await this.#see(channel, cache?.top ?? 0n, LOOK_PAGES_MAX);
  }

  /** Looks at what stands above `after`, so that it is proven, or seen to be gone. */
  async #see(channel: ChannelId, after: MessageId, pages: number): Promise<void> {
    for (let at = 0, from = after; at < pages && !this.#closed; at++) {
      const page = await this.pageAfter(channel, from, PAGE_MESSAGES_MAX, 'upkeep');
      if (page.length < PAGE_MESSAGES_MAX) return;
      from = page[0]!.id;
    }
  }

  async #cache(channel: ChannelId): Promise<ChannelCache | undefined> {
    if (!this.#attachments || this.#closed) return undefined;
    const open = this.#open.get(channel);
    if (open) return open;
    let opening = this.#opening.get(channel);
    if (!opening) {
      opening = ChannelCache.open(this.#options.disk, `${channel}.log`, this.#horizon);
      this.#opening.set(channel, opening);
    }
    try {
      const cache = await opening;
      if (this.#closed) await cache.close();
      this.#closedBytes.delete(`${channel}.log`);
      this.#open.set(channel, cache);
      return cache;
    } finally {
      this.#opening.delete(channel);
    }
  }

  /** Makes room: files first, then the messages of the channel that grew. */
  #fit(channel: ChannelId): void {
    const attachments = this.#attachments;
    if (!attachments) return;
    let messages = 0;
    for (const size of this.#closedBytes.values()) messages += size;
    for (const cache of this.#open.values()) messages += cache.bytes;
    attachments.evict(Math.max(0, this.#maxBytes - messages));
    if (messages > this.#maxBytes) this.#inBackground(this.#open.get(channel)?.forget() ?? Promise.resolve());
  }

  #isStale(name: string): boolean {
    const channel = /^(?:file-)?(\d+)/.exec(name)?.[1];
    return name.endsWith('.new') || (channel !== undefined && this.#listed !== undefined && !this.#listed.has(channel));
  }

  #inBackground(work: Promise<void>): void {
    work.catch((error) => this.#warn(error));
  }

  #warn(error: unknown): void {
    if (this.#closed) return;
    this.#options.env.log.warn({ err: error }, 'the local cache could not be used as it should; this costs time only');
  }
}

function lowest(ids: readonly MessageId[]): MessageId {
  return ids.reduce((low, id) => (id < low ? id : low));
}

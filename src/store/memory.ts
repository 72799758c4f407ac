import { type Clock, sleep } from '../base/index.ts';
import { BULK_DELETE_AGE_MAX_MS, BULK_DELETE_MAX } from './limits.ts';
import { Listeners } from './listeners.ts';
import {
  type Attachment,
  type ChannelId,
  type ChannelInfo,
  type Draft,
  type Message,
  type MessageId,
  type NewChannel,
  type Store,
  StoreError,
  type StoreListener,
} from './port.ts';
import { snowflakeAt, snowflakeTime } from './snowflake.ts';

/** How long a nonce is remembered. Discord says "a few minutes" and no more (discord-facts 2d). */
const NONCE_MEMORY_MS = 5 * 60 * 1000;
const AUTHOR = '1';
const STRANGER = '2';

export type MemoryRequest = 'channels' | 'append' | 'page' | 'read' | 'download' | 'remove';

/** What goes wrong, switched on and off while the store runs. */
export interface MemoryFaults {
  /** Milliseconds before and after the work of a request. */
  latency: number;
  /** Appends wait for it before they seal. */
  gate: Promise<void> | undefined;
  /** A request that gets an error rejects with it before anything is done. */
  fail: ((request: MemoryRequest) => StoreError | undefined) | undefined;
  /** What Discord makes of a message on its way in. */
  alter: ((draft: Draft) => Draft) | undefined;
  /** `remove` succeeds and does nothing, as Discord did twice in 2023. */
  forgetRemovals: boolean;
}

interface Stored extends Message {
  readonly files: readonly Uint8Array[];
}

interface Channel {
  readonly info: ChannelInfo;
  /** Oldest first. */
  messages: Stored[];
}

/** A guild in memory: the port's promises and nothing else, in the clock it is given. */
export class MemoryStore implements Store {
  readonly faults: MemoryFaults = {
    latency: 0,
    gate: undefined,
    fail: undefined,
    alter: undefined,
    forgetRemovals: false,
  };
  /** Requests made so far, each as Discord would count it: 100 removals are one. */
  readonly requests: Record<MemoryRequest, number> = {
    channels: 0,
    append: 0,
    page: 0,
    read: 0,
    download: 0,
    remove: 0,
  };
  readonly #clock: Clock;
  readonly #channels = new Map<ChannelId, Channel>();
  readonly #nonces = new Map<string, { message: Stored; until: number }>();
  readonly #listeners = new Listeners();
  #lastId = 0n;
  #closed = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  async channels(): Promise<ChannelInfo[]> {
    return this.#request('channels', () => [...this.#channels.values()].map(({ info }) => info));
  }

  async createChannel(channel: NewChannel): Promise<ChannelInfo> {
    return this.#request('channels', () => {
      const wanted = { ...channel, parentId: channel.parentId, topic: channel.topic ?? '' };
      for (const { info } of this.#channels.values()) {
        const { name, kind, parentId, topic } = info;
        if (name === wanted.name && kind === wanted.kind && parentId === wanted.parentId && topic === wanted.topic) {
          return info;
        }
      }
      const info: ChannelInfo = { id: String(this.#newId()), ...wanted };
      this.#channels.set(info.id, { info, messages: [] });
      return info;
    });
  }

  async deleteChannel(id: ChannelId): Promise<void> {
    return this.#request('channels', () => {
      this.#channels.delete(id);
    });
  }

  async append(channel: ChannelId, seal: () => Draft): Promise<Message> {
    if (this.faults.gate) await this.faults.gate;
    const draft = seal();
    return this.#request('append', () => {
      const { messages } = this.#channel(channel);
      const known = this.#nonces.get(draft.nonce);
      if (known && known.until > this.#clock.now()) {
        if (!messages.some(({ id }) => id === known.message.id)) throw new StoreError('refused', 'Unknown Message');
        return known.message;
      }
      const message = this.#store(this.faults.alter ? this.faults.alter(draft) : draft);
      messages.push(message);
      this.#created(channel, message);
      this.#nonces.set(draft.nonce, { message, until: this.#clock.now() + NONCE_MEMORY_MS });
      return message;
    });
  }

  async pageBefore(channel: ChannelId, before: MessageId | undefined, limit: number): Promise<Message[]> {
    return this.#request('page', () => {
      const { messages } = this.#channel(channel);
      const below = before === undefined ? messages : messages.filter(({ id }) => id < before);
      return below.slice(-limit).reverse();
    });
  }

  async pageAfter(channel: ChannelId, after: MessageId, limit: number): Promise<Message[]> {
    return this.#request('page', () => {
      const above = this.#channel(channel).messages.filter(({ id }) => id > after);
      return above.slice(0, limit).reverse();
    });
  }

  async read(channel: ChannelId, id: MessageId): Promise<Message | undefined> {
    return this.#request('read', () => this.#channel(channel).messages.find((message) => message.id === id));
  }

  async download(channel: ChannelId, message: Message, attachment: Attachment): Promise<Uint8Array | undefined> {
    return this.#request('download', () => {
      const stored = this.#channel(channel).messages.find(({ id }) => id === message.id);
      return stored?.files[stored.attachments.findIndex(({ name }) => name === attachment.name)];
    });
  }

  async remove(channel: ChannelId, ids: readonly MessageId[]): Promise<void> {
    const bulkFrom = this.#clock.now() - BULK_DELETE_AGE_MAX_MS;
    const old = ids.filter((id) => snowflakeTime(id) < bulkFrom).length;
    const bulk = Math.ceil((ids.length - old) / BULK_DELETE_MAX);
    if (ids.length === 0) return;
    return this.#request('remove', () => {
      this.requests.remove += old + bulk - 1;
      if (this.faults.forgetRemovals) return;
      const gone = new Set(ids);
      const home = this.#channel(channel);
      home.messages = home.messages.filter(({ id }) => !gone.has(id));
    });
  }

  watch(listener: StoreListener): () => void {
    return this.#listeners.add(listener);
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#listeners.clear();
  }

  /** What stands in a channel, oldest first, without a request. */
  peek(channel: ChannelId): readonly Message[] {
    return this.#channel(channel).messages;
  }

  /** Does to a channel what a person in Discord might do, and tells no listener. */
  tamper(channel: ChannelId, change: (messages: readonly Message[]) => readonly Message[]): void {
    const home = this.#channel(channel);
    const files = new Map(home.messages.map((message) => [message.id, message.files]));
    home.messages = change(home.messages).map((message) => ({ ...message, files: files.get(message.id) ?? [] }));
  }

  /** A message of somebody else. */
  chat(channel: ChannelId, content: string): MessageId {
    const message = { ...this.#store({ content, files: [], nonce: '' }), authorId: STRANGER };
    this.#channel(channel).messages.push(message);
    this.#created(channel, message);
    return message.id;
  }

  /** What a person deletes, and listeners hear of. */
  erase(channel: ChannelId, ids: readonly MessageId[]): void {
    this.tamper(channel, (messages) => messages.filter(({ id }) => !ids.includes(id)));
    this.#listeners.tell({ kind: 'deleted', channel, ids });
  }

  #created(channel: ChannelId, { id, authorId }: Message): void {
    this.#listeners.tell({ kind: 'created', channel, id, authorId, own: authorId === AUTHOR });
  }

  async #request<T>(request: MemoryRequest, work: () => T): Promise<T> {
    this.#refuse(request);
    this.requests[request]++;
    if (this.faults.latency > 0) await sleep(this.#clock, this.faults.latency);
    const answer = work();
    if (this.faults.latency > 0) await sleep(this.#clock, this.faults.latency);
    return answer;
  }

  #refuse(request: MemoryRequest): void {
    if (this.#closed) throw new StoreError('closed', 'the store is closed');
    const error = this.faults.fail?.(request);
    if (error) throw error;
  }

  #channel(id: ChannelId): Channel {
    const channel = this.#channels.get(id);
    if (!channel) throw new StoreError('gone', `there is no channel ${id}`);
    return channel;
  }

  #store(draft: Draft): Stored {
    const id = this.#newId();
    const attachments = draft.files.map(({ name, bytes }) => ({
      name,
      size: bytes.length,
      url: `memory:${id}/${name}`,
    }));
    return { id, content: draft.content, attachments, authorId: AUTHOR, files: draft.files.map(({ bytes }) => bytes) };
  }

  #newId(): bigint {
    const first = snowflakeAt(this.#clock.now());
    this.#lastId = first > this.#lastId ? first : this.#lastId + 1n;
    return this.#lastId;
  }
}

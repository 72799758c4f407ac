import { assert, type Env } from '../base/index.ts';
import {
  type Attachment,
  type ChannelId,
  type ChannelInfo,
  type Draft,
  Listeners,
  type Message,
  type MessageId,
  type NewChannel,
  PAGE_MESSAGES_MAX,
  type Priority,
  type Store,
  StoreError,
  type StoreEvent,
  type StoreListener,
} from '../store/index.ts';
import { Append } from './append.ts';
import type { Bot } from './bot.ts';
import { ApiError } from './errors.ts';
import { Gateway } from './gateway.ts';
import type { OpenGateway } from './gateway-link.ts';
import { GuildChannels } from './guild-channels.ts';
import { Guilds } from './guilds.ts';
import { linkExpired } from './link.ts';
import { sumMetrics } from './metrics.ts';
import { toMessage, toPage } from './objects.ts';
import { OwnActions } from './own-actions.ts';
import { remove } from './removal.ts';
import type { RestMetrics } from './rest.ts';
import { routes } from './routes.ts';
import type { Swarm } from './swarm.ts';

export interface ChannelStoreOptions {
  readonly env: Env;
  readonly swarm: Swarm;
  /** In the order in which they are filled. */
  readonly guildIds: readonly string[];
  /** Without it nobody tells what others do. */
  readonly gateway: OpenGateway | undefined;
  /** Gives back what the transport holds. */
  readonly release: () => Promise<void>;
}

/** The store on Discord servers. */
export class ChannelStore implements Store {
  readonly #swarm: Swarm;
  readonly #env: Env;
  readonly #guilds: Guilds;
  readonly #own = new OwnActions();
  readonly #listeners = new Listeners();
  readonly #gateway: Gateway | undefined;
  readonly #release: () => Promise<void>;

  constructor({ env, swarm, guildIds, gateway: open, release }: ChannelStoreOptions) {
    this.#swarm = swarm;
    this.#env = env;
    this.#guilds = new Guilds(guildIds.map((guildId) => new GuildChannels(swarm, env, guildId)));
    this.#release = release;
    const tell = (event: StoreEvent) => {
      const others = this.#own.strip(event);
      if (others) this.#listeners.tell(others);
    };
    this.#gateway = open && new Gateway({ env, open, swarm, guildIds, tell });
  }

  /** Of the first bot that works. */
  get botUserId(): string {
    return this.#swarm.live[0]!.userId;
  }

  get applicationId(): string {
    return this.#swarm.live[0]!.applicationId;
  }

  channels(): Promise<ChannelInfo[]> {
    return this.#guilds.list();
  }

  createChannel(channel: NewChannel): Promise<ChannelInfo> {
    return this.#guilds.create(channel);
  }

  deleteChannel(id: ChannelId): Promise<void> {
    this.#own.removing([id]);
    return this.#guilds.delete(id);
  }

  append(channel: ChannelId, seal: () => Draft, priority: Priority = 'commit'): Promise<Message> {
    return new Append(this.#swarm, this.#env, channel, seal, priority).run();
  }

  pageBefore(channel: ChannelId, before: MessageId | undefined, limit: number, priority: Priority): Promise<Message[]> {
    return this.#page(channel, before === undefined ? '' : `&before=${before}`, limit, priority);
  }

  pageAfter(channel: ChannelId, after: MessageId, limit: number, priority: Priority): Promise<Message[]> {
    return this.#page(channel, `&after=${after}`, limit, priority);
  }

  async read(channel: ChannelId, id: MessageId, priority: Priority): Promise<Message | undefined> {
    try {
      const call = { route: routes.message(channel, id), priority, read: toMessage };
      return await this.#swarm.request(call, (message, bot) => this.#isWhole(message, bot));
    } catch (error) {
      if (error instanceof ApiError && error.unknownMessage) return undefined;
      throw error;
    }
  }

  async download(
    channel: ChannelId,
    message: Message,
    attachment: Attachment,
    priority: Priority,
  ): Promise<Uint8Array | undefined> {
    if (!linkExpired(attachment.url, this.#env.clock.now())) {
      const bytes = await this.#download(attachment.url, attachment.size);
      if (bytes) return bytes;
    }
    const fresh = await this.read(channel, message.id, priority);
    const renewed = fresh?.attachments.find(({ name }) => name === attachment.name);
    return renewed && this.#download(renewed.url, renewed.size);
  }

  remove(channel: ChannelId, ids: readonly MessageId[]): Promise<void> {
    this.#own.removing(ids);
    return remove(this.#swarm, this.#env.clock, channel, ids);
  }

  /** Discord counts the sessions of a day, so none is begun before somebody wants to hear. */
  watch(listener: StoreListener): () => void {
    this.#gateway?.start();
    return this.#listeners.add(listener);
  }

  async close(): Promise<void> {
    this.#listeners.clear();
    this.#swarm.close(new StoreError('closed', 'the store is closed'));
    await this.#gateway?.close();
    await this.#release();
  }

  metrics(): RestMetrics {
    return sumMetrics(this.#swarm.all.map(({ rest }) => rest.metrics()));
  }

  #page(channel: ChannelId, cursor: string, limit: number, priority: Priority): Promise<Message[]> {
    assert(Number.isInteger(limit) && limit >= 1 && limit <= PAGE_MESSAGES_MAX, `page limit ${limit}`);
    const call = { route: routes.listMessages(channel, `limit=${limit}${cursor}`), priority, read: toPage };
    return this.#swarm.request(call, (page, bot) => page.every((message) => this.#isWhole(message, bot)));
  }

  /** False for a message of another of these bots that came without all that it must hold: this bot lacks the intent. */
  #isWhole({ content, attachments, authorId }: Message, { userId }: Bot): boolean {
    return content !== '' || attachments.length > 0 || authorId === userId || !this.#swarm.has(authorId);
  }

  /** Links need no token, so any bot's way will do. */
  async #download(url: string, size: number): Promise<Uint8Array | undefined> {
    for (;;) {
      const bot = this.#swarm.live[0]!;
      try {
        return await bot.rest.download(url, size);
      } catch (error) {
        if (this.#swarm.live.includes(bot)) throw error;
      }
    }
  }
}

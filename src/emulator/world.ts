import { type Change, packMessage, unpackMessage } from './change.ts';
import { MessageIndex } from './message-index.ts';
import { channelPermissions, PERMISSION } from './permissions.ts';
import { compareIds } from './snowflake.ts';
import { type Attachment, type Bot, CHANNEL_TYPE, type Channel, type Guild, type Message, type User } from './types.ts';

/** Where an attachment hangs. */
export interface AttachmentPlace {
  readonly channelId: string;
  readonly messageId: string;
  readonly attachment: Attachment;
}

/** All that the emulated Discord knows, in memory. `apply` is the only way it changes. */
export class World {
  secret = '';
  firstGuildId = '';
  firstBotId = '';
  readonly users = new Map<string, User>();
  readonly bots = new Map<string, Bot>();
  readonly guilds = new Map<string, Guild>();
  readonly channels = new Map<string, Channel>();
  readonly #byToken = new Map<string, Bot>();
  readonly #messages = new Map<string, MessageIndex>();
  readonly #attachments = new Map<string, AttachmentPlace>();
  readonly #nonces = new Map<string, Message>();
  #lastId = '0';

  /** How many changes a journal of this world needs at least. */
  get weight(): number {
    let weight = 2 + this.users.size + this.bots.size + this.guilds.size + this.channels.size;
    for (const index of this.#messages.values()) weight += index.size;
    return weight;
  }

  get lastId(): string {
    return this.#lastId;
  }

  apply(change: Change): void {
    switch (change.op) {
      case 'world':
        this.secret = change.secret;
        this.firstGuildId = change.guildId;
        this.firstBotId = change.botUserId;
        return;
      case 'user':
        this.#seen(change.user.id);
        this.users.set(change.user.id, change.user);
        return;
      case 'bot':
        this.#putBot(change.bot);
        return;
      case 'guild':
        this.#seen(change.guild.id);
        this.guilds.set(change.guild.id, change.guild);
        return;
      case 'guild-delete':
        for (const channel of this.channelsOf(change.id)) this.#dropChannel(channel.id);
        this.guilds.delete(change.id);
        return;
      case 'channel':
        this.#seen(change.channel.id);
        this.channels.set(change.channel.id, change.channel);
        return;
      case 'channel-delete':
        this.#dropChannel(change.id);
        return;
      case 'message':
        this.#putMessage(this.#shareIds(unpackMessage(change.message)));
        return;
      case 'message-delete':
        for (const id of change.ids) this.#dropMessage(change.channelId, id);
        return;
      case 'last-id':
        this.#seen(change.id);
        return;
    }
  }

  /** The shortest list of changes that makes this world again. */
  *snapshot(): Generator<Change> {
    yield { op: 'world', secret: this.secret, guildId: this.firstGuildId, botUserId: this.firstBotId };
    yield { op: 'last-id', id: this.#lastId };
    for (const user of this.users.values()) yield { op: 'user', user };
    for (const bot of this.bots.values()) yield { op: 'bot', bot };
    for (const guild of this.guilds.values()) yield { op: 'guild', guild };
    for (const channel of this.channels.values()) yield { op: 'channel', channel };
    for (const index of this.#messages.values()) {
      for (const message of index) yield { op: 'message', message: packMessage(message) };
    }
  }

  botByToken(token: string): Bot | undefined {
    return this.#byToken.get(token);
  }

  /** Every channel and thread of a guild. */
  channelsOf(guildId: string): Channel[] {
    return [...this.channels.values()].filter((channel) => channel.guildId === guildId);
  }

  messagesOf(channelId: string): MessageIndex {
    return this.#messages.get(channelId) ?? EMPTY;
  }

  attachment(id: string): AttachmentPlace | undefined {
    return this.#attachments.get(id);
  }

  /** The message that an author's nonce made, though it may have been deleted since. */
  messageByNonce(authorId: string, nonce: string | number): Message | undefined {
    return this.#nonces.get(nonceKey(authorId, nonce));
  }

  /** Forgets nonces of messages with ids below `id`. */
  forgetNonces(id: string): void {
    for (const [key, message] of this.#nonces) {
      if (compareIds(message.id, id) >= 0) return;
      this.#nonces.delete(key);
    }
  }

  /** Permission bits in a channel, or in the parent of a thread; 0 for who may not view it. */
  permissions(userId: string, channelId: string): bigint {
    const channel = this.channels.get(channelId);
    const guild = channel && this.guilds.get(channel.guildId);
    const ruling = channel?.thread && channel.parentId !== null ? this.channels.get(channel.parentId) : channel;
    if (!guild || !ruling) return 0n;
    const bits = channelPermissions(guild, userId, ruling);
    const hidden = channel.type === CHANNEL_TYPE.privateThread && !channel.thread?.memberIds.includes(userId);
    return hidden && (bits & PERMISSION.manageThreads) === 0n ? 0n : bits;
  }

  #putBot(bot: Bot): void {
    this.#seen(bot.userId);
    const before = this.bots.get(bot.userId);
    if (before) this.#byToken.delete(before.token);
    this.bots.set(bot.userId, bot);
    this.users.set(bot.userId, { id: bot.userId, username: bot.username, bot: true });
    this.#byToken.set(bot.token, bot);
  }

  /** A message read from disk brings its own copies of two ids that many messages have. */
  #shareIds(message: Message): Message {
    const channelId = this.channels.get(message.channelId)?.id ?? message.channelId;
    return { ...message, channelId, authorId: this.users.get(message.authorId)?.id ?? message.authorId };
  }

  #putMessage(message: Message): void {
    this.#seen(message.id);
    const index = this.#messages.get(message.channelId) ?? new MessageIndex();
    this.#messages.set(message.channelId, index);
    const before = index.get(message.id);
    for (const attachment of before?.attachments ?? []) this.#attachments.delete(attachment.id);
    for (const attachment of message.attachments) {
      this.#seen(attachment.id);
      this.#attachments.set(attachment.id, { channelId: message.channelId, messageId: message.id, attachment });
    }
    index.put(message);
    if (before) return;
    if (message.nonce !== undefined) {
      const key = nonceKey(message.authorId, message.nonce);
      this.#nonces.delete(key);
      this.#nonces.set(key, message);
    }
    const channel = this.channels.get(message.channelId);
    if (channel && compareIds(message.id, channel.lastMessageId ?? '0') > 0) {
      this.channels.set(channel.id, { ...channel, lastMessageId: message.id });
    }
  }

  #dropMessage(channelId: string, id: string): void {
    const message = this.#messages.get(channelId)?.delete(id);
    for (const attachment of message?.attachments ?? []) this.#attachments.delete(attachment.id);
  }

  #dropChannel(id: string): void {
    for (const message of this.messagesOf(id)) {
      for (const attachment of message.attachments) this.#attachments.delete(attachment.id);
    }
    this.#messages.delete(id);
    this.channels.delete(id);
  }

  #seen(id: string): void {
    if (compareIds(id, this.#lastId) > 0) this.#lastId = id;
  }
}

const EMPTY = new MessageIndex();

function nonceKey(authorId: string, nonce: string | number): string {
  return `${authorId}:${String(nonce)}`;
}

import type { Clock } from '../base/index.ts';
import { guildObject, memberFields, roleObjects } from './guild-object.ts';
import { signLink } from './links.ts';
import { snowflakeTime } from './snowflake.ts';
import {
  type Attachment,
  type Bot,
  CHANNEL_TYPE,
  type Channel,
  type Guild,
  type JsonObject,
  type Member,
  type Message,
} from './types.ts';
import type { World } from './world.ts';

/** `GATEWAY_MESSAGE_CONTENT` and `GATEWAY_MESSAGE_CONTENT_LIMITED` (resources/application). */
export const APPLICATION_FLAG = { messageContent: 1 << 18, messageContentLimited: 1 << 19 } as const;
export const MESSAGE_FLAG = {
  suppressEmbeds: 1 << 2,
  hasThread: 1 << 5,
  suppressNotifications: 1 << 12,
  componentsV2: 1 << 15,
} as const;

/** Discord's form of a time: microseconds and an offset. */
export function timestamp(ms: number): string {
  return new Date(ms).toISOString().replace('Z', '000+00:00');
}

/** Whether REST shows a bot what others wrote: the portal's toggle alone decides. */
export function seesContent(bot: Bot): boolean {
  return (bot.applicationFlags & (APPLICATION_FLAG.messageContent | APPLICATION_FLAG.messageContentLimited)) !== 0;
}

/** Empties what MESSAGE_CONTENT covers, unless the viewer wrote it, is mentioned in it, or may see it. */
export function blankFor(message: JsonObject, viewerId: string, viewerSeesContent: boolean): JsonObject {
  const isViewer = (user: unknown) => (user as JsonObject | undefined)?.id === viewerId;
  const mentions = message.mentions as readonly unknown[] | undefined;
  if (viewerSeesContent || isViewer(message.author) || mentions?.some(isViewer)) return message;
  return { ...message, content: '', embeds: [], attachments: [], components: [] };
}

/** A thread sleeps when told to, or when nothing was said in it for as long as it is set to. */
export function isArchived(channel: Channel, now: number): boolean {
  const { thread } = channel;
  if (!thread) return false;
  if (thread.archived) return true;
  const said = channel.lastMessageId === null ? 0 : snowflakeTime(channel.lastMessageId);
  return now > Math.max(said, Date.parse(thread.archiveTimestamp)) + thread.autoArchiveDuration * 60_000;
}

/** Makes Discord's JSON objects of what the world keeps. */
export class Serializer {
  readonly #world: World;
  readonly #clock: Clock;
  /** Base of links to attachments. */
  publicUrl: string;

  constructor(world: World, clock: Clock, publicUrl: string) {
    this.#world = world;
    this.#clock = clock;
    this.publicUrl = publicUrl;
  }

  user(userId: string): JsonObject {
    const user = this.#world.users.get(userId);
    return {
      id: userId,
      username: user?.username ?? 'Deleted User',
      discriminator: '0000',
      global_name: null,
      avatar: null,
      ...(user?.bot ? { bot: true } : {}),
      public_flags: 0,
    };
  }

  application(botId: string): JsonObject {
    const bot = this.#world.bots.get(botId);
    return {
      id: bot?.applicationId ?? botId,
      name: bot?.username ?? '',
      icon: null,
      description: '',
      bot_public: false,
      bot_require_code_grant: false,
      verify_key: '0'.repeat(64),
      flags: bot?.applicationFlags ?? 0,
      bot: this.user(botId),
    };
  }

  guild(guild: Guild): JsonObject {
    return guildObject(guild);
  }

  /** GUILD_CREATE for one bot: the guild with its members, visible channels and active threads. */
  guildCreate(guild: Guild, botId: string): JsonObject {
    const visible = this.#world.channelsOf(guild.id).filter((one) => this.#world.permissions(botId, one.id) !== 0n);
    const now = this.#clock.now();
    return {
      ...this.guild(guild),
      joined_at: guild.members.find((member) => member.userId === botId)?.joinedAt ?? timestamp(now),
      large: false,
      unavailable: false,
      member_count: guild.members.length,
      voice_states: [],
      members: guild.members.map((member) => this.member(member)),
      channels: visible.filter((one) => !one.thread).map((one) => this.channel(one)),
      threads: visible.filter((one) => one.thread && !isArchived(one, now)).map((one) => this.channel(one)),
      presences: [],
      stage_instances: [],
      guild_scheduled_events: [],
      soundboard_sounds: [],
    };
  }

  roles(guild: Guild): JsonObject[] {
    return roleObjects(guild);
  }

  member(member: Member): JsonObject {
    return { user: this.user(member.userId), ...memberFields(member) };
  }

  /** The member object of a message event, which leaves the user out. */
  memberOf(guildId: string, userId: string): JsonObject | undefined {
    const member = this.#world.guilds.get(guildId)?.members.find((one) => one.userId === userId);
    return member && memberFields(member);
  }

  channel(channel: Channel): JsonObject {
    const common = {
      id: channel.id,
      type: channel.type,
      guild_id: channel.guildId,
      name: channel.name,
      parent_id: channel.parentId,
      flags: 0,
    };
    if (channel.thread) return { ...common, ...this.#threadFields(channel) };
    const placed = { ...common, position: channel.position, permission_overwrites: channel.overwrites };
    if (channel.type === CHANNEL_TYPE.category) return placed;
    return {
      ...placed,
      topic: channel.topic,
      nsfw: channel.nsfw,
      rate_limit_per_user: channel.rateLimitPerUser,
      last_message_id: channel.lastMessageId,
      ...(channel.lastPinTimestamp === null ? {} : { last_pin_timestamp: channel.lastPinTimestamp }),
      ...(channel.type === CHANNEL_TYPE.voice || channel.type === CHANNEL_TYPE.stage
        ? { bitrate: 64_000, user_limit: 0, rtc_region: null }
        : {}),
    };
  }

  #threadFields(channel: Channel): JsonObject {
    const thread = channel.thread!;
    return {
      owner_id: thread.ownerId,
      last_message_id: channel.lastMessageId,
      rate_limit_per_user: channel.rateLimitPerUser,
      message_count: this.#world.messagesOf(channel.id).size,
      total_message_sent: thread.totalMessageSent,
      member_count: thread.memberIds.length,
      thread_metadata: {
        archived: isArchived(channel, this.#clock.now()),
        auto_archive_duration: thread.autoArchiveDuration,
        archive_timestamp: thread.archiveTimestamp,
        locked: thread.locked,
        create_timestamp: thread.createTimestamp,
        ...(channel.type === CHANNEL_TYPE.privateThread ? { invitable: thread.invitable } : {}),
      },
    };
  }

  /** What a message event says beyond the message. */
  eventFields(message: Message): JsonObject {
    const channel = this.#world.channels.get(message.channelId);
    if (!channel) return {};
    const member = this.memberOf(channel.guildId, message.authorId);
    return { guild_id: channel.guildId, channel_type: channel.type, ...(member ? { member } : {}) };
  }

  /** `viewerId` is who asks: Discord says of reactions whether they are theirs. */
  message(message: Message, viewerId?: string): JsonObject {
    const { reference } = message;
    const original = reference && this.#world.messagesOf(reference.channelId).get(reference.messageId);
    const guildId = this.#world.channels.get(message.channelId)?.guildId;
    const thread = message.threadId === undefined ? undefined : this.#world.channels.get(message.threadId);
    return {
      id: message.id,
      channel_id: message.channelId,
      type: message.type,
      author: this.user(message.authorId),
      content: message.content,
      timestamp: timestamp(snowflakeTime(message.id)),
      edited_timestamp: message.editedTimestamp,
      tts: message.tts,
      mention_everyone: message.mentionEveryone,
      mentions: message.mentions.map((id) => this.user(id)),
      mention_roles: [],
      attachments: message.attachments.map((one) => this.attachment(message.channelId, one)),
      embeds: message.embeds,
      components: message.components,
      ...(message.reactions.length === 0 ? {} : { reactions: reactionObjects(message, viewerId) }),
      pinned: message.pinned,
      flags: message.flags,
      ...(reference
        ? {
            message_reference: {
              type: 0,
              message_id: reference.messageId,
              channel_id: reference.channelId,
              guild_id: guildId,
            },
            referenced_message: original ? this.message(withoutReference(original), viewerId) : null,
          }
        : {}),
      ...(thread ? { thread: this.channel(thread) } : {}),
    };
  }

  attachment(channelId: string, attachment: Attachment): JsonObject {
    const link = signLink(this.#world.secret, channelId, attachment, this.#clock.now());
    return {
      id: attachment.id,
      filename: attachment.filename,
      size: attachment.size,
      url: this.publicUrl + link,
      proxy_url: `${this.publicUrl}/media${link}`,
      ...(attachment.title === undefined ? {} : { title: attachment.title }),
      ...(attachment.description === undefined ? {} : { description: attachment.description }),
      ...(attachment.contentType === undefined ? {} : { content_type: attachment.contentType }),
    };
  }
}

/** Discord nests one reply deep. */
function withoutReference({ reference: _, ...message }: Message): Message {
  return message;
}

function reactionObjects(message: Message, viewerId: string | undefined): JsonObject[] {
  return message.reactions.map(({ emoji, userIds }) => ({
    emoji: { id: null, name: emoji },
    count: userIds.length,
    count_details: { normal: userIds.length, burst: 0 },
    burst_colors: [],
    me: viewerId !== undefined && userIds.includes(viewerId),
    me_burst: false,
  }));
}

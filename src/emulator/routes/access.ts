import { apiError } from '../errors.ts';
import { guildPermissions } from '../permissions.ts';
import type { Call } from '../router.ts';
import { CHANNEL_TYPE, type Channel, type Guild, type Message } from '../types.ts';

const WITHOUT_MESSAGES: ReadonlySet<number> = new Set([CHANNEL_TYPE.category, CHANNEL_TYPE.forum, CHANNEL_TYPE.media]);

/** A channel that the bot may see. */
export function visibleChannel(call: Call, id: string): Channel {
  const channel = call.core.world.channels.get(id);
  if (!channel) throw apiError('unknownChannel');
  if (call.core.world.permissions(call.bot.userId, id) === 0n) throw apiError('missingAccess');
  return channel;
}

/** A channel that the bot may see, and in which it has all of the bits. */
export function permittedChannel(call: Call, id: string, bits: bigint): Channel {
  const channel = visibleChannel(call, id);
  if (!may(call, id, bits)) throw apiError('missingPermissions');
  return channel;
}

/** A visible channel that holds messages. */
export function messageChannel(call: Call, id: string): Channel {
  const channel = visibleChannel(call, id);
  if (WITHOUT_MESSAGES.has(channel.type)) throw apiError('wrongChannelType');
  return channel;
}

export function may(call: Call, channelId: string, bits: bigint): boolean {
  return (call.core.world.permissions(call.bot.userId, channelId) & bits) === bits;
}

/** A message of a channel that the caller has checked. */
export function existingMessage(call: Call, channelId: string, id: string): Message {
  const message = call.core.world.messagesOf(channelId).get(id);
  if (!message) throw apiError('unknownMessage');
  return message;
}

/** A guild that the bot is a member of. */
export function ownGuild(call: Call, id: string): Guild {
  const guild = call.core.world.guilds.get(id);
  if (!guild?.members.some((member) => member.userId === call.bot.userId)) throw apiError('unknownGuild');
  return guild;
}

/** A guild of the bot's in which it has all of the bits. */
export function permittedGuild(call: Call, id: string, bits: bigint): Guild {
  const guild = ownGuild(call, id);
  if ((guildPermissions(guild, call.bot.userId) & bits) !== bits) throw apiError('missingPermissions');
  return guild;
}

/** The names of the blobs that go with a channel. */
export function blobsOf({ core }: Call, channelId: string): string[] {
  return [...core.world.messagesOf(channelId)].flatMap((message) => message.attachments.map(({ id }) => id));
}

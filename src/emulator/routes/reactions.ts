import { packMessage } from '../change.ts';
import { apiError } from '../errors.ts';
import { RULE } from '../limits.ts';
import { PERMISSION } from '../permissions.ts';
import type { Call, Route } from '../router.ts';
import { isArchived } from '../serialize.ts';
import type { EventType, Message, Reaction } from '../types.ts';
import { existingMessage, may, messageChannel, permittedChannel } from './access.ts';

const MAX_REACTIONS = 20;
const MAX_USERS = 100;
const DEFAULT_USERS = 25;
const ONE_EMOJI = '/channels/:channel/messages/:message/reactions/:emoji';
/** Emoji of Unicode, keycaps among them; custom ones are for guilds that have some. */
const UNICODE_EMOJI = /^(?:\p{Extended_Pictographic}|\p{Regional_Indicator}|[\d#*]\ufe0f?\u20e3)/u;

export const reactionRoutes: readonly Route[] = [
  { method: 'PUT', path: `${ONE_EMOJI}/@me`, rule: RULE.reaction, handle: addReaction },
  { method: 'DELETE', path: `${ONE_EMOJI}/@me`, rule: RULE.reaction, handle: removeReaction },
  { method: 'GET', path: ONE_EMOJI, handle: listUsers },
];

function addReaction(call: Call) {
  const { bot } = call;
  const { message, emoji } = target(call);
  const needed = PERMISSION.readMessageHistory;
  permittedChannel(call, message.channelId, needed);
  const present = message.reactions.find((one) => one.emoji === emoji);
  if (!present && !may(call, message.channelId, PERMISSION.addReactions)) throw apiError('missingPermissions');
  if (!present && message.reactions.length >= MAX_REACTIONS) throw apiError('maxReactions');
  if (present?.userIds.includes(bot.userId)) return { status: 204 };
  const grown: Reaction = { emoji, userIds: [...(present?.userIds ?? []), bot.userId] };
  const reactions = present
    ? message.reactions.map((one) => (one === present ? grown : one))
    : [...message.reactions, grown];
  commit(call, { ...message, reactions }, 'MESSAGE_REACTION_ADD', emoji);
  return { status: 204 };
}

function removeReaction(call: Call) {
  const { bot } = call;
  const { message, emoji } = target(call);
  const present = message.reactions.find((one) => one.emoji === emoji && one.userIds.includes(bot.userId));
  if (!present) return { status: 204 };
  const reactions = message.reactions
    .map((one) => (one === present ? { emoji, userIds: one.userIds.filter((id) => id !== bot.userId) } : one))
    .filter((one) => one.userIds.length > 0);
  commit(call, { ...message, reactions }, 'MESSAGE_REACTION_REMOVE', emoji);
  return { status: 204 };
}

function listUsers(call: Call) {
  const { message, emoji } = target(call);
  const limit = call.query.integer('limit', { min: 1, max: MAX_USERS }) ?? DEFAULT_USERS;
  const after = BigInt(call.query.snowflake('after') ?? '0');
  call.query.check();
  const userIds = message.reactions.find((one) => one.emoji === emoji)?.userIds ?? [];
  const page = userIds.filter((id) => BigInt(id) > after).slice(0, limit);
  return { status: 200, body: page.map((id) => call.core.serialize.user(id)) };
}

function target(call: Call): { message: Message; emoji: string } {
  const channel = messageChannel(call, call.params.channel!);
  const message = existingMessage(call, channel.id, call.params.message!);
  const emoji = call.params.emoji!;
  if (!UNICODE_EMOJI.test(emoji)) throw apiError('unknownEmoji');
  if (isArchived(channel, call.core.now)) throw apiError('threadArchived');
  return { message, emoji };
}

function commit({ core, bot }: Call, message: Message, type: EventType, emoji: string): void {
  const { guildId } = core.world.channels.get(message.channelId)!;
  core.commit([{ op: 'message', message: packMessage(message) }], () => [
    core.channelEvent(type, guildId, message.channelId, {
      user_id: bot.userId,
      channel_id: message.channelId,
      message_id: message.id,
      guild_id: guildId,
      emoji: { id: null, name: emoji },
      message_author_id: message.authorId,
      burst: false,
      type: 0,
    }),
  ]);
}

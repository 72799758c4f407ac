import type { StoreEvent } from '../store/index.ts';
import { list, object, snowflake, text } from './objects.ts';

/** What a dispatch of the gateway says to a store; undefined where it says nothing. Throws where it is misshapen. */
export function toStoreEvent(
  type: string,
  data: unknown,
  isOwn: (authorId: string) => boolean,
): { readonly guildId: unknown; readonly event: StoreEvent } | undefined {
  switch (type) {
    case 'MESSAGE_CREATE': {
      const message = object(data, type);
      const authorId = text(object(message.author, 'author'), 'id');
      const channel = text(message, 'channel_id');
      const event = {
        kind: 'created' as const,
        channel,
        id: snowflake(message.id, 'id'),
        authorId,
        own: isOwn(authorId),
      };
      return { guildId: message.guild_id, event };
    }
    case 'MESSAGE_DELETE': {
      const { guild_id: guildId, id, ...rest } = object(data, type);
      return { guildId, event: { kind: 'deleted', channel: text(rest, 'channel_id'), ids: [snowflake(id, 'id')] } };
    }
    case 'MESSAGE_DELETE_BULK': {
      const { guild_id: guildId, ids, ...rest } = object(data, type);
      const gone = list(ids, 'ids').map((id) => snowflake(id, 'ids'));
      return { guildId, event: { kind: 'deleted', channel: text(rest, 'channel_id'), ids: gone } };
    }
    case 'CHANNEL_DELETE': {
      const channel = object(data, type);
      return { guildId: channel.guild_id, event: { kind: 'channel-deleted', channel: text(channel, 'id') } };
    }
    default:
      return undefined;
  }
}

import { CLOSE, GatewayClose, INTENT, isObject } from './gateway-protocol.ts';
import type { GatewaySession } from './gateway-session.ts';
import type { EmulatorCore, JsonObject } from './types.ts';

/** The answer to op 8 (GUILD_MEMBERS_CHUNK), in one chunk: a guild here has a handful of members. */
export function membersChunk(core: EmulatorCore, session: GatewaySession, d: unknown): JsonObject {
  if (!isObject(d) || typeof d.guild_id !== 'string') throw new GatewayClose(CLOSE.decodeError);
  const { guild_id: guildId, nonce } = d;
  const wanted = d.user_ids === undefined ? undefined : [d.user_ids].flat().map(String);
  const prefix = typeof d.query === 'string' ? d.query.toLowerCase() : '';
  // The whole list is for those with GUILD_MEMBERS; without it a bot finds itself.
  const isOpen = wanted !== undefined || prefix !== '' || session.has(INTENT.guildMembers);
  const found = membersOf(core, session, guildId).filter(({ id, username }) => {
    if (!isOpen) return id === session.bot.userId;
    return wanted ? wanted.includes(id) : username.toLowerCase().startsWith(prefix);
  });
  return {
    guild_id: guildId,
    members: found.map(({ member }) => member),
    chunk_index: 0,
    chunk_count: 1,
    not_found: wanted?.filter((id) => found.every((one) => one.id !== id)) ?? [],
    ...(typeof nonce === 'string' ? { nonce } : {}),
  };
}

/** The members as GUILD_CREATE shows them; none of a guild that the bot is not in. */
function membersOf(core: EmulatorCore, { bot }: GatewaySession, guildId: string) {
  if (core.guildsOf(bot.userId).every(({ id }) => id !== guildId)) return [];
  const members = core.serializeGuildCreate(guildId, bot.userId).members as readonly JsonObject[];
  return members.map((member) => {
    const user = member.user as JsonObject;
    return { member, id: String(user.id), username: String(user.username) };
  });
}

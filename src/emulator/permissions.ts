import type { Channel, Guild, Overwrite } from './types.ts';

/** Bits of Discord's permission sets (topics/permissions). */
export const PERMISSION = {
  administrator: 1n << 3n,
  manageChannels: 1n << 4n,
  addReactions: 1n << 6n,
  viewChannel: 1n << 10n,
  sendMessages: 1n << 11n,
  manageMessages: 1n << 13n,
  embedLinks: 1n << 14n,
  attachFiles: 1n << 15n,
  readMessageHistory: 1n << 16n,
  mentionEveryone: 1n << 17n,
  manageRoles: 1n << 28n,
  manageThreads: 1n << 34n,
  createPublicThreads: 1n << 35n,
  createPrivateThreads: 1n << 36n,
  sendMessagesInThreads: 1n << 38n,
  pinMessages: 1n << 51n,
} as const;

export const ALL_PERMISSIONS = (1n << 53n) - 1n;

/** What `@everyone` may do in a new guild, of the bits above. */
export const EVERYONE_PERMISSIONS =
  PERMISSION.addReactions |
  PERMISSION.viewChannel |
  PERMISSION.sendMessages |
  PERMISSION.embedLinks |
  PERMISSION.attachFiles |
  PERMISSION.readMessageHistory |
  PERMISSION.mentionEveryone |
  PERMISSION.createPublicThreads |
  PERMISSION.createPrivateThreads |
  PERMISSION.sendMessagesInThreads;

/** What a new bot's own role adds: all it needs to run channels and messages, but not ADMINISTRATOR. */
export const BOT_PERMISSIONS =
  EVERYONE_PERMISSIONS |
  PERMISSION.manageChannels |
  PERMISSION.manageMessages |
  PERMISSION.manageRoles |
  PERMISSION.manageThreads |
  PERMISSION.pinMessages;

/** The guild-wide bits of a member; 0 for who is no member. */
export function guildPermissions(guild: Guild, userId: string): bigint {
  const member = guild.members.find((one) => one.userId === userId);
  if (!member) return 0n;
  if (guild.ownerId === userId) return ALL_PERMISSIONS;
  let bits = 0n;
  for (const role of guild.roles) {
    if (role.id === guild.id || member.roleIds.includes(role.id)) bits |= BigInt(role.permissions);
  }
  return (bits & PERMISSION.administrator) === 0n ? bits : ALL_PERMISSIONS;
}

/**
 * The bits of a member in a channel: the guild's, changed by the overwrites for `@everyone`, for the member's roles
 * taken together, and for the member, in this order. Who may not view a channel may do nothing there. A thread has
 * the permissions of its parent, so callers pass that.
 */
export function channelPermissions(guild: Guild, userId: string, channel: Channel): bigint {
  const base = guildPermissions(guild, userId);
  if (base === ALL_PERMISSIONS || base === 0n) return base;
  const roleIds = guild.members.find((one) => one.userId === userId)?.roleIds ?? [];
  let bits = base;
  const apply = (overwrites: readonly Overwrite[]) => {
    const deny = overwrites.reduce((all, one) => all | BigInt(one.deny), 0n);
    const allow = overwrites.reduce((all, one) => all | BigInt(one.allow), 0n);
    bits = (bits & ~deny) | allow;
  };
  const { overwrites } = channel;
  apply(overwrites.filter((one) => one.type === 0 && one.id === guild.id));
  apply(overwrites.filter((one) => one.type === 0 && one.id !== guild.id && roleIds.includes(one.id)));
  apply(overwrites.filter((one) => one.type === 1 && one.id === userId));
  return (bits & PERMISSION.viewChannel) === 0n ? 0n : bits;
}

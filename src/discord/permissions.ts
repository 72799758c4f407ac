/** Permission bits (docs: topics/permissions.mdx), in the words of Discord's settings. */
const VIEW_CHANNEL = 1n << 10n;
const ADMINISTRATOR = 1n << 3n;
/** What an overwrite is for (docs: resources/channel.mdx). */
const ROLE = 0;
const MEMBER = 1;

/**
 * What the bot must be able to do. Manage Roles is not among them: with Manage Channels a bot may set overwrites on a
 * channel that it creates, as long as it has the bits that it sets (docs: resources/guild.mdx, Create Guild Channel).
 */
const REQUIRED: ReadonlyMap<string, bigint> = new Map([
  ['View Channels', VIEW_CHANNEL],
  ['Manage Channels', 1n << 4n],
  ['Send Messages', 1n << 11n],
  ['Manage Messages', 1n << 13n],
  ['Attach Files', 1n << 15n],
  ['Read Message History', 1n << 16n],
]);

export const REQUIRED_PERMISSIONS = [...REQUIRED.values()].reduce((all, bit) => all | bit, 0n);

export interface Role {
  readonly id: string;
  readonly permissions: bigint;
}

/** What a member may do in the guild: @everyone (whose id is the guild's) and its roles together. The owner may do all. */
export function memberPermissions(guildId: string, roles: readonly Role[], own: ReadonlySet<string>): bigint {
  let bits = 0n;
  for (const role of roles) if (role.id === guildId || own.has(role.id)) bits |= role.permissions;
  return (bits & ADMINISTRATOR) === 0n ? bits : bits | REQUIRED_PERMISSIONS;
}

/** The names of what is missing. */
export function missingPermissions(bits: bigint): string[] {
  return [...REQUIRED].filter(([, bit]) => (bits & bit) === 0n).map(([name]) => name);
}

/** Of a channel's permission overwrites. */
export interface Overwrite {
  readonly id: string;
  /** 0 is a role, 1 a member. */
  readonly type: number;
  readonly allow: bigint;
  readonly deny: bigint;
}

/** Those of `userIds` that a channel hides from: it is closed to everybody, and they are not let in. */
export function shutOut(guildId: string, overwrites: readonly Overwrite[], userIds: readonly string[]): string[] {
  const everybody = overwrites.find(({ id }) => id === guildId);
  if (!everybody || (everybody.deny & VIEW_CHANNEL) === 0n) return [];
  const open = overwrites.filter(({ allow }) => (allow & VIEW_CHANNEL) !== 0n);
  // Who has a role that is let in is not known here.
  if (open.some(({ type }) => type === ROLE)) return [];
  return userIds.filter((user) => open.every(({ id }) => id !== user));
}

/** For a new channel: hidden from everybody (role of the guild's own id), open to the bots. Bitsets are decimal strings. */
export function privateOverwrites(guildId: string, botIds: readonly string[]): object[] {
  return [
    { id: guildId, type: ROLE, allow: '0', deny: String(VIEW_CHANNEL) },
    ...botIds.map((id) => ({ id, type: MEMBER, allow: String(REQUIRED_PERMISSIONS), deny: '0' })),
  ];
}

/** The page on which a person adds the bot to a server, with exactly the permissions that it needs. */
export function inviteUrl(applicationId: string): string {
  const query = new URLSearchParams({
    client_id: applicationId,
    scope: 'bot',
    permissions: String(REQUIRED_PERMISSIONS),
  });
  return `https://discord.com/oauth2/authorize?${query}`;
}

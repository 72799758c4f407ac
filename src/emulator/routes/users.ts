import { apiError } from '../errors.ts';
import { guildPermissions } from '../permissions.ts';
import type { Call, Route } from '../router.ts';
import type { JsonObject } from '../types.ts';
import { ownGuild } from './access.ts';

/** Users, applications, and what a bot may read of its guilds. */
export const userRoutes: readonly Route[] = [
  { method: 'GET', path: '/users/@me', handle: ({ core, bot }) => ok({ ...core.serialize.user(bot.userId), ...SELF }) },
  { method: 'GET', path: '/users/@me/guilds', handle: ownGuilds },
  { method: 'GET', path: '/users/:user', handle: getUser },
  { method: 'GET', path: '/applications/@me', handle: ({ core, bot }) => ok(core.serialize.application(bot.userId)) },
  {
    method: 'GET',
    path: '/oauth2/applications/@me',
    handle: ({ core, bot }) => ok(core.serialize.application(bot.userId)),
  },
  { method: 'GET', path: '/guilds/:guild', handle: getGuild },
  { method: 'GET', path: '/guilds/:guild/roles', handle: getRoles },
  { method: 'GET', path: '/guilds/:guild/members', handle: listMembers },
  { method: 'GET', path: '/guilds/:guild/members/:user', handle: getMember },
];

/** What a user object says to its owner alone. */
const SELF = { mfa_enabled: false, locale: 'en-US', verified: true, email: null, flags: 0 };

const MAX_MEMBERS = 1000;
/** `GATEWAY_GUILD_MEMBERS`, and its form for bots under the review limit. */
const GUILD_MEMBERS_FLAGS = (1 << 14) | (1 << 15);

const ok = (body: JsonObject | readonly JsonObject[]) => ({ status: 200, body });

function ownGuilds({ core, bot }: Call) {
  const guilds = [...core.world.guilds.values()].filter((guild) =>
    guild.members.some((member) => member.userId === bot.userId),
  );
  return ok(
    guilds.map((guild) => ({
      id: guild.id,
      name: guild.name,
      icon: null,
      banner: null,
      owner: guild.ownerId === bot.userId,
      permissions: guildPermissions(guild, bot.userId).toString(),
      features: [],
    })),
  );
}

function getUser({ core, params }: Call) {
  const id = params.user!;
  if (!core.world.users.has(id)) throw apiError('unknownUser');
  return ok(core.serialize.user(id));
}

function getGuild(call: Call) {
  const guild = ownGuild(call, call.params.guild!);
  const counts = { approximate_member_count: guild.members.length, approximate_presence_count: guild.members.length };
  return ok({ ...call.core.serialize.guild(guild), ...(call.query.raw('with_counts') === 'true' ? counts : {}) });
}

function getRoles(call: Call) {
  return ok(call.core.serialize.roles(ownGuild(call, call.params.guild!)));
}

function listMembers(call: Call) {
  const guild = ownGuild(call, call.params.guild!);
  if ((call.bot.applicationFlags & GUILD_MEMBERS_FLAGS) === 0) throw apiError('missingAccess');
  const limit = call.query.integer('limit', { min: 1, max: MAX_MEMBERS }) ?? 1;
  const after = BigInt(call.query.snowflake('after') ?? '0');
  call.query.check();
  const members = guild.members.filter((member) => BigInt(member.userId) > after);
  members.sort((a, b) => (BigInt(a.userId) < BigInt(b.userId) ? -1 : 1));
  return ok(members.slice(0, limit).map((member) => call.core.serialize.member(member)));
}

function getMember(call: Call) {
  const guild = ownGuild(call, call.params.guild!);
  const member = guild.members.find((one) => one.userId === call.params.user);
  if (!member) throw apiError(call.core.world.users.has(call.params.user!) ? 'unknownMember' : 'unknownUser');
  return ok(call.core.serialize.member(member));
}

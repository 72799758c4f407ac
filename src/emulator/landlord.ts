import type { Change } from './change.ts';
import type { Core } from './core.ts';
import { BOT_PERMISSIONS, EVERYONE_PERMISSIONS } from './permissions.ts';
import { APPLICATION_FLAG, timestamp } from './serialize.ts';
import type { Bot, CoreEvent, Guild, Member, Role } from './types.ts';

const SECRET_BYTES = 32;
const OWNER_NAME = 'owner';
const FIRST_BOT_NAME = 'DiscoDB';
const FIRST_GUILD_NAME = 'DiscoDB';

export interface NewBot {
  readonly username?: string;
  /** Guilds it joins; none given means the first one. */
  readonly guildIds?: readonly string[];
  /** Bits of its own role; without them all that DiscoDB needs. */
  readonly permissions?: bigint;
  /** The MESSAGE_CONTENT toggle; on unless false. */
  readonly messageContent?: boolean;
}

/** A fresh disk gets one guild with an owner, and one bot in it that may do what DiscoDB needs, and no more. */
export function createWorld(core: Core): void {
  const secret = Buffer.from(core.env.random.bytes(SECRET_BYTES)).toString('hex');
  const owner = { id: core.ids.next(), username: OWNER_NAME, bot: false };
  const guild = newGuild(core, FIRST_GUILD_NAME, owner.id);
  const bot = newBot(core, FIRST_BOT_NAME, true);
  core.commit([
    { op: 'world', secret, guildId: guild.id, botUserId: bot.userId },
    { op: 'user', user: owner },
    { op: 'bot', bot },
    { op: 'guild', guild: withBot(core, guild, bot, BOT_PERMISSIONS) },
  ]);
}

/** What people do with Discord in its own pages: applications, toggles, guilds, invitations, roles. */
export class Landlord {
  readonly #core: Core;

  constructor(core: Core) {
    this.#core = core;
  }

  async addGuild(name: string): Promise<Guild> {
    const owner = [...this.#core.world.users.values()].find((user) => !user.bot);
    const guild = newGuild(this.#core, name, owner?.id ?? this.#core.ids.next());
    await this.#commit([{ op: 'guild', guild }]);
    return guild;
  }

  async addBot(options: NewBot = {}): Promise<Bot> {
    const { world } = this.#core;
    const bot = newBot(this.#core, options.username ?? `bot-${world.bots.size + 1}`, options.messageContent ?? true);
    const guilds = (options.guildIds ?? [world.firstGuildId]).map((id) => this.#guild(id));
    const joined = guilds.map((guild) => withBot(this.#core, guild, bot, options.permissions ?? BOT_PERMISSIONS));
    await this.#commit([{ op: 'bot', bot }, ...joined.map((guild) => ({ op: 'guild' as const, guild }))]);
    return bot;
  }

  async invite(botId: string, guildId: string, permissions: bigint = BOT_PERMISSIONS): Promise<void> {
    const joined = withBot(this.#core, this.#guild(guildId), this.#bot(botId), permissions);
    await this.#commit([{ op: 'guild', guild: joined }], () => [
      {
        type: 'GUILD_CREATE',
        guildId,
        viewers: [botId],
        data: this.#core.serialize.guildCreate(joined, botId),
      },
    ]);
  }

  async kick(botId: string, guildId: string): Promise<void> {
    const guild = this.#guild(guildId);
    const members = guild.members.filter((member) => member.userId !== botId);
    const roles = guild.roles.filter((role) => role.botId !== botId);
    await this.#commit([{ op: 'guild', guild: { ...guild, members, roles } }], () => [
      { type: 'GUILD_DELETE', guildId, viewers: [botId], data: { id: guildId } },
    ]);
  }

  /** Sets the bits of a bot's own role, and of `@everyone` where given. */
  async setPermissions(botId: string, guildId: string, permissions: bigint, everyone?: bigint): Promise<void> {
    const guild = this.#guild(guildId);
    const changed: Role[] = [];
    const roles = guild.roles.map((role) => {
      const bits = role.botId === botId ? permissions : role.id === guild.id ? everyone : undefined;
      if (bits === undefined) return role;
      const after = { ...role, permissions: bits.toString() };
      changed.push(after);
      return after;
    });
    const after = { ...guild, roles };
    await this.#commit([{ op: 'guild', guild: after }], () => {
      const viewers = guild.members.map((member) => member.userId).filter((id) => this.#core.world.bots.has(id));
      const objects = this.#core.serialize.roles(after);
      return changed.map((role) => ({
        type: 'GUILD_ROLE_UPDATE',
        guildId,
        viewers,
        data: { guild_id: guildId, role: objects.find((one) => one.id === role.id) },
      }));
    });
  }

  async setMessageContent(botId: string, on: boolean): Promise<void> {
    const bot = this.#bot(botId);
    const flag = APPLICATION_FLAG.messageContent;
    const applicationFlags = on ? bot.applicationFlags | flag : bot.applicationFlags & ~flag;
    await this.#commit([{ op: 'bot', bot: { ...bot, applicationFlags } }]);
  }

  /** Makes the old token worthless and returns a new one. */
  async resetToken(botId: string): Promise<string> {
    const token = newToken(this.#core, botId);
    await this.#commit([{ op: 'bot', bot: { ...this.#bot(botId), token } }]);
    return token;
  }

  #guild(id: string): Guild {
    const guild = this.#core.world.guilds.get(id);
    if (!guild) throw new Error(`there is no guild ${id}`);
    return guild;
  }

  #bot(id: string): Bot {
    const bot = this.#core.world.bots.get(id);
    if (!bot) throw new Error(`there is no bot ${id}`);
    return bot;
  }

  async #commit(changes: readonly Change[], describe?: () => readonly CoreEvent[]): Promise<void> {
    this.#core.commit(changes, describe);
    await this.#core.durable();
  }
}

function newGuild(core: Core, name: string, ownerId: string): Guild {
  const id = core.ids.next();
  const everyone: Role = {
    id,
    name: '@everyone',
    permissions: EVERYONE_PERMISSIONS.toString(),
    position: 0,
    managed: false,
  };
  return { id, name, ownerId, roles: [everyone], members: [newMember(core, ownerId, [])] };
}

function newBot(core: Core, username: string, messageContent: boolean): Bot {
  const userId = core.ids.next();
  const applicationFlags = messageContent ? APPLICATION_FLAG.messageContent : 0;
  // Applications of today share their id with their bot user.
  return { userId, applicationId: userId, username, token: newToken(core, userId), applicationFlags };
}

/** A guild with the bot in it, under a managed role of its own. */
function withBot(core: Core, guild: Guild, bot: Bot, permissions: bigint): Guild {
  const role: Role = {
    id: core.ids.next(),
    name: bot.username,
    permissions: permissions.toString(),
    position: guild.roles.length,
    managed: true,
    botId: bot.userId,
  };
  return {
    ...guild,
    roles: [...guild.roles, role],
    members: [...guild.members, newMember(core, bot.userId, [role.id])],
  };
}

function newMember(core: Core, userId: string, roleIds: readonly string[]): Member {
  return { userId, roleIds, joinedAt: timestamp(core.now) };
}

/** The shape of Discord's: the id in base64, a short part, a long part. */
function newToken(core: Core, userId: string): string {
  const part = (length: number) => Buffer.from(core.env.random.bytes(length)).toString('base64url');
  return `${Buffer.from(userId).toString('base64url')}.${part(5).slice(0, 6)}.${part(28)}`;
}

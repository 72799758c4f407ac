import { type ChannelId, type ChannelInfo, type NewChannel, StoreError } from '../store/index.ts';
import { ApiError, GUILD_FULL } from './errors.ts';
import type { GuildChannels } from './guild-channels.ts';

/** Discord's bound (discord-facts, section 3). */
const CHANNELS_PER_CATEGORY = 50;

/** The channels of all guilds as if they were one's. Ids are global, so only making a channel asks which guild. */
export class Guilds {
  readonly #guilds: readonly GuildChannels[];
  readonly #homes = new Map<ChannelId, GuildChannels>();

  /** In the order in which they are filled. */
  constructor(guilds: readonly GuildChannels[]) {
    this.#guilds = guilds;
  }

  async list(): Promise<ChannelInfo[]> {
    const lists = await Promise.all(this.#guilds.map((guild) => this.#listOf(guild)));
    return lists.flat();
  }

  /** A channel goes to its parent's guild; where that is full, to the next one with room, below a category of the same name. */
  async create(wish: NewChannel): Promise<ChannelInfo> {
    const { parentId } = wish;
    const home = parentId === undefined ? undefined : await this.#homeOf(parentId);
    const guilds = home ? [home, ...this.#guilds.filter((guild) => guild !== home)] : this.#guilds;
    for (const guild of guilds) {
      try {
        const moved = home && guild !== home && parentId !== undefined;
        const channel = await guild.create(moved ? { ...wish, parentId: await this.#sibling(guild, parentId) } : wish);
        this.#homes.set(channel.id, guild);
        return channel;
      } catch (error) {
        if (!isGuildFull(error)) throw error;
      }
    }
    throw new StoreError(
      'full',
      `${guilds.length === 1 ? 'The Discord server has' : `None of the ${guilds.length} Discord servers has`} room for ` +
        'another channel (Discord allows 500 in a server, 50 of them categories, one for each database). Drop some, or ' +
        'give one more server with --guild.',
    );
  }

  async delete(id: ChannelId): Promise<void> {
    await (this.#homes.get(id) ?? this.#guilds[0]!).delete(id);
    this.#homes.delete(id);
  }

  async #listOf(guild: GuildChannels): Promise<ChannelInfo[]> {
    const channels = await guild.list();
    for (const { id } of channels) this.#homes.set(id, guild);
    return channels;
  }

  async #homeOf(channel: ChannelId): Promise<GuildChannels | undefined> {
    if (this.#guilds.length > 1 && !this.#homes.has(channel)) await this.list();
    return this.#homes.get(channel);
  }

  /** A category in `guild` named as `category` is, with room. */
  async #sibling(guild: GuildChannels, category: ChannelId): Promise<ChannelId> {
    const name = (await this.list()).find(({ id }) => id === category)?.name;
    if (name === undefined) throw new StoreError('gone', `there is no category ${category}`);
    const there = await this.#listOf(guild);
    const children = (id: ChannelId) => there.filter(({ parentId }) => parentId === id).length;
    const fits = (one: ChannelInfo) =>
      one.kind === 'category' && one.name === name && children(one.id) < CHANNELS_PER_CATEGORY;
    return (there.find(fits) ?? (await guild.create({ name, kind: 'category' }))).id;
  }
}

function isGuildFull(error: unknown): boolean {
  return error instanceof ApiError && GUILD_FULL.has(error.discordCode);
}

import type { Env } from '../base/index.ts';
import { type ChannelId, type ChannelInfo, type NewChannel, StoreError, snowflakeTime } from '../store/index.ts';
import { jsonBody } from './multipart.ts';
import { ChannelType, list, toChannel, toChannels, toOverwrites, toPage } from './objects.ts';
import { privateOverwrites, shutOut } from './permissions.ts';
import { routes } from './routes.ts';
import type { Swarm } from './swarm.ts';

/** A twin of a lost create is not older than the create, give or take the difference between the clocks. */
const TWIN_MARGIN_MS = 2 * 60 * 1000;

/** The channels of one guild: listed, made and deleted. */
export class GuildChannels {
  readonly #swarm: Swarm;
  readonly #env: Env;
  readonly #guildId: string;
  /** Channels seen while no create was under way, and those that creates answered: none is the work of a lost one. */
  readonly #known = new Set<ChannelId>();
  #creating = 0;
  /** Text channels made here, by what they were wished to be. */
  readonly #made = new Map<string, ChannelId>();

  constructor(swarm: Swarm, env: Env, guildId: string) {
    this.#swarm = swarm;
    this.#env = env;
    this.#guildId = guildId;
  }

  async list(): Promise<ChannelInfo[]> {
    const channels = await this.#list();
    if (this.#creating === 0) for (const { id } of channels) this.#known.add(id);
    return channels;
  }

  /**
   * Makes a channel that only the bots see. A topic names one purpose, so a repeated wish for a text channel with a topic
   * finds the first; categories of one name may be several.
   */
  async create(wish: NewChannel): Promise<ChannelInfo> {
    const purpose = wish.topic ? JSON.stringify([wish.name, wish.parentId, wish.topic]) : undefined;
    const before = purpose === undefined ? undefined : this.#made.get(purpose);
    const first = before === undefined ? undefined : (await this.list()).find(({ id }) => id === before);
    if (first) return first;
    this.#creating += 1;
    const channel = await this.#create(wish).finally(() => {
      this.#creating -= 1;
    });
    this.#known.add(channel.id);
    if (purpose !== undefined) this.#made.set(purpose, channel.id);
    return channel;
  }

  /** Succeeds when it is gone already. */
  async delete(id: ChannelId): Promise<void> {
    for (const [purpose, made] of this.#made) if (made === id) this.#made.delete(purpose);
    try {
      await this.#swarm.request({ route: routes.deleteChannel(id), priority: 'commit', read: () => undefined });
    } catch (error) {
      if (!(error instanceof StoreError && error.code === 'gone')) throw error;
    }
    this.#known.delete(id);
  }

  /**
   * Creating has no idempotency key, so after a lost reply the guild's channels are listed and the one that the lost try
   * made is adopted; if a repeated create made two all the same, the older one stays and the empty younger one goes. A twin
   * that Discord makes later still is left alone: nothing will ever point to it.
   */
  async #create(wish: NewChannel): Promise<ChannelInfo> {
    let firstAt: number | undefined;
    let doubtful = false;
    const userIds = this.#swarm.live.map(({ userId }) => userId);
    const twins = () => this.#twins(wish, (firstAt ?? 0) - TWIN_MARGIN_MS);
    const made = await this.#swarm.request({
      route: routes.createChannel(this.#guildId),
      priority: 'commit',
      body: () => {
        firstAt ??= this.#env.clock.now();
        return jsonBody({
          name: wish.name,
          type: ChannelType[wish.kind],
          parent_id: wish.parentId,
          topic: wish.topic,
          permission_overwrites: privateOverwrites(this.#guildId, userIds),
        });
      },
      read: toChannel,
      recover: async () => {
        // It never left: there can be no twin.
        if (firstAt === undefined) return undefined;
        doubtful = true;
        return (await twins())[0];
      },
    });
    const [oldest = made, ...younger] = doubtful ? await twins() : [];
    for (const twin of younger) await this.#deleteIfEmpty(twin);
    return oldest;
  }

  #list(): Promise<ChannelInfo[]> {
    const read = (json: unknown) => {
      this.#learnAccess(json);
      return toChannels(json);
    };
    return this.#swarm.request({ route: routes.guildChannels(this.#guildId), priority: 'read', read });
  }

  /** Channels made before a bot came are closed to it; a request there would be held against this address. */
  #learnAccess(json: unknown): void {
    const { live } = this.#swarm;
    if (live.length === 1) return;
    const userIds = live.map(({ userId }) => userId);
    for (const item of list(json, 'channels')) {
      this.#swarm.learnAccess(toChannel(item).id, shutOut(this.#guildId, toOverwrites(item), userIds));
    }
  }

  /** What the tries of a create may have made, oldest first. */
  async #twins(wish: NewChannel, since: number): Promise<ChannelInfo[]> {
    const isTwin = (one: ChannelInfo) =>
      !this.#known.has(one.id) && snowflakeTime(BigInt(one.id)) >= since && isAsWished(one, wish);
    return (await this.#list()).filter(isTwin).sort((a, b) => (BigInt(a.id) < BigInt(b.id) ? -1 : 1));
  }

  async #deleteIfEmpty(twin: ChannelInfo): Promise<void> {
    if (!(await this.#isEmpty(twin))) return;
    this.#env.log.warn({ channel: twin.id, name: twin.name }, 'deleting the empty twin that a repeated create made');
    await this.delete(twin.id);
  }

  async #isEmpty({ id, kind }: ChannelInfo): Promise<boolean> {
    if (kind === 'category') return (await this.#list()).every(({ parentId }) => parentId !== id);
    const route = routes.listMessages(id, 'limit=1');
    return (await this.#swarm.request({ route, priority: 'commit', read: toPage })).length === 0;
  }
}

/** Whether the channel is what Discord makes of the wish. It rewrites the names of text channels, not of categories. */
function isAsWished(known: ChannelInfo, wish: NewChannel): boolean {
  const nameOf = (name: string) => (wish.kind === 'category' ? name : textChannelName(name));
  return (
    known.kind === wish.kind &&
    nameOf(known.name) === nameOf(wish.name) &&
    known.parentId === wish.parentId &&
    known.topic === (wish.topic ?? '')
  );
}

/** Lower case, white space to dashes, runs of dashes to one. */
function textChannelName(name: string): string {
  return name
    .toLowerCase()
    .replace(/[\s-]+/g, '-')
    .replace(/^-|-$/g, '');
}

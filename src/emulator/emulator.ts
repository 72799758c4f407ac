import { type Env, sleep } from '../base/index.ts';
import { Admin } from './admin.ts';
import { Api } from './api.ts';
import { serveAttachment } from './cdn.ts';
import { Core } from './core.ts';
import type { Disk } from './disk.ts';
import { type Fault, Faults } from './faults.ts';
import { Journal } from './journal.ts';
import { createWorld, Landlord } from './landlord.ts';
import { Limiter } from './limiter.ts';
import { guildPermissions } from './permissions.ts';
import { gatewayRoutes } from './routes/gateway.ts';
import { routes } from './routes/index.ts';
import { blankFor } from './serialize.ts';
import { Stats } from './stats.ts';
import {
  type ApiReply,
  type ApiRequest,
  type Bot,
  type Channel,
  type EmulatorCore,
  type EventSource,
  type GatewayFault,
  type Guild,
  type JsonObject,
  type LimitMode,
  LostReplyError,
  type Message,
  type Mount,
  type PageQuery,
} from './types.ts';

/** "The last few minutes" of Discord's documentation; its length is not published. */
const DEFAULT_NONCE_WINDOW_MS = 5 * 60_000;
/** A journal is rewritten at the start when it holds this many times the changes it needs. */
const REWRITE_RATIO = 2;

/** The route of downloads, to faults. */
const CDN = 'cdn';

export interface EmulatorOptions {
  readonly env: Env;
  readonly disk: Disk;
  readonly limits: LimitMode;
  /** Base of links; the HTTP server puts its own address in its place. */
  readonly publicUrl?: string;
  readonly nonceWindowMs?: number;
}

export interface Credentials {
  readonly token: string;
  readonly guildId: string;
  readonly botUserId: string;
  readonly applicationId: string;
}

/** How many sessions a bot may still start, for GET /gateway/bot; the gateway puts its own count in. */
export type SessionStart = (botId: string) => JsonObject;

/** An embedded Discord without sockets. Open it, `handle` requests, `subscribe` to events, `close` it. */
export class Emulator implements EmulatorCore {
  readonly events: EventSource;
  readonly faults: Faults;
  readonly stats = new Stats();
  /** Adds bots and guilds, takes permissions away: what people do in Discord's own pages. */
  readonly landlord: Landlord;
  sessionStart: SessionStart = () => ({ total: 1000, remaining: 1000, reset_after: 0, max_concurrency: 1 });
  readonly #core: Core;
  readonly #api: Api;
  readonly #mounts: Mount[] = [];

  private constructor(core: Core) {
    this.#core = core;
    this.events = core;
    this.faults = new Faults(core.env.random);
    this.landlord = new Landlord(core);
    const gateway = gatewayRoutes(
      () => this.publicUrl,
      (botId) => this.sessionStart(botId),
    );
    this.#api = new Api(core, this.faults, this.stats, [...routes, ...gateway]);
    const admin = new Admin({ limiter: core.limiter, faults: this.faults, stats: this.stats, landlord: this.landlord });
    this.#mounts.push((request) => admin.handle(request));
  }

  /** Reads what the disk holds; makes a guild and a bot when it holds nothing. Closes the disk when that fails. */
  static async open(options: EmulatorOptions): Promise<Emulator> {
    const { env, disk } = options;
    const journal = new Journal(disk, env);
    const core = new Core({
      env,
      disk,
      journal,
      limiter: new Limiter(env.clock, options.limits),
      publicUrl: options.publicUrl ?? 'http://discord.invalid',
      nonceWindowMs: options.nonceWindowMs ?? DEFAULT_NONCE_WINDOW_MS,
    });
    try {
      await load(core, journal);
    } catch (error) {
      await disk.close();
      throw error;
    }
    return new Emulator(core);
  }

  async handle(request: ApiRequest): Promise<ApiReply> {
    for (const mount of this.#mounts) {
      const reply = await mount(request);
      if (reply) return reply;
    }
    return /^\/(attachments|media)\//.test(request.path) ? this.#download(request) : this.#api.handle(request);
  }

  async #download(request: ApiRequest): Promise<ApiReply> {
    this.stats.countCdn();
    const latency = this.faults.take('latency', CDN);
    if (latency) await sleep(this.#core.env.clock, latency.ms);
    const failure = this.faults.take('error-before', CDN);
    if (failure) return { status: failure.status, headers: {}, body: new Uint8Array() };
    const reply = await serveAttachment(this.#core, request);
    if (this.faults.take('lose-reply', CDN)) throw new LostReplyError('the connection was closed before the reply');
    return reply;
  }

  mount(part: Mount): void {
    this.#mounts.unshift(part);
  }

  /** The first bot and the first guild. */
  credentials(): Credentials {
    const { firstGuildId, firstBotId, bots } = this.#core.world;
    const bot = bots.get(firstBotId)!;
    return { token: bot.token, guildId: firstGuildId, botUserId: bot.userId, applicationId: bot.applicationId };
  }

  get publicUrl(): string {
    return this.#core.serialize.publicUrl;
  }

  set publicUrl(url: string) {
    this.#core.serialize.publicUrl = url;
  }

  get limits(): LimitMode {
    return this.#core.limiter.mode;
  }

  set limits(mode: LimitMode) {
    this.#core.limiter.mode = mode;
  }

  setFaults(faults: readonly Fault[]): void {
    this.faults.set(faults);
  }

  takeGatewayFault(kind: GatewayFault): boolean {
    return this.faults.take(kind) !== undefined;
  }

  botByToken(token: string): Bot | undefined {
    return this.#core.world.botByToken(token);
  }

  bots(): readonly Bot[] {
    return [...this.#core.world.bots.values()];
  }

  guilds(): readonly Guild[] {
    return [...this.#core.world.guilds.values()];
  }

  guildsOf(botId: string): readonly Guild[] {
    return this.guilds().filter((guild) => guild.members.some((member) => member.userId === botId));
  }

  channels(guildId: string): readonly Channel[] {
    const channels = this.#core.world.channelsOf(guildId).filter((channel) => !channel.thread);
    return channels.sort((a, b) => a.position - b.position);
  }

  threads(guildId: string): readonly Channel[] {
    return this.#core.world.channelsOf(guildId).filter((channel) => channel.thread);
  }

  channel(id: string): Channel | undefined {
    return this.#core.world.channels.get(id);
  }

  messages(channelId: string, query: PageQuery): readonly Message[] {
    return this.#core.world.messagesOf(channelId).page(query);
  }

  message(channelId: string, id: string): Message | undefined {
    return this.#core.world.messagesOf(channelId).get(id);
  }

  messageCount(channelId: string): number {
    return this.#core.world.messagesOf(channelId).size;
  }

  permissions(botId: string, channelId: string): bigint {
    return this.#core.world.permissions(botId, channelId);
  }

  guildPermissions(botId: string, guildId: string): bigint {
    const guild = this.#core.world.guilds.get(guildId);
    return guild ? guildPermissions(guild, botId) : 0n;
  }

  serializeUser(userId: string): JsonObject {
    return this.#core.serialize.user(userId);
  }

  serializeApplication(botId: string): JsonObject {
    return this.#core.serialize.application(botId);
  }

  serializeChannel(channel: Channel): JsonObject {
    return this.#core.serialize.channel(channel);
  }

  serializeMessage(message: Message): JsonObject {
    return this.#core.serialize.message(message);
  }

  serializeGuildCreate(guildId: string, botId: string): JsonObject {
    const guild = this.#core.world.guilds.get(guildId);
    return guild ? this.#core.serialize.guildCreate(guild, botId) : { id: guildId, unavailable: true };
  }

  blankFor(message: JsonObject, viewerId: string, viewerSeesContent: boolean): JsonObject {
    return blankFor(message, viewerId, viewerSeesContent);
  }

  /** Waits for what is being written and lets go of the disk. */
  async close(): Promise<void> {
    try {
      await this.#core.durable();
    } finally {
      await this.#core.disk.close();
    }
  }
}

async function load(core: Core, journal: Journal): Promise<void> {
  const { world, disk } = core;
  const count = await journal.replay((change) => world.apply(change));
  core.ids.observe(world.lastId);
  core.forgetNonces();
  if (count > REWRITE_RATIO * world.weight) await journal.rewrite(world.snapshot());
  // Files whose message never came, or went, just before the process ended.
  for (const name of await disk.blobs()) if (!world.attachment(name)) await core.dropBlob(name);
  if (world.secret === '') createWorld(core);
  await core.durable();
}

import { type Env, seededRandom, silentLog, VirtualClock } from '../../../src/base/index.ts';
import { MemoryDisk } from '../../../src/emulator/disk.ts';
import { Emulator } from '../../../src/emulator/emulator.ts';
import { Gateway } from '../../../src/emulator/gateway.ts';
import { OP } from '../../../src/emulator/gateway-protocol.ts';
import type { Bot, GatewayFault, JsonObject, LimitMode } from '../../../src/emulator/types.ts';
import type { GatewayClient } from './gateway-client.ts';

/** An emulator in virtual time with a gateway, a channel, a bot that sees everything, and one without MESSAGE_CONTENT. */
export class GatewayWorld {
  readonly clock: VirtualClock;
  readonly core: Emulator;
  readonly gateway: Gateway;
  readonly bot: Bot;
  readonly plainBot: Bot;
  readonly guildId: string;
  channelId = '';

  private constructor(clock: VirtualClock, env: Env, core: Emulator, plainBot: Bot, mode: LimitMode) {
    this.clock = clock;
    this.core = core;
    this.plainBot = plainBot;
    const { token, guildId } = core.credentials();
    this.bot = core.botByToken(token)!;
    this.guildId = guildId;
    this.gateway = new Gateway(core, env, {
      limits: () => mode,
      exhausted: (botId) => void core.landlord.resetToken(botId),
    });
  }

  /** REST is never limited here; `mode` is the gateway's. */
  static async open(mode: LimitMode = 'discord'): Promise<GatewayWorld> {
    const clock = new VirtualClock();
    const env = { clock, random: seededRandom(7), log: silentLog };
    const publicUrl = 'http://127.0.0.1:1';
    const core = await Emulator.open({ env, disk: new MemoryDisk(), limits: 'off', publicUrl });
    const plainBot = await core.landlord.addBot({ username: 'plain', messageContent: false });
    const world = new GatewayWorld(clock, env, core, plainBot, mode);
    world.channelId = await world.createChannel('orders');
    return world;
  }

  /** The token of `bot`, which a reset changes. */
  get token(): string {
    return this.core.credentials().token;
  }

  /** Posts a message and answers its id. */
  async post(content: string, by = this.bot, channelId = this.channelId): Promise<string> {
    return String((await this.#call('POST', `/channels/${channelId}/messages`, { content }, by)).id);
  }

  async postFile(content: string, filename: string, bytes: Uint8Array): Promise<void> {
    const form = new FormData();
    form.set('payload_json', JSON.stringify({ content, attachments: [{ id: 0, filename }] }));
    form.set('files[0]', new Blob([Uint8Array.from(bytes)]), filename);
    const request = new Request('http://x', { method: 'POST', body: form });
    const body = new Uint8Array(await request.arrayBuffer());
    const type = request.headers.get('content-type') ?? '';
    await this.#send('POST', `/channels/${this.channelId}/messages`, type, body, this.bot);
  }

  async edit(id: string, content: string): Promise<void> {
    await this.#call('PATCH', `/channels/${this.channelId}/messages/${id}`, { content });
  }

  async remove(id: string): Promise<void> {
    await this.#call('DELETE', `/channels/${this.channelId}/messages/${id}`);
  }

  async createChannel(name: string): Promise<string> {
    return String((await this.#call('POST', `/guilds/${this.guildId}/channels`, { name })).id);
  }

  async setTopic(topic: string): Promise<void> {
    await this.#call('PATCH', `/channels/${this.channelId}`, { topic });
  }

  /** Makes a fault happen once. */
  fault(kind: GatewayFault): void {
    this.core.setFaults([{ kind, times: 1 }]);
  }

  /** Lets time pass for a client that keeps its connection alive. */
  async idle(ms: number, client: GatewayClient): Promise<void> {
    client.say(OP.heartbeat, null);
    await this.clock.advance(ms);
  }

  async #call(method: string, path: string, json?: object, by = this.bot): Promise<JsonObject> {
    const body = json === undefined ? new Uint8Array() : Buffer.from(JSON.stringify(json));
    return this.#send(method, path, 'application/json', body, by);
  }

  async #send(method: string, path: string, type: string, body: Uint8Array, by: Bot): Promise<JsonObject> {
    const { token } = this.core.bots().find(({ userId }) => userId === by.userId)!;
    const headers = { authorization: `Bot ${token}`, 'user-agent': 'DiscordBot (test, 1)', 'content-type': type };
    const reply = await this.core.handle({ method, path: `/api/v10${path}`, headers, body });
    const text = Buffer.from(reply.body).toString();
    if (reply.status >= 300) throw new Error(`${method} ${path}: ${reply.status} ${text}`);
    return text === '' ? {} : (JSON.parse(text) as JsonObject);
  }
}

import {
  type Env,
  type Random,
  randomInt,
  seededRandom,
  silentLog,
  sleep,
  VirtualClock,
} from '../../../src/base/index.ts';
import type { Transport } from '../../../src/discord/index.ts';
import { type ApiReply, type ApiRequest, Emulator, MemoryDisk } from '../../../src/emulator/index.ts';
import { emulatorTransport } from '../../../test/support/emulator-transport.ts';
import { withVirtualGlobals } from '../../../test/support/virtual-globals.ts';

export const API_URL = 'http://discord.invalid/api/v10';

/** Each way between a client and Discord takes this long, in milliseconds, evenly spread. */
const WAY_MS = { min: 50, max: 150 };

/** One Discord with its own time and chance. Everything in it follows from the seed. */
export class World {
  readonly clock: VirtualClock;
  readonly random: Random;
  readonly env: Env;
  readonly emulator: Emulator;
  /** DiscoDB's way to a Discord some way off. */
  readonly transport: Transport;
  /** To the same, without the way: for what is there before the measurement begins. */
  readonly direct: Transport;

  private constructor(env: Env, clock: VirtualClock, emulator: Emulator) {
    this.clock = clock;
    this.env = env;
    this.random = env.random;
    this.emulator = emulator;
    this.direct = emulatorTransport(emulator);
    this.transport = (request, signal) => this.#afar(() => this.direct(request, signal));
  }

  static async run<T>(seed: number, play: (world: World) => Promise<T>): Promise<T> {
    const clock = new VirtualClock();
    const env: Env = { clock, random: seededRandom(seed), log: silentLog };
    const start = async () => {
      const emulator = await Emulator.open({ env, disk: new MemoryDisk(), limits: 'off' });
      return play(new World(env, clock, emulator));
    };
    return withVirtualGlobals(clock, () => clock.run(start()));
  }

  /** A request as a client of any kind makes it, from the same distance. */
  ask(request: ApiRequest): Promise<ApiReply> {
    return this.#afar(() => this.emulator.handle(request));
  }

  /** Discord counts requests from now on. */
  async limit(): Promise<void> {
    await this.#admin('PUT', 'limits', { mode: 'discord' });
  }

  /** Requests so far, downloads included. */
  get requests(): number {
    const { total, cdn, limited } = this.emulator.stats.toJSON();
    if (limited !== 0) throw new Error(`Discord refused ${limited} requests for their rate`);
    return Number(total) + Number(cdn);
  }

  async channelNamed(name: string): Promise<string> {
    const { token, guildId } = this.emulator.credentials();
    const headers = { authorization: `Bot ${token}`, 'user-agent': 'DiscordBot (bench, 1)' };
    const ask = { method: 'GET', path: `/api/v10/guilds/${guildId}/channels`, headers, body: new Uint8Array() };
    const { body } = await this.emulator.handle(ask);
    const channels = JSON.parse(Buffer.from(body).toString()) as { id: string; name: string }[];
    const channel = channels.find((one) => one.name === name);
    if (!channel) throw new Error(`no channel is named ${name}`);
    return channel.id;
  }

  async #afar<T>(request: () => Promise<T>): Promise<T> {
    await this.#way();
    const reply = await request();
    await this.#way();
    return reply;
  }

  #way(): Promise<void> {
    return sleep(this.clock, WAY_MS.min + randomInt(this.random, WAY_MS.max - WAY_MS.min + 1));
  }

  async #admin(method: string, name: string, body: object): Promise<void> {
    const request = { method, path: `/_emulator/${name}`, headers: {}, body: Buffer.from(JSON.stringify(body)) };
    const { status } = await this.emulator.handle(request);
    if (status !== 200) throw new Error(`the emulator answered ${method} ${name} with ${status}`);
  }
}

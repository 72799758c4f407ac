import { describe, expect, it } from 'vitest';
import { type Env, seededRandom, silentLog, sleep, VirtualClock } from '../../src/base/index.ts';
import { decode, doc, encode } from '../../src/bson/index.ts';
import { openDiscordStore } from '../../src/discord/index.ts';
import { Emulator, MemoryDisk } from '../../src/emulator/index.ts';
import { type Engine, openEngine } from '../../src/engine/index.ts';
import { type CachedStore, cachedStore, MemoryCacheDisk } from '../../src/store/index.ts';
import { emulatorTransport } from '../support/emulator-transport.ts';
import { withVirtualGlobals } from '../support/virtual-globals.ts';

const LIST = 'GET /channels/:id/messages';
const API = 'http://discord.invalid/api/v10';
const CONTEXT = { now: new Date(0), random: () => 0 };

/** A Discord, the disk of a machine, and one process after the other. */
class Machine {
  readonly clock = new VirtualClock();
  readonly env: Env = { clock: this.clock, random: seededRandom(1), log: silentLog };
  readonly disk = new MemoryCacheDisk();
  #emulator: Emulator | undefined;
  #store: CachedStore | undefined;
  #engine: Engine | undefined;

  static run(play: (machine: Machine) => Promise<void>): Promise<void> {
    const machine = new Machine();
    return withVirtualGlobals(machine.clock, () => machine.clock.run(play(machine)));
  }

  async start(disk = this.disk): Promise<void> {
    const { env } = this;
    this.#emulator ??= await Emulator.open({ env, disk: new MemoryDisk(), limits: 'off' });
    const { token, guildId } = this.#emulator.credentials();
    const where = { tokens: [token], guildIds: [guildId] };
    const transport = emulatorTransport(this.#emulator);
    const discord = await openDiscordStore({ ...where, env, apiUrl: API, transport, limits: 'off' });
    const store = cachedStore(discord, { env, disk, guildId });
    this.#store = store;
    this.#engine = await openEngine({ env, store, cacheBytes: 2 ** 26, onEpoch: (epoch) => store.adopt(epoch) });
  }

  async stop(): Promise<void> {
    await this.#engine?.close();
    await this.#store?.close();
  }

  /** Requests since the last call, by route. */
  async requests(): Promise<Record<string, number>> {
    const ask = { path: '/_emulator/stats', headers: {}, body: new Uint8Array() };
    const { body } = await this.#emulator!.handle({ ...ask, method: 'GET' });
    await this.#emulator!.handle({ ...ask, method: 'DELETE' });
    return JSON.parse(Buffer.from(body).toString()).requests;
  }

  /** So fast that Discord might not have shown all of it. */
  async burst(coll: string, count: number): Promise<void> {
    for (let at = 0; at < count; at++) await this.insert(coll, documents(1, at), 0);
  }

  async insert(coll: string, documents: readonly object[], pause = 1000): Promise<void> {
    const bytes = documents.map((document) => encode(doc(document)));
    const { errors, durable } = await this.#engine!.insert({ db: 'shop', coll }, bytes, {
      ordered: true,
      context: CONTEXT,
    });
    expect(errors).toEqual([]);
    await durable;
    await sleep(this.clock, pause);
  }

  /** With a filter, so that the collection is opened, not streamed. */
  async find(coll: string): Promise<Record<string, unknown>[]> {
    const query = { filter: doc({ _id: { $gte: 0 } }), skip: 0, limit: 0, read: 'local', context: CONTEXT } as const;
    const cursor = await this.#engine!.find({ db: 'shop', coll }, query);
    const found: Uint8Array[] = [];
    while (!cursor.exhausted) found.push(...(await cursor.next(1_000_000, 2 ** 30)));
    return found.map((bytes) => Object.fromEntries(decode(bytes)));
  }
}

const documents = (count: number, from = 0) =>
  Array.from({ length: count }, (_, at) => ({ _id: from + at, text: 'x'.repeat(180) }));

describe('a restart with a local cache', () => {
  it('costs one GET for each collection used, however long it is, and no download', () =>
    Machine.run(async (machine) => {
      await machine.start();
      for (let at = 0; at < 330; at++) await machine.insert('orders', documents(1, at));
      for (let at = 0; at < 3; at++) await machine.insert('lines', documents(1000, 1000 * at));
      await machine.insert('unused', documents(1));
      await machine.stop();

      await machine.start();
      await machine.requests();
      expect(await machine.find('orders')).toHaveLength(330);
      expect(await machine.requests()).toEqual({ [LIST]: 1 });
      expect(await machine.find('lines')).toHaveLength(3000);
      expect(await machine.requests()).toEqual({ [LIST]: 1 });
      await machine.stop();
    }));

  it('proves what was posted in a burst when it is read again', () =>
    Machine.run(async (machine) => {
      await machine.start();
      await machine.burst('orders', 250);
      await machine.stop();
      const gets: (number | undefined)[] = [];
      for (let life = 0; life < 2; life++) {
        await sleep(machine.clock, 60_000);
        await machine.start();
        await machine.requests();
        expect(await machine.find('orders')).toHaveLength(250);
        gets.push((await machine.requests())[LIST]);
        await machine.stop();
      }
      expect(gets).toEqual([3, 1]);
    }));

  it('reads everything again where another process owned the guild in between', () =>
    Machine.run(async (machine) => {
      await machine.start();
      for (let at = 0; at < 250; at++) await machine.insert('orders', documents(1, at));
      await machine.stop();
      await machine.start(new MemoryCacheDisk());
      await machine.insert('orders', documents(1, 250));
      await machine.stop();

      await machine.start();
      await machine.requests();
      expect(await machine.find('orders')).toHaveLength(251);
      expect((await machine.requests())[LIST]).toBe(3);
      await machine.stop();
    }));

  it('reads everything again where the cache was lost or spoilt', () =>
    Machine.run(async (machine) => {
      await machine.start();
      for (let at = 0; at < 250; at++) await machine.insert('orders', documents(1, at));
      await machine.insert('lines', documents(1000));
      await machine.stop();
      for (const content of machine.disk.files.values())
        content.bytes = Buffer.from(content.bytes.map((byte, at) => byte ^ (at & 1)));
      await machine.start();
      expect(await machine.find('orders')).toHaveLength(250);
      expect(await machine.find('lines')).toHaveLength(1000);
      await machine.stop();
      machine.disk.files.clear();
      await machine.start();
      expect(await machine.find('orders')).toHaveLength(250);
      expect(await machine.find('lines')).toHaveLength(1000);
      await machine.stop();
    }));
});

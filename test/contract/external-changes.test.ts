import { describe, expect, test } from 'vitest';
import { createLog, type Env, seededRandom, VirtualClock } from '../../src/base/index.ts';
import { type Doc, decode, doc, encode } from '../../src/bson/index.ts';
import { inProcessGateway } from '../../src/compose.ts';
import { type DiscordStore, openDiscordStore } from '../../src/discord/index.ts';
import { Emulator, type Gateway, MemoryDisk, openGateway } from '../../src/emulator/index.ts';
import { type Engine, openEngine } from '../../src/engine/index.ts';
import { checkedStore, type StoreEvent } from '../../src/store/index.ts';
import { emulatorTransport } from '../support/emulator-transport.ts';
import { withVirtualGlobals } from '../support/virtual-globals.ts';

const API = 'http://discord.invalid/api/v10';
const NS = { db: 'shop', coll: 'orders' };
const ADMINISTRATOR = 1n << 3n;
const WARN = 40;
const ERROR = 50;

interface Line {
  readonly level: number;
  readonly msg: string;
  readonly ids?: readonly string[];
  readonly count?: number;
  readonly kind?: string;
  readonly restored?: number;
}

/** A guild with a collection in it, a server that listens, and a person who may do everything. */
class Scene {
  readonly clock: VirtualClock;
  readonly env: Env;
  readonly emulator: Emulator;
  readonly gateway: Gateway;
  readonly lines: Line[];
  readonly events: StoreEvent[] = [];
  readonly person: string;
  store!: DiscordStore;
  engine!: Engine;

  private constructor(clock: VirtualClock, env: Env, emulator: Emulator, person: string, lines: Line[]) {
    this.clock = clock;
    this.env = env;
    this.emulator = emulator;
    this.person = person;
    this.lines = lines;
    this.gateway = openGateway(emulator, env);
  }

  static play(act: (scene: Scene) => Promise<void>, cacheBytes = 2 ** 20): () => Promise<void> {
    return async () => {
      const clock = new VirtualClock();
      const lines: Line[] = [];
      const log = createLog('info', { write: (line) => void lines.push(JSON.parse(line)) });
      const env: Env = { clock, random: seededRandom(3), log };
      const run = async () => {
        const emulator = await Emulator.open({ env, disk: new MemoryDisk(), limits: 'off' });
        const administrator = await emulator.landlord.addBot({ permissions: ADMINISTRATOR });
        const scene = new Scene(clock, env, emulator, administrator.token, lines);
        await scene.open(cacheBytes);
        await act(scene);
        await scene.close();
        scene.gateway.close();
        await emulator.close();
      };
      await withVirtualGlobals(clock, () => clock.run(run()));
    };
  }

  async open(cacheBytes = 2 ** 20): Promise<void> {
    const { token, guildId } = this.emulator.credentials();
    this.store = await openDiscordStore({
      tokens: [token],
      guildIds: [guildId],
      env: this.env,
      apiUrl: API,
      transport: emulatorTransport(this.emulator),
      gateway: inProcessGateway(this.gateway, this.clock),
      limits: 'off',
    });
    this.store.watch((event) => void this.events.push(event));
    this.engine = await openEngine({ env: this.env, store: this.store, cacheBytes });
    await this.wait(10);
  }

  async close(): Promise<void> {
    await this.engine.close();
    await this.store.close();
  }

  wait(ms: number): Promise<void> {
    return new Promise((resolve) => void this.clock.timer(ms, resolve));
  }

  async insert(...docs: object[]): Promise<void> {
    const bytes = docs.map((each) => encode(doc(each)));
    await (await this.engine.insert(NS, bytes, { ordered: true, context: this.context })).durable;
  }

  async find(filter: object = {}): Promise<Doc[]> {
    const query = { filter: doc(filter), skip: 0, limit: 0, read: 'local' as const, context: this.context };
    const cursor = await this.engine.find(NS, query);
    const found: Doc[] = [];
    while (!cursor.exhausted) found.push(...(await cursor.next(100, 2 ** 24)).map((bytes) => decode(bytes)));
    return found;
  }

  async ids(filter: object = {}): Promise<string[]> {
    return (await this.find(filter)).map((each) => String(each.get('_id')));
  }

  get context() {
    return { now: new Date(this.clock.now()), random: () => this.env.random.next() };
  }

  get channel(): string {
    const [first] = this.emulator.guilds();
    return this.emulator.channels(first!.id).find(({ name }) => name === NS.coll)!.id;
  }

  /** Newest first. */
  get messages() {
    return this.emulator.messages(this.channel, { limit: 100 });
  }

  async asPerson(method: string, path: string, body?: object): Promise<void> {
    const headers = {
      authorization: `Bot ${this.person}`,
      'user-agent': 'DiscordBot (test, 1)',
      'content-type': 'application/json',
    };
    const bytes = body === undefined ? new Uint8Array() : Buffer.from(JSON.stringify(body));
    const reply = await this.emulator.handle({ method, path: `/api/v10${path}`, headers, body: bytes });
    expect(reply.status).toBeLessThan(300);
  }

  loud(level: number): Line[] {
    return this.lines.filter((line) => line.level >= level);
  }
}

describe('what people do in the channel of an open collection', () => {
  test(
    'deleting the message of a document deletes the document, within a second and for good',
    Scene.play(async (scene) => {
      for (const id of ['a', 'b', 'c']) await scene.insert({ _id: id, city: id });
      const doomed = scene.messages.find(({ content }) => content.includes('"b"'))!;
      await scene.asPerson('DELETE', `/channels/${scene.channel}/messages/${doomed.id}`);
      await scene.wait(1000);
      expect(await scene.ids()).toEqual(['a', 'c']);
      expect(await scene.ids({ _id: 'b' })).toEqual([]);
      expect(scene.messages[0]!.content).toContain('"b"');
      expect(scene.loud(WARN)).toMatchObject([{ level: WARN, ids: ['{"_id":"b"}'] }]);
      await scene.insert({ _id: 'b', city: 'again' });
      await scene.close();
      await scene.open();
      expect(await scene.ids()).toEqual(['a', 'c', 'b']);
      expect(scene.loud(ERROR)).toEqual([]);
    }),
  );

  test(
    'deleting a pack is followed too, and said at the top of the voice',
    Scene.play(async (scene) => {
      await scene.insert({ _id: 'a' });
      await scene.insert({ _id: 'p1' }, { _id: 'p2' }, { _id: 'p3' });
      const [pack] = scene.messages;
      await scene.asPerson('DELETE', `/channels/${scene.channel}/messages/${pack!.id}`);
      await scene.wait(1000);
      expect(await scene.ids()).toEqual(['a']);
      expect(scene.loud(ERROR)).toMatchObject([{ count: 3, ids: ['{"_id":"p1"}', '{"_id":"p2"}', '{"_id":"p3"}'] }]);
      await scene.close();
      await scene.open();
      expect(await scene.ids()).toEqual(['a']);
      expect(scene.loud(ERROR)).toHaveLength(1);
    }),
  );

  test(
    'deleting a superseded message, or one of ours by ourselves, is nothing',
    Scene.play(async (scene) => {
      await scene.insert({ _id: 'a', v: 1 });
      const [first] = scene.messages;
      const update = { filter: doc({ _id: 'a' }), update: doc({ $set: { v: 2 } }), multi: false, upsert: false };
      const updated = await scene.engine.update(NS, [update], { ordered: true, context: scene.context });
      await updated.durable;
      const before = scene.emulator.messageCount(scene.channel);
      await scene.asPerson('DELETE', `/channels/${scene.channel}/messages/${first!.id}`);
      await scene.wait(1000);
      expect(await scene.ids({ v: 2 })).toEqual(['a']);
      expect(scene.emulator.messageCount(scene.channel)).toBe(before - 1);
      await scene.store.remove(scene.channel, [BigInt(scene.messages[0]!.id)]);
      await scene.wait(1000);
      expect(scene.events.filter(({ kind }) => kind === 'deleted')).toHaveLength(1);
      expect(scene.loud(WARN)).toEqual([]);
    }),
  );

  test(
    'a bulk deletion of documents that left the cache is followed, their index entries too',
    Scene.play(async (scene) => {
      await scene.insert({ _id: 'x', city: 'Rome', pad: 'x'.repeat(600) });
      await scene.engine.createIndexes(NS, [doc({ key: { city: 1 }, name: 'city', unique: true })]);
      for (const id of ['a', 'b', 'c', 'd'])
        await scene.insert({ _id: id, city: `city of ${id}`, pad: 'y'.repeat(600) });
      const doomed = scene.messages.filter(({ content }) => /"(a|b|x)"/.test(content)).map(({ id }) => id);
      expect(doomed).toHaveLength(3);
      await scene.asPerson('POST', `/channels/${scene.channel}/messages/bulk-delete`, { messages: doomed });
      await scene.wait(1000);
      expect(await scene.ids()).toEqual(['c', 'd']);
      expect(await scene.ids({ city: 'Rome' })).toEqual([]);
      await scene.insert({ _id: 'new', city: 'Rome' });
      expect(await scene.ids({ city: 'Rome' })).toEqual(['new']);
    }, 1024),
  );

  test(
    'a message of somebody else is warned of once for each channel',
    Scene.play(async (scene) => {
      await scene.insert({ _id: 'a' });
      for (const content of ['hello', 'is anybody here?']) {
        await scene.asPerson('POST', `/channels/${scene.channel}/messages`, { content });
      }
      await scene.wait(1000);
      expect(scene.loud(WARN)).toMatchObject([{ msg: expect.stringMatching(/somebody writes/) }]);
      expect(await scene.ids()).toEqual(['a']);
    }),
  );

  test(
    'events that come twice, late and in another order come to the same',
    Scene.play(async (scene) => {
      const ids = Array.from({ length: 12 }, (_, at) => `d${at}`);
      for (const id of ids) await scene.insert({ _id: id });
      scene.emulator.setFaults([
        { kind: 'gateway-repeat', probability: 0.5 },
        { kind: 'gateway-reorder', probability: 0.3 },
        { kind: 'gateway-disconnect', probability: 0.1 },
        { kind: 'gateway-reconnect', probability: 0.1 },
      ]);
      for (const id of ids.slice(0, 8)) {
        const doomed = scene.messages.find(({ content }) => content.includes(`"${id}"`))!;
        await scene.asPerson('DELETE', `/channels/${scene.channel}/messages/${doomed.id}`);
        await scene.insert({ _id: `${id} again` });
      }
      await scene.wait(60_000);
      const left = [...ids.slice(8), ...ids.slice(0, 8).map((id) => `${id} again`)];
      expect(await scene.ids()).toEqual(left);
      scene.emulator.setFaults([]);
      await scene.close();
      await scene.open();
      expect(await scene.ids()).toEqual(left);
      expect(scene.loud(ERROR)).toEqual([]);
    }),
  );

  test(
    'a deletion that nobody told of is found when the collection is opened again, and said',
    Scene.play(async (scene) => {
      for (const id of ['a', 'b']) await scene.insert({ _id: id });
      scene.emulator.setFaults([{ kind: 'gateway-drop' }]);
      const doomed = scene.messages.find(({ content }) => content.includes('"a"'))!;
      await scene.asPerson('DELETE', `/channels/${scene.channel}/messages/${doomed.id}`);
      await scene.wait(60_000);
      expect(await scene.ids()).toEqual(['a', 'b']);
      await scene.close();
      await scene.open();
      expect(await scene.ids({ _id: 'a' })).toEqual([]);
      expect(await scene.ids({ _id: 'b' })).toEqual(['b']);
      expect(scene.loud(ERROR)).toMatchObject([{ kind: 'live-set' }]);
    }),
  );

  test(
    'the end of a collection’s channel is said',
    Scene.play(async (scene) => {
      await scene.insert({ _id: 'a' });
      await scene.asPerson('DELETE', `/channels/${scene.channel}`);
      await scene.wait(1000);
      expect(scene.loud(ERROR)).toMatchObject([{ msg: expect.stringMatching(/deleted the channel of a collection/) }]);
    }),
  );

  test(
    'a collection whose document in the catalog is deleted is written down again',
    Scene.play(async (scene) => {
      await scene.insert({ _id: 'a' });
      const [guild] = scene.emulator.guilds();
      const catalog = scene.emulator.channels(guild!.id).find(({ name }) => name === 'catalog')!.id;
      const [entry] = scene.emulator.messages(catalog, { limit: 1 });
      expect(entry!.content).toContain('shop.orders');
      await scene.asPerson('DELETE', `/channels/${catalog}/messages/${entry!.id}`);
      await scene.wait(1000);
      expect(scene.loud(ERROR)).toMatchObject([{ restored: 1, msg: expect.stringMatching(/own channel catalog/) }]);
      await scene.close();
      await scene.open();
      expect(await scene.ids()).toEqual(['a']);
      expect(scene.loud(ERROR)).toHaveLength(1);
    }),
  );

  test(
    'an event that is not true changes nothing',
    Scene.play(async (scene) => {
      await scene.insert({ _id: 'a' });
      await scene.close();
      const told: ((event: StoreEvent) => void)[] = [];
      await scene.open();
      await scene.engine.close();
      const lying = Object.assign(checkedStore(scene.store), {
        watch: (listener: (event: StoreEvent) => void) => {
          told.push(listener);
          return () => {};
        },
      });
      scene.engine = await openEngine({ env: scene.env, store: lying, cacheBytes: 2 ** 20 });
      await scene.ids({ _id: 'a' });
      const ids = scene.messages.map(({ id }) => BigInt(id));
      for (const tell of told) tell({ kind: 'deleted', channel: scene.channel, ids });
      await scene.wait(20_000);
      expect(await scene.ids({ _id: 'a' })).toEqual(['a']);
      expect(scene.loud(WARN)).toMatchObject([{ msg: expect.stringMatching(/still stand/) }]);
    }),
  );
});

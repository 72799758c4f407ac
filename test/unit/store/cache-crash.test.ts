import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Env, randomInt, seededRandom, silentLog, sleep, VirtualClock } from '../../../src/base/index.ts';
import {
  type CachedStore,
  cachedStore,
  MemoryCacheDisk,
  MemoryStore,
  type Message,
  type MessageId,
  type Priority,
  type Store,
} from '../../../src/store/index.ts';
import { MortalDisk } from './mortal-disk.ts';

const STEPS = 70;
const FOR_EVER = new Promise<never>(() => {});
const PRIORITIES: readonly Priority[] = ['read', 'load', 'upkeep'];
const LAST_ID = 1n << 64n;

/** A channel, the disk of a machine, and one process after the other that reads and writes through a cache. */
class World {
  readonly clock = new VirtualClock();
  readonly random;
  readonly env: Env;
  readonly memory = new MemoryStore(this.clock);
  readonly disk = new MemoryCacheDisk();
  /** Everything that was ever posted. */
  readonly posted = new Map<MessageId, { content: string; file: Uint8Array | undefined }>();
  /** What a process was shown to be gone, while it lived. */
  readonly seenGone = new Set<MessageId>();
  readonly failures: unknown[] = [];
  channel = '';
  epoch = 0;
  #mortal: MortalDisk | undefined;
  #store: CachedStore | undefined;

  constructor(seed: number) {
    this.random = seededRandom(seed);
    this.env = { clock: this.clock, random: this.random, log: silentLog };
  }

  get store(): CachedStore {
    return this.#store!;
  }

  integer(limit: number): number {
    return randomInt(this.random, limit);
  }

  chance(probability: number): boolean {
    return this.random.next() < probability;
  }

  standing(): Set<MessageId> {
    return new Set(this.memory.peek(this.channel).map(({ id }) => id));
  }

  async begin(): Promise<void> {
    this.channel ||= (await this.memory.createChannel({ name: 'things', kind: 'text' })).id;
    this.#mortal = new MortalDisk(this.disk, this.clock, this.random);
    this.#store = cachedStore(this.#distant(this.memory), { env: this.env, disk: this.#mortal, guildId: '1' });
    await this.clock.run(this.#store.adopt(++this.epoch));
  }

  kill(): void {
    this.#mortal!.die();
    this.#store = undefined;
    if (this.chance(0.3)) this.disk.powerCut((unsynced) => this.integer(unsynced + 1));
  }

  /** Starts what need not end before the process does. */
  start(work: (store: CachedStore) => Promise<void>): void {
    const { store } = this;
    work(store).catch((error) => {
      if (this.#store === store) this.failures.push(error);
    });
  }

  async append(): Promise<void> {
    const nonce = `n${this.posted.size}-${this.integer(1e9)}`;
    const file = this.chance(0.2) ? this.random.bytes(1 + this.integer(200)) : undefined;
    const content = `said ${nonce}`;
    const files = file ? [{ name: 'pack.bin', bytes: file }] : [];
    await this.store.append(this.channel, () => ({ content, files, nonce }));
  }

  /** Asks for a page, and holds the answer against what stands and what was seen to be gone. */
  async page(store: Store, ask: { before?: MessageId; after?: MessageId; limit: number; priority: Priority }) {
    const { before = LAST_ID, after, limit, priority } = ask;
    const [stoodBefore, postedBefore, goneBefore] = [
      this.standing(),
      new Set(this.posted.keys()),
      new Set(this.seenGone),
    ];
    const page =
      after === undefined
        ? await store.pageBefore(this.channel, ask.before, limit, priority)
        : await store.pageAfter(this.channel, after, limit, priority);
    if (this.#store !== store) return FOR_EVER;
    const standing = this.standing();
    const full = page.length === limit;
    const low = after === undefined ? (full ? page.at(-1)!.id : 0n) : after + 1n;
    const high = after === undefined ? before - 1n : full ? page[0]!.id : LAST_ID;
    const shown = new Set(page.map(({ id }) => id));
    for (const id of stoodBefore) {
      if (id < low || id > high || shown.has(id)) continue;
      expect(standing.has(id), `message ${id} stands and is left out`).toBe(false);
      this.seenGone.add(id);
    }
    for (const id of this.posted.keys())
      if (!standing.has(id) && !shown.has(id) && id >= low && id <= high) this.seenGone.add(id);
    for (const { id, content } of page) {
      expect(goneBefore.has(id), `message ${id} was seen to be gone, and came back`).toBe(false);
      expect(content).toBe(this.posted.get(id)!.content);
      if (priority === 'upkeep') expect(stoodBefore.has(id) || !postedBefore.has(id), 'upkeep asks Discord').toBe(true);
    }
    return page;
  }

  async read(store: Store, id: MessageId): Promise<void> {
    const [stood, gone] = [this.standing().has(id), this.seenGone.has(id)];
    const message = await store.read(this.channel, id, 'read');
    if (this.#store !== store) return FOR_EVER;
    if (message) {
      expect(gone, `message ${id} was seen to be gone, and came back`).toBe(false);
      const [attachment] = message.attachments;
      const bytes = attachment && (await store.download(this.channel, message, attachment, 'read'));
      if (bytes) expect(Buffer.compare(bytes, this.posted.get(id)!.file!)).toBe(0);
      return;
    }
    expect(stood && this.standing().has(id), `message ${id} stands and is not found`).toBe(false);
    this.seenGone.add(id);
  }

  async walk(): Promise<void> {
    const { store } = this;
    for (let before: MessageId | undefined; ; ) {
      const limit = 1 + this.integer(12);
      const page: Message[] = await this.page(store, { ...(before && { before }), limit, priority: 'load' });
      if (page.length < limit) return;
      before = page.at(-1)!.id;
    }
  }

  /** Another process removes things, sees that they are gone, and never hears of this cache. */
  otherOwner(): void {
    this.epoch++;
    const victims = [...this.standing()].filter(() => this.chance(0.4));
    this.memory.tamper(this.channel, (messages) => messages.filter(({ id }) => !victims.includes(id)));
    for (const id of this.posted.keys()) if (!this.standing().has(id)) this.seenGone.add(id);
  }

  /** Requests take a while each way, some so long that others overtake them. */
  #distant(memory: MemoryStore): Store {
    const way = () => sleep(this.clock, this.integer(this.chance(0.7) ? 20 : 1500));
    const far = async <T>(work: () => Promise<T>): Promise<T> => {
      await way();
      const answer = await work();
      await way();
      return answer;
    };
    return {
      channels: () => far(() => memory.channels()),
      createChannel: (channel) => far(() => memory.createChannel(channel)),
      deleteChannel: (id) => far(() => memory.deleteChannel(id)),
      append: (channel, seal) => {
        const draft = seal();
        return far(async () => {
          const message = await memory.append(channel, () => draft);
          this.posted.set(message.id, { content: draft.content, file: draft.files[0]?.bytes });
          return message;
        });
      },
      pageBefore: (channel, before, limit) => far(() => memory.pageBefore(channel, before, limit)),
      pageAfter: (channel, after, limit) => far(() => memory.pageAfter(channel, after, limit)),
      read: (channel, id) => far(() => memory.read(channel, id)),
      download: (channel, message, attachment) => far(() => memory.download(channel, message, attachment)),
      remove: (channel, ids) => far(() => memory.remove(channel, ids)),
      watch: (listener) => memory.watch(listener),
      close: () => memory.close(),
    };
  }
}

function step(world: World): Promise<void> | undefined {
  const dice = world.random.next();
  const any = () => [...world.posted.keys()][world.integer(world.posted.size)];
  const limit = 1 + world.integer(12);
  const priority = PRIORITIES[world.integer(PRIORITIES.length)]!;
  world.memory.faults.forgetRemovals = world.chance(0.1);
  if (dice < 0.3) world.start(() => world.append());
  else if (dice < 0.34) {
    const id = world.memory.chat(world.channel, `chat ${world.posted.size}`);
    world.posted.set(id, { content: `chat ${world.posted.size}`, file: undefined });
  } else if (dice < 0.46) {
    const before = world.chance(0.4) ? undefined : any();
    world.start(async (store) => void (await world.page(store, { ...(before && { before }), limit, priority })));
  } else if (dice < 0.54) {
    const after = any() ?? 0n;
    world.start(async (store) => void (await world.page(store, { after, limit, priority })));
  } else if (dice < 0.6) {
    const id = any();
    if (id !== undefined) world.start((store) => world.read(store, id));
  } else if (dice < 0.72) {
    const ids = [...world.posted.keys()].filter(() => world.chance(0.15));
    world.start((store) => store.remove(world.channel, ids));
  } else if (dice < 0.75) {
    world.memory.tamper(world.channel, (messages) => messages.filter(() => world.chance(0.9)));
  } else if (dice < 0.9) return world.clock.advance(world.integer(world.chance(0.3) ? 30_000 : 600));
  else {
    world.kill();
    if (world.chance(0.15)) world.otherOwner();
    return world.begin().then(() => world.clock.run(world.walk()));
  }
  return undefined;
}

async function live(seed: number): Promise<World> {
  const world = new World(seed);
  await world.begin();
  for (let at = 0; at < STEPS; at++) {
    await step(world);
    if (world.failures.length > 0) throw world.failures[0];
  }
  await world.clock.advance(60_000);
  world.kill();
  await world.begin();
  await world.clock.run(world.walk());
  if (world.failures.length > 0) throw world.failures[0];
  return world;
}

test('whenever it is killed, a cache shows all that stands and nothing that was seen to be gone', async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat(), async (seed) => void (await live(seed))),
    { numRuns: 200, endOnFailure: true },
  );
}, 60_000);

import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, expect, test } from 'vitest';
import { DirectoryInUseError, type Env, seededRandom, silentLog, VirtualClock } from '../../../src/base/index.ts';
import {
  type CacheDisk,
  type CachedStore,
  cachedStore,
  FileCacheDisk,
  MemoryCacheDisk,
  MemoryStore,
  type Message,
  type Store,
  StoreError,
} from '../../../src/store/index.ts';

const MINUTE = 60_000;

class World {
  readonly clock = new VirtualClock();
  readonly env: Env = { clock: this.clock, random: seededRandom(1), log: silentLog };
  readonly memory = new MemoryStore(this.clock);
  channel = '';
  epoch = 0;
  #nonce = 0;

  async begin(disk: CacheDisk, { guildId = '1', maxBytes = 2 ** 30 } = {}): Promise<CachedStore> {
    this.channel ||= (await this.memory.createChannel({ name: 'things', kind: 'text' })).id;
    const cached = cachedStore(lasting(this.memory), { env: this.env, disk, guildId, maxBytes });
    await cached.adopt(++this.epoch);
    return cached;
  }

  /** Posts, a minute apart. */
  async post(store: CachedStore, count: number, file?: Uint8Array): Promise<Message[]> {
    const posted: Message[] = [];
    for (let at = 0; at < count; at++) {
      const nonce = `n${++this.#nonce}`;
      const files = file ? [{ name: 'pack.bin', bytes: file }] : [];
      posted.push(await store.append(this.channel, () => ({ content: `said ${nonce}`, files, nonce })));
      await this.clock.advance(MINUTE);
    }
    return posted;
  }

  /** Reads it all, newest first; returns what it cost. */
  async walk(store: CachedStore): Promise<{ contents: string[]; requests: number }> {
    const before = this.requests();
    const contents: string[] = [];
    for (let below: bigint | undefined; ; ) {
      const page = await store.pageBefore(this.channel, below, 10, 'load');
      for (const message of page) {
        contents.push(message.content);
        for (const attachment of message.attachments) await store.download(this.channel, message, attachment, 'load');
      }
      if (page.length < 10) break;
      below = page.at(-1)!.id;
    }
    return { contents: contents.reverse(), requests: this.requests() - before };
  }

  standing(): string[] {
    return this.memory.peek(this.channel).map(({ content }) => content);
  }

  requests(): number {
    const { page, read, download } = this.memory.requests;
    return page + read + download;
  }
}

/** The guild goes on when a process closes its store. */
function lasting(memory: MemoryStore): Store {
  return new Proxy(memory, {
    get(target, name) {
      const value: unknown = name === 'close' ? async () => {} : Reflect.get(target, name);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

const folders: string[] = [];

async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'discodb-cache-'));
  folders.push(path);
  return path;
}

afterEach(async () => {
  for (const path of folders.splice(0)) await rm(path, { recursive: true });
});

/** A life that fills a cache: messages, one in three with a file, some of them removed. */
async function fill(world: World, disk: CacheDisk, count = 45): Promise<void> {
  const store = await world.begin(disk);
  for (let at = 0; at < count; at += 3) {
    const [first] = await world.post(store, 2);
    await world.post(store, 1, Buffer.alloc(500, at + 1));
    if (at % 9 === 0) await store.remove(world.channel, [first!.id]);
  }
  await world.walk(store);
  await world.clock.settle();
  await store.close();
}

test('a second life asks for what is newest, and for nothing else', async () => {
  const world = new World();
  const disk = new MemoryCacheDisk();
  await fill(world, disk);
  const store = await world.begin(disk);
  expect(await world.walk(store)).toEqual({ contents: world.standing(), requests: 1 });
});

test('files on a disk of the platform serve the next process, one at a time', async () => {
  const world = new World();
  const path = await folder();
  await fill(world, await FileCacheDisk.open(path));
  const disk = await FileCacheDisk.open(path);
  await expect(FileCacheDisk.open(path)).rejects.toBeInstanceOf(DirectoryInUseError);
  const store = await world.begin(disk);
  expect(await world.walk(store)).toEqual({ contents: world.standing(), requests: 1 });
  await store.close();
  expect((await readdir(path)).sort()).toEqual(['files']);
});

test.each<[string, (world: World) => { guildId?: string }]>([
  ['another guild', () => ({ guildId: '2' })],
  [
    'an owner that was not the last one',
    (world) => {
      world.epoch++;
      return {};
    },
  ],
])('the cache of %s is thrown away', async (_, change) => {
  const world = new World();
  const disk = new MemoryCacheDisk();
  await fill(world, disk);
  const store = await world.begin(disk, change(world));
  expect([...disk.files.keys()]).toEqual(['owner.json']);
  expect((await world.walk(store)).contents).toEqual(world.standing());
});

test('whatever happens to its files, the cache never tells anything wrong', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.nat(),
      fc.nat(),
      fc.integer({ min: 1, max: 255 }),
      fc.boolean(),
      async (which, where, mask, cut) => {
        const world = new World();
        const disk = new MemoryCacheDisk();
        await fill(world, disk);
        const content = [...disk.files.values()][which % disk.files.size]!;
        const bytes = Buffer.from(content.bytes);
        const unsynced = bytes.length - content.synced.length;
        if (cut && unsynced > 0) content.bytes = bytes.subarray(0, content.synced.length + (where % unsynced));
        else {
          const at = where % bytes.length;
          bytes[at] = bytes[at]! ^ mask;
          content.bytes = bytes;
        }
        const store = await world.begin(disk);
        expect((await world.walk(store)).contents).toEqual(world.standing());
        for (const { id, attachments } of world.memory.peek(world.channel)) {
          const message = (await store.read(world.channel, id, 'read'))!;
          for (const attachment of attachments) {
            const [back, sent] = await Promise.all(
              [store, world.memory].map((from) => from.download(world.channel, message, attachment, 'read')),
            );
            expect(Buffer.compare(back!, sent!)).toBe(0);
          }
        }
      },
    ),
    { numRuns: 150, endOnFailure: true },
  );
}, 30_000);

test('upkeep asks Discord, and what it misses is gone for the next life too', async () => {
  const world = new World();
  const disk = new MemoryCacheDisk();
  await fill(world, disk);
  const store = await world.begin(disk);
  const victim = world.memory.peek(world.channel)[5]!;
  world.memory.tamper(world.channel, (messages) => messages.filter(({ id }) => id !== victim.id));
  expect((await world.walk(store)).contents).toContain(victim.content);
  const page = await store.pageAfter(world.channel, 0n, 100, 'upkeep');
  expect(page.map(({ id }) => id)).not.toContain(victim.id);
  expect(await store.read(world.channel, victim.id, 'read')).toBeUndefined();
  disk.powerCut(() => 0);
  const next = await world.begin(disk);
  expect((await world.walk(next)).contents).toEqual(world.standing());
});

test('what Discord was told to remove is not asked for again by the next life', async () => {
  const world = new World();
  const disk = new MemoryCacheDisk();
  await fill(world, disk);
  const store = await world.begin(disk);
  const ids = world.memory.peek(world.channel).map(({ id }) => id);
  await world.walk(store);
  // The look that follows a removal finds nothing.
  world.memory.faults.fail = (request) => (request === 'page' ? new StoreError('refused', 'not now') : undefined);
  await store.remove(world.channel, [ids[3]!, ids[7]!]);
  await world.clock.settle();
  world.memory.faults.fail = undefined;
  await store.close();
  const next = await world.begin(disk);
  await world.walk(next);
  const before = world.memory.requests.remove;
  await next.remove(world.channel, [ids[3]!, ids[7]!]);
  expect(world.memory.requests.remove).toBe(before);
  await next.pageAfter(world.channel, 0n, 100, 'upkeep');
  expect((await world.walk(next)).contents).toEqual(world.standing());
});

test('files of the oldest messages make room', async () => {
  const world = new World();
  const disk = new MemoryCacheDisk();
  const maxBytes = 20_000;
  const store = await world.begin(disk, { maxBytes });
  const posted = await world.post(store, 40, Buffer.alloc(1000, 1));
  await world.clock.settle();
  const size = [...disk.files.values()].reduce((sum, { bytes }) => sum + bytes.length, 0);
  expect(size).toBeLessThan(maxBytes + 2000);
  const kept = [...disk.files.keys()].flatMap((name) => /^file-\d+-(\d+)/.exec(name)?.[1] ?? []);
  expect(kept.length).toBeGreaterThan(5);
  expect(kept).toEqual(posted.slice(-kept.length).map(({ id }) => String(id)));
});

test('a file that is mostly garbage is written anew', async () => {
  const world = new World();
  const disk = new MemoryCacheDisk();
  const store = await world.begin(disk);
  const padding = 'x'.repeat(1900);
  let appended = 0;
  for (let round = 0; round < 20; round++) {
    const ids: bigint[] = [];
    for (let at = 0; at < 50; at++) {
      const nonce = `g${++appended}`;
      const draft = { content: `${nonce} ${padding}`, files: [], nonce };
      ids.push((await store.append(world.channel, () => draft)).id);
    }
    await world.clock.advance(MINUTE);
    await store.remove(world.channel, ids);
    await world.post(store, 1);
    await store.pageAfter(world.channel, 0n, 100, 'upkeep');
  }
  await world.clock.settle();
  await store.close();
  const log = disk.files.get(`${world.channel}.log`)!;
  expect(log.bytes.length).toBeLessThan(1.5 * 2 ** 20);
  const next = await world.begin(disk);
  expect((await world.walk(next)).contents).toEqual(world.standing());
});

test('where the disk fails, Discord answers, and the next life trusts nothing', async () => {
  const world = new World();
  const disk = new MemoryCacheDisk();
  await fill(world, disk);
  const store = await world.begin(disk);
  await world.walk(store);
  let failures = 0;
  disk.fail = () => (failures++ === 0 ? new Error('no space left') : undefined);
  world.memory.tamper(world.channel, (messages) => messages.slice(3));
  await store.pageAfter(world.channel, 0n, 100, 'upkeep');
  expect(failures).toBeGreaterThan(1);
  expect((await world.walk(store)).contents).toEqual(world.standing());
  disk.powerCut(() => 0);
  const next = await world.begin(disk);
  expect((await world.walk(next)).contents).toEqual(world.standing());
});

test('where the disk can neither be written nor cleared, nothing is answered that would be forgotten', async () => {
  const world = new World();
  const disk = new MemoryCacheDisk();
  await fill(world, disk);
  const store = await world.begin(disk);
  await world.walk(store);
  disk.fail = () => new Error('read-only');
  world.memory.tamper(world.channel, (messages) => messages.slice(3));
  const look = store.pageAfter(world.channel, 0n, 100, 'upkeep');
  await expect(look).rejects.toMatchObject({ name: 'StoreError', code: 'closed' });
});

test('a page with a blank proves nothing', async () => {
  const world = new World();
  const disk = new MemoryCacheDisk();
  const store = await world.begin(disk);
  await world.post(store, 3);
  world.memory.chat(world.channel, '');
  await world.clock.advance(MINUTE);
  await world.post(store, 10);
  await world.walk(store);
  await store.close();
  const next = await world.begin(disk);
  const { contents, requests } = await world.walk(next);
  expect(contents).toEqual(world.standing());
  expect(requests).toBe(2);
});

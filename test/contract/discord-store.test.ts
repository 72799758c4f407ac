import { describe, expect, test } from 'vitest';
import { type Env, seededRandom, silentLog, sleep, VirtualClock } from '../../src/base/index.ts';
import { type DiscordStore, openDiscordStore, type Transport } from '../../src/discord/index.ts';
import { Emulator, type Fault, MemoryDisk, PERMISSION } from '../../src/emulator/index.ts';
import { type ChannelInfo, checkedStore, type Draft, type Message, type Store } from '../../src/store/index.ts';
import { emulatorTransport } from '../support/emulator-transport.ts';
import { withVirtualGlobals } from '../support/virtual-globals.ts';

const API = 'http://discord.invalid/api/v10';
const DAY_MS = 24 * 60 * 60 * 1000;

interface Stage {
  readonly clock: VirtualClock;
  readonly emulator: Emulator;
  readonly discord: DiscordStore;
  /** The same, with both sides of its contract asserted. */
  readonly store: Store;
  readonly channel: ChannelInfo;
}

/** A store on an emulator in virtual time, 20 to 60 ms away each way, and one channel. */
function onStage(limits: 'discord' | 'off', run: (stage: Stage) => Promise<void>, seed = 1): () => Promise<void> {
  return async () => {
    const clock = new VirtualClock();
    const random = seededRandom(seed);
    const env: Env = { clock, random, log: silentLog };
    const start = async () => {
      const emulator = await Emulator.open({ env, disk: new MemoryDisk(), limits });
      const direct = emulatorTransport(emulator);
      const way = () => sleep(clock, 20 + random.next() * 40);
      const transport: Transport = async (request, signal) => {
        await way();
        const reply = await direct(request, signal);
        await way();
        return reply;
      };
      const { token, guildId } = emulator.credentials();
      const discord = await openDiscordStore({
        tokens: [token],
        guildIds: [guildId],
        env,
        apiUrl: API,
        transport,
        limits,
      });
      const store = checkedStore(discord);
      const parent = await store.createChannel({ name: 'Shop', kind: 'category' });
      const channel = await store.createChannel({ name: 'orders', kind: 'text', parentId: parent.id, topic: 'c1' });
      await run({ clock, emulator, discord, store, channel });
      await store.close();
    };
    await withVirtualGlobals(clock, () => clock.run(start()));
  };
}

let nonces = 0;
function draft(content: string, ...files: Draft['files']): Draft {
  return { content, files, nonce: `n${nonces++}` };
}

const times = (count: number) => Array.from({ length: count }, (_, index) => index);
const contents = (page: readonly Message[]) => page.map(({ content }) => content);

async function all(store: Store, channel: string): Promise<Message[]> {
  const messages: Message[] = [];
  for (let before: bigint | undefined; ; before = messages.at(-1)?.id) {
    const page = await store.pageBefore(channel, before, 100, 'read');
    messages.push(...page);
    if (page.length < 100) return messages;
  }
}

for (const limits of ['off', 'discord'] as const) {
  describe(`the store on the embedded Discord, limits ${limits}`, () => {
    test(
      'messages come back as they were posted, in order, by page and one by one',
      onStage(limits, async ({ store, channel, discord }) => {
        const posted: Message[] = [];
        for (const index of times(12)) posted.push(await store.append(channel.id, () => draft(`record ${index}`)));
        expect(posted.every(({ authorId }) => authorId === discord.botUserId)).toBe(true);
        expect(contents(await store.pageBefore(channel.id, undefined, 5, 'read'))).toEqual(
          [11, 10, 9, 8, 7].map((index) => `record ${index}`),
        );
        expect(contents(await store.pageBefore(channel.id, posted[2]!.id, 5, 'load'))).toEqual([
          'record 1',
          'record 0',
        ]);
        expect(contents(await store.pageAfter(channel.id, posted[2]!.id, 2, 'upkeep'))).toEqual([
          'record 4',
          'record 3',
        ]);
        expect(await store.pageAfter(channel.id, posted[11]!.id, 100, 'read')).toEqual([]);
        expect(await store.read(channel.id, posted[5]!.id, 'read')).toEqual(posted[5]);
        expect(await store.read(channel.id, 5n, 'read')).toBeUndefined();
      }),
    );

    test(
      'files come back whole, also when their link has expired and until their message is gone',
      onStage(limits, async ({ store, channel, clock }) => {
        const bytes = Uint8Array.from({ length: 100_000 }, (_, index) => index % 251);
        const files = [
          { name: 'pack0.bin', bytes },
          { name: 'pack1.bin', bytes: bytes.subarray(0, 10) },
        ];
        const posted = await store.append(channel.id, () => draft('pack', ...files));
        expect(posted.attachments.map(({ name, size }) => [name, size])).toEqual([
          ['pack0.bin', 100_000],
          ['pack1.bin', 10],
        ]);
        const [first, second] = posted.attachments;
        expect(await store.download(channel.id, posted, first!, 'read')).toEqual(bytes);
        await sleep(clock, 2 * DAY_MS);
        expect(await store.download(channel.id, posted, second!, 'read')).toEqual(bytes.subarray(0, 10));
        await store.remove(channel.id, [posted.id]);
        await sleep(clock, 2 * DAY_MS);
        expect(await store.download(channel.id, posted, first!, 'read')).toBeUndefined();
      }),
    );

    test(
      'remove takes away what it is given, of any age, and no more',
      onStage(limits, async ({ store, channel, clock, emulator }) => {
        const post = async (count: number) => {
          const posted: Message[] = [];
          for (const index of times(count)) posted.push(await store.append(channel.id, () => draft(`m ${index}`)));
          return posted.map(({ id }) => id);
        };
        const old = await post(4);
        await sleep(clock, 15 * DAY_MS);
        const young = await post(130);
        const kept = [old[0]!, young[7]!];
        const doomed = [...old, ...young].filter((id) => !kept.includes(id));
        await store.remove(channel.id, [...doomed, 12345n]);
        await store.remove(channel.id, doomed.slice(0, 3));
        expect((await all(store, channel.id)).map(({ id }) => id)).toEqual(kept.toReversed());
        const { requests } = emulator.stats.toJSON() as { requests: Record<string, number> };
        expect(requests['POST /channels/:id/messages/bulk-delete']).toBe(2);
      }),
    );

    test(
      'channels are private, listed, and gone when deleted',
      onStage(limits, async ({ store, channel, emulator, discord }) => {
        const stranger = await emulator.landlord.addBot();
        expect(emulator.permissions(stranger.userId, channel.id) & PERMISSION.viewChannel).toBe(0n);
        expect(emulator.permissions(discord.botUserId, channel.id) & PERMISSION.manageMessages).not.toBe(0n);
        expect(await store.channels()).toContainEqual(channel);
        await store.deleteChannel(channel.id);
        await store.deleteChannel(channel.id);
        expect(await store.channels()).not.toContainEqual(channel);
        await expect(store.append(channel.id, () => draft('late'))).rejects.toMatchObject({ code: 'gone' });
        await expect(store.pageBefore(channel.id, undefined, 10, 'read')).rejects.toMatchObject({ code: 'gone' });
        await expect(store.read(channel.id, 5n, 'read')).rejects.toMatchObject({ code: 'gone' });
        await store.remove(channel.id, [5n, 6n, 7n]);
      }),
    );

    test(
      'a full category is said to be full',
      onStage(limits, async ({ store, channel }) => {
        const parentId = channel.parentId!;
        for (const index of times(49)) await store.createChannel({ name: `c${index}`, kind: 'text', parentId });
        const more = store.createChannel({ name: 'one-more', kind: 'text', parentId });
        await expect(more).rejects.toMatchObject({ code: 'full' });
      }),
    );

    test(
      'a guild with as many categories as Discord allows is said to be full',
      onStage(limits, async ({ store }) => {
        const taken = (await store.channels()).filter(({ kind }) => kind === 'category').length;
        for (const index of times(50 - taken)) await store.createChannel({ name: `c${index}`, kind: 'category' });
        await expect(store.createChannel({ name: 'one-more', kind: 'category' })).rejects.toMatchObject({
          code: 'full',
        });
      }),
    );

    test(
      'a missing permission is said to be missing',
      onStage(limits, async ({ store, emulator, discord }) => {
        await emulator.landlord.kick(discord.botUserId, emulator.credentials().guildId);
        await expect(store.createChannel({ name: 'x', kind: 'text' })).rejects.toMatchObject({
          code: expect.stringMatching(/^(forbidden|gone)$/),
        });
      }),
    );

    const faults: Fault[] = [
      { kind: 'lose-reply', probability: 0.15 },
      { kind: 'error-before', status: 502, probability: 0.1 },
      { kind: 'error-after', status: 500, probability: 0.1 },
      { kind: 'rate-limit', scope: 'user', ms: 700, probability: 0.05 },
      { kind: 'rate-limit', scope: 'shared', ms: 400, probability: 0.05 },
      { kind: 'rate-limit', scope: 'global', ms: 1500, probability: 0.03 },
      { kind: 'cloudflare', times: 1, every: 40 },
      // Beyond the client's patience: what was given up is carried out later. Only messages have a nonce against that.
      { kind: 'latency', ms: 20_000, probability: 0.03, route: 'POST /channels/:id/messages' },
    ];
    for (const seed of [1, 2, 3]) {
      test(
        `through every fault, each message is stored once and each channel made once (seed ${seed})`,
        onStage(
          limits,
          async ({ store, channel, emulator }) => {
            emulator.setFaults(faults);
            const parentId = channel.parentId!;
            const posts = times(60).map((index) => store.append(channel.id, () => draft(`record ${index}`)));
            const makes = times(6).map((index) =>
              store.createChannel({ name: `c${index}`, kind: 'text', parentId, topic: `${index}` }),
            );
            const bytes = Uint8Array.of(1, 2, 3);
            const pack = store.append(channel.id, () => draft('pack', { name: 'a.bin', bytes }));
            const made = await Promise.all(makes);
            const posted = await Promise.all(posts);
            const packed = await pack;
            expect(await store.download(channel.id, packed, packed.attachments[0]!, 'read')).toEqual(bytes);
            await store.remove(
              channel.id,
              posted.slice(0, 5).map(({ id }) => id),
            );
            emulator.setFaults([]);
            const left = new Set(contents(await all(store, channel.id)));
            expect(emulator.messageCount(channel.id)).toBe(56);
            expect(left.size).toBe(56);
            const siblings = (await store.channels()).filter(({ name }) => /^c\d$/.test(name));
            expect(siblings.map(({ id }) => id).sort()).toEqual(made.map(({ id }) => id).sort());
          },
          seed,
        ),
      );
    }
  });
}

test(
  'a run of everything at once draws no 429',
  onStage('discord', async ({ store, channel, emulator, clock }) => {
    const { parentId } = channel;
    const others = await Promise.all(
      times(14).map((index) =>
        store.createChannel({ name: `c${index}`, kind: 'text', parentId: parentId!, topic: `t${index}` }),
      ),
    );
    const work = async ({ id }: ChannelInfo) => {
      const posted: Message[] = [];
      for (const round of times(8)) {
        posted.push(
          ...(await Promise.all(
            times(1 + (round % 7)).map((index) => store.append(id, () => draft(`${round}.${index}`))),
          )),
        );
        await Promise.all([
          store.pageBefore(id, undefined, 50, 'read'),
          store.pageAfter(id, 0n, 50, 'upkeep'),
          ...posted.slice(-3).map((message) => store.read(id, message.id, 'load')),
        ]);
        const doomed = posted.splice(0, 3).map((message) => message.id);
        await store.remove(id, round % 2 === 0 ? doomed : doomed.slice(0, 1));
        if (round === 4) await sleep(clock, 30_000);
      }
    };
    await Promise.all([channel, ...others].map(work));
    const stats = emulator.stats.toJSON();
    expect(stats.total).toBeGreaterThan(1000);
    expect(stats.limited).toBe(0);
  }),
  30_000,
);

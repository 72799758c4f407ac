import { describe, expect, test } from 'vitest';
import { createLog, type Env, seededRandom, sleep, VirtualClock } from '../../src/base/index.ts';
import { inProcessGateway } from '../../src/compose.ts';
import { type DiscordStore, openDiscordStore, StartError, type Transport } from '../../src/discord/index.ts';
import { Emulator, type LimitMode, MemoryDisk, openGateway, PERMISSION } from '../../src/emulator/index.ts';
import { checkedStore, type Draft, type Message, type Store, type StoreEvent } from '../../src/store/index.ts';
import { emulatorTransport } from '../support/emulator-transport.ts';
import { withVirtualGlobals } from '../support/virtual-globals.ts';

const API = 'http://discord.invalid/api/v10';
const ERROR = 50;
const ADMINISTRATOR = 1n << 3n;

interface Line {
  readonly level: number;
  readonly msg: string;
  readonly bot?: string;
  readonly why?: string;
}

interface Bot {
  readonly userId: string;
  readonly token: string;
}

interface Scene {
  readonly clock: VirtualClock;
  readonly env: Env;
  readonly emulator: Emulator;
  readonly guildId: string;
  readonly bots: readonly Bot[];
  readonly transport: Transport;
  readonly lines: Line[];
  /** The store of all bots, its contract asserted on both sides. */
  readonly store: Store;
  readonly discord: DiscordStore;
  readonly events: StoreEvent[];
  readonly channel: string;
  /** Replies 403 so far. */
  refused(): number;
  open(bots: readonly Bot[], guildIds?: readonly string[]): Promise<DiscordStore>;
}

function scene(
  limits: LimitMode,
  count: number,
  play: (scene: Scene) => Promise<void>,
  latencyMs = 20,
): () => Promise<void> {
  return async () => {
    const clock = new VirtualClock();
    const lines: Line[] = [];
    const log = createLog('warn', { write: (line) => void lines.push(JSON.parse(line)) });
    const env: Env = { clock, random: seededRandom(5), log };
    const run = async () => {
      const emulator = await Emulator.open({ env, disk: new MemoryDisk(), limits });
      const gateway = openGateway(emulator, env);
      const { token, guildId, botUserId } = emulator.credentials();
      const bots: Bot[] = [{ userId: botUserId, token }];
      while (bots.length < count) bots.push(await emulator.landlord.addBot());
      const direct = emulatorTransport(emulator);
      let forbidden = 0;
      const transport: Transport = async (request, signal) => {
        await sleep(clock, latencyMs);
        const reply = await direct(request, signal);
        if (reply.status === 403) forbidden++;
        await sleep(clock, latencyMs);
        return reply;
      };
      const open = (some: readonly Bot[], guildIds = [guildId]) =>
        openDiscordStore({
          tokens: some.map((bot) => bot.token),
          guildIds,
          env,
          apiUrl: API,
          transport,
          gateway: inProcessGateway(gateway, clock),
          limits,
        });
      const discord = await open(bots);
      const events: StoreEvent[] = [];
      const store = checkedStore(discord);
      store.watch((event) => void events.push(event));
      const { id: channel } = await store.createChannel({ name: 'orders', kind: 'text', topic: 'c1' });
      const refused = () => forbidden;
      await play({
        clock,
        env,
        emulator,
        guildId,
        bots,
        transport,
        lines,
        store,
        discord,
        events,
        channel,
        refused,
        open,
      });
      await store.close();
      gateway.close();
      await emulator.close();
    };
    await withVirtualGlobals(clock, () => clock.run(run()));
  };
}

let nonces = 0;
function draft(content: string): Draft {
  return { content, files: [], nonce: `s${nonces++}` };
}

const times = (count: number) => Array.from({ length: count }, (_, index) => index);

/** One after the other, as the log does it. */
async function post({ store, channel }: Scene, count: number, name = 'record'): Promise<Message[]> {
  const posted: Message[] = [];
  for (const at of times(count)) posted.push(await store.append(channel, () => draft(`${name} ${at}`)));
  return posted;
}

async function contents({ store, channel }: Scene): Promise<string[]> {
  const page = await store.pageBefore(channel, undefined, 100, 'read');
  return page.map(({ content }) => content).reverse();
}

const authors = (messages: readonly Message[]) => new Set(messages.map(({ authorId }) => authorId));
const errors = ({ lines }: Scene) => lines.filter(({ level }) => level >= ERROR);

describe('several bots', () => {
  test('have counters of their own: three post three times as much, and draw no 429', async () => {
    const rate = async (bots: number) => {
      let took = 0;
      await scene('discord', bots, async (one) => {
        await post(one, 5 * bots);
        const start = one.clock.now();
        await post(one, 60);
        took = one.clock.now() - start;
        expect(one.emulator.stats.toJSON()).toMatchObject({ limited: 0 });
      })();
      return 60_000 / took;
    };
    const [alone, three] = [await rate(1), await rate(3)];
    expect(three / alone).toBeGreaterThan(2.7);
  });

  test(
    'see, read and delete each other’s messages in channels that are closed to everybody else',
    scene('discord', 3, async (one) => {
      const { store, channel, emulator, bots, events } = one;
      const posted = await post(one, 15);
      expect(authors(posted)).toEqual(new Set(bots.map(({ userId }) => userId)));
      for (const { userId } of bots) {
        expect(emulator.permissions(userId, channel) & PERMISSION.manageMessages).not.toBe(0n);
      }
      const stranger = await emulator.landlord.addBot();
      expect(emulator.permissions(stranger.userId, channel) & PERMISSION.viewChannel).toBe(0n);
      expect(await contents(one)).toEqual(times(15).map((at) => `record ${at}`));
      for (const message of posted) expect(await store.read(channel, message.id, 'read')).toEqual(message);
      await store.remove(
        channel,
        posted.map(({ id }) => id),
      );
      expect(emulator.messageCount(channel)).toBe(0);
      expect(events.filter((event) => event.kind === 'created' && !event.own)).toEqual([]);
      expect(events.filter(({ kind }) => kind === 'deleted')).toEqual([]);
    }),
  );

  test(
    'who was refused while the store was closed is told that it is closed',
    scene('off', 1, async (one) => {
      const strangers = [await one.emulator.landlord.addBot(), await one.emulator.landlord.addBot()];
      const other = await one.open(strangers);
      const refusal = Promise.allSettled([other.pageBefore(one.channel, undefined, 1, 'read')]);
      const before = one.refused();
      while (one.refused() === before) await sleep(one.clock, 1);
      // The answer has a way to go, and then the bot is asked how it stands.
      await sleep(one.clock, 50);
      await other.close();
      expect(await refusal).toMatchObject([{ status: 'rejected', reason: { code: 'closed' } }]);
    }),
  );

  const losses: [string, (one: Scene, bot: Bot) => Promise<unknown>, RegExp][] = [
    [
      'is removed from the server',
      ({ emulator, guildId }, bot) => emulator.landlord.kick(bot.userId, guildId),
      /not in the server/,
    ],
    ['has its token reset', ({ emulator }, bot) => emulator.landlord.resetToken(bot.userId), /401/],
    [
      'loses the intent',
      ({ emulator }, bot) => emulator.landlord.setMessageContent(bot.userId, false),
      /Message Content Intent/,
    ],
  ];
  for (const [name, lose, why] of losses) {
    for (const at of [0, 1]) {
      test(
        `a bot that ${name} leaves loudly, and its work goes on (bot ${at + 1} of 2)`,
        scene('discord', 2, async (one) => {
          const { store, channel, bots, events, clock, emulator } = one;
          await post(one, 12, 'before');
          const working = post(one, 20, 'during');
          await sleep(clock, 500);
          await lose(one, bots[at]!);
          await working;
          // Enough reads for both to have a part in them.
          const pages = await Promise.all(times(8).map(() => contents(one)));
          for (const page of pages) expect(new Set(page).size).toBe(32);
          const after = await post(one, 12, 'after');
          expect((await contents(one)).length).toBe(44);
          expect(new Set(await contents(one)).size).toBe(44);
          expect(emulator.messageCount(channel)).toBe(44);
          expect(authors(after)).toEqual(new Set([bots[1 - at]!.userId]));
          expect(errors(one).filter(({ bot }) => bot === bots[at]!.userId)).toContainEqual(
            expect.objectContaining({ why: expect.stringMatching(why) }),
          );
          // The other one listens in its place.
          await sleep(clock, 10_000);
          events.length = 0;
          await store.append(channel, () => draft('heard'));
          await sleep(clock, 1000);
          expect(events).toMatchObject([{ kind: 'created', own: true }]);
        }),
      );
    }
  }

  test(
    'the last one never leaves: what fails it fails the store, as one bot does',
    scene('discord', 2, async (one) => {
      const { emulator, bots, guildId, store, channel } = one;
      for (const { userId } of bots) await emulator.landlord.kick(userId, guildId);
      await expect(store.append(channel, () => draft('x'))).rejects.toMatchObject({
        code: expect.stringMatching(/^(forbidden|gone)$/),
      });
      await expect(store.pageBefore(channel, undefined, 10, 'read')).rejects.toMatchObject({
        code: expect.stringMatching(/^(forbidden|gone)$/),
      });
    }),
  );

  test(
    'a reply lost together with its bot: the message is found, and stored once',
    scene('discord', 2, async (one) => {
      const { emulator, bots, guildId, channel } = one;
      emulator.setFaults([{ kind: 'lose-reply', times: 1, route: 'POST /channels/:id/messages' }]);
      const posting = post(one, 1, 'lost');
      await sleep(one.clock, 30);
      await emulator.landlord.kick(bots[0]!.userId, guildId);
      const [message] = await posting;
      expect(message!.authorId).toBe(bots[0]!.userId);
      expect(emulator.messageCount(channel)).toBe(1);
    }),
  );

  test(
    'a bot that came later works where it may, and leaves older channels to the others',
    scene('discord', 1, async (one) => {
      await post(one, 3);
      const late = await one.emulator.landlord.addBot();
      const both = await one.open([late, ...one.bots]);
      const old = { ...one, store: both };
      const refusedBefore = one.refused();
      expect(authors(await post(old, 12, 'old'))).toEqual(new Set([one.bots[0]!.userId]));
      const { id } = await both.createChannel({ name: 'new', kind: 'text', topic: 'c2' });
      expect(authors(await post({ ...old, channel: id }, 12, 'new'))).toContain(late.userId);
      expect(one.refused() - refusedBefore).toBe(1);
      // Whoever lists the channels first knows which are closed.
      const third = await one.open([late, ...one.bots]);
      await third.channels();
      expect(authors(await post({ ...one, store: third }, 12, 'known'))).toEqual(new Set([one.bots[0]!.userId]));
      expect(one.refused() - refusedBefore).toBe(1);
      await third.close();
      expect(errors(one)).toEqual([]);
      await both.close();
    }),
  );

  test(
    'through lost replies, 429s and 5xx, every message is stored once',
    scene('discord', 3, async (one) => {
      one.emulator.setFaults([
        { kind: 'lose-reply', probability: 0.15 },
        { kind: 'error-before', status: 502, probability: 0.1 },
        { kind: 'error-after', status: 500, probability: 0.1 },
        { kind: 'rate-limit', scope: 'user', ms: 700, probability: 0.05 },
        { kind: 'rate-limit', scope: 'shared', ms: 400, probability: 0.05 },
        { kind: 'rate-limit', scope: 'global', ms: 1500, probability: 0.03 },
        { kind: 'cloudflare', times: 1, every: 40 },
      ]);
      const made = times(4).map((at) => one.store.createChannel({ name: `c${at}`, kind: 'text', topic: `${at}` }));
      await post(one, 60);
      const ids = (await Promise.all(made)).map(({ id }) => id);
      one.emulator.setFaults([]);
      expect((await contents(one)).toSorted()).toEqual(
        times(60)
          .map((at) => `record ${at}`)
          .toSorted(),
      );
      const siblings = (await one.store.channels()).filter(({ name }) => /^c\d$/.test(name));
      expect(siblings.map(({ id }) => id).toSorted()).toEqual(ids.toSorted());
      expect(errors(one)).toEqual([]);
    }),
  );

  test(
    'a 429 of one bot sends its request on to another, at once',
    scene('discord', 2, async (one) => {
      const route = 'POST /channels/:id/messages';
      one.emulator.setFaults([{ kind: 'rate-limit', scope: 'user', ms: 60_000, times: 1, route }]);
      const start = one.clock.now();
      const [message] = await post(one, 1);
      expect(message!.authorId).toBe(one.bots[1]!.userId);
      expect(one.clock.now() - start).toBeLessThan(1000);
    }),
  );

  test(
    'one that no channel names goes on where it may all, although another late one may not',
    scene('off', 1, async (one) => {
      const late = await one.emulator.landlord.addBot();
      const mighty = await one.emulator.landlord.addBot({ permissions: ADMINISTRATOR });
      const three = await one.open([...one.bots, late, mighty]);
      await three.channels();
      await three.append(one.channel, () => draft('by the first'));
      await one.emulator.landlord.kick(one.bots[0]!.userId, one.guildId);
      const { authorId } = await three.append(one.channel, () => draft('by the one that may'));
      expect(authorId).toBe(mighty.userId);
      await three.close();
    }),
  );

  test(
    'each is checked at the start, and the one that is unfit is named',
    scene('off', 2, async (one) => {
      const blind = await one.emulator.landlord.addBot({ messageContent: false });
      const error = await one.open([...one.bots, blind]).catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(StartError);
      expect(String(error)).toMatch(/Bot 3 of 3: .*Message Content Intent/);
    }),
  );
});

describe('the gateway', () => {
  test(
    'that refuses for good says what to click, and the store works on',
    scene('off', 1, async (one) => {
      await one.discord.close();
      await one.emulator.landlord.setMessageContent(one.bots[0]!.userId, true);
      const gateway = openGateway(one.emulator, one.env);
      const store = await openDiscordStore({
        tokens: [one.bots[0]!.token],
        guildIds: [one.guildId],
        env: one.env,
        apiUrl: API,
        transport: one.transport,
        gateway: (_url, listener) => {
          one.clock.soon(() => listener.closed(4014));
          return { send() {}, close() {} };
        },
        limits: 'off',
      });
      store.watch(() => {});
      await sleep(one.clock, 1000);
      expect(errors(one).map(({ msg }) => msg)).toEqual([
        expect.stringMatching(/Message Content Intent.*Privileged Gateway Intents/),
        expect.stringMatching(/works on/),
      ]);
      await store.append(one.channel, () => draft('still'));
      await store.close();
      gateway.close();
    }),
  );
});

describe('several guilds', () => {
  test(
    'the next one takes what has no room in the first, below a category of the same name, until none has any',
    scene('off', 1, async (one) => {
      const { emulator, bots, guildId } = one;
      const second = await emulator.landlord.addGuild('second');
      await emulator.landlord.invite(bots[0]!.userId, second.id);
      const store = checkedStore(await one.open(bots, [guildId, second.id]));
      const shop = await store.createChannel({ name: 'Shop', kind: 'category' });
      const fill = async (guild: string) => {
        while (emulator.channels(guild).length < 500) {
          await emulator.handle({
            method: 'POST',
            path: `/api/v10/guilds/${guild}/channels`,
            headers: {
              authorization: `Bot ${bots[0]!.token}`,
              'user-agent': 'DiscordBot (test, 1)',
              'content-type': 'application/json',
            },
            body: Buffer.from(JSON.stringify({ name: 'filler' })),
          });
        }
      };
      await fill(guildId);
      const make = (name: string) => store.createChannel({ name, kind: 'text', parentId: shop.id, topic: name });
      const [first, next] = [await make('orders'), await make('items')];
      const listed = await store.channels();
      const parent = listed.find(({ id }) => id === first.parentId);
      expect(parent).toMatchObject({ name: 'Shop', kind: 'category' });
      expect(parent!.id).not.toBe(shop.id);
      expect(next.parentId).toBe(parent!.id);
      expect(emulator.channels(second.id).map(({ name }) => name)).toEqual(['Shop', 'orders', 'items']);
      await store.append(first.id, () => draft('there'));
      await store.deleteChannel(next.id);
      await fill(second.id);
      await expect(make('more')).rejects.toMatchObject({ code: 'full', message: expect.stringMatching(/--guild/) });
      await store.close();
    }),
  );

  test(
    'a bot that is missing in one of them cannot start',
    scene('off', 1, async (one) => {
      const second = await one.emulator.landlord.addGuild('second');
      await expect(one.open(one.bots, [one.guildId, second.id])).rejects.toThrow(
        `not in a server with the id ${second.id}`,
      );
    }),
  );
});

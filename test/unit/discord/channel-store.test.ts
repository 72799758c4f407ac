import { describe, expect, test } from 'vitest';
import { sleep } from '../../../src/base/index.ts';
import { NONCE_WINDOW_MS } from '../../../src/discord/append.ts';
import { Bot } from '../../../src/discord/bot.ts';
import { ChannelStore } from '../../../src/discord/channel-store.ts';
import { INVALID_REQUEST_BUDGET, InvalidRequests } from '../../../src/discord/invalid-requests.ts';
import { Rest } from '../../../src/discord/rest.ts';
import { Swarm } from '../../../src/discord/swarm.ts';
import { type Draft, type NewChannel, StoreError, snowflakeAt } from '../../../src/store/index.ts';
import {
  type Answer,
  API,
  fakeTransport,
  html,
  inVirtualTime,
  json,
  message,
  never,
  type Seen,
  TOKEN,
  type World,
} from './fake-discord.ts';

const GUILD = '900';
const BOT = '42';
const draft: Draft = { content: 'a record', files: [], nonce: 'e1s1' };

function open(world: World, answer: (seen: Seen) => Answer | Promise<Answer>, latencyMs = 20) {
  const { transport, seen } = fakeTransport(world, latencyMs, answer);
  const invalidRequests = new InvalidRequests(world.env.clock);
  const rest = new Rest({ transport, apiUrl: API, token: TOKEN, env: world.env, limits: 'discord', invalidRequests });
  const bot = new Bot(TOKEN, rest, { userId: BOT, applicationId: '43' });
  const swarm = new Swarm(world.env, [GUILD], [bot]);
  const release = async () => {};
  const store = new ChannelStore({ env: world.env, swarm, guildIds: [GUILD], gateway: undefined, release });
  return { store, seen };
}

/** Answers one after the other, the last one for ever. */
function script(...answers: (Answer | (() => Answer | Promise<Answer>))[]): (seen: Seen) => Answer | Promise<Answer> {
  let at = 0;
  return () => {
    const answer = answers[Math.min(at++, answers.length - 1)]!;
    return typeof answer === 'function' ? answer() : answer;
  };
}

const code = (expected: string) => expect.objectContaining({ name: 'StoreError', code: expected });
const payload = (seen: Seen) => JSON.parse(seen.text) as Record<string, unknown>;

describe('append', () => {
  test(
    'posts what seal returns at the moment it leaves, quietly and with its nonce',
    inVirtualTime(async (world) => {
      const { store, seen } = open(world, script(json(200, message(7n, draft.content, BOT))));
      let sealedAt = 0;
      const posted = await store.append('1', () => {
        sealedAt = world.clock.now();
        return draft;
      });
      expect(posted).toEqual({ id: 7n, content: draft.content, attachments: [], authorId: BOT });
      expect(seen[0]).toMatchObject({ method: 'POST', path: '/channels/1/messages', at: sealedAt + 20 });
      expect(seen[0]!.headers).toMatchObject({ authorization: `Bot ${TOKEN}`, 'content-type': 'application/json' });
      expect(seen[0]!.headers['user-agent']).toMatch(/^DiscordBot \(https?:\S+, \S+\)$/);
      expect(payload(seen[0]!)).toEqual({
        content: draft.content,
        nonce: 'e1s1',
        enforce_nonce: true,
        allowed_mentions: { parse: [] },
        flags: (1 << 2) | (1 << 12),
      });
    }),
  );

  test(
    'seals late: what waits for the bucket is still open to more',
    inVirtualTime(async (world) => {
      const headers = { 'x-ratelimit-limit': '1', 'x-ratelimit-remaining': '0', 'x-ratelimit-reset-after': '5' };
      const { store } = open(world, script(json(200, message(7n), headers)));
      await store.append('1', () => draft);
      const start = world.clock.now();
      let sealedAt = 0;
      await store.append('1', () => {
        sealedAt = world.clock.now();
        return draft;
      });
      expect(sealedAt - start).toBeGreaterThanOrEqual(4900);
    }),
  );

  const half = { status: 200, headers: {}, body: new TextEncoder().encode('{"id": "7", "cont') };
  const troubles: [string, Answer | (() => Promise<Answer>)][] = [
    ['a broken connection', Object.assign(new Error('other side closed'), { code: 'UND_ERR_SOCKET' })],
    ['500', json(500, { message: 'oops', code: 0 })],
    ['502 of the edge', html(502)],
    ['503 overloaded', json(503, { message: 'overloaded', code: 130000 })],
    ['half a reply', half],
    ['an empty reply', { status: 200, headers: {}, body: new Uint8Array() }],
    ['no reply in time', never],
    ['a 429', json(429, { message: 'slow', retry_after: 0.3, global: false }, { 'x-ratelimit-scope': 'user' })],
    ['a block page of the edge', html(403)],
  ];
  for (const [name, trouble] of troubles) {
    test(
      `after ${name} it tries again with the same bytes, sealed once`,
      inVirtualTime(async (world) => {
        const { store, seen } = open(world, script(trouble, json(200, message(7n, draft.content, BOT))));
        let seals = 0;
        const posted = await store.append('1', () => {
          seals += 1;
          return draft;
        });
        expect(posted.id).toBe(7n);
        expect(seals).toBe(1);
        expect(seen.map(({ method }) => method)).toEqual(['POST', 'POST']);
        expect(seen[1]!.text).toBe(seen[0]!.text);
        expect(store.metrics()).toMatchObject({ retries: 1, requests: { 'POST /channels/:id/messages': 2 } });
      }),
    );
  }

  test(
    'past the nonce window it reads back, and takes what it finds for the answer',
    inVirtualTime(async (world) => {
      const start = world.clock.now();
      const id = snowflakeAt(start + 100);
      const { store, seen } = open(world, ({ method }) => {
        if (method === 'POST') return json(502, {});
        return json(200, [
          message(id + 1n, 'another record', BOT),
          message(id, 'a record', BOT),
          message(id - 1n, 'a record', '666'),
        ]);
      });
      const posted = await store.append('1', () => draft);
      expect(posted.id).toBe(id);
      const get = seen.find(({ method }) => method === 'GET')!;
      expect(get.at - start).toBeGreaterThan(NONCE_WINDOW_MS);
      expect(seen.filter(({ method }) => method === 'GET')).toHaveLength(1);
      const after = BigInt(new URLSearchParams(get.path.split('?')[1]).get('after')!);
      expect(after).toBeLessThan(snowflakeAt(start));
      for (const { at, method } of seen)
        if (method === 'POST') expect(at - start).toBeLessThanOrEqual(NONCE_WINDOW_MS + 20);
    }),
  );

  test(
    'past the nonce window it walks every page, finds nothing, and posts again under a new window',
    inVirtualTime(async (world) => {
      const base = snowflakeAt(world.clock.now());
      const fullPage = Array.from({ length: 100 }, (_, index) => message(base + BigInt(100 - index), 'other', BOT));
      let gets = 0;
      const { store, seen } = open(world, ({ method }) => {
        if (method === 'GET') return json(200, gets++ === 0 ? fullPage : []);
        return gets === 0 ? json(502, {}) : json(200, message(7n, 'a record', BOT));
      });
      expect((await store.append('1', () => draft)).id).toBe(7n);
      const pages = seen.filter(({ method }) => method === 'GET').map(({ path }) => path);
      expect(pages).toHaveLength(2);
      expect(pages[1]).toContain(`after=${base + 100n}`);
      expect(payload(seen.at(-1)!).nonce).toBe(draft.nonce);
    }),
  );

  test(
    'a try that was held past the nonce window does not leave without reading back',
    inVirtualTime(async (world) => {
      const start = world.clock.now();
      const slow = json(429, { message: 'slow', retry_after: 300, global: true }, { 'x-ratelimit-global': 'true' });
      let posts = 0;
      const { store, seen } = open(world, ({ method }) => {
        if (method === 'GET') return json(200, [message(9n, 'a record', BOT)]);
        return posts++ === 0 ? json(500, {}) : slow;
      });
      expect((await store.append('1', () => draft)).id).toBe(9n);
      expect(seen.map(({ method }) => method)).toEqual(['POST', 'POST', 'GET']);
      expect(world.clock.now() - start).toBeGreaterThan(300_000);
    }),
  );

  test(
    'a nonce whose message was deleted leads to a new post with a new nonce',
    inVirtualTime(async (world) => {
      let posts = 0;
      const { store, seen } = open(world, ({ method }) => {
        if (method === 'GET') return json(200, []);
        posts += 1;
        if (posts === 1) return json(500, {});
        return posts === 2
          ? json(404, { message: 'Unknown Message', code: 10008 })
          : json(200, message(8n, 'a record', BOT));
      });
      expect((await store.append('1', () => draft)).id).toBe(8n);
      const nonce = payload(seen.at(-1)!).nonce;
      expect(nonce).not.toBe(draft.nonce);
      expect(String(nonce).length).toBeLessThanOrEqual(25);
    }),
  );

  test(
    'a nonce that leads into another channel is not taken for an answer',
    inVirtualTime(async (world) => {
      let posts = 0;
      const { store, seen } = open(world, ({ method }) => {
        if (method === 'GET') return json(200, []);
        const channel = posts++ === 0 ? '2' : '1';
        return json(200, { ...(message(8n, 'a record', BOT) as object), channel_id: channel });
      });
      await store.append('1', () => draft);
      expect(seen.map(({ method }) => method)).toEqual(['POST', 'GET', 'POST']);
      expect(payload(seen[2]!).nonce).not.toBe(draft.nonce);
    }),
  );

  test(
    'sends files as parts beside the payload',
    inVirtualTime(async (world) => {
      const { store, seen } = open(world, script(json(200, message(7n, 'a record', BOT))));
      await store.append('1', () => ({ ...draft, files: [{ name: 'a.txt', bytes: Buffer.from('file bytes') }] }));
      const { headers, text } = seen[0]!;
      const boundary = /^multipart\/form-data; boundary=(\S+)$/.exec(headers['content-type']!)![1]!;
      const form = await new Response(text, { headers: { 'content-type': headers['content-type']! } }).formData();
      expect(text.endsWith(`--${boundary}--\r\n`)).toBe(true);
      expect(JSON.parse(String(form.get('payload_json')))).toMatchObject({
        attachments: [{ id: 0, filename: 'a.txt' }],
      });
      const file = form.get('files[0]');
      expect(file instanceof File && [file.name, await file.text()]).toEqual(['a.txt', 'file bytes']);
    }),
  );
});

describe('refusals become codes', () => {
  const rows: [number, unknown, string][] = [
    [403, { message: 'Missing Access', code: 50001 }, 'forbidden'],
    [403, { message: 'Missing Permissions', code: 50013 }, 'forbidden'],
    [403, { message: 'Unknown Message', code: 10008 }, 'refused'],
    [404, { message: 'Unknown Channel', code: 10003 }, 'gone'],
    [404, { message: '404: Not Found', code: 0 }, 'refused'],
    [400, { message: 'Maximum number of guild channels reached (500)', code: 30013 }, 'full'],
    [
      400,
      {
        message: 'Invalid Form Body',
        code: 50035,
        errors: { parent_id: { _errors: [{ code: 'CHANNEL_PARENT_MAX_CHANNELS', message: 'm' }] } },
      },
      'full',
    ],
    [400, { message: 'Invalid Form Body', code: 50035 }, 'refused'],
    [413, { message: 'Request entity too large', code: 40005 }, 'refused'],
  ];
  for (const [status, body, expected] of rows) {
    test(
      `${status} ${JSON.stringify(body).slice(0, 60)} is ${expected}`,
      inVirtualTime(async (world) => {
        const { store, seen } = open(world, script(json(status, body)));
        await expect(store.append('1', () => draft)).rejects.toEqual(code(expected));
        expect(seen).toHaveLength(1);
      }),
    );
  }

  test(
    'a dead token is never used again',
    inVirtualTime(async (world) => {
      const { store, seen } = open(world, script(json(401, { message: '401: Unauthorized', code: 0 })));
      await expect(store.append('1', () => draft)).rejects.toEqual(code('unauthorized'));
      await expect(store.read('1', 5n, 'read')).rejects.toEqual(code('unauthorized'));
      await expect(store.remove('1', [5n])).rejects.toEqual(code('unauthorized'));
      expect(seen).toHaveLength(1);
    }),
  );

  test(
    'a thousand invalid requests in ten minutes stop the client',
    inVirtualTime(async (world) => {
      const { store, seen } = open(world, script(json(403, { message: 'Missing Access', code: 50001 })), 1);
      for (let index = 0; index < INVALID_REQUEST_BUDGET; index++) {
        await expect(store.read(String(index % 20), 5n, 'read')).rejects.toEqual(code('forbidden'));
      }
      await expect(store.read('1', 5n, 'read')).rejects.toEqual(code('forbidden'));
      await expect(store.read('1', 5n, 'read')).rejects.toEqual(code('closed'));
      expect(seen).toHaveLength(INVALID_REQUEST_BUDGET + 1);
      expect(store.metrics().invalidRequests).toBe(INVALID_REQUEST_BUDGET + 1);
    }),
  );
});

describe('reading', () => {
  test(
    'pages are newest first, each id once',
    inVirtualTime(async (world) => {
      const { store, seen } = open(world, script(json(200, [message(5n), message(9n), message(5n)])));
      expect((await store.pageBefore('1', 10n, 100, 'read')).map(({ id }) => id)).toEqual([9n, 5n]);
      expect((await store.pageBefore('1', undefined, 10, 'load')).length).toBe(2);
      expect((await store.pageAfter('1', 0n, 10, 'upkeep')).length).toBe(2);
      expect(seen.map(({ path }) => path)).toEqual([
        '/channels/1/messages?limit=100&before=10',
        '/channels/1/messages?limit=10',
        '/channels/1/messages?limit=10&after=0',
      ]);
    }),
  );

  test(
    'one message, or undefined when it is gone; a gone channel is an error',
    inVirtualTime(async (world) => {
      const { store } = open(
        world,
        script(
          json(200, message(5n)),
          json(404, { message: 'm', code: 10008 }),
          json(404, { message: 'm', code: 10003 }),
        ),
      );
      expect((await store.read('1', 5n, 'read'))?.id).toBe(5n);
      expect(await store.read('1', 5n, 'read')).toBeUndefined();
      await expect(store.read('1', 5n, 'read')).rejects.toEqual(code('gone'));
    }),
  );

  test(
    'an answer of another shape is refused, not guessed at',
    inVirtualTime(async (world) => {
      const { store } = open(world, script(json(200, { id: 5 })));
      await expect(store.read('1', 5n, 'read')).rejects.toEqual(code('refused'));
    }),
  );
});

describe('downloads', () => {
  const bytes = new TextEncoder().encode('the file');
  const link = (ex: number) => `https://cdn.test/attachments/1/2/a.bin?ex=${ex.toString(16)}&is=1&hm=2`;
  const attachment = (url: string) => ({ name: 'a.bin', size: bytes.length, url });
  const served = { status: 200, headers: {}, body: bytes };

  const at = (url: string) => ({ id: 5n, content: '', authorId: BOT, attachments: [attachment(url)] });
  const withLink = (url: string) => json(200, message(5n, '', BOT, [{ filename: 'a.bin', size: bytes.length, url }]));

  test(
    'come without the token, and whole or again',
    inVirtualTime(async (world) => {
      const url = link(world.clock.now() / 1000 + 3600);
      const cut = { ...served, body: bytes.subarray(3) };
      const { store, seen } = open(world, script(cut, json(503, {}), served));
      expect(await store.download('1', at(url), attachment(url), 'read')).toEqual(bytes);
      expect(seen).toHaveLength(3);
      for (const { headers } of seen) expect(headers).not.toHaveProperty('authorization');
    }),
  );

  test(
    'a file of another size than promised is refused in the end',
    inVirtualTime(async (world) => {
      const url = link(world.clock.now() / 1000 + 3600);
      const { store } = open(world, script({ ...served, body: bytes.subarray(1) }));
      await expect(store.download('1', at(url), attachment(url), 'read')).rejects.toEqual(code('refused'));
    }),
  );

  test(
    'an expired link is not even tried, but renewed',
    inVirtualTime(async (world) => {
      const old = link(world.clock.now() / 1000 - 1);
      const fresh = link(world.clock.now() / 1000 + 3600);
      const { store, seen } = open(world, script(withLink(fresh), served));
      expect(await store.download('1', at(old), attachment(old), 'read')).toEqual(bytes);
      expect(seen.map(({ path }) => path)).toEqual(['/channels/1/messages/5', fresh]);
    }),
  );

  test(
    'a dead link is renewed once; what is dead then is gone',
    inVirtualTime(async (world) => {
      const url = link(world.clock.now() / 1000 + 3600);
      const { store } = open(world, script(html(404), withLink(`${url}0`), html(404)));
      expect(await store.download('1', at(url), attachment(url), 'read')).toBeUndefined();
      const gone = open(world, script(html(404), json(404, { code: 10008, message: 'm' })));
      expect(await gone.store.download('1', at(url), attachment(url), 'read')).toBeUndefined();
    }),
  );
});

describe('channels', () => {
  const wish = { name: 'My Shop.Orders', kind: 'text', parentId: '77', topic: 'collection 5' } as const;
  const made = (id: bigint, more = {}) => ({
    id: String(id),
    name: 'my-shop.orders',
    type: 0,
    parent_id: '77',
    topic: 'collection 5',
    ...more,
  });

  test(
    'are made private to the bot',
    inVirtualTime(async (world) => {
      const { store, seen } = open(world, script(json(201, made(5n))));
      expect(await store.createChannel(wish)).toEqual({
        id: '5',
        name: 'my-shop.orders',
        kind: 'text',
        parentId: '77',
        topic: 'collection 5',
      });
      expect(seen[0]!.path).toBe(`/guilds/${GUILD}/channels`);
      const { permission_overwrites: overwrites, ...rest } = payload(seen[0]!);
      expect(rest).toEqual({ name: wish.name, type: 0, parent_id: '77', topic: 'collection 5' });
      expect(overwrites).toEqual([
        { id: GUILD, type: 0, allow: '0', deny: '1024' },
        { id: BOT, type: 1, allow: expect.stringMatching(/^\d+$/), deny: '0' },
      ]);
    }),
  );

  test(
    'a lost create is looked up, and its twin adopted',
    inVirtualTime(async (world) => {
      const now = snowflakeAt(world.clock.now());
      const listed = [
        made(snowflakeAt(world.clock.now() - 3_600_000)),
        made(now + 1n, { topic: 'collection 6' }),
        made(now + 2n, { parent_id: null }),
        made(now + 3n),
      ];
      const { store, seen } = open(world, ({ method }) => (method === 'POST' ? json(504, {}) : json(200, listed)));
      expect((await store.createChannel(wish)).id).toBe(String(now + 3n));
      expect(seen.map(({ method }) => method)).toEqual(['POST', 'GET', 'GET']);
    }),
  );

  test(
    'of two twins the older stays, and the younger goes if it is empty',
    inVirtualTime(async (world) => {
      const now = snowflakeAt(world.clock.now());
      for (const messages of [[], [message(now + 9n)]]) {
        let posts = 0;
        const { store, seen } = open(world, ({ method, path }) => {
          if (method === 'DELETE') return json(200, made(now + 5n));
          if (path.includes('/messages')) return json(200, messages);
          if (method === 'GET') return json(200, posts < 2 ? [] : [made(now + 5n), made(now + 1n)]);
          return posts++ === 0 ? json(500, {}) : json(201, made(now + 5n));
        });
        expect((await store.createChannel(wish)).id).toBe(String(now + 1n));
        const deleted = seen.filter(({ method }) => method === 'DELETE').map(({ path }) => path);
        expect(deleted).toEqual(messages.length === 0 ? [`/channels/${now + 5n}`] : []);
      }
    }),
  );

  test(
    'a repeated wish finds the first channel as long as that exists; categories may share a name',
    inVirtualTime(async (world) => {
      const base = snowflakeAt(world.clock.now());
      let next = base;
      let listed: object[] = [];
      const { store } = open(world, ({ method, text }) => {
        if (method === 'DELETE') return json(200, made(base));
        if (method === 'GET') return json(200, listed);
        next += 1n;
        const created = { ...(JSON.parse(text) as object), id: String(next) };
        listed.push(created);
        return json(201, created);
      });
      const create = async (channel: NewChannel) => BigInt((await store.createChannel(channel)).id) - base;
      expect(await create(wish)).toBe(1n);
      expect(await create(wish)).toBe(1n);
      expect(await create({ ...wish, topic: 'another' })).toBe(2n);
      expect(await create({ name: 'shop', kind: 'category' })).toBe(3n);
      expect(await create({ name: 'shop', kind: 'category' })).toBe(4n);
      listed = [];
      expect(await create(wish)).toBe(5n);
      await store.deleteChannel(String(base + 5n));
      expect(await create(wish)).toBe(6n);
    }),
  );

  test(
    'a channel that was there before is no twin, however alike',
    inVirtualTime(async (world) => {
      const old = { id: String(snowflakeAt(world.clock.now() - 1000)), name: 'shop', type: 4 };
      const fresh = { ...old, id: String(snowflakeAt(world.clock.now() + 1)) };
      let posts = 0;
      const { store, seen } = open(world, ({ method }) => {
        if (method === 'GET') return json(200, posts < 2 ? [old] : [old, fresh]);
        return posts++ === 0 ? json(500, {}) : json(201, fresh);
      });
      await store.channels();
      expect((await store.createChannel({ name: 'shop', kind: 'category' })).id).toBe(fresh.id);
      expect(seen.some(({ method }) => method === 'DELETE')).toBe(false);
    }),
  );

  test(
    'a lost create that left nothing is repeated',
    inVirtualTime(async (world) => {
      let posts = 0;
      const { store } = open(world, ({ method }) => {
        if (method === 'GET') return json(200, []);
        return posts++ === 0 ? new Error('socket hang up') : json(201, made(5n));
      });
      expect((await store.createChannel(wish)).id).toBe('5');
    }),
  );

  test(
    'are listed with their kinds, and a gone one is deleted already',
    inVirtualTime(async (world) => {
      const listed = [made(1n), { id: '2', name: 'Shop', type: 4, parent_id: null }, { id: '3', name: 'v', type: 2 }];
      const { store } = open(world, script(json(200, listed), json(404, { message: 'm', code: 10003 })));
      expect((await store.channels()).map(({ id, kind, topic }) => [id, kind, topic])).toEqual([
        ['1', 'text', 'collection 5'],
        ['2', 'category', ''],
        ['3', 'other', ''],
      ]);
      await store.deleteChannel('1');
    }),
  );
});

describe('remove', () => {
  const DAY = 24 * 3600 * 1000;

  test(
    'bulk where it can, single where it must',
    inVirtualTime(async (world) => {
      const now = world.clock.now();
      const young = Array.from({ length: 201 }, (_, index) => snowflakeAt(now - DAY) + BigInt(index));
      const old = [snowflakeAt(now - 15 * DAY), snowflakeAt(now - 14 * DAY + 60_000)];
      const { store, seen } = open(world, script(json(204, undefined)));
      await store.remove('1', [...old, ...young, young[0]!]);
      const bulks = seen.filter(({ method }) => method === 'POST').map((entry) => payload(entry).messages as string[]);
      expect(bulks.map((ids) => ids.length)).toEqual([100, 100]);
      const singles = seen
        .filter(({ method }) => method === 'DELETE')
        .map(({ path }) => BigInt(path.split('/').at(-1)!));
      expect(singles.sort()).toEqual([...old, young[200]!].sort());
      expect(Object.keys(store.metrics().requests).sort()).toEqual([
        'DELETE /channels/:id/messages/:message old',
        'DELETE /channels/:id/messages/:message settled',
        'POST /channels/:id/messages/bulk-delete',
      ]);
    }),
  );

  test(
    'falls back to single deletes when Discord thinks them too old, and takes gone for done',
    inVirtualTime(async (world) => {
      const ids = [snowflakeAt(world.clock.now()), snowflakeAt(world.clock.now()) + 1n];
      const { store, seen } = open(
        world,
        script(json(400, { message: 'too old', code: 50034 }), json(404, { message: 'm', code: 10008 })),
      );
      await store.remove('1', ids);
      expect(seen.map(({ method }) => method).sort()).toEqual(['DELETE', 'DELETE', 'POST']);
    }),
  );

  test(
    'of nothing sends nothing',
    inVirtualTime(async (world) => {
      const { store, seen } = open(world, script(json(204, undefined)));
      await store.remove('1', []);
      expect(seen).toHaveLength(0);
    }),
  );
});

test(
  'close ends what is under way, what waits, and what comes',
  inVirtualTime(async (world) => {
    const { store } = open(world, never);
    const results = Promise.allSettled([
      store.append('1', () => draft),
      store.append('1', () => draft),
      store.read('2', 5n, 'read'),
      store.download(
        '1',
        { id: 5n, content: '', authorId: BOT, attachments: [] },
        { name: 'a', size: 1, url: 'https://cdn.test/a' },
        'read',
      ),
    ]);
    await sleep(world.clock, 100);
    await store.close();
    for (const result of await results) expect(result).toEqual({ status: 'rejected', reason: code('closed') });
    await expect(store.channels()).rejects.toBeInstanceOf(StoreError);
  }),
);

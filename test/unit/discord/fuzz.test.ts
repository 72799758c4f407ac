import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Bot } from '../../../src/discord/bot.ts';
import { ChannelStore } from '../../../src/discord/channel-store.ts';
import { InvalidRequests } from '../../../src/discord/invalid-requests.ts';
import { Rest } from '../../../src/discord/rest.ts';
import { Swarm } from '../../../src/discord/swarm.ts';
import type { TransportReply } from '../../../src/discord/transport.ts';
import { type Store, StoreError } from '../../../src/store/index.ts';
import { API, fakeTransport, inVirtualTime, json, message, type Seen, TOKEN, type World } from './fake-discord.ts';

const GUILD = '900';
const RUNS = 1000;
/** After so many strange answers every one is as it should be. */
const STRANGE_MAX = 3;

const headers = { 'x-ratelimit-limit': '5', 'x-ratelimit-remaining': '4', 'x-ratelimit-reset-after': '1.000' };
const file = { id: '5', filename: 'a.bin', size: 3, url: 'https://cdn.test/a?ex=ffffffff&is=0&hm=0' };
const overwrite = { id: GUILD, type: 0, allow: '0', deny: '1024' };
const channel = { id: '7', name: 'a', type: 0, parent_id: '6', topic: 't', permission_overwrites: [overwrite] };

/** What Discord says to each request of a store. */
function sound({ method, path }: Seen): TransportReply {
  if (path.startsWith('https://cdn.test')) return { status: 200, headers: {}, body: Uint8Array.of(1, 2, 3) };
  if (method === 'DELETE' || path.endsWith('bulk-delete')) return json(204, undefined, headers);
  if (path.includes('/messages?')) return json(200, [message(9n), message(8n, 'x', '42', [file])], headers);
  if (path.includes('/messages')) return json(200, message(9n, 'a record', '42', [file]), headers);
  if (path.endsWith('/channels')) return json(method === 'GET' ? 200 : 201, method === 'GET' ? [channel] : channel);
  return json(200, {}, headers);
}

/** One request of each kind. */
const REQUESTS: Readonly<Record<string, (store: Store) => Promise<unknown>>> = {
  channels: (store) => store.channels(),
  createChannel: (store) => store.createChannel({ name: 'a', kind: 'text', parentId: '6', topic: 't' }),
  deleteChannel: (store) => store.deleteChannel('7'),
  append: (store) => store.append('7', () => ({ content: 'a record', files: [], nonce: 'n' })),
  page: (store) => store.pageBefore('7', undefined, 100, 'read'),
  read: (store) => store.read('7', 9n, 'read'),
  remove: (store) => store.remove('7', [1n, 2n]),
  download: async (store) => {
    const link = { name: 'a.bin', size: 3, url: file.url };
    return store.download('7', { id: 8n, content: '', attachments: [link], authorId: '42' }, link, 'read');
  },
};

const junk = fc.oneof(
  fc.jsonValue(),
  fc.constantFrom<unknown>(
    null,
    '',
    'abc',
    'abc',
    -1,
    1e300,
    '99999999999999999999999',
    [],
    {},
    [null],
    '\u0000',
    true,
  ),
);
/** Changes one value somewhere in a JSON document, or takes it out. */
const mutation = fc.record({ at: fc.nat(20), with: fc.option(junk, { nil: undefined }) });

function mutated(value: unknown, change: { at: number; with: unknown }): unknown {
  let left = change.at;
  const visit = (node: unknown): unknown => {
    if (left-- === 0) return change.with;
    if (Array.isArray(node)) return node.map(visit).filter((item) => item !== undefined);
    if (typeof node !== 'object' || node === null) return node;
    return Object.fromEntries(Object.entries(node).map(([name, item]) => [name, visit(item)]));
  };
  return visit(value);
}

const status = fc.constantFrom(200, 201, 204, 301, 400, 401, 403, 404, 408, 413, 429, 500, 502, 520);
const strange = fc.oneof(
  mutation.map((change) => (reply: TransportReply) => ({ ...reply, body: encode(mutated(decode(reply), change)) })),
  fc.nat(200).map((length) => (reply: TransportReply) => ({ ...reply, body: reply.body.subarray(0, length) })),
  fc.uint8Array({ maxLength: 60 }).map((body) => (reply: TransportReply) => ({ ...reply, body })),
  fc.tuple(status, junk).map(([code, body]) => (reply: TransportReply) => ({
    ...reply,
    status: code,
    body: encode(body),
  })),
  fc
    .tuple(fc.constantFrom(...Object.keys(headers), 'retry-after', 'x-ratelimit-bucket'), fc.string())
    .map(([name, text]) => (reply: TransportReply) => ({ ...reply, headers: { ...reply.headers, [name]: text } })),
);

function decode({ body }: TransportReply): unknown {
  return body.length === 0 ? undefined : JSON.parse(new TextDecoder().decode(body));
}

function encode(value: unknown): Uint8Array {
  return new TextEncoder().encode(value === undefined ? '' : JSON.stringify(value));
}

function open(world: World, answer: (seen: Seen) => TransportReply): Store {
  const { transport } = fakeTransport(world, 20, answer);
  const invalidRequests = new InvalidRequests(world.env.clock);
  const bots = ['42', '44'].map((userId) => {
    const { env } = world;
    const rest = new Rest({ transport, apiUrl: API, token: TOKEN, env, limits: 'discord', invalidRequests });
    return new Bot(TOKEN, rest, { userId, applicationId: '43' });
  });
  const swarm = new Swarm(world.env, [GUILD], bots);
  const release = async () => {};
  return new ChannelStore({ env: world.env, swarm, guildIds: [GUILD], gateway: undefined, release });
}

test.each(Object.keys(REQUESTS))('whatever Discord answers to %s, it ends, or throws a StoreError', async (name) => {
  const answers = fc.array(strange, { minLength: 1, maxLength: STRANGE_MAX });
  let ended = 0;
  await fc.assert(
    fc.asyncProperty(answers, async (changes) => {
      await inVirtualTime(async (world) => {
        const left = [...changes];
        const store = open(world, (seen) => left.shift()?.(sound(seen)) ?? sound(seen));
        try {
          await REQUESTS[name]!(store);
          ended++;
        } catch (error) {
          expect(error).toBeInstanceOf(StoreError);
          expect((error as StoreError).message).not.toContain(TOKEN);
        }
        await store.close();
      })();
    }),
    { numRuns: RUNS },
  );
  expect(ended).toBeGreaterThan(20);
});

import { beforeEach, describe, expect, it } from 'vitest';
import { Limiter } from '../../../src/emulator/limiter.ts';
import { type Answer, Fixture } from './fixture.ts';

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

let discord: Fixture;
let channel: string;

beforeEach(async () => {
  discord = await Fixture.open('discord');
  channel = await discord.channel();
});

const post = (id = channel, token?: string) => discord.post(`/channels/${id}/messages`, { content: 'x' }, token);

/** How many of `count` requests in a row are let through. */
async function burst(count: number, send: () => Promise<Answer>): Promise<number> {
  let passed = 0;
  for (let n = 0; n < count; n++) if ((await send()).status < 300) passed++;
  return passed;
}

/** A new message, with time for the counters of making it to fill up again. */
async function settled(count: number): Promise<string[]> {
  const ids: string[] = [];
  for (let n = 0; n < count; n++) {
    ids.push(await discord.message(channel));
    await discord.clock.advance(1000);
  }
  return ids;
}

describe('the limit of a route', () => {
  it('shows in headers on both sides of it', async () => {
    const first = await post();
    expect(first.headers).toMatchObject({
      'x-ratelimit-limit': '5',
      'x-ratelimit-remaining': '4',
      'x-ratelimit-reset': '1767225601.000',
      'x-ratelimit-reset-after': '1.000',
      'x-ratelimit-bucket': expect.stringMatching(/^[0-9a-f]{32}$/),
      via: '1.1 google',
    });
    await burst(4, post);
    const refused = await post();
    expect(refused).toMatchObject({
      status: 429,
      headers: { 'retry-after': '1', 'x-ratelimit-scope': 'user', 'x-ratelimit-remaining': '0', via: '1.1 google' },
      body: { message: 'You are being rate limited.', retry_after: 1, global: false },
    });
    await discord.clock.advance(999);
    expect((await post()).body.retry_after).toBe(0.001);
    await discord.clock.advance(1);
    expect((await post()).status).toBe(200);
    expect((await post()).status).toBe(429);
  });

  it('is counted for each channel and each bot', async () => {
    const other = await discord.emulator.landlord.addBot();
    const second = await discord.channel();
    expect(await burst(6, post)).toBe(5);
    expect(await burst(6, () => post(second))).toBe(5);
    expect(await burst(6, () => post(channel, other.token))).toBe(5);
    const hash = async (id: string) => (await post(id)).headers['x-ratelimit-bucket'];
    expect(await hash(channel)).toBe(await hash(second));
  });

  it.each([
    ['listing messages', 5, () => discord.get(`/channels/${channel}/messages`)],
    ['editing a channel', 5, () => discord.patch(`/channels/${channel}`, { nsfw: false })],
    ['overwrites', 10, () => discord.put(`/channels/${channel}/permissions/1`, { type: 1 })],
  ])('%s', async (_name, limit, send) => {
    expect(await burst(limit + 2, send)).toBe(limit);
  });

  it('on a fixed window comes back all at once', async () => {
    const edit = () => discord.patch(`/channels/${channel}`, { nsfw: false });
    await burst(6, edit);
    await discord.clock.advance(14_999);
    expect(await burst(1, edit)).toBe(0);
    await discord.clock.advance(1);
    expect(await burst(6, edit)).toBe(5);
  });

  it('of reading one message counts unknown ones too', async () => {
    const answers = [];
    for (let n = 0; n < 6; n++) answers.push((await discord.get(`/channels/${channel}/messages/1`)).status);
    expect(answers).toEqual([404, 404, 404, 404, 404, 429]);
  });

  it('of making channels is the global one alone, and sends no headers', async () => {
    const { headers } = await discord.post(`/guilds/${discord.guildId}/channels`, { name: 'a' });
    expect(Object.keys(headers).filter((name) => name.startsWith('x-ratelimit'))).toEqual([]);
  });
});

describe('the hidden limits', () => {
  it('let a name or topic change twice in ten minutes', async () => {
    const rename = () => discord.patch(`/channels/${channel}`, { topic: 't' });
    expect(await burst(2, rename)).toBe(2);
    const refused = await rename();
    expect(refused).toMatchObject({ status: 429, headers: { 'x-ratelimit-remaining': '2', 'retry-after': '600' } });
    expect((await discord.patch(`/channels/${channel}`, { nsfw: true })).status).toBe(200);
    await discord.clock.advance(10 * MINUTE);
    expect(await burst(3, rename)).toBe(2);
  });

  it('let messages older than an hour be edited three times in six seconds', async () => {
    const id = await discord.message(channel);
    const edit = () => discord.patch(`/channels/${channel}/messages/${id}`, { content: 'y' });
    await discord.clock.advance(60 * MINUTE);
    expect(await burst(6, edit)).toBe(5);
    await discord.clock.advance(10_000);
    expect(await burst(3, edit)).toBe(3);
    expect(await edit()).toMatchObject({ status: 429, body: { code: 30046, retry_after: 2 } });
  });

  it('count what all bots write to a channel together', async () => {
    let passed = 0;
    const newcomer = async () => (await discord.emulator.landlord.addBot()).token;
    for (let n = 0; n < 5; n++) {
      const token = await newcomer();
      passed += await burst(5, () => post(channel, token));
    }
    const last = await post(channel, await newcomer());
    expect(passed).toBe(25);
    expect(last).toMatchObject({
      status: 429,
      headers: { 'x-ratelimit-scope': 'shared', 'x-ratelimit-remaining': '4' },
      body: { code: 20028 },
    });
  });
});

describe('deletes', () => {
  const remove = (id: string) => discord.delete(`/channels/${channel}/messages/${id}`);

  it('count by the age of the message, each class under a hash of its own', async () => {
    const ids = await settled(12);
    const hashes = new Set<string | undefined>();
    const fresh = await remove(ids[11]!);
    expect(fresh.headers['x-ratelimit-limit']).toBe('5');
    hashes.add(fresh.headers['x-ratelimit-bucket']);
    const aged = await remove(ids[0]!);
    expect(aged.headers['x-ratelimit-limit']).toBe('3');
    hashes.add(aged.headers['x-ratelimit-bucket']);
    await discord.clock.advance(14 * DAY + 1);
    const old = await remove(ids[1]!);
    expect(old.headers['x-ratelimit-limit']).toBe('30');
    hashes.add(old.headers['x-ratelimit-bucket']);
    expect(hashes.size).toBe(3);
    const gone = await remove(ids[1]!);
    expect([gone.status, gone.headers['x-ratelimit-limit']]).toEqual([404, '5']);
  });

  it('of 10 s to 14 days run at three a second', async () => {
    const ids = await settled(8);
    await discord.clock.advance(10_000);
    expect(await burst(4, () => remove(ids.pop()!))).toBe(3);
  });

  it('in bulk run at one in three seconds', async () => {
    const ids = await settled(6);
    const bulk = () => discord.post(`/channels/${channel}/messages/bulk-delete`, { messages: ids.splice(0, 2) });
    expect(await burst(2, bulk)).toBe(1);
    await discord.clock.advance(3000);
    expect(await burst(1, bulk)).toBe(1);
  });
});

describe('the global limit', () => {
  it('is 50 in a second for a bot, whatever the route', async () => {
    const { token } = await discord.emulator.landlord.addBot();
    const me = () => discord.get('/users/@me');
    await discord.clock.advance(1000);
    expect(await burst(51, me)).toBe(50);
    const refused = await me();
    expect(refused).toMatchObject({
      status: 429,
      headers: { 'x-ratelimit-global': 'true', 'x-ratelimit-scope': 'global', 'retry-after': '1' },
      body: { global: true, retry_after: 1 },
    });
    expect(refused.headers['x-ratelimit-limit']).toBeUndefined();
    expect((await discord.get('/users/@me', token)).status).toBe(200);
    await discord.clock.advance(1000);
    expect(await burst(51, me)).toBe(50);
  });
});

describe('the ban of an address', () => {
  it('follows 10,000 refused requests in ten minutes', async () => {
    for (let n = 0; n < 9_999; n++) await discord.get('/users/@me', 'wrong');
    expect((await discord.get('/users/@me')).status).toBe(200);
    await discord.get('/users/@me', 'wrong');
    const banned = await discord.get('/users/@me');
    expect([banned.status, Buffer.from(banned.bytes).toString()]).toEqual([429, 'error code: 1015']);
    expect(banned.headers.via).toBeUndefined();
    await discord.clock.advance(DAY);
    expect((await discord.get('/users/@me')).status).toBe(200);
  });

  it('does not count what comes slowly, nor shared limits', async () => {
    const limiter = new Limiter(discord.clock, 'discord');
    const refuse = (count: number, scope?: 'shared') => {
      for (let n = 0; n < count; n++) limiter.countInvalid('a', 429, scope);
    };
    refuse(20_000, 'shared');
    refuse(9_999);
    expect(limiter.isBanned('a')).toBe(false);
    await discord.clock.advance(10 * MINUTE);
    refuse(9_999);
    expect(limiter.isBanned('a')).toBe(false);
    refuse(1);
    expect([limiter.isBanned('a'), limiter.isBanned('b')]).toEqual([true, false]);
  });
});

it('sends no headers and refuses nothing when limits are off', async () => {
  await discord.put('/_emulator/limits', { mode: 'off' });
  expect(await burst(200, post)).toBe(200);
  expect(Object.keys((await post()).headers).filter((name) => name.includes('ratelimit'))).toEqual([]);
  await discord.put('/_emulator/limits', { mode: 'discord' });
  expect(await burst(6, post)).toBe(5);
  expect(await discord.put('/_emulator/limits', { mode: 'on' })).toMatchObject({ status: 400 });
});

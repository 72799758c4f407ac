import { beforeEach, describe, expect, it } from 'vitest';
import { LostReplyError } from '../../../src/emulator/types.ts';
import { Fixture } from './fixture.ts';

const POST_ROUTE = 'POST /channels/:id/messages';

let discord: Fixture;
let channel: string;

beforeEach(async () => {
  discord = await Fixture.open();
  channel = await discord.channel();
});

const post = () => discord.post(`/channels/${channel}/messages`, { content: 'x' });
const arm = (...faults: object[]) => discord.put('/_emulator/faults', faults);
const stored = () => discord.emulator.messageCount(channel);

describe('faults', () => {
  it('lose a reply after the work is done', async () => {
    await arm({ kind: 'lose-reply', route: POST_ROUTE, times: 1 });
    await expect(post()).rejects.toBeInstanceOf(LostReplyError);
    expect(stored()).toBe(1);
    expect((await post()).status).toBe(200);
  });

  it.each([
    ['error-before', 502, 0],
    ['error-after', 500, 1],
  ])('fail with %s', async (kind, status, kept) => {
    await arm({ kind, status, times: 1 });
    const { body, status: shown } = await post();
    expect([shown, body.code]).toEqual([status, 0]);
    expect(stored()).toBe(kept);
  });

  it.each([
    ['user', false],
    ['global', true],
    ['shared', false],
  ])('limit the rate with scope %s', async (scope, global) => {
    await arm({ kind: 'rate-limit', scope, ms: 2500, times: 1 });
    expect(await post()).toMatchObject({
      status: 429,
      headers: { 'x-ratelimit-scope': scope, 'retry-after': '3' },
      body: { retry_after: 2.5, global },
    });
    expect(stored()).toBe(0);
  });

  it('show the page of Cloudflare', async () => {
    await arm({ kind: 'cloudflare', times: 1 });
    const { status, headers } = await post();
    expect([status, headers.via, headers['x-ratelimit-scope']]).toEqual([429, undefined, undefined]);
  });

  it('take their time', async () => {
    await arm({ kind: 'latency', ms: 700 });
    const start = discord.clock.now();
    await discord.clock.run(post());
    expect(discord.clock.now() - start).toBe(700);
  });

  it('come every n-th time, on their route, and as often as they are told', async () => {
    await arm({ kind: 'error-before', route: POST_ROUTE, every: 3, times: 2 });
    const statuses = [];
    for (let n = 0; n < 12; n++) statuses.push((await post()).status);
    expect(statuses).toEqual([200, 200, 500, 200, 200, 500, 200, 200, 200, 200, 200, 200]);
    expect((await discord.get('/_emulator/faults')).list).toMatchObject([{ every: 3, times: 2, used: 2 }]);
    expect((await discord.get('/users/@me')).status).toBe(200);
  });

  it('come by chance', async () => {
    await arm({ kind: 'error-before', probability: 0.5 });
    const statuses = [];
    for (let n = 0; n < 200; n++) statuses.push((await post()).status);
    const failed = statuses.filter((status) => status === 500).length;
    expect(failed).toBeGreaterThan(60);
    expect(failed).toBeLessThan(140);
  });

  it('of the CDN break downloads', async () => {
    const { body } = await discord.upload(channel, {}, [{ name: 'a', bytes: Buffer.from('a') }]);
    const download = () => discord.get(body.attachments[0]!.url.replace('http://cdn.test', ''));
    await arm(
      { kind: 'error-before', route: 'cdn', status: 503, times: 1 },
      { kind: 'lose-reply', route: 'cdn', times: 1 },
    );
    expect((await download()).status).toBe(503);
    await expect(download()).rejects.toBeInstanceOf(LostReplyError);
    expect((await download()).status).toBe(200);
  });

  it('of the gateway wait for the gateway', async () => {
    await arm({ kind: 'gateway-drop', times: 1 });
    expect((await post()).status).toBe(200);
    expect([1, 2].map(() => discord.emulator.takeGatewayFault('gateway-drop'))).toEqual([true, false]);
  });

  it.each([
    [[{ kind: 'nonsense' }]],
    [[{}]],
    [[{ kind: 'latency', every: 0 }]],
    [[{ kind: 'latency', probability: 2 }]],
    [{ kind: 'latency' }],
  ])('are refused when they are wrong: %j', async (faults) => {
    expect(await discord.put('/_emulator/faults', faults)).toMatchObject({ status: 400, body: { code: 50035 } });
  });
});

describe('statistics', () => {
  it('count requests by route, refusals and downloads', async () => {
    await discord.delete('/_emulator/stats');
    const { body } = await discord.upload(channel, {}, [{ name: 'a', bytes: Buffer.from('a') }]);
    await post();
    await discord.get(`/channels/${channel}/messages/${body.id}`);
    await discord.get(body.attachments[0]!.url.replace('http://cdn.test', ''));
    await discord.get('/no/such/route');
    await arm({ kind: 'rate-limit', times: 1 });
    await post();
    expect((await discord.get('/_emulator/stats')).body).toEqual({
      requests: {
        'GET /channels/:id/messages/:id': 1,
        'POST /channels/:id/messages': 3,
        'unknown route': 1,
      },
      total: 5,
      limited: 1,
      cdn: 1,
    });
    expect((await discord.delete('/_emulator/stats')).body).toEqual({ requests: {}, total: 0, limited: 0, cdn: 0 });
  });

  it('and the rest of /_emulator is not there', async () => {
    expect((await discord.get('/_emulator/nothing')).status).toBe(404);
  });
});

describe('bots', () => {
  it('are added and changed over HTTP', async () => {
    const made = await discord.post('/_emulator/bots', {
      username: 'second',
      permissions: '1024',
      message_content: false,
    });
    const token = String(made.body.token);
    expect((await discord.get('/users/@me', token)).body.username).toBe('second');
    const path = `/channels/${channel}/messages`;
    const everyone = await discord.post(path, { content: 'x' }, token);
    expect(everyone.status).toBe(200);
    expect(await discord.delete(`/channels/${channel}`, token)).toMatchObject({ body: { code: 50013 } });
    await discord.patch('/_emulator/bots', { id: made.body.id, guild_id: discord.guildId, permissions: '16' });
    expect((await discord.delete(`/channels/${channel}`, token)).status).toBe(200);
  });

  it('join guilds and are thrown out of them', async () => {
    const { landlord } = discord.emulator;
    const guild = await landlord.addGuild('Second');
    expect((await discord.get(`/guilds/${guild.id}`)).status).toBe(404);
    await landlord.invite(discord.botId, guild.id);
    expect((await discord.get(`/guilds/${guild.id}`)).body.name).toBe('Second');
    await landlord.kick(discord.botId, guild.id);
    expect((await discord.get(`/guilds/${guild.id}`)).status).toBe(404);
    expect(discord.events.slice(-2).map(({ type }) => type)).toEqual(['GUILD_CREATE', 'GUILD_DELETE']);
  });
});

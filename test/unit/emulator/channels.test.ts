import { beforeEach, describe, expect, it } from 'vitest';
import { PERMISSION } from '../../../src/emulator/permissions.ts';
import { Fixture } from './fixture.ts';

let discord: Fixture;

beforeEach(async () => {
  discord = await Fixture.open();
});

const create = (fields: object) => discord.post(`/guilds/${discord.guildId}/channels`, fields);
const list = async () => (await discord.get(`/guilds/${discord.guildId}/channels`)).list;

describe('channels', () => {
  it('are made, listed, read, changed and deleted, and each is told of', async () => {
    const { status, body } = await create({ name: 'log', topic: 't', type: 0 });
    expect(status).toBe(201);
    expect(body).toMatchObject({ type: 0, name: 'log', topic: 't', parent_id: null, guild_id: discord.guildId });
    expect(await list()).toEqual([body]);
    expect((await discord.get(`/channels/${body.id}`)).body).toEqual(body);
    const changed = await discord.patch(`/channels/${body.id}`, { name: 'New Log', topic: null });
    expect(changed.body).toMatchObject({ name: 'new-log', topic: null });
    const deleted = await discord.delete(`/channels/${body.id}`);
    expect(deleted).toMatchObject({ status: 200, body: { id: body.id } });
    expect(await discord.get(`/channels/${body.id}`)).toMatchObject({ status: 404, body: { code: 10003 } });
    expect(discord.events.map(({ type }) => type)).toEqual(['CHANNEL_CREATE', 'CHANNEL_UPDATE', 'CHANNEL_DELETE']);
    expect(discord.events[2]!.viewers).toEqual([discord.botId]);
  });

  it.each([
    ['My  Channel', 'my-channel'],
    ['a -- b', 'a-b'],
    ['a_b-9', 'a_b-9'],
    ['a!b"c.d/e', 'abcde'],
    ['\u00dcber', '\u00fcber'],
  ])('have their names rewritten: %s', async (sent, kept) => {
    expect((await create({ name: sent })).body.name).toBe(kept);
  });

  it('keep the names of categories', async () => {
    expect((await create({ name: 'My Base!', type: 4 })).body.name).toBe('My Base!');
  });

  it.each([
    ['name', {}, 'BASE_TYPE_REQUIRED'],
    ['name', { name: '' }, 'BASE_TYPE_BAD_LENGTH'],
    ['name', { name: 'n'.repeat(101) }, 'BASE_TYPE_BAD_LENGTH'],
    ['topic', { name: 'a', topic: 't'.repeat(1025) }, 'BASE_TYPE_MAX_LENGTH'],
    ['type', { name: 'a', type: 11 }, 'BASE_TYPE_CHOICES'],
    ['parent_id', { name: 'a', parent_id: '1' }, 'CHANNEL_PARENT_INVALID'],
  ])('are refused for their %s: %o', async (field, fields, code) => {
    const { status, body } = await create(fields);
    expect([status, body.code, body.errors]).toMatchObject([400, 50035, { [field]: { _errors: [{ code }] } }]);
  });

  it('stop at 500 a guild, 50 categories, and 50 a category', async () => {
    const categories: string[] = [];
    for (let n = 0; n < 50; n++) categories.push((await create({ name: `c${n}`, type: 4 })).body.id);
    expect(await create({ name: 'c', type: 4 })).toMatchObject({ status: 400, body: { code: 30030 } });
    for (let n = 0; n < 50; n++) await discord.channel({ parent_id: categories[0] });
    expect((await create({ name: 'x', parent_id: categories[0] })).body.errors).toMatchObject({
      parent_id: { _errors: [{ code: 'CHANNEL_PARENT_MAX_CHANNELS' }] },
    });
    for (let n = 100; n < 500; n++) await discord.channel();
    expect(await create({ name: 'x' })).toMatchObject({ status: 400, body: { code: 30013 } });
    await discord.delete(`/channels/${categories[1]}`);
    expect((await create({ name: 'x' })).status).toBe(201);
  });

  it('lose their parent with it, and nothing else', async () => {
    const category = await discord.channel({ name: 'base', type: 4 });
    const child = await discord.channel({ parent_id: category });
    await discord.message(child);
    await discord.delete(`/channels/${category}`);
    expect((await discord.get(`/channels/${child}`)).body.parent_id).toBeNull();
    expect((await discord.get(`/channels/${child}/messages`)).list).toHaveLength(1);
    expect(discord.events.slice(-2).map(({ type }) => type)).toEqual(['CHANNEL_DELETE', 'CHANNEL_UPDATE']);
  });

  it('have the overwrites of their category unless they bring their own', async () => {
    const overwrites = [{ id: discord.guildId, type: 0, allow: '0', deny: '2048' }];
    const category = await discord.channel({ type: 4, permission_overwrites: overwrites });
    const { body } = await create({ name: 'a', parent_id: category });
    expect(body.permission_overwrites).toEqual(overwrites);
    const own = await create({ name: 'a', parent_id: category, permission_overwrites: [] });
    expect(own.body.permission_overwrites).toEqual([]);
  });

  it('change places together, but only one its parent', async () => {
    const category = await discord.channel({ type: 4 });
    const [a, b] = [await discord.channel(), await discord.channel()];
    const move = (moves: object[]) => discord.patch(`/guilds/${discord.guildId}/channels`, moves);
    const both = await move([
      { id: a, parent_id: category },
      { id: b, parent_id: category },
    ]);
    expect(both).toMatchObject({ status: 400, body: { code: 40009 } });
    expect(
      (
        await move([
          { id: a, position: 7, parent_id: category },
          { id: b, position: 3 },
        ])
      ).status,
    ).toBe(204);
    expect((await discord.get(`/channels/${a}`)).body).toMatchObject({ position: 7, parent_id: category });
  });

  it('keep last_message_id when that message is gone', async () => {
    const channel = await discord.channel();
    const id = await discord.message(channel);
    await discord.delete(`/channels/${channel}/messages/${id}`);
    expect((await discord.get(`/channels/${channel}`)).body.last_message_id).toBe(id);
  });

  it('that hold no messages say so', async () => {
    const category = await discord.channel({ type: 4 });
    expect(await discord.post(`/channels/${category}/messages`, { content: 'x' })).toMatchObject({
      body: { code: 50024 },
    });
  });
});

describe('permissions', () => {
  const deny = (bits: bigint, id = discord.guildId, type = 0) => ({ id, type, deny: String(bits), allow: '0' });

  it('make a channel private to the bot that made it', async () => {
    const other = await discord.emulator.landlord.addBot();
    const own = { id: discord.botId, type: 1, allow: String(PERMISSION.viewChannel) };
    const channel = await discord.channel({ permission_overwrites: [deny(PERMISSION.viewChannel), own] });
    expect((await discord.get(`/channels/${channel}`)).status).toBe(200);
    expect(await discord.get(`/channels/${channel}`, other.token)).toMatchObject({
      status: 403,
      body: { code: 50001 },
    });
    expect(discord.events.at(-1)!.viewers).toEqual([discord.botId]);
  });

  it('grant what the bot has, and no more', async () => {
    const grant = (bits: bigint) => ({ id: discord.guildId, type: 0, allow: String(bits) });
    expect(await create({ name: 'a', permission_overwrites: [grant(1n << 3n)] })).toMatchObject({
      body: { code: 50013 },
    });
    expect((await create({ name: 'a', permission_overwrites: [grant(PERMISSION.manageMessages)] })).status).toBe(201);
  });

  it.each([
    ['POST', 'guilds/G/channels', PERMISSION.manageChannels, { name: 'x' }],
    ['PATCH', 'channels/C', PERMISSION.manageChannels, { name: 'x' }],
    ['DELETE', 'channels/C', PERMISSION.manageChannels, undefined],
    ['PUT', 'channels/C/permissions/1', PERMISSION.manageRoles, { type: 0 }],
  ])('are asked for by %s %s', async (method, path, bit, body) => {
    const channel = await discord.channel();
    const all = discord.emulator.guildPermissions(discord.botId, discord.guildId);
    await discord.emulator.landlord.setPermissions(discord.botId, discord.guildId, all & ~bit);
    const full = `/${path.replace('G', discord.guildId).replace('C', channel)}`;
    expect(await discord.request(method, full, body)).toMatchObject({ status: 403, body: { code: 50013 } });
    await discord.emulator.landlord.setPermissions(discord.botId, discord.guildId, all);
    expect((await discord.request(method, full, body)).status).toBeLessThan(300);
  });

  it('go from @everyone over roles to the member, and ADMINISTRATOR over all', async () => {
    const channel = await discord.channel();
    const path = `/channels/${channel}/permissions`;
    const sends = async () => (await discord.post(`/channels/${channel}/messages`, { content: 'x' })).status === 200;
    const { body: guild } = await discord.get(`/guilds/${discord.guildId}`);
    const roles = guild.roles as { id: string; managed: boolean }[];
    const role = roles.find(({ managed }) => managed)!.id;
    const bits = String(PERMISSION.sendMessages);
    await discord.put(`${path}/${discord.guildId}`, { type: 0, deny: bits });
    expect(await sends()).toBe(false);
    await discord.put(`${path}/${role}`, { type: 0, allow: bits });
    expect(await sends()).toBe(true);
    await discord.put(`${path}/${discord.botId}`, { type: 1, deny: bits });
    expect(await sends()).toBe(false);
    await discord.emulator.landlord.setPermissions(discord.botId, discord.guildId, PERMISSION.administrator);
    expect(await sends()).toBe(true);
    expect((await discord.delete(`${path}/${discord.botId}`)).status).toBe(204);
    expect(await discord.delete(`${path}/${discord.botId}`)).toMatchObject({ status: 404, body: { code: 10009 } });
  });
});

describe('who is asking', () => {
  it('needs a token that is good', async () => {
    const wrong = await discord.get('/users/@me', 'nope');
    expect(wrong).toMatchObject({ status: 401, body: { message: '401: Unauthorized', code: 0 } });
    const fresh = await discord.emulator.landlord.resetToken(discord.botId);
    expect((await discord.get('/users/@me')).status).toBe(401);
    expect((await discord.get('/users/@me', fresh)).body.id).toBe(discord.botId);
  });

  it('needs a user agent', async () => {
    const silent = await discord.request('GET', '/users/@me', undefined, { 'user-agent': '' });
    expect(silent).toMatchObject({ status: 403, body: { code: 40333 } });
  });

  it.each([
    ['GET', '/nothing', 404, { message: '404: Not Found', code: 0 }],
    ['PUT', '/users/@me', 405, { message: '405: Method Not Allowed', code: 0 }],
    ['GET', '/api/v5/users/@me', 400, { code: 50041 }],
    ['GET', '/channels/abc', 400, { code: 50035 }],
    ['GET', '/guilds/1', 404, { code: 10004 }],
    ['GET', '/users/1', 404, { code: 10013 }],
  ])('%s %s gets %i', async (method, path, status, body) => {
    expect(await discord.request(method, path)).toMatchObject({ status, body });
  });

  it('reads itself, its application, its guilds and their members', async () => {
    expect((await discord.get('/users/@me')).body).toMatchObject({ id: discord.botId, bot: true });
    expect((await discord.get('/applications/@me')).body).toMatchObject({ flags: 1 << 18 });
    expect((await discord.get('/users/@me/guilds')).list).toMatchObject([{ id: discord.guildId }]);
    const member = await discord.get(`/guilds/${discord.guildId}/members/${discord.botId}`);
    expect(member.body).toMatchObject({ user: { id: discord.botId }, roles: [expect.any(String)] });
    expect(await discord.get(`/guilds/${discord.guildId}/members/1`)).toMatchObject({ body: { code: 10013 } });
    expect((await discord.get('/gateway/bot')).body).toMatchObject({
      url: 'ws://cdn.test',
      shards: 1,
      session_start_limit: { total: 1000 },
    });
  });
});

import { beforeEach, describe, expect, it } from 'vitest';
import { PERMISSION } from '../../../src/emulator/permissions.ts';
import { Fixture } from './fixture.ts';

const MINUTE = 60_000;

let discord: Fixture;
let channel: string;

beforeEach(async () => {
  discord = await Fixture.open();
  channel = await discord.channel();
});

const start = async (fields: object = {}) =>
  (await discord.post(`/channels/${channel}/threads`, { name: 't', type: 11, ...fields })).body.id;
const archived = async (id: string) => {
  const { body } = await discord.get(`/channels/${id}`);
  return (body.thread_metadata as { archived: boolean }).archived;
};

describe('threads', () => {
  it('from a message have its id, once', async () => {
    const message = await discord.message(channel);
    const path = `/channels/${channel}/messages/${message}`;
    const { status, body } = await discord.post(`${path}/threads`, { name: 'talk' });
    expect([status, body]).toMatchObject([201, { id: message, type: 11, parent_id: channel, owner_id: discord.botId }]);
    expect((await discord.get(path)).body).toMatchObject({ flags: 32, thread: { id: message } });
    expect(await discord.post(`${path}/threads`, { name: 'again' })).toMatchObject({
      status: 400,
      body: { code: 160004 },
    });
  });

  it('without a type are private; public ones are told of in the channel', async () => {
    const { body } = await discord.post(`/channels/${channel}/threads`, { name: 'secret' });
    expect(body.type).toBe(12);
    expect(discord.emulator.messageCount(channel)).toBe(0);
    await start();
    expect((await discord.get(`/channels/${channel}/messages`)).list).toMatchObject([{ type: 18, content: 't' }]);
    const other = await discord.emulator.landlord.addBot({ permissions: PERMISSION.viewChannel });
    expect((await discord.get(`/channels/${body.id}`, other.token)).body.code).toBe(50001);
  });

  it('are not among the channels, and do not count as such', async () => {
    const id = await start();
    expect((await discord.get(`/guilds/${discord.guildId}/channels`)).list.map((one) => one.id)).toEqual([channel]);
    const { body } = await discord.get(`/guilds/${discord.guildId}/threads/active`);
    expect(body).toMatchObject({ threads: [{ id }], members: [{ id, user_id: discord.botId }] });
  });

  it('fall asleep after their time, and a message wakes them', async () => {
    const id = await start({ auto_archive_duration: 60 });
    await discord.clock.advance(59 * MINUTE);
    const first = await discord.message(id);
    await discord.clock.advance(60 * MINUTE);
    expect(await archived(id)).toBe(false);
    await discord.clock.advance(1);
    expect(await archived(id)).toBe(true);
    const edit = await discord.patch(`/channels/${id}/messages/${first}`, { content: 'x' });
    expect(edit).toMatchObject({ status: 400, body: { code: 50083 } });
    expect((await discord.get(`/channels/${channel}/threads/archived/public`)).body).toMatchObject({
      threads: [{ id }],
    });
    await discord.message(id);
    expect(await archived(id)).toBe(false);
    expect(discord.events.slice(-2).map(({ type }) => type)).toEqual(['THREAD_UPDATE', 'MESSAGE_CREATE']);
  });

  it('that are put to sleep change only by waking', async () => {
    const id = await start();
    await discord.patch(`/channels/${id}`, { archived: true });
    expect(await discord.patch(`/channels/${id}`, { name: 'n' })).toMatchObject({ body: { code: 50083 } });
    expect((await discord.patch(`/channels/${id}`, { archived: false, name: 'n' })).body.name).toBe('n');
  });

  it('that are locked take words from those alone who manage threads', async () => {
    const id = await start();
    await discord.patch(`/channels/${id}`, { locked: true });
    const other = await discord.emulator.landlord.addBot({ permissions: PERMISSION.viewChannel });
    const post = (token?: string) => discord.post(`/channels/${id}/messages`, { content: 'x' }, token);
    expect(await post(other.token)).toMatchObject({ status: 403, body: { code: 160005 } });
    expect((await post()).status).toBe(200);
  });

  it('go with their channel', async () => {
    const id = await start();
    await discord.delete(`/channels/${channel}`);
    expect((await discord.get(`/channels/${id}`)).status).toBe(404);
  });

  it('are deleted and told of', async () => {
    const id = await start();
    expect((await discord.delete(`/channels/${id}`)).body.id).toBe(id);
    expect(discord.events.at(-1)).toMatchObject({ type: 'THREAD_DELETE', data: { id, parent_id: channel, type: 11 } });
  });

  it('are joined and left', async () => {
    const id = await start();
    const other = await discord.emulator.landlord.addBot();
    const member = `/channels/${id}/thread-members/@me`;
    expect((await discord.put(member, {}, other.token)).status).toBe(204);
    expect((await discord.get(`/channels/${id}`)).body.member_count).toBe(2);
    expect((await discord.delete(member, other.token)).status).toBe(204);
    expect((await discord.get(`/channels/${id}`)).body.member_count).toBe(1);
    expect(await discord.put(`/channels/${channel}/thread-members/@me`)).toMatchObject({ body: { code: 50024 } });
  });

  it('stop at a number that are awake', async () => {
    const type = 12;
    for (let n = 0; n < 1000; n++) await start({ type, auto_archive_duration: 60 });
    const path = `/channels/${channel}/threads`;
    expect(await discord.post(path, { name: 't', type })).toMatchObject({ status: 400, body: { code: 160006 } });
    await discord.clock.advance(60 * MINUTE + 1);
    expect((await discord.post(path, { name: 't', type })).status).toBe(201);
  });
});

describe('reactions', () => {
  const TICK = encodeURIComponent('\u2705');
  const path = (message: string) => `/channels/${channel}/messages/${message}/reactions/${TICK}`;

  it('are added once, listed and taken away', async () => {
    const message = await discord.message(channel);
    const other = await discord.emulator.landlord.addBot();
    expect((await discord.put(`${path(message)}/@me`)).status).toBe(204);
    await discord.put(`${path(message)}/@me`);
    await discord.put(`${path(message)}/@me`, {}, other.token);
    const shown = await discord.get(`/channels/${channel}/messages/${message}`);
    expect(shown.body.reactions).toMatchObject([{ count: 2, me: true, emoji: { id: null, name: '\u2705' } }]);
    expect((await discord.get(path(message))).list.map(({ id }) => id)).toEqual([discord.botId, other.userId]);
    await discord.delete(`${path(message)}/@me`);
    expect((await discord.get(path(message))).list.map(({ id }) => id)).toEqual([other.userId]);
    expect(discord.events.slice(-3).map(({ type }) => type)).toEqual([
      'MESSAGE_REACTION_ADD',
      'MESSAGE_REACTION_ADD',
      'MESSAGE_REACTION_REMOVE',
    ]);
  });

  it('are emoji', async () => {
    const message = await discord.message(channel);
    const wrong = await discord.put(`/channels/${channel}/messages/${message}/reactions/abc/@me`);
    expect(wrong).toMatchObject({ status: 400, body: { code: 10014 } });
  });
});

describe('pins', () => {
  it.each(['messages/pins', 'pins'])('are set and taken away under %s', async (path) => {
    const message = await discord.message(channel);
    expect((await discord.put(`/channels/${channel}/${path}/${message}`)).status).toBe(204);
    expect((await discord.get(`/channels/${channel}/pins`)).list).toMatchObject([{ id: message, pinned: true }]);
    expect((await discord.get(`/channels/${channel}/messages/pins`)).body).toMatchObject({
      items: [{ message: { id: message } }],
    });
    const [system] = (await discord.get(`/channels/${channel}/messages?limit=1`)).list;
    expect(system).toMatchObject({ type: 6, message_reference: { message_id: message } });
    const edit = await discord.patch(`/channels/${channel}/messages/${system!.id}`, { content: 'x' });
    expect(edit).toMatchObject({ status: 403, body: { code: 50021 } });
    expect((await discord.delete(`/channels/${channel}/${path}/${message}`)).status).toBe(204);
    expect((await discord.get(`/channels/${channel}/pins`)).list).toEqual([]);
  });

  it('stop at 250', async () => {
    for (let n = 0; n < 250; n++) await discord.put(`/channels/${channel}/pins/${await discord.message(channel)}`);
    const over = await discord.put(`/channels/${channel}/pins/${await discord.message(channel)}`);
    expect(over).toMatchObject({ status: 400, body: { code: 30003 } });
  });
});

it('says who is typing', async () => {
  expect((await discord.post(`/channels/${channel}/typing`)).status).toBe(204);
  expect(discord.events.at(-1)).toMatchObject({ type: 'TYPING_START', data: { user_id: discord.botId } });
});

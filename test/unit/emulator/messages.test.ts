import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { PERMISSION } from '../../../src/emulator/permissions.ts';
import { snowflakeAt } from '../../../src/emulator/snowflake.ts';
import { Fixture } from './fixture.ts';

const DAY = 24 * 60 * 60 * 1000;

let discord: Fixture;
let channel: string;

beforeEach(async () => {
  discord = await Fixture.open();
  channel = await discord.channel();
});

const create = (body: unknown, token?: string) => discord.post(`/channels/${channel}/messages`, body, token);
const fieldError = (field: string, code: string) => ({
  status: 400,
  body: { code: 50035, message: 'Invalid Form Body', errors: { [field]: { _errors: [{ code }] } } },
});

describe('a message', () => {
  it('is posted, read, edited and deleted, and each is told of', async () => {
    const { status, body: made } = await create({ content: ' hi ', nonce: 'n1' });
    expect(status).toBe(200);
    expect(made).toMatchObject({
      content: 'hi',
      channel_id: channel,
      nonce: 'n1',
      author: { id: discord.botId, bot: true },
      timestamp: '2026-01-01T00:00:00.000000+00:00',
      edited_timestamp: null,
    });
    const path = `/channels/${channel}/messages/${made.id}`;
    const { nonce: _, ...withoutNonce } = made;
    expect((await discord.get(path)).body).toEqual(withoutNonce);
    await discord.clock.advance(1500);
    const { body: edited } = await discord.patch(path, { content: 'ho' });
    expect(edited).toMatchObject({ content: 'ho', edited_timestamp: '2026-01-01T00:00:01.500000+00:00' });
    expect((await discord.delete(path)).status).toBe(204);
    expect(await discord.get(path)).toMatchObject({ status: 404, body: { code: 10008, message: 'Unknown Message' } });
    const told = discord.events.map(({ type, data }) => [type, data.id ?? data.ids]);
    expect(told).toEqual([
      ['CHANNEL_CREATE', channel],
      ['MESSAGE_CREATE', made.id],
      ['MESSAGE_UPDATE', made.id],
      ['MESSAGE_DELETE', made.id],
    ]);
    expect(discord.events[1]!.data).toMatchObject({
      nonce: 'n1',
      guild_id: discord.guildId,
      channel_type: 0,
      member: {},
    });
    expect(discord.events[3]!.data).toEqual({ id: made.id, channel_id: channel, guild_id: discord.guildId });
  });

  it.each([
    ['white space at the ends', ' \n\t a b \r\n', 'a b'],
    ['line ends and tabs within', 'a\r\n\tb', 'a\r\n\tb'],
    ['control characters', 'a\u0001\u0008\u007f\u0085b', 'ab'],
    ['NUL and ESC, which survive', 'a\u0000\u001bb', 'a\u0000\u001bb'],
    ['marks of direction', 'a\u202eb\u200f', 'ab'],
    ['a run of one combining mark', 'e\u0301\u0301\u0301', 'e\u0301'],
    ['printable ASCII, byte for byte', '{"a": "~!`\\u00e9"}', '{"a": "~!`\\u00e9"}'],
  ])('has its content cleaned of %s', async (_name, sent, kept) => {
    expect((await create({ content: sent })).body.content).toBe(kept);
  });

  it.each([
    ['2000 astral characters', '\u{1f600}'.repeat(2000), 200],
    ['2001 characters', 'x'.repeat(2001), 400],
  ])('counts code points: %s', async (_name, content, status) => {
    expect((await create({ content })).status).toBe(status);
  });

  it('names the second limit above 4000', async () => {
    const over = await create({ content: 'x'.repeat(4001) });
    expect(over.body).toMatchObject({
      errors: { content: { _errors: [{ code: 'BASE_TYPE_MAX_LENGTH', message: 'Must be 4000 or fewer in length.' }] } },
    });
  });

  it.each([
    ['nothing', {}],
    ['white space', { content: ' \n ' }],
    ['empty lists', { content: '', embeds: [], components: [] }],
  ])('may not be empty: %s', async (_name, body) => {
    expect(await create(body)).toMatchObject({ status: 400, body: { code: 50006 } });
  });

  it.each([
    ['content', { content: 5 }, 'STRING_TYPE_CONVERT'],
    ['nonce', { content: 'x', nonce: 'n'.repeat(26) }, 'BASE_TYPE_MAX_LENGTH'],
    ['tts', { content: 'x', tts: 'yes' }, 'BOOLEAN_TYPE_CONVERT'],
    ['flags', { content: 'x', flags: -1 }, 'NUMBER_TYPE_MIN'],
    ['embeds', { embeds: Array(11).fill({}) }, 'BASE_TYPE_MAX_LENGTH'],
    [
      'message_reference',
      { content: 'x', message_reference: { message_id: '1' } },
      'MESSAGE_REFERENCE_UNKNOWN_MESSAGE',
    ],
  ])('is refused for its %s', async (field, body, code) => {
    expect(await create(body)).toMatchObject(fieldError(field, code));
  });

  it('keeps the flags that a bot may set, and no others', async () => {
    const { body } = await create({ content: 'x', flags: 4 | 4096 | 1 });
    expect(body.flags).toBe(4 | 4096);
  });

  it('refuses JSON that is none, and a body of another type', async () => {
    const path = `/channels/${channel}/messages`;
    expect(await discord.request('POST', path, Buffer.from('{'))).toMatchObject({ status: 400, body: { code: 50109 } });
    const typed = await discord.request('POST', path, Buffer.from('x'), { 'content-type': 'text/plain' });
    expect(typed).toMatchObject({ status: 400, body: { code: 50035 } });
  });

  it('mentions whom allowed_mentions lets it', async () => {
    const content = `<@${discord.botId}> @everyone`;
    expect((await create({ content })).body).toMatchObject({
      mention_everyone: true,
      mentions: [{ id: discord.botId }],
    });
    const silent = await create({ content, allowed_mentions: { parse: [] } });
    expect(silent.body).toMatchObject({ mention_everyone: false, mentions: [] });
  });
});

describe('a nonce', () => {
  const body = { content: 'one', nonce: 'abc', enforce_nonce: true };

  it('returns the earlier message within its window, whatever the body, and a new one after it', async () => {
    const first = await create(body);
    const again = await create({ ...body, content: 'two' });
    expect(again.body).toMatchObject({ id: first.body.id, content: 'one', nonce: 'abc' });
    await discord.clock.advance(5 * 60_000 + 1);
    expect((await create(body)).body.id).not.toBe(first.body.id);
  });

  it('means nothing without enforce_nonce', async () => {
    const loose = { content: 'one', nonce: 'abc' };
    expect((await create(loose)).body.id).not.toBe((await create(loose)).body.id);
  });

  it('belongs to its author', async () => {
    const other = await discord.emulator.landlord.addBot();
    expect((await create(body)).body.id).not.toBe((await create(body, other.token)).body.id);
  });

  it('answers Unknown Message once its message is deleted', async () => {
    const { body: first } = await create(body);
    await discord.delete(`/channels/${channel}/messages/${first.id}`);
    expect(await create(body)).toMatchObject({ status: 404, body: { code: 10008 } });
  });

  it('holds between two uploads that arrive together', async () => {
    const files = [{ name: 'a.bin', bytes: Buffer.from('a') }];
    const [a, b] = await Promise.all([discord.upload(channel, body, files), discord.upload(channel, body, files)]);
    expect(a!.body.id).toBe(b!.body.id);
    expect(discord.emulator.messageCount(channel)).toBe(1);
  });
});

describe('a page of messages', () => {
  const ids: string[] = [];
  let pages: Fixture;
  let room: string;

  beforeAll(async () => {
    pages = await Fixture.open();
    room = await pages.channel();
    for (let n = 0; n < 120; n++) {
      ids.push(await pages.message(room, `m${n}`));
      if (n % 10 === 0) await pages.clock.advance(1);
    }
  });

  const page = async (query: string) => {
    const { status, list } = await pages.get(`/channels/${room}/messages${query}`);
    expect(status).toBe(200);
    return list.map((message) => ids.indexOf(message.id));
  };
  const down = (from: number, to: number) => Array.from({ length: from - to + 1 }, (_, n) => from - n);

  it.each([
    ['', down(119, 70)],
    ['?limit=100', down(119, 20)],
    ['?limit=1', [119]],
    ['?limit=3&before=$60', [59, 58, 57]],
    ['?limit=3&after=$60', [63, 62, 61]],
    ['?limit=3&after=0', [2, 1, 0]],
    ['?limit=3&after=000', [2, 1, 0]],
    ['?limit=3&before=0', []],
    ['?limit=3&before=$0', []],
    ['?limit=3&after=$119', []],
    ['?limit=3&after=18446744073709551615', []],
    ['?limit=2&before=18446744073709551615', [119, 118]],
    ['?limit=5&around=$60', down(62, 58)],
    ['?limit=4&around=$60', down(62, 58)],
    ['?limit=1&around=$60', [60]],
    ['?limit=5&around=$0', [2, 1, 0]],
  ])('%s', async (query, expected) => {
    expect(await page(query.replace(/\$(\d+)/, (_, n) => ids[Number(n)]!))).toEqual(expected);
  });

  it('takes ids of channels and of moments for cursors', async () => {
    expect(await page(`?limit=1&after=${room}`)).toEqual([0]);
    expect(await page(`?limit=1&before=${snowflakeAt(pages.clock.now() + DAY)}`)).toEqual([119]);
  });

  it.each([
    ['?limit=101', 'limit', 'NUMBER_TYPE_MAX'],
    ['?limit=0', 'limit', 'NUMBER_TYPE_MIN'],
    ['?limit=x', 'limit', 'NUMBER_TYPE_COERCE'],
    ['?before=x', 'before', 'NUMBER_TYPE_COERCE'],
    ['?after=-1', 'after', 'NUMBER_TYPE_COERCE'],
    ['?after=1&before=2', 'after', 'MUTUALLY_EXCLUSIVE'],
  ])('%s is refused', async (query, field, code) => {
    expect(await pages.get(`/channels/${room}/messages${query}`)).toMatchObject(fieldError(field, code));
  });

  it('is empty without READ_MESSAGE_HISTORY, and one message is refused', async () => {
    const bits = PERMISSION.readMessageHistory;
    await pages.put(`/channels/${room}/permissions/${pages.botId}`, { type: 1, deny: String(bits) });
    expect(await page('')).toEqual([]);
    expect(await pages.get(`/channels/${room}/messages/${ids[0]}`)).toMatchObject({
      status: 403,
      body: { code: 50013 },
    });
  });
});

describe('another bot', () => {
  it('sees blanks without MESSAGE_CONTENT, but its own and what mentions it whole', async () => {
    const other = await discord.emulator.landlord.addBot({ messageContent: false });
    const files = [{ name: 'a.txt', bytes: Buffer.from('a') }];
    const { body: hidden } = await discord.upload(channel, { content: 'secret', embeds: [{ title: 't' }] }, files);
    const see = async (id: string) => (await discord.get(`/channels/${channel}/messages/${id}`, other.token)).body;
    expect(await see(hidden.id)).toMatchObject({ content: '', attachments: [], embeds: [], components: [] });
    const mentioning = await discord.message(channel, `for <@${other.userId}>`);
    expect((await see(mentioning)).content).toBe(`for <@${other.userId}>`);
    const own = await create({ content: 'mine' }, other.token);
    expect((await see(own.body.id)).content).toBe('mine');
    await discord.emulator.landlord.setMessageContent(other.userId, true);
    expect((await see(hidden.id)).content).toBe('secret');
  });

  it('may not edit, and may delete with MANAGE_MESSAGES alone', async () => {
    const { viewChannel, readMessageHistory, sendMessages, manageMessages } = PERMISSION;
    const other = await discord.emulator.landlord.addBot({
      permissions: viewChannel | readMessageHistory | sendMessages,
    });
    const id = await discord.message(channel);
    const path = `/channels/${channel}/messages/${id}`;
    expect(await discord.patch(path, { content: 'x' }, other.token)).toMatchObject({
      status: 403,
      body: { code: 50005 },
    });
    expect(await discord.delete(path, other.token)).toMatchObject({ status: 403, body: { code: 50013 } });
    await discord.emulator.landlord.setPermissions(other.userId, discord.guildId, manageMessages);
    expect((await discord.patch(path, { flags: 4 }, other.token)).body.flags).toBe(4);
    expect((await discord.delete(path, other.token)).status).toBe(204);
  });

  it.each([
    ['VIEW_CHANNEL', PERMISSION.viewChannel, 50001],
    ['SEND_MESSAGES', PERMISSION.sendMessages, 50013],
  ])('may not write without %s', async (_name, bit, code) => {
    const other = await discord.emulator.landlord.addBot();
    await discord.put(`/channels/${channel}/permissions/${other.userId}`, { type: 1, deny: String(bit) });
    expect(await create({ content: 'x' }, other.token)).toMatchObject({ status: 403, body: { code } });
    expect((await create({ content: 'x' })).status).toBe(200);
  });
});

describe('bulk delete', () => {
  const bulk = (messages: unknown) => discord.post(`/channels/${channel}/messages/bulk-delete`, { messages });

  it('deletes what is there, passes over what is not, and tells of it once', async () => {
    const ids = [await discord.message(channel), await discord.message(channel), await discord.message(channel)];
    const unknown = snowflakeAt(discord.clock.now());
    expect((await bulk([ids[2], unknown, ids[0]])).status).toBe(204);
    expect((await discord.get(`/channels/${channel}/messages`)).list.map(({ id }) => id)).toEqual([ids[1]]);
    const { type, data } = discord.events.at(-1)!;
    expect([type, data]).toEqual([
      'MESSAGE_DELETE_BULK',
      { ids: [ids[0], ids[2]], channel_id: channel, guild_id: discord.guildId },
    ]);
  });

  it.each([
    ['one id', (ids: string[]) => [ids[0]], 50016],
    ['101 ids', (ids: string[]) => Array(101).fill(ids[0]), 50016],
    ['an id twice', (ids: string[]) => [ids[0], ids[1], ids[0]], 50035],
    ['no list', () => 'x', 50035],
    ['an old id', (ids: string[]) => [ids[0], snowflakeAt(Date.UTC(2025, 11, 1))], 50034],
  ])('refuses %s and deletes nothing', async (_name, choose, code) => {
    const ids = [await discord.message(channel), await discord.message(channel)];
    expect(await bulk(choose(ids))).toMatchObject({ status: 400, body: { code } });
    expect(discord.emulator.messageCount(channel)).toBe(2);
  });

  it('takes messages of up to 14 days', async () => {
    const ids = [await discord.message(channel), await discord.message(channel)];
    await discord.clock.advance(14 * DAY);
    expect((await bulk(ids)).status).toBe(204);
    const late = [await discord.message(channel), await discord.message(channel)];
    await discord.clock.advance(14 * DAY + 1);
    expect((await bulk(late)).body.code).toBe(50034);
  });
});

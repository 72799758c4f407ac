import { beforeEach, describe, expect, test } from 'vitest';
import {
  HEARTBEAT_MS,
  MAX_PAYLOAD_BYTES,
  SEND_LIMIT,
  SEND_WINDOW_MS,
  ZOMBIE_MS,
} from '../../../src/emulator/gateway-connection.ts';
import { CLOSE, INTENT, OP } from '../../../src/emulator/gateway-protocol.ts';
import { HOLD_MS, REPLAY_LIMIT, SESSION_GRACE_MS } from '../../../src/emulator/gateway-session.ts';
import { CONCURRENCY_WINDOW_MS, IDENTIFY_TOTAL, IDENTIFY_WINDOW_MS } from '../../../src/emulator/identify-budget.ts';
import { ALL_INTENTS, GatewayClient } from './gateway-client.ts';
import { GatewayWorld } from './gateway-world.ts';

let world: GatewayWorld;
beforeEach(async () => {
  world = await GatewayWorld.open();
});

/** A client with a session. */
function joined(intents = ALL_INTENTS): GatewayClient {
  const client = new GatewayClient(world.gateway);
  client.identify(world.token, intents);
  return client;
}

describe('a connection', () => {
  test('is greeted with HELLO', () => {
    const client = new GatewayClient(world.gateway);
    expect(client.heard).toEqual([
      { op: OP.hello, d: { heartbeat_interval: HEARTBEAT_MS, _trace: [] }, s: null, t: null },
    ]);
  });

  test('of an unknown version is closed', () => {
    const client = new GatewayClient(world.gateway, '7');
    expect([client.closedWith, client.heard]).toEqual([CLOSE.invalidVersion, []]);
  });

  test('has its heartbeats acknowledged, before and after IDENTIFY', () => {
    const client = new GatewayClient(world.gateway);
    client.say(OP.heartbeat, null);
    client.identify(world.token);
    client.say(OP.heartbeat, 1);
    expect(client.ops.filter((op) => op === OP.heartbeatAck)).toHaveLength(2);
  });

  test('that falls silent is closed, and its session is over', async () => {
    const client = joined();
    await world.clock.advance(HEARTBEAT_MS);
    client.say(OP.heartbeat, client.seq);
    await world.clock.advance(ZOMBIE_MS - 1);
    expect(client.closedWith).toBeUndefined();
    await world.clock.advance(1);
    expect(client.closedWith).toBe(CLOSE.sessionTimedOut);
    const again = new GatewayClient(world.gateway);
    again.resume(world.token, client.sessionId, client.seq);
    expect(again.ops).toEqual([OP.hello, OP.invalidSession]);
  });

  test('may send 120 payloads a minute', async () => {
    const client = joined();
    for (let sent = 1; sent < SEND_LIMIT; sent++) client.say(OP.heartbeat, null);
    await world.clock.advance(SEND_WINDOW_MS);
    for (let sent = 0; sent < SEND_LIMIT; sent++) client.say(OP.heartbeat, null);
    expect(client.closedWith).toBeUndefined();
    client.say(OP.heartbeat, null);
    expect(client.closedWith).toBe(CLOSE.rateLimited);
  });

  test.each([
    ['text that is not JSON', '{', CLOSE.decodeError],
    ['JSON that is no object', '[1]', CLOSE.decodeError],
    ['an opcode that is no number', '{"op":"1","d":null}', CLOSE.decodeError],
    ['a heartbeat with a wrong sequence', '{"op":1,"d":"x"}', CLOSE.decodeError],
    ['an opcode that nobody knows', '{"op":77,"d":null}', CLOSE.unknownOpcode],
    ['an opcode that only the server sends', '{"op":0,"d":null}', CLOSE.unknownOpcode],
    ['a presence before IDENTIFY', '{"op":3,"d":{}}', CLOSE.notAuthenticated],
    [
      'a payload over 4096 bytes',
      JSON.stringify({ op: 1, d: null, x: 'x'.repeat(MAX_PAYLOAD_BYTES) }),
      CLOSE.decodeError,
    ],
    ['IDENTIFY without anything', '{"op":2,"d":null}', CLOSE.decodeError],
    ['RESUME without a session', '{"op":6,"d":{"token":"x","seq":1}}', CLOSE.decodeError],
  ])('%s closes it', (_name, text, code) => {
    const client = new GatewayClient(world.gateway);
    client.sayText(text);
    expect(client.closedWith).toBe(code);
    client.identify(world.token);
    expect(client.events).toEqual([]);
  });
});

describe('IDENTIFY', () => {
  test('brings READY and then the guild with its channels and their last messages', async () => {
    const last = await world.post('hello');
    const client = joined();
    expect(client.events).toEqual(['READY', 'GUILD_CREATE']);
    expect(client.heard.map(({ s }) => s)).toEqual([null, 1, 2]);
    const [ready] = client.all('READY');
    expect(ready).toMatchObject({
      v: 10,
      user: { id: world.bot.userId, bot: true },
      guilds: [{ id: world.guildId, unavailable: true }],
      resume_gateway_url: 'ws://127.0.0.1:1',
      application: { id: world.bot.applicationId },
    });
    expect(client.all('GUILD_CREATE')[0]).toMatchObject({
      id: world.guildId,
      channels: expect.arrayContaining([expect.objectContaining({ id: world.channelId, last_message_id: last })]),
      members: expect.arrayContaining([
        expect.objectContaining({ user: expect.objectContaining({ id: world.bot.userId }) }),
      ]),
      roles: expect.arrayContaining([expect.objectContaining({ id: world.guildId })]),
      threads: [],
    });
  });

  test('without GUILDS brings READY alone', () => {
    expect(joined(INTENT.guildMessages).events).toEqual(['READY']);
  });

  test('with a wrong token is final', () => {
    const client = new GatewayClient(world.gateway);
    client.identify('not.a.token');
    expect(client.closedWith).toBe(CLOSE.authenticationFailed);
  });

  test.each([[1 << 17], [1 << 30], [-1], [2 ** 40 + 1], [1.5], ['1'], [null]])('refuses intents %s', (intents) => {
    const client = new GatewayClient(world.gateway);
    client.identify(world.token, intents as number);
    expect(client.closedWith).toBe(CLOSE.invalidIntents);
  });

  test('refuses privileged intents that the application has not switched on', () => {
    const client = new GatewayClient(world.gateway);
    client.identify(world.plainBot.token);
    expect(client.closedWith).toBe(CLOSE.disallowedIntents);
    const modest = new GatewayClient(world.gateway);
    modest.identify(world.plainBot.token, ALL_INTENTS & ~INTENT.messageContent);
    expect(modest.events).toEqual(['READY', 'GUILD_CREATE']);
  });

  test.each([[[1, 1]], [[-1, 2]], [[0]], ['0,1']])('refuses shard %j', (shard) => {
    const client = new GatewayClient(world.gateway);
    client.identify(world.token, ALL_INTENTS, { shard });
    expect(client.closedWith).toBe(CLOSE.invalidShard);
  });

  test('of the other shard brings no guild', async () => {
    const shard = Number((BigInt(world.guildId) >> 22n) % 2n);
    const mine = new GatewayClient(world.gateway);
    mine.identify(world.token, ALL_INTENTS, { shard: [shard, 2] });
    await world.clock.advance(CONCURRENCY_WINDOW_MS);
    const other = new GatewayClient(world.gateway);
    other.identify(world.token, ALL_INTENTS, { shard: [1 - shard, 2] });
    await world.post('x');
    expect(mine.events).toEqual(['READY', 'GUILD_CREATE', 'MESSAGE_CREATE']);
    expect(other.events).toEqual(['READY']);
  });

  test('twice on one connection closes it', () => {
    const client = joined();
    client.identify(world.token);
    expect(client.closedWith).toBe(CLOSE.alreadyAuthenticated);
  });

  test('may come once in five seconds', async () => {
    joined();
    const hasty = joined();
    expect(hasty.ops).toEqual([OP.hello, OP.invalidSession]);
    expect(hasty.heard.at(-1)?.d).toBe(false);
    await world.clock.advance(CONCURRENCY_WINDOW_MS);
    hasty.identify(world.token);
    expect(hasty.events).toEqual(['READY', 'GUILD_CREATE']);
  });

  test('may come a thousand times a day; one more ends every session', async () => {
    const first = joined();
    for (let count = 1; count < IDENTIFY_TOTAL; count++) {
      await world.idle(CONCURRENCY_WINDOW_MS, first);
      joined().hangUp(CLOSE.normal);
    }
    expect(world.gateway.sessionStartLimit(world.bot.userId)).toMatchObject({ total: 1000, remaining: 0 });
    await world.idle(CONCURRENCY_WINDOW_MS, first);
    expect(first.closedWith).toBeUndefined();
    const tooMany = joined();
    expect([tooMany.closedWith, first.closedWith]).toEqual([CLOSE.authenticationFailed, CLOSE.authenticationFailed]);
    await world.idle(IDENTIFY_WINDOW_MS, first);
    expect(joined().events).toEqual(['READY', 'GUILD_CREATE']);
  });

  test('is not counted with limits off', async () => {
    world = await GatewayWorld.open('off');
    expect([joined(), joined()].map(({ events }) => events.length)).toEqual([2, 2]);
  });
});

describe('events', () => {
  test('reach a session in order, numbered', async () => {
    const client = joined();
    const id = await world.post('one');
    await world.edit(id, 'two');
    await world.remove(id);
    expect(client.events.slice(2)).toEqual(['MESSAGE_CREATE', 'MESSAGE_UPDATE', 'MESSAGE_DELETE']);
    expect(client.heard.slice(3).map(({ s }) => s)).toEqual([3, 4, 5]);
    expect(client.all('MESSAGE_CREATE')[0]).toMatchObject({
      id,
      content: 'one',
      guild_id: world.guildId,
      channel_id: world.channelId,
    });
    expect(client.all('MESSAGE_DELETE')).toEqual([{ id, channel_id: world.channelId, guild_id: world.guildId }]);
  });

  test('of messages need GUILD_MESSAGES, of channels GUILDS', async () => {
    const guilds = joined(INTENT.guilds);
    await world.clock.advance(CONCURRENCY_WINDOW_MS);
    const messages = joined(INTENT.guildMessages);
    await world.post('one');
    await world.createChannel('more');
    expect(guilds.events).toEqual(['READY', 'GUILD_CREATE', 'CHANNEL_CREATE']);
    expect(messages.events).toEqual(['READY', 'MESSAGE_CREATE']);
  });

  test("blank another bot's words for a session without MESSAGE_CONTENT, never its own", async () => {
    const blind = joined(INTENT.guilds | INTENT.guildMessages);
    await world.post('mine');
    await world.post('theirs', world.plainBot);
    expect(blind.all('MESSAGE_CREATE').map(({ content }) => content)).toEqual(['mine', '']);
    await world.clock.advance(CONCURRENCY_WINDOW_MS);
    const seeing = joined();
    await world.post('theirs', world.plainBot);
    expect(seeing.all('MESSAGE_CREATE').map(({ content }) => content)).toEqual(['theirs']);
  });

  test('end when the gateway closes', async () => {
    const client = joined();
    world.gateway.close();
    expect(client.closedWith).toBe(CLOSE.goingAway);
    await world.post('unheard');
    expect(client.events).not.toContain('MESSAGE_CREATE');
  });
});

describe('RESUME', () => {
  test('replays what was missed, in order, then says RESUMED', async () => {
    const client = joined();
    await world.post('heard');
    client.hangUp();
    for (const text of ['a', 'b', 'c']) await world.post(text);
    const again = new GatewayClient(world.gateway);
    again.resume(world.token, client.sessionId, client.seq);
    expect(again.events).toEqual(['MESSAGE_CREATE', 'MESSAGE_CREATE', 'MESSAGE_CREATE', 'RESUMED']);
    expect(again.all('MESSAGE_CREATE').map(({ content }) => content)).toEqual(['a', 'b', 'c']);
    expect(again.heard.slice(1).map(({ s }) => s)).toEqual([4, 5, 6, 7]);
    await world.post('live');
    expect(again.events.at(-1)).toBe('MESSAGE_CREATE');
  });

  test('takes a session away from the connection that still has it', () => {
    const client = joined();
    const again = new GatewayClient(world.gateway);
    again.resume(world.token, client.sessionId, client.seq);
    expect(client.closedWith).toBe(CLOSE.unknownError);
    expect(again.events).toEqual(['RESUMED']);
  });

  test('costs no IDENTIFY', async () => {
    const client = joined();
    const { remaining } = world.gateway.sessionStartLimit(world.bot.userId);
    client.hangUp();
    new GatewayClient(world.gateway).resume(world.token, client.sessionId, client.seq);
    expect(world.gateway.sessionStartLimit(world.bot.userId).remaining).toBe(remaining);
  });

  test.each([
    ['the client closed with 1000', async (client: GatewayClient) => client.hangUp(CLOSE.normal)],
    ['the client closed with 1001', async (client: GatewayClient) => client.hangUp(CLOSE.goingAway)],
    [
      'minutes have passed',
      async (client: GatewayClient) => {
        client.hangUp();
        await world.clock.advance(SESSION_GRACE_MS);
      },
    ],
    [
      'too much was missed',
      async (client: GatewayClient) => {
        client.hangUp();
        for (let missed = 0; missed <= REPLAY_LIMIT; missed++) await world.post('x');
      },
    ],
  ])('is refused with op 9 once %s, and IDENTIFY on the same connection begins anew', async (_name, happens) => {
    const client = joined();
    await happens(client);
    const again = new GatewayClient(world.gateway);
    again.resume(world.token, client.sessionId, client.seq);
    expect(again.heard.slice(1)).toEqual([{ op: OP.invalidSession, d: false, s: null, t: null }]);
    await world.clock.advance(CONCURRENCY_WINDOW_MS);
    again.identify(world.token);
    expect(again.events).toEqual(['READY', 'GUILD_CREATE']);
  });

  test('is refused for the session of another bot', () => {
    const client = joined();
    client.hangUp();
    const thief = new GatewayClient(world.gateway);
    thief.resume(world.plainBot.token, client.sessionId, client.seq);
    expect(thief.ops).toEqual([OP.hello, OP.invalidSession]);
  });

  test('beyond what was ever sent closes with 4007', () => {
    const client = joined();
    client.hangUp();
    const again = new GatewayClient(world.gateway);
    again.resume(world.token, client.sessionId, client.seq + 1);
    expect(again.closedWith).toBe(CLOSE.invalidSequence);
  });
});

describe('faults', () => {
  test('gateway-drop loses an event for good', async () => {
    const client = joined();
    world.fault('gateway-drop');
    await world.post('lost');
    await world.post('heard');
    expect(client.all('MESSAGE_CREATE').map(({ content }) => content)).toEqual(['heard']);
  });

  test('gateway-repeat sends an event twice, under two numbers', async () => {
    const client = joined();
    world.fault('gateway-repeat');
    const id = await world.post('twice');
    expect(client.all('MESSAGE_CREATE').map((message) => message.id)).toEqual([id, id]);
    expect(client.heard.slice(-2).map(({ s }) => s)).toEqual([3, 4]);
  });

  test('gateway-reorder lets the next event overtake', async () => {
    const client = joined();
    world.fault('gateway-reorder');
    for (const text of ['first', 'second', 'third']) await world.post(text);
    expect(client.all('MESSAGE_CREATE').map(({ content }) => content)).toEqual(['second', 'first', 'third']);
    expect(client.heard.slice(-3).map(({ s }) => s)).toEqual([3, 4, 5]);
  });

  test('gateway-reorder brings the event in the end when nothing overtakes it', async () => {
    const client = joined();
    world.fault('gateway-reorder');
    await world.post('only');
    expect(client.events).not.toContain('MESSAGE_CREATE');
    await world.clock.advance(HOLD_MS);
    expect(client.all('MESSAGE_CREATE').map(({ content }) => content)).toEqual(['only']);
  });

  test('gateway-disconnect closes, and the session can be resumed', async () => {
    const client = joined();
    world.fault('gateway-disconnect');
    await world.post('x');
    expect(client.closedWith).toBe(CLOSE.unknownError);
    const again = new GatewayClient(world.gateway);
    again.resume(world.token, client.sessionId, client.seq);
    expect(again.events).toEqual(['RESUMED']);
  });

  test('gateway-reconnect asks for a new connection', async () => {
    const client = joined();
    world.fault('gateway-reconnect');
    await world.post('x');
    expect(client.ops.at(-1)).toBe(OP.reconnect);
  });

  test('gateway-invalid ends the session; the client identifies on the same connection', async () => {
    const client = joined();
    world.fault('gateway-invalid');
    await world.post('x');
    expect(client.heard.at(-1)).toMatchObject({ op: OP.invalidSession, d: false });
    await world.clock.advance(CONCURRENCY_WINDOW_MS);
    client.identify(world.token);
    expect(client.events.slice(-2)).toEqual(['READY', 'GUILD_CREATE']);
  });
});

describe('request guild members', () => {
  test('finds members by id, and says whom it did not find', () => {
    const client = joined();
    client.say(OP.requestGuildMembers, { guild_id: world.guildId, user_ids: [world.bot.userId, '1'], nonce: 'n' });
    expect(client.all('GUILD_MEMBERS_CHUNK')).toMatchObject([
      { guild_id: world.guildId, nonce: 'n', chunk_index: 0, chunk_count: 1, not_found: ['1'] },
    ]);
    const [chunk] = client.all('GUILD_MEMBERS_CHUNK');
    expect(chunk?.members).toMatchObject([{ user: { id: world.bot.userId } }]);
  });

  test('shows the whole list only to those with GUILD_MEMBERS', () => {
    const client = joined();
    client.say(OP.requestGuildMembers, { guild_id: world.guildId, query: '', limit: 0 });
    expect(client.all('GUILD_MEMBERS_CHUNK')[0]?.members).toMatchObject([{ user: { id: world.bot.userId } }]);
  });
});

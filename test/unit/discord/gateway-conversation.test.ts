import { describe, expect, test } from 'vitest';
import { sleep } from '../../../src/base/index.ts';
import { type Ending, GatewayConversation, type ResumePoint } from '../../../src/discord/gateway-conversation.ts';
import { inVirtualTime, TOKEN, type World } from './fake-discord.ts';
import { type FakeConnection, FakeGateway, HEARTBEAT_MS } from './fake-gateway.ts';

const POINT: ResumePoint = { sessionId: 's0', url: 'wss://resume.test', seq: 41 };

interface Heard {
  readonly connection: FakeConnection;
  readonly conversation: GatewayConversation;
  readonly events: [string, unknown][];
  readonly listening: boolean[];
  readonly endings: Ending[];
  identified: number;
}

function begin(world: World, point?: ResumePoint): Heard {
  const gateway = new FakeGateway(world);
  const events: [string, unknown][] = [];
  const listening: boolean[] = [];
  const endings: Ending[] = [];
  const conversation = new GatewayConversation(world.env, TOKEN, point, {
    identifying: () => {
      heard.identified++;
    },
    listening: (resumed) => void listening.push(resumed),
    dispatch: (type, data) => void events.push([type, data]),
    over: (ending) => void endings.push(ending),
  });
  conversation.begin(gateway.open, 'wss://gateway.test');
  const heard: Heard = { connection: gateway.last, conversation, events, listening, endings, identified: 0 };
  return heard;
}

/** Plays against a conversation in virtual time. */
function talk(play: (heard: Heard, world: World) => Promise<void> | void, point?: ResumePoint): () => Promise<void> {
  return inVirtualTime(async (world) => {
    const heard = begin(world, point);
    await play(heard, world);
    heard.conversation.leave();
  });
}

const beats = ({ heard }: FakeConnection) => heard.filter(({ op }) => op === 1);

describe('a new session', () => {
  test(
    'identifies with the intents that it needs, and tells events in their order',
    talk(({ connection, events, listening, identified, ...heard }) => {
      expect(connection.heard).toEqual([]);
      connection.hello();
      const intents = (1 << 0) | (1 << 9) | (1 << 15);
      expect(connection.heard).toMatchObject([{ op: 2, d: { token: TOKEN, intents } }]);
      connection.ready();
      connection.dispatch('MESSAGE_CREATE', { id: '1' });
      connection.dispatch('MESSAGE_DELETE', { id: '2' });
      expect(listening).toEqual([false]);
      expect(events.map(([type]) => type)).toEqual(['MESSAGE_CREATE', 'MESSAGE_DELETE']);
      expect(heard.endings).toEqual([]);
    }),
  );

  test(
    'beats first at a random moment, then steadily, with the last sequence, and when it is asked',
    talk(async ({ connection }, world) => {
      connection.hello();
      connection.say({ op: 1, d: null });
      expect(beats(connection)).toEqual([{ op: 1, d: null }]);
      connection.ready();
      await sleep(world.clock, HEARTBEAT_MS);
      expect(beats(connection).slice(1)).toEqual([{ op: 1, d: 1 }]);
      connection.say({ op: 11, d: null });
      await sleep(world.clock, HEARTBEAT_MS);
      expect(beats(connection)).toHaveLength(3);
    }),
  );

  test(
    'whose heartbeats are not acknowledged is a zombie: closed so that it can be resumed',
    talk(async ({ connection, endings }, world) => {
      connection.hello();
      connection.ready();
      connection.dispatch('MESSAGE_CREATE', {});
      await sleep(world.clock, 2 * HEARTBEAT_MS);
      expect(connection.closedWith).toBe(4000);
      expect(endings).toMatchObject([{ next: 'resume', point: { sessionId: 's1', seq: 2 } }]);
    }),
  );

  test(
    'that never comes about is given up',
    talk(async ({ connection, endings }, world) => {
      await sleep(world.clock, 30_000);
      expect(connection.closedWith).toBe(4000);
      expect(endings).toMatchObject([{ next: 'identify', point: undefined }]);
    }),
  );
});

describe('a session taken up again', () => {
  test(
    'resumes where it stopped, and spends no identify',
    talk((heard) => {
      const { connection, listening } = heard;
      connection.hello();
      expect(connection.heard).toEqual([{ op: 6, d: { token: TOKEN, session_id: 's0', seq: 41 } }]);
      connection.say({ op: 0, s: 42, t: 'MESSAGE_CREATE', d: {} });
      connection.say({ op: 0, s: 43, t: 'RESUMED', d: {} });
      expect(listening).toEqual([true]);
      expect(heard.identified).toBe(0);
      connection.close(1006);
      expect(heard.endings).toMatchObject([{ next: 'resume', point: { ...POINT, seq: 43 } }]);
    }, POINT),
  );

  test(
    'that broke before HELLO is where it was',
    talk(({ connection, endings }) => {
      connection.close(1006);
      expect(endings).toMatchObject([{ next: 'resume', point: POINT }]);
    }, POINT),
  );

  test(
    'that Discord calls invalid is over, after a pause of 1 to 5 seconds',
    talk(({ connection, endings }) => {
      connection.hello();
      connection.say({ op: 9, d: false });
      expect(endings).toMatchObject([{ next: 'identify', point: undefined }]);
      expect(endings[0]!.pauseMs).toBeGreaterThanOrEqual(1000);
      expect(endings[0]!.pauseMs).toBeLessThanOrEqual(5000);
      expect(connection.closedWith).not.toBe(1000);
    }, POINT),
  );

  test.each([
    ['invalid but resumable', { op: 9, d: true }],
    ['in need of a new connection', { op: 7, d: null }],
  ])('that Discord calls %s is resumed', (_, payload) =>
    talk(({ connection, endings }) => {
      connection.say(payload);
      expect(connection.closedWith).toBe(4000);
      expect(endings).toMatchObject([{ next: 'resume', point: POINT }]);
    }, POINT)());
});

test.each([
  [4000, 'resume'],
  [4001, 'resume'],
  [4002, 'resume'],
  [4003, 'identify'],
  [4004, 'never'],
  [4005, 'identify'],
  [4007, 'identify'],
  [4008, 'resume'],
  [4009, 'identify'],
  [4010, 'never'],
  [4011, 'never'],
  [4012, 'never'],
  [4013, 'never'],
  [4014, 'never'],
  [1000, 'resume'],
  [1001, 'resume'],
  [1006, 'resume'],
] as const)('after close code %d comes: %s', (code, next) =>
  talk(({ connection, endings }) => {
    connection.hello();
    connection.ready();
    connection.close(code);
    connection.close(code);
    expect(endings).toMatchObject([{ next, code }]);
  })());

test.each<[string, unknown]>([
  ['no object', 7],
  ['nothing', undefined],
  ['an event without a name', { op: 0, s: 1, d: {} }],
  ['a READY without a session', { op: 0, s: 1, t: 'READY', d: {} }],
])('a payload that is %s ends the connection, not the process', (_, payload) =>
  talk(({ connection, endings }) => {
    connection.hello();
    connection.say(payload);
    expect(connection.closedWith).toBe(4000);
    expect(endings).toHaveLength(1);
  })());

test(
  'what comes after the end is not heard',
  talk(({ connection, conversation, events, endings }) => {
    connection.hello();
    connection.ready();
    conversation.leave();
    expect(connection.closedWith).toBe(1000);
    connection.dispatch('MESSAGE_CREATE', {});
    expect(events).toEqual([]);
    expect(endings).toHaveLength(1);
  }),
);

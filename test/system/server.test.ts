import { connect } from 'node:net';
import { describe, expect, test } from 'vitest';
import type { Doc } from '../../src/bson/index.ts';
import { PERMISSION } from '../../src/emulator/index.ts';
import { startServer } from '../support/server.ts';
import { Process, Stage } from '../support/stage.ts';
import { plain } from './crash-model.ts';

const MINUTE = 60_000;
const DB = { $db: 'app' };

type Run = (command: object) => Promise<Doc>;

function onStage(play: (stage: Stage, process: Process, run: Run) => Promise<void>): () => Promise<void> {
  return () =>
    Stage.run({ seed: 3, limits: 'off' }, async (stage) => {
      const process = await new Process(stage).start();
      const run = process.connect();
      await play(stage, process, (command) => run({ ...command, ...DB }));
      await process.close();
    });
}

const documents = (count: number) => Array.from({ length: count }, (_, n) => ({ _id: n, n }));
const ok = (reply: Doc) => expect(plain(reply)).toMatchObject({ ok: 1 });

async function openCursor(run: Run, options: object = {}): Promise<bigint> {
  const cursor = (await run({ find: 'things', filter: {}, batchSize: 2, ...options })).get('cursor') as Doc;
  return cursor.get('id') as bigint;
}

test(
  'an idle cursor ends after 10 minutes; one that is used, or asked not to, does not',
  onStage(async (stage, _, run) => {
    ok(await run({ insert: 'things', documents: documents(50) }));
    const [idle, used, lasting] = [
      await openCursor(run),
      await openCursor(run),
      await openCursor(run, { noCursorTimeout: true }),
    ];
    const next = (id: bigint) => run({ getMore: id, collection: 'things', batchSize: 1 });
    for (let quarter = 0; quarter < 3; quarter++) {
      await stage.sleep(4 * MINUTE);
      ok(await next(used));
    }
    expect((await next(idle)).get('codeName')).toBe('CursorNotFound');
    ok(await next(lasting));
  }),
);

describe('a channel of one collection', () => {
  const channelOf = ({ emulator }: Stage) => {
    const { guildId } = emulator.credentials();
    return emulator.channels(guildId).find(({ name }) => name === 'things')!.id;
  };

  /** What a person with the right to do so does in Discord. */
  async function act({ emulator }: Stage, method: string, path: string, body: object = {}): Promise<void> {
    const { guildId } = emulator.credentials();
    const { token } = await emulator.landlord.addBot({ guildIds: [guildId], permissions: PERMISSION.administrator });
    const agent = 'DiscordBot (https://example.com, 1)';
    const headers = { authorization: `Bot ${token}`, 'user-agent': agent, 'content-type': 'application/json' };
    const bytes = method === 'DELETE' ? new Uint8Array() : Buffer.from(JSON.stringify(body));
    const { status } = await emulator.handle({ method, path: `/api/v10/channels/${path}`, headers, body: bytes });
    expect(status).toBeLessThan(300);
  }

  test(
    'deleted while running: the write that waits fails clearly, and what was never durable is dropped',
    onStage(async (stage, _, run) => {
      ok(await run({ insert: 'things', documents: documents(3) }));
      ok(await run({ insert: 'others', documents: documents(3) }));
      await act(stage, 'DELETE', channelOf(stage));
      const failed = await run({ insert: 'things', documents: [{ _id: 'late' }] });
      expect(plain(failed)).toMatchObject({ ok: 0, errmsg: expect.stringMatching(/channel/i) });
      const cursor = (await run({ find: 'things', filter: { _id: 'late' } })).get('cursor');
      expect(cursor instanceof Map ? cursor.get('firstBatch') : []).toEqual([]);
      ok(await run({ insert: 'others', documents: [{ _id: 'fine' }] }));
    }),
  );

  test(
    'closed to the bot while running, and opened again: writes fail meanwhile, and only what was acknowledged is there',
    onStage(async (stage, _, run) => {
      ok(await run({ insert: 'things', documents: documents(3) }));
      const { botUserId } = stage.emulator.credentials();
      const overwrite = `${channelOf(stage)}/permissions/${botUserId}`;
      const { viewChannel, sendMessages, readMessageHistory } = PERMISSION;
      const reading = viewChannel | readMessageHistory;
      await act(stage, 'PUT', overwrite, { type: 1, allow: String(reading), deny: String(sendMessages) });
      const failed = await run({ insert: 'things', documents: [{ _id: 'refused' }] });
      expect(plain(failed)).toMatchObject({ ok: 0, errmsg: expect.stringMatching(/permission/i) });
      expect(Number((await run({ count: 'things', query: {} })).get('n'))).toBe(3);
      await act(stage, 'PUT', overwrite, { type: 1, allow: String(reading | sendMessages), deny: '0' });
      ok(await run({ insert: 'things', documents: [{ _id: 'after' }] }));
      expect(Number((await run({ count: 'things', query: {} })).get('n'))).toBe(4);
    }),
  );
});

test('twins that a lost reply to a creation left are resolved, and every collection has one channel', async () => {
  await Stage.run({ seed: 5, limits: 'discord' }, async (stage) => {
    const first = await new Process(stage).start();
    stage.emulator.setFaults([{ kind: 'lose-reply', route: 'POST /guilds/:id/channels', every: 2 }]);
    const run = first.connect();
    for (let n = 0; n < 6; n++) ok(await run({ insert: `c${n}`, documents: documents(2), ...DB }));
    await first.close();
    stage.emulator.setFaults([]);
    const next = await new Process(stage).start();
    const again = next.connect();
    for (let n = 0; n < 6; n++) expect(Number((await again({ count: `c${n}`, query: {}, ...DB })).get('n'))).toBe(2);
    await next.close();
    const names = stage.emulator.channels(stage.emulator.credentials().guildId).map(({ name }) => name);
    for (let n = 0; n < 6; n++) expect(names.filter((name) => name === `c${n}`)).toHaveLength(1);
    expect(stage.errors).toEqual([]);
  });
});

test('what a malformed message does to its connection, it does to no other', async () => {
  const server = await startServer();
  try {
    const client = await server.client();
    const things = client.db('app').collection('things');
    const { hostname, port } = new URL(server.uri);
    const bad = [
      Buffer.alloc(16, 0xff),
      Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n'),
      Buffer.from([15, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0xdd, 7, 0, 0]),
      Buffer.from([26, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0xdd, 7, 0, 0, 0, 0, 0, 0, 0, 200, 0, 0, 0, 0]),
    ];
    for (const bytes of bad) {
      const socket = connect(Number(port), hostname);
      const closed = new Promise((resolve) => socket.once('close', resolve));
      socket.on('error', () => {});
      socket.resume();
      socket.end(bytes);
      await things.insertOne({ bytes });
      await closed;
    }
    expect(await things.countDocuments()).toBe(bad.length);
  } finally {
    await server.close();
  }
});

import { describe, expect, it } from 'vitest';
import { deferred } from '../../../src/base/index.ts';
import { decode, doc, encode, type Int32 } from '../../../src/bson/index.ts';
import type { Message } from '../../../src/commands/index.ts';
import { MAX_MESSAGE_SIZE, MAX_REPLY_BODY_SIZE } from '../../../src/wire/index.ts';
import { int32, message, OP_MSG, OP_REPLY, opMsg, opMsgOf, opQuery } from '../../support/wire-messages.ts';
import { bulky, command, echo, start, until } from './harness.ts';

/** Moving many megabytes takes under a second, but not on a machine that does much else. */
const BULK_TIMEOUT_MS = 30_000;

const n = (bytes: Uint8Array) => (decode(bytes).get('n') as Int32).value;

describe('a connection', () => {
  it('answers a message with its number', async () => {
    await using running = await start();
    const client = await running.connect();
    client.send(opMsg(command(1), { requestId: 77 }));
    const answer = await client.next();
    expect(answer).toMatchObject({ responseTo: 77, opcode: OP_MSG, flags: 0 });
    expect(decode(answer.body)).toEqual(doc({ ok: 1, n: 1 }));
  });

  it('answers pipelined messages in order, one after another', async () => {
    let atOnce = 0;
    let most = 0;
    await using running = await start(async (body, sent, connection) => {
      most = Math.max(most, ++atOnce);
      await new Promise((resolve) => setImmediate(resolve));
      atOnce--;
      return echo(body, sent, connection);
    });
    const client = await running.connect();
    const count = 200;
    client.send(Buffer.concat(Array.from({ length: count }, (_, at) => opMsg(command(at), { requestId: at }))));
    for (let at = 0; at < count; at++) {
      const answer = await client.next();
      expect([answer.responseTo, n(answer.body)]).toEqual([at, at]);
    }
    expect(most).toBe(1);
    expect(running.server.counters().requests).toBe(count);
  });

  it('reads messages however TCP splits them', async () => {
    await using running = await start();
    const client = await running.connect();
    const stream = Buffer.concat([1, 2, 3].map((at) => opMsg(command(at))));
    for (const byte of stream) {
      client.send(Buffer.of(byte));
      await new Promise((resolve) => setImmediate(resolve));
    }
    for (const at of [1, 2, 3]) expect(n((await client.next()).body)).toBe(at);
  });

  it('takes and gives messages of 48 MB', { timeout: BULK_TIMEOUT_MS }, async () => {
    await using running = await start((_, { sequences }) => {
      const size = (sequences.get('documents') ?? []).reduce((sum, bytes) => sum + bytes.length, 0);
      return { body: bulky(size, MAX_REPLY_BODY_SIZE - 30), next: undefined };
    });
    const client = await running.connect();
    const documents = [bulky(1, 16_000_000), bulky(2, 16_000_000)];
    const part = opMsg(command(1), { sequences: { documents } });
    documents.push(bulky(3, MAX_MESSAGE_SIZE - part.length - bulky(3, 0).length));
    const full = opMsg(command(1), { sequences: { documents } });
    expect(full).toHaveLength(MAX_MESSAGE_SIZE);
    client.send(full);
    const answer = await client.next();
    expect(n(answer.body)).toEqual(documents.reduce((sum, bytes) => sum + bytes.length, 0));
    expect(answer.whole.length).toBeGreaterThan(MAX_MESSAGE_SIZE - 100);
  });

  it('answers with an error when the reply does not fit in a message', { timeout: BULK_TIMEOUT_MS }, async () => {
    await using running = await start(() => ({ body: Buffer.alloc(MAX_MESSAGE_SIZE), next: undefined }));
    const client = await running.connect();
    client.send(opMsg(command(1)));
    expect(decode((await client.next()).body).get('codeName')).toBe('BSONObjectTooLarge');
  });

  it('gives no reply where none is wanted', async () => {
    const seen: number[] = [];
    await using running = await start((body, sent, connection) => {
      seen.push((body.get('n') as Int32).value);
      return echo(body, sent, connection);
    });
    const client = await running.connect();
    client.send(opMsg(command(1), { flags: 2 }), opMsg(command(2), { flags: 2 }), opMsg(command(3)));
    expect(n((await client.next()).body)).toBe(3);
    expect(seen).toEqual([1, 2, 3]);
  });

  it('does what a client that left at once had sent without wanting a reply', async () => {
    const aborted: boolean[] = [];
    const gate = deferred();
    await using running = await start(async (body, sent, connection) => {
      await gate.promise;
      aborted.push(sent.signal.aborted);
      return echo(body, sent, connection);
    });
    const client = await running.connect();
    client.send(opMsg(command(1), { flags: 2 }), opMsg(command(2), { flags: 2 }));
    client.socket.end();
    await until(() => running.server.counters().requests === 1, 'the first is taken');
    gate.resolve();
    await client.end();
    expect(aborted).toEqual([false, false]);
  });

  it('answers OP_QUERY with OP_REPLY', async () => {
    await using running = await start((_, sent) => doc({ ok: 1, db: sent.db }));
    const client = await running.connect();
    client.send(opQuery('admin.$cmd', encode(doc({ isMaster: 1 })), 4));
    const answer = await client.next();
    expect(answer).toMatchObject({ opcode: OP_REPLY, responseTo: 4 });
    expect(decode(answer.body).get('db')).toBe('admin');
  });

  it('is numbered from 1 and knows both ends', async () => {
    await using running = await start((_, __, { id, remote, local }) => doc({ ok: 1, id, remote, local }));
    for (const id of [1, 2]) {
      const client = await running.connect();
      client.send(opMsg(command(1)));
      expect(decode((await client.next()).body)).toEqual(
        doc({ ok: 1, id, remote: `127.0.0.1:${client.socket.localPort}`, local: running.address }),
      );
    }
  });

  it('keeps what a command remembers of the client', async () => {
    await using running = await start((body, _, connection) => {
      connection.client ??= body;
      return connection.client;
    });
    const client = await running.connect();
    client.send(opMsg(command(1)), opMsg(command(2)));
    expect([n((await client.next()).body), n((await client.next()).body)]).toEqual([1, 1]);
  });
});

describe('a stream of replies', () => {
  const counting = (left: number, sent: Message): { body: Uint8Array; next: Message | undefined } => ({
    body: command(left),
    next: left > 0 ? { ...sent, body: command(left - 1) } : undefined,
  });

  it('follows one request, each reply to the one before', async () => {
    await using running = await start((body, sent) => counting(n(encode(body)), sent));
    const client = await running.connect();
    client.send(opMsg(command(3), { requestId: 50, flags: 0x1_0000 }));
    let responseTo = 50;
    for (const left of [3, 2, 1, 0]) {
      const answer = await client.next();
      expect(answer).toMatchObject({ responseTo, flags: left > 0 ? 2 : 0 });
      expect(n(answer.body)).toBe(left);
      responseTo = answer.requestId;
    }
    client.send(opMsg(command(0)));
    expect(n((await client.next()).body)).toBe(0);
  });

  it('is not begun unless the client allows it', async () => {
    await using running = await start((body, sent) => counting(n(encode(body)), sent));
    const client = await running.connect();
    client.send(opMsg(command(3)), opMsg(command(0)));
    expect([await client.next(), await client.next()].map(({ body, flags }) => [n(body), flags])).toEqual([
      [3, 0],
      [0, 0],
    ]);
  });

  it('ends when the client leaves', async () => {
    let rounds = 0;
    const left = deferred();
    await using running = await start(async (_, sent) => {
      rounds++;
      if (rounds === 3) {
        sent.signal.addEventListener('abort', () => left.resolve());
        await left.promise;
      }
      return { body: command(rounds), next: sent };
    });
    const client = await running.connect();
    client.send(opMsg(command(1), { flags: 0x1_0000 }));
    await client.next();
    await client.next();
    await until(() => rounds === 3, 'the stream waits');
    client.destroy();
    await until(() => running.server.counters().connections === 0, 'the connection is gone');
    expect(rounds).toBe(3);
  });
});

describe('bad input', () => {
  it.each<[string, Uint8Array, string]>([
    ['no body', opMsgOf([]), 'Location40587'],
    ['an unknown section', opMsgOf([Buffer.of(9)]), 'Location40432'],
    ['a body too long', opMsgOf([Buffer.concat([Buffer.of(0), int32(100)])]), 'InvalidBSON'],
    ['a long OP_QUERY', opQuery('admin.$cmd', int32(100)), 'InvalidBSON'],
  ])('is answered with an error: %s', async (_, bytes, codeName) => {
    await using running = await start();
    const client = await running.connect();
    client.send(bytes, opMsg(command(2)));
    expect(decode((await client.next()).body).get('codeName')).toBe(codeName);
    expect(n((await client.next()).body)).toBe(2);
  });

  it('is passed over when it wanted no reply', async () => {
    await using running = await start();
    const client = await running.connect();
    client.send(opMsgOf([], { flags: 2 }), opMsg(command(2)));
    expect(n((await client.next()).body)).toBe(2);
  });

  const damaged = opMsg(command(1), { checksum: true });
  damaged[damaged.length - 1] = damaged[damaged.length - 1]! ^ 1;
  it.each<[string, Uint8Array]>([
    ['a length below 16', int32(15)],
    ['a length beyond 48 MB', int32(MAX_MESSAGE_SIZE + 1)],
    ['an unknown opcode', message(1234, Buffer.alloc(4))],
    ['an unknown required flag', opMsg(command(1), { flags: 4 })],
    ['a bad checksum', damaged],
    ['a compressed message that is none', message(2012, Buffer.alloc(30, 0xff))],
  ])('closes that connection alone, after what came before was answered: %s', async (_, bytes) => {
    await using running = await start();
    const [bad, good] = [await running.connect(), await running.connect()];
    bad.send(Buffer.concat([opMsg(command(1)), bytes, opMsg(command(2))]));
    expect(n((await bad.next()).body)).toBe(1);
    expect(await bad.end()).toHaveLength(0);
    good.send(opMsg(command(3)));
    expect(n((await good.next()).body)).toBe(3);
  });

  it('is told so when it is HTTP', async () => {
    await using running = await start();
    const client = await running.connect();
    client.send(Buffer.from('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n'));
    expect(String(await client.end())).toContain('This is the port for MongoDB clients');
  });

  it('a crash of a command is an error reply', async () => {
    await using running = await start((body, sent, connection) => {
      if (n(encode(body)) === 1) throw new TypeError('a secret detail');
      return echo(body, sent, connection);
    });
    const client = await running.connect();
    client.send(opMsg(command(1)), opMsg(command(2)));
    const first = decode((await client.next()).body);
    expect(first.get('codeName')).toBe('InternalError');
    expect(String(first.get('errmsg'))).not.toContain('secret');
    expect(n((await client.next()).body)).toBe(2);
  });
});

describe('a client that', () => {
  it('leaves in the middle of a message is forgotten', async () => {
    await using running = await start();
    const client = await running.connect();
    client.send(opMsg(command(1)).subarray(0, 20));
    await until(() => running.server.counters().bytesIn === 20, 'the bytes have come');
    client.destroy();
    await until(() => running.server.counters().connections === 0, 'the connection is gone');
  });

  it('resets the connection while a command runs has it told', async () => {
    const reasons: unknown[] = [];
    await using running = await start(async (_, { signal }) => {
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      reasons.push(signal.reason);
      return doc({ ok: 1 });
    });
    const client = await running.connect();
    client.send(opMsg(command(1)));
    await until(() => running.server.counters().requests === 1, 'the command runs');
    client.socket.resetAndDestroy();
    await until(() => reasons.length === 1, 'the command is told');
    expect(reasons).toMatchObject([{ codeName: 'ClientDisconnect' }]);
    await until(() => running.server.counters().connections === 0, 'the connection is gone');
  });

  it('ends its side and reads on gets all its replies, then the end', async () => {
    await using running = await start(async (body, sent, connection) => {
      await new Promise((resolve) => setImmediate(resolve));
      return echo(body, sent, connection);
    });
    const client = await running.connect();
    client.socket.end(Buffer.concat([1, 2, 3].map((at) => opMsg(command(at)))));
    for (const at of [1, 2, 3]) expect(n((await client.next()).body)).toBe(at);
    expect(await client.end()).toHaveLength(0);
  });

  it('sends without reading is not read any more, nor worked for', { timeout: BULK_TIMEOUT_MS }, async () => {
    let served = 0;
    await using running = await start(() => {
      served++;
      return { body: bulky(served, 1 << 20), next: undefined };
    });
    const client = await running.connect();
    client.socket.pause();
    const count = 200;
    const requests = Array.from({ length: count }, (_, at) => opMsg(bulky(at, 100_000)));
    client.send(...requests);
    // It comes to rest: what the two kernels hold, one reply more than the bound, and no more.
    let before = -1;
    await until(() => {
      const still = served === before && served > 1;
      before = served;
      return still && client.socket.writableLength > 0;
    }, 'the server stops');
    for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve));
    expect(served).toBeLessThan(50);
    expect(running.server.counters().bytesIn).toBeLessThan(20_000_000);
    client.socket.resume();
    for (let at = 1; at <= count; at++) expect(n((await client.next()).body)).toBe(at);
  });
});

it('many clients are served at once', async () => {
  const gate = deferred();
  await using running = await start(async (body, sent, connection) => {
    if (connection.id === 1) await gate.promise;
    return echo(body, sent, connection);
  });
  const waiting = await running.connect();
  waiting.send(opMsg(command(0)));
  await until(() => running.server.counters().requests === 1, 'the first waits');
  const clients = await Promise.all(Array.from({ length: 50 }, () => running.connect()));
  for (const [at, client] of clients.entries()) client.send(opMsg(command(at)));
  const answers = await Promise.all(clients.map((client) => client.next()));
  expect(answers.map(({ body }) => n(body))).toEqual(clients.map((_, at) => at));
  gate.resolve();
  expect(n((await waiting.next()).body)).toBe(0);
  expect(running.server.counters()).toMatchObject({ connections: 51, totalConnections: 51, requests: 51 });
});

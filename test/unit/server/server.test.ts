import { createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import { deferred, VirtualClock } from '../../../src/base/index.ts';
import { decode, doc, type Int32 } from '../../../src/bson/index.ts';
import { ABORT_GRACE_MS, ListenError, Server, SHUTDOWN_GRACE_MS } from '../../../src/server/index.ts';
import { opMsg } from '../../support/wire-messages.ts';
import { command, dispatcherOf, echo, errorReply, start, testEnv, until } from './harness.ts';

const n = (bytes: Uint8Array) => (decode(bytes).get('n') as Int32).value;

function serverAt(host: string, port: number): Server {
  return new Server({ env: testEnv, host, port, errorReply });
}

describe('listening', () => {
  it('takes a free port for 0 and tells it', async () => {
    const server = serverAt('127.0.0.1', 0);
    const address = await server.listen(dispatcherOf(echo));
    expect(address).toMatch(/^127\.0\.0\.1:[1-9]\d*$/);
    expect(server.address).toBe(address);
    await server.close();
  });

  it('says in words that the port is taken', async () => {
    await using first = await start();
    const port = Number(first.address.split(':')[1]);
    const attempt = serverAt('127.0.0.1', port).listen(dispatcherOf(echo));
    await expect(attempt).rejects.toThrow(ListenError);
    await expect(attempt).rejects.toThrow(`cannot listen on 127.0.0.1:${port}: another process already listens there`);
  });

  it('says in words that the address is none of this machine', async () => {
    await expect(serverAt('192.0.2.1', 0).listen(dispatcherOf(echo))).rejects.toThrow(
      'cannot listen on 192.0.2.1:0: this machine has no such address',
    );
  });

  it('takes IPv6', async (context) => {
    const probe = createServer();
    const able = await new Promise((resolve) => {
      probe.once('error', () => resolve(false));
      probe.listen(0, '::1', () => probe.close(() => resolve(true)));
    });
    context.skip(!able, 'this machine has no IPv6');
    await using running = await start(echo, { host: '::1' });
    expect(running.address).toMatch(/^\[::1\]:\d+$/);
    const client = await running.connect();
    client.send(opMsg(command(1)));
    expect(n((await client.next()).body)).toBe(1);
  });
});

it('turns away clients beyond the limit, and takes them when there is room', async () => {
  await using running = await start(echo, { maxConnections: 2 });
  const [first, second] = [await running.connect(), await running.connect()];
  second.send(opMsg(command(2)));
  await second.next();
  const third = await running.connect();
  await third.end();
  expect(running.server.counters()).toMatchObject({ connections: 2, totalConnections: 2 });
  first.destroy();
  await until(() => running.server.counters().connections === 1, 'the first is gone');
  const fourth = await running.connect();
  fourth.send(opMsg(command(4)));
  expect(n((await fourth.next()).body)).toBe(4);
});

it('counts bytes and requests', async () => {
  await using running = await start();
  const client = await running.connect();
  const request = opMsg(command(1));
  client.send(request);
  const { whole } = await client.next();
  client.destroy();
  await until(() => running.server.counters().connections === 0, 'the client is gone');
  expect(running.server.counters()).toEqual({
    connections: 0,
    totalConnections: 1,
    bytesIn: request.length,
    bytesOut: whole.length,
    requests: 1,
  });
});

describe('closing', () => {
  it('before listening, and twice, does no harm', async () => {
    const server = serverAt('127.0.0.1', 0);
    await server.close();
    await server.close();
    await using running = await start();
    await Promise.all([running.server.close(), running.server.close()]);
  });

  it('hangs up on idle clients at once and takes no new ones', async () => {
    await using running = await start();
    const client = await running.connect();
    client.send(opMsg(command(1)));
    await client.next();
    const closed = running.server.close();
    await client.end();
    client.socket.end();
    await closed;
    await expect(running.connect()).rejects.toThrow('ECONNREFUSED');
  });

  it('finishes what was taken', async () => {
    const gate = deferred();
    await using running = await start(async (body, sent, connection) => {
      await gate.promise;
      return sent.signal.aborted ? doc({ ok: 0 }) : echo(body, sent, connection);
    });
    const client = await running.connect();
    client.send(Buffer.concat([1, 2, 3].map((at) => opMsg(command(at)))));
    await until(() => running.server.counters().requests === 1, 'the first is taken');
    const closed = running.server.close();
    client.send(opMsg(command(4)));
    gate.resolve();
    for (const at of [1, 2, 3]) expect(n((await client.next()).body)).toBe(at);
    expect(await client.end()).toHaveLength(0);
    client.socket.end();
    await closed;
    expect(running.server.counters().connections).toBe(0);
  });

  it('cuts a stream of replies, which has no end', async () => {
    await using running = await start(async (_, sent) => {
      await new Promise((resolve) => sent.signal.addEventListener('abort', resolve));
      return { body: errorReply(sent.signal.reason), next: sent };
    });
    const client = await running.connect();
    client.send(opMsg(command(1), { flags: 0x1_0000 }));
    await until(() => running.server.counters().requests === 1, 'the stream waits');
    const closed = running.server.close();
    const answer = await client.next();
    expect(decode(answer.body).get('codeName')).toBe('InterruptedAtShutdown');
    expect(answer.flags).toBe(0);
    await client.end();
    client.socket.end();
    await closed;
  });

  it('tells a command that takes too long to give up, and sends its answer', async () => {
    const clock = new VirtualClock();
    await using running = await start(
      async (_, { signal }) => {
        await new Promise((resolve) => signal.addEventListener('abort', resolve));
        return { body: errorReply(signal.reason), next: undefined };
      },
      { env: { ...testEnv, clock } },
    );
    const client = await running.connect();
    client.send(Buffer.concat([opMsg(command(1)), opMsg(command(2))]));
    await until(() => running.server.counters().requests === 1, 'the command runs');
    const closed = running.server.close();
    await clock.advance(SHUTDOWN_GRACE_MS - 1);
    expect(client.ended).toBe(false);
    await clock.advance(1);
    expect(decode((await client.next()).body).get('codeName')).toBe('InterruptedAtShutdown');
    expect(await client.end()).toHaveLength(0);
    client.socket.end();
    await closed;
    expect(running.server.counters().requests).toBe(1);
  });

  it('cuts off what does not even give up', async () => {
    const clock = new VirtualClock();
    const stuck = deferred();
    await using running = await start(() => stuck.promise.then(() => doc({})), { env: { ...testEnv, clock } });
    const client = await running.connect();
    client.send(opMsg(command(1)));
    await until(() => running.server.counters().requests === 1, 'the command runs');
    const closed = running.server.close();
    await clock.advance(SHUTDOWN_GRACE_MS);
    await clock.advance(ABORT_GRACE_MS);
    await closed;
    await client.end();
    stuck.resolve();
  });

  it('cuts off a client that does not hang up after the last reply', async () => {
    const clock = new VirtualClock();
    await using running = await start(echo, { env: { ...testEnv, clock } });
    const client = await running.connect();
    client.send(opMsg(command(1), { flags: 4 }));
    await client.end();
    expect(running.server.counters().connections).toBe(1);
    client.send(Buffer.alloc(100_000));
    await until(() => running.server.counters().bytesIn > 100_000, 'what it still sends is thrown away');
    await clock.advance(1_000);
    await until(() => running.server.counters().connections === 0, 'it is cut off');
  });
});

import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { WebSocketServer } from 'ws';
import { systemEnv } from '../../../src/base/index.ts';
import { socketGateway } from '../../../src/discord/gateway-socket.ts';
import { type DiscordStore, openDiscordStore } from '../../../src/discord/index.ts';
import { Emulator, type EmulatorServer, MemoryDisk, serveEmulator } from '../../../src/emulator/index.ts';
import type { StoreEvent } from '../../../src/store/index.ts';

/** What a connection told, and a promise of its close code. */
function connect(url: string, secure: boolean) {
  const payloads: unknown[] = [];
  let link: ReturnType<ReturnType<typeof socketGateway>> | undefined;
  const closed = new Promise<number>((resolve) => {
    link = socketGateway(secure)(url, { received: (payload) => void payloads.push(payload), closed: resolve });
  });
  return { payloads, closed, link: link! };
}

describe('over real sockets', () => {
  const env = systemEnv();
  let emulator: Emulator;
  let server: EmulatorServer;
  let store: DiscordStore;
  const events: StoreEvent[] = [];
  let heard: (() => void) | undefined;

  const until = async (condition: () => boolean) => {
    while (!condition()) {
      await new Promise<void>((resolve) => {
        heard = resolve;
      });
    }
  };

  beforeEach(async () => {
    emulator = await Emulator.open({ env, disk: new MemoryDisk(), limits: 'off' });
    server = await serveEmulator(emulator, env, { port: 0 });
    const { token, guildId } = emulator.credentials();
    store = await openDiscordStore({ tokens: [token], guildIds: [guildId], env, apiUrl: `${server.url}/api/v10` });
    events.length = 0;
    store.watch((event) => {
      events.push(event);
      heard?.();
    });
    await until(() => events.some(({ kind }) => kind === 'connected'));
  });
  afterEach(async () => {
    await store.close();
    await server.close();
    await emulator.close();
  });

  test('events come through the zlib stream, small and large ones', async () => {
    const { id } = await store.createChannel({ name: 'things', kind: 'text', topic: 't' });
    for (const [nonce, content] of [
      ['1', 'x'],
      ['2', 'y'.repeat(2000)],
      ['3', 'z'],
    ] as const) {
      await store.append(id, () => ({ content, files: [], nonce }));
    }
    const created = () => events.filter(({ kind }) => kind === 'created');
    await until(() => created().length === 3);
    expect(created()).toMatchObject([{ channel: id, own: true }, { own: true }, { own: true }]);
  });

  test('a broken connection is taken up again with what was missed', async () => {
    const { id } = await store.createChannel({ name: 'things', kind: 'text', topic: 't' });
    emulator.setFaults([{ kind: 'gateway-disconnect', times: 1 }]);
    for (const nonce of ['1', '2', '3']) await store.append(id, () => ({ content: nonce, files: [], nonce }));
    await until(() => events.filter(({ kind }) => kind === 'created').length === 3);
    await until(() => events.filter(({ kind }) => kind === 'connected').length === 2);
    expect(events.map(({ kind }) => kind)).not.toContain('gap');
  });
});

test('the token goes over TLS, or nowhere', async () => {
  const { payloads, closed } = connect('ws://127.0.0.1:9', true);
  expect(await closed).toBe(1006);
  expect(payloads).toEqual([]);
  expect(await connect('http://127.0.0.1:9', false).closed).toBe(1006);
});

test('what is no zlib stream ends the connection', async () => {
  const sockets = new WebSocketServer({ host: '127.0.0.1', port: 0 });
  sockets.on('connection', (socket) =>
    socket.send(Buffer.from('hello, this is no deflate \x00\x00\xff\xff', 'latin1')),
  );
  await new Promise((resolve) => sockets.once('listening', resolve));
  const { port } = sockets.address() as AddressInfo;
  const { payloads, closed } = connect(`ws://127.0.0.1:${port}`, false);
  expect(await closed).toBe(1006);
  expect(payloads).toEqual([]);
  await new Promise((resolve) => sockets.close(resolve));
});

test('an address where nobody listens is a closed connection', async () => {
  const sockets = new WebSocketServer({ host: '127.0.0.1', port: 0 });
  await new Promise((resolve) => sockets.once('listening', resolve));
  const { port } = sockets.address() as AddressInfo;
  await new Promise((resolve) => sockets.close(resolve));
  expect(await connect(`ws://127.0.0.1:${port}`, false).closed).toBe(1006);
});

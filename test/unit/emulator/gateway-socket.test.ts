import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { constants, createInflate } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { CLOSE, OP, type Payload } from '../../../src/emulator/gateway-protocol.ts';
import { type GatewayServer, serveGateway } from '../../../src/emulator/gateway-socket.ts';
import { ALL_INTENTS } from './gateway-client.ts';
import { GatewayWorld } from './gateway-world.ts';

let world: GatewayWorld;
let server: Server;
let gateway: GatewayServer;
let base: string;

beforeEach(async () => {
  world = await GatewayWorld.open();
  server = createServer();
  gateway = serveGateway(server, world.gateway);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  base = `ws://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterEach(() => {
  gateway.close();
  server.close();
});

/** Every payload that a socket brings, plain or deflated, in order. */
async function* payloads(socket: WebSocket, isDeflated: boolean): AsyncGenerator<Payload> {
  const inflate = createInflate({ finishFlush: constants.Z_SYNC_FLUSH });
  const texts: string[] = [];
  let wake = () => {};
  const deliver = (text: string) => {
    texts.push(text);
    wake();
  };
  socket.on('message', (data: Buffer, isBinary) => {
    expect(isBinary).toBe(isDeflated);
    if (!isDeflated) deliver(data.toString());
    else inflate.write(data, () => deliver(String(inflate.read())));
  });
  for (;;) {
    while (texts.length > 0) yield JSON.parse(texts.shift()!) as Payload;
    await new Promise<void>((resolve) => {
      wake = resolve;
    });
  }
}

function identify(socket: WebSocket): void {
  const d = { token: world.token, intents: ALL_INTENTS, properties: {} };
  socket.send(JSON.stringify({ op: OP.identify, d }));
}

describe.each([
  ['plain', '', false],
  ['zlib-stream', '&compress=zlib-stream', true],
])('a %s connection', (_name, query, isDeflated) => {
  test('identifies, hears events, and is told why it is closed', async () => {
    const socket = new WebSocket(`${base}/?v=10&encoding=json${query}`);
    const heard = payloads(socket, isDeflated);
    const next = async () => (await heard.next()).value as Payload;
    expect((await next()).op).toBe(OP.hello);
    identify(socket);
    expect([(await next()).t, (await next()).t]).toEqual(['READY', 'GUILD_CREATE']);
    await world.post('x'.repeat(1500));
    expect(await next()).toMatchObject({ t: 'MESSAGE_CREATE', s: 3, d: { content: 'x'.repeat(1500) } });
    const closed = once(socket, 'close');
    identify(socket);
    const [code, reason] = (await closed) as [number, Buffer];
    expect([code, reason.toString()]).toEqual([CLOSE.alreadyAuthenticated, 'Already authenticated.']);
  });
});

test.each([
  ['/?v=10&encoding=etf', 400],
  ['/?v=10&encoding=json&compress=zstd-stream', 400],
  ['/elsewhere?v=10', 404],
  ['//[', 404],
])('an upgrade to %s is refused with %i', async (path, status) => {
  const headers = {
    connection: 'upgrade',
    upgrade: 'websocket',
    'sec-websocket-version': '13',
    'sec-websocket-key': 'AAAAAAAAAAAAAAAAAAAAAA==',
  };
  const { hostname, port } = new URL(base);
  const asked = request({ hostname, port, path, headers }).end();
  const [answer] = (await once(asked, 'response')) as [IncomingMessage];
  answer.resume();
  expect(answer.statusCode).toBe(status);
});

test('a message too big for any gateway payload ends the connection alone', async () => {
  const [big, small] = [new WebSocket(`${base}/?v=10`), new WebSocket(`${base}/?v=10`)];
  await Promise.all([once(big, 'message'), once(small, 'message')]);
  big.send('x'.repeat(100_000));
  const [code] = (await once(big, 'close')) as [number];
  expect(code).toBe(1009);
  expect(small.readyState).toBe(WebSocket.OPEN);
});

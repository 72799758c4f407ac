import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { constants, createDeflate } from 'node:zlib';
import { type WebSocket, WebSocketServer } from 'ws';
import type { Gateway } from './gateway.ts';
import type { GatewayConnection } from './gateway-connection.ts';
import { CLOSE_REASON, type CloseCode, type GatewayLink, type Payload } from './gateway-protocol.ts';

/** Bigger than any payload the gateway takes, so that it can answer with its own close code. */
const MAX_MESSAGE_BYTES = 64 * 1024;

/** A client that reads so slowly that this much waits for it loses its connection (not its session). */
const MAX_BACKLOG_BYTES = 32 * 1024 * 1024;

/** Paths that a gateway URL may have. */
const PATHS = ['/', '/gateway', '/gateway/'];

/** The transport compressions we speak. */
const COMPRESSIONS = [null, '', 'zlib-stream'];

export interface GatewayServer {
  /** Drops every connection and stops taking new ones. The HTTP server is its owner's to close. */
  close(): void;
}

/** Serves the gateway's WebSockets on an HTTP server: `ws://host:port/?v=10&encoding=json[&compress=zlib-stream]`. */
export function serveGateway(server: Server, gateway: Gateway): GatewayServer {
  const sockets = new WebSocketServer({ noServer: true, maxPayload: MAX_MESSAGE_BYTES, perMessageDeflate: false });
  const onUpgrade = (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    const [path = '', search] = (request.url ?? '/').split('?', 2);
    const query = new URLSearchParams(search);
    const refusal = refuse(path, query);
    if (refusal) {
      socket.end(`HTTP/1.1 ${refusal}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
      return;
    }
    sockets.handleUpgrade(request, socket, head, (client) => join(gateway, client, query));
  };
  server.on('upgrade', onUpgrade);
  return {
    close() {
      server.off('upgrade', onUpgrade);
      gateway.close();
      for (const client of sockets.clients) client.terminate();
      sockets.close();
    },
  };
}

/** The status line for an upgrade that we do not serve. */
function refuse(path: string, query: URLSearchParams): string | undefined {
  if (!PATHS.includes(path)) return '404 Not Found';
  if ((query.get('encoding') ?? 'json') !== 'json') return '400 Unsupported encoding';
  if (!COMPRESSIONS.includes(query.get('compress'))) return '400 Unsupported compression';
  return undefined;
}

function join(gateway: Gateway, client: WebSocket, query: URLSearchParams): void {
  const link = query.get('compress') === 'zlib-stream' ? zlibLink(client) : plainLink(client);
  const connection: GatewayConnection = gateway.connect(link, query.get('v') ?? '');
  client.on('message', (data) => connection.receive(data.toString()));
  client.on('close', (code) => connection.closed(code));
  // 'close' follows every 'error', and says all that the gateway wants to know.
  client.on('error', () => {});
}

function plainLink(client: WebSocket): GatewayLink {
  return {
    send: (payload) => transmit(client, JSON.stringify(payload)),
    close: (code) => client.close(code, CLOSE_REASON[code]),
  };
}

/** What a sync flush ends with, and so every payload. */
const FLUSH_END = Buffer.from([0x00, 0x00, 0xff, 0xff]);

/** One deflate stream for the connection, one WebSocket message for each payload. */
function zlibLink(client: WebSocket): GatewayLink {
  const deflate = createDeflate();
  let message = Buffer.alloc(0);
  deflate.on('data', (chunk: Buffer) => {
    message = Buffer.concat([message, chunk]);
    if (!message.subarray(-FLUSH_END.length).equals(FLUSH_END)) return;
    transmit(client, message);
    message = Buffer.alloc(0);
  });
  client.on('close', () => deflate.destroy());
  return {
    send(payload: Payload) {
      deflate.write(JSON.stringify(payload));
      deflate.flush(constants.Z_SYNC_FLUSH);
    },
    close(code: CloseCode) {
      deflate.flush(constants.Z_SYNC_FLUSH, () => client.close(code, CLOSE_REASON[code]));
    },
  };
}

function transmit(client: WebSocket, data: string | Buffer): void {
  if (client.bufferedAmount > MAX_BACKLOG_BYTES) client.terminate();
  else if (client.readyState === client.OPEN) client.send(data);
}

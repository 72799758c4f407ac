import { constants, createInflate } from 'node:zlib';
import { WebSocket } from 'ws';
import type { GatewayLink, GatewayListener, OpenGateway } from './gateway-link.ts';

/** Larger than any payload of Discord's, GUILD_CREATE of a full server included. */
const MAX_PAYLOAD_BYTES = 32 * 1024 * 1024;
const HANDSHAKE_MS = 15_000;
/** What a payload of a `zlib-stream` ends with (docs: events/gateway.mdx, "Transport Compression"). */
const FLUSH_END = Buffer.from([0x00, 0x00, 0xff, 0xff]);
/** The code that stands for a connection without a closing handshake (RFC 6455). */
const BROKEN = 1006;

/**
 * Gateway connections over WebSockets, compressed as one zlib stream each. `secure`: only over TLS, because the token goes
 * this way, also to the address that a session says it wants to be resumed at.
 */
export function socketGateway(secure: boolean): OpenGateway {
  return (address, listener) => {
    const url = new URL(address);
    if (url.protocol !== 'wss:' && (secure || url.protocol !== 'ws:')) return refused(listener);
    url.search = new URLSearchParams({ v: '10', encoding: 'json', compress: 'zlib-stream' }).toString();
    return connect(url, listener);
  };
}

function connect(url: URL, listener: GatewayListener): GatewayLink {
  const socket = new WebSocket(url, { maxPayload: MAX_PAYLOAD_BYTES, handshakeTimeout: HANDSHAKE_MS });
  let ended = false;
  const inflate = inflater(
    (text) => {
      if (!ended) listener.received(parse(text));
    },
    () => socket.terminate(),
  );
  const end = (code: number) => {
    if (ended) return;
    ended = true;
    inflate.close();
    listener.closed(code);
  };
  socket.on('message', (data) => inflate.write(toBuffer(data)));
  socket.on('close', end);
  // 'close' follows every 'error', and says all that matters.
  socket.on('error', () => {});
  return {
    send: (payload) => {
      if (socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify(payload));
    },
    close(code) {
      // A broken way would hold the closing handshake up; nobody waits for it.
      if (socket.readyState === WebSocket.OPEN) socket.close(code);
      else socket.terminate();
    },
  };
}

interface Inflater {
  write(chunk: Buffer): void;
  close(): void;
}

/** One inflate context for a connection. `whole` gets the text of each payload; `broken` hears of what is no such stream. */
function inflater(whole: (text: string) => void, broken: () => void): Inflater {
  const stream = createInflate({ flush: constants.Z_SYNC_FLUSH });
  let bytes = 0;
  let chunks: Buffer[] = [];
  stream.on('error', broken);
  stream.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > MAX_PAYLOAD_BYTES) stream.destroy(new Error('a payload of the gateway is too large'));
    else chunks.push(chunk);
  });
  return {
    write(chunk) {
      const ends = chunk.subarray(-FLUSH_END.length).equals(FLUSH_END);
      stream.write(chunk, (error) => {
        if (!ends || error || stream.destroyed) return;
        const text = Buffer.concat(chunks).toString();
        chunks = [];
        bytes = 0;
        whole(text);
      });
    },
    close: () => stream.destroy(),
  };
}

/** An unreadable payload is handed on as what it is: no object. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function toBuffer(data: Buffer | ArrayBuffer | Buffer[]): Buffer {
  if (Array.isArray(data)) return Buffer.concat(data);
  return Buffer.isBuffer(data) ? data : Buffer.from(data);
}

/** A link to nowhere. */
function refused(listener: GatewayListener): GatewayLink {
  queueMicrotask(() => listener.closed(BROKEN));
  return { send() {}, close() {} };
}

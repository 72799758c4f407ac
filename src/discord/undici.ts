import { Readable } from 'node:stream';
import { Agent } from 'undici';
import type { Transport } from './transport.ts';

/** Connections per origin. Discord's global budget of 50 a second over round trips of 100 ms keeps about five busy. */
const CONNECTIONS = 8;
/** Requests on one connection at a time. undici pipelines GETs and DELETEs only, and never behind a streamed body. */
const PIPELINING = 2;
const KEEP_ALIVE_MS = 30_000;
const CONNECT_TIMEOUT_MS = 10_000;
/** Larger than any attachment that DiscoDB writes or message page that Discord sends. */
const MAX_REPLY_BYTES = 64 * 1024 * 1024;

export interface SocketTransport {
  readonly transport: Transport;
  close(): Promise<void>;
}

/** HTTP/1.1 over kept-alive, pipelined (TLS) connections. Deadlines come through each request's signal. */
export function undiciTransport(): SocketTransport {
  const agent = new Agent({
    connections: CONNECTIONS,
    pipelining: PIPELINING,
    keepAliveTimeout: KEEP_ALIVE_MS,
    connect: { timeout: CONNECT_TIMEOUT_MS },
    maxResponseSize: MAX_REPLY_BYTES,
    headersTimeout: 0,
    bodyTimeout: 0,
  });
  const transport: Transport = async (request, signal) => {
    const url = new URL(request.url);
    const reply = await agent.request({
      origin: url.origin,
      path: url.pathname + url.search,
      method: request.method,
      headers: { ...request.headers, ...contentLength(request.body) },
      body: bodyOf(request.body),
      signal,
    });
    const headers: Record<string, string> = {};
    for (const [name, value] of Object.entries(reply.headers)) {
      if (value !== undefined) headers[name.toLowerCase()] = Array.isArray(value) ? value.join(', ') : value;
    }
    return { status: reply.statusCode, headers, body: await reply.body.bytes() };
  };
  return { transport, close: () => agent.destroy() };
}

function contentLength(body: readonly Uint8Array[] | undefined): Record<string, string> {
  if (!body) return {};
  return { 'content-length': String(body.reduce((sum, chunk) => sum + chunk.length, 0)) };
}

function bodyOf(body: readonly Uint8Array[] | undefined): Uint8Array | Readable | null {
  if (!body || body.length === 0) return null;
  return body.length === 1 ? body[0]! : Readable.from(body);
}

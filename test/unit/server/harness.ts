import { type CodedError, type Env, seededRandom, silentLog, systemClock } from '../../../src/base/index.ts';
import { type Doc, decode, doc, encode } from '../../../src/bson/index.ts';
import type { Connection, Dispatcher, Message, Reply } from '../../../src/commands/index.ts';
import { Server, type ServerOptions } from '../../../src/server/index.ts';
import { WireClient } from '../../support/wire-client.ts';
import { int32 } from '../../support/wire-messages.ts';

export const testEnv: Env = { clock: systemClock, random: seededRandom(1), log: silentLog };

/** An error document that tells only what these tests look at. */
export function errorReply(error: CodedError): Uint8Array {
  return encode(doc({ ok: 0, codeName: error.codeName, errmsg: error.message }));
}

export type Handler = (body: Doc, message: Message, connection: Connection) => Promise<Reply | Doc> | Reply | Doc;

/** A dispatcher of one function, which answers with a document or a whole Reply. */
export function dispatcherOf(handler: Handler): Dispatcher {
  return {
    async dispatch(message, connection) {
      const answer = await handler(decode(message.body), message, connection);
      return answer instanceof Map ? { body: encode(answer), next: undefined } : answer;
    },
    async close() {},
  };
}

/** Answers `{ok: 1, n: <n of the command>}`. */
export const echo: Handler = (body) => doc({ ok: 1, n: body.get('n') });

export interface Running {
  readonly server: Server;
  readonly address: string;
  connect(): Promise<WireClient>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** A server on a free port of 127.0.0.1. Disposing of it cuts its clients and waits until all are gone. */
export async function start(handler: Handler = echo, options: Partial<ServerOptions> = {}): Promise<Running> {
  const server = new Server({ env: testEnv, host: '127.0.0.1', port: 0, errorReply, ...options });
  const address = await server.listen(dispatcherOf(handler));
  const clients: WireClient[] = [];
  return {
    server,
    address,
    async connect() {
      const client = await WireClient.connect(address);
      clients.push(client);
      return client;
    },
    async [Symbol.asyncDispose]() {
      for (const client of clients) client.destroy();
      await server.close();
    },
  };
}

/** Below the time that a test gets, so that the message is seen. */
const UNTIL_MS_MAX = 4_500;

/** Polls a condition with turns of the event loop, and fails the test when it never holds. */
export async function until(condition: () => boolean, what: string): Promise<void> {
  const deadline = performance.now() + UNTIL_MS_MAX;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`it never came to pass: ${what}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

export function command(n: number, more: Record<string, unknown> = {}): Uint8Array {
  return encode(doc({ echo: 1, n, $db: 'test', ...more }));
}

/** `{n, bulk: <size bytes>}`, put together by hand. */
export function bulky(n: number, size: number): Uint8Array {
  const head = encode(doc({ n })).subarray(0, -1);
  const field = Buffer.from('\x05bulk\0', 'latin1');
  const whole = Buffer.concat([head, field, int32(size), Buffer.alloc(size + 2)]);
  whole.writeInt32LE(whole.length);
  return whole;
}

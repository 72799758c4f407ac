import type { Server } from 'node:http';
import fastify, { type FastifyReply, type FastifyRequest } from 'fastify';
import { MAX_REQUEST_BYTES } from './body.ts';
import { apiError } from './errors.ts';
import { type ApiReply, type ApiRequest, type EmulatorCore, LostReplyError } from './types.ts';

export interface HttpOptions {
  readonly host?: string;
  /** 0 takes a free one. */
  readonly port: number;
}

export interface EmulatorServer {
  /** `http://127.0.0.1:port`, without `/api/v10`. */
  readonly url: string;
  /** Where a gateway attaches its `upgrade` listener. */
  readonly server: Server;
  close(): Promise<void>;
}

/** Puts the emulator behind a socket, and tells it the address that its links begin with. */
export async function listen(emulator: EmulatorCore, options: HttpOptions): Promise<EmulatorServer> {
  const app = fastify({
    logger: false,
    bodyLimit: MAX_REQUEST_BYTES,
    forceCloseConnections: true,
    exposeHeadRoutes: false,
  });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
  app.setErrorHandler((error: { statusCode?: number }, _request, reply) => {
    if (error.statusCode !== 413) throw error;
    const refusal = apiError('tooLarge');
    return reply.code(refusal.status).header('content-type', 'application/json').send(JSON.stringify(refusal.body));
  });
  app.all('/*', async (request, reply) => {
    try {
      return send(reply, await emulator.handle(toApiRequest(request)));
    } catch (error) {
      if (!(error instanceof LostReplyError)) throw error;
      reply.hijack();
      request.raw.socket.destroy();
      return reply;
    }
  });
  const url = await app.listen({ host: options.host ?? '127.0.0.1', port: options.port });
  emulator.publicUrl = url;
  return { url, server: app.server, close: () => app.close() };
}

function toApiRequest(request: FastifyRequest): ApiRequest {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(request.headers)) {
    if (value !== undefined) headers[name] = Array.isArray(value) ? value.join(', ') : value;
  }
  const body = Buffer.isBuffer(request.body) ? request.body : new Uint8Array();
  return { method: request.method, path: request.raw.url ?? '/', headers, body, remote: request.ip };
}

function send(reply: FastifyReply, { status, headers, body }: ApiReply): FastifyReply {
  const hasBody = body.length > 0;
  return reply
    .code(status)
    .headers(headers)
    .send(hasBody ? Buffer.from(body.buffer, body.byteOffset, body.length) : undefined);
}

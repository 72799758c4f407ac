import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { type SocketTransport, undiciTransport } from '../../../src/discord/undici.ts';

const open: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const close of open.splice(0)) await close();
});

async function serve(listener: RequestListener): Promise<{ url: string; server: Server; sockets: SocketTransport }> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const sockets = undiciTransport();
  open.push(async () => {
    await sockets.close();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, server, sockets };
}

const signal = () => new AbortController().signal;

test('carries a body of many chunks, and the reply with headers in lower case, over kept connections', async () => {
  let connections = 0;
  const { url, server, sockets } = await serve(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const body = Buffer.concat(chunks).toString();
    response.setHeader('X-RateLimit-Limit', '5');
    response.end(
      JSON.stringify({ url: request.url, method: request.method, length: request.headers['content-length'], body }),
    );
  });
  server.on('connection', () => {
    connections += 1;
  });
  for (let round = 0; round < 3; round++) {
    const body = ['one ', 'two ', 'three'].map((text) => Buffer.from(text));
    const headers = { 'content-type': 'text/plain' };
    const reply = await sockets.transport({ method: 'POST', url: `${url}/a?b=c`, headers, body }, signal());
    expect(reply.status).toBe(200);
    expect(reply.headers['x-ratelimit-limit']).toBe('5');
    expect(JSON.parse(Buffer.from(reply.body).toString())).toEqual({
      url: '/a?b=c',
      method: 'POST',
      length: '13',
      body: 'one two three',
    });
  }
  expect(connections).toBe(1);
});

test('half a reply, a closed connection and an ended signal are rejections', async () => {
  const { url, sockets } = await serve((request, response) => {
    if (request.url === '/half') {
      response.writeHead(200, { 'content-length': '100' });
      response.write('only this');
      setImmediate(() => response.destroy());
    } else if (request.url === '/closed') request.destroy();
  });
  const get = (path: string, end = signal()) => sockets.transport({ method: 'GET', url: url + path, headers: {} }, end);
  await expect(get('/half')).rejects.toThrow();
  await expect(get('/closed')).rejects.toThrow();
  const controller = new AbortController();
  const silent = get('/silent', controller.signal);
  controller.abort(new Error('enough'));
  await expect(silent).rejects.toThrow('enough');
});

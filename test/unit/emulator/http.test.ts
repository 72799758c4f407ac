import { afterEach, beforeEach, expect, it } from 'vitest';
import { type EmulatorServer, listen } from '../../../src/emulator/http.ts';
import { Fixture, multipart, type Shown } from './fixture.ts';

let discord: Fixture;
let http: EmulatorServer;
let channel: string;

beforeEach(async () => {
  discord = await Fixture.open();
  channel = await discord.channel();
  http = await listen(discord.emulator, { port: 0 });
});

afterEach(() => http.close());

const send = (path: string, init: RequestInit = {}) =>
  fetch(`${http.url}/api/v10${path}`, { ...init, headers: { authorization: `Bot ${discord.token}`, ...init.headers } });

it('serves REST and the CDN on a port of its own', async () => {
  const { bytes, contentType } = multipart({ content: 'hi' }, [{ name: 'a.bin', bytes: Buffer.alloc(300_000, 5) }]);
  const posted = await send(`/channels/${channel}/messages`, {
    method: 'POST',
    body: Buffer.from(bytes),
    headers: { 'content-type': contentType },
  });
  expect([posted.status, posted.headers.get('content-type')]).toEqual([200, 'application/json']);
  const message = (await posted.json()) as Shown;
  const { url } = message.attachments[0]!;
  expect(url.startsWith(`${http.url}/attachments/`)).toBe(true);
  const file = await fetch(url);
  expect(Buffer.compare(Buffer.from(await file.arrayBuffer()), Buffer.alloc(300_000, 5))).toBe(0);
  const deleted = await send(`/channels/${channel}/messages/${message.id}`, { method: 'DELETE' });
  expect([deleted.status, await deleted.text()]).toEqual([204, '']);
});

it('shows limits in headers', async () => {
  discord.emulator.limits = 'discord';
  const answers = [];
  for (let n = 0; n < 6; n++) answers.push(await send(`/channels/${channel}/messages`));
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200, 429]);
  expect(answers[5]!.headers.get('x-ratelimit-remaining')).toBe('0');
  expect(await answers[5]!.json()).toMatchObject({ global: false });
});

it('breaks the connection when a reply is lost', async () => {
  discord.emulator.faults.set([{ kind: 'lose-reply', times: 1 }]);
  const body = JSON.stringify({ content: 'x' });
  const headers = { 'content-type': 'application/json' };
  await expect(send(`/channels/${channel}/messages`, { method: 'POST', body, headers })).rejects.toThrow(
    'fetch failed',
  );
  expect(discord.emulator.messageCount(channel)).toBe(1);
});

it('refuses a request above 25 MiB as Discord does', async () => {
  const body = Buffer.alloc(25 * 1024 * 1024 + 1);
  const refused = await send(`/channels/${channel}/messages`, {
    method: 'POST',
    body,
    headers: { 'content-type': 'x/y' },
  });
  expect([refused.status, await refused.json()]).toMatchObject([413, { code: 40005 }]);
});

it('answers what is no path of ours', async () => {
  expect((await fetch(`${http.url}/elsewhere`)).status).toBe(404);
  expect((await fetch(`${http.url}/api/v10/%zz`)).status).toBeLessThan(500);
  expect((await send('/users/@me', { method: 'HEAD' })).status).toBe(405);
});

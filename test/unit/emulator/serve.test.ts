import { expect, test } from 'vitest';
import { seededRandom, silentLog, VirtualClock } from '../../../src/base/index.ts';
import { MemoryDisk } from '../../../src/emulator/disk.ts';
import { Emulator } from '../../../src/emulator/emulator.ts';
import { CLOSE } from '../../../src/emulator/gateway-protocol.ts';
import { CONCURRENCY_WINDOW_MS, IDENTIFY_TOTAL } from '../../../src/emulator/identify-budget.ts';
import { openGateway, serveEmulator } from '../../../src/emulator/serve.ts';
import { GatewayClient } from './gateway-client.ts';

async function open() {
  const env = { clock: new VirtualClock(), random: seededRandom(3), log: silentLog };
  return { env, emulator: await Emulator.open({ env, disk: new MemoryDisk(), limits: 'discord' }) };
}

async function sessionStartLimit(emulator: Emulator): Promise<unknown> {
  const headers = { authorization: `Bot ${emulator.credentials().token}`, 'user-agent': 'DiscordBot (test, 1)' };
  const request = { method: 'GET', path: '/api/v10/gateway/bot', headers, body: new Uint8Array() };
  const { body } = await emulator.handle(request);
  return JSON.parse(Buffer.from(body).toString()).session_start_limit;
}

test('GET /gateway/bot tells what the gateway counts', async () => {
  const { env, emulator } = await open();
  const gateway = openGateway(emulator, env);
  new GatewayClient(gateway).identify(emulator.credentials().token);
  await env.clock.advance(1000);
  expect(await sessionStartLimit(emulator)).toEqual({
    total: IDENTIFY_TOTAL,
    remaining: IDENTIFY_TOTAL - 1,
    reset_after: 24 * 60 * 60 * 1000 - 1000,
    max_concurrency: 1,
  });
});

test('a bot that identifies too often in a day loses its token', async () => {
  const { env, emulator } = await open();
  const gateway = openGateway(emulator, env);
  const { token } = emulator.credentials();
  for (let count = 0; count <= IDENTIFY_TOTAL; count++) {
    const client = new GatewayClient(gateway);
    client.identify(token);
    expect(client.closedWith).toBe(count < IDENTIFY_TOTAL ? undefined : CLOSE.authenticationFailed);
    client.hangUp(CLOSE.normal);
    await env.clock.advance(CONCURRENCY_WINDOW_MS);
  }
  expect(emulator.botByToken(token)).toBeUndefined();
  expect(emulator.credentials().token).not.toBe(token);
});

test('a served emulator shows its page over HTTP', async () => {
  const { env, emulator } = await open();
  const server = await serveEmulator(emulator, env, { port: 0 });
  try {
    const answer = await fetch(`${server.url}/_emulator/`);
    expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
    expect(await answer.text()).toContain('<!doctype html>');
  } finally {
    await server.close();
    await emulator.close();
  }
});

import { describe, expect, test } from 'vitest';
import { sleep } from '../../../src/base/index.ts';
import { GatewayClient } from '../../../src/discord/gateway-client.ts';
import { IDENTIFIES_PER_DAY, IDENTIFY_RESERVE, STABLE_MS } from '../../../src/discord/identify-budget.ts';
import { inVirtualTime, TOKEN, type World } from './fake-discord.ts';
import { type FakeConnection, FakeGateway } from './fake-gateway.ts';

const DAY_MS = 24 * 60 * 60_000;
const MINUTE_MS = 60_000;

interface Run {
  readonly world: World;
  readonly gateway: FakeGateway;
  readonly client: GatewayClient;
  /** What was told, in order: `connected`, `gap`, or an event's name. */
  readonly told: string[];
  readonly limit: { remaining: number; resetAfterMs: number };
  readonly end: Promise<number | undefined>;
}

function start(world: World, script: (connection: FakeConnection, at: number) => void): Run {
  const gateway = new FakeGateway(world, script);
  const told: string[] = [];
  const limit = { remaining: 1000, resetAfterMs: 0 };
  const client = new GatewayClient({
    env: world.env,
    token: TOKEN,
    open: gateway.open,
    gatewayBot: async () => ({ url: 'wss://gateway.test', limit }),
    dispatch: (type) => void told.push(type),
    connected: () => void told.push('connected'),
    gap: () => void told.push('gap'),
  });
  return { world, gateway, client, told, limit, end: client.run() };
}

function client(
  script: (connection: FakeConnection, at: number) => void,
  play: (run: Run) => Promise<void>,
): () => Promise<void> {
  return inVirtualTime(async (world) => {
    const run = start(world, script);
    await play(run);
    run.client.close();
    await run.end;
  });
}

function greet(connection: FakeConnection): void {
  connection.hello();
  if (connection.ops.includes(6)) connection.resumed();
  else connection.ready();
}

const identifies = ({ gateway }: Run) => gateway.connections.filter(({ ops }) => ops.includes(2)).length;
const rest = ({ world }: Run, ms: number) => sleep(world.clock, ms);

describe('the gateway client', () => {
  test(
    'resumes at once at the address of its session, and misses nothing',
    client(greet, async (run) => {
      await rest(run, 100);
      run.gateway.last.close(1006);
      await rest(run, 100);
      expect(run.gateway.connections.map(({ url }) => url)).toEqual(['wss://gateway.test', 'wss://resume.test']);
      expect(identifies(run)).toBe(1);
      expect(run.told).toEqual(['connected', 'connected']);
    }),
  );

  test(
    'says that there is a gap, once, when its session is lost',
    client(
      (connection, at) => {
        connection.hello();
        if (at === 1) connection.say({ op: 9, d: false });
        else connection.ready();
      },
      async (run) => {
        await rest(run, 100);
        run.gateway.last.close(1006);
        await rest(run, MINUTE_MS / 3);
        expect(run.told).toEqual(['connected', 'gap', 'connected']);
        expect(run.gateway.connections.map(({ ops }) => ops[0])).toEqual([2, 6, 2]);
      },
    ),
  );

  test(
    'gives a session up when the address of it does not answer, and begins another',
    client(
      (connection) => {
        if (connection.url === 'wss://resume.test') connection.close(1006);
        else greet(connection);
      },
      async (run) => {
        await rest(run, 100);
        run.gateway.last.close(1006);
        await rest(run, MINUTE_MS);
        expect(identifies(run)).toBe(2);
        expect(run.told).toEqual(['connected', 'gap', 'connected']);
      },
    ),
  );

  test(
    'ends with a final close code',
    inVirtualTime(async (world) => {
      const run = start(world, (connection) => {
        connection.hello();
        connection.close(4014);
      });
      expect(await run.end).toBe(4014);
      expect(run.gateway.connections).toHaveLength(1);
    }),
  );

  test(
    'waits longer and longer for a gateway that nobody answers at, and closes at any time',
    client(
      (connection) => connection.close(1006),
      async (run) => {
        await rest(run, 10 * MINUTE_MS);
        expect(run.gateway.connections.length).toBeGreaterThan(10);
        expect(run.gateway.connections.length).toBeLessThan(60);
        expect(run.told).toEqual([]);
      },
    ),
  );
});

describe('the identify budget', () => {
  test(
    'a session that dies again and again costs few identifies in a day, and never Discord’s thousand',
    client(
      (connection) => {
        connection.hello();
        connection.ready();
        connection.say({ op: 9, d: false });
      },
      async (run) => {
        await rest(run, MINUTE_MS);
        expect(identifies(run)).toBeLessThan(6);
        await rest(run, DAY_MS);
        expect(identifies(run)).toBeGreaterThan(50);
        expect(identifies(run)).toBeLessThanOrEqual(IDENTIFIES_PER_DAY);
      },
    ),
  );

  test(
    'sessions that last just long enough to look good are bounded too',
    client(
      (connection) => {
        greet(connection);
        const beat = setInterval(() => connection.say({ op: 11, d: null }), 10_000);
        setTimeout(() => {
          clearInterval(beat);
          connection.say({ op: 9, d: false });
        }, STABLE_MS);
      },
      async (run) => {
        await rest(run, 3 * DAY_MS);
        expect(identifies(run)).toBeGreaterThan(300);
        expect(identifies(run)).toBeLessThanOrEqual(3 * IDENTIFIES_PER_DAY);
      },
    ),
  );

  test(
    'a process that starts again all day long stops at the reserve',
    inVirtualTime(async (world) => {
      let remaining = 1000;
      const resetAt = DAY_MS;
      const limit = () => ({ remaining, resetAfterMs: resetAt - world.clock.monotonic() });
      for (let process = 0; process < 1200; process++) {
        const gateway = new FakeGateway(world, (connection) => {
          connection.hello();
          remaining -= 1;
        });
        const ignore = () => {};
        const gatewayBot = async () => ({ url: 'wss://gateway.test', limit: limit() });
        const options = { env: world.env, token: TOKEN, open: gateway.open, gatewayBot };
        const crashing = new GatewayClient({ ...options, dispatch: ignore, connected: ignore, gap: ignore });
        const end = crashing.run();
        await sleep(world.clock, 10_000);
        crashing.close();
        await end;
      }
      expect(remaining).toBe(IDENTIFY_RESERVE);
    }),
  );

  test(
    'waits for the reset where Discord’s count is low, asks again then, and goes on',
    client(greet, async (run) => {
      await rest(run, 100);
      Object.assign(run.limit, { remaining: IDENTIFY_RESERVE, resetAfterMs: 30 * MINUTE_MS });
      run.gateway.last.say({ op: 9, d: false });
      await rest(run, 29 * MINUTE_MS);
      expect(identifies(run)).toBe(1);
      Object.assign(run.limit, { remaining: 1000, resetAfterMs: 0 });
      await rest(run, 2 * MINUTE_MS);
      expect(identifies(run)).toBe(2);
    }),
  );
});

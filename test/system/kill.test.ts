import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { MongoClient } from 'mongodb';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { randomInt, seededRandom } from '../../src/base/index.ts';
import { buildOnce, Child, type ChildOptions, temporaryFolder } from '../support/child.ts';

const KILLS = 10;
const WRITERS = 4;
const SEED = 7;
/** "In one second", on a machine that is busy with tests. */
const REFUSAL_MS = 5000;
const READY = /mongodb:\/\/\S+/;

const children: Child[] = [];
beforeAll(buildOnce, 120_000);
afterEach(async () => {
  for (const child of children.splice(0)) await child.kill('SIGKILL');
});

function run(args: readonly string[], options?: ChildOptions): Child {
  const child = new Child(args, options);
  children.push(child);
  return child;
}

function serve(folder: string, ...more: string[]): Child {
  return run(['serve', '--port', '0', '--data-dir', folder, ...more]);
}

/** What one client was told; it alone writes its documents. */
class Writer {
  readonly name: string;
  readonly #random = seededRandom(SEED);
  /** `_id` to how often it was updated. */
  readonly acknowledged = new Map<string, number>();
  /** Documents of a batch, and one update, that were sent and not answered. */
  doubtful: { readonly ids: readonly string[]; readonly update?: string } | undefined;
  #batches = 0;
  writes = 0;

  constructor(name: string) {
    this.name = name;
  }

  /** Writes until the server is gone. */
  async write(uri: string): Promise<void> {
    const client = new MongoClient(uri, { retryWrites: false, serverSelectionTimeoutMS: 500 });
    const things = client.db('kill').collection<{ _id: string; batch: number; n: number }>('things');
    try {
      for (;;) {
        const batch = this.#batches++;
        const count = 1 + randomInt(this.#random, 20);
        const ids = Array.from({ length: count }, (_, index) => `${this.name} ${batch} ${index}`);
        this.doubtful = { ids };
        await things.insertMany(ids.map((_id) => ({ _id, batch, n: 0 })));
        for (const id of ids) this.acknowledged.set(id, 0);
        this.doubtful = { ids: [], update: ids[0]! };
        await things.updateOne({ _id: ids[0]! }, { $inc: { n: 1 } });
        this.acknowledged.set(ids[0]!, 1);
        this.doubtful = undefined;
        this.writes += 2;
      }
    } catch {
      // The server is gone; what was under way is in doubt.
    } finally {
      await client.close();
    }
  }

  /** Compares with what is there, and takes that for the truth from here on. */
  check(found: ReadonlyMap<string, number>): void {
    const { ids = [], update } = this.doubtful ?? {};
    const present = ids.filter((id) => found.has(id));
    expect([0, ids.length], 'a batch is there as a whole or not at all').toContain(present.length);
    for (const [id, n] of this.acknowledged) {
      expect(update === id ? [n, n + 1] : [n], `${id}, which was acknowledged`).toContain(found.get(id));
      this.acknowledged.set(id, found.get(id)!);
    }
    for (const id of present) this.acknowledged.set(id, 0);
    this.doubtful = undefined;
    const own = [...found.keys()].filter((id) => id.startsWith(`${this.name} `));
    expect(own.length, 'nothing that was never written').toBe(this.acknowledged.size);
  }
}

async function contents(uri: string): Promise<Map<string, number>> {
  const client = await new MongoClient(uri).connect();
  const things = client.db('kill').collection<{ _id: string; n: number }>('things');
  const found = new Map<string, number>();
  for await (const { _id, n } of things.find()) found.set(_id, n);
  await client.close();
  return found;
}

test(`killed ${KILLS} times for real, everything acknowledged is there and nothing is half there`, async () => {
  const folder = temporaryFolder();
  const random = seededRandom(SEED);
  const writers = Array.from({ length: WRITERS }, (_, index) => new Writer(`w${index}`));
  const written = () => writers.reduce((sum, { writes }) => sum + writes, 0);
  for (let kill = 0; kill <= KILLS; kill++) {
    const child = serve(folder, '--log-level', 'warn');
    const uri = await child.said(READY);
    const found = await contents(uri);
    for (const writer of writers) writer.check(found);
    if (kill < KILLS) {
      const enough = written() + 20 + randomInt(random, 100);
      const writing = writers.map((writer) => writer.write(uri));
      await expect.poll(written, { timeout: 20_000, interval: 5 }).toBeGreaterThan(enough);
      await child.kill('SIGKILL');
      await Promise.all(writing);
    } else expect(await child.kill('SIGTERM')).toBe(0);
    for (const line of child.stderr.split('\n').filter(Boolean)) expect(JSON.parse(line).level).toBeLessThan(50);
  }
  expect(written()).toBeGreaterThan(KILLS * 20);
}, 180_000);

test('SIGTERM and SIGINT finish what was taken, and exit 0', async () => {
  const folder = temporaryFolder();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    const child = serve(folder);
    const uri = await child.said(READY);
    const client = await new MongoClient(uri, { serverSelectionTimeoutMS: 500 }).connect();
    const things = client.db('stop').collection(signal);
    const told: number[] = [];
    const writing = Array.from({ length: 50 }, async (_, n) => {
      await things.insertOne({ n });
      told.push(n);
    });
    await Promise.race(writing);
    expect(await child.kill(signal)).toBe(0);
    await Promise.allSettled(writing);
    await client.close();
    const again = serve(folder);
    const reader = await new MongoClient(await again.said(READY)).connect();
    const kept = await reader.db('stop').collection(signal).distinct('n');
    expect(kept).toEqual(expect.arrayContaining(told));
    await reader.close();
    await again.kill('SIGTERM');
    expect(child.stdout).toMatch(/^[^\n]*mongodb:\/\/127\.0\.0\.1:\d+\n$/);
    for (const line of child.stderr.split('\n').filter(Boolean)) expect(JSON.parse(line)).toHaveProperty('msg');
  }
}, 60_000);

test('ping tells whether a server is there', async () => {
  const child = serve(temporaryFolder());
  const { port } = new URL(await child.said(READY));
  const good = run(['ping', '--port', port]);
  expect(await good.ended()).toBe(0);
  await child.kill('SIGTERM');
  const bad = run(['ping', '--port', port]);
  expect(await bad.ended()).toBe(1);
  expect(bad.stderr.trim().split('\n')).toHaveLength(1);
}, 60_000);

describe('on an emulator over HTTP', () => {
  let api: string;
  let token: string;
  let guild: string;

  async function emulate(): Promise<void> {
    const emulator = run(['emulate', '--port', '0', '--data-dir', temporaryFolder(), '--limits', 'off']);
    api = await emulator.said(/Discord API: (\S+)\n/);
    token = await emulator.said(/Bot token: +(\S+)\n/);
    guild = await emulator.said(/Guild id: +(\S+)\n/);
  }

  async function admin(method: string, path: string, body: object): Promise<Record<string, string>> {
    const reply = await fetch(new URL(`/_emulator/${path}`, api), { method, body: JSON.stringify(body) });
    expect(reply.status).toBe(200);
    return reply.json() as Promise<Record<string, string>>;
  }

  /** Ends at once with one line that says `what`, and shows no secret. */
  async function refused(what: RegExp, args: readonly string[], secret: string, options?: ChildOptions): Promise<void> {
    const child = run(['serve', '--port', '0', ...args], options);
    expect(await child.ended()).toBe(1);
    expect(performance.now() - child.startedAt).toBeLessThan(REFUSAL_MS);
    const lines = child.stderr.split('\n').filter((line) => line.startsWith('discodb: '));
    expect(lines, child.stderr).toHaveLength(1);
    expect(lines[0]).toMatch(what);
    expect(child.stderr).not.toMatch(/\n\s+at /);
    expect(child.stdout + child.stderr).not.toContain(secret);
  }

  test('serve keeps its data there; token and address come from flags, variables, a file or .env', async () => {
    await emulate();
    const folder = temporaryFolder();
    const tokenFile = join(folder, 'token');
    writeFileSync(tokenFile, `${token}\n`);
    writeFileSync(join(folder, '.env'), `DISCODB_TOKEN=${token}\nDISCODB_GUILD=${guild}\nDISCODB_PORT=0\n`);
    const variables = { DISCODB_TOKEN: token, DISCODB_GUILD: guild, DISCODB_DISCORD_API: api, DISCODB_PORT: '0' };
    const ways: (() => Child)[] = [
      () => run(['serve', '--port', '0', '--discord-api', api, '--token', token, '--guild', guild]),
      () => run(['serve', '--port', '0', '--discord-api', api, '--token-file', tokenFile, '--guild', guild]),
      () => run(['serve'], { env: variables }),
      () => run(['serve', '--discord-api', api], { cwd: folder }),
    ];
    for (const [index, way] of ways.entries()) {
      const child = way();
      const client = await new MongoClient(await child.said(READY)).connect();
      const things = client.db('http').collection('things');
      expect(await things.countDocuments()).toBe(index);
      await things.insertOne({ index });
      await client.close();
      expect(await child.kill('SIGTERM')).toBe(0);
      expect(child.stdout + child.stderr).not.toContain(token);
    }
  }, 60_000);

  test('what a person can mend is said in one line, exit 1', async () => {
    await emulate();
    const on = (given: string, where = guild) => ['--discord-api', api, '--token', given, '--guild', where];
    const wrong = 'MTIzNDU2.wrong.token-of-nobody';
    await refused(/token/i, on(wrong), wrong);
    await refused(/not in a server/i, on(token, '123456789012345678'), token);
    const blind = await admin('POST', 'bots', { guild_ids: [guild], message_content: false });
    await refused(/Message Content Intent/, on(blind.token!), blind.token!);
    const weak = await admin('POST', 'bots', { guild_ids: [guild], permissions: '0' });
    await refused(/permission/i, on(weak.token!), weak.token!);
    const nobody = ['--discord-api', 'http://127.0.0.1:9', '--token', token, '--guild', guild];
    await refused(/does not answer/i, nobody, token);
    await refused(/server was given but no bot token/, ['--guild', guild], token);
    await refused(/--emulator-port/, [...on(token), '--emulator-port', '0'], token);
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port } = taken.address() as { port: number };
    await refused(/cannot listen on 127.0.0.1/, ['--data-dir', temporaryFolder(), '--port', String(port)], token);
    taken.close();
  }, 60_000);
});

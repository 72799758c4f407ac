import { MongoClient } from 'mongodb';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { buildOnce, Child, temporaryFolder } from '../support/child.ts';

const READY = /mongodb:\/\/\S+/;

/** Several processes and one guild: at most one of them may write. */
describe('two servers on one guild', () => {
  let emulator: Child;
  let flags: string[];
  const children: Child[] = [];
  const clients: MongoClient[] = [];

  beforeAll(buildOnce, 120_000);
  beforeEach(async () => {
    emulator = new Child(['emulate', '--port', '0', '--limits', 'off', '--data-dir', temporaryFolder()]);
    const api = await emulator.said(/Discord API: (\S+)/);
    const token = await emulator.said(/Bot token: +(\S+)/);
    const guild = await emulator.said(/Guild id: +(\S+)/);
    flags = ['--port', '0', '--discord-api', api, '--token', token, '--guild', guild];
  });
  afterEach(async () => {
    for (const client of clients.splice(0)) await client.close(true);
    for (const child of children.splice(0)) await child.kill('SIGKILL');
    await emulator.kill('SIGKILL');
  });

  function serve(folder: string, ...more: string[]): Child {
    const child = new Child(['serve', '--data-dir', folder, ...flags, ...more]);
    children.push(child);
    return child;
  }

  async function connect(child: Child): Promise<MongoClient> {
    const uri = await child.said(READY);
    const client = await new MongoClient(uri, { retryWrites: false, serverSelectionTimeoutMS: 5000 }).connect();
    clients.push(client);
    return client;
  }

  test('the second is refused while the first is alive, and let in when it ended', async () => {
    const [here, there] = [temporaryFolder(), temporaryFolder()];
    const first = serve(here);
    const things = (await connect(first)).db('takeover').collection('things');
    await things.insertOne({ by: 'first' });
    const second = serve(there);
    expect(await second.ended()).toBe(1);
    expect(second.stderr).toMatch(/Another DiscoDB owns this Discord server.*--force/s);
    expect(second.stderr).not.toContain('    at ');

    expect(await first.kill('SIGTERM')).toBe(0);
    const third = await connect(serve(there));
    expect(await third.db('takeover').collection('things').countDocuments()).toBe(1);
  });

  test('a killed one is followed at once by one on the same folder', async () => {
    const folder = temporaryFolder();
    const first = serve(folder);
    await (await connect(first)).db('takeover').collection('again').insertOne({ by: 'first' });
    await first.kill('SIGKILL');
    const second = await connect(serve(folder));
    expect(await second.db('takeover').collection('again').countDocuments()).toBe(1);
  });

  test('one that was pushed out answers NotWritablePrimary', async () => {
    const old = await connect(serve(temporaryFolder()));
    const things = old.db('takeover').collection('pushed');
    await things.insertOne({ n: 1 });
    serve(temporaryFolder(), '--force');
    const refused = async () => {
      const error = await things.insertOne({ n: 2 }).catch((thrown: unknown) => thrown);
      return (error as { code?: number }).code;
    };
    await expect.poll(refused, { timeout: 20_000 }).toBe(10107);
  });
});

import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { silentLog, systemEnv } from '../../src/base/index.ts';
import { embed } from '../../src/compose.ts';
import { FileDisk } from '../../src/emulator/index.ts';
import type { ChannelInfo, Message } from '../../src/store/index.ts';
import { runDiscodb } from '../support/run-discodb.ts';
import { startServer } from '../support/server.ts';

const KEY = '42'.repeat(32);
const PEOPLE = 6;

interface Part {
  readonly ns?: string;
  readonly documents: number;
  readonly findings: readonly { kind: string; messageId?: string; fromSeq?: number; text: string }[];
}

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'discodb-check-'));
});
afterAll(() => rm(root, { recursive: true, force: true }));

/** A folder with a database: `test.people`, a message for each document but one, and `test.crowd`, in one file. */
async function prepare(name: string, keys?: string): Promise<string> {
  const folder = join(root, name);
  const server = await startServer({ disk: await FileDisk.open(folder), ...(keys !== undefined && { keys }) });
  const db = (await server.client()).db('test');
  const people = db.collection<{ _id: number; name: string }>('people');
  for (let _id = 1; _id <= PEOPLE; _id++) await people.insertOne({ _id, name: `person ${_id}` });
  await people.updateOne({ _id: 1 }, { $set: { name: 'changed' } });
  await people.deleteOne({ _id: 2 });
  const crowd = Array.from({ length: 300 }, (_, at) => ({ at, text: 'x'.repeat(50) }));
  await db.collection('crowd').insertMany(crowd);
  await server.close();
  return folder;
}

interface Hands {
  channel(name: string): ChannelInfo;
  messages(channel: ChannelInfo): Promise<Message[]>;
  call(method: string, path: string, body?: object): Promise<void>;
}

/** Does to a folder's guild what people, bots and Discord may do. */
async function damage(folder: string, work: (hands: Hands) => Promise<void>): Promise<void> {
  const { emulator, store, close } = await embed(systemEnv(silentLog), {
    disk: await FileDisk.open(folder),
    limits: 'off',
  });
  const all = await store.channels();
  const { token } = emulator.credentials();
  await work({
    channel: (name) => all.find((channel) => channel.kind === 'text' && channel.name === name)!,
    messages: ({ id }) => store.pageAfter(id, 0n, 100, 'read').then((page) => page.reverse()),
    async call(method, path, body) {
      const headers = {
        authorization: `Bot ${token}`,
        'content-type': 'application/json',
        'user-agent': 'DiscordBot (https://example.com, 1)',
      };
      const bytes = Buffer.from(body ? JSON.stringify(body) : '');
      const { status } = await emulator.handle({ method, path: `/api/v10${path}`, headers, body: bytes });
      expect(status, path).toBeLessThan(300);
    },
  });
  await close();
}

async function checked(
  folder: string,
  ...args: string[]
): Promise<{ status: number; problems: number; parts: Part[] }> {
  const { status, stdout, stderr } = await runDiscodb('check', '--data-dir', folder, '--json', ...args);
  expect(stderr).toBe('');
  return { status, ...JSON.parse(stdout) };
}

const kinds = (parts: readonly Part[], ns: string | undefined) =>
  parts.filter((part) => part.ns === ns).flatMap(({ findings }) => findings.map(({ kind }) => kind));

describe('discodb check', () => {
  test('finds nothing wrong with a whole deployment, and writes nothing', async () => {
    const folder = await prepare('whole');
    const before = await readFile(join(folder, 'journal'));
    const { status, stdout, stderr } = await runDiscodb('check', '--data-dir', folder);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toMatch(/^test\.people: 5 documents in 5 records, \d superseded, epoch 1$/m);
    expect(stdout).toMatch(/^test\.crowd: 300 documents in 1 record, 0 superseded, epoch 1$/m);
    expect(stdout).toMatch(/^No problems in 4 channels\.$/m);
    expect(Buffer.compare(await readFile(join(folder, 'journal')), before)).toBe(0);
  });

  test('tells every kind of damage, collection by collection', async () => {
    const folder = await prepare('damaged');
    let removed = 0n;
    await damage(folder, async ({ channel, messages, call }) => {
      const people = channel('people');
      const [, , third, fourth, fifth] = await messages(people);
      removed = third!.id;
      await call('DELETE', `/channels/${people.id}/messages/${third!.id}`);
      await call('PATCH', `/channels/${people.id}/messages/${fourth!.id}`, {
        content: fourth!.content.replace('person', 'nobody'),
      });
      await call('POST', `/channels/${people.id}/messages`, { content: 'hello' });
      await call('POST', `/channels/${people.id}/messages`, { content: `${fifth!.content.replace('5', '55')}` });
      const catalog = channel('catalog');
      await call('POST', `/channels/${catalog.id}/messages`, { content: 'is anybody here?' });
      await call('DELETE', `/channels/${channel('crowd').id}`);
    });
    const { status, problems, parts } = await checked(folder);
    expect(status).toBe(1);
    expect(kinds(parts, 'test.people').sort()).toEqual(['checksum', 'checksum', 'foreign', 'live-set']);
    expect(kinds(parts, 'discodb.catalog')).toEqual(['foreign']);
    expect(kinds(parts, undefined)).toEqual(['catalog']);
    expect(problems).toBe(6);
    const text = parts.flatMap(({ findings }) => findings.map((finding) => finding.text)).join('\n');
    expect(text).toContain('test.crowd is gone');
    expect(text).toMatch(/missing sequences: 3 to 4|record 3 held live documents/);
    const gone = await runDiscodb('inspect', '--data-dir', folder, `1/${removed}`);
    expect(gone).toEqual({
      status: 2,
      stdout: '',
      stderr: `discodb: There is no message ${removed} in the channel 1.\n`,
    });
  });

  test('tells records of an epoch that nobody claimed, and orphans', async () => {
    const folder = await prepare('epochs');
    await damage(folder, async ({ channel, messages, call }) => {
      const control = channel('control');
      for (const { id } of await messages(control)) await call('DELETE', `/channels/${control.id}/messages/${id}`);
      const catalog = channel('catalog');
      const entries = await messages(catalog);
      await call('DELETE', `/channels/${catalog.id}/messages/${entries.at(-1)!.id}`);
    });
    const { status, parts } = await checked(folder);
    expect(status).toBe(1);
    expect(kinds(parts, undefined).sort()).toEqual(['epoch', 'epoch', 'orphan']);
  });

  test('cannot run without data, without the key, or while a server runs: one line, exit status 2', async () => {
    const missing = await runDiscodb('check', '--data-dir', join(root, 'nowhere'));
    expect(missing).toMatchObject({ status: 2, stdout: '' });
    expect(missing.stderr).toMatch(/^discodb: There is no data of DiscoDB in .*\n$/);
    const wrong = await runDiscodb('check', '--no-such-flag');
    expect(wrong.status).toBe(2);

    const folder = await prepare('sealed', KEY);
    const keyFile = join(root, 'keys');
    await writeFile(keyFile, `${KEY}\n`);
    const sealed = await runDiscodb('check', '--data-dir', folder);
    expect(sealed).toMatchObject({ status: 2, stdout: '' });
    expect(sealed.stderr).toMatch(/^discodb: The data is sealed with the encryption key [0-9a-f]{8}, .*\n$/);
    const serve = await runDiscodb('serve', '--port', '0', '--data-dir', folder, '--log-level', 'silent');
    expect(serve).toEqual({ status: 1, stdout: '', stderr: sealed.stderr });
    expect(await checked(folder, '--encryption-key-file', keyFile)).toMatchObject({ status: 0, problems: 0 });

    const disk = await FileDisk.open(folder);
    const inUse = await runDiscodb('check', '--data-dir', folder, '--encryption-key-file', keyFile);
    expect(inUse.status).toBe(2);
    expect(inUse.stderr).toMatch(/^discodb: .*\n$/);
    await disk.close();
  });
});

describe('discodb inspect', () => {
  test('shows what a message holds, and its documents when asked', async () => {
    const folder = await prepare('shown');
    let link = '';
    let pack = '';
    await damage(folder, async ({ channel, messages }) => {
      const [first] = await messages(channel('people'));
      const [crowd] = await messages(channel('crowd'));
      link = `https://discord.com/channels/1/${channel('people').id}/${first!.id}`;
      pack = `${channel('crowd').id}/${crowd!.id}`;
    });
    const plain = await runDiscodb('inspect', '--data-dir', folder, link);
    expect({ status: plain.status, stderr: plain.stderr }).toEqual({ status: 0, stderr: '' });
    expect(plain.stdout).toMatch(/^record {3}doc, epoch 1 since 1, sequence 1, entries 1$/m);
    expect(plain.stdout).toMatch(/^put {6}1, \d+ B: \{"_id":1\}$/m);
    expect(plain.stdout).not.toContain('person');
    const whole = await runDiscodb('inspect', '--data-dir', folder, link, '--documents');
    expect(whole.stdout).toContain('{"_id":1,"name":"person 1"}');
    const many = await runDiscodb('inspect', '--data-dir', folder, pack);
    expect(many.stdout).toMatch(/^file {5}pack1\.1\.bin, \d+ B, crc [0-9a-f]{8}$/m);
    expect(many.stdout.match(/^put /gm)).toHaveLength(300);
  });

  test('tells a message that is damaged or no record', async () => {
    const folder = await prepare('strange');
    const names: string[] = [];
    await damage(folder, async ({ channel, messages, call }) => {
      const people = channel('people');
      const [first] = await messages(people);
      const content = first!.content.replace('person', 'nobody');
      await call('PATCH', `/channels/${people.id}/messages/${first!.id}`, { content });
      await call('POST', `/channels/${people.id}/messages`, { content: 'hello' });
      names.push(`${people.id}/${first!.id}`, `${people.id}/${(await messages(people)).at(-1)!.id}`);
    });
    const damaged = await runDiscodb('inspect', '--data-dir', folder, names[0]!);
    expect(damaged.status).toBe(1);
    expect(damaged.stdout).toMatch(/^status {3}checksum: .*the checksum of the content is wrong$/m);
    const foreign = await runDiscodb('inspect', '--data-dir', folder, names[1]!);
    expect(foreign.status).toBe(1);
    expect(foreign.stdout).toMatch(/^status {3}foreign: /m);
    expect((await runDiscodb('inspect', '--data-dir', folder, 'nonsense')).status).toBe(2);
  });
});

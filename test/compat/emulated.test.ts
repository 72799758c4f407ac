import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import mongoose, { Schema } from 'mongoose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Long, MongoClient } from '../support/driver.ts';
import { mongosh } from './support/mongosh.ts';
import { DiscodbProcess } from './support/process.ts';

/**
 * The same clients over a Discord that is far away: `discodb serve` in a process of its own, the emulator in another,
 * HTTP and WebSocket between them, and Discord's limits on. Writes are few: a channel takes five messages in five seconds.
 */
let folder: string;
let emulator: DiscodbProcess;
let serveArgs: readonly string[];
let server: DiscodbProcess;
let client: MongoClient;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'discodb-'));
  const limits = ['--limits', 'discord'];
  emulator = await DiscodbProcess.start(['emulate', '--port', '0', '--data-dir', folder, ...limits], /Page: /);
  const access = [
    '--discord-api',
    printed('Discord API'),
    '--token',
    printed('Bot token'),
    '--guild',
    printed('Guild id'),
  ];
  serveArgs = ['serve', '--port', '0', ...access];
  server = await startServer();
  client = await new MongoClient(uri()).connect();
});

afterAll(async () => {
  await client?.close();
  await server?.stop();
  await emulator?.stop();
  await rm(folder, { recursive: true, force: true });
});

/** What the emulator printed under a label. */
function printed(label: string): string {
  return new RegExp(`^${label}: +(\\S+)$`, 'm').exec(emulator.output)![1]!;
}

function startServer(): Promise<DiscodbProcess> {
  return DiscodbProcess.start(serveArgs, /mongodb:\/\//);
}

function uri(): string {
  return /mongodb:\/\/\S+/.exec(server.output)![0];
}

interface Stats {
  readonly requests: Record<string, number>;
  readonly limited: number;
}

const counted = new Map<string, number>();

/** What the emulator was asked since the last call, and how often it said 429 since it was started. */
async function requests(): Promise<Stats> {
  const answer = await fetch(new URL('/_emulator/stats', printed('Discord API')));
  const stats = (await answer.json()) as Stats;
  const since = Object.entries(stats.requests).map(([route, n]) => [route, n - (counted.get(route) ?? 0)] as const);
  for (const [route, n] of Object.entries(stats.requests)) counted.set(route, n);
  return { requests: Object.fromEntries(since.filter(([, n]) => n > 0)), limited: stats.limited };
}

describe('over HTTP with limits on', () => {
  test('the Node.js driver', async () => {
    const items = client.db('far').collection<{ _id: number; n: number; text?: string }>('items');
    const docs = Array.from({ length: 150 }, (_, _id) => ({ _id, n: Long.fromNumber(_id) as unknown as number }));
    await items.insertMany(docs);
    await requests();
    const read = await items
      .find({ n: { $gte: 10 } }, { batchSize: 20 })
      .sort({ _id: -1 })
      .toArray();
    expect(read.map(({ _id }) => _id)).toEqual(Array.from({ length: 140 }, (_, at) => 149 - at));
    expect((await requests()).requests).toEqual({});
    await items.updateMany({ n: { $lt: 100 } }, { $set: { text: 'small' } });
    expect((await requests()).requests).toMatchObject({ 'POST /channels/:id/messages': 1 });
    expect(await items.findOneAndDelete({ text: 'small' }, { sort: { n: -1 } })).toMatchObject({ _id: 99 });
    await expect(items.insertOne({ _id: 5, n: 5 })).rejects.toMatchObject({ code: 11000 });
    expect(await items.countDocuments({ text: 'small' })).toBe(99);
  });

  test('30 writers at once share messages', async () => {
    const busy = client.db('far').collection<{ _id: number }>('busy');
    await busy.insertOne({ _id: -1 });
    await requests();
    await Promise.all(Array.from({ length: 30 }, (_, _id) => busy.insertOne({ _id })));
    const { requests: asked } = await requests();
    expect(asked['POST /channels/:id/messages']).toBeLessThanOrEqual(6);
    expect(await busy.countDocuments()).toBe(31);
  });

  test('Mongoose', async () => {
    const connection = await mongoose.createConnection(uri(), { dbName: 'far' }).asPromise();
    const Person = connection.model(
      'Person',
      new Schema({ mail: { type: String, unique: true } }, { timestamps: true }),
    );
    await Person.init();
    const [ada] = await Person.insertMany([{ mail: 'ada@example.org' }, { mail: 'lem@example.org' }]);
    await expect(Person.create({ mail: 'ada@example.org' })).rejects.toMatchObject({
      code: 11000,
      keyPattern: { mail: 1 },
    });
    ada!.mail = 'lovelace@example.org';
    await ada!.save();
    expect((await Person.find().sort('mail').lean()).map(({ mail }) => mail)).toEqual([
      'lem@example.org',
      'lovelace@example.org',
    ]);
    await connection.close();
  });

  test('mongosh', async () => {
    const answers = await mongosh(uri(), [
      'use far',
      'db.shell.insertMany(Array.from({ length: 25 }, (_, n) => ({ _id: n }))).acknowledged',
      'db.shell.find()',
      'it',
      'db.stats().collections',
      'show collections',
      'db.getSiblingDB("admin").runCommand({ getCmdLineOpts: 1 }).argv.join(" ")',
    ]);
    expect(answers[1]).toBe('true');
    expect(answers[2]).toMatch(/_id: 19 }\s*\]\s*Type "it" for more$/);
    expect(answers[3]).toMatch(/_id: 20 }.*_id: 24 }/s);
    expect(answers[4]).toBe('4');
    expect(answers[5]!.split('\n').sort()).toEqual(['busy', 'items', 'people', 'shell']);
    expect(answers[6]).toMatch(/--token <hidden> --guild \d+/);
  });

  test('nothing was asked of Discord that it had to refuse', async () => {
    expect((await requests()).limited).toBe(0);
  });

  test('a new process finds everything', async () => {
    const before = await client.db('far').collection('items').find({}, { raw: true }).toArray();
    await client.close();
    expect(await server.stop()).toBe(0);
    server = await startServer();
    client = await new MongoClient(uri()).connect();
    const far = client.db('far');
    expect(await far.collection('items').find({}, { raw: true }).toArray()).toEqual(before);
    expect(before).toHaveLength(149);
    expect(await far.collection('busy').countDocuments({ _id: { $gte: 0 } } as object)).toBe(30);
    expect((await far.collection('people').indexes()).map(({ name }) => name)).toEqual(['_id_', 'mail_1']);
    await expect(far.collection('people').insertOne({ mail: 'lem@example.org' })).rejects.toMatchObject({
      code: 11000,
    });
  });
});

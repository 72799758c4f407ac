import { once } from 'node:events';
import {
  AttachmentBuilder,
  ChannelType,
  Client,
  Collection,
  Events,
  GatewayIntentBits,
  type Guild,
  type Message,
  type TextChannel,
} from 'discord.js';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type RunningEmulator, startTestEmulator } from './emulator.ts';

const HISTORY = 250;

describe.each(['off', 'discord'] as const)('discord.js against the emulator, limits %s', (limits) => {
  let emulator: RunningEmulator;
  let client: Client;
  let guild: Guild;
  let channel: TextChannel;

  beforeAll(async () => {
    emulator = await startTestEmulator(limits);
    const { Guilds, GuildMessages, MessageContent } = GatewayIntentBits;
    // Nothing but the API's address differs from any bot: the gateway's comes from GET /gateway/bot.
    client = new Client({ intents: [Guilds, GuildMessages, MessageContent], rest: { api: `${emulator.url}/api` } });
    await Promise.all([once(client, Events.ClientReady), client.login(emulator.token)]);
    guild = await client.guilds.fetch(emulator.guildId);
  });

  afterAll(async () => {
    await client?.destroy();
    await emulator?.close();
  });

  test('logs in as the bot and sees its guild', () => {
    expect(client.user?.bot).toBe(true);
    expect([...client.guilds.cache.keys()]).toEqual([emulator.guildId]);
    expect(guild.members.me?.id).toBe(client.user?.id);
  });

  test('creates a category with a private channel, and hears of both', async () => {
    const created: string[] = [];
    const listener = (made: { name: string }) => created.push(made.name);
    client.on(Events.ChannelCreate, listener);
    const category = await guild.channels.create({ name: 'shop', type: ChannelType.GuildCategory });
    channel = await guild.channels.create({
      name: 'orders',
      parent: category,
      topic: 'made by discord.js',
      permissionOverwrites: [
        { id: guild.roles.everyone.id, deny: ['ViewChannel'] },
        { id: client.user!.id, allow: ['ViewChannel', 'SendMessages', 'ReadMessageHistory'] },
      ],
    });
    await expect.poll(() => created).toEqual(['shop', 'orders']);
    client.off(Events.ChannelCreate, listener);
    expect(channel.parentId).toBe(category.id);
    expect(channel.viewable).toBe(true);
  });

  test('sends, and hears what it sent', async () => {
    const heard: string[] = [];
    const listener = (message: Message) => heard.push(message.content);
    client.on(Events.MessageCreate, listener);
    const texts = Array.from({ length: 12 }, (_, at) => `hello ${at}`);
    for (const text of texts) await channel.send(text);
    await expect.poll(() => heard).toEqual(texts);
    client.off(Events.MessageCreate, listener);
  });

  test(`pages through ${HISTORY} messages`, async () => {
    await emulator.unlimited(async () => {
      const post = (at: number) => emulator.post(channel.id, `history ${at}`);
      for (let at = 0; at < HISTORY - 12; at++) await post(at);
    });
    const all = new Collection<string, Message>();
    for (let before: string | undefined; ; ) {
      const page: Collection<string, Message> = await channel.messages.fetch({ limit: 100, ...(before && { before }) });
      if (page.size === 0) break;
      for (const message of page.values()) all.set(message.id, message);
      before = page.lastKey();
    }
    expect(all.size).toBe(HISTORY);
    expect([...all.values()].slice(0, 2).map(({ content }) => content)).toEqual(['history 237', 'history 236']);
    expect(all.last()?.content).toBe('hello 0');
    const ids = [...all.keys()].map(BigInt);
    expect(ids).toEqual(ids.toSorted((a, b) => (a < b ? 1 : -1)));
  });

  test('reads forward from a message', async () => {
    const first = await channel.messages.fetch({ after: channel.id, limit: 1 });
    const next = await channel.messages.fetch({ after: first.firstKey()!, limit: 3 });
    expect(next.map(({ content }) => content)).toEqual(['hello 3', 'hello 2', 'hello 1']);
  });

  test('edits, and hears of it', async () => {
    const message = await channel.send('before');
    const updated = once(client, Events.MessageUpdate);
    const edited = await message.edit('after');
    expect(edited.content).toBe('after');
    expect(edited.editedTimestamp).not.toBeNull();
    const [old, fresh] = (await updated) as [Message, Message];
    expect([old.id, fresh.content]).toEqual([message.id, 'after']);
  });

  test('sends a file and gets its bytes back from the CDN', async () => {
    const bytes = Buffer.from(Array.from({ length: 70_000 }, (_, at) => (at * 31) % 251));
    const file = new AttachmentBuilder(bytes, { name: 'pack.bin' });
    const { attachments } = await channel.send({ content: 'a pack', files: [file] });
    const { name, size, url } = attachments.first()!;
    expect({ name, size }).toEqual({ name: 'pack.bin', size: bytes.length });
    const answer = await fetch(url);
    expect(Buffer.from(await answer.arrayBuffer()).equals(bytes)).toBe(true);
  });

  test('deletes one and hears of it', async () => {
    const message = await channel.send('short-lived');
    const deleted = once(client, Events.MessageDelete);
    await message.delete();
    expect(((await deleted) as [Message])[0].id).toBe(message.id);
    await expect(channel.messages.fetch({ message: message.id, force: true })).rejects.toMatchObject({ code: 10008 });
  });

  test('bulk-deletes 100 and hears of them', async () => {
    const page = await channel.messages.fetch({ limit: 100 });
    const heard = once(client, Events.MessageBulkDelete);
    const deleted = await channel.bulkDelete(page);
    expect(deleted.size).toBe(100);
    const [bulk] = (await heard) as [Collection<string, Message>];
    expect(bulk.size).toBe(100);
    const after = await channel.messages.fetch({ limit: 1 });
    expect(page.has(after.firstKey()!)).toBe(false);
  });

  test('resumes after its connection broke, and misses nothing', async () => {
    const heard: string[] = [];
    const listener = (message: Message) => heard.push(message.content);
    client.on(Events.MessageCreate, listener);
    const resumed = once(client, Events.ShardResume);
    await emulator.faults([{ kind: 'gateway-disconnect', times: 1 }]);
    await emulator.unlimited(async () => {
      for (const text of ['one', 'two', 'three']) await emulator.post(channel.id, text);
    });
    await resumed;
    await expect.poll(() => heard).toEqual(['one', 'two', 'three']);
    client.off(Events.MessageCreate, listener);
  });

  test('drops the channel and hears of it', async () => {
    const deleted = once(client, Events.ChannelDelete);
    await channel.delete();
    expect(((await deleted) as [TextChannel])[0].id).toBe(channel.id);
    await expect(client.channels.fetch(channel.id, { force: true })).rejects.toMatchObject({ code: 10003 });
  });

  test('drew no 429 that the headers foretold', async () => {
    expect((await emulator.stats()).limited).toBe(0);
  });
});

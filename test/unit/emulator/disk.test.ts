import { spawnSync } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { VirtualClock } from '../../../src/base/index.ts';
import { type Disk, MemoryDisk } from '../../../src/emulator/disk.ts';
import { FileDisk } from '../../../src/emulator/file-disk.ts';
import { Fixture } from './fixture.ts';

let directory: string;
const clock = new VirtualClock();

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'emulator-'));
});

afterEach(async () => {
  await rm(directory, { recursive: true });
});

const KINDS: [string, () => Promise<Disk>, boolean][] = [
  ['memory', () => Promise.resolve(new MemoryDisk()), false],
  ['files', () => FileDisk.open(directory), true],
];

describe.each(KINDS)('a world on a disk of %s', (_name, open, isFile) => {
  /** What a new process would find. */
  const again = async (disk: Disk) => {
    await disk.close();
    return isFile ? open() : disk;
  };

  it('is there again after the process is gone', async () => {
    const disk = await open();
    const before = await Fixture.open('off', disk, {}, clock);
    const channel = await before.channel({ topic: 't' });
    const kept = await before.message(channel, 'kept', { nonce: 'n', enforce_nonce: true });
    const gone = await before.message(channel, 'gone');
    const { body: file } = await before.upload(channel, {}, [{ name: 'a.bin', bytes: Buffer.alloc(50_000, 9) }]);
    await before.patch(`/channels/${channel}/messages/${kept}`, { content: 'edited' });
    await before.delete(`/channels/${channel}/messages/${gone}`);
    const shown = await before.get(`/channels/${channel}/messages`);
    const guild = await before.get(`/guilds/${before.guildId}`);

    const after = await Fixture.open('off', await again(disk), {}, clock);
    expect(after.emulator.credentials()).toEqual(before.emulator.credentials());
    expect((await after.get(`/channels/${channel}/messages`)).list).toEqual(shown.list);
    expect((await after.get(`/guilds/${after.guildId}`)).body).toEqual(guild.body);
    const download = await after.get(file.attachments[0]!.url.replace('http://cdn.test', ''));
    expect(Buffer.compare(download.bytes, Buffer.alloc(50_000, 9))).toBe(0);
    // Ids go on above those given out, and the nonce still holds.
    expect(BigInt(await after.message(channel))).toBeGreaterThan(BigInt(file.id));
    expect(await after.message(channel, 'x', { nonce: 'n', enforce_nonce: true })).toBe(kept);
    await after.emulator.close();
  });

  it('is rewritten at a start when most of it is history', async () => {
    const disk = await open();
    const before = await Fixture.open('off', disk, {}, clock);
    const channel = await before.channel();
    const id = await before.message(channel);
    for (let n = 0; n < 50; n++) await before.patch(`/channels/${channel}/messages/${id}`, { content: `${n}` });
    const last = await before.message(channel, 'last');
    await before.delete(`/channels/${channel}/messages/${last}`);
    const size = async (one: Disk) => {
      let bytes = 0;
      for await (const piece of one.readJournal()) bytes += piece.length;
      return bytes;
    };
    const long = await size(disk);
    const second = await again(disk);
    const after = await Fixture.open('off', second, {}, clock);
    expect(await size(second)).toBeLessThan(long / 3);
    expect((await after.get(`/channels/${channel}/messages`)).list).toMatchObject([{ id, content: '49' }]);
    expect(BigInt(await after.message(channel))).toBeGreaterThan(BigInt(last));
    const third = await Fixture.open('off', await again(second), {}, clock);
    expect(third.emulator.messageCount(channel)).toBe(2);
    await third.emulator.close();
  });

  it('loses files that no message names', async () => {
    const disk = await open();
    const before = await Fixture.open('off', disk, {}, clock);
    await disk.writeBlob('123', Buffer.from('orphan'));
    const channel = await before.channel();
    await before.upload(channel, {}, [{ name: 'a', bytes: Buffer.from('a') }]);
    const second = await again(disk);
    const after = await Fixture.open('off', second, {}, clock);
    expect(await second.blobs()).toHaveLength(1);
    const { body } = await after.upload(channel, {}, [{ name: 'b', bytes: Buffer.from('b') }]);
    await after.delete(`/channels/${channel}/messages/${body.id}`);
    await after.clock.settle();
    await expect.poll(() => second.blobs()).toHaveLength(1);
    await after.emulator.close();
  });
});

describe('the journal', () => {
  it('of any length is good up to the last frame that is whole', async () => {
    const disk = new MemoryDisk();
    const before = await Fixture.open('off', disk, {}, clock);
    const channel = await before.channel();
    for (let n = 0; n < 3; n++) await before.message(channel, `m${n} \u00fc`);
    const pieces = [];
    for await (const piece of disk.readJournal()) pieces.push(piece);
    const whole = Buffer.concat(pieces);
    const first = whole.indexOf('\n') + 1;
    for (let length = first; length <= whole.length; length += 37) {
      const cut = new MemoryDisk();
      // In pieces that end anywhere.
      for (let at = 0; at < length; at += 101) await cut.appendJournal(whole.subarray(at, Math.min(at + 101, length)));
      const after = await Fixture.open('off', cut, {}, clock);
      expect(after.token).toBe(before.token);
      const lines = whole.subarray(0, length).toString().split('\n').length - 1;
      expect(after.emulator.messageCount(channel)).toBe(Math.max(0, lines - 2));
      if (lines > 1) expect(await after.message(channel, 'next')).toBeTruthy();
    }
  });

  it('with damage before its end is refused', async () => {
    const disk = new MemoryDisk();
    const before = await Fixture.open('off', disk, {}, clock);
    await before.channel();
    await disk.appendJournal(Buffer.from('00000000 []\n'));
    await before.channel();
    await expect(Fixture.open('off', disk, {}, clock)).rejects.toThrow('journal is damaged at byte');
  });

  it('that cannot be written stops the emulator from promising anything', async () => {
    const disk = new MemoryDisk();
    const discord = await Fixture.open('off', disk, {}, clock);
    const channel = await discord.channel();
    disk.appendJournal = () => Promise.reject(new Error('no space left'));
    expect((await discord.post(`/channels/${channel}/messages`, { content: 'x' })).status).toBe(500);
    expect((await discord.get(`/channels/${channel}/messages`)).status).toBe(500);
    expect(discord.events.at(-1)!.type).toBe('CHANNEL_CREATE');
  });

  it('takes what waits together in one write', async () => {
    const disk = new MemoryDisk();
    const discord = await Fixture.open('off', disk, {}, clock);
    const channel = await discord.channel();
    let writes = 0;
    const append = disk.appendJournal.bind(disk);
    disk.appendJournal = async (bytes) => {
      writes++;
      await new Promise((resolve) => setImmediate(resolve));
      return append(bytes);
    };
    await Promise.all(Array.from({ length: 50 }, () => discord.message(channel)));
    expect(writes).toBeLessThanOrEqual(3);
    expect(discord.emulator.messageCount(channel)).toBe(50);
  });
});

describe('the lock of a directory', () => {
  it('lets one in at a time', async () => {
    const disk = await FileDisk.open(directory);
    await expect(FileDisk.open(directory)).rejects.toThrow(`in use by process ${process.pid}`);
    await disk.close();
    await (await FileDisk.open(directory)).close();
    expect(await readdir(directory)).toEqual(['blobs', 'journal']);
  });

  it('keeps a living process in, and is taken over from a dead one', async () => {
    await writeFile(join(directory, 'lock'), '1\n');
    await expect(FileDisk.open(directory)).rejects.toThrow('in use by process 1.');
    const dead = spawnSync(process.execPath, ['-e', '0']).pid;
    await writeFile(join(directory, 'lock'), `${dead}\n`);
    const disk = await FileDisk.open(directory);
    expect(await readFile(join(directory, 'lock'), 'utf8')).toBe(`${process.pid}\n`);
    await disk.close();
  });
});

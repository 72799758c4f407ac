import { expect, test } from 'vitest';
import { StartError } from '../../src/compose.ts';
import { MemoryDisk } from '../../src/emulator/index.ts';
import { startServer } from '../support/server.ts';

const OLD = '5a'.repeat(32);
const NEW = 'c3'.repeat(32);

/** Everything that Discord keeps, as text. */
async function kept(disk: MemoryDisk): Promise<string> {
  const pieces: Uint8Array[] = [];
  for await (const piece of disk.readJournal()) pieces.push(piece);
  for (const name of await disk.blobs()) pieces.push((await disk.readBlob(name))!);
  return Buffer.concat(pieces).toString('latin1');
}

async function write(disk: MemoryDisk, keys: string | undefined, id: number): Promise<number> {
  const server = await startServer({ disk, ...(keys !== undefined && { keys }) });
  try {
    const people = (await server.client()).db('babbage').collection<{ _id: number; name: string }>('ladies');
    await people.insertOne({ _id: id, name: `Lovelace ${id}` });
    return await people.countDocuments({ name: /^Lovelace/ });
  } finally {
    await server.close();
  }
}

test('with a key nothing of documents, collections or indexes stands in Discord in readable form', async () => {
  const disk = new MemoryDisk();
  const server = await startServer({ disk, keys: OLD });
  const db = (await server.client()).db('babbage');
  await db.collection('ladies').createIndex({ surname: 1 });
  await db.collection('ladies').insertOne({ surname: 'Lovelace' });
  const many = Array.from({ length: 500 }, (_, at) => ({ surname: 'Lovelace', at, text: 'engine '.repeat(30) }));
  await db.collection('ladies').insertMany(many);
  await db.collection('ladies').updateOne({ at: 3 }, { $set: { text: 'noted' } });
  await db.collection('ladies').rename('women');
  expect(await db.collection('women').countDocuments({ surname: 'Lovelace' })).toBe(501);
  await server.close();
  const text = await kept(disk);
  expect(text).toContain('Sealed.');
  expect(text).not.toMatch(/lovelace|babbage|ladies|women|surname|engine /i);
});

test('sealing can begin later, and keys change; who has not the newest is refused in one line and writes nothing', async () => {
  const disk = new MemoryDisk();
  expect(await write(disk, undefined, 1)).toBe(1);
  expect(await write(disk, OLD, 2)).toBe(2);
  expect(await write(disk, `${NEW}\n${OLD}`, 3)).toBe(3);
  const before = await kept(disk);
  expect(before).toContain('Lovelace 1');
  expect(before).not.toMatch(/Lovelace [23]/);
  for (const keys of [undefined, OLD, '77'.repeat(32)]) {
    const refused = await write(disk, keys, 4).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(StartError);
    expect((refused as Error).message).toMatch(/^The data is sealed with the encryption key [0-9a-f]{8}, .*\.$/);
  }
  expect(await kept(disk)).toBe(before);
  expect(await write(disk, `${NEW}\n${OLD}`, 4)).toBe(4);
});

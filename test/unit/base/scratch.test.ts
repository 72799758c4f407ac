import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { FolderScratch, seededRandom } from '../../../src/base/index.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'discodb-scratch-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const random = seededRandom(1);
const bytes = (text: string) => Buffer.from(text);

test('chunks come back as they were appended, in any order', async () => {
  const scratch = await FolderScratch.open(join(folder, 'tmp'), random);
  const file = scratch.file();
  const chunks = ['one', '', 'a longer one '.repeat(1000), 'four'];
  for (const chunk of chunks) await file.append(bytes(chunk));
  for (const at of [2, 0, 3, 1]) expect(Buffer.from(await file.read(at)).toString()).toBe(chunks[at]);
  await file.close();
});

test('a file is made when something is written, says nothing to others, and is gone when it is closed', async () => {
  const scratch = await FolderScratch.open(folder, random);
  const [file, unused] = [scratch.file(), scratch.file()];
  expect(readdirSync(folder)).toEqual([]);
  const secret = 'what nobody else may read '.repeat(100);
  await file.append(bytes(secret));
  await file.append(bytes(secret));
  const [name] = readdirSync(folder);
  const stored = readFileSync(join(folder, name!));
  expect(stored.length).toBe(2 * secret.length);
  expect(stored.toString('latin1')).not.toContain('nobody');
  // Equal chunks look different.
  expect(stored.subarray(0, secret.length).equals(stored.subarray(secret.length))).toBe(false);
  await Promise.all([file.close(), file.close(), unused.close()]);
  expect(readdirSync(folder)).toEqual([]);
});

test('what a crash left is removed at the next start', async () => {
  const before = await FolderScratch.open(folder, random);
  await before.file().append(bytes('left behind'));
  expect(readdirSync(folder)).toHaveLength(1);
  await FolderScratch.open(folder, random);
  expect(readdirSync(folder)).toEqual([]);
});

test('a full disk is told of, and leaves no file', async () => {
  const scratch = await FolderScratch.open(folder, random);
  const file = scratch.file();
  await file.append(bytes('some'));
  const other = await open(join(folder, 'other'), 'w');
  const write = vi.spyOn(Object.getPrototypeOf(other), 'write');
  write.mockRejectedValue(Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' }));
  const refused = { codeName: 'OutOfDiskSpace', message: expect.stringContaining('No space left on device') };
  await expect(file.append(bytes('more'))).rejects.toMatchObject(refused);
  await file.close();
  write.mockRestore();
  await other.close();
  expect(readdirSync(folder)).toEqual(['other']);
});

test('a file that cannot be made can be closed', async () => {
  const scratch = await FolderScratch.open(join(folder, 'tmp'), random);
  rmSync(join(folder, 'tmp'), { recursive: true });
  const file = scratch.file();
  await expect(file.append(bytes('some'))).rejects.toMatchObject({ code: 'ENOENT' });
  await file.close();
});

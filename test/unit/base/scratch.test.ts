import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
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

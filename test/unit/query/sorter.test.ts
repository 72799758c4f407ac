import { expect, test } from 'vitest';
import { MemoryScratch } from '../../../src/base/index.ts';
import { Sorter, SortWork } from '../../../src/query/index.ts';

const numbers = {
  compare: (left: number, right: number) => left - right,
  keep: Number.POSITIVE_INFINITY,
  codec: { encode: (n: number) => Uint8Array.of(n), decode: (bytes: Uint8Array) => bytes[0]! },
};

test('what is read again is handed on in parts that are small beside the limit', async () => {
  const scratch = new MemoryScratch(1000);
  const sorter = new Sorter<number>({ ...numbers, size: () => 50, limit: 1000, beyond: scratch });
  const all = Array.from({ length: 200 }, (_, n) => (n * 7) % 200);
  for (let at = 0; at < all.length; at += 10) await sorter.add(all.slice(at, at + 10));
  const batches: number[][] = [];
  for await (const batch of sorter.sorted()) batches.push(batch);
  expect(batches.flat()).toEqual(all.map((_, n) => n));
  expect(Math.max(...batches.map(({ length }) => length))).toBe(3);
  await sorter.close();
  expect(scratch.open).toBe(0);
});

test('many runs are merged to a few before they are read, and items that compare alike keep their order', async () => {
  const scratch = new MemoryScratch(10);
  const work = new SortWork();
  const codec = {
    encode: ([key, age]: [number, number]) => Uint8Array.of(key, age >> 8, age & 255),
    decode: ([key, high, low]: Uint8Array): [number, number] => [key!, (high! << 8) + low!],
  };
  const byKey = ([left]: [number, number], [right]: [number, number]) => left - right;
  const keep = 1900;
  const sorter = new Sorter<[number, number]>({
    compare: byKey,
    keep,
    size: () => 6,
    limit: 10,
    beyond: scratch,
    codec,
    work,
  });
  const all = Array.from({ length: 2200 }, (_, age): [number, number] => [(age * 7) % 50, age]);
  for (let at = 0; at < all.length; at += 2) await sorter.add(all.slice(at, at + 2));
  const found: [number, number][] = [];
  for await (const batch of sorter.sorted()) found.push(...batch);
  expect(found).toEqual([...all].sort(byKey).slice(0, keep));
  expect(work.spills).toBe(1100);
  // Each is written once for itself, and again with 31 others, and of these again with 31 others.
  const bytes = 7;
  expect(work.stored).toBe(bytes * (2200 + 2 * Math.floor(1100 / 32) * 32 + 2 * Math.floor(1100 / 1024) * 1024));
  await sorter.close();
  expect(scratch.open).toBe(0);
});

import { expect, test } from 'vitest';
import { MemoryScratch } from '../../../src/base/index.ts';
import { Sorter } from '../../../src/query/index.ts';

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

import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../../src/base/index.ts';
import { type Cached, DocumentCache } from '../../../src/engine/cache.ts';

const OVERHEAD = 24;

function item(): Cached {
  return { kept: undefined, newer: undefined, older: undefined, visited: false };
}

/** As long as its first four bytes say, as documents are. */
function filled(size: number): Buffer {
  const bytes = Buffer.alloc(size, 7);
  bytes.writeInt32LE(size, 0);
  return bytes;
}

describe('DocumentCache', () => {
  it('keeps a copy, not the buffer that the bytes came in', () => {
    const cache = new DocumentCache(10_000);
    const message = Buffer.concat([filled(10), filled(10), filled(10)]);
    const one = item();
    cache.put(one, message.subarray(10, 20));
    message.fill(0);
    expect(cache.get(one)).toEqual(filled(10));
    expect(one.kept).toHaveLength(10);
  });

  it('gives every byte back as it was', () => {
    const cache = new DocumentCache(10_000);
    const one = item();
    const bytes = Buffer.from(Array.from({ length: 260 }, (_, byte) => byte));
    bytes.writeInt32LE(bytes.length, 0);
    cache.put(one, bytes);
    expect(cache.get(one)).toEqual(bytes);
  });

  it('evicts the oldest that was not read', () => {
    const cache = new DocumentCache(3 * (OVERHEAD + 20));
    const [a, b, c, d] = [item(), item(), item(), item()];
    for (const each of [a, b, c]) cache.put(each, filled(20));
    cache.get(a);
    cache.put(d, filled(20));
    expect([a, b, c, d].map(({ kept }) => kept !== undefined)).toEqual([true, false, true, true]);
  });

  it('never holds what is larger than itself, and never evicts for an offer', () => {
    const cache = new DocumentCache(OVERHEAD + 100);
    const [big, small, other] = [item(), item(), item()];
    cache.put(big, filled(101));
    expect(big.kept).toBeUndefined();
    cache.put(small, filled(100));
    expect(small.kept).toBeDefined();
    cache.offer(other, filled(5));
    expect([small.kept !== undefined, other.kept]).toEqual([true, undefined]);
  });

  it('stays within its limit and counts what it holds, whatever is done to it', () => {
    const random = seededRandom(11);
    const cache = new DocumentCache(20 * OVERHEAD);
    const items = Array.from({ length: 100 }, item);
    for (let step = 0; step < 20_000; step++) {
      const one = items[Math.floor(random.next() * items.length)]!;
      const choice = random.next();
      if (choice < 0.5) cache.put(one, filled(5 + Math.floor(random.next() * 295)));
      else if (choice < 0.8) cache.get(one);
      else cache.drop(one);
      const held = items.reduce((sum, { kept }) => sum + (kept === undefined ? 0 : kept.length + OVERHEAD), 0);
      expect(cache.used).toBe(held);
      expect(cache.used).toBeLessThanOrEqual(cache.limit);
    }
  });
});

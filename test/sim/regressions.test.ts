import { expect, test } from 'vitest';
import { simulate } from './world.ts';

const MS = 3 * 60_000;

/** Seeds that failed once, and what they found. */
const SEEDS = new Map([
  [119, 'the checker took a delete asked at the moment of a read for later than the read'],
  [155, 'a durable read of an evicted document showed a version that was written during the fetch'],
]);

for (const [seed, found] of SEEDS) {
  test(`seed ${seed}: ${found}`, async () => {
    const { counts } = await simulate({ seed, ms: MS });
    expect(counts.acknowledged).toBeGreaterThan(50);
  });
}

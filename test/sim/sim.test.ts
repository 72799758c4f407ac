import { expect, test } from 'vitest';
import { simulate } from './world.ts';

const SEEDS = 12;
const MS = 3 * 60_000;

for (let seed = 1; seed <= SEEDS; seed++) {
  test(`every fault at once, and no history is broken (npm run sim -- --seed ${seed} --hours 0.05)`, async () => {
    const { counts } = await simulate({ seed, ms: MS });
    expect(counts.acknowledged).toBeGreaterThan(50);
    expect(counts.reads).toBeGreaterThan(500);
  });
}

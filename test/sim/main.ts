import { parseArgs } from 'node:util';
import { simulate } from './world.ts';

const HOUR_MS = 3_600_000;

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    seeds: { type: 'string', default: '1' },
    hours: { type: 'string', default: '1' },
  },
});
const [first, count, hours] = [Number(values.seed), Number(values.seeds), Number(values.hours)];
if (!Number.isInteger(first) || !(Number.isInteger(count) && count > 0) || !(hours > 0)) {
  console.error('usage: npm run sim -- [--seed N] [--seeds K] [--hours H]');
  process.exit(2);
}

let failed = 0;
for (let seed = first; seed < first + count; seed++) {
  try {
    const { counts, seen, digest } = await simulate({ seed, ms: hours * HOUR_MS });
    console.log(`seed ${seed}: ok ${digest.slice(0, 16)} ${JSON.stringify({ ...counts, ...seen })}`);
  } catch (error) {
    failed++;
    console.log(`seed ${seed}: FAILED ${(error as Error).stack}`);
    console.log(`  replay: npm run sim -- --seed ${seed} --hours ${hours}`);
  }
}
console.log(`${count - failed} of ${count} seeds passed, ${hours} simulated hours each`);
process.exitCode = failed > 0 ? 1 : 0;

// `npm run sim -- --seed N [--seeds K] [--hours H]`: sets up, compiles test/sim to dist-bench, and runs it.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { install, root } from './setup.mjs';

install();
const steps = [
  [join(root, 'node_modules/typescript/bin/tsc'), '-p', 'test/sim'],
  [join(root, 'dist-bench/test/sim/main.js'), ...process.argv.slice(2)],
];
for (const step of steps) {
  const { status } = spawnSync(process.execPath, step, { cwd: root, stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}

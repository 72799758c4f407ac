// `npm run bench -- discord|tcp|query [flags]`: sets up, compiles scripts/bench to dist-bench, and runs it.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { build, install, root } from './setup.mjs';

install();
build();
const steps = [
  [join(root, 'node_modules/typescript/bin/tsc'), '-p', 'scripts/bench'],
  [join(root, 'dist-bench/scripts/bench/main.js'), ...process.argv.slice(2)],
];
for (const step of steps) {
  const { status } = spawnSync(process.execPath, step, { cwd: root, stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}

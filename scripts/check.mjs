// `npm run check`: format, lint, types, layout and unit tests, in under a minute. `--static`: without the tests.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { install, root } from './setup.mjs';

install();
install(join(root, 'test/compat'));
const steps = [
  ['@biomejs/biome/bin/biome', 'ci', '--error-on-warnings', '.'],
  ['typescript/bin/tsc', '--noEmit'],
  ['vitest/vitest.mjs', 'run', '--project', 'unit*', '--reporter=dot'],
];
if (process.argv.includes('--static')) steps.pop();
for (const [tool, ...args] of steps) {
  const { status } = spawnSync(process.execPath, [join(root, 'node_modules', tool), ...args], {
    cwd: root,
    stdio: 'inherit',
  });
  if (status !== 0) process.exit(status ?? 1);
}

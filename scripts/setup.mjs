// Installs and builds what is out of date, and nothing else. Plain JavaScript: it runs before anything is installed.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = dirname(dirname(fileURLToPath(import.meta.url)));
const OLDEST_NODE = [20, 19];

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor < OLDEST_NODE[1])) {
  console.error(`DiscoDB needs Node.js ${OLDEST_NODE.join('.')} or newer; this is ${process.versions.node}.`);
  process.exit(1);
}

/** Installs the packages of `folder` unless its lock file is the one that was installed last. */
export function install(folder = root) {
  const lock = digest([join(folder, 'package-lock.json')]);
  const stamp = join(folder, 'node_modules', '.discodb-lock');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === lock) return;
  console.error(`Installing packages in ${relative(process.cwd(), folder) || '.'} ...`);
  run('npm', ['ci', '--no-audit', '--no-fund'], folder);
  writeFileSync(stamp, lock);
}

/** Compiles `src` to `dist` unless it has not changed since. */
export function build() {
  const sources = digest([...files(join(root, 'src')), join(root, 'tsconfig.json'), join(root, 'package-lock.json')]);
  const stamp = join(root, 'dist', '.discodb-sources');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === sources) return;
  console.error('Building ...');
  run(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', 'src'], root);
  mkdirSync(dirname(stamp), { recursive: true });
  writeFileSync(stamp, sources);
}

function run(command, args, cwd) {
  // Standard output belongs to the program that is being set up for.
  execFileSync(command, args, {
    cwd,
    stdio: ['ignore', process.stderr, process.stderr],
    shell: process.platform === 'win32',
  });
}

function files(folder) {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
    .sort();
}

function digest(paths) {
  const hash = createHash('sha256');
  for (const path of paths) hash.update(relative(root, path)).update('\0').update(readFileSync(path)).update('\0');
  return hash.digest('hex');
}

// Looks at the embedded Discord's page with a real browser: `node test/foreign/page-check.mjs`. Needs Chromium, and
// `dist/` (npm run build). Prints one line, or fails with what did not show.
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MongoClient } from 'mongodb';

const BROWSERS = ['chromium', 'chromium-browser', 'google-chrome'];
const READY = /DiscoDB is ready: (\S+)[\s\S]*can be seen at (\S+)/;
const PAGE_MS = 60_000;

const browser = BROWSERS.find((name) => run('sh', ['-c', `command -v ${name} || true`]) !== '');
assert(browser, `none of ${BROWSERS.join(', ')} is installed`);

const folder = mkdtempSync(join(tmpdir(), 'discodb-page-'));
const main = join(import.meta.dirname, '../../dist/main.js');
const flags = ['serve', '--port', '0', '--emulator-port', '0', '--log-level', 'error', '--data-dir', folder];
const server = spawn(process.execPath, [main, ...flags], { stdio: ['ignore', 'pipe', 'inherit'] });
try {
  const [, uri, page] = await ready(server);
  const client = await new MongoClient(uri).connect();
  await client.db('music').collection('songs').insertOne({ title: 'Le Freak', year: 1978 });
  await client.close();
  const { dom, errors } = look(page);
  assert.match(dom, /music[\s\S]*songs/, 'the guild shows the database and its collection');
  assert.match(dom, /Le Freak/, 'the channel shows the document');
  assert.deepEqual(errors, [], 'the page runs without errors');
  console.log(`${browser}: the page of the embedded Discord shows a guild, a channel and a document`);
} finally {
  server.kill();
  rmSync(folder, { recursive: true, force: true });
}

/** The server's two addresses, once it listens. */
function ready({ stdout }) {
  return new Promise((resolve, reject) => {
    let said = '';
    stdout.on('data', (chunk) => {
      said += chunk;
      const match = READY.exec(said);
      if (match) resolve(match);
    });
    stdout.on('close', () => reject(new Error(`the server ended: ${said}`)));
  });
}

/** The page as it is after its scripts have run. */
function look(url) {
  const log = join(folder, 'browser.log');
  const options = [
    '--headless',
    '--no-sandbox',
    '--disable-gpu',
    '--enable-logging=stderr',
    `--user-data-dir=${folder}/b`,
  ];
  const dom = run('sh', [
    '-c',
    `${browser} ${options.join(' ')} --virtual-time-budget=3000 --dump-dom "$0" 2>${log}`,
    url,
  ]);
  const errors = run('cat', [log])
    .split('\n')
    .filter((line) => /CONSOLE/.test(line) && /Uncaught|Error|Refused/.test(line));
  return { dom, errors };
}

function run(command, args) {
  return execFileSync(command, args, { encoding: 'utf8', timeout: PAGE_MS, maxBuffer: 2 ** 26 });
}

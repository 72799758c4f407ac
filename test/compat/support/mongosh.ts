import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

const MONGOSH = fileURLToPath(new URL('../node_modules/mongosh/bin/mongosh.js', import.meta.url));
const PROMPT = /^\[direct: mongos\] \S+> /m;
const TIMEOUT_MS = 100_000;

/**
 * Types `lines` into an interactive mongosh, as a person does, and returns what it printed after each. Its history and
 * settings go to a folder of their own.
 */
export async function mongosh(uri: string, lines: readonly string[]): Promise<string[]> {
  const home = await mkdtemp(join(tmpdir(), 'mongosh-'));
  try {
    const shell = spawn(process.execPath, [MONGOSH, uri, '--quiet', '--norc'], {
      env: { ...process.env, HOME: home, NO_COLOR: '1' },
      timeout: TIMEOUT_MS,
    });
    shell.stdin.end(`${lines.join('\n')}\n`);
    const [out, err] = await Promise.all([text(shell.stdout), text(shell.stderr)]);
    const [head = '', ...answers] = out.split(PROMPT);
    // The last prompt is the one that met the end of the input.
    if (head.trim() !== '' || answers.length !== lines.length + 1) {
      throw new Error(`mongosh printed ${answers.length} answers to ${lines.length} lines:\n${out}\n${err}`);
    }
    return answers.slice(0, -1).map((answer) => answer.trimEnd());
  } finally {
    await rm(home, { recursive: true, force: true });
  }
}

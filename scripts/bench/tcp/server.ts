import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** From dist-bench/scripts/bench/tcp. */
const MAIN = new URL('../../../../dist/main.js', import.meta.url).pathname;

/** `discodb serve` as a process of its own, on the embedded Discord in a folder of its own, without limits. */
export class ServerProcess {
  readonly uri: string;
  readonly #child: ChildProcess;
  readonly #folder: string;

  private constructor(uri: string, child: ChildProcess, folder: string) {
    this.uri = uri;
    this.#child = child;
    this.#folder = folder;
  }

  static async start(profile: boolean): Promise<ServerProcess> {
    const folder = await mkdtemp(join(tmpdir(), 'discodb-bench-'));
    const node = profile ? ['--cpu-prof', '--cpu-prof-dir', folder] : [];
    const flags = ['--port', '0', '--limits', 'off', '--log-level', 'error', '--data-dir', join(folder, 'data')];
    const child = spawn(process.execPath, [...node, MAIN, 'serve', ...flags], { stdio: ['ignore', 'pipe', 'inherit'] });
    for await (const line of createInterface({ input: child.stdout })) {
      const uri = /mongodb:\S+/.exec(line)?.[0];
      if (uri) return new ServerProcess(uri, child, folder);
    }
    throw new Error('the server ended before it was ready');
  }

  /** Ends it; the text of its CPU profile where one was asked for. */
  async stop(): Promise<string | undefined> {
    this.#child.kill('SIGTERM');
    await once(this.#child, 'exit');
    const profile = (await readdir(this.#folder)).find((name) => name.endsWith('.cpuprofile'));
    const text = profile && (await readFile(join(this.#folder, profile), 'utf8'));
    await rm(this.#folder, { recursive: true, force: true });
    return text;
  }
}

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../../../dist/main.js', import.meta.url));

/** A `discodb` process, as a person starts it. */
export class DiscodbProcess {
  readonly #child: ChildProcess;
  /** What it printed by the time it was ready. */
  readonly output: string;

  private constructor(child: ChildProcess, output: string) {
    this.#child = child;
    this.output = output;
  }

  /** Starts `discodb ...args`; resolves once it has printed what `ready` matches. Its log is shown when it ends before. */
  static async start(args: readonly string[], ready: RegExp): Promise<DiscodbProcess> {
    if (!existsSync(MAIN)) throw new Error(`${MAIN} is not there: run npm run build`);
    const child = spawn(process.execPath, [MAIN, ...args, '--log-level', 'warn'], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let log = '';
    child.stderr.on('data', (chunk) => {
      log += chunk;
    });
    let output = '';
    for await (const line of createInterface(child.stdout)) {
      output += `${line}\n`;
      if (ready.test(output)) return new DiscodbProcess(child, output);
    }
    throw new Error(`discodb ${args[0]} ended early:\n${output}${log}`);
  }

  /** Asks it to stop, and returns its exit status. */
  async stop(): Promise<number | null> {
    if (this.#child.exitCode === null) {
      const exit = once(this.#child, 'exit');
      this.#child.kill('SIGTERM');
      await exit;
    }
    return this.#child.exitCode;
  }
}

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const ROOT = new URL('../..', import.meta.url).pathname;
const MAIN = join(ROOT, 'dist/main.js');
/** Generous: a machine that runs tests is busy. */
const START_MS = 20_000;

/** Builds what the children run, unless `npm test` has. */
export function buildOnce(): void {
  if (existsSync(MAIN)) return;
  const { status } = spawnSync(process.execPath, [join(ROOT, 'node_modules/typescript/bin/tsc'), '-p', 'src'], {
    cwd: ROOT,
    stdio: 'inherit',
  });
  if (status !== 0) throw new Error('the build failed');
}

export function temporaryFolder(): string {
  return mkdtempSync(join(tmpdir(), 'discodb-'));
}

export interface ChildOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
}

/** `discodb` with arguments, as a process of its own. */
export class Child {
  readonly #process: ChildProcess;
  readonly #ended: Promise<number | null>;
  readonly startedAt = performance.now();
  stdout = '';
  stderr = '';

  constructor(args: readonly string[], { env = {}, cwd = tmpdir() }: ChildOptions = {}) {
    const inherited = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('DISCODB_')));
    this.#process = spawn(process.execPath, [MAIN, ...args], { cwd, env: { ...inherited, ...env } });
    this.#process.stdout?.on('data', (chunk) => {
      this.stdout += chunk;
    });
    this.#process.stderr?.on('data', (chunk) => {
      this.stderr += chunk;
    });
    this.#ended = new Promise((resolve) => this.#process.once('close', (code) => resolve(code)));
  }

  /** What `pattern` captures, as soon as standard output has it. */
  async said(pattern: RegExp): Promise<string> {
    let timer: NodeJS.Timeout | undefined;
    const timeout = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`not said: ${pattern}\n${this.stdout}\n${this.stderr}`)), START_MS);
    });
    const look = async () => {
      for (;;) {
        const found = pattern.exec(this.stdout);
        if (found) return found[1] ?? found[0];
        const more = new Promise((resolve) => this.#process.stdout?.once('data', resolve));
        const ended = this.#ended.then((code) => {
          throw new Error(`ended with ${code}: ${this.stderr}`);
        });
        await Promise.race([more, ended]);
      }
    };
    try {
      return await Promise.race([look(), timeout]);
    } finally {
      clearTimeout(timer);
    }
  }

  /** The exit status; null after SIGKILL. */
  ended(): Promise<number | null> {
    return this.#ended;
  }

  kill(signal: 'SIGKILL' | 'SIGTERM' | 'SIGINT'): Promise<number | null> {
    this.#process.kill(signal);
    return this.#ended;
  }

  /** Highest resident memory since `forgetPeak`, in MiB. */
  peak(): number {
    const status = readFileSync(`/proc/${this.#process.pid}/status`, 'utf8');
    return Number(/VmHWM:\s+(\d+)/.exec(status)?.[1]) / 1024;
  }

  forgetPeak(): void {
    writeFileSync(`/proc/${this.#process.pid}/clear_refs`, '5');
  }
}

import { readFileSync } from 'node:fs';
import { InvalidArgumentError, Option } from 'commander';
import { StartError } from '../compose.ts';

const MAX_PORT = 65_535;
const UNITS: Record<string, number> = { b: 1, kb: 1e3, mb: 1e6, gb: 1e9, kib: 2 ** 10, mib: 2 ** 20, gib: 2 ** 30 };

/** A flag that is also the variable `DISCODB_<NAME>`. */
export function option(flags: string, description: string): Option {
  const name = /--([a-z-]+)/.exec(flags)?.[1] ?? '';
  return new Option(flags, description).env(`DISCODB_${name.replaceAll('-', '_').toUpperCase()}`);
}

export function parsePort(text: string): number {
  const port = Number(text);
  if (/^\d+$/.test(text) && port <= MAX_PORT) return port;
  throw new InvalidArgumentError(`A port is a number from 0 (any free one) to ${MAX_PORT}.`);
}

/** `256MiB`, `1 GB`, `500000`: bytes. */
export function parseSize(text: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*([a-z]*)$/i.exec(text.trim());
  const unit = UNITS[(match?.[2] || 'b').toLowerCase()];
  if (!match || !unit) throw new InvalidArgumentError('A size is a number and a unit: 64MiB, 1GB.');
  return Math.floor(Number(match[1]) * unit);
}

/** Several values: the flag repeated, or one variable with commas. */
export function parseList(text: string, previous: readonly string[] = []): string[] {
  return [...previous, ...text.split(/[\s,]+/).filter((item) => item !== '')];
}

/** A secret on the command line shows in the list of processes; a file does not. One token a line. */
export function readTokens(path: string): string[] {
  try {
    return parseList(readFileSync(path, 'utf8'));
  } catch (error) {
    throw new StartError(`The token file cannot be read: ${(error as Error).message}`);
  }
}

/** The command line as clients may see it. */
export function withoutTokens(argv: readonly string[], tokens: readonly string[]): string[] {
  return argv.map((argument) => tokens.reduce((shown, token) => shown.replaceAll(token, '<hidden>'), argument));
}

export function limitsOption(): Option {
  return option('--limits <mode>', "the embedded Discord's rate limits").choices(['discord', 'off']);
}

export function logLevelOption(level = 'info'): Option {
  return option('--log-level <level>', 'how much to log on standard error')
    .choices(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'])
    .default(level);
}

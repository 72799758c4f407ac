import { existsSync } from 'node:fs';
import { Command } from 'commander';
import { VERSION } from '../compose.ts';
import { checkCommand } from './check.ts';
import { emulateCommand } from './emulate.ts';
import { inspectCommand } from './inspect.ts';
import { pingCommand } from './ping.ts';
import { serveCommand } from './serve.ts';

/** Reads `.env` of the working directory (what is set already wins), then runs the command that `argv` names. */
export async function run(argv: readonly string[]): Promise<void> {
  if (existsSync('.env')) process.loadEnvFile('.env');
  const program = new Command('discodb')
    .description('A server that speaks the MongoDB wire protocol and keeps its data in a Discord server.')
    .version(VERSION)
    .addCommand(serveCommand())
    .addCommand(emulateCommand())
    .addCommand(checkCommand())
    .addCommand(inspectCommand())
    .addCommand(pingCommand());
  await program.parseAsync([...argv]);
}

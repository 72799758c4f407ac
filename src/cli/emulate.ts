import { Command } from 'commander';
import { createLog, systemEnv } from '../base/index.ts';
import { emulate } from '../compose.ts';
import { limitsOption, logLevelOption, option, parsePort } from './options.ts';
import { runUntilSignal } from './process.ts';

interface EmulateFlags {
  host: string;
  port: number;
  dataDir: string;
  limits?: 'discord' | 'off';
  logLevel: string;
}

export function emulateCommand(): Command {
  return new Command('emulate')
    .description('Run the Discord emulator alone, over HTTP and WebSocket.')
    .addOption(option('--host <address>', 'address to listen on').default('127.0.0.1'))
    .addOption(option('--port <number>', 'port to listen on, 0 for a free one').argParser(parsePort).default(27080))
    .addOption(option('--data-dir <folder>', 'where the guild is kept').default('./discodb-data'))
    .addOption(limitsOption())
    .addOption(logLevelOption())
    .action(async (flags: EmulateFlags) => {
      const log = createLog(flags.logLevel);
      await runUntilSignal(log, async () => {
        const { host, port, dataDir, limits = 'discord' } = flags;
        const running = await emulate(systemEnv(log), { host, port, dataDir, limits });
        const { url, token, guildId } = running;
        process.stdout.write(
          `Discord API: ${url}/api/v10\nBot token:   ${token}\nGuild id:    ${guildId}\nPage:        ${url}/_emulator/\n`,
        );
        return running;
      });
    });
}

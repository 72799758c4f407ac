import { Command } from 'commander';
import { createLog, systemEnv } from '../base/index.ts';
import { serve } from '../compose.ts';
import { addDiscordOptions, type DiscordFlags, discordOptions } from './discord-flags.ts';
import { logLevelOption, option, parsePort, parseSize, withoutTokens } from './options.ts';
import { runUntilSignal } from './process.ts';

interface ServeFlags extends DiscordFlags {
  host: string;
  port: number;
  emulatorPort?: number;
  cacheSize: number;
  localCacheSize: number;
  force: boolean;
  logLevel: string;
}

export function serveCommand(): Command {
  const command = new Command('serve')
    .description('Serve MongoDB clients, on a Discord server or, without a token, on the embedded Discord.')
    .addOption(option('--host <address>', 'address to listen on').default('127.0.0.1'))
    .addOption(option('--port <number>', 'port to listen on, 0 for a free one').argParser(parsePort).default(27017));
  return addDiscordOptions(command)
    .addOption(
      option('--emulator-port <number>', 'also show the embedded Discord over HTTP on this port').argParser(parsePort),
    )
    .addOption(
      option('--cache-size <size>', 'bound on the documents kept in memory')
        .argParser(parseSize)
        .default(256 * 2 ** 20, '256MiB'),
    )
    .addOption(
      option('--local-cache-size <size>', 'bound on what is kept of a Discord server in the data folder, 0 for nothing')
        .argParser(parseSize)
        .default(2 * 2 ** 30, '2GiB'),
    )
    .addOption(option('--force', 'take the Discord server over from another DiscoDB that may be alive').default(false))
    .addOption(logLevelOption())
    .action(async (flags: ServeFlags) => {
      const log = createLog(flags.logLevel);
      await runUntilSignal(log, async () => {
        const discord = discordOptions(flags);
        const running = await serve(systemEnv(log), {
          ...discord,
          host: flags.host,
          port: flags.port,
          emulatorPort: flags.emulatorPort,
          cacheBytes: flags.cacheSize,
          localCacheBytes: flags.localCacheSize,
          force: flags.force,
          argv: withoutTokens(process.argv, discord.tokens),
        });
        process.stdout.write(`DiscoDB is ready: mongodb://${running.address}\n`);
        if (running.emulatorUrl) process.stdout.write(`Its Discord can be seen at ${running.emulatorUrl}/_emulator/\n`);
        return running;
      });
    });
}

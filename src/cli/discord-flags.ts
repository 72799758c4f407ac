import type { Command } from 'commander';
import type { ConnectOptions } from '../compose.ts';
import { limitsOption, option, parseList, readTokens } from './options.ts';

/** The flags that say which Discord holds the data, as commander gives them. */
export interface DiscordFlags {
  dataDir: string;
  token?: string[];
  tokenFile?: string;
  guild?: string[];
  discordApi?: string;
  limits?: 'discord' | 'off';
  encryptionKeyFile?: string;
}

export function addDiscordOptions(command: Command): Command {
  return command
    .addOption(option('--data-dir <folder>', "the embedded Discord's data").default('./discodb-data'))
    .addOption(
      option('--token <token...>', 'bot token, or several (better: a variable, or --token-file)').argParser(parseList),
    )
    .addOption(option('--token-file <file>', 'file with the bot token, or one a line'))
    .addOption(
      option('--guild <id...>', 'id of the Discord server that holds the data, or several, filled in order').argParser(
        parseList,
      ),
    )
    .addOption(option('--discord-api <url>', 'address of a Discord API other than Discord’s own'))
    .addOption(limitsOption())
    .addOption(option('--encryption-key-file <file>', 'file with the keys that seal the data, the newest first'));
}

export function discordOptions(flags: DiscordFlags): ConnectOptions & { readonly tokens: readonly string[] } {
  const { dataDir, tokenFile, token = [], guild = [], discordApi, limits, encryptionKeyFile } = flags;
  const tokens = tokenFile ? readTokens(tokenFile) : token;
  return { dataDir, tokens, guilds: guild, discordApi, limits, encryptionKeyFile };
}

import type { Env } from '../base/index.ts';
import { type Store, StoreError } from '../store/index.ts';
import { Bot } from './bot.ts';
import { ChannelStore } from './channel-store.ts';
import type { OpenGateway } from './gateway-link.ts';
import { socketGateway } from './gateway-socket.ts';
import { InvalidRequests } from './invalid-requests.ts';
import { Rest, type RestMetrics } from './rest.ts';
import type { LimitMode } from './scheduler.ts';
import { checkStart, StartError } from './start-checks.ts';
import { Swarm } from './swarm.ts';
import type { Transport } from './transport.ts';
import { undiciTransport } from './undici.ts';

export const DISCORD_API_URL = 'https://discord.com/api/v10';

export interface DiscordStoreOptions {
  /** One for each bot; one is the rule. */
  readonly tokens: readonly string[];
  /** In the order in which they are filled with channels. */
  readonly guildIds: readonly string[];
  readonly env: Env;
  /** With the version; Discord's own when absent. */
  readonly apiUrl?: string;
  /** Sockets when absent, for the gateway too. The embedded Discord gives a function. */
  readonly transport?: Transport;
  /** With a transport given and none of these, nobody tells what others do. */
  readonly gateway?: OpenGateway;
  /** `off` only for an API that counts nothing. */
  readonly limits?: LimitMode;
}

export interface DiscordStore extends Store {
  /** Of the first bot that works. */
  readonly botUserId: string;
  readonly applicationId: string;
  metrics(): RestMetrics;
}

/** The characters of a token, so that nothing else gets into a header. */
const TOKEN_FORM = /^[\w.~+/=-]{1,200}$/;
const GUILD_FORM = /^\d{1,20}$/;

/** Checks that the bots can do their work, and gives the store. Throws a `StartError` that says what to mend. */
export async function openDiscordStore(options: DiscordStoreOptions): Promise<DiscordStore> {
  const { env } = options;
  const tokens = [...new Set(options.tokens.map((token) => token.trim().replace(/^Bot\s+/i, '')))];
  const guildIds = [...new Set(options.guildIds)];
  const apiUrl = (options.apiUrl ?? DISCORD_API_URL).replace(/\/+$/, '');
  checkForms(tokens, guildIds, apiUrl);
  const sockets = options.transport ? undefined : undiciTransport();
  const transport = options.transport ?? sockets!.transport;
  const gateway = options.gateway ?? (sockets && socketGateway(apiUrl.startsWith('https:')));
  const release = () => sockets?.close() ?? Promise.resolve();
  const { limits = 'discord' } = options;
  const invalidRequests = new InvalidRequests(env.clock);
  const rests = tokens.map((token) => new Rest({ transport, apiUrl, token, env, limits, invalidRequests }));
  try {
    const bots: Bot[] = [];
    for (const [at, rest] of rests.entries()) {
      const identity = await checkStart(rest, guildIds, apiUrl).catch(naming(at, tokens.length));
      bots.push(new Bot(tokens[at]!, rest, identity));
    }
    return new ChannelStore({ env, swarm: new Swarm(env, guildIds, bots), guildIds, gateway, release });
  } catch (error) {
    for (const rest of rests) rest.close(new StoreError('closed', 'the start was given up'));
    await release();
    throw error;
  }
}

/** Says which bot it is that cannot start, where there are several. */
function naming(at: number, bots: number): (error: unknown) => never {
  return (error) => {
    if (bots === 1 || !(error instanceof StartError)) throw error;
    throw new StartError(`Bot ${at + 1} of ${bots}: ${error.message}`);
  };
}

function checkForms(tokens: readonly string[], guildIds: readonly string[], apiUrl: string): void {
  if (tokens.length === 0 || !tokens.every((token) => TOKEN_FORM.test(token))) {
    throw new StartError(
      'The bot token is empty or has characters that no token has. Copy it again: Developer Portal > your application > ' +
        'Bot > Reset Token > Copy.',
    );
  }
  const wrong = guildIds.find((id) => !GUILD_FORM.test(id));
  if (wrong !== undefined || guildIds.length === 0) {
    throw new StartError(
      `${JSON.stringify(wrong ?? '')} is not a server id, which is a long number. In Discord: User Settings > Advanced > ` +
        'Developer Mode on, then right-click the server and "Copy Server ID".',
    );
  }
  if (!URL.canParse(apiUrl) || !/^https?:/.test(apiUrl)) {
    throw new StartError(`${JSON.stringify(apiUrl)} is not an http address of a Discord API.`);
  }
}

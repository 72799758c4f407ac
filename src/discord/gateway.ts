import type { Env } from '../base/index.ts';
import type { StoreEvent } from '../store/index.ts';
import type { Bot } from './bot.ts';
import { type GatewayBot, GatewayClient } from './gateway-client.ts';
import { toStoreEvent } from './gateway-events.ts';
import type { OpenGateway } from './gateway-link.ts';
import { FinalClose } from './gateway-protocol.ts';
import { object, text } from './objects.ts';
import { routes } from './routes.ts';
import { intentAdvice, tokenAdvice } from './start-checks.ts';
import type { Swarm } from './swarm.ts';

export interface GatewayOptions {
  readonly env: Env;
  readonly open: OpenGateway;
  readonly swarm: Swarm;
  readonly guildIds: readonly string[];
  readonly tell: (event: StoreEvent) => void;
}

/**
 * One bot of the swarm listens for all, in the background; when it is lost, the next one does. Whatever fails here fails
 * nothing else: a store without events works on.
 */
export class Gateway {
  readonly #options: GatewayOptions;
  readonly #tried = new Set<Bot>();
  #listening: { readonly bot: Bot; readonly client: GatewayClient } | undefined;
  #running: Promise<void> | undefined;
  #closed = false;

  constructor(options: GatewayOptions) {
    this.#options = options;
    options.swarm.onLeave((bot) => {
      if (this.#listening?.bot === bot) this.#listening.client.close();
    });
  }

  /** Does nothing where it runs, or ran, already. */
  start(): void {
    if (this.#closed) return;
    const { log } = this.#options.env;
    this.#running ??= this.#run().catch((error: unknown) => {
      log.error({ err: error }, 'the gateway client failed; what others do is seen late from now on');
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#listening?.client.close();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { env, swarm } = this.#options;
    for (let bot = this.#next(); bot && !this.#closed; bot = this.#next()) {
      this.#tried.add(bot);
      await this.#listen(bot);
    }
    if (this.#closed) return;
    const bots = swarm.all.length;
    env.log.error({ bots }, 'no bot can listen to Discord; DiscoDB works on, and sees late what others do');
  }

  #next(): Bot | undefined {
    return this.#options.swarm.live.find((bot) => !this.#tried.has(bot));
  }

  /** Until this bot can listen no longer. */
  async #listen(bot: Bot): Promise<void> {
    const { env, open, swarm, tell } = this.#options;
    let connected = false;
    const client = new GatewayClient({
      env,
      open,
      token: bot.token,
      gatewayBot: () => bot.rest.request({ route: routes.gatewayBot(), priority: 'read', read: readGatewayBot }),
      dispatch: (type, data) => this.#dispatch(bot, type, data),
      connected: () => {
        connected = true;
        tell({ kind: 'connected' });
      },
      gap: () => {
        connected = false;
        tell({ kind: 'gap' });
      },
    });
    this.#listening = { bot, client };
    const code = await client.run().catch((error: unknown) => {
      if (!this.#closed) env.log.error({ err: error, bot: bot.userId }, 'a bot cannot listen to Discord any more');
      return undefined;
    });
    this.#listening = undefined;
    if (this.#closed) return;
    if (connected) tell({ kind: 'gap' });
    if (code === undefined) return;
    const advice = adviceFor(code, bot.applicationId);
    env.log.error({ bot: bot.userId, closeCode: code }, `Discord does not let a bot listen. ${advice}`);
    if (BOT_IS_UNFIT.has(code)) swarm.dismiss(bot, advice);
  }

  #dispatch(bot: Bot, type: string, data: unknown): void {
    const { env, swarm, guildIds, tell } = this.#options;
    try {
      if (type === 'GUILD_DELETE') this.#guildGone(bot, data);
      const found = toStoreEvent(type, data, (author) => swarm.has(author));
      if (found && guildIds.includes(String(found.guildId))) tell(found.event);
    } catch (error) {
      env.log.warn({ err: error, type }, 'an event of the gateway was not understood');
    }
  }

  /** `unavailable` is an outage; without it the bot was removed. */
  #guildGone(bot: Bot, data: unknown): void {
    const { id, unavailable } = object(data, 'GUILD_DELETE');
    if (unavailable === true || !this.#options.guildIds.includes(String(id))) return;
    this.#options.swarm.suspect(bot).catch((error: unknown) => {
      this.#options.env.log.warn({ err: error, bot: bot.userId }, 'a bot that seems removed could not be examined');
    });
  }
}

const BOT_IS_UNFIT: ReadonlySet<number> = new Set([FinalClose.authenticationFailed, FinalClose.disallowedIntents]);

/** What a person has to do about a final close code. */
function adviceFor(code: number, applicationId: string): string {
  switch (code) {
    case FinalClose.authenticationFailed:
      return tokenAdvice();
    case FinalClose.disallowedIntents:
      return `${intentAdvice(applicationId)} Then start DiscoDB again.`;
    case FinalClose.invalidShard:
    case FinalClose.shardingRequired:
      return 'The bot is in so many servers that Discord wants it sharded. Use a bot that is for DiscoDB alone.';
    default:
      return `Discord does not take this version of DiscoDB (close code ${code}). Install a newer one.`;
  }
}

function readGatewayBot(json: unknown): GatewayBot {
  const answer = object(json, 'gateway');
  const limit = object(answer.session_start_limit, 'session_start_limit');
  const { remaining, reset_after: resetAfter } = limit;
  // Where Discord's count cannot be read, nothing is spent.
  return {
    url: text(answer, 'url'),
    limit: {
      remaining: typeof remaining === 'number' ? remaining : 0,
      resetAfterMs: typeof resetAfter === 'number' ? resetAfter : 0,
    },
  };
}

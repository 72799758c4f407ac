import type { Env } from '../base/index.ts';
import { GatewayConnection } from './gateway-connection.ts';
import { CLOSE, type GatewayLink } from './gateway-protocol.ts';
import { GatewaySessions } from './gateway-sessions.ts';
import { IdentifyBudget, type SessionStartLimit } from './identify-budget.ts';
import type { EmulatorCore, LimitMode } from './types.ts';

/** The versions that Discord serves; others are closed with 4012. */
const VERSIONS = ['9', '10'];

export interface GatewayOptions {
  /** Whether IDENTIFYs are counted; asked each time. Default: `discord`. */
  readonly limits?: () => LimitMode;
  /** A bot has used up its IDENTIFYs of the day: all its sessions have ended, and Discord resets its token. */
  readonly exhausted?: (botId: string) => void;
}

/**
 * Discord's gateway without sockets: connections come in through `connect`, events through the core, and what a client
 * should hear goes out through its link.
 */
export class Gateway {
  readonly #core: EmulatorCore;
  readonly #env: Env;
  readonly #budget: IdentifyBudget;
  readonly #sessions: GatewaySessions;
  readonly #connections = new Set<GatewayConnection>();
  readonly #unsubscribe: () => void;

  constructor(core: EmulatorCore, env: Env, options: GatewayOptions = {}) {
    this.#core = core;
    this.#env = env;
    this.#budget = new IdentifyBudget(env.clock, options.limits);
    this.#sessions = new GatewaySessions(core, env, {
      budget: this.#budget,
      exhausted: options.exhausted ?? (() => {}),
    });
    this.#unsubscribe = core.events.subscribe((event) => this.#sessions.publish(event));
  }

  /** What GET /gateway/bot says about new sessions. */
  sessionStartLimit(botId: string): SessionStartLimit {
    return this.#budget.limit(botId);
  }

  /** A client has connected with `?v=<version>`. The answer takes what it sends, and must be told when it is gone. */
  connect(link: GatewayLink, version: string): GatewayConnection {
    const connection = new GatewayConnection(
      {
        core: this.#core,
        clock: this.#env.clock,
        sessions: this.#sessions,
        left: (gone) => this.#connections.delete(gone),
      },
      link,
    );
    this.#connections.add(connection);
    if (VERSIONS.includes(version)) connection.hello();
    else connection.close(CLOSE.invalidVersion);
    return connection;
  }

  /** Closes every connection, ends all sessions, and hears no more events. */
  close(): void {
    this.#unsubscribe();
    for (const connection of [...this.#connections]) connection.close(CLOSE.goingAway);
    this.#sessions.endAll();
  }
}

import type { Env } from '../base/index.ts';
import type { Identify } from './gateway-forms.ts';
import { CLOSE, GatewayClose, type GatewayLink, INTENT, OP, payload } from './gateway-protocol.ts';
import { GatewaySession } from './gateway-session.ts';
import type { IdentifyBudget } from './identify-budget.ts';
import type { Bot, CoreEvent, EmulatorCore } from './types.ts';

const SESSION_ID_BYTES = 16;

/** What bounds the start of sessions. */
export interface SessionStarts {
  readonly budget: IdentifyBudget;
  /** Told when a bot overran its budget and has lost all its sessions. */
  readonly exhausted: (botId: string) => void;
}

/** All sessions, with or without a connection: begins and resumes them, and tells each what it should hear. */
export class GatewaySessions {
  readonly #core: EmulatorCore;
  readonly #env: Env;
  readonly #starts: SessionStarts;
  readonly #sessions = new Map<string, GatewaySession>();

  constructor(core: EmulatorCore, env: Env, starts: SessionStarts) {
    this.#core = core;
    this.#env = env;
    this.#starts = starts;
  }

  /** Begins a session: READY, then one GUILD_CREATE for each guild of the shard. Undefined when it is too soon for another. */
  begin(identify: Identify, link: GatewayLink): GatewaySession | undefined {
    const spent = this.#starts.budget.take(identify.bot.userId, identify.shard[0]);
    if (spent === 'too-soon') return undefined;
    if (spent === 'exhausted') {
      this.#endAllOf(identify.bot);
      this.#starts.exhausted(identify.bot.userId);
      throw new GatewayClose(CLOSE.authenticationFailed);
    }
    const id = Buffer.from(this.#env.random.bytes(SESSION_ID_BYTES)).toString('hex');
    const session = new GatewaySession({ ...identify, id }, this.#env.clock);
    this.#sessions.set(id, session);
    session.attach(link);
    this.#greet(session);
    return session;
  }

  /** Takes a session up again with what it missed. Undefined when it is over, or has forgotten what followed `seq`. */
  resume(token: string, sessionId: string, seq: number, link: GatewayLink): GatewaySession | undefined {
    const session = this.#sessions.get(sessionId);
    if (!session || session.bot.token !== token || !session.canReplay(seq)) return undefined;
    if (seq > session.seq) throw new GatewayClose(CLOSE.invalidSequence);
    session.link?.close(CLOSE.unknownError);
    session.attach(link);
    session.replay(seq);
    session.dispatch('RESUMED', { _trace: [] });
    return session;
  }

  /** A session's connection is over. It waits for a RESUME unless it `ended`. */
  leave(session: GatewaySession, ended: boolean): void {
    if (ended) this.end(session);
    else session.detach(() => this.end(session));
  }

  endAll(): void {
    for (const session of [...this.#sessions.values()]) this.end(session);
  }

  end(session: GatewaySession): void {
    session.end();
    this.#sessions.delete(session.id);
  }

  /** Gives an event to every session that should hear of it. */
  publish(event: CoreEvent): void {
    for (const session of [...this.#sessions.values()]) {
      const data = session.project(this.#core, event);
      if (!data || this.#core.takeGatewayFault('gateway-drop')) continue;
      if (this.#core.takeGatewayFault('gateway-reorder')) {
        session.holdBack(event.type, data);
        continue;
      }
      session.dispatch(event.type, data);
      session.release();
      if (this.#core.takeGatewayFault('gateway-repeat')) session.dispatch(event.type, data);
      this.#disturb(session);
    }
  }

  #greet(session: GatewaySession): void {
    const { userId } = session.bot;
    const guilds = this.#core.guildsOf(userId).filter((guild) => session.serves(guild.id));
    session.dispatch('READY', {
      v: 10,
      user: this.#core.serializeUser(userId),
      guilds: guilds.map(({ id }) => ({ id, unavailable: true })),
      session_id: session.id,
      session_type: 'normal',
      resume_gateway_url: gatewayUrl(this.#core),
      shard: session.shard,
      application: this.#core.serializeApplication(userId),
      private_channels: [],
      _trace: [],
    });
    if (!session.has(INTENT.guilds)) return;
    for (const { id } of guilds) session.dispatch('GUILD_CREATE', this.#core.serializeGuildCreate(id, userId));
  }

  /** Faults that hit a connection after it was sent something. */
  #disturb(session: GatewaySession): void {
    const { link } = session;
    if (!link) return;
    if (this.#core.takeGatewayFault('gateway-disconnect')) {
      link.close(CLOSE.unknownError);
      return;
    }
    if (this.#core.takeGatewayFault('gateway-reconnect')) link.send(payload(OP.reconnect));
    if (this.#core.takeGatewayFault('gateway-invalid')) {
      this.end(session);
      link.send(payload(OP.invalidSession, false));
    }
  }

  #endAllOf(bot: Bot): void {
    for (const session of [...this.#sessions.values()]) {
      if (session.bot.userId !== bot.userId) continue;
      session.link?.close(CLOSE.authenticationFailed);
      this.end(session);
    }
  }
}

/** Where sessions connect and resume. */
export function gatewayUrl(core: EmulatorCore): string {
  return core.publicUrl.replace(/^http/, 'ws');
}

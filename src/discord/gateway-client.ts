import { type Deferred, deferred, type Env, sleep } from '../base/index.ts';
import { backoffMs } from './backoff.ts';
import { type Ending, GatewayConversation, type ResumePoint } from './gateway-conversation.ts';
import type { OpenGateway } from './gateway-link.ts';
import { IdentifyBudget, type SessionStartLimit, STABLE_MS } from './identify-budget.ts';

/** Connections in a row that may fail before a session is given up. */
const RESUME_TRIES = 5;
/** A wait for the next session that is worth a warning. */
const LONG_WAIT_MS = 60_000;

/** What GET /gateway/bot answers. */
export interface GatewayBot {
  readonly url: string;
  readonly limit: SessionStartLimit;
}

export interface GatewayClientOptions {
  readonly env: Env;
  readonly token: string;
  readonly open: OpenGateway;
  /** Rejects when this bot can do nothing any more. */
  readonly gatewayBot: () => Promise<GatewayBot>;
  readonly dispatch: (type: string, data: unknown) => void;
  readonly connected: () => void;
  /** A session that was listened to is lost; once, before the next `connected`. */
  readonly gap: () => void;
}

/** One bot's session at the gateway, kept up through every end that is not final. */
export class GatewayClient {
  readonly #options: GatewayClientOptions;
  readonly #budget: IdentifyBudget;
  readonly #stopping = new AbortController();
  #conversation: GatewayConversation | undefined;

  constructor(options: GatewayClientOptions) {
    this.#options = options;
    this.#budget = new IdentifyBudget(options.env.clock);
  }

  /** Resolves with Discord's close code when that is final, or with undefined after `close`. Rejects as `gatewayBot` does. */
  async run(): Promise<number | undefined> {
    try {
      return await this.#keepUp();
    } catch (error) {
      if (this.#stopped) return undefined;
      throw error;
    }
  }

  close(): void {
    this.#stopping.abort(new Error('the gateway client is closed'));
    this.#conversation?.leave();
  }

  async #keepUp(): Promise<number | undefined> {
    const { env, gap } = this.#options;
    let point: ResumePoint | undefined;
    let failures = 0;
    let session = false;
    for (;;) {
      const url = point?.url ?? (await this.#admission());
      if (this.#stopped) return undefined;
      const { ending, listenedMs } = await this.#converse(url, point);
      if (this.#stopped) return undefined;
      const { next, code, why, pauseMs } = ending;
      if (next === 'never') return code;
      env.log.debug({ next, why }, 'the gateway connection is over');
      failures = listenedMs === undefined ? failures + 1 : 0;
      session ||= listenedMs !== undefined;
      if (listenedMs !== undefined && listenedMs >= STABLE_MS) this.#budget.stable();
      point = failures < RESUME_TRIES ? ending.point : undefined;
      if (!point && session) {
        session = false;
        gap();
      }
      const rest = failures === 0 ? 0 : backoffMs(env.random, failures);
      await this.#sleep(Math.max(pauseMs, rest));
    }
  }

  /** The address for a new session, as soon as one may be started. */
  async #admission(): Promise<string> {
    for (;;) {
      const { url, limit } = await this.#options.gatewayBot();
      const wait = this.#budget.waitMs(limit);
      if (wait === 0) return url;
      const level = wait > LONG_WAIT_MS ? 'warn' : 'debug';
      const { remaining } = limit;
      this.#options.env.log[level]({ remaining, waitMs: wait }, 'the next gateway session waits');
      await this.#sleep(wait);
    }
  }

  async #converse(
    url: string,
    point: ResumePoint | undefined,
  ): Promise<{ ending: Ending; listenedMs: number | undefined }> {
    const { env, token, open, dispatch, connected } = this.#options;
    const over: Deferred<Ending> = deferred();
    let since: number | undefined;
    const conversation = new GatewayConversation(env, token, point, {
      identifying: () => this.#budget.spent(),
      listening: () => {
        since = env.clock.monotonic();
        connected();
      },
      dispatch,
      over: over.resolve,
    });
    this.#conversation = conversation;
    conversation.begin(open, url);
    const ending = await over.promise;
    return { ending, listenedMs: since === undefined ? undefined : env.clock.monotonic() - since };
  }

  async #sleep(ms: number): Promise<void> {
    if (ms > 0) await sleep(this.#options.env.clock, ms, this.#stopping.signal);
  }

  get #stopped(): boolean {
    return this.#stopping.signal.aborted;
  }
}

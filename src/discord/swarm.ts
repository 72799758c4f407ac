import { type Env, sleep } from '../base/index.ts';
import { StoreError } from '../store/index.ts';
import type { Bot } from './bot.ts';
import { type Call, Moved } from './rest.ts';
import type { Route } from './routes.ts';
import { type Standing, standingOf } from './standing.ts';

/** How long a channel that refused a bot is left to the others: a person may mend it. Each refusal counts as invalid. */
const BARRED_MS = 60 * 60_000;
/** Pause before a request is tried at all bots again that could not be reached. */
const PROBE_PAUSE_MS = 1000;

/**
 * The bots that share the work, each with counters of its own. A request goes to the bot that has room for it first, and on
 * to another one when its bot turns out to be dead, removed or barred. The last bot never leaves: what happens to it happens
 * to the store.
 */
export class Swarm {
  readonly #env: Env;
  readonly #guildIds: readonly string[];
  readonly #userIds: ReadonlySet<string>;
  readonly #live: Bot[];
  /** `user channel`, where Discord refused: until when, by the steady clock. */
  readonly #refused = new Map<string, number>();
  /** `user channel`, where the channel's overwrites let the bot in by no name. It may have a role that does. */
  readonly #shutOut = new Set<string>();
  readonly #probes = new Map<Bot, Promise<Standing>>();
  readonly #leaving = new Set<(bot: Bot) => void>();
  readonly #all: readonly Bot[];
  #closed: StoreError | undefined;

  constructor(env: Env, guildIds: readonly string[], bots: readonly Bot[]) {
    this.#env = env;
    this.#guildIds = guildIds;
    this.#all = bots;
    this.#live = [...bots];
    this.#userIds = new Set(bots.map(({ userId }) => userId));
  }

  /** Those that work, in the order in which they were given. */
  get live(): readonly Bot[] {
    return this.#live;
  }

  /** Those that have left too. */
  get all(): readonly Bot[] {
    return this.#all;
  }

  /** Whether the user is a bot of this swarm, or was one. */
  has(userId: string): boolean {
    return this.#userIds.has(userId);
  }

  /** The bot by which a request on `route` could leave first. */
  pick(route: Route): Bot {
    if (this.#live.length === 1) return this.#live[0]!;
    const [first, ...others] = this.#candidates(route);
    let best = first!;
    let soonest = others.length > 0 ? best.rest.roomAt(route) : 0;
    for (const bot of others) {
      const at = bot.rest.roomAt(route);
      if (at < soonest) [best, soonest] = [bot, at];
    }
    return best;
  }

  /** As `Rest.request`, by any bot. `whole` says whether the bot could see all of what it answered. */
  async request<T>(call: Call<T>, whole?: (answer: T, bot: Bot) => boolean): Promise<T> {
    let asked = call;
    for (;;) {
      const bot = this.pick(call.route);
      try {
        const answer = await bot.rest.request({ ...asked, moves: () => this.pick(call.route) !== bot });
        if (!whole || whole(answer, bot) || !(await this.#isBlind(bot))) return answer;
      } catch (error) {
        if (!(await this.takeFrom(bot, call.route, error))) throw error;
        // A try of the bot that is gone may have been carried out.
        if (!(error instanceof Moved)) asked = { ...asked, doubtful: true };
      }
    }
  }

  /** Whether what `bot` failed at with `error` is to be tried by another bot. Throws why all have ended, once they have. */
  async takeFrom(bot: Bot, route: Route, error: unknown): Promise<boolean> {
    if (error instanceof Moved) return true;
    if (!(error instanceof StoreError)) return false;
    if (this.#closed) throw this.#closed;
    if (!this.#live.includes(bot)) return true;
    if (this.#live.length === 1) return false;
    if (error.code === 'unauthorized' || error.code === 'closed') return this.dismiss(bot, error.message);
    if (error.code !== 'forbidden' && error.code !== 'gone') return false;
    const standing = await this.#probe(bot);
    if (this.#closed) throw this.#closed;
    if (standing.kind === 'out') return this.dismiss(bot, standing.why);
    // A channel that is not there is there for nobody.
    if (error.code === 'gone' && standing.kind === 'good') return false;
    if (standing.kind === 'unknown') await sleep(this.#env.clock, PROBE_PAUSE_MS);
    return this.#bar(bot, route, error.message);
  }

  /** Takes over which of the bots a listed channel does not name. */
  learnAccess(channel: string, shutOut: readonly string[]): void {
    for (const { userId } of this.#all) {
      const key = barKey(userId, channel);
      if (shutOut.includes(userId)) this.#shutOut.add(key);
      else this.#shutOut.delete(key);
    }
  }

  /** Finds out whether a bot is still what it was, after a sign that it is not. */
  async suspect(bot: Bot): Promise<void> {
    if (this.#closed || !this.#live.includes(bot)) return;
    const standing = await this.#probe(bot);
    if (standing.kind !== 'out' || this.dismiss(bot, standing.why) || this.#closed) return;
    this.#env.log.error({ bot: bot.userId, why: standing.why }, 'the only bot can work no longer');
  }

  /** Takes a bot out, unless it is the last one. True when others go on. */
  dismiss(bot: Bot, why: string): boolean {
    const at = this.#live.indexOf(bot);
    if (at < 0) return true;
    const { userId, applicationId } = bot;
    if (this.#closed || this.#live.length === 1) return false;
    this.#live.splice(at, 1);
    const fields = { bot: userId, applicationId, botsLeft: this.#live.length, why };
    this.#env.log.error(fields, 'a bot can work no longer; the others go on without it');
    bot.rest.close(new StoreError('closed', 'this bot has left the others'));
    for (const listener of this.#leaving) listener(bot);
    return true;
  }

  onLeave(listener: (bot: Bot) => void): void {
    this.#leaving.add(listener);
  }

  close(reason: StoreError): void {
    this.#closed = reason;
    for (const bot of this.#all) bot.rest.close(reason);
  }

  async #isBlind(bot: Bot): Promise<boolean> {
    if (this.#live.length === 1 || !this.#live.includes(bot)) return !this.#live.includes(bot);
    const standing = await this.#probe(bot);
    return standing.kind === 'out' && this.dismiss(bot, standing.why);
  }

  #probe(bot: Bot): Promise<Standing> {
    const running = this.#probes.get(bot);
    if (running) return running;
    const probe = standingOf(bot, this.#guildIds).finally(() => this.#probes.delete(bot));
    this.#probes.set(bot, probe);
    return probe;
  }

  /** Those that were not refused and are let in by name; else those that were not refused; else all. */
  #candidates(route: Route): readonly Bot[] {
    const free = this.#live.filter((bot) => !this.#isRefused(bot, route));
    const named = free.filter(({ userId }) => !this.#shutOut.has(barKey(userId, route.major)));
    return [named, free, this.#live].find(({ length }) => length > 0)!;
  }

  /** False when every other bot was refused as well: then the refusal is the answer. */
  #bar(bot: Bot, route: Route, why: string): boolean {
    const until = this.#env.clock.monotonic() + BARRED_MS;
    this.#refused.set(barKey(bot.userId, route.major), until);
    if (this.#live.every((one) => this.#isRefused(one, route))) {
      for (const one of this.#live) this.#refused.delete(barKey(one.userId, route.major));
      return false;
    }
    this.#env.log.warn({ bot: bot.userId, channel: route.major, why }, 'a bot may not work in a channel; others do');
    return true;
  }

  #isRefused(bot: Bot, route: Route): boolean {
    const until = this.#refused.get(barKey(bot.userId, route.major));
    return until !== undefined && this.#env.clock.monotonic() < until;
  }
}

function barKey(userId: string, channel: string): string {
  return `${userId} ${channel}`;
}

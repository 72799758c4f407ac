import type { Clock, Timer } from '../base/index.ts';
import { type GatewayLink, INTENT, INTENT_OF, OP, type Payload } from './gateway-protocol.ts';
import type { Bot, CoreEvent, EmulatorCore, JsonObject } from './types.ts';

/** Dispatches kept for a RESUME. Discord's own bound is not published. */
export const REPLAY_LIMIT = 1000;

/** How long a session outlives its connection: "a few minutes" in Discord's words. */
export const SESSION_GRACE_MS = 3 * 60_000;

/** How long a `gateway-reorder` fault keeps an event back when no other overtakes it. */
export const HOLD_MS = 1000;

export interface SessionOptions {
  readonly id: string;
  readonly bot: Bot;
  readonly intents: number;
  /** `[shard id, shard count]`: this session serves the guilds whose `(id >> 22) % count` is the shard id. */
  readonly shard: readonly [number, number];
}

/** What IDENTIFY began: a numbered stream of events that survives the loss of its connection for a while. */
export class GatewaySession {
  readonly id: string;
  readonly bot: Bot;
  readonly shard: readonly [number, number];
  readonly #intents: number;
  readonly #clock: Clock;
  #seq = 0;
  #replay: Payload[] = [];
  #link: GatewayLink | undefined;
  #grace: Timer | undefined;
  #held: [type: string, data: JsonObject][] = [];

  constructor(options: SessionOptions, clock: Clock) {
    this.id = options.id;
    this.bot = options.bot;
    this.shard = options.shard;
    this.#intents = options.intents;
    this.#clock = clock;
  }

  get link(): GatewayLink | undefined {
    return this.#link;
  }

  get seq(): number {
    return this.#seq;
  }

  attach(link: GatewayLink): void {
    this.#grace?.cancel();
    this.#link = link;
  }

  /** The connection is gone; `expired` is called when nobody resumes in time. */
  detach(expired: () => void): void {
    this.#link = undefined;
    this.#grace = this.#clock.timer(SESSION_GRACE_MS, expired, { unref: true });
  }

  end(): void {
    this.#grace?.cancel();
    this.#link = undefined;
    this.#replay = [];
    this.#held = [];
  }

  serves(guildId: string): boolean {
    const [id, count] = this.shard;
    return Number((BigInt(guildId) >> 22n) % BigInt(count)) === id;
  }

  /** The `d` this session gets of an event, or undefined when the event is none of its business. */
  project(core: EmulatorCore, event: CoreEvent): JsonObject | undefined {
    if (!event.viewers.includes(this.bot.userId) || !this.serves(event.guildId) || !this.#wants(event))
      return undefined;
    if (event.type !== 'MESSAGE_CREATE' && event.type !== 'MESSAGE_UPDATE') return event.data;
    return core.blankFor(event.data, this.bot.userId, this.has(INTENT.messageContent));
  }

  has(intent: number): boolean {
    return (this.#intents & intent) !== 0;
  }

  /** Numbers an event, keeps it for a resume, and sends it when somebody listens. */
  dispatch(type: string, data: JsonObject): void {
    const event: Payload = { op: OP.dispatch, d: data, s: ++this.#seq, t: type };
    this.#replay.push(event);
    if (this.#replay.length > REPLAY_LIMIT) this.#replay.shift();
    this.#link?.send(event);
  }

  /** Keeps an event back until another one has overtaken it. */
  holdBack(type: string, data: JsonObject): void {
    this.#held.push([type, data]);
    this.#clock.timer(HOLD_MS, () => this.release(), { unref: true });
  }

  /** Sends what was kept back. */
  release(): void {
    for (const [type, data] of this.#held.splice(0)) this.dispatch(type, data);
  }

  /** Whether all that followed `seq` is still here. */
  canReplay(seq: number): boolean {
    return seq >= this.#seq - this.#replay.length;
  }

  replay(seq: number): void {
    for (const event of this.#replay) if (event.s! > seq) this.#link?.send(event);
  }

  #wants(event: CoreEvent): boolean {
    if (this.has(INTENT_OF[event.type])) return true;
    // A bot always hears of changes to its own membership.
    const user = event.data.user as JsonObject | undefined;
    return event.type === 'GUILD_MEMBER_UPDATE' && user?.id === this.bot.userId;
  }
}

import type { Env } from '../base/index.ts';
import {
  type ChannelId,
  type Draft,
  type Message,
  PAGE_MESSAGES_MAX,
  type Priority,
  StoreError,
  snowflakeAt,
} from '../store/index.ts';
import type { Bot } from './bot.ts';
import { ApiError } from './errors.ts';
import { type EncodedBody, jsonBody, multipartBody } from './multipart.ts';
import { isElsewhere, toMessage, toPage } from './objects.ts';
import { type Call, Moved } from './rest.ts';
import { type Route, routes } from './routes.ts';
import type { Swarm } from './swarm.ts';

/** Message flags: no link previews, no notification (docs: resources/message.mdx). */
const SUPPRESS_EMBEDS = 1 << 2;
const SUPPRESS_NOTIFICATIONS = 1 << 12;
/** Discord remembers a nonce for "the last few minutes" and says no more; this much is believed. */
export const NONCE_WINDOW_MS = 2 * 60 * 1000;
/** How far this machine's clock may be ahead of Discord's for a lost message still to be found. */
const CLOCK_MARGIN_MS = 5 * 60 * 1000;
const NONCE_BYTES = 12;
const BOUNDARY_BYTES = 24;

/**
 * Posts one message, once, whatever happens to the replies. Within the nonce window a retry with the same nonce is answered
 * with the first message; past it the channel is read back before anything is sent again. Discord keeps nonces by author,
 * so what one bot may have posted stays with it; where that bot is lost, the channel is read back by another one first.
 */
export class Append {
  readonly #swarm: Swarm;
  readonly #env: Env;
  readonly #channel: ChannelId;
  readonly #route: Route;
  readonly #seal: () => Draft;
  readonly #priority: Priority;
  #draft: Draft | undefined;
  #body: EncodedBody | undefined;
  /** The first try of all, by the wall clock. */
  #firstAt = 0;
  /** The first try that the nonce must still cover, by the steady clock. */
  #coveredSince: number | undefined;

  constructor(swarm: Swarm, env: Env, channel: ChannelId, seal: () => Draft, priority: Priority) {
    this.#swarm = swarm;
    this.#env = env;
    this.#channel = channel;
    this.#route = routes.postMessage(channel);
    this.#seal = seal;
    this.#priority = priority;
  }

  async run(): Promise<Message> {
    for (;;) {
      const bot = this.#swarm.pick(this.#route);
      try {
        return await this.#by(bot);
      } catch (error) {
        if (!(await this.#swarm.takeFrom(bot, this.#route, error))) throw error;
        const found = this.#draft && !(error instanceof Moved) ? await this.#readBack() : undefined;
        if (found) return found;
        this.#coveredSince = undefined;
      }
    }
  }

  async #by(bot: Bot): Promise<Message> {
    const posted = await this.#post(bot);
    if (posted) return posted;
    const found = await this.#readBack();
    if (found) return found;
    const nonce = hex(this.#env.random.bytes(NONCE_BYTES));
    this.#body = this.#draft && this.#encode({ ...this.#draft, nonce });
    this.#coveredSince = undefined;
    const again = await this.#post(bot);
    if (again) return again;
    throw new StoreError('refused', 'Discord answers a new message with another one, whatever its nonce');
  }

  /** Undefined when the nonce led to another message: one that somebody has deleted since, or one in another channel. */
  #post(bot: Bot): Promise<Message | undefined> {
    const call: Call<Message | undefined> = {
      route: this.#route,
      priority: this.#priority,
      body: () => this.#leave(),
      read: (json) => (isElsewhere(json, this.#channel) ? undefined : toMessage(json)),
      recover: () => this.#recover(),
      moves: () => this.#swarm.pick(this.#route) !== bot,
    };
    return bot.rest.request(call).catch((error: unknown) => {
      if (error instanceof ApiError && error.unknownMessage) return undefined;
      throw error;
    });
  }

  #leave(): EncodedBody | undefined {
    if (this.#windowPassed()) return undefined;
    const { clock } = this.#env;
    if (!this.#draft) {
      this.#firstAt = clock.now();
      this.#draft = this.#seal();
      this.#body = this.#encode(this.#draft);
    }
    this.#coveredSince ??= clock.monotonic();
    return this.#body;
  }

  async #recover(): Promise<Message | undefined> {
    if (!this.#windowPassed()) return undefined;
    const found = await this.#readBack();
    if (!found) this.#coveredSince = undefined;
    return found;
  }

  #windowPassed(): boolean {
    return this.#coveredSince !== undefined && this.#env.clock.monotonic() - this.#coveredSince > NONCE_WINDOW_MS;
  }

  async #readBack(): Promise<Message | undefined> {
    let after = snowflakeAt(this.#firstAt - CLOCK_MARGIN_MS);
    for (;;) {
      const page = await this.#swarm.request({
        route: routes.listMessages(this.#channel, `limit=${PAGE_MESSAGES_MAX}&after=${after}`),
        priority: 'commit',
        read: toPage,
      });
      const found = page.find((message) => this.#isOurs(message));
      const newest = page[0];
      if (found || !newest || page.length < PAGE_MESSAGES_MAX) return found;
      after = newest.id;
    }
  }

  /** A draft's content names its epoch and sequence, so no other message has the same. Discord trims. */
  #isOurs(message: Message): boolean {
    const draft = this.#draft;
    if (!draft || !this.#swarm.has(message.authorId)) return false;
    return message.content.trim() === draft.content.trim() && message.attachments.length === draft.files.length;
  }

  #encode(draft: Draft): EncodedBody {
    const payload = {
      content: draft.content,
      nonce: draft.nonce,
      enforce_nonce: true,
      allowed_mentions: { parse: [] },
      flags: SUPPRESS_EMBEDS | SUPPRESS_NOTIFICATIONS,
    };
    if (draft.files.length === 0) return jsonBody(payload);
    const attachments = draft.files.map((file, id) => ({ id, filename: file.name }));
    return multipartBody({ ...payload, attachments }, draft.files, hex(this.#env.random.bytes(BOUNDARY_BYTES)));
  }
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

import { setMaxListeners } from 'node:events';
import { type Deferred, deferred, type Env, sleep } from '../base/index.ts';
import { type Priority, StoreError } from '../store/index.ts';
import { backoffMs } from './backoff.ts';
import { type ApiError, judge } from './errors.ts';
import type { InvalidRequests } from './invalid-requests.ts';
import type { EncodedBody } from './multipart.ts';
import type { Route } from './routes.ts';
import { type LimitMode, Scheduler, type SchedulerMetrics } from './scheduler.ts';
import type { Transport, TransportReply, TransportRequest } from './transport.ts';

/** Discord blocks callers at the edge that do not name themselves in this form (docs: reference.mdx). */
const USER_AGENT = 'DiscordBot (https://github.com/discodb/discodb, 0.1.0)';
/** For the answer to a request; an upload gets more by its size. */
const TIMEOUT_MS = 15_000;
/** The slowest upload or download worth waiting for, in bytes a millisecond. */
const SLOWEST_BYTES_PER_MS = 64;
/** So often a download may come in another size, or as a redirection, before it is no accident. */
const MISFITS_TO_BELIEVE = 4;
/** From this try on the log warns: somebody is waiting. */
const TRIES_TO_WORRY = 5;

export interface RestOptions {
  readonly transport: Transport;
  /** Up to and with the version, no slash at the end: `https://discord.com/api/v10`. */
  readonly apiUrl: string;
  readonly token: string;
  readonly env: Env;
  readonly limits: LimitMode;
  /** Of this address; bots that share one share it. */
  readonly invalidRequests: InvalidRequests;
}

export interface Call<T> {
  readonly route: Route;
  readonly priority: Priority;
  /**
   * Called at the moment when a try may leave. Undefined: it must not leave any more as things stand, and `recover` is
   * asked first.
   */
  readonly body?: () => EncodedBody | undefined;
  /** Makes the result of the reply's JSON (undefined for an empty reply). */
  readonly read: (json: unknown) => T;
  /**
   * Asked before a request is tried again whose earlier try may have been carried out: whether the answer can be had
   * without sending it again. Without it the request must be one that may be repeated.
   */
  readonly recover?: () => Promise<T | undefined>;
  /** Gives up with the last trouble after so many tries. Without it, only `close` ends them. */
  readonly tries?: number;
  /** The request may have been carried out before its first try here. */
  readonly doubtful?: boolean;
  /** Asked after a 429 of a request that was never in doubt: whether it is given back, with `Moved`, for another bot. */
  readonly moves?: () => boolean;
}

export interface RestMetrics extends SchedulerMetrics {
  /** Requests sent, by method and route. */
  readonly requests: Readonly<Record<string, number>>;
  /** Tries after the first one. */
  readonly retries: number;
  readonly downloads: number;
  /** Of the last ten minutes, and of all bots. */
  readonly invalidRequests: number;
}

/** Trouble that a retry may heal, when no more retries were wanted. */
export class Unreachable extends Error {
  override readonly name = 'Unreachable';
}

/** A request that was not carried out, and that another bot can make sooner. */
export class Moved extends Error {
  override readonly name = 'Moved';
}

/** One bot token's way to Discord: sends, waits, tries again, and stops before Discord has to stop it. */
export class Rest {
  readonly #options: RestOptions;
  readonly #scheduler: Scheduler;
  readonly #invalid: InvalidRequests;
  readonly #underWay = new Set<AbortController>();
  readonly #ending = new AbortController();
  readonly #requests = new Map<string, number>();
  #retries = 0;
  #downloads = 0;
  #ended: StoreError | undefined;

  constructor(options: RestOptions) {
    this.#options = options;
    this.#scheduler = new Scheduler(options.env.clock, options.limits);
    this.#invalid = options.invalidRequests;
    // Each request that waits before its next try listens; how many wait is no leak.
    setMaxListeners(0, this.#ending.signal);
  }

  async request<T>(call: Call<T>): Promise<T> {
    const { route } = call;
    let { doubtful = false } = call;
    for (let attempt = 1; ; attempt++) {
      if (doubtful) {
        const found = await call.recover?.();
        if (found !== undefined) return found;
      }
      const reply = await this.#exchange(call);
      if (reply === NOT_SENT) {
        doubtful = true;
        continue;
      }
      const verdict = reply instanceof Error ? ({ kind: 'lost' } as const) : judge(reply, what(route));
      if (verdict.kind === 'failed') throw this.#fail(verdict.error);
      if (verdict.kind === 'done' && !(reply instanceof Error)) {
        const json = parse(reply);
        if (json !== HALF) return call.read(json);
      }
      this.#note(route, reply, attempt);
      if (attempt === call.tries) throw new Unreachable(trouble(reply, this.#options.token));
      // A 429 is waited for at the gate; anything else means that Discord, or the way to it, needs a rest.
      if (verdict.kind === 'refused') {
        if (!doubtful && call.moves?.()) throw new Moved(`${route.key} goes to another bot`);
        continue;
      }
      doubtful = true;
      await this.#rest(attempt);
    }
  }

  /** The bytes at a link that needs no token. `undefined` when the link does not serve (expired, or its file is gone). */
  async download(url: string, size: number): Promise<Uint8Array | undefined> {
    let misfits = 0;
    for (let attempt = 1; ; attempt++) {
      this.#mustBeOpen();
      this.#downloads += 1;
      const reply = await this.#send({ method: 'GET', url, headers: { 'user-agent': USER_AGENT } }, size);
      if (!(reply instanceof Error)) {
        if (reply.status === 200 && reply.body.length === size) return reply.body;
        if (reply.status < 400) misfits += 1;
        else if (judge(reply, 'download').kind === 'failed') return undefined;
        if (misfits === MISFITS_TO_BELIEVE) throw misfit(reply, size);
      }
      this.#retries += 1;
      await this.#rest(attempt);
    }
  }

  /** When a request on `route` that comes now could leave, as far as is known, in milliseconds of the steady clock. */
  roomAt(route: Route): number {
    return this.#ended ? Number.POSITIVE_INFINITY : this.#scheduler.roomAt(route);
  }

  /** Refuses everything from now on with `reason`, and ends what is under way. */
  close(reason: StoreError): void {
    if (this.#ended) return;
    this.#ended = reason;
    this.#scheduler.stop(reason);
    this.#ending.abort(reason);
    for (const controller of this.#underWay) controller.abort(reason);
  }

  metrics(): RestMetrics {
    return {
      ...this.#scheduler.metrics(),
      requests: Object.fromEntries(this.#requests),
      retries: this.#retries,
      downloads: this.#downloads,
      invalidRequests: this.#invalid.count,
    };
  }

  /** One try: the reply, the error that took its place, or that it never left. */
  async #exchange<T>({ route, priority, body: bodyOf }: Call<T>): Promise<TransportReply | Error | typeof NOT_SENT> {
    let failure: Error | typeof NOT_SENT | undefined;
    const send = async () => {
      this.#mustBeOpen();
      const body = bodyOf?.();
      if (bodyOf && !body) {
        failure = NOT_SENT;
        throw failure;
      }
      this.#requests.set(route.key, (this.#requests.get(route.key) ?? 0) + 1);
      const answer = await this.#send(this.#request(route, body), bytesOf(body));
      if (!(answer instanceof Error)) return answer;
      failure = answer;
      throw failure;
    };
    this.#mustBeOpen();
    try {
      const reply = await this.#scheduler.run(route, priority, send);
      this.#countInvalid(reply);
      return reply;
    } catch (error) {
      // Only what `send` threw is trouble with the way; the rest is the end of this client or a mistake of the caller.
      if (failure === undefined || error !== failure) throw error;
      return failure;
    }
  }

  #request(route: Route, body: EncodedBody | undefined): TransportRequest {
    const { apiUrl, token } = this.#options;
    const headers = { authorization: `Bot ${token}`, 'user-agent': USER_AGENT };
    const request = { method: route.method, url: `${apiUrl}${route.path}`, headers };
    return body
      ? { ...request, headers: { ...headers, 'content-type': body.contentType }, body: body.chunks }
      : request;
  }

  async #send(request: TransportRequest, bytes: number): Promise<TransportReply | Error> {
    const controller = new AbortController();
    const limit = TIMEOUT_MS + bytes / SLOWEST_BYTES_PER_MS;
    const timer = this.#options.env.clock.timer(limit, () => controller.abort(new Error('no answer in time')), {
      unref: true,
    });
    this.#underWay.add(controller);
    // A transport that does not heed its signal must not hold anybody up.
    const ended: Deferred<never> = deferred();
    controller.signal.addEventListener('abort', () => ended.reject(controller.signal.reason));
    try {
      return await Promise.race([this.#options.transport(request, controller.signal), ended.promise]);
    } catch (error) {
      this.#mustBeOpen();
      return error instanceof Error ? error : new Error(String(error));
    } finally {
      timer.cancel();
      this.#underWay.delete(controller);
    }
  }

  #countInvalid(reply: TransportReply): void {
    const { status } = reply;
    if (status !== 401 && status !== 403 && status !== 429) return;
    if (status === 429 && reply.headers['x-ratelimit-scope'] === 'shared') return;
    if (!this.#invalid.note()) return;
    const count = this.#invalid.count;
    const text = `stopped itself: Discord refused ${count} requests within ten minutes, and would soon ban this address`;
    this.#options.env.log.error({ invalidRequests: count }, text);
    this.close(new StoreError('closed', text));
  }

  /** A token that Discord called dead once is never used again. */
  #fail(error: ApiError): ApiError {
    if (error.code === 'unauthorized') this.close(error);
    return error;
  }

  #note(route: Route, reply: TransportReply | Error, attempt: number): void {
    this.#retries += 1;
    const why = trouble(reply, this.#options.token);
    const level = attempt < TRIES_TO_WORRY ? 'debug' : 'warn';
    this.#options.env.log[level]({ request: route.key, attempt, why }, 'Discord request will be tried again');
  }

  async #rest(attempt: number): Promise<void> {
    const { clock, random } = this.#options.env;
    await sleep(clock, backoffMs(random, attempt), this.#ending.signal);
  }

  #mustBeOpen(): void {
    if (this.#ended) throw this.#ended;
  }
}

/** A reply 2xx whose body is not whole: as good as no reply. */
const HALF = Symbol('half a reply');
const NOT_SENT = Symbol('not sent');

function parse(reply: TransportReply): unknown {
  if (reply.status === 204) return undefined;
  try {
    return JSON.parse(new TextDecoder().decode(reply.body));
  } catch {
    return HALF;
  }
}

function misfit(reply: TransportReply, size: number): StoreError {
  const { status, body } = reply;
  return new StoreError('refused', `An attachment of ${size} bytes came as ${body.length} bytes with status ${status}`);
}

function what(route: Route): string {
  return `Discord refused ${route.key}`;
}

function trouble(reply: TransportReply | Error, token: string): string {
  if (!(reply instanceof Error)) return `status ${reply.status}`;
  const code = 'code' in reply && typeof reply.code === 'string' ? `${reply.code} ` : '';
  return `${code}${reply.message}`.replaceAll(token, '[secret]');
}

function bytesOf(body: EncodedBody | undefined): number {
  return body?.chunks.reduce((sum, chunk) => sum + chunk.length, 0) ?? 0;
}

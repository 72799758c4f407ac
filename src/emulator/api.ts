import { sleep } from '../base/index.ts';
import { type Body, readBody, readJson } from './body.ts';
import type { Core } from './core.ts';
import { ApiError, apiError, bareError } from './errors.ts';
import type { Faults, RestFault } from './faults.ts';
import { Form } from './form.ts';
import { RateLimited } from './limiter.ts';
import type { LimitRule } from './limits.ts';
import { type Call, type Match, type Route, type RouteReply, Router, UNKNOWN_ROUTE } from './router.ts';
import type { Stats } from './stats.ts';
import { type ApiReply, type ApiRequest, type Bot, LostReplyError } from './types.ts';

const PREFIX = /^\/api(?:\/v(\d+))?(?=\/)/;
const VERSIONS: readonly string[] = ['9', '10'];
/** What a client without an address counts as. */
const LOCAL = 'local';
const CLOUDFLARE_PAGE = Buffer.from('error code: 1015');

type Headers = Record<string, string>;

/** REST: from the bytes of a request to those of its reply, through limits and faults. */
export class Api {
  readonly #core: Core;
  readonly #faults: Faults;
  readonly #stats: Stats;
  readonly #router: Router;

  constructor(core: Core, faults: Faults, stats: Stats, routes: readonly Route[]) {
    this.#core = core;
    this.#faults = faults;
    this.#stats = stats;
    this.#router = new Router(routes);
  }

  async handle(request: ApiRequest): Promise<ApiReply> {
    const { limiter } = this.#core;
    const remote = request.remote ?? LOCAL;
    const found = this.#find(request);
    const name = found instanceof ApiError ? UNKNOWN_ROUTE : found.name;
    this.#stats.countRequest(name);
    const due = (kind: RestFault) => this.#faults.take(kind, name);
    const latency = due('latency');
    if (latency) await sleep(this.#core.env.clock, latency.ms);
    if (limiter.isBanned(remote) || due('cloudflare')) return this.#cloudflare();
    const headers: Headers = {};
    let reply: RouteReply;
    let error: unknown;
    try {
      const limited = due('rate-limit');
      if (limited) throw new RateLimited(limited.ms, limited.scope);
      const failed = due('error-before');
      if (failed) throw bareError(failed.status);
      if (found instanceof ApiError) throw found;
      reply = await this.#run(request, found, headers);
    } catch (thrown) {
      error = thrown;
      reply = this.#failed(thrown, headers);
    }
    reply = await this.#durable(reply);
    const scope = error instanceof RateLimited ? error.scope : undefined;
    limiter.countInvalid(remote, reply.status, scope);
    if (reply.status === 429) this.#stats.countLimited();
    const after = due('error-after');
    if (after) reply = errorReply(bareError(after.status));
    if (due('lose-reply')) throw new LostReplyError('the connection was closed before the reply');
    return encode(reply, headers);
  }

  #find(request: ApiRequest): Match | ApiError {
    try {
      const path = request.path.split('?', 1)[0]!;
      const prefix = PREFIX.exec(path);
      if (prefix?.[1] !== undefined && !VERSIONS.includes(prefix[1])) throw apiError('invalidVersion');
      return this.#router.match(request.method, path.slice(prefix?.[0].length ?? 0));
    } catch (error) {
      if (error instanceof ApiError) return error;
      throw error;
    }
  }

  async #run(request: ApiRequest, { route, params }: Match, headers: Headers): Promise<RouteReply> {
    const core = this.#core;
    if (!request.headers['user-agent']) throw apiError('edgeBlocked');
    const bot = this.#authenticate(request.headers.authorization);
    if (!bot && !route.open) throw bareError(401);
    if (bot) core.limiter.takeGlobal(bot.userId);
    const who = bot ?? NOBODY;
    const rule = typeof route.rule === 'function' ? route.rule(core, params) : route.rule;
    const majorId = route.perBot ? '' : (params.channel ?? params.guild ?? '');
    if (rule) Object.assign(headers, core.limiter.take(rule, who.userId, majorId));
    return route.handle(this.#call(request, who, params));
  }

  #call(request: ApiRequest, bot: Bot, params: Match['params']): Call {
    const core = this.#core;
    const contentType = request.headers['content-type'];
    let body: Promise<Body> | undefined;
    return {
      core,
      bot,
      params,
      query: new Form(Object.fromEntries(new URLSearchParams(request.path.split('?', 2)[1] ?? ''))),
      body: () => {
        body ??= readBody(contentType, request.body);
        return body;
      },
      list: async () => new Form({ items: readJson(contentType, request.body) }).forms('items') ?? [],
      limit: (rule: LimitRule, majorId: string) => {
        core.limiter.take(rule, bot.userId, majorId);
      },
    };
  }

  #authenticate(authorization: string | undefined): Bot | undefined {
    const token = /^Bot (.+)$/.exec(authorization ?? '')?.[1];
    return token === undefined ? undefined : this.#core.world.botByToken(token);
  }

  #failed(error: unknown, headers: Headers): RouteReply {
    if (error instanceof RateLimited) Object.assign(headers, error.headers);
    if (error instanceof ApiError) return errorReply(error);
    this.#core.env.log.error({ err: error }, 'a route of the emulator failed');
    return errorReply(bareError(500));
  }

  /** A reply leaves once all that it could tell of is on disk. */
  async #durable(reply: RouteReply): Promise<RouteReply> {
    try {
      await this.#core.durable();
      return reply;
    } catch {
      // The journal has said why in the log; until a new start nothing that memory holds can be promised.
      return errorReply(bareError(500));
    }
  }

  #cloudflare(): ApiReply {
    this.#stats.countLimited();
    return {
      status: 429,
      headers: { 'content-type': 'text/plain; charset=UTF-8', server: 'cloudflare' },
      body: CLOUDFLARE_PAGE,
    };
  }
}

/** Stands for the caller of the few routes that need no token. */
const NOBODY: Bot = { userId: '0', applicationId: '0', username: '', token: '', applicationFlags: 0 };

function errorReply(error: ApiError): RouteReply {
  return { status: error.status, body: error.body };
}

/** `Via` tells an answer of Discord's own from one of Cloudflare's. */
function encode(reply: RouteReply, limits: Headers): ApiReply {
  const headers = { ...limits, via: '1.1 google' };
  if (reply.body === undefined) return { status: reply.status, headers, body: new Uint8Array() };
  const body = Buffer.from(JSON.stringify(reply.body));
  return { status: reply.status, headers: { ...headers, 'content-type': 'application/json' }, body };
}

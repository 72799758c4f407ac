import type { Body } from './body.ts';
import type { Core } from './core.ts';
import { bareError, formError } from './errors.ts';
import type { Form } from './form.ts';
import type { LimitRule } from './limits.ts';
import { parseSnowflake } from './snowflake.ts';
import type { Bot, Json } from './types.ts';

/** One authenticated request on its way through a route. */
export interface Call {
  readonly core: Core;
  readonly bot: Bot;
  /** What stands in the path for the names of the route, ids in canonical form. */
  readonly params: Readonly<Record<string, string>>;
  readonly query: Form;
  body(): Promise<Body>;
  /** For the routes whose body is an array of objects. */
  list(): Promise<Form[]>;
  /** Counts the call against a further limit, which only the route can know of. */
  limit(rule: LimitRule, majorId: string): void;
}

export interface RouteReply {
  readonly status: number;
  readonly body?: Json;
}

export interface Route {
  readonly method: string;
  /** `/channels/:channel/messages`: every `:name` is an id, but for `:emoji`. */
  readonly path: string;
  /** The limit that its headers show, chosen before the work; by channel or guild, the first id of the path. */
  readonly rule?: LimitRule | ((core: Core, params: Readonly<Record<string, string>>) => LimitRule);
  /** Kept for each bot over all channels. */
  readonly perBot?: true;
  /** Needs no token. */
  readonly open?: true;
  handle(call: Call): RouteReply | Promise<RouteReply>;
}

export interface Match {
  readonly route: Route;
  /** `POST /channels/:id/messages`, as statistics and faults name it. */
  readonly name: string;
  readonly params: Readonly<Record<string, string>>;
}

interface Compiled {
  readonly route: Route;
  readonly name: string;
  readonly segments: readonly string[];
}

export const UNKNOWN_ROUTE = 'unknown route';

/** Finds the route of a request among a table. The first that fits counts, so literal paths stand above patterns. */
export class Router {
  readonly #bySize = new Map<number, Compiled[]>();

  constructor(routes: readonly Route[]) {
    for (const route of routes) {
      const segments = route.path.slice(1).split('/');
      const name = `${route.method} ${route.path.replace(/:\w+/g, ':id')}`;
      const list = this.#bySize.get(segments.length) ?? [];
      list.push({ route, name, segments });
      this.#bySize.set(segments.length, list);
    }
  }

  /** Throws 404 for an unknown path and 405 for a known one with another method. */
  match(method: string, path: string): Match {
    const segments = path.slice(1).split('/');
    let isKnown = false;
    for (const { route, name, segments: pattern } of this.#bySize.get(segments.length) ?? []) {
      if (!pattern.every((part, at) => part.startsWith(':') || part === segments[at])) continue;
      isKnown = true;
      if (route.method === method) return { route, name, params: readParams(pattern, segments) };
    }
    throw bareError(isKnown ? 405 : 404);
  }
}

function readParams(pattern: readonly string[], segments: readonly string[]): Record<string, string> {
  const params: Record<string, string> = {};
  for (const [at, part] of pattern.entries()) {
    if (!part.startsWith(':')) continue;
    const name = part.slice(1);
    const text = segments[at]!;
    const value = name === 'emoji' ? decode(text) : parseSnowflake(text);
    if (value === undefined) {
      const message = `Value "${text}" is not snowflake.`;
      throw formError([{ path: [`${name}_id`], code: 'NUMBER_TYPE_COERCE', message }]);
    }
    params[name] = value;
  }
  return params;
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

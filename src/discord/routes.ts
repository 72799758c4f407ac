import { BULK_DELETE_AGE_MAX_MS, type MessageId, snowflakeTime } from '../store/index.ts';

/**
 * Where a request goes and which counters it meets. Discord counts by method, route template and major id (channel or
 * guild); `key` names the first two, `major` the last.
 */
export interface Route {
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** Below the API address, with the query. */
  readonly path: string;
  readonly key: string;
  readonly major: string;
  /** A reply 404 on this route is charged to another counter, and its headers describe that one. */
  readonly strayNotFound?: true;
}

/** Deletes of messages younger than this have a counter of their own, and so have those too old for a bulk delete. */
const YOUNG_MS = 10_000;

function route(method: Route['method'], template: string, path: string, major: string): Route {
  return { method, path, key: `${method} ${template}`, major };
}

function channel(method: Route['method'], rest: string, id: string, path: string): Route {
  return route(method, `/channels/:id${rest}`, `/channels/${id}${path}`, id);
}

function guild(method: Route['method'], rest: string, id: string, path: string): Route {
  return route(method, `/guilds/:id${rest}`, `/guilds/${id}${path}`, id);
}

export const routes = {
  me: () => route('GET', '/users/@me', '/users/@me', ''),
  application: () => route('GET', '/applications/@me', '/applications/@me', ''),
  gatewayBot: () => route('GET', '/gateway/bot', '/gateway/bot', ''),
  guild: (id: string) => guild('GET', '', id, ''),
  member: (id: string, user: string) => guild('GET', '/members/:user', id, `/members/${user}`),
  guildChannels: (id: string) => guild('GET', '/channels', id, '/channels'),
  createChannel: (id: string) => guild('POST', '/channels', id, '/channels'),
  deleteChannel: (id: string) => channel('DELETE', '', id, ''),
  postMessage: (id: string) => channel('POST', '/messages', id, '/messages'),
  listMessages: (id: string, query: string) => channel('GET', '/messages', id, `/messages?${query}`),
  message: (id: string, message: MessageId) => channel('GET', '/messages/:message', id, `/messages/${message}`),
  bulkDelete: (id: string) => channel('POST', '/messages/bulk-delete', id, '/messages/bulk-delete'),
  /** The counter depends on the message's age at `now`, and is chosen before sending. */
  deleteMessage(id: string, message: MessageId, now: number): Route {
    const base = channel('DELETE', '/messages/:message', id, `/messages/${message}`);
    return { ...base, key: `${base.key} ${ageClass(message, now)}`, strayNotFound: true };
  },
};

function ageClass(message: MessageId, now: number): 'young' | 'settled' | 'old' {
  const age = now - snowflakeTime(message);
  if (age < YOUNG_MS) return 'young';
  return age < BULK_DELETE_AGE_MAX_MS ? 'settled' : 'old';
}

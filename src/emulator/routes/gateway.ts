import type { Route } from '../router.ts';
import type { JsonObject } from '../types.ts';

/** Where the gateway is, and how often a bot may still start a session there. */
export function gatewayRoutes(publicUrl: () => string, sessionStart: (botId: string) => JsonObject): Route[] {
  const url = () => publicUrl().replace(/^http/, 'ws');
  return [
    { method: 'GET', path: '/gateway', open: true, handle: () => ({ status: 200, body: { url: url() } }) },
    {
      method: 'GET',
      path: '/gateway/bot',
      handle: ({ bot }) => ({
        status: 200,
        body: { url: url(), shards: 1, session_start_limit: sessionStart(bot.userId) },
      }),
    },
  ];
}

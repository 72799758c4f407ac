import type { Env } from '../base/index.ts';
import type { Emulator } from './emulator.ts';
import { Gateway } from './gateway.ts';
import { serveGateway } from './gateway-socket.ts';
import { type EmulatorServer, type HttpOptions, listen } from './http.ts';
import { guildPage } from './page/routes.ts';

/** Gives an emulator its gateway, which needs no socket: whoever lives in this process connects by `connect`. */
export function openGateway(emulator: Emulator, env: Env): Gateway {
  const gateway = new Gateway(emulator, env, {
    limits: () => emulator.limits,
    exhausted: (botId) => {
      emulator.landlord
        .resetToken(botId)
        .catch((error: unknown) => env.log.error({ err: error, botId }, 'a token could not be reset'));
    },
  });
  emulator.sessionStart = (botId) => gateway.sessionStartLimit(botId);
  return gateway;
}

/** The whole emulated Discord on one port: REST, CDN, gateway, and the page at `/_emulator/`. */
export async function serveEmulator(
  emulator: Emulator,
  env: Env,
  options: HttpOptions,
): Promise<EmulatorServer & { readonly gateway: Gateway }> {
  emulator.mount(guildPage(emulator));
  const http = await listen(emulator, options);
  const gateway = openGateway(emulator, env);
  const sockets = serveGateway(http.server, gateway);
  return {
    ...http,
    gateway,
    async close() {
      sockets.close();
      await http.close();
    },
  };
}

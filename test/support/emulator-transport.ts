import type { Transport } from '../../src/discord/index.ts';
import type { EmulatorCore } from '../../src/emulator/index.ts';

/** The embedded Discord as the client's transport, without a socket. */
export function emulatorTransport(emulator: EmulatorCore): Transport {
  return ({ method, url, headers, body }) => {
    const { pathname, search } = new URL(url);
    return emulator.handle({ method, path: pathname + search, headers, body: Buffer.concat(body ?? []) });
  };
}

import { systemEnv } from '../../src/base/index.ts';
import { Emulator, type LimitMode, MemoryDisk, serveEmulator } from '../../src/emulator/index.ts';

/** An emulated Discord on a free port of this machine, as a client that nobody here wrote meets it. */
export interface RunningEmulator {
  readonly url: string;
  readonly token: string;
  readonly guildId: string;
  /** Posts a message with a plain HTTP request, past the client under test. */
  post(channelId: string, content: string): Promise<void>;
  /** Lifts the limits for as long as `run` takes. */
  unlimited(run: () => Promise<void>): Promise<void>;
  faults(faults: readonly object[]): Promise<void>;
  stats(): Promise<{ readonly limited: number; readonly total: number }>;
  close(): Promise<void>;
}

export async function startTestEmulator(limits: LimitMode): Promise<RunningEmulator> {
  const env = systemEnv();
  const emulator = await Emulator.open({ env, disk: new MemoryDisk(), limits });
  const server = await serveEmulator(emulator, env, { port: 0 });
  const { token, guildId } = emulator.credentials();
  const call = async (method: string, path: string, json?: unknown): Promise<unknown> => {
    const answer = await fetch(server.url + path, {
      method,
      headers: {
        authorization: `Bot ${token}`,
        'user-agent': 'DiscordBot (test, 1)',
        'content-type': 'application/json',
      },
      ...(json === undefined ? {} : { body: JSON.stringify(json) }),
    });
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
    return answer.json();
  };
  return {
    url: server.url,
    token,
    guildId,
    async post(channelId, content) {
      await call('POST', `/api/v10/channels/${channelId}/messages`, { content });
    },
    async unlimited(run) {
      await call('PUT', '/_emulator/limits', { mode: 'off' });
      await run();
      await call('PUT', '/_emulator/limits', { mode: limits });
    },
    async faults(faults) {
      await call('PUT', '/_emulator/faults', faults);
    },
    async stats() {
      return (await call('GET', '/_emulator/stats')) as { limited: number; total: number };
    },
    async close() {
      await server.close();
      await emulator.close();
    },
  };
}

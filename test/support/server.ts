import { MongoClient, type MongoClientOptions } from 'mongodb';
import { type Log, silentLog, systemEnv } from '../../src/base/index.ts';
import { embed, type Served, serveOn } from '../../src/compose.ts';
import { type Disk, type Emulator, MemoryDisk } from '../../src/emulator/index.ts';
import { KeyRing } from '../../src/log/index.ts';

export interface TestServer {
  readonly uri: string;
  readonly emulator: Emulator;
  readonly disk: Disk;
  /** A client that `close` closes. */
  client(options?: MongoClientOptions): Promise<MongoClient>;
  /** Requests since the last call, by route. */
  requests(): Promise<Record<string, number>>;
  close(): Promise<void>;
}

export interface TestServerOptions {
  readonly disk?: Disk;
  readonly limits?: 'discord' | 'off';
  readonly cacheBytes?: number;
  /** Nothing is logged where none is given. */
  readonly log?: Log;
  /** What an encryption key file holds. */
  readonly keys?: string;
}

/** A whole server on the embedded Discord, in memory unless a disk is given, on a free port of this machine. */
export async function startServer(options: TestServerOptions = {}): Promise<TestServer> {
  const { disk = new MemoryDisk(), limits = 'off', cacheBytes = 64 * 2 ** 20 } = options;
  const keys = options.keys === undefined ? undefined : KeyRing.parse(options.keys);
  const env = systemEnv(options.log ?? silentLog);
  const discord = await embed(env, { disk, limits });
  const served: Served = await serveOn(env, { host: '127.0.0.1', port: 0, cacheBytes, argv: [], keys }, discord);
  const uri = `mongodb://${served.address}/`;
  const clients: MongoClient[] = [];
  return {
    uri,
    emulator: discord.emulator,
    disk,
    async client(clientOptions) {
      const client = await new MongoClient(uri, clientOptions).connect();
      clients.push(client);
      return client;
    },
    async requests() {
      const path = '/_emulator/stats';
      const ask = { path, headers: {}, body: new Uint8Array() };
      const { body } = await discord.emulator.handle({ ...ask, method: 'GET' });
      await discord.emulator.handle({ ...ask, method: 'DELETE' });
      return JSON.parse(Buffer.from(body).toString()).requests;
    },
    async close() {
      for (const client of clients) await client.close();
      await served.close();
    },
  };
}

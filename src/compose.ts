import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Clock, CodedError, type Env, FolderScratch, Identity, type Scratch } from './base/index.ts';
import { createDispatcher, errorReply, type ServerInfo } from './commands/index.ts';
import { type OpenGateway, openDiscordStore, StartError, type Transport } from './discord/index.ts';
import {
  DirectoryInUseError,
  type Disk,
  Emulator,
  FileDisk,
  type Gateway,
  openGateway,
  serveEmulator,
} from './emulator/index.ts';
import { type CheckedPart, checkDeployment, openEngine } from './engine/index.ts';
import {
  type Inspection,
  inspectMessage,
  KeyRing,
  type LeaseOptions,
  MissingKeyError,
  OwnedError,
} from './log/index.ts';
import { ListenError, Server } from './server/index.ts';
import { cachedStore, FileCacheDisk, type Store, StoreError } from './store/index.ts';
import { supportedCompressors } from './wire/index.ts';

export const VERSION: string = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')).version;

const GATEWAY_VERSION = '10';

/** Which Discord holds the data, and what opens it. */
export interface ConnectOptions {
  /** Of the embedded Discord. */
  readonly dataDir: string;
  /** None: the embedded Discord. */
  readonly tokens: readonly string[];
  readonly guilds: readonly string[];
  readonly discordApi?: string | undefined;
  readonly limits?: 'discord' | 'off' | undefined;
  readonly emulatorPort?: number | undefined;
  readonly encryptionKeyFile?: string | undefined;
}

export interface ServeOptions extends ConnectOptions {
  /** Take the guild over from a process that may be alive. */
  readonly force: boolean;
  readonly host: string;
  readonly port: number;
  readonly cacheBytes: number;
  /** Bound on what is kept in `dataDir` of a Discord that is far away; 0 keeps nothing. */
  readonly localCacheBytes: number;
  readonly argv: readonly string[];
}

export interface Served {
  /** `host:port` for MongoDB clients. */
  readonly address: string;
  /** Of the embedded Discord where it is shown. */
  readonly emulatorUrl: string | undefined;
  close(): Promise<void>;
}

/** A Discord to keep data in, and what must be ended with it. */
export interface Discord {
  readonly store: Store;
  readonly url: string | undefined;
  /** To be told the epoch of the process that uses the store. */
  readonly onEpoch?: (epoch: number) => Promise<void>;
  /** Absent: no other process can reach it. */
  readonly lease?: LeaseOptions;
  close(): Promise<void>;
}

/** Wires a whole server: Discord, engine, commands, sockets. Throws a `StartError` for what a person can mend. */
export async function serve(env: Env, options: ServeOptions): Promise<Served> {
  const keys = readKeys(options.encryptionKeyFile);
  const discord = await connect(env, options)
    .then((shared) => withLease(env, options, shared))
    .then((far) => withLocalCache(env, options, far));
  try {
    return await serveOn({ ...env, scratch: await openScratch(env, options) }, { ...options, keys }, discord);
  } catch (error) {
    await discord.close();
    throw error;
  }
}

/** Of this process alone, which holds the guild's data or its lease. A folder that cannot be used is done without. */
async function openScratch(env: Env, { dataDir, guilds }: ServeOptions): Promise<Scratch | undefined> {
  try {
    return await FolderScratch.open(join(dataDir, '_tmp', guilds[0] ?? 'embedded'), env.random);
  } catch (error) {
    env.log.warn({ err: error }, 'there is no room for temporary files; sorts and groups stay in memory');
    return undefined;
  }
}

/** The MongoDB side on a Discord that is there; closing it closes that too. */
export async function serveOn(
  env: Env,
  options: Pick<ServeOptions, 'host' | 'port' | 'cacheBytes' | 'argv'> & { readonly keys?: KeyRing | undefined },
  discord: Discord,
): Promise<Served> {
  const { host, port, cacheBytes, argv, keys } = options;
  const engine = await mendable(() =>
    openEngine({ env, store: discord.store, cacheBytes, keys, onEpoch: discord.onEpoch, lease: discord.lease }),
  );
  const server = new Server({ env, host, port, errorReply: errorReply });
  const info: ServerInfo = {
    get address() {
      return server.address;
    },
    startedAt: new Date(env.clock.now()),
    argv,
    counters: () => server.counters(),
  };
  const compressors = supportedCompressors();
  const dispatcher = createDispatcher({ env, engine, server: info, compressors, version: VERSION });
  const close = async () => {
    // Waiting hellos first, so that nothing idle keeps the server from closing; what was taken is finished by either.
    await dispatcher.close();
    await server.close();
    await engine.close();
    await discord.close();
  };
  try {
    const address = await mendable(() => server.listen(dispatcher));
    return { address, emulatorUrl: discord.url, close };
  } catch (error) {
    await dispatcher.close();
    await engine.close();
    throw error;
  }
}

/** The Discord that `options` name. Throws a `StartError` for what a person can mend. */
export function connect(env: Env, options: ConnectOptions): Promise<Discord> {
  return mendable(() => openDiscord(env, options));
}

/** Checks a deployment and tells `report` part by part. Throws a `StartError` where that cannot be done. */
export function check(env: Env, options: ConnectOptions, report: (part: CheckedPart) => void): Promise<void> {
  return look(env, options, async (store, keys) => {
    for await (const part of checkDeployment({ env, store, keys })) report(part);
  });
}

/** Reads one message. Throws a `StartError` where that cannot be done. */
export function inspect(
  env: Env,
  options: ConnectOptions,
  { channel, message }: { readonly channel: string; readonly message: bigint },
): Promise<Inspection> {
  return look(env, options, async (store, keys) => {
    const found = await inspectMessage({ env, store, keys }, channel, message);
    if (!found) throw new StartError(`There is no message ${message} in the channel ${channel}.`);
    return found;
  });
}

/** Connects to a Discord that holds data already, for those who only read it. */
function look<T>(
  env: Env,
  options: ConnectOptions,
  read: (store: Store, keys: KeyRing | undefined) => Promise<T>,
): Promise<T> {
  return mendable(async () => {
    const keys = readKeys(options.encryptionKeyFile);
    if (isEmbedded(options) && !FileDisk.holdsData(options.dataDir)) {
      throw new StartError(`There is no data of DiscoDB in ${options.dataDir} (--data-dir FOLDER).`);
    }
    const discord = await openDiscord(env, options);
    try {
      return await read(discord.store, keys);
    } catch (error) {
      throw error instanceof StoreError || error instanceof CodedError ? new StartError(error.message) : error;
    } finally {
      await discord.close();
    }
  });
}

/** Throws a `StartError` that tells nothing of what the file holds. */
export function readKeys(file: string | undefined): KeyRing | undefined {
  if (file === undefined) return undefined;
  try {
    return KeyRing.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new StartError(`The encryption key file ${file} cannot be used: ${(error as Error).message}.`);
  }
}

function isEmbedded({ tokens, guilds, discordApi }: ConnectOptions): boolean {
  return tokens.length === 0 && guilds.length === 0 && !discordApi;
}

async function openDiscord(env: Env, options: ConnectOptions): Promise<Discord> {
  const { tokens, guilds, discordApi } = options;
  if (isEmbedded(options)) return openEmbedded(env, options);
  if (tokens.length === 0) {
    const what = discordApi ? 'A Discord API address' : 'A Discord server';
    throw new StartError(`${what} was given but no bot token (--token-file FILE).`);
  }
  if (guilds.length === 0) {
    throw new StartError(
      'Which Discord server holds the data? Give its id with --guild: in Discord, User Settings > Advanced > Developer ' +
        'Mode on, then right-click the server and "Copy Server ID".',
    );
  }
  if (options.limits) throw new StartError('--limits is for the embedded Discord; a real one has its own.');
  if (options.emulatorPort !== undefined) {
    throw new StartError('--emulator-port shows the embedded Discord, which is not used where a bot token is given.');
  }
  const apiUrl =
    discordApi && (/\/api(\/v\d+)?\/?$/.test(discordApi) ? discordApi : `${discordApi.replace(/\/+$/, '')}/api/v10`);
  const store = await openDiscordStore({ tokens, guildIds: guilds, env, ...(apiUrl && { apiUrl }) });
  return { store, url: undefined, close: () => store.close() };
}

/**
 * Where other processes can reach the same Discord, one at a time may write. The identity of this process is a folder that it
 * holds: whoever held it before is dead.
 */
async function withLease(env: Env, options: ServeOptions, discord: Discord): Promise<Discord> {
  const { dataDir, guilds, tokens, emulatorPort, force } = options;
  if (tokens.length === 0 && emulatorPort === undefined) return discord;
  try {
    const identity = await Identity.take(join(dataDir, 'owner', guilds[0] ?? 'embedded'), env.random);
    const close = async () => {
      await discord.close();
      await identity.release();
    };
    return { ...discord, lease: { instance: identity.instance, force }, close };
  } catch (error) {
    await discord.close();
    throw asStartError(error);
  }
}

/**
 * Keeps what never changes on this machine, where `discord` is not in this process anyway: asking that costs nothing, and
 * it has its own disk. A folder that cannot be used is done without.
 */
async function withLocalCache(env: Env, options: ServeOptions, discord: Discord): Promise<Discord> {
  const { dataDir, localCacheBytes: maxBytes, tokens, guilds } = options;
  const guildId = guilds[0];
  if (tokens.length === 0 || guildId === undefined || maxBytes === 0) return discord;
  try {
    const disk = await FileCacheDisk.open(join(dataDir, 'cache', guildId));
    const store = cachedStore(discord.store, { env, disk, guildId, maxBytes });
    return { ...discord, store, onEpoch: (epoch) => store.adopt(epoch), close: () => store.close() };
  } catch (error) {
    env.log.warn({ err: error }, 'there is no local cache; this costs time only');
    return discord;
  }
}

async function openEmbedded(env: Env, { limits = 'off', dataDir, emulatorPort }: ConnectOptions): Promise<Discord> {
  return embed(env, { disk: await FileDisk.open(dataDir), limits, port: emulatorPort });
}

/** An emulator in this process, and a store that reaches it without a socket. */
export async function embed(
  env: Env,
  options: { readonly disk: Disk; readonly limits: 'discord' | 'off'; readonly port?: number | undefined },
): Promise<Discord & { readonly emulator: Emulator }> {
  const { emulator, gateway, url, close: closeEmulator } = await openEmulator(env, { port: undefined, ...options });
  const { token, guildId } = emulator.credentials();
  const apiUrl = 'http://discord.invalid/api/v10';
  const store = await openDiscordStore({
    tokens: [token],
    guildIds: [guildId],
    env,
    apiUrl,
    transport: inProcess(emulator),
    gateway: inProcessGateway(gateway, env.clock),
    limits: options.limits,
  });
  const close = async () => {
    await store.close();
    await closeEmulator();
  };
  return { emulator, store, url, close };
}

/** The embedded Discord answers in this process: a function call in place of a socket. */
export function inProcess(emulator: Emulator): Transport {
  return async ({ method, url, headers, body = [] }) => {
    const { pathname, search } = new URL(url);
    const lower = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
    return emulator.handle({ method, path: pathname + search, headers: lower, body: Buffer.concat(body) });
  };
}

/** Its gateway likewise: what either side says is heard in the next turn. */
export function inProcessGateway(gateway: Gateway, clock: Clock): OpenGateway {
  return (_url, listener) => {
    const connection = gateway.connect(
      {
        send: (payload) => void clock.soon(() => listener.received(payload)),
        close: (code) => void clock.soon(() => listener.closed(code)),
      },
      GATEWAY_VERSION,
    );
    return {
      send: (payload) => connection.receive(JSON.stringify(payload)),
      close: (code) => connection.closed(code),
    };
  };
}

export interface EmulateOptions {
  readonly host: string;
  readonly port: number;
  readonly dataDir: string;
  readonly limits: 'discord' | 'off';
}

export interface Emulated {
  readonly url: string;
  readonly token: string;
  readonly guildId: string;
  close(): Promise<void>;
}

/** Runs the emulator alone, over HTTP and WebSocket. */
export async function emulate(env: Env, { host, port, dataDir, limits }: EmulateOptions): Promise<Emulated> {
  const { emulator, url, close } = await mendable(async () =>
    openEmulator(env, { disk: await FileDisk.open(dataDir), limits, host, port }),
  );
  const { token, guildId } = emulator.credentials();
  return { url: url ?? '', token, guildId, close };
}

interface OpenEmulator {
  readonly disk: Disk;
  readonly limits: 'discord' | 'off';
  readonly host?: string;
  /** Undefined: no sockets. */
  readonly port: number | undefined;
}

async function openEmulator(
  env: Env,
  { disk, limits, host = '127.0.0.1', port }: OpenEmulator,
): Promise<{ emulator: Emulator; gateway: Gateway; url: string | undefined; close(): Promise<void> }> {
  const emulator = await Emulator.open({ env, disk, limits });
  if (port === undefined) {
    const gateway = openGateway(emulator, env);
    const close = () => {
      gateway.close();
      return emulator.close();
    };
    return { emulator, gateway, url: undefined, close };
  }
  const server = await serveEmulator(emulator, env, { host, port });
  const close = async () => {
    await server.close();
    await emulator.close();
  };
  return { emulator, gateway: server.gateway, url: server.url, close };
}

/** Errors that a person can mend, whatever room they come from, as one kind. */
async function mendable<T>(start: () => Promise<T>): Promise<T> {
  try {
    return await start();
  } catch (error) {
    throw asStartError(error);
  }
}

function asStartError(error: unknown): unknown {
  const known = [ListenError, DirectoryInUseError, MissingKeyError, OwnedError].some((kind) => error instanceof kind);
  const code = (error as NodeJS.ErrnoException).code;
  const system = ['EACCES', 'EADDRINUSE', 'ENOTDIR', 'EROFS'].includes(code ?? '');
  return known || system ? new StartError((error as Error).message) : error;
}

export { StartError } from './discord/index.ts';
export type { CheckedPart, Finding } from './engine/index.ts';
export type { Inspection } from './log/index.ts';

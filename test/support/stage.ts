import {
  type Clock,
  createLog,
  deferred,
  type Env,
  type Log,
  type Random,
  randomInt,
  seededRandom,
  sleep,
  VirtualClock,
} from '../../src/base/index.ts';
import { type Doc, decode, doc, encode } from '../../src/bson/index.ts';
import { type Connection, createDispatcher, type Dispatcher } from '../../src/commands/index.ts';
import { type OpenGateway, openDiscordStore, type Transport } from '../../src/discord/index.ts';
import {
  type Disk,
  Emulator,
  type Gateway,
  type LimitMode,
  MemoryDisk,
  openGateway,
} from '../../src/emulator/index.ts';
import { type Engine, openEngine, type UpkeepLimits } from '../../src/engine/index.ts';
import type { KeyRing, LeaseOptions } from '../../src/log/index.ts';
import { type CacheDisk, cachedStore, type Store } from '../../src/store/index.ts';
import { emulatorTransport } from './emulator-transport.ts';
import { withVirtualGlobals } from './virtual-globals.ts';

const API = 'http://discord.invalid/api/v10';
/** pino's number for `error`. */
const LEVEL_ERROR = 50;
/** A new one each time: what waits for a shared one is never let go, and a simulation has thousands of worlds. */
function never(): Promise<never> {
  return new Promise(() => {});
}

/** A line of the log, as far as tests look at it. */
export interface LogLine {
  readonly level: number;
  readonly msg: string;
  readonly kind?: string;
  readonly ns?: string | { readonly db: string; readonly coll: string };
}

/** Of Discord as a process sees it: each way takes this long, in milliseconds. */
export interface Distance {
  readonly min: number;
  readonly max: number;
}

export interface StageOptions {
  readonly seed: number;
  readonly limits: LimitMode;
  readonly distance?: Distance;
  readonly cacheBytes?: number;
}

/** What dies with the process: timers that fire no more, a disk that writes no more. */
class Life {
  ended = false;
}

class MortalClock implements Clock {
  readonly #clock: Clock;
  readonly #life: Life;

  constructor(clock: Clock, life: Life) {
    this.#clock = clock;
    this.#life = life;
  }

  now = () => this.#clock.now();
  monotonic = () => this.#clock.monotonic();
  timer = (ms: number, run: () => void) => this.#clock.timer(ms, () => this.#life.ended || run());
  soon = (run: () => void) => this.timer(0, run);
}

/** Discord and the processes that come and go, in virtual time from a seed. */
export class Stage {
  readonly clock: VirtualClock;
  readonly random: Random;
  readonly log: Log;
  readonly lines: LogLine[] = [];
  readonly options: Required<StageOptions>;
  readonly disk = new MemoryDisk();
  /** Requests of a process that was gone, carried out when another had begun. */
  late = 0;
  #emulator: Emulator | undefined;
  #gateway: Gateway | undefined;
  #processes = 0;

  private constructor(clock: VirtualClock, options: StageOptions) {
    this.clock = clock;
    this.options = { distance: { min: 20, max: 60 }, cacheBytes: 64 * 2 ** 20, ...options };
    this.random = seededRandom(options.seed);
    this.log = createLog('warn', { write: (line) => void this.lines.push(JSON.parse(line)) });
  }

  /** Runs `play` with the platform's timers replaced by the stage's. */
  static async run(options: StageOptions, play: (stage: Stage) => Promise<void>): Promise<void> {
    const clock = new VirtualClock();
    const stage = new Stage(clock, options);
    await withVirtualGlobals(clock, () => clock.run(play(stage)));
  }

  /** What was logged as an error. */
  get errors(): LogLine[] {
    return this.lines.filter(({ level }) => level >= LEVEL_ERROR);
  }

  get emulator(): Emulator {
    if (!this.#emulator) throw new Error('no process has started yet');
    return this.#emulator;
  }

  env(clock: Clock): Env {
    return { clock, random: this.random, log: this.log };
  }

  /** Discord, there already or opened from its disk. */
  async discord(env: Env, disk: Disk): Promise<Emulator> {
    this.#emulator ??= await Emulator.open({ env, disk, limits: this.options.limits });
    return this.#emulator;
  }

  /** What tells of events; Discord must be there. */
  get gateway(): Gateway {
    this.#gateway ??= openGateway(this.emulator, this.env(this.clock));
    return this.#gateway;
  }

  /** The next process opens Discord from its disk: it was embedded in the one that died. */
  forgetDiscord(): void {
    this.#emulator = undefined;
  }

  beginProcess(): number {
    return ++this.#processes;
  }

  get processes(): number {
    return this.#processes;
  }

  chance(probability: number): boolean {
    return this.random.next() < probability;
  }

  integer(limit: number): number {
    return randomInt(this.random, limit);
  }

  sleep(ms: number): Promise<void> {
    return sleep(this.clock, ms);
  }
}

export interface ProcessOptions {
  /** Discord runs in the process and dies with it, perhaps in the middle of a write to its disk. */
  readonly embedded?: boolean;
  /** The emulator's first bot alone, unless given. */
  readonly tokens?: readonly string[];
  readonly lease?: LeaseOptions;
  readonly keys?: KeyRing | undefined;
  /** Keeps a local cache there. */
  readonly cacheDisk?: CacheDisk | undefined;
  /** Hears what others do. */
  readonly listens?: boolean;
  /** Comes between the process and Discord's wire. */
  readonly wire?: (transport: Transport) => Transport;
  readonly upkeep?: Partial<UpkeepLimits> | undefined;
  /** Come between the parts of the process, to do them harm. */
  readonly plantStore?: (store: Store) => Store;
  readonly plantEngine?: (engine: Engine) => Engine;
}

const GATEWAY_VERSION = '10';
const CLOSE_ABNORMAL = 1006;
const LOCAL_CACHE_BYTES = 2 ** 20;

/** A whole server without sockets, that can be killed. */
export class Process {
  readonly stage: Stage;
  readonly life = new Life();
  /** Grows from process to process. */
  readonly number: number;
  /** Resolves when the process has been killed or closed. */
  readonly ended: Promise<void>;
  readonly #end = deferred();
  readonly #options: ProcessOptions;
  readonly #disk: MortalDisk | undefined;
  readonly #links = new Set<() => void>();
  #store: Store | undefined;
  #engine: Engine | undefined;
  #dispatcher: Dispatcher | undefined;
  #connections = 0;

  constructor(stage: Stage, options: ProcessOptions = {}) {
    this.stage = stage;
    this.number = stage.beginProcess();
    this.ended = this.#end.promise;
    this.#options = options;
    this.#disk = options.embedded ? new MortalDisk(stage) : undefined;
  }

  get ready(): boolean {
    return this.#engine !== undefined;
  }

  get engine(): Engine {
    if (!this.#engine) throw new Error('the process is not ready');
    return this.#engine;
  }

  /** Resolves when commands may be run; never, when it is killed before that. */
  async start(): Promise<this> {
    const { clock } = this.stage;
    const env = this.stage.env(new MortalClock(clock, this.life));
    const emulator = await this.stage.discord(this.#disk ? env : this.stage.env(clock), this.#disk ?? this.stage.disk);
    const discord = await this.openStore(env, emulator);
    const { guildId } = emulator.credentials();
    this.#engine = await this.#openEngine(env, discord, guildId);
    this.#dispatcher = createDispatcher({
      env,
      engine: this.#engine,
      compressors: [],
      version: '0.0.0',
      server: {
        address: '127.0.0.1:27017',
        startedAt: new Date(clock.now()),
        argv: [],
        counters: () => ({ connections: 0, totalConnections: 0, bytesIn: 0, bytesOut: 0, requests: 0 }),
      },
    });
    return this;
  }

  /** The store alone. */
  openStore(env = this.stage.env(this.stage.clock), emulator = this.stage.emulator): Promise<Store> {
    const { token, guildId } = emulator.credentials();
    const { tokens = [token], listens, wire = same } = this.#options;
    return openDiscordStore({
      tokens,
      guildIds: [guildId],
      env,
      apiUrl: API,
      transport: wire(this.#transport(emulatorTransport(emulator))),
      limits: this.stage.options.limits,
      ...(listens && { gateway: this.#gateway() }),
    });
  }

  async #openEngine(env: Env, discord: Store, guildId: string): Promise<Engine> {
    const { lease, keys, upkeep, cacheDisk: disk, plantStore = same, plantEngine = same } = this.#options;
    const cached = disk && cachedStore(discord, { env, disk, guildId, maxBytes: LOCAL_CACHE_BYTES });
    this.#store = cached ?? discord;
    const store = plantStore(this.#store);
    const onEpoch = cached && ((epoch: number) => cached.adopt(epoch));
    const { cacheBytes } = this.stage.options;
    return plantEngine(await openEngine({ env, store, cacheBytes, keys, lease, onEpoch, upkeep }));
  }

  /** A function that runs commands, given as literals, as one client connection. */
  connect(): (command: object) => Promise<Doc> {
    const id = ++this.#connections;
    const connection: Connection = { id, remote: `10.0.0.${id}:5000`, local: '127.0.0.1:27017', client: undefined };
    return async (command) => {
      if (!this.#dispatcher) throw new Error('the process is not ready');
      const message = { body: encode(doc(command)), db: undefined, sequences: new Map(), exhaustAllowed: false };
      const signal = new AbortController().signal;
      const { body } = await this.#dispatcher.dispatch({ ...message, signal }, connection);
      return decode(body);
    };
  }

  async close(): Promise<void> {
    if (this.life.ended) return;
    await this.#dispatcher?.close();
    await this.#engine?.close();
    await this.#store?.close();
    this.life.ended = true;
    this.#end.resolve();
  }

  /** As SIGKILL does: nothing that it would still do happens, but for what is on its way to Discord. */
  kill(): void {
    this.life.ended = true;
    this.#end.resolve();
    for (const cut of this.#links) cut();
    if (!this.#disk) return;
    this.#disk.die();
    this.stage.forgetDiscord();
  }

  #gateway(): OpenGateway {
    const { stage, life } = this;
    return (_url, listener) => {
      const hear = (run: () => void) => void stage.clock.soon(() => life.ended || run());
      const connection = stage.gateway.connect(
        {
          send: (payload) => hear(() => listener.received(payload)),
          close: (code) => hear(() => listener.closed(code)),
        },
        GATEWAY_VERSION,
      );
      const cut = () => connection.closed(CLOSE_ABNORMAL);
      this.#links.add(cut);
      return {
        send: (payload) => connection.receive(JSON.stringify(payload)),
        close: (code) => {
          this.#links.delete(cut);
          connection.closed(code);
        },
      };
    };
  }

  #transport(direct: Transport): Transport {
    const { stage, life } = this;
    const { min, max } = stage.options.distance;
    const way = () => stage.sleep(min + Math.floor(stage.random.next() * (max - min)));
    return async (request, signal) => {
      await way();
      if (life.ended && (this.#disk || stage.chance(0.5))) return never();
      const reply = direct(request, signal).finally(() => {
        if (life.ended && stage.processes > this.number) stage.late++;
      });
      const answer = await reply.catch((error: unknown) => (life.ended ? never() : Promise.reject(error)));
      await way();
      return life.ended ? never() : answer;
    };
  }
}

function same<T>(part: T): T {
  return part;
}

/** The stage's disk as one process has it; what is being written when it dies is torn anywhere. */
class MortalDisk implements Disk {
  readonly #stage: Stage;
  readonly #disk: MemoryDisk;
  #writing: Uint8Array | undefined;
  #dead = false;

  constructor(stage: Stage) {
    this.#stage = stage;
    this.#disk = stage.disk;
  }

  readJournal = () => this.#disk.readJournal();
  readBlob = (name: string) => this.#disk.readBlob(name);
  blobs = () => this.#disk.blobs();
  close = () => this.#disk.close();
  truncateJournal = (length: number) => this.#alive(() => this.#disk.truncateJournal(length));
  replaceJournal = (pieces: Iterable<Uint8Array>) => this.#alive(() => this.#disk.replaceJournal(pieces));
  writeBlob = (name: string, bytes: Uint8Array) => this.#alive(() => this.#disk.writeBlob(name, bytes));
  deleteBlob = (name: string) => this.#alive(() => this.#disk.deleteBlob(name));

  async appendJournal(bytes: Uint8Array): Promise<void> {
    if (this.#dead) return never();
    this.#writing = bytes;
    await this.#stage.sleep(this.#stage.integer(4));
    if (this.#dead) return never();
    this.#writing = undefined;
    await this.#disk.appendJournal(bytes);
  }

  die(): void {
    this.#dead = true;
    const torn = this.#writing;
    if (torn) void this.#disk.appendJournal(torn.subarray(0, this.#stage.integer(torn.length + 1)));
  }

  #alive<T>(write: () => Promise<T>): Promise<T> {
    return this.#dead ? never() : write();
  }
}

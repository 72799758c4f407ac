import type { UpkeepLimits } from '../../src/engine/index.ts';
import { KeyRing } from '../../src/log/index.ts';
import { type Process, Stage } from '../support/stage.ts';
import { Checker } from './checker.ts';
import { Clerk, Roaming } from './clerk.ts';
import { Client, type Surroundings } from './clients.ts';
import { ADMINISTRATOR, Fates } from './fates.ts';
import { drizzle } from './faults.ts';
import { groupOf, Violation } from './history.ts';
import { judge } from './judge.ts';
import { Machines, type Plant } from './machines.ts';
import { DB, EXPIRE_AFTER_S, FLEETING, HEAPS, THINGS, UNIQUES } from './steps.ts';
import { Trace } from './trace.ts';

const CLIENTS = 6;
const KEY_BYTES = 32;
/** Without faults everything that was asked is answered within this. */
const CALM_MS = 10 * 60_000;
/** In a world that lasts longer clients work in bursts, and rest between them. */
const BRISK_MS = 5 * 60_000;
const BRISK_PACE_MS = 10_000;
const QUIET_PACE_MS = 30_000;
const BRISK_LEISURE_MS = 400;
const QUIET_LEISURE_MS = 30_000;
const BURST_MS = { min: 10_000, max: 50_000 };
const REST_MS = { min: 60_000, max: 360_000 };

/** Upkeep that has something to do in a small world. */
const SOON: Partial<UpkeepLimits> = {
  passEveryMs: 15_000,
  readableDocuments: 60,
  readableRecords: 10,
  packedAtRecords: 10,
  packedAtStaleEntries: 500,
  checkpointAt: 10,
  scrubEveryMs: 45_000,
};
const HEAP_SIZE = { usual: 1100, soon: 150 };

export interface SimOptions {
  readonly seed: number;
  /** Of virtual time, while faults rage. */
  readonly ms: number;
  /** A bug to be found. */
  readonly plant?: () => Plant;
}

export interface SimResult {
  readonly counts: Checker['counts'];
  /** What happened, and how often. */
  readonly seen: Readonly<Record<string, number>>;
  /** Of all requests and answers. */
  readonly digest: string;
}

/** Runs one seed. Throws a `Violation`, or whatever broke. */
export async function simulate(options: SimOptions): Promise<SimResult> {
  let result: SimResult | undefined;
  const dice = mix(options.seed);
  const limits = dice % 4 === 0 ? 'off' : 'discord';
  const cacheBytes = [4096, 65_536, 2 ** 22][dice % 3]!;
  await Stage.run({ seed: options.seed, limits, cacheBytes }, async (stage) => {
    result = await new World(stage, options).run();
  });
  return result!;
}

/** So that neighbouring seeds differ in everything. */
function mix(seed: number): number {
  return (Math.imul(seed ^ (seed >>> 15), 0x2c1b3c6d) >>> 7) & 0xffff;
}

class World implements Surroundings {
  readonly stage: Stage;
  readonly checker = new Checker();
  readonly roaming: Roaming;
  readonly heapSize: number;
  leisureMs = BRISK_LEISURE_MS;
  ended = false;
  readonly #options: SimOptions;
  readonly #keys: KeyRing | undefined;
  readonly #people: boolean;
  readonly #trace: Trace;
  readonly #machines: Machines;
  #failure: unknown;
  readonly #seen: Record<string, number> = {};

  constructor(stage: Stage, options: SimOptions) {
    this.stage = stage;
    this.#options = options;
    this.roaming = new Roaming(stage);
    this.#trace = new Trace(stage);
    const hex = Buffer.from(stage.random.bytes(KEY_BYTES)).toString('hex');
    this.#keys = stage.chance(0.25) ? KeyRing.parse(hex) : undefined;
    this.#people = stage.chance(0.3);
    const upkeep = stage.chance(0.75) ? SOON : undefined;
    this.heapSize = stage.chance(0.5) ? (upkeep ? HEAP_SIZE.soon : HEAP_SIZE.usual) : 0;
    this.#machines = new Machines({
      stage,
      trace: this.#trace,
      keys: this.#keys,
      cached: stage.chance(0.4),
      upkeep,
      plant: options.plant,
      note: (what, times) => this.note(what, times),
      started: ({ number }) => {
        this.checker.newestProcess = number;
      },
      failure: () => this.#failure,
    });
  }

  process(): Process | undefined {
    const { serving } = this.#machines;
    return serving[this.stage.integer(serving.length)];
  }

  note(what: string, times = 1): void {
    this.#seen[what] = (this.#seen[what] ?? 0) + times;
  }

  async run(): Promise<SimResult> {
    const { stage, checker } = this;
    const machines = this.#machines;
    const emulator = await stage.discord(stage.env(stage.clock), stage.disk);
    machines.tokens.push(emulator.credentials().token);
    if (stage.chance(0.4)) machines.tokens.push((await emulator.landlord.addBot()).token);
    for (const token of machines.tokens) machines.insiders.add(token);
    const person = (await emulator.landlord.addBot({ permissions: ADMINISTRATOR })).token;
    const clients = Array.from({ length: CLIENTS }, (_, at) => new Client(`c${at}`, this));
    const clerk = new Clerk(this);
    await this.#setUp((await machines.start(machines.all[0]!, false))!);
    emulator.setFaults(drizzle());
    const lives = [...clients, clerk].map((one) => one.run().catch((error: unknown) => this.#fail(error)));
    const brisk = this.#options.ms <= BRISK_MS;
    if (!brisk) lives.push(this.#burst());
    const fates = new Fates({
      stage,
      checker,
      machines,
      readable: this.#keys === undefined,
      people: this.#people,
      person,
      paceMs: brisk ? BRISK_PACE_MS : QUIET_PACE_MS,
      note: (what) => this.note(what),
    });
    const end = stage.clock.now() + this.#options.ms;
    while (stage.clock.now() < end && !this.#failure) await fates.next(end - stage.clock.now());
    emulator.setFaults([]);
    if (!this.#failure && machines.serving.length === 0) await machines.startAgain(machines.all[0]!);
    this.ended = true;
    const waiting = () => [...clients, clerk].map(({ line }) => line.waiting).join('; ');
    await machines.within(CALM_MS, Promise.all(lives), waiting);
    if (this.#failure) throw this.#failure;
    await judge({ world: this, machines, reader: clients[0]!, clerk, keys: this.#keys, seen: this.#seen });
    this.#trace.history(checker.writes());
    for (const [route, times] of Object.entries(this.#trace.requests)) this.note(route, times);
    return { counts: checker.counts, seen: this.#seen, digest: this.#trace.digest() };
  }

  #fail(error: unknown): void {
    this.#failure ??= error;
  }

  async #burst(): Promise<void> {
    const { stage } = this;
    const between = ({ min, max }: { min: number; max: number }) => min + stage.integer(max - min);
    while (!this.ended) {
      this.leisureMs = BRISK_LEISURE_MS;
      await stage.sleep(between(BURST_MS));
      this.leisureMs = QUIET_LEISURE_MS;
      const until = stage.clock.now() + between(REST_MS);
      while (stage.clock.now() < until && !this.ended) await stage.sleep(BURST_MS.min);
    }
  }

  async #setUp(process: Process): Promise<void> {
    const run = process.connect();
    const { clock } = this.stage;
    const must = async (command: object) => {
      if (Number((await run({ ...command, $db: DB })).get('ok')) !== 1) throw new Violation('could not set up');
    };
    await must({ createIndexes: UNIQUES, indexes: [{ key: { u: 1 }, name: 'u', unique: true }] });
    this.checker.guard(UNIQUES, 'u', clock.now());
    await must({ createIndexes: THINGS, indexes: [{ key: { g: 1 }, name: 'g' }] });
    const expiring = { key: { at: 1 }, name: 'at', expireAfterSeconds: EXPIRE_AFTER_S };
    await must({ createIndexes: FLEETING, indexes: [expiring] });
    if (this.heapSize === 0) return;
    const ids = Array.from({ length: this.heapSize }, (_, at) => `p${at}`);
    const heap = { kind: 'create', coll: HEAPS, tag: 'heap', target: ids, process: process.number } as const;
    const write = this.checker.begin({ ...heap, invoke: clock.now() });
    await must({ insert: HEAPS, documents: ids.map((_id) => ({ _id, g: groupOf(_id), log: ['heap'], pad: '' })) });
    this.checker.acknowledge(write, clock.now());
  }
}

import { checkDeployment } from '../../src/engine/index.ts';
import { KeyRing, OwnedError } from '../../src/log/index.ts';
import { MemoryCacheDisk } from '../../src/store/index.ts';
import { Process, type ProcessOptions, Stage } from '../support/stage.ts';
import { Checker, groupOf, Violation } from './checker.ts';
import { Client, COLLECTIONS, DB, HEAPS, type Surroundings, THINGS, UNIQUES } from './clients.ts';
import { drizzle, endingLinks, storm } from './faults.ts';

const CLIENTS = 6;
const HEAP_SIZE = 1100;
const KEY_BYTES = 32;
const INSTANCE_BYTES = 16;
const ADMINISTRATOR = 1n << 3n;
/** Without faults everything that was asked is answered within this. */
const CALM_MS = 10 * 60_000;
/** A start may have to wait out storms; more than this is being stuck. */
const START_MS = 20 * 60_000;
const SETTLE_MS = 60_000;

export type Plant = Pick<ProcessOptions, 'plantStore' | 'plantEngine'>;

export interface SimOptions {
  readonly seed: number;
  /** Of virtual time, while faults rage. */
  readonly ms: number;
  /** A bug to be found. */
  readonly plant?: () => Plant;
}

export interface SimResult {
  readonly counts: Checker['counts'];
  readonly fates: Readonly<Record<string, number>>;
}

/** A computer: its processes share an identity and a local cache, and there is one of them at a time. */
interface Machine {
  readonly instance: string;
  disk: MemoryCacheDisk;
  process: Process | undefined;
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
  readonly heapSize: number;
  ended = false;
  readonly #options: SimOptions;
  readonly #keys: KeyRing | undefined;
  readonly #cached: boolean;
  readonly #people: boolean;
  readonly #machines: Machine[] = [];
  /** Those that take commands, oldest first. */
  #serving: Process[] = [];
  #tokens: string[] = [];
  #person = '';
  #failure: unknown;
  readonly #fates: Record<string, number> = {};

  constructor(stage: Stage, options: SimOptions) {
    this.stage = stage;
    this.#options = options;
    const hex = (bytes: number) => Buffer.from(stage.random.bytes(bytes)).toString('hex');
    this.#keys = stage.chance(0.25) ? KeyRing.parse(hex(KEY_BYTES)) : undefined;
    this.#cached = stage.chance(0.4);
    this.#people = stage.chance(0.3);
    this.heapSize = stage.chance(0.3) ? HEAP_SIZE : 0;
    for (let at = 0; at < 2; at++)
      this.#machines.push({ instance: hex(INSTANCE_BYTES), disk: new MemoryCacheDisk(), process: undefined });
  }

  process(): Process | undefined {
    return this.#serving[this.stage.integer(this.#serving.length)];
  }

  async run(): Promise<SimResult> {
    const { stage } = this;
    const emulator = await stage.discord(stage.env(stage.clock), stage.disk);
    this.#tokens = [emulator.credentials().token];
    if (stage.chance(0.4)) this.#tokens.push((await emulator.landlord.addBot()).token);
    this.#person = (await emulator.landlord.addBot({ permissions: ADMINISTRATOR })).token;
    const clients = Array.from({ length: CLIENTS }, (_, at) => new Client(`c${at}`, this));
    const first = await this.#start(this.#machines[0]!, false);
    await this.#setUp(first!);
    emulator.setFaults(drizzle());
    const lives = clients.map((client) =>
      client.run().catch((error: unknown) => {
        this.#failure ??= error;
      }),
    );
    const end = stage.clock.now() + this.#options.ms;
    while (stage.clock.now() < end && !this.#failure) await this.#fate(Math.min(end - stage.clock.now(), 30_000));
    emulator.setFaults([]);
    if (!this.#failure && this.#serving.length === 0) await this.#startAgain(this.#machines[0]!);
    this.ended = true;
    await this.#within(CALM_MS, Promise.all(lives), () => clients.map(({ waiting }) => waiting).join('; '));
    if (this.#failure) throw this.#failure;
    await this.#judge(clients[0]!);
    return { counts: this.checker.counts, fates: this.#fates };
  }

  async #setUp(process: Process): Promise<void> {
    const run = process.connect();
    const { clock } = this.stage;
    const must = async (command: object) => {
      if (Number((await run({ ...command, $db: DB })).get('ok')) !== 1) throw new Error('could not set up');
    };
    await must({ createIndexes: UNIQUES, indexes: [{ key: { u: 1 }, name: 'u', unique: true }] });
    await must({ createIndexes: THINGS, indexes: [{ key: { g: 1 }, name: 'g' }] });
    if (this.heapSize === 0) return;
    const ids = Array.from({ length: this.heapSize }, (_, at) => `p${at}`);
    const heap = { kind: 'create', coll: HEAPS, tag: 'heap', target: ids, process: process.number } as const;
    const write = this.checker.begin({ ...heap, invoke: clock.now() });
    await must({ insert: HEAPS, documents: ids.map((_id) => ({ _id, g: groupOf(_id), log: ['heap'], pad: '' })) });
    this.checker.acknowledge(write, clock.now());
  }

  /** Waits a while, and lets something happen. */
  async #fate(most: number): Promise<void> {
    const { stage } = this;
    await stage.sleep(1000 + stage.integer(Math.max(1, most)));
    const dice = stage.integer(100);
    if (this.#serving.length === 0) return this.#count('revived', () => this.#startAgain(this.#anyMachine()));
    if (dice < 30) return this.#count('killed', () => this.#kill());
    if (dice < 40) return this.#count('closed', () => this.#close());
    if (dice < 50) return this.#count('moved', () => this.#move());
    if (dice < 60) return this.#count('takenOver', () => this.#takeOver());
    if (dice < 64) return this.#count('refused', () => this.#refuse());
    if (dice < 67 && this.#tokens.length > 1) return this.#count('botsLost', () => this.#loseBot());
    if (dice < 80 && this.#people) return this.#count('deletedByPeople', () => this.#deleteByHand());
    return this.#count('storms', () => this.#rage());
  }

  #count(fate: string, run: () => Promise<void>): Promise<void> {
    this.#fates[fate] = (this.#fates[fate] ?? 0) + 1;
    return run();
  }

  async #kill(): Promise<void> {
    const machine = this.#machineOf(this.#serving.at(-1)!);
    this.#die(machine);
    await this.stage.sleep(this.stage.integer(4000));
    await this.#startAgain(machine);
  }

  /** Ends well, unless it is killed while it ends. */
  async #close(): Promise<void> {
    const process = this.#serving.at(-1)!;
    const machine = this.#machineOf(process);
    this.#serving = this.#serving.filter((other) => other !== process);
    const closed = process.close();
    if (this.stage.chance(0.3)) {
      closed.catch(() => {});
      await this.stage.sleep(this.stage.integer(2000));
      if (!process.life.ended) this.#die(machine);
    } else {
      await this.#within(START_MS, closed, () => `process ${process.number} closes`);
    }
    machine.process = undefined;
    await this.#startAgain(machine);
  }

  /** One machine is lost; another one follows, which cannot know that. */
  async #move(): Promise<void> {
    const machine = this.#machineOf(this.#serving.at(-1)!);
    this.#die(machine);
    await this.#startAgain(this.#other(machine));
  }

  /** Another process takes the guild from one that works. */
  async #takeOver(): Promise<void> {
    const old = this.#machineOf(this.#serving.at(-1)!);
    const next = this.#other(old);
    if (next.process) this.#die(next);
    await this.#start(next, true);
    await this.stage.sleep(this.stage.integer(20_000));
    if (old.process) this.#die(old);
  }

  /** Who may not have the guild is told so, and does no harm. */
  async #refuse(): Promise<void> {
    const old = this.#machineOf(this.#serving.at(-1)!);
    const next = this.#other(old);
    if (next.process) this.#die(next);
    const process = await this.#start(next, false);
    if (process) this.#die(old);
  }

  async #loseBot(): Promise<void> {
    const { emulator } = this.stage;
    const [token] = this.#tokens.splice(this.stage.integer(this.#tokens.length), 1);
    const { guildId } = emulator.credentials();
    await emulator.landlord.kick(emulator.botByToken(token!)!.userId, guildId);
  }

  /** A person deletes a message of a collection: whatever it held is nobody's business from now on. */
  async #deleteByHand(): Promise<void> {
    const { emulator } = this.stage;
    const { guildId } = emulator.credentials();
    const channel = emulator.channels(guildId).find(({ name }) => name === THINGS);
    if (!channel || this.#keys) return;
    const messages = emulator
      .messages(channel.id, { limit: 50 })
      .filter(({ content, attachments }) => attachments.length === 0 && content.includes('"_id"'));
    const message = messages[this.stage.integer(messages.length)];
    if (!message) return;
    for (const [, id] of message.content.matchAll(/"_id": ?"([^"]+)"/g)) this.checker.disturb(THINGS, id!);
    const path = `/api/v10/channels/${channel.id}/messages/${message.id}`;
    const request = {
      method: 'DELETE',
      path,
      headers: { authorization: `Bot ${this.#person}` },
      body: Buffer.alloc(0),
    };
    await emulator.handle(request).catch(() => {});
  }

  async #rage(): Promise<void> {
    const { stage } = this;
    stage.emulator.setFaults(storm(stage));
    await stage.sleep(2000 + stage.integer(60_000));
    stage.emulator.setFaults(drizzle());
  }

  /** Until one serves; perhaps some are killed while they start. */
  async #startAgain(machine: Machine): Promise<void> {
    while (!this.#failure) {
      const force = this.stage.chance(0.5);
      if (await this.#start(machine, force, this.stage.chance(0.2) ? this.stage.integer(6000) : undefined)) return;
      await this.stage.sleep(this.stage.integer(60_000));
    }
  }

  /** Undefined where it was refused, or killed before it was ready. */
  async #start(machine: Machine, force: boolean, killAfter?: number): Promise<Process | undefined> {
    const { stage } = this;
    if (machine.process) this.#die(machine);
    const process = new Process(stage, {
      tokens: [...this.#tokens],
      keys: this.#keys,
      lease: { instance: machine.instance, force },
      cacheDisk: this.#cached ? machine.disk : undefined,
      listens: true,
      wire: endingLinks(stage),
      ...this.#options.plant?.(),
    });
    machine.process = process;
    if (killAfter !== undefined)
      void stage
        .sleep(killAfter)
        .then(() => machine.process === process && !this.#serving.includes(process) && this.#die(machine));
    const tokens = this.#tokens.length;
    const started = process.start().then(
      () => true,
      (error: unknown) => {
        if (error instanceof OwnedError) return false;
        // A bot that was removed while it started.
        if (this.#tokens.length < tokens) return false;
        throw error;
      },
    );
    const ready = await this.#within(START_MS, Promise.race([started, process.ended.then(() => false)]), () => {
      return `process ${process.number} starts`;
    });
    if (!ready || process.life.ended) {
      if (machine.process === process) this.#die(machine);
      return undefined;
    }
    this.#serving.push(process);
    this.checker.newestProcess = process.number;
    return process;
  }

  #die(machine: Machine): void {
    const { process, disk } = machine;
    if (!process) return;
    process.kill();
    this.#serving = this.#serving.filter((other) => other !== process);
    machine.process = undefined;
    // What the dead one still has in its hands does not reach the next one's disk.
    machine.disk = new MemoryCacheDisk();
    for (const [name, { bytes, synced }] of disk.files)
      machine.disk.files.set(name, { bytes: Buffer.from(bytes), synced: Buffer.from(synced) });
    if (this.stage.chance(0.3)) machine.disk.powerCut((unsynced) => this.stage.integer(unsynced + 1));
  }

  #machineOf(process: Process): Machine {
    return this.#machines.find((machine) => machine.process === process)!;
  }

  #other(machine: Machine): Machine {
    return this.#machines.find((other) => other !== machine)!;
  }

  #anyMachine(): Machine {
    return this.#machines[this.stage.integer(this.#machines.length)]!;
  }

  async #within<T>(ms: number, promise: Promise<T>, who: () => string): Promise<T> {
    const late = Symbol('late');
    const first = await Promise.race([promise, this.stage.sleep(ms).then((): typeof late => late)]);
    if (first === late) throw this.#failure ?? new Violation(`nothing came within ${ms} ms: ${who()}`);
    return first as T;
  }

  /** Fresh processes, without cache, find what the history says; the guild is sound; nothing was reported without a cause. */
  async #judge(reader: Client): Promise<void> {
    const { stage } = this;
    for (const machine of this.#machines) if (machine.process) this.#die(machine);
    await stage.sleep(SETTLE_MS);
    const counts: string[] = [];
    for (let round = 0; round < 2; round++) {
      const machine: Machine = { ...this.#machines[0]!, disk: new MemoryCacheDisk() };
      const process = await this.#start(machine, true);
      const found: unknown[] = [];
      for (const coll of COLLECTIONS) found.push(await reader.scan(process!, coll, undefined, 'local'));
      counts.push(JSON.stringify(found));
      await this.#within(CALM_MS, process!.close(), () => 'the last process closes');
      this.#serving = [];
    }
    if (counts[0] !== counts[1]) throw new Violation(`one fresh process found ${counts[0]}, the next ${counts[1]}`);
    await this.#survey();
    this.#checkLog();
  }

  async #survey(): Promise<void> {
    const { stage } = this;
    const store = await new Process(stage, { tokens: this.#tokens }).openStore();
    for await (const { ns, findings } of checkDeployment({ env: stage.env(stage.clock), store, keys: this.#keys })) {
      for (const { kind, text } of findings) {
        if (!this.#explained(kind)) throw new Violation(`discodb check finds in ${ns}: ${kind}: ${text}`);
      }
    }
    await store.close();
  }

  #explained(kind: string): boolean {
    const {
      killed = 0,
      moved = 0,
      takenOver = 0,
      deletedByPeople = 0,
      closed = 0,
      refused = 0,
      revived = 0,
    } = this.#fates;
    if (kind === 'epoch') return killed + moved + takenOver + closed + refused + revived > 0;
    return deletedByPeople > 0 && ['gap', 'live-set'].includes(kind);
  }

  #checkLog(): void {
    const {
      takenOver = 0,
      moved = 0,
      refused = 0,
      botsLost = 0,
      deletedByPeople = 0,
      revived = 0,
      closed = 0,
    } = this.#fates;
    const causes: [RegExp, number][] = [
      [/took over|collection stopped|could not be followed up/, takenOver + moved + refused + revived + closed],
      [/a bot can work no longer|cannot listen|does not let a bot listen|no bot can listen/, botsLost],
      [/somebody deleted/, deletedByPeople],
    ];
    for (const { msg, kind, ...rest } of this.stage.errors) {
      if (kind ? this.#explained(kind) : causes.some(([text, cause]) => cause > 0 && text.test(msg))) continue;
      throw new Violation(`reported without a cause: ${msg} ${JSON.stringify({ kind, ...rest })}`);
    }
  }
}

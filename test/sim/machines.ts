import type { Doc } from '../../src/bson/index.ts';
import { StartError, type Transport } from '../../src/discord/index.ts';
import type { UpkeepLimits } from '../../src/engine/index.ts';
import { type KeyRing, OwnedError } from '../../src/log/index.ts';
import { MemoryCacheDisk } from '../../src/store/index.ts';
import { Process, type ProcessOptions, type Stage } from '../support/stage.ts';
import { endingLinks, mangled } from './faults.ts';
import { Violation } from './history.ts';
import type { Trace } from './trace.ts';

const INSTANCE_BYTES = 16;
/** A start may have to wait out storms; more than this is being stuck. */
const START_MS = 20 * 60_000;
/** How a record begins, and how many messages are looked at. */
const RECORD = '-# discodb ';
const RECENT = 100;

export type Plant = Pick<ProcessOptions, 'plantStore' | 'plantEngine' | 'wire'>;

/** A computer: its processes share an identity and a local cache, and there is one of them at a time. */
export interface Machine {
  readonly instance: string;
  disk: MemoryCacheDisk;
  process: Process | undefined;
}

export interface MachinesOptions {
  readonly stage: Stage;
  readonly trace: Trace;
  readonly keys: KeyRing | undefined;
  /** Machines keep a local cache. */
  readonly cached: boolean;
  readonly upkeep: Partial<UpkeepLimits> | undefined;
  readonly plant?: (() => Plant) | undefined;
  note(what: string, times?: number): void;
  /** Told when one takes commands. */
  started(process: Process): void;
  /** What the world broke of already. */
  failure(): unknown;
}

/** Two machines, and the processes that start and end on them. */
export class Machines {
  readonly all: readonly Machine[];
  /** Those that take commands, oldest first. */
  serving: Process[] = [];
  /** Of the bots that are left. */
  tokens: string[] = [];
  /** Of these, those that see every channel. */
  readonly insiders = new Set<string>();
  readonly #given = new WeakMap<Process, readonly string[]>();
  readonly #options: MachinesOptions;

  constructor(options: MachinesOptions) {
    this.#options = options;
    const { random } = options.stage;
    const hex = (bytes: number) => Buffer.from(random.bytes(bytes)).toString('hex');
    this.all = [0, 1].map(() => ({
      instance: hex(INSTANCE_BYTES),
      disk: new MemoryCacheDisk(),
      process: undefined,
    }));
  }

  /** Whether there would be a bot that sees every channel for whoever runs, and whoever comes. */
  canSpare(token: string): boolean {
    const left = this.tokens.filter((one) => one !== token && this.insiders.has(one));
    const given = this.all.flatMap(({ process }) => (process ? [this.#given.get(process)!] : []));
    return [this.tokens, ...given].every((tokens) => tokens.some((one) => left.includes(one)));
  }

  /** Until one serves; perhaps some are killed while they start. */
  async startAgain(machine: Machine): Promise<void> {
    const { stage, failure } = this.#options;
    while (!failure()) {
      const force = stage.chance(0.5);
      if (await this.start(machine, force, stage.chance(0.2) ? stage.integer(6000) : undefined)) return;
      await stage.sleep(stage.integer(60_000));
    }
  }

  /** Undefined where it was refused, or killed before it was ready. */
  async start(machine: Machine, force: boolean, killAfter?: number): Promise<Process | undefined> {
    const { stage, note } = this.#options;
    if (machine.process) this.die(machine);
    this.#checkDoubles();
    const process = this.#process(machine, force);
    machine.process = process;
    let starts = true;
    if (killAfter !== undefined)
      void stage.sleep(killAfter).then(() => {
        if (!starts || machine.process !== process) return;
        note('killedAtStart');
        this.die(machine);
      });
    const tokens = this.tokens.length;
    const started = process.start().then(
      () => true,
      (error: unknown) => {
        if (error instanceof OwnedError) {
          note('turnedAway');
          return false;
        }
        // Whoever started it tries again.
        if (error instanceof StartError && /does not answer/.test(error.message)) {
          note('startGivenUp');
          return false;
        }
        // A bot that was removed while it started.
        if (this.tokens.length < tokens) return false;
        throw error;
      },
    );
    const ready = await this.within(START_MS, Promise.race([started, process.ended.then(() => false)]), () => {
      return `process ${process.number} starts`;
    });
    starts = false;
    if (!ready || process.life.ended) {
      if (machine.process === process) this.die(machine);
      return undefined;
    }
    note(this.#options.cached && machine.disk.files.size > 0 ? 'startedWithCache' : 'startedWithoutCache');
    this.serving.push(process);
    this.#options.started(process);
    return process;
  }

  die(machine: Machine): void {
    const { stage } = this.#options;
    const { process, disk } = machine;
    if (!process) return;
    this.#countUpkeep(process);
    process.kill();
    this.serving = this.serving.filter((other) => other !== process);
    machine.process = undefined;
    // What the dead one still has in its hands does not reach the next one's disk.
    machine.disk = new MemoryCacheDisk();
    for (const [name, { bytes, synced }] of disk.files)
      machine.disk.files.set(name, { bytes: Buffer.from(bytes), synced: Buffer.from(synced) });
    if (stage.chance(0.3)) machine.disk.powerCut((unsynced) => stage.integer(unsynced + 1));
    if (stage.chance(0.1)) machine.disk = new MemoryCacheDisk();
  }

  /** Ends well, unless it is killed while it ends. */
  async close(machine: Machine): Promise<void> {
    const { stage } = this.#options;
    const { process } = machine;
    if (!process) return;
    this.serving = this.serving.filter((other) => other !== process);
    this.#countUpkeep(process);
    const closed = process.close();
    if (stage.chance(0.3)) {
      closed.catch(() => {});
      await stage.sleep(stage.integer(2000));
      if (!process.life.ended) this.die(machine);
    } else {
      await this.within(START_MS, closed, () => `process ${process.number} closes`);
    }
    machine.process = undefined;
  }

  /** Where the newest process serves. */
  get newest(): Machine {
    return this.all.find(({ process }) => process === this.serving.at(-1))!;
  }

  other(machine: Machine): Machine {
    return this.all.find((other) => other !== machine)!;
  }

  any(): Machine {
    return this.all[this.#options.stage.integer(this.all.length)]!;
  }

  async within<T>(ms: number, promise: Promise<T>, who: () => string): Promise<T> {
    const { stage, failure } = this.#options;
    const late = Symbol('late');
    const first = await Promise.race([promise, stage.sleep(ms).then((): typeof late => late)]);
    if (first === late) throw failure() ?? new Violation(`nothing came within ${ms} ms: ${who()}`);
    return first as T;
  }

  #process(machine: Machine, force: boolean): Process {
    const { stage, trace, keys, cached, upkeep, plant } = this.#options;
    const tokens = [...this.tokens];
    const { wire: harm = (transport: Transport) => transport, ...planted } = plant?.() ?? {};
    const process = new Process(stage, {
      tokens,
      keys,
      upkeep,
      lease: { instance: machine.instance, force },
      cacheDisk: cached ? machine.disk : undefined,
      listens: true,
      wire: (direct) => mangled(stage)(endingLinks(stage)(harm(trace.along(direct)))),
      ...planted,
    });
    this.#given.set(process, tokens);
    return process;
  }

  /** What a lost reply left in doubt was not posted again: a nonce, or the channel, told so. */
  #checkDoubles(): void {
    const { emulator } = this.#options.stage;
    for (const { id, name } of emulator.channels(emulator.credentials().guildId)) {
      const records = emulator.messages(id, { limit: RECENT }).map(({ content }) => content);
      const double = records.find((content, at) => content.startsWith(RECORD) && records.indexOf(content) < at);
      if (double !== undefined) throw new Violation(`#${name} has a record twice: ${double.slice(0, 80)}`);
    }
  }

  /** What upkeep did in a process that is about to end. */
  #countUpkeep(process: Process): void {
    if (!process.ready) return;
    const upkeep = process.engine.status().get('upkeep') as Doc;
    const number = (doc: Doc, name: string) => Number(doc.get(name));
    const { note } = this.#options;
    note('packs', number(upkeep.get('packed') as Doc, 'packs'));
    note('checkpoints', number(upkeep, 'checkpoints'));
    note('scrubs', number(upkeep.get('scrubbed') as Doc, 'channels'));
  }
}

import { type Random, randomInt } from '../../src/base/index.ts';
import { Binary, type Doc, ObjectId } from '../../src/bson/index.ts';
import type { Process, Stage } from '../support/stage.ts';
import type { Checker } from './checker.ts';
import type { Roaming } from './clerk.ts';
import { GROUPS, groupOf, idsOf, Violation, type Write } from './history.ts';
import { batchOf, codeOf, countOf, idOf, Line, metNothing, show, tagsOf } from './line.ts';
import { DB, EVENTS, FLEETING, HEAPS, ROAMING, type Step, Steps, THINGS, UNIQUES } from './steps.ts';

const SCAN_BATCH = 25;
const WHOLE_BATCH = 100_000;
/** How far back events are read. */
const EVENTS_READ_S = 1200;
const DUPLICATE_KEY = 11000;
/** The process gave up being the one that writes, or ends: what became of a write is not known. */
export const LEAVING: ReadonlySet<number> = new Set([10107, 11600, 91]);
/** A collection was dropped or renamed under a command. */
export const QUERY_PLAN_KILLED = 175;
/** A cursor ends with its process's view of the collection. */
const CURSOR_GONE = new Set([43, 237, ...LEAVING]);

/** How a write was sent. */
interface Sent {
  /** Its answer says nothing of Discord. */
  readonly weak: boolean;
  /** Not for the first time. */
  readonly again: boolean;
}

/** What a client needs to know of the world. */
export interface Surroundings {
  readonly stage: Stage;
  readonly checker: Checker;
  readonly heapSize: number;
  readonly roaming: Roaming;
  /** One that takes commands, or undefined. */
  process(): Process | undefined;
  /** How long a client waits between two commands, at most. */
  readonly leisureMs: number;
  readonly ended: boolean;
  /** Something was seen to happen. */
  note(what: string, times?: number): void;
}

interface Scan {
  readonly group?: number | undefined;
  /** Those alone whose ids, ObjectIds in hex, are no less. */
  readonly from?: string | undefined;
  readonly durable: boolean;
  /** In one batch. */
  readonly whole?: boolean;
  /** What the collection is called, where that is not always the same. */
  readonly name?: string;
}

/** A client: one operation after the other, each on any process that takes commands. */
export class Client {
  readonly name: string;
  readonly line: Line;
  readonly #world: Surroundings;
  readonly #random: Random;
  readonly #steps: Steps;
  readonly #lsid: { id: Binary };
  #txnNumber = 0n;
  #serial = 0;

  constructor(name: string, world: Surroundings) {
    const { stage, heapSize, roaming } = world;
    this.name = name;
    this.line = new Line(stage);
    this.#world = world;
    this.#random = stage.random;
    const scenery = { heapSize, now: () => stage.clock.now(), roaming: () => roaming.guess() };
    this.#steps = new Steps(name, stage.random, scenery);
    this.#lsid = { id: new Binary(this.#random.bytes(16), 4) };
  }

  async run(): Promise<void> {
    const { stage } = this.#world;
    while (!this.#world.ended) {
      await stage.sleep(this.#integer(this.#world.leisureMs));
      const process = this.#world.process();
      if (!process || this.#world.ended) continue;
      const dice = this.#integer(100);
      if (dice < 14) await this.#readOne(process);
      else if (dice < 18) await this.#scan(process);
      else if (dice < 21) await this.#count(process);
      else await this.#write(process);
    }
  }

  async #write(process: Process): Promise<void> {
    const { stage, checker } = this.#world;
    const step = this.#steps.next();
    const tag = `${this.name}.${++this.#serial}`;
    const identity = step.retryable ? { lsid: this.#lsid, txnNumber: ++this.#txnNumber } : {};
    const concern = this.#integer(40);
    const weak = concern === 0;
    const hasty = concern === 1;
    const writeConcern = weak ? { w: 1 } : hasty ? { w: 'majority', wtimeout: 300 } : { w: 'majority' };
    const command = { ...step.command(tag), ...identity, writeConcern, $db: step.db ?? DB };
    const { kind, coll, target, keys, expires } = step;
    const invoke = stage.clock.now();
    const write = checker.begin({ kind, coll, tag, target, keys, invoke, process: process.number });
    // What expires is deleted by somebody, some time.
    if (expires !== undefined)
      checker.begin({ kind: 'delete', coll, tag: `${tag}x`, target, invoke: expires, process: process.number });
    let again = false;
    for (let at: Process | undefined = process; at; at = await this.#next(step.retryable)) {
      write.process = at.number;
      const reply = await this.line.send(at, command);
      if (reply && this.#settle(write, step, reply, at, { weak, again })) {
        if (at !== process) this.#world.note('answeredByTheNext');
        this.#world.note(Object.keys(command)[0]!);
        return;
      }
      checker.counts.repeated++;
      again = true;
    }
    checker.abandon(write);
  }

  /** Where to send again what was not answered, or undefined. */
  async #next(retryable: boolean): Promise<Process | undefined> {
    if (!retryable || this.#integer(5) === 0) return undefined;
    while (!this.#world.ended) {
      await this.#world.stage.sleep(200 + this.#integer(1000));
      const process = this.#world.process();
      if (process) return process;
    }
    return undefined;
  }

  /** False where it is still in doubt. */
  #settle(write: Write, step: Step, reply: Doc, process: Process, { weak, again }: Sent): boolean {
    const { checker, stage } = this.#world;
    const now = stage.clock.now();
    const code = codeOf(reply);
    if (LEAVING.has(code) || isKilled(write.coll, code)) return false;
    if (code === DUPLICATE_KEY && write.kind === 'upsert')
      throw new Violation(`${write.tag}: an upsert by _id met a key`);
    if (code === DUPLICATE_KEY) {
      checker.refuse(write, now);
      return true;
    }
    if (code !== 0) throw new Violation(`${this.name} got ${show(reply)} for ${write.kind} ${write.tag}`);
    const nothing = metNothing(reply) && write.kind !== 'upsert';
    // What is known of an earlier try lies with the collection, which perhaps has another name by now, or is gone.
    if (nothing && write.coll === ROAMING && again) checker.abandon(write);
    else if (nothing && write.coll === ROAMING) checker.pass(write, now);
    else if (nothing) checker.metNothing(write, now);
    else if (reply.has('writeConcernError') || weak) checker.abandon(write);
    else checker.acknowledge(write, now);
    if (write.kind === 'create' && !nothing && countOf(reply) !== idsOf(write).length)
      throw new Violation(`${write.tag} made ${countOf(reply)} of ${idsOf(write).length} documents`);
    const value = reply.get('value');
    if (!(value instanceof Map) || typeof step.target !== 'object' || write.status !== 'ok') return true;
    const tags = tagsOf(value);
    if (idOf(value) !== step.target[0])
      throw new Violation(`${write.tag} on ${step.target[0]} answered ${idOf(value)}`);
    const { coll, invoke } = write;
    checker.read({ coll, id: idOf(value), tags, invoke, complete: now, process: process.number, durable: true });
    return true;
  }

  async #readOne(process: Process): Promise<void> {
    const { stage, checker, roaming } = this.#world;
    const coll = this.#steps.pick([THINGS, THINGS, HEAPS, ROAMING]);
    const { name, ids } = coll === ROAMING ? roaming.guess() : { name: coll, ids: [] };
    const id =
      coll === HEAPS
        ? this.#steps.heapId()
        : coll === THINGS
          ? this.#steps.hotId()
          : ids.length > 0
            ? this.#steps.pick(ids)
            : 'none';
    const durable = this.#integer(2) === 0;
    const invoke = stage.clock.now();
    const readConcern = { level: durable ? 'majority' : 'local' };
    const reply = await this.line.send(process, { find: name, filter: { _id: id }, readConcern, $db: DB });
    if (!reply) return;
    const code = codeOf(reply);
    if (CURSOR_GONE.has(code) || isKilled(coll, code)) return;
    if (code !== 0) throw new Violation(`${this.name} got ${show(reply)} for a read of ${coll}/${id}`);
    const [found] = batchOf(reply);
    if (found && idOf(found) !== id) throw new Violation(`a read of ${coll}/${id} found ${idOf(found)}`);
    const tags = found && tagsOf(found);
    const complete = stage.clock.now();
    if (!tags && coll === ROAMING && !roaming.wasCalled(name, invoke)) return;
    checker.read({ coll, id, tags, invoke, complete, process: process.number, durable });
    this.#world.note(durable ? 'readMajority' : 'readLocal');
  }

  async #scan(process: Process): Promise<void> {
    if (this.#integer(3) === 0) {
      const now = Math.floor(this.#world.stage.clock.now() / 1000);
      const from = (now - this.#integer(EVENTS_READ_S)).toString(16).padStart(8, '0') + '0'.repeat(16);
      await this.scan(process, EVENTS, { from, durable: this.#integer(2) === 0 });
      return;
    }
    const group = this.#integer(3) === 0 ? undefined : this.#integer(GROUPS);
    await this.scan(process, this.#someCollection(), { group, durable: this.#integer(2) === 0 });
  }

  /** Reads a collection, or a group of it, batch by batch; or, with `whole`, in one. */
  async scan(
    process: Process,
    coll: string,
    { group, from, durable, whole = false, name = coll }: Scan,
  ): Promise<(readonly [string, readonly string[]])[] | undefined> {
    const { stage, checker } = this.#world;
    const invoke = stage.clock.now();
    const found: [string, string[]][] = [];
    const byId = from === undefined ? {} : { _id: { $gte: ObjectId.createFromHexString(from) } };
    const filter = group === undefined ? byId : { g: group };
    const readConcern = { level: durable ? 'majority' : 'local' };
    const batchSize = whole ? WHOLE_BATCH : SCAN_BATCH;
    let command: object = { find: name, filter, batchSize, readConcern };
    for (;;) {
      const reply = await this.line.send(process, { ...command, $db: DB });
      if (!reply) return undefined;
      const code = codeOf(reply);
      if (CURSOR_GONE.has(code)) return undefined;
      if (code !== 0) throw new Violation(`${this.name} got ${show(reply)} for a scan of ${coll}`);
      for (const one of batchOf(reply)) found.push([idOf(one), tagsOf(one)]);
      const id = (reply.get('cursor') as Doc).get('id');
      if (Number(id) === 0) break;
      command = { getMore: id, collection: name, batchSize };
      this.#world.note('getMore');
      // Others write meanwhile.
      if (!whole && this.#integer(4) === 0) await stage.sleep(this.#integer(2000));
    }
    const wanted = (id: string) => (from === undefined || id >= from) && (group === undefined || groupOf(id) === group);
    checker.scan({ coll, invoke, complete: stage.clock.now(), process: process.number, durable }, found, wanted);
    this.#world.note(from !== undefined ? 'scannedIds' : durable ? 'scannedMajority' : 'scannedLocal');
    return found;
  }

  async #count(process: Process): Promise<void> {
    const { stage, checker } = this.#world;
    const coll = this.#someCollection();
    const group = this.#integer(2) === 0 ? undefined : this.#integer(GROUPS);
    const invoke = stage.clock.now();
    const query = group === undefined ? {} : { g: group };
    const reply = await this.line.send(process, { count: coll, query, $db: DB });
    if (!reply || LEAVING.has(codeOf(reply))) return;
    if (codeOf(reply) !== 0) throw new Violation(`${this.name} got ${show(reply)} for a count of ${coll}`);
    const wanted = (id: string) => group === undefined || groupOf(id) === group;
    const asked = { coll, invoke, complete: stage.clock.now(), process: process.number };
    checker.count(asked, Number(reply.get('n')), wanted);
    this.#world.note('count');
  }

  #someCollection(): string {
    const always = [THINGS, UNIQUES, FLEETING];
    return this.#steps.pick(this.#world.heapSize > 0 ? [...always, HEAPS] : always);
  }

  #integer(limit: number): number {
    return randomInt(this.#random, limit);
  }
}

function isKilled(coll: string, code: number): boolean {
  return coll === ROAMING && code === QUERY_PLAN_KILLED;
}

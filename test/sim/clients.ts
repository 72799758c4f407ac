import { type Random, randomInt } from '../../src/base/index.ts';
import { Binary, type Doc, type Value } from '../../src/bson/index.ts';
import type { Process, Stage } from '../support/stage.ts';
import { type Checker, GROUPS, groupOf, Violation, type Write, type WriteKind } from './checker.ts';

export const DB = 'sim';
/** Few documents that all clients fight for, batches of fresh ones, and an index on the group. */
export const THINGS = 'things';
/** Documents that contend for the values of a unique index. */
export const UNIQUES = 'uniques';
/** Many documents that are there from the beginning, so that upkeep packs them. */
export const HEAPS = 'heaps';
export const COLLECTIONS = [THINGS, UNIQUES, HEAPS] as const;

const HOT_IDS = 16;
const UNIQUE_VALUES = 12;
const BATCH_MAX = 50;
const SCAN_BATCH = 25;
const DUPLICATE_KEY = 11000;
/** The process gave up being the one that writes, or ends: what became of a write is not known. */
const LEAVING = new Set([10107, 11600, 91]);
/** A cursor ends with its process's view of the collection. */
const CURSOR_GONE = new Set([43, 175, 237, 10107, 11600, 91]);

/** What a client needs to know of the world. */
export interface Surroundings {
  readonly stage: Stage;
  readonly checker: Checker;
  readonly heapSize: number;
  /** One that takes commands, or undefined. */
  process(): Process | undefined;
  readonly ended: boolean;
}

/** A write, how it is sent, and what its answer says. */
interface Step {
  readonly kind: WriteKind;
  readonly coll: string;
  readonly target: readonly string[] | number;
  readonly unique?: number;
  readonly retryable: boolean;
  command(tag: string): object;
}

/** A client: one operation after the other, each on any process that takes commands. */
export class Client {
  readonly name: string;
  readonly #world: Surroundings;
  readonly #random: Random;
  readonly #lsid: { id: Binary };
  readonly #connections = new WeakMap<Process, (command: object) => Promise<Doc>>();
  readonly #uniques: string[] = [];
  #txnNumber = 0n;
  #serial = 0;
  /** What it waits for, for a report when that never comes. */
  waiting: string | undefined;

  constructor(name: string, world: Surroundings) {
    this.name = name;
    this.#world = world;
    this.#random = world.stage.random;
    this.#lsid = { id: new Binary(this.#random.bytes(16), 4) };
  }

  async run(): Promise<void> {
    const { stage } = this.#world;
    while (!this.#world.ended) {
      await stage.sleep(this.#integer(400));
      const process = this.#world.process();
      if (!process || this.#world.ended) continue;
      const dice = this.#integer(100);
      if (dice < 15) await this.#readOne(process);
      else if (dice < 19) await this.#scan(process);
      else await this.#write(process);
    }
  }

  async #write(process: Process): Promise<void> {
    const { stage, checker } = this.#world;
    const step = this.#invent();
    const tag = `${this.name}.${++this.#serial}`;
    const identity = step.retryable ? { lsid: this.#lsid, txnNumber: ++this.#txnNumber } : {};
    const concern = this.#integer(40);
    const weak = concern === 0;
    const hasty = concern === 1;
    const writeConcern = weak ? { w: 1 } : hasty ? { w: 'majority', wtimeout: 300 } : { w: 'majority' };
    const command = { ...step.command(tag), ...identity, writeConcern, $db: DB };
    const { kind, coll, target, unique } = step;
    const write = checker.begin({
      kind,
      coll,
      tag,
      target,
      unique,
      invoke: stage.clock.now(),
      process: process.number,
    });
    for (let at: Process | undefined = process; at; at = await this.#next(step.retryable)) {
      write.process = at.number;
      const reply = await this.#send(at, command);
      if (reply && this.#settle(write, step, reply, at, weak)) return;
      checker.counts.repeated++;
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
  #settle(write: Write, step: Step, reply: Doc, process: Process, weak: boolean): boolean {
    const { checker, stage } = this.#world;
    const now = stage.clock.now();
    const code = codeOf(reply);
    if (LEAVING.has(code)) return false;
    if (code === DUPLICATE_KEY && write.kind === 'upsert')
      throw new Violation(`${write.tag}: an upsert by _id met a key`);
    if (code === DUPLICATE_KEY) {
      checker.refuse(write, now);
      return true;
    }
    if (code !== 0) throw new Violation(`${this.name} got ${show(reply)} for ${write.kind} ${write.tag}`);
    if (reply.has('writeConcernError') || weak) {
      if (nothing(reply) && write.kind !== 'upsert') checker.metNothing(write, now);
      else checker.abandon(write);
      return true;
    }
    if (nothing(reply) && write.kind !== 'upsert') checker.metNothing(write, now);
    else checker.acknowledge(write, now);
    const { value } = Object.fromEntries(reply);
    if (!(value instanceof Map) || typeof step.target === 'number') return true;
    const tags = tagsOf(value);
    if (idOf(value) !== step.target[0])
      throw new Violation(`${write.tag} on ${step.target[0]} answered ${idOf(value)}`);
    const { coll, invoke } = write;
    checker.read({ coll, id: idOf(value), tags, invoke, complete: now, process: process.number, durable: true });
    return true;
  }

  /** Undefined when the process ended before it answered. */
  async #send(process: Process, command: object): Promise<Doc | undefined> {
    const run = this.#connections.get(process) ?? process.connect();
    this.#connections.set(process, run);
    this.waiting = `${Object.keys(command)[0]} sent to process ${process.number} at ${this.#world.stage.clock.now()}`;
    const reply = await Promise.race([run(command), process.ended.then(() => undefined)]);
    this.waiting = undefined;
    return process.life.ended ? undefined : reply;
  }

  async #readOne(process: Process): Promise<void> {
    const { stage, checker } = this.#world;
    const coll = this.#pick([THINGS, THINGS, HEAPS]);
    const id = coll === HEAPS ? this.#heapId() : this.#hotId();
    const durable = this.#integer(2) === 0;
    const invoke = stage.clock.now();
    const readConcern = { level: durable ? 'majority' : 'local' };
    const reply = await this.#send(process, { find: coll, filter: { _id: id }, readConcern, $db: DB });
    if (!reply) return;
    const code = codeOf(reply);
    if (CURSOR_GONE.has(code)) return;
    if (code !== 0) throw new Violation(`${this.name} got ${show(reply)} for a read of ${coll}/${id}`);
    const [found] = batchOf(reply);
    if (found && idOf(found) !== id) throw new Violation(`a read of ${coll}/${id} found ${idOf(found)}`);
    const tags = found && tagsOf(found);
    checker.read({ coll, id, tags, invoke, complete: stage.clock.now(), process: process.number, durable });
  }

  async #scan(process: Process): Promise<void> {
    const group = this.#integer(3) === 0 ? undefined : this.#integer(GROUPS);
    await this.scan(process, this.#pick(this.#world.heapSize > 0 ? COLLECTIONS : [THINGS, UNIQUES]), group);
  }

  /** Reads a collection, or a group of it, batch by batch. */
  async scan(process: Process, coll: string, group: number | undefined, level?: string): Promise<number | undefined> {
    const { stage, checker } = this.#world;
    const invoke = stage.clock.now();
    const durable = level === undefined && this.#integer(2) === 0;
    const found: [string, string[]][] = [];
    const filter = group === undefined ? {} : { g: group };
    const readConcern = { level: durable ? 'majority' : 'local' };
    const batchSize = level === undefined ? SCAN_BATCH : 1000;
    let command: object = { find: coll, filter, batchSize, readConcern };
    for (;;) {
      const reply = await this.#send(process, { ...command, $db: DB });
      if (!reply) return undefined;
      const code = codeOf(reply);
      if (CURSOR_GONE.has(code)) return undefined;
      if (code !== 0) throw new Violation(`${this.name} got ${show(reply)} for a scan of ${coll}`);
      for (const one of batchOf(reply)) found.push([idOf(one), tagsOf(one)]);
      const id = (reply.get('cursor') as Doc).get('id');
      if (Number(id) === 0) break;
      command = { getMore: id, collection: coll, batchSize };
    }
    const wanted = (id: string) => group === undefined || groupOf(id) === group;
    checker.scan({ coll, invoke, complete: stage.clock.now(), process: process.number, durable }, found, wanted);
    return found.length;
  }

  #invent(): Step {
    const dice = this.#integer(100);
    if (dice < 18) return this.#insertUnique();
    if (dice < 28) return this.#deleteUnique();
    if (dice < 33) return this.#insertBatch();
    if (dice < 36) return this.#group('append');
    if (dice < 37) return this.#group('delete');
    const coll = this.#world.heapSize > 0 ? this.#pick([THINGS, HEAPS]) : THINGS;
    const id = coll === HEAPS ? this.#heapId() : this.#hotId();
    if (dice < 42) return this.#insert(coll, id);
    if (dice < 60) return this.#updateOne(coll, id, false);
    if (dice < 70) return this.#updateOne(coll, id, true);
    if (dice < 84) return this.#findAndModify(coll, id);
    if (dice < 94) return this.#deleteOne(coll, id);
    return this.#findAndRemove(coll, id);
  }

  #insert(coll: string, id: string): Step {
    const document = (tag: string) => ({ _id: id, g: groupOf(id), log: [tag], pad: this.#pad() });
    const command = (tag: string) => ({ insert: coll, documents: [document(tag)] });
    return { kind: 'create', coll, target: [id], retryable: true, command };
  }

  #insertUnique(): Step {
    const id = `${this.name}u${this.#serial}`;
    const unique = this.#integer(UNIQUE_VALUES);
    this.#uniques.push(id);
    const document = (tag: string) => ({ _id: id, g: groupOf(id), u: unique, log: [tag] });
    const command = (tag: string) => ({ insert: UNIQUES, documents: [document(tag)] });
    return { kind: 'create', coll: UNIQUES, target: [id], unique, retryable: true, command };
  }

  /** One that it tried to make, and perhaps did. */
  #deleteUnique(): Step {
    const [id = 'none'] = this.#uniques.splice(this.#integer(this.#uniques.length), 1);
    return this.#deleteOne(UNIQUES, id);
  }

  #insertBatch(): Step {
    const count = 2 + this.#integer(BATCH_MAX);
    const target = Array.from({ length: count }, (_, at) => `${this.name}b${this.#serial}-${at}`);
    const documents = (tag: string) => target.map((_id) => ({ _id, g: groupOf(_id), log: [tag], pad: this.#pad() }));
    const command = (tag: string) => ({ insert: THINGS, documents: documents(tag) });
    return { kind: 'create', coll: THINGS, target, retryable: true, command };
  }

  #updateOne(coll: string, id: string, upsert: boolean): Step {
    const made = upsert ? { $setOnInsert: { g: groupOf(id) } } : {};
    const update = (tag: string) => ({ q: { _id: id }, u: { $push: { log: tag }, ...made }, upsert });
    const command = (tag: string) => ({ update: coll, updates: [update(tag)] });
    return { kind: upsert ? 'upsert' : 'append', coll, target: [id], retryable: true, command };
  }

  #findAndModify(coll: string, id: string): Step {
    const returnNew = this.#integer(2) === 0;
    const command = (tag: string) => ({
      findAndModify: coll,
      query: { _id: id },
      update: { $push: { log: tag }, $set: { pad: this.#pad() } },
      new: returnNew,
    });
    return { kind: 'append', coll, target: [id], retryable: true, command };
  }

  #deleteOne(coll: string, id: string): Step {
    const command = () => ({ delete: coll, deletes: [{ q: { _id: id }, limit: 1 }] });
    return { kind: 'delete', coll, target: [id], retryable: true, command };
  }

  #findAndRemove(coll: string, id: string): Step {
    const command = () => ({ findAndModify: coll, query: { _id: id }, remove: true });
    return { kind: 'delete', coll, target: [id], retryable: true, command };
  }

  #group(kind: 'append' | 'delete'): Step {
    const target = this.#integer(GROUPS);
    const q = { g: target };
    const command = (tag: string) =>
      kind === 'append'
        ? { update: THINGS, updates: [{ q, u: { $push: { log: tag } }, multi: true }] }
        : { delete: THINGS, deletes: [{ q, limit: 0 }] };
    return { kind, coll: THINGS, target, retryable: false, command };
  }

  #hotId = () => `h${this.#integer(HOT_IDS)}`;
  #heapId = () => `p${this.#integer(Math.max(1, this.#world.heapSize))}`;
  #pad = () => 'x'.repeat(this.#integer(40) === 0 ? 3000 : this.#integer(60));

  #pick<T>(items: readonly T[]): T {
    return items[this.#integer(items.length)]!;
  }

  #integer(limit: number): number {
    return randomInt(this.#random, limit);
  }
}

function codeOf(reply: Doc): number {
  const errors = reply.get('writeErrors');
  if (Array.isArray(errors)) return Number((errors[0] as Doc).get('code'));
  return Number(reply.get('ok')) === 1 ? 0 : Number(reply.get('code'));
}

/** No document was met. */
function nothing(reply: Doc): boolean {
  if (reply.has('value')) return reply.get('value') === null;
  return Number(reply.get('n')) === 0;
}

function batchOf(reply: Doc): Doc[] {
  const cursor = reply.get('cursor') as Doc;
  return (cursor.get('firstBatch') ?? cursor.get('nextBatch')) as Doc[];
}

function idOf(document: Doc): string {
  return String(document.get('_id'));
}

function tagsOf(document: Doc): string[] {
  return ((document.get('log') ?? []) as Value[]).map(String);
}

function show(reply: Doc): string {
  return JSON.stringify(Object.fromEntries(reply), (_, value) =>
    value instanceof Map ? Object.fromEntries(value) : typeof value === 'bigint' ? String(value) : value,
  ).slice(0, 400);
}

import { type Random, randomInt } from '../../src/base/index.ts';
import { ObjectId } from '../../src/bson/index.ts';
import { GROUPS, groupOf, type Target, type WriteKind } from './history.ts';

export const DB = 'sim';
/** Few documents that all clients fight for, batches of fresh ones, and an index on the group. */
export const THINGS = 'things';
/** Documents that contend for the values of unique indexes: on `u` there always is one, on `w` one comes and goes. */
export const UNIQUES = 'uniques';
/** Many documents that are there from the beginning, so that upkeep packs them. */
export const HEAPS = 'heaps';
/** Documents that expire. */
export const FLEETING = 'fleeting';
/** A collection that is renamed, dropped and filled anew; a name for the checker, see `Clerk`. */
export const ROAMING = 'roaming';

/** Documents that nobody changes, with ObjectIds of clients whose clocks are wrong: a range of them is read from its place in the channel. */
export const EVENTS = 'events';

export const EXPIRE_AFTER_S = 30;
const LIFE_MS = 120_000;
const HOT_IDS = 16;
const U_VALUES = 12;
const W_VALUES = 100;
const BATCH_MAX = 50;
const CLOCK_ERROR_S = 300;
/** Far off, now and then. */
const WRONG_CLOCK_S = 4000;

/** A write, how it is sent, and what its answer says. */
export interface Step {
  readonly kind: WriteKind;
  readonly coll: string;
  readonly target: Target;
  readonly keys?: readonly string[];
  readonly retryable: boolean;
  /** When what it makes may vanish by itself. */
  readonly expires?: number;
  /** The database, where it is not the usual one. */
  readonly db?: string;
  command(tag: string): object;
}

/** What the steps depend on. */
export interface Scenery {
  readonly heapSize: number;
  now(): number;
  /** A name of the roaming collection, perhaps not its present one, and ids in it. */
  roaming(): { readonly name: string; readonly ids: readonly string[] };
}

/** Thinks of writes, one after the other. */
export class Steps {
  readonly #random: Random;
  readonly #name: string;
  readonly #scenery: Scenery;
  readonly #uniques: string[] = [];
  #serial = 0;

  constructor(name: string, random: Random, scenery: Scenery) {
    this.#name = name;
    this.#random = random;
    this.#scenery = scenery;
  }

  next(): Step {
    this.#serial++;
    const dice = this.#integer(100);
    if (dice < 16) return this.#insertUnique();
    if (dice < 25) return this.#deleteUnique();
    if (dice < 30) return this.#insertBatch();
    if (dice < 33) return this.#group('append');
    if (dice < 34) return this.#group('delete');
    if (dice < 37) return this.#insertFleeting();
    if (dice < 42) return this.#roam();
    if (dice < 45) return this.#insertEvents();
    const coll = this.#scenery.heapSize > 0 ? this.pick([THINGS, HEAPS]) : THINGS;
    const id = coll === HEAPS ? this.heapId() : this.hotId();
    if (dice < 49) return this.#insert(coll, id);
    if (dice < 63) return this.#updateOne(coll, id, false);
    if (dice < 72) return this.#updateOne(coll, id, true);
    if (dice < 85) return this.#findAndModify(coll, id);
    if (dice < 94) return this.#deleteOne(coll, coll, id);
    return this.#findAndRemove(coll, id);
  }

  hotId = () => `h${this.#integer(HOT_IDS)}`;
  heapId = () => `p${this.#integer(Math.max(1, this.#scenery.heapSize))}`;

  pick<T>(items: readonly T[]): T {
    return items[this.#integer(items.length)]!;
  }

  #insert(coll: string, id: string): Step {
    const document = (tag: string) => ({ _id: id, g: groupOf(id), log: [tag], pad: this.#pad() });
    const command = (tag: string) => ({ insert: coll, documents: [document(tag)] });
    return { kind: 'create', coll, target: [id], retryable: true, command };
  }

  #insertUnique(): Step {
    const id = `${this.#name}u${this.#serial}`;
    const [u, w] = [this.#integer(U_VALUES), this.#integer(W_VALUES)];
    this.#uniques.push(id);
    const document = (tag: string) => ({ _id: id, g: groupOf(id), u, w, log: [tag] });
    const command = (tag: string) => ({ insert: UNIQUES, documents: [document(tag)] });
    return { kind: 'create', coll: UNIQUES, target: [id], keys: [`u${u}`, `w${w}`], retryable: true, command };
  }

  /** One that it tried to make, and perhaps did. */
  #deleteUnique(): Step {
    const [id = 'none'] = this.#uniques.splice(this.#integer(this.#uniques.length), 1);
    return this.#deleteOne(UNIQUES, UNIQUES, id);
  }

  #insertBatch(): Step {
    const count = 2 + this.#integer(BATCH_MAX);
    const target = Array.from({ length: count }, (_, at) => `${this.#name}b${this.#serial}-${at}`);
    const documents = (tag: string) => target.map((_id) => ({ _id, g: groupOf(_id), log: [tag], pad: this.#pad() }));
    const step = { kind: 'create', coll: THINGS, target, retryable: true } as const;
    if (this.#integer(2) === 0) return { ...step, command: (tag) => ({ insert: THINGS, documents: documents(tag) }) };
    const ops = (tag: string) => documents(tag).map((document) => ({ insert: 0, document }));
    const command = (tag: string) => ({ bulkWrite: 1, ops: ops(tag), nsInfo: [{ ns: `${DB}.${THINGS}` }] });
    return { ...step, db: 'admin', command };
  }

  #insertFleeting(): Step {
    const id = `${this.#name}f${this.#serial}`;
    const at = this.#scenery.now() + this.#integer(LIFE_MS);
    const document = (tag: string) => ({ _id: id, g: groupOf(id), at: new Date(at), log: [tag] });
    const command = (tag: string) => ({ insert: FLEETING, documents: [document(tag)] });
    const expires = at + EXPIRE_AFTER_S * 1000;
    return { kind: 'create', coll: FLEETING, target: [id], expires, retryable: true, command };
  }

  #insertEvents(): Step {
    const error = this.#integer(50) === 0 ? WRONG_CLOCK_S : CLOCK_ERROR_S;
    const seconds = Math.floor(this.#scenery.now() / 1000) + this.#integer(2 * error) - error;
    const target = Array.from({ length: 1 + this.#integer(3) }, () => this.#objectId(seconds));
    const document = (tag: string) => (id: string) => ({ _id: ObjectId.createFromHexString(id), log: [tag] });
    const command = (tag: string) => ({ insert: EVENTS, documents: target.map(document(tag)) });
    return { kind: 'create', coll: EVENTS, target, retryable: true, command };
  }

  #objectId(seconds: number): string {
    return seconds.toString(16).padStart(8, '0') + Buffer.from(this.#random.bytes(8)).toString('hex');
  }

  /** Nothing that would make a collection of that name. */
  #roam(): Step {
    const { name, ids } = this.#scenery.roaming();
    const id = ids.length > 0 ? this.pick(ids) : 'none';
    if (this.#integer(4) === 0) return this.#deleteOne(ROAMING, name, id);
    return { ...this.#updateOne(name, id, false), coll: ROAMING };
  }

  #updateOne(coll: string, id: string, upsert: boolean): Step {
    const made = upsert ? { $setOnInsert: { g: groupOf(id) } } : {};
    const update = (tag: string) => ({ q: { _id: id }, u: { $push: { log: tag }, ...made }, upsert });
    const command = (tag: string) => ({ update: coll, updates: [update(tag)] });
    return { kind: upsert ? 'upsert' : 'append', coll, target: [id], retryable: true, command };
  }

  #findAndModify(coll: string, id: string): Step {
    const returnNew = this.#integer(2) === 0;
    const pad = this.#pad();
    const update = (tag: string) => ({ $push: { log: tag }, $set: { pad } });
    const command = (tag: string) => ({ findAndModify: coll, query: { _id: id }, update: update(tag), new: returnNew });
    return { kind: 'append', coll, target: [id], retryable: true, command };
  }

  #deleteOne(coll: string, name: string, id: string): Step {
    const command = () => ({ delete: name, deletes: [{ q: { _id: id }, limit: 1 }] });
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

  #pad = () => 'x'.repeat(this.#integer(40) === 0 ? 3000 : this.#integer(60));

  #integer(limit: number): number {
    return randomInt(this.#random, limit);
  }
}

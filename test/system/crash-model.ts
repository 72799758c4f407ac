import { type Random, randomInt } from '../../src/base/index.ts';
import { Binary, type Doc } from '../../src/bson/index.ts';

export const DB = 'crash';
/** Documents of all clients, with an index on who owns them. */
export const THINGS = 'things';
/** Documents of all clients, with a unique index on `u`, which they contend for. */
export const UNIQUES = 'uniques';
/** One document that all clients increment. */
export const COUNTERS = 'counters';

const UNIQUE_VALUES = 60;
const GROUPS = 4;
const DUPLICATE_KEY = 11000;

export interface Plain {
  readonly _id: string;
  readonly [field: string]: unknown;
}

export interface Contents {
  readonly docs: ReadonlyMap<string, Plain>;
  readonly indexes: readonly string[];
}

/** What a client's collections hold, as far as the documents are its own. */
export type State = ReadonlyMap<string, Contents>;

/** A command that a client sends, and what may be found of it afterwards. */
export interface Operation {
  readonly command: Readonly<Record<string, unknown>>;
  /** It may be sent again under the same identity. */
  readonly retryable: boolean;
  /** States that may be found when it was not answered; the first is the one before it, the last the one after. */
  readonly states: readonly State[];
  /** How much it adds to the counter that all share. */
  readonly counts: number;
  /** Throws when the reply is not that of an operation that was carried out, once. Returns the state that it tells of. */
  check(reply: Doc): State;
}

/** One client: what it owns, what it did last, and what it does next. */
export abstract class Client {
  readonly name: string;
  readonly db: string;
  readonly random: Random;
  state: State;
  /** Sent, and not answered. */
  doubtful: Operation | undefined;
  /** The last one that was answered, while nothing came after it. */
  answered: Operation | undefined;
  readonly #lsid: { id: Binary };
  #txnNumber = 0n;

  constructor(name: string, db: string, random: Random, collections: readonly string[]) {
    this.name = name;
    this.db = db;
    this.random = random;
    this.state = new Map(collections.map((collection) => [collection, { docs: new Map(), indexes: [] }]));
    this.#lsid = { id: new Binary(random.bytes(16), 4) };
  }

  protected abstract invent(): Operation;

  /** The next operation, ready to be sent. */
  next(): Operation {
    const operation = this.invent();
    const identity = operation.retryable ? { lsid: this.#lsid, txnNumber: ++this.#txnNumber } : {};
    const command = { ...operation.command, ...identity, $db: this.db };
    this.doubtful = { ...operation, command };
    this.answered = undefined;
    return this.doubtful;
  }

  accept(reply: Doc): void {
    const operation = this.doubtful!;
    this.state = operation.check(reply);
    this.doubtful = undefined;
    this.answered = operation.retryable ? operation : undefined;
  }

  protected pick<T>(items: readonly T[]): T {
    return items[randomInt(this.random, items.length)]!;
  }

  protected integer(limit: number): number {
    return randomInt(this.random, limit);
  }

  protected docs(collection: string): ReadonlyMap<string, Plain> {
    return this.state.get(collection)?.docs ?? new Map();
  }

  /** The state with other documents in a collection. */
  protected with(collection: string, docs: Iterable<readonly [string, Plain]>, state: State = this.state): State {
    return new Map([...state, [collection, { indexes: state.get(collection)?.indexes ?? [], docs: new Map(docs) }]]);
  }

  protected operation(
    command: object,
    states: readonly State[],
    expect: Readonly<Record<string, unknown>>,
    { retryable = false, counts = 0 } = {},
  ): Operation {
    const check = (reply: Doc): State => {
      const errors = reply.get('writeErrors');
      const code = Array.isArray(errors) ? Number((errors[0] as Doc).get('code')) : Number(reply.get('code') ?? 0);
      if (code === DUPLICATE_KEY) return states[0]!;
      const told = Object.fromEntries(Object.keys(expect).map((field) => [field, plain(reply.get(field))]));
      const [seen, wanted] = [told, expect].map((value) => JSON.stringify(value));
      if (Number(reply.get('ok')) !== 1 || code !== 0 || seen !== wanted) {
        throw new Error(`${this.name} expected ${wanted} of ${show(command)}, got ${show(plain(reply))}`);
      }
      return states.at(-1)!;
    };
    return { command: command as Operation['command'], states, retryable, counts, check };
  }
}

/** Writes documents of its own into collections that it shares with others. */
export class Writer extends Client {
  #serial = 0;

  constructor(name: string, random: Random) {
    super(name, DB, random, [THINGS, UNIQUES]);
  }

  protected invent(): Operation {
    const dice = this.integer(100);
    if (dice < 12) return this.#count();
    if (dice < 22) return this.#insert(THINGS, 20 + this.integer(60));
    if (dice < 26) return this.#insert(UNIQUES, 1 + this.integer(3), false);
    const collection = this.pick([THINGS, THINGS, UNIQUES]);
    const own = [...this.docs(collection).values()];
    if (dice < 45 || own.length === 0) return this.#insert(collection, 1);
    if (dice < 58) return this.#updateOne(collection, this.pick(own));
    if (dice < 66) return this.#upsert(collection);
    if (dice < 73) return this.#deleteOne(collection, this.pick(own));
    if (dice < 81) return this.#findAndModify(collection, this.pick(own));
    if (dice < 86) return this.#findAndRemove(collection, this.pick(own));
    if (dice < 94) return this.#updateMany(collection, this.integer(GROUPS));
    return this.#deleteMany(collection, this.integer(GROUPS));
  }

  /** `contend`: under a unique value that others may hold. */
  #document(collection: string, contend = true): Plain {
    const _id = `${this.name}-${String(this.#serial++).padStart(5, '0')}`;
    const unique = contend ? this.integer(UNIQUE_VALUES) : `${_id} alone`;
    const long = this.integer(30) === 0 ? 3000 : this.integer(80);
    return {
      _id,
      owner: this.name,
      g: this.integer(GROUPS),
      n: 0,
      ...(collection === UNIQUES && { u: unique }),
      text: 'x'.repeat(long),
    };
  }

  #insert(collection: string, count: number, contend = count === 1): Operation {
    const documents = Array.from({ length: count }, () => this.#document(collection, contend));
    const after = this.with(collection, [
      ...this.docs(collection),
      ...documents.map((document): [string, Plain] => [document._id, document]),
    ]);
    return this.operation({ insert: collection, documents }, [this.state, after], { n: count }, { retryable: true });
  }

  #changed(collection: string, change: (document: Plain) => Plain | undefined): State {
    const changed = [...this.docs(collection).values()].flatMap((document) => change(document) ?? []);
    return this.with(
      collection,
      changed.map((document) => [document._id, document]),
    );
  }

  #updateOne(collection: string, { _id }: Plain): Operation {
    const text = `updated ${this.integer(1000)}`;
    const after = this.#changed(collection, (document) =>
      document._id === _id ? { ...document, n: Number(document.n) + 1, text } : document,
    );
    const update = { q: { _id }, u: { $inc: { n: 1 }, $set: { text } } };
    const expect = { n: 1, nModified: 1 };
    return this.operation({ update: collection, updates: [update] }, [this.state, after], expect, { retryable: true });
  }

  #upsert(collection: string): Operation {
    const { _id, owner, g, u, text } = this.#document(collection);
    // As MongoDB does: the equalities of the filter by name, then what the operators add by name.
    const made = { _id, g, owner, n: 5, text, ...(collection === UNIQUES && { u }) };
    const after = this.with(collection, [...this.docs(collection), [_id, made]]);
    const insert = { text, ...(collection === UNIQUES && { u }) };
    const update = { q: { _id, owner, g }, u: { $inc: { n: 5 }, $setOnInsert: insert }, upsert: true };
    const expect = { n: 1, nModified: 0, upserted: [{ index: 0, _id }] };
    return this.operation({ update: collection, updates: [update] }, [this.state, after], expect, { retryable: true });
  }

  #deleteOne(collection: string, { _id }: Plain): Operation {
    const after = this.#changed(collection, (document) => (document._id === _id ? undefined : document));
    const deletes = [{ q: { _id }, limit: 1 }];
    return this.operation({ delete: collection, deletes }, [this.state, after], { n: 1 }, { retryable: true });
  }

  #findAndModify(collection: string, old: Plain): Operation {
    const changed = { ...old, n: Number(old.n) + 7 };
    const after = this.#changed(collection, (document) => (document._id === old._id ? changed : document));
    const returnNew = this.integer(2) === 0;
    const command = {
      findAndModify: collection,
      query: { _id: old._id },
      update: { $inc: { n: 7 } },
      new: returnNew,
    };
    return this.operation(
      command,
      [this.state, after],
      { value: returnNew ? changed : old },
      {
        retryable: true,
      },
    );
  }

  #findAndRemove(collection: string, old: Plain): Operation {
    const after = this.#changed(collection, (document) => (document._id === old._id ? undefined : document));
    const command = { findAndModify: collection, query: { _id: old._id }, remove: true };
    return this.operation(command, [this.state, after], { value: old }, { retryable: true });
  }

  #updateMany(collection: string, g: number): Operation {
    const after = this.#changed(collection, (document) =>
      document.g === g ? { ...document, n: Number(document.n) + 100 } : document,
    );
    const n = [...this.docs(collection).values()].filter((document) => document.g === g).length;
    const updates = [{ q: { owner: this.name, g }, u: { $inc: { n: 100 } }, multi: true }];
    return this.operation({ update: collection, updates }, [this.state, after], { n, nModified: n });
  }

  #deleteMany(collection: string, g: number): Operation {
    const after = this.#changed(collection, (document) => (document.g === g ? undefined : document));
    const n = this.docs(collection).size - (after.get(collection)?.docs.size ?? 0);
    const deletes = [{ q: { owner: this.name, g }, limit: 0 }];
    return this.operation({ delete: collection, deletes }, [this.state, after], { n });
  }

  #count(): Operation {
    const updates = [{ q: { _id: 'all' }, u: { $inc: { n: 1 } } }];
    const expect = { n: 1, nModified: 1 };
    return this.operation({ update: COUNTERS, updates }, [this.state, this.state], expect, {
      retryable: true,
      counts: 1,
    });
  }
}

/** Makes, fills, renames and drops collections in a database of its own. */
export class Builder extends Client {
  #serial = 0;

  constructor(name: string, random: Random) {
    super(name, name, random, []);
  }

  protected invent(): Operation {
    const dice = this.integer(100);
    const collections = [...this.state.keys()];
    if (collections.length === 0 || dice < 15) return this.#create(`made-${this.#serial++}`);
    const collection = this.pick(collections);
    if (dice < 25) return this.#fill(`filled-${this.#serial++}`);
    if (dice < 45) return this.#fill(collection);
    if (dice < 60) return this.#createIndex(this.pick([collection, `indexed-${this.#serial++}`]));
    if (dice < 75) return this.#rename(collection, `renamed-${this.#serial++}`);
    if (dice < 95) return this.#drop(collection);
    return this.operation({ dropDatabase: 1 }, [this.state, new Map()], {});
  }

  #created(collection: string): State {
    return this.state.has(collection) ? this.state : this.with(collection, []);
  }

  #create(collection: string): Operation {
    return this.operation({ create: collection }, [this.state, this.#created(collection)], {});
  }

  #fill(collection: string): Operation {
    const documents = Array.from({ length: 1 + this.integer(20) }, () => ({
      _id: `${this.name}-${this.#serial++}`,
      u: this.#serial,
    }));
    const created = this.#created(collection);
    const docs = [...this.docs(collection), ...documents.map((document): [string, Plain] => [document._id, document])];
    const states = [this.state, created, this.with(collection, docs, created)];
    return this.operation({ insert: collection, documents }, states, { n: documents.length }, { retryable: true });
  }

  #createIndex(collection: string): Operation {
    const created = this.#created(collection);
    const { docs, indexes } = created.get(collection)!;
    const after = new Map([...created, [collection, { docs, indexes: [...new Set([...indexes, 'u_1'])] }]]);
    const command = { createIndexes: collection, indexes: [{ key: { u: 1 }, name: 'u_1', unique: true }] };
    return this.operation(command, [this.state, created, after], {});
  }

  #rename(from: string, to: string): Operation {
    const { [from]: contents, ...rest } = Object.fromEntries(this.state);
    const after: State = new Map(Object.entries({ ...rest, [to]: contents! }));
    const command = { renameCollection: `${this.db}.${from}`, to: `${this.db}.${to}` };
    return this.operation(command, [this.state, after], {});
  }

  #drop(collection: string): Operation {
    const after: State = new Map([...this.state].filter(([name]) => name !== collection));
    return this.operation({ drop: collection }, [this.state, after], {});
  }

  override next(): Operation {
    const operation = super.next();
    if (!('renameCollection' in operation.command)) return operation;
    this.doubtful = { ...operation, command: { ...operation.command, $db: 'admin' } };
    return this.doubtful;
  }
}

/** Documents as plain objects, numbers as numbers. */
export function plain(value: unknown): unknown {
  if (value instanceof Map) return Object.fromEntries([...value].map(([name, field]) => [name, plain(field)]));
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value === 'object' && value !== null && 'value' in value) return Number(value.value);
  return value;
}

function show(value: unknown): string {
  return JSON.stringify(value, (_, field) => (typeof field === 'bigint' ? String(field) : field)).slice(0, 500);
}

import { setMaxListeners } from 'node:events';
import { Binary, type Doc, decode, doc, encode, toExtendedJson, type Value } from '../../../src/bson/index.ts';
import { type Connection, createDispatcher, type Dispatcher } from '../../../src/commands/index.ts';
import { type DiscordStore, openDiscordStore } from '../../../src/discord/index.ts';
import { type Engine, openEngine } from '../../../src/engine/index.ts';
import type { Store } from '../../../src/store/index.ts';
import { encodedRecord, range, type Side } from './side.ts';
import { API_URL, type World } from './world.ts';

const DB = 'bench';
const COLL = 'things';
const NEVER = new AbortController().signal;
setMaxListeners(0, NEVER);
/** What a driver sends to `insertMany` at a time. */
const LOAD_BATCH = 1000;

export interface DiscoDbOptions {
  readonly cacheBytes?: number;
  /** Without limits and without the way: for what is there before the measurement. */
  readonly near?: boolean;
  /** Never deletes anything. */
  readonly untidy?: boolean;
}

interface Session {
  readonly connection: Connection;
  readonly lsid: object;
  txnNumber: bigint;
}

/** A whole DiscoDB without sockets: commands go in as a driver sends them, with sessions and retryable writes. */
export class DiscoDb implements Side {
  /** Of every write. */
  writeConcern: object = { w: 'majority' };
  retryable = true;
  readonly #store: DiscordStore;
  readonly #engine: Engine;
  readonly #dispatcher: Dispatcher;
  readonly #sessions = new Map<number, Session>();

  private constructor(store: DiscordStore, engine: Engine, dispatcher: Dispatcher) {
    this.#store = store;
    this.#engine = engine;
    this.#dispatcher = dispatcher;
  }

  static async open(
    world: World,
    { cacheBytes = 2 ** 28, near = false, untidy = false }: DiscoDbOptions = {},
  ): Promise<DiscoDb> {
    const { env } = world;
    const { token, guildId } = world.emulator.credentials();
    const transport = near ? world.direct : world.transport;
    const limits = near ? 'off' : 'discord';
    const store = await openDiscordStore({
      tokens: [token],
      guildIds: [guildId],
      env,
      apiUrl: API_URL,
      transport,
      limits,
    });
    const engine = await openEngine({ env, store: untidy ? withoutRemoval(store) : store, cacheBytes });
    const counters = () => ({ connections: 0, totalConnections: 0, bytesIn: 0, bytesOut: 0, requests: 0 });
    const server = { address: '127.0.0.1:27017', startedAt: new Date(env.clock.now()), argv: [], counters };
    const dispatcher = createDispatcher({ env, engine, server, compressors: [], version: '0.0.0' });
    return new DiscoDb(store, engine, dispatcher);
  }

  /** Puts documents there before Discord begins to count: `atOnce` in a message. */
  static async load(world: World, count: number, atOnce = LOAD_BATCH): Promise<void> {
    const db = await DiscoDb.open(world, { cacheBytes: 0, near: true });
    db.retryable = false;
    for (let from = 0; from < count; from += atOnce) await db.insert(0, range(from, Math.min(atOnce, count - from)));
    await db.close();
    await world.limit();
  }

  async insert(client: number, ids: readonly number[]): Promise<void> {
    const documents = ids.map(encodedRecord);
    const reply = await this.#write(client, { insert: COLL }, new Map([['documents', documents]]));
    expect(reply, 'n', ids.length);
  }

  update(client: number, id: number): Promise<void> {
    return this.updateAll(client, [id]);
  }

  async updateAll(client: number, ids: readonly number[]): Promise<void> {
    const updates = ids.map((id) => encode(doc({ q: { _id: id }, u: { $inc: { count: 1 } } })));
    const reply = await this.#write(client, { update: COLL }, new Map([['updates', updates]]));
    expect(reply, 'nModified', ids.length);
  }

  async read(client: number, id: number): Promise<void> {
    if ((await this.#find(client, { filter: { _id: id }, limit: 1, singleBatch: true })) !== 1) throw missing(id);
  }

  async scan(client: number, from: number, count: number): Promise<void> {
    const filter = { _id: { $gte: from } };
    if ((await this.#find(client, { filter, sort: { _id: 1 }, limit: count, batchSize: count })) === 0) {
      throw missing(from);
    }
  }

  async close(): Promise<void> {
    await this.#dispatcher.close();
    await this.#engine.close();
    await this.#store.close();
  }

  async #find(client: number, query: object): Promise<number> {
    const { cursor } = Object.fromEntries(await this.#run(client, { find: COLL, ...query }, new Map()));
    const found = cursor instanceof Map ? cursor.get('firstBatch') : undefined;
    return Array.isArray(found) ? found.length : 0;
  }

  #write(client: number, command: object, sequences: ReadonlyMap<string, readonly Uint8Array[]>): Promise<Doc> {
    const retry = this.retryable ? { txnNumber: ++this.#session(client).txnNumber } : {};
    return this.#run(client, { ...command, ordered: true, writeConcern: this.writeConcern, ...retry }, sequences);
  }

  async #run(
    client: number,
    command: object,
    sequences: ReadonlyMap<string, readonly Uint8Array[]>,
  ): Promise<Map<string, Value>> {
    const { connection, lsid } = this.#session(client);
    const message = { body: encode(doc({ ...command, $db: DB, lsid })), db: undefined, sequences };
    const { body } = await this.#dispatcher.dispatch({ ...message, exhaustAllowed: false, signal: NEVER }, connection);
    const reply = decode(body);
    expect(reply, 'ok', 1);
    return reply;
  }

  #session(client: number): Session {
    let session = this.#sessions.get(client);
    if (!session) {
      const connection = { id: client, remote: '127.0.0.1:5000', local: '127.0.0.1:27017', client: undefined };
      const uuid = new Uint8Array(16);
      new DataView(uuid.buffer).setUint32(0, client);
      session = { connection, lsid: { id: new Binary(uuid, 4) }, txnNumber: 0n };
      this.#sessions.set(client, session);
    }
    return session;
  }
}

/** Allowed by the contract of a store: `remove` may leave messages behind without saying so. */
function withoutRemoval(store: Store): Store {
  return new Proxy(store, {
    get: (target, name) => {
      if (name === 'remove') return async () => {};
      const member = Reflect.get(target, name);
      return typeof member === 'function' ? member.bind(target) : member;
    },
  });
}

function expect(reply: Doc, field: string, value: number): void {
  if (Number(reply.get(field)) === value && !reply.has('writeErrors')) return;
  throw new Error(`a reply without ${field}: ${value}: ${toExtendedJson(encode(reply))}`);
}

function missing(id: number): Error {
  return new Error(`document ${id} is not there`);
}

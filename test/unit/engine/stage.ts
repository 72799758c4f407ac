import { type Env, type Scratch, seededRandom, silentLog, VirtualClock } from '../../../src/base/index.ts';
import { type Doc, decode, doc, encode, type Value } from '../../../src/bson/index.ts';
import {
  type AggregateOptions,
  type DocCursor,
  type Engine,
  type FindQuery,
  openEngine,
  type WriteOptions,
} from '../../../src/engine/index.ts';
import type { KeyRing } from '../../../src/log/index.ts';
import { MemoryStore } from '../../../src/store/index.ts';

/** Every engine test speaks of this collection. */
export const NS = { db: 'test', coll: 'things' };

/** An engine over a store in memory, in virtual time. */
export class Stage {
  readonly clock: VirtualClock;
  readonly env: Env;
  readonly store: MemoryStore;
  engine!: Engine;

  private constructor(seed: number, scratch: Scratch | undefined) {
    this.clock = new VirtualClock();
    this.env = { clock: this.clock, random: seededRandom(seed), log: silentLog, scratch };
    this.store = new MemoryStore(this.clock);
  }

  static async open(
    options: { seed?: number; cacheBytes?: number; keys?: KeyRing; scratch?: Scratch } = {},
  ): Promise<Stage> {
    const stage = new Stage(options.seed ?? 1, options.scratch);
    await stage.reopen(options.cacheBytes, options.keys);
    return stage;
  }

  /** A new process on the same guild; the old one is forgotten as it stands. */
  async reopen(cacheBytes = 2 ** 20, keys?: KeyRing): Promise<void> {
    const { env, store } = this;
    this.engine = await this.clock.run(openEngine({ env, store, cacheBytes, keys }));
  }

  /** Waits in virtual time. */
  run<T>(work: Promise<T>): Promise<T> {
    return this.clock.run(work);
  }

  writing(more: Partial<WriteOptions> = {}): WriteOptions {
    return { ordered: true, context: this.context, ...more };
  }

  get context() {
    return { now: new Date(this.clock.now()), random: () => this.env.random.next() };
  }

  /** Inserts and waits until Discord holds it. */
  async insert(docs: readonly object[], more: Partial<WriteOptions> = {}) {
    const encoded = docs.map((each) => encode(doc(each)));
    const result = await this.run(this.engine.insert(NS, encoded, this.writing(more)));
    await this.run(result.durable);
    return result;
  }

  async update(
    filter: object,
    update: object,
    more: { multi?: boolean; upsert?: boolean } & Partial<WriteOptions> = {},
  ) {
    const { multi = false, upsert = false, ...options } = more;
    const statement = { filter: doc(filter), update: doc(update), multi, upsert };
    const result = await this.run(this.engine.update(NS, [statement], this.writing(options)));
    await this.run(result.durable);
    return result;
  }

  async delete(filter: object, limit: 0 | 1 = 0) {
    const result = await this.run(this.engine.delete(NS, [{ filter: doc(filter), limit }], this.writing()));
    await this.run(result.durable);
    return result;
  }

  query(filter: object, more: Partial<FindQuery> = {}): FindQuery {
    return { filter: doc(filter), skip: 0, limit: 0, read: 'local', context: this.context, ...more };
  }

  async find(filter: object = {}, more: Partial<FindQuery> = {}): Promise<Doc[]> {
    return this.#drain(await this.run(this.engine.find(NS, this.query(filter, more))));
  }

  async aggregate(pipeline: readonly object[], more: Partial<AggregateOptions> = {}): Promise<Doc[]> {
    const options: AggregateOptions = { read: 'local', context: this.context, ...more };
    const stages = pipeline.map((each) => doc(each));
    return this.#drain(await this.run(this.engine.aggregate(NS, stages, options)));
  }

  async #drain(cursor: DocCursor): Promise<Doc[]> {
    const found: Doc[] = [];
    while (!cursor.exhausted) {
      for (const bytes of await this.run(cursor.next(100, 2 ** 24))) found.push(decode(bytes));
    }
    return found;
  }

  /** One field of every match, in order. */
  async values(path: string, filter: object = {}, more: Partial<FindQuery> = {}): Promise<unknown[]> {
    return (await this.find(filter, more)).map((each) => plain(each.get(path)));
  }
}

export function plain(value: Value | undefined): unknown {
  return typeof value === 'object' && value !== null && '_bsontype' in value && value._bsontype === 'Int32'
    ? value.valueOf()
    : value;
}

import { systemClock, systemEnv } from '../../../src/base/index.ts';
import { type Doc, doc, encode } from '../../../src/bson/index.ts';
import { type DocCursor, type Engine, type FindQuery, openEngine } from '../../../src/engine/index.ts';
import { MemoryStore } from '../../../src/store/index.ts';
import { owners, things } from './data.ts';

const DB = 'bench';
const THINGS = { db: DB, coll: 'things' };
const OWNERS = { db: DB, coll: 'owners' };
const CACHE_BYTES = 2 ** 29;
const LOAD_BATCH = 1000;
/** As a reply takes them. */
const BATCH_BYTES = 16 * 2 ** 20;
const BATCH_DOCS = 100_000;

/** The engine as the commands use it, over a store in memory: queries alone, with no sockets and no Discord in the figures. */
export class Discodb {
  readonly count: number;
  readonly #engine: Engine;

  private constructor(engine: Engine, count: number) {
    this.#engine = engine;
    this.count = count;
  }

  static async open(count: number): Promise<Discodb> {
    const engine = await openEngine({
      env: systemEnv(),
      store: new MemoryStore(systemClock),
      cacheBytes: CACHE_BYTES,
    });
    // What is measured is not how upkeep competes with it.
    engine.upkeepPaused = true;
    const side = new Discodb(engine, count);
    await side.#load(THINGS, things(count));
    await side.#load(OWNERS, owners());
    await engine.createIndexes(THINGS, [doc({ key: { rank: 1 }, name: 'rank_1' })]);
    return side;
  }

  /** The answer is complete when its bytes are there to be sent. */
  async find(filter: object, more: { sort?: object; skip?: number; limit?: number } = {}): Promise<number> {
    const { sort, skip = 0, limit = 0 } = more;
    const context = this.#context();
    const query: FindQuery = {
      filter: doc(filter),
      sort: sort && doc(sort),
      skip,
      limit,
      read: 'local',
      context,
    };
    return drain(await this.#engine.find(THINGS, query));
  }

  async aggregate(pipeline: readonly object[]): Promise<number> {
    const stages: Doc[] = pipeline.map((stage) => doc(stage));
    return drain(await this.#engine.aggregate(THINGS, stages, { read: 'local', context: this.#context() }));
  }

  /** Waits until the store holds it. */
  async update(filter: object, update: object): Promise<number> {
    const statement = { filter: doc(filter), update: doc(update), multi: false, upsert: false };
    const options = { ordered: true, context: this.#context() };
    const { nModified, durable } = await this.#engine.update(THINGS, [statement], options);
    await durable;
    return nModified;
  }

  close(): Promise<void> {
    return this.#engine.close();
  }

  async #load(ns: { db: string; coll: string }, docs: readonly object[]): Promise<void> {
    for (let at = 0; at < docs.length; at += LOAD_BATCH) {
      const encoded = docs.slice(at, at + LOAD_BATCH).map((each) => encode(doc(each)));
      const { durable } = await this.#engine.insert(ns, encoded, { ordered: true, context: this.#context() });
      await durable;
    }
  }

  #context() {
    return { now: new Date(systemClock.now()), random: () => 0 };
  }
}

async function drain(cursor: DocCursor): Promise<number> {
  let count = 0;
  while (!cursor.exhausted) count += (await cursor.next(BATCH_DOCS, BATCH_BYTES)).length;
  return count;
}

import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { type Doc, decode, doc, encode, toExtendedJson } from '../../src/bson/index.ts';
import type { Fault } from '../../src/emulator/index.ts';
import { Process, Stage } from '../support/stage.ts';
import {
  Builder,
  type Client,
  COUNTERS,
  DB,
  type Operation,
  type State,
  THINGS,
  UNIQUES,
  Writer,
} from './crash-model.ts';

const WORLDS = 25;
const KILLS = 4;
/** Enough for any collection here in one batch. */
const ALL = { docs: 1_000_000, bytes: 2 ** 30 };

const FAULTS: readonly Fault[] = [
  { kind: 'lose-reply', probability: 0.04 },
  { kind: 'error-before', status: 502, probability: 0.03 },
  { kind: 'error-after', status: 500, probability: 0.03 },
  { kind: 'rate-limit', scope: 'user', ms: 700, probability: 0.02 },
  { kind: 'rate-limit', scope: 'shared', ms: 400, probability: 0.02 },
  { kind: 'rate-limit', scope: 'global', ms: 900, probability: 0.01 },
  { kind: 'latency', ms: 2500, probability: 0.03, route: 'POST /channels/:id/messages' },
];

/** What happened in all worlds, so that a run in which nothing did cannot pass. */
const tally = { acknowledged: 0, doubtfulThere: 0, doubtfulAbsent: 0, repeated: 0, late: 0 };

/** The clients of a world, and what all of them together know. */
class Model {
  readonly stage: Stage;
  readonly clients: Client[];
  /** Increments of the shared counter that were answered. */
  counted = 0;

  constructor(stage: Stage) {
    this.stage = stage;
    const { random } = stage;
    const writers = Array.from({ length: 4 }, (_, index) => new Writer(`w${index}`, random));
    this.clients = [...writers, new Builder('b0', random)];
  }

  /** Sends what `client` is to send next, for as long as the process lives. */
  async drive(process: Process, client: Client): Promise<void> {
    const run = process.connect();
    while (!process.life.ended) {
      await this.stage.sleep(this.stage.integer(250));
      if (process.life.ended) return;
      const operation = client.next();
      this.accept(client, operation, await run(operation.command));
    }
  }

  accept(client: Client, operation: Operation, reply: Doc): void {
    client.accept(reply);
    tally.acknowledged++;
    this.counted += operation.counts;
  }

  /**
   * After a restart: what is found must be possible. What was in doubt is resolved, by sending it again where that is
   * allowed, and settled once a write of this process stands in each channel: until then, what the former one had on its
   * way may still come to light.
   */
  async reconcile(process: Process): Promise<void> {
    const uncounted = this.clients.reduce((sum, { doubtful }) => sum + (doubtful?.counts ?? 0), 0);
    const count = await countOf(process);
    expect(count, 'increments').toBeGreaterThanOrEqual(this.counted);
    expect(count, 'increments').toBeLessThanOrEqual(this.counted + uncounted);
    const found = new Map<Client, State>();
    for (const client of this.clients) {
      const state = await stateFound(process, client);
      found.set(client, state);
      const { states = [] } = client.doubtful ?? {};
      if (states.length > 0 && states[0] !== states.at(-1)) {
        tally[state === states[0] ? 'doubtfulAbsent' : 'doubtfulThere']++;
      }
    }
    for (const client of this.clients) await this.#repeat(process, client, found.get(client)!);
    for (const collection of [THINGS, UNIQUES, COUNTERS]) await this.#touch(process, collection);
    for (const client of this.clients) {
      client.state = await stateFound(process, client);
      client.doubtful = undefined;
    }
    expect(await countOf(process), 'increments').toBe(this.counted);
    await this.audit(process);
  }

  /** All documents are what their clients were told. */
  async audit(process: Process): Promise<void> {
    for (const client of this.clients) await expectState(process, client, client.state);
    const uniques = (await contents(process, DB, UNIQUES)).map(({ u }) => u);
    expect(new Set(uniques).size, 'unique values').toBe(uniques.length);
    await this.#probeUnique(process, uniques);
  }

  /** Sends an operation again: the one in doubt, which must then have been carried out once, or one that was answered. */
  async #repeat(process: Process, client: Client, found: State): Promise<void> {
    const run = process.connect();
    const { doubtful, answered } = client;
    if (doubtful?.retryable) {
      this.accept(client, doubtful, await run(doubtful.command));
      // A unique value may have been taken meanwhile, but not by the operation itself.
      if (client.state !== doubtful.states.at(-1)) expect(found, 'a repetition met itself').toBe(doubtful.states[0]);
    } else if (answered && this.stage.chance(0.5)) {
      answered.check(await run(answered.command));
      tally.repeated++;
    }
  }

  /** Writes and removes a document that is nobody's. */
  async #touch(process: Process, collection: string): Promise<void> {
    const run = process.connect();
    const _id = `touch ${this.stage.clock.now()}`;
    expect(Number((await run({ insert: collection, documents: [{ _id, u: _id }], $db: DB })).get('n'))).toBe(1);
    const deletes = [{ q: { _id: /^touch / }, limit: 0 }];
    expect(Number((await run({ delete: collection, deletes, $db: DB })).get('n'))).toBeGreaterThan(0);
  }

  /** The index knows what is taken, and nothing else. */
  async #probeUnique(process: Process, taken: readonly unknown[]): Promise<void> {
    const run = process.connect();
    const insert = (u: unknown) => run({ insert: UNIQUES, documents: [{ _id: 'probe', u }], $db: DB });
    const remove = () => run({ delete: UNIQUES, deletes: [{ q: { _id: 'probe' }, limit: 1 }], $db: DB });
    // The process may have been killed between the two.
    await remove();
    const value = taken.find((u) => u !== 'free');
    if (value !== undefined) expect((await insert(value)).get('writeErrors'), 'a taken value').toHaveLength(1);
    expect((await insert('free')).get('writeErrors'), 'a free value').toBeUndefined();
    expect(Number((await remove()).get('n')), 'the probe').toBe(1);
  }
}

async function rawContents(process: Process, db: string, coll: string, filter: object = {}): Promise<Uint8Array[]> {
  const context = { now: new Date(0), random: () => 0 };
  const query = { filter: doc(filter), skip: 0, limit: 0, read: 'local', context } as const;
  const cursor = await process.engine.find({ db, coll }, query);
  const found: Uint8Array[] = [];
  while (!cursor.exhausted) found.push(...(await cursor.next(ALL.docs, ALL.bytes)));
  return found;
}

async function contents(process: Process, db: string, coll: string): Promise<Record<string, unknown>[]> {
  return (await rawContents(process, db, coll)).map((bytes) => Object.fromEntries(decode(bytes)));
}

async function countOf(process: Process): Promise<number> {
  const [counter] = (await contents(process, DB, COUNTERS)).filter(({ _id }) => _id === 'all');
  return Number(counter?.n);
}

/** A client's part of a collection, byte for byte. */
async function imageOf(process: Process, client: Client, coll: string): Promise<string[]> {
  const filter = client instanceof Writer ? { owner: client.name } : {};
  const documents = await rawContents(process, client.db, coll, filter);
  const image = documents.map(imageOfDocument).sort();
  const indexes = process.engine.collection({ db: client.db, coll })?.indexes.map(({ name }) => name) ?? [];
  return client instanceof Writer ? image : [...image, ...indexes.filter((name) => name !== '_id_')];
}

/** Readable in a failure, and different for different bytes. */
function imageOfDocument(bytes: Uint8Array): string {
  return `${toExtendedJson(bytes).slice(0, 150)} ${createHash('sha256').update(bytes).digest('hex').slice(0, 16)}`;
}

function imageOfState(state: State, coll: string): string[] {
  const { docs, indexes } = state.get(coll) ?? { docs: new Map(), indexes: [] };
  return [...[...docs.values()].map((plain) => imageOfDocument(encode(doc(plain)))).sort(), ...indexes];
}

function collectionsOf(process: Process, client: Client): string[] {
  if (client instanceof Writer) return [THINGS, UNIQUES];
  return process.engine
    .collections(client.db)
    .map(({ ns }) => ns.coll)
    .sort();
}

async function found(process: Process, client: Client): Promise<Map<string, string[]>> {
  const images = new Map<string, string[]>();
  for (const coll of collectionsOf(process, client)) images.set(coll, await imageOf(process, client, coll));
  return images;
}

function expected(state: State): Map<string, string[]> {
  return new Map([...state.keys()].sort().map((coll) => [coll, imageOfState(state, coll)]));
}

async function expectState(process: Process, client: Client, state: State): Promise<void> {
  expect(await found(process, client), `what ${client.name} was told`).toEqual(expected(state));
}

/** The state found, which must be one that the operation in doubt can have left. */
async function stateFound(process: Process, client: Client): Promise<State> {
  const possible = client.doubtful?.states ?? [client.state];
  const image = JSON.stringify([...(await found(process, client))]);
  const state = possible.findLast((one) => JSON.stringify([...expected(one)]) === image);
  if (!state) await expectState(process, client, possible.at(-1)!);
  return state!;
}

/** The collections of the run, and the counter. */
async function setUp(process: Process): Promise<void> {
  const run = process.connect();
  const must = async (command: object) => expect((await run({ ...command, $db: DB })).get('ok')).toBe(1);
  await must({ createIndexes: THINGS, indexes: [{ key: { owner: 1, g: -1 }, name: 'owner' }] });
  await must({ createIndexes: UNIQUES, indexes: [{ key: { u: 1 }, name: 'u', unique: true }] });
  await must({ insert: COUNTERS, documents: [{ _id: 'all', n: 0 }] });
}

/** Of a process that is killed while it is still starting, `work` never begins. */
async function liveFor(process: Process, ms: number, work: () => Promise<unknown>): Promise<void> {
  const { stage } = process;
  let failure: unknown;
  process
    .start()
    .then(work)
    .catch((error: unknown) => {
      failure ??= error;
    });
  await stage.sleep(ms);
  process.kill();
  if (failure) throw failure;
}

/** A guild and several clients, through `KILLS` lives of the server and two that end well. */
async function world(stage: Stage): Promise<void> {
  const model = new Model(stage);
  const embedded = stage.chance(0.3);
  await inPeace(stage, embedded, setUp);
  for (let kill = 0; kill < KILLS; kill++) {
    const process = new Process(stage, { embedded });
    const starting = stage.chance(0.2);
    await liveFor(process, 200 + stage.integer(starting ? 1500 : 12_000), async () => {
      stage.emulator.setFaults(FAULTS);
      await model.reconcile(process);
      await Promise.all(model.clients.map((client) => model.drive(process, client)));
    });
    if (!embedded) stage.emulator.setFaults([]);
    await stage.sleep(stage.integer(3000));
  }
  await inPeace(stage, embedded, (process) => model.reconcile(process));
  // What recovery resolved, the next one finds resolved; channels that nothing refers to any more are gone.
  await inPeace(stage, embedded, (process) => model.audit(process));
  await inPeace(stage, embedded, async ({ engine }) => {
    const { guildId } = stage.emulator.credentials();
    const topics = stage.emulator.channels(guildId).map(({ topic }) => topic ?? '');
    const collections = engine.databases().flatMap((db) => engine.collections(db));
    expect(topics.filter((topic) => topic.startsWith('DiscoDB collection'))).toHaveLength(collections.length);
  });
  tally.late += stage.late;
  const allowed = new Set(stage.late > 0 ? ['epoch'] : []);
  expect(stage.errors.filter(({ kind }) => !allowed.has(kind ?? ''))).toEqual([]);
}

/** A life of the server without faults, that ends by being closed. */
async function inPeace(stage: Stage, embedded: boolean, work: (process: Process) => Promise<void>): Promise<void> {
  const process = await new Process(stage, { embedded }).start();
  await work(process);
  await process.close();
  if (embedded) stage.forgetDiscord();
}

for (let index = 0; index < WORLDS; index++) {
  const seed = 1000 + index;
  test(`killed ${KILLS} times under load, what was acknowledged is there and nothing is half there (seed ${seed})`, () =>
    Stage.run({ seed, limits: 'discord' }, world));
}

test('that was a test: much was acknowledged, and what was in doubt went either way', () => {
  expect(tally.acknowledged).toBeGreaterThan(10 * WORLDS * KILLS);
  for (const count of Object.values(tally)) expect(count).toBeGreaterThan(0);
});

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { randomInt, seededRandom, sleep } from '../../../src/base/index.ts';
import type { Append, Entry, LiveEntry, Log, Placement, RetryMark } from '../../../src/log/index.ts';
import type { Store } from '../../../src/store/index.ts';
import { del, ids, put, World } from './world.ts';

const STEPS = 60;

/** What one append did, by recordId: new fields, or undefined where it deleted. */
type Change = ReadonlyMap<number, Uint8Array | undefined>;

/** A process that can be killed: its requests that have left still arrive, late, and nothing answers it any more. */
class Process {
  readonly world: World;
  readonly random: () => number;
  dead = false;

  constructor(world: World, random: () => number) {
    this.world = world;
    this.random = random;
  }

  store(): Store {
    const { memory, clock } = this.world;
    const later = () => sleep(clock, 1 + Math.floor(this.random() * 300));
    const alive = <T>(answer: Promise<T>): Promise<T> =>
      answer.then(async (value) => {
        await later();
        return this.dead ? new Promise<T>(() => {}) : value;
      });
    const { store } = this.world;
    return {
      channels: () => alive(store.channels()),
      createChannel: (channel) => alive(store.createChannel(channel)),
      deleteChannel: (id) => alive(store.deleteChannel(id)),
      append: async (channel, seal) => {
        await later();
        if (this.dead) return new Promise(() => {});
        const draft = seal();
        await later();
        return alive(memory.append(channel, () => draft));
      },
      pageBefore: (...query) => alive(store.pageBefore(...query)),
      pageAfter: (...query) => alive(store.pageAfter(...query)),
      read: (...query) => alive(store.read(...query)),
      download: (...query) => alive(store.download(...query)),
      remove: async (...query) => {
        await later();
        return alive(store.remove(...query));
      },
      watch: (listener) => store.watch(listener),
      close: () => store.close(),
    };
  }
}

/** The documents, what is known of them, and the history of what was asked. */
class Model {
  readonly history: Change[] = [];
  /** Appends that were acknowledged: always the first ones. */
  acknowledged = 0;
  readonly placed = new Map<number, Placement>();
  nextRecordId = 1;

  state(appends: number): Map<number, Uint8Array> {
    const state = new Map<number, Uint8Array>();
    for (const change of this.history.slice(0, appends)) {
      for (const [recordId, bytes] of change) {
        if (bytes) state.set(recordId, bytes);
        else state.delete(recordId);
      }
    }
    return state;
  }

  /** After a recovery: how many appends it holds, which becomes the truth. */
  adopt(found: readonly LiveEntry[]): boolean {
    for (let appends = this.acknowledged; appends <= this.history.length; appends++) {
      if (!isSame(this.state(appends), found)) continue;
      this.history.length = appends;
      this.acknowledged = appends;
      this.placed.clear();
      for (const { recordId, placement } of found) this.placed.set(recordId, placement);
      return true;
    }
    return false;
  }
}

function isSame(state: ReadonlyMap<number, Uint8Array>, found: readonly LiveEntry[]): boolean {
  return (
    state.size === found.length &&
    found.every(({ recordId, bytes }) => Buffer.compare(state.get(recordId) ?? Buffer.of(), bytes) === 0)
  );
}

function randomMark(random: () => number, txnNumber: bigint): RetryMark {
  return { lsid: new Uint8Array(16).fill(Math.floor(random() * 3)), txnNumber, stmtId: 0, result: put(1).bytes };
}

/** One append of a few entries, each on another document. */
function change(model: Model, log: Log, random: () => number): void {
  const pick = (limit: number) => Math.floor(random() * limit);
  const entries: Entry[] = [];
  const count = random() < 0.15 ? 5 + pick(40) : 1 + pick(3);
  const used = new Set<number>();
  for (let at = 0; at < count; at++) {
    const old = [...model.placed.keys()][pick(model.placed.size)];
    const text = 'x'.repeat(random() < 0.05 ? 3000 : pick(60));
    if (old === undefined || random() < 0.35) {
      const recordId = model.nextRecordId++;
      entries.push(put(recordId, { text }));
      used.add(recordId);
    } else if (!used.has(old)) {
      used.add(old);
      entries.push(random() < 0.5 ? put(old, { text }, model.placed.get(old)) : del(old, model.placed.get(old)!));
    }
  }
  if (entries.length === 0) return;
  const marks = random() < 0.3 ? [randomMark(random, BigInt(model.history.length))] : [];
  const { placements, durable } = log.append(entries, marks);
  for (const [at, { op, recordId }] of entries.entries()) {
    if (op === 'put') model.placed.set(recordId, placements[at]!);
    else model.placed.delete(recordId);
  }
  model.history.push(new Map(entries.map(({ op, recordId, bytes }) => [recordId, op === 'put' ? bytes : undefined])));
  const appends = model.history.length;
  const acknowledge = () => {
    model.acknowledged = Math.max(model.acknowledged, appends);
  };
  durable.then(acknowledge, () => {});
}

/** Moves some documents into a record of their own, those that still stand where they stood when it was asked for. */
function pack(model: Model, log: Log, random: () => number): void {
  const chosen = [...model.placed].filter(() => random() < 0.5);
  const state = model.state(model.history.length);
  const compose = (append: Append) => {
    const moved = chosen.filter(([recordId, place]) => model.placed.get(recordId) === place);
    const entries = moved.map(([recordId, previous]): Entry => {
      return { op: 'put', recordId, bytes: state.get(recordId)!, previous };
    });
    const { placements } = append(entries);
    for (const [at, [recordId]] of moved.entries()) model.placed.set(recordId, placements[at]!);
  };
  log.appendLast(compose).catch(() => {});
}

/** A life of one channel: writes, cleaning, time, forgotten removals, and kills at any moment. */
async function live(seed: number): Promise<{ world: World; model: Model; late: boolean }> {
  const world = await World.make(seed);
  const source = seededRandom(seed);
  const random = () => source.next();
  const model = new Model();
  let late = false;
  let process = new Process(world, random);
  let log = world.open(process.store());
  log.startEmpty();
  for (let step = 0; step < STEPS; step++) {
    world.memory.faults.forgetRemovals = random() < 0.05;
    const dice = random();
    if (dice < 0.6) change(model, log, random);
    else if (dice < 0.64) pack(model, log, random);
    else if (dice < 0.66) log.checkpoint().catch(() => {});
    else if (dice < 0.75) await world.clock.advance(randomInt(source, 1500));
    else if (dice < 0.87) log.clean().catch(() => {});
    else if (dice < 0.89) await world.clock.advance(40 * 60 * 1000);
    else {
      process.dead = true;
      process.random();
      // Either what was on its way arrives first, or it comes when another owns the channel.
      if (random() < 0.5) await world.clock.advance(1000);
      else late = true;
      process = new Process(world, random);
      const {
        log: next,
        found,
        told,
        restarts,
      } = await world.recovered(process.store(), random() < 0.7 ? 'checkpoint' : 'whole');
      expect(restarts).toBe(0);
      expect(model.adopt(found), `recovery holds all that was acknowledged, and no part of an append`).toBe(true);
      expect(ids(found)).toEqual([...model.state(model.acknowledged).keys()].sort((a, b) => a - b));
      expect(told.nextRecordId).toBeGreaterThan(Math.max(0, ...ids(found)));
      expect(told.summary.documents).toBe(found.length);
      log = next;
      // What the former owner still has on its way is fenced by the first record of the new one.
      change(model, log, random);
      await world.clock.run(log.flush());
    }
  }
  await world.clock.run(log.flush());
  await world.clock.run(log.close());
  await world.clock.advance(5000);
  return { world, model, late };
}

test('killed at any moment, reopened: all that was acknowledged is there, nothing is half there', async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat(), async (seed) => {
      const { world, model, late } = await live(seed);
      const { found, restarts } = await world.recovered();
      expect(isSame(model.state(model.history.length), found)).toBe(true);
      expect(restarts).toBe(0);
      const whole = await world.recovered(world.store, 'whole');
      expect(isSame(model.state(model.history.length), whole.found)).toBe(true);
      const kinds = new Set(world.problems.map(({ kind }) => kind));
      if (late) kinds.delete('epoch');
      expect([...kinds]).toEqual([]);
    }),
    { numRuns: 150, endOnFailure: true },
  );
});

test('a live record that somebody removed is always reported', async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat(), fc.nat(), async (seed, which) => {
      const { world } = await live(seed);
      const { found, told, log } = await world.recovered();
      await log.close();
      const records = [...new Set(found.map(({ placement }) => placement.record))];
      const newest = records.find(({ seq }) => seq === told.summary.seq);
      const victims = records.filter((record) => record !== newest);
      fc.pre(victims.length > 0);
      const victim = victims[which % victims.length]!;
      world.problems.length = 0;
      world.memory.tamper(world.channel, (messages) => messages.filter(({ id }) => id !== victim.messageId));
      await world.recovered();
      const said = world.problems.filter(({ kind }) => kind === 'live-set');
      expect(said.length).toBe(1);
      expect(said[0]!.fromSeq).toBeLessThanOrEqual(victim.seq);
      expect(said[0]!.toSeq).toBeGreaterThanOrEqual(victim.seq);
    }),
    { numRuns: 40, endOnFailure: true },
  );
});

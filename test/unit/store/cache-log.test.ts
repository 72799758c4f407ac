import fc from 'fast-check';
import { expect, test } from 'vitest';
import { randomInt, seededRandom, sleep } from '../../../src/base/index.ts';
import type { Log, Placement } from '../../../src/log/index.ts';
import { cachedStore, MemoryCacheDisk, PAGE_MESSAGES_MAX, type Store } from '../../../src/store/index.ts';
import { del, ids, put, World } from '../log/world.ts';
import { MortalDisk } from './mortal-disk.ts';

const STEPS = 50;

/** A log over a cache, its cleaning at work, and kills and power cuts at any moment of that. */
async function live(
  seed: number,
): Promise<{ world: World; model: Map<number, Placement>; fillers: Map<number, Placement> }> {
  const world = await World.make(seed);
  const random = seededRandom(seed);
  const disk = new MemoryCacheDisk();
  const model = new Map<number, Placement>();
  const fillers = new Map<number, Placement>();
  let nextRecordId = 1;
  let mortal = new MortalDisk(disk, world.clock, random);
  const begin = async (): Promise<Store> => {
    mortal = new MortalDisk(disk, world.clock, random);
    const lasting: Store = { ...methods(world.store), close: async () => {} };
    const store = cachedStore(lasting, { env: world.env, disk: mortal, guildId: '1' });
    await world.clock.run(store.adopt(world.epoch + 1));
    return store;
  };
  let log: Log = world.open(await begin());
  log.startEmpty();

  const change = async () => {
    const chosen = new Set<number>();
    for (let count = 1 + randomInt(random, 4); count > 0; count--) {
      const known = [...model.keys()];
      const fresh = known.length === 0 || random.next() < 0.35;
      chosen.add(fresh ? nextRecordId++ : known[randomInt(random, known.length)]!);
    }
    const entries = [...chosen].map((recordId) => {
      const previous = model.get(recordId);
      const text = 'x'.repeat(random.next() < 0.1 ? 3000 : 5);
      return previous && random.next() < 0.5 ? del(recordId, previous) : put(recordId, { text }, previous);
    });
    const { placements, durable } = log.append(entries);
    for (const [at, { op, recordId }] of entries.entries()) {
      if (op === 'put') model.set(recordId, placements[at]!);
      else model.delete(recordId);
    }
    await world.clock.run(durable);
  };

  /** Inserts that push everything else off the newest page, which is always Discord's to answer. */
  const bury = async () => {
    for (let count = 0; count <= PAGE_MESSAGES_MAX; count++) {
      const recordId = nextRecordId++;
      const { placements, durable } = log.append([put(recordId)]);
      fillers.set(recordId, placements[0]!);
      await world.clock.run(durable);
    }
  };

  for (let step = 0; step < STEPS; step++) {
    world.memory.faults.forgetRemovals = random.next() < 0.1;
    const dice = random.next();
    if (dice < 0.06) await bury();
    else if (dice < 0.4) await change();
    else if (dice < 0.65)
      await world.clock.run(Promise.race([log.clean(), sleep(world.clock, randomInt(random, 3000))]));
    else if (dice < 0.75) await world.clock.advance(randomInt(random, 30_000));
    else if (dice < 0.85) await world.clock.advance(70 * 60 * 1000);
    else {
      mortal.die();
      if (random.next() < 0.4) disk.powerCut((unsynced) => randomInt(random, unsynced + 1));
      const { log: next, found } = await world.recovered(await begin());
      expect(ids(found), 'through the cache').toEqual(recordIds(model, fillers));
      for (const { recordId, placement } of found) if (model.has(recordId)) model.set(recordId, placement);
      log = next;
      await change();
    }
  }
  world.memory.faults.forgetRemovals = false;
  await world.clock.advance(60_000);
  mortal.die();
  return { world, model, fillers };
}

function recordIds(...parts: readonly ReadonlyMap<number, Placement>[]): number[] {
  return parts.flatMap((part) => [...part.keys()]).sort((a, b) => a - b);
}

function methods(store: Store): Store {
  return Object.assign({}, store);
}

test('a log over a cache keeps what it acknowledged and brings nothing back, with the cache and without', async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat(), async (seed) => {
      const { world, model, fillers } = await live(seed);
      const { found } = await world.recovered();
      expect(ids(found), 'without the cache').toEqual(recordIds(model, fillers));
      expect(world.problems.map(({ kind, text }) => `${kind}: ${text}`)).toEqual([]);
    }),
    { numRuns: 60, endOnFailure: true },
  );
}, 60_000);

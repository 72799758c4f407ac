import { expect, test } from 'vitest';
import { simulate } from './world.ts';

const SEEDS = 14;
const MS = 3 * 60_000;
const HOUR_MS = 60 * 60_000;

/** What must happen in these seeds, or they prove less than they seem to. */
const REACHED = [
  // Processes
  ...['killed', 'killedAtStart', 'closed', 'moved', 'takenOver', 'turnedAway', 'startedWithCache'],
  ...['startedWithoutCache', 'storms', 'botsAdded', 'botsLost', 'deletedByPeople'],
  // Commands
  ...['insert', 'update', 'delete', 'findAndModify', 'bulkWrite', 'count', 'getMore', 'answeredByTheNext'],
  ...['readLocal', 'readMajority', 'scannedLocal', 'scannedMajority', 'scannedIds'],
  ...['renamed', 'dropped', 'indexBuilt', 'indexDropped', 'indexRefused', 'expired'],
  // Upkeep
  ...['packs', 'checkpoints', 'scrubs', 'compacted', 'POST /channels/:id/messages/bulk-delete', 'DELETE /channels/:id'],
];

const reached = new Map<string, number>();

async function simulateAndNote(seed: number, ms: number): Promise<void> {
  const { counts, seen } = await simulate({ seed, ms });
  for (const [what, times] of Object.entries(seen)) reached.set(what, (reached.get(what) ?? 0) + times);
  expect(counts.acknowledged).toBeGreaterThan(40);
  expect(counts.reads).toBeGreaterThan(400);
}

for (let seed = 1; seed <= SEEDS; seed++) {
  test(`every fault at once, and no history is broken (npm run sim -- --seed ${seed} --hours 0.05)`, () =>
    simulateAndNote(seed, MS));
}

test('an hour of it, with bursts of work and rests between them (npm run sim -- --seed 2)', () =>
  simulateAndNote(2, HOUR_MS));

test('all of this happened in these runs', () => {
  expect(REACHED.filter((what) => !reached.get(what))).toEqual([]);
});

test('what one run does another one does, request by request and answer by answer', async () => {
  const [first, second] = [await simulate({ seed: 3, ms: MS / 3 }), await simulate({ seed: 3, ms: MS / 3 })];
  expect(second).toEqual(first);
  expect((await simulate({ seed: 4, ms: MS / 3 })).digest).not.toBe(first.digest);
});

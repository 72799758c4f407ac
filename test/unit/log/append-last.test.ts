import { expect, test } from 'vitest';
import type { Log, Placement } from '../../../src/log/index.ts';
import { ids, put, World } from './world.ts';

const LATENCY_MS = 50;

async function started(): Promise<{ world: World; log: Log; first: Placement }> {
  const world = await World.make();
  const log = world.open();
  log.startEmpty();
  const { placements, durable } = log.append([put(1)]);
  await durable;
  world.memory.faults.latency = LATENCY_MS;
  return { world, log, first: placements[0]! };
}

test('a record of upkeep is composed when it may leave, and moves a document', async () => {
  const { world, log, first } = await started();
  let place: Placement | undefined;
  const done = log.appendLast((append) => {
    place = append([put(1, {}, first)]).placements[0];
  });
  await world.clock.run(done);
  expect(place!.record).toMatchObject({ seq: 2, live: 1 });
  expect(log.standing()).toMatchObject({ live: 1, garbage: 1 });
  await world.clock.run(log.clean());
  const { found, told } = await world.recovered();
  expect(ids(found)).toEqual([1]);
  expect(told.summary).toMatchObject({ documents: 1, superseding: 1 });
});

test('records of clients go first, but every eighth is upkeep’s', async () => {
  const { world, log } = await started();
  let next = 2;
  let kept = 0;
  // Two clients that never pause, and upkeep that always has something.
  const write = (): void => void log.append([put(next++)]).durable.then(write);
  const keep = async (): Promise<void> => {
    await log.appendLast((append) => append([put(next++)]));
    kept++;
    return keep();
  };
  write();
  write();
  void keep();
  await world.clock.advance(250 * LATENCY_MS);
  const records = world.memory.peek(world.channel).length;
  expect(records).toBeGreaterThanOrEqual(100);
  expect(kept).toBeGreaterThanOrEqual(Math.floor(records / 9) - 1);
  expect(kept).toBeLessThanOrEqual(Math.ceil(records / 8));
});

test('what upkeep still wants to write is called off by closing, and what is on its way is waited for', async () => {
  const { world, log } = await started();
  const flying = log.appendLast((append) => append([put(2)]));
  const refused = expect(log.appendLast((append) => append([put(3)]))).rejects.toMatchObject({ code: 'closed' });
  await world.clock.run(log.close());
  await Promise.all([flying, refused]);
  expect(ids((await world.recovered()).found)).toEqual([1, 2]);
});

test('where nothing is left to write at the last moment, the log goes on', async () => {
  const { world, log } = await started();
  await world.clock.run(log.appendLast(() => {}));
  await world.clock.run(log.append([put(2)]).durable);
  const { found } = await world.recovered();
  expect(ids(found)).toEqual([1, 2]);
  expect(world.problems).toEqual([]);
});

import { expect, test } from 'vitest';
import { deferred } from '../../../src/base/index.ts';
import type { RecordRef } from '../../../src/log/index.ts';
import { meteredStore, type Store } from '../../../src/store/index.ts';
import { put, World } from './world.ts';

test('records that stand close together come by pages, one that stands alone by itself', async () => {
  const world = await World.make();
  const log = world.open();
  log.startEmpty();
  const records: RecordRef[] = [];
  for (let n = 1; n <= 250; n++) {
    const { placements, durable } = log.append([put(n)]);
    await world.clock.run(durable);
    records.push(placements[0]!.record);
  }
  const fetch = async (wanted: readonly RecordRef[]) => {
    world.requests();
    const found = new Map<RecordRef, Uint8Array | undefined>();
    for await (const [record, fetched] of log.fetch(wanted)) found.set(record, fetched.document(0));
    expect(wanted.map((record) => found.get(record))).toEqual(wanted.map(({ seq }) => put(seq).bytes));
    return world.requests();
  };
  expect(await fetch(records)).toEqual({ page: 3 });
  expect(await fetch([records[7]!])).toEqual({ read: 1 });
  expect(await fetch([records[200]!, records[3]!, records[90]!])).toEqual({ page: 1, read: 1 });
});

test('a record that was never durable cannot be read for what stopped the log', async () => {
  const world = await World.make();
  const log = world.open();
  log.startEmpty();
  world.memory.faults.latency = 50;
  world.memory.faults.alter = (draft) => ({ ...draft, content: `${draft.content} changed` });
  log.append([put(1)]).durable.catch(() => {});
  await world.clock.advance(20);
  const { placements, durable } = log.append([put(2)]);
  await expect(world.clock.run(durable)).rejects.toMatchObject({ code: 'refused' });
  const read = async () => {
    for await (const _ of log.fetch([placements[0]!.record]));
  };
  await expect(read()).rejects.toMatchObject({ code: 'refused' });
});

test.each([
  'before it is read',
  'before its file is',
])('a record that is being removed is left out: gone %s', async (when) => {
  const world = await World.make();
  const answered = deferred<void>();
  const { store } = meteredStore(world.store);
  let removed: Promise<void> = Promise.resolve();
  const slow: Store = {
    ...store,
    // Discord has done it long before it says so.
    async remove(channel, ids) {
      await removed;
      await store.remove(channel, ids);
      await answered.promise;
    },
    async download(...args) {
      reading.resolve();
      await gone.promise;
      return store.download(...args);
    },
  };
  const [reading, gone] = [deferred<void>(), deferred<void>()];
  if (when === 'before it is read') gone.resolve();
  else removed = reading.promise;
  const log = world.open(slow);
  log.startEmpty();
  const long = { text: 'x'.repeat(3000) };
  const first = log.append([put(1, long)]);
  await first.durable;
  await log.append([put(1, { text: 'short' }, first.placements[0])]).durable;
  const cleaning = log.clean();
  if (when === 'before it is read') await world.clock.advance(1);
  const found: RecordRef[] = [];
  const fetching = (async () => {
    for await (const [record] of log.fetch([first.placements[0]!.record])) found.push(record);
  })();
  await world.clock.advance(1);
  gone.resolve();
  await fetching;
  expect(found).toEqual([]);
  expect(world.problems).toEqual([]);
  answered.resolve();
  await cleaning;
});

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { deferred } from '../../../src/base/index.ts';
import { decodeCheckpoint, encodeCheckpoint } from '../../../src/log/checkpoint.ts';
import type { Log, Placement } from '../../../src/log/index.ts';
import { LogRecord } from '../../../src/log/log-record.ts';
import { RecordError } from '../../../src/log/record-error.ts';
import { meteredStore, type Store, StoreError } from '../../../src/store/index.ts';
import { del, ids, put, World } from './world.ts';

/** A log of `count` documents in a message each, with every document but the last 20 moved into one pack; garbage stays. */
async function packed(count = 500): Promise<{ world: World; log: Log; places: Map<number, Placement> }> {
  const world = await World.make();
  world.memory.faults.fail = (request) => (request === 'remove' ? new StoreError('forbidden', 'no') : undefined);
  const log = world.open();
  log.startEmpty();
  const places = new Map<number, Placement>();
  for (let recordId = 1; recordId <= count; recordId++) {
    const { placements, durable } = log.append([put(recordId)]);
    places.set(recordId, placements[0]!);
    await durable;
  }
  const cold = [...places].slice(0, -20);
  await log.appendLast((append) => {
    const { placements } = append(cold.map(([recordId, place]) => put(recordId, {}, place)));
    for (const [at, [recordId]] of cold.entries()) places.set(recordId, placements[at]!);
  });
  return { world, log, places };
}

const upTo = (count: number) => Array.from({ length: count }, (_, at) => at + 1);

/** Of the checkpoints in the channel, oldest first. */
function checkpoints(world: World): bigint[] {
  return world.memory
    .peek(world.channel)
    .filter(({ content }) => content.startsWith('-# discodb 2 checkpoint'))
    .map(({ id }) => id);
}

function tear(world: World, torn: bigint): void {
  world.memory.tamper(world.channel, (messages) =>
    messages.map((message) => (message.id === torn ? { ...message, attachments: [] } : message)),
  );
}

test('what is older than the checkpoint is read only where it is named', async () => {
  const { world, log } = await packed();
  expect(await log.checkpoint()).toBe(true);
  await log.append([put(501)]).durable;
  world.requests();
  const { found, told, restarts } = await world.recovered();
  // Of six pages: the newest, one more to be safe, and one that was on its way by then.
  expect(world.requests()).toEqual({ page: 3, download: 2 });
  expect(ids(found)).toEqual(upTo(501));
  expect(told).toMatchObject({ nextRecordId: 502, summary: { seq: 503, documents: 501, superseding: 480 } });
  expect(restarts).toBe(0);
});

test('garbage from before the checkpoint is known, and removed by whoever goes on', async () => {
  const { world, log } = await packed();
  await log.checkpoint();
  await log.close();
  world.memory.faults.fail = undefined;
  const { log: next, told } = await world.recovered();
  expect(next.standing().live).toBe(21);
  await next.append([put(told.nextRecordId)]).durable;
  await next.clean();
  expect(world.memory.peek(world.channel).length).toBe(23);
  expect(ids((await world.recovered(world.store, 'whole')).found)).toEqual(upTo(501));
});

test('two are kept, and a torn one is passed over', async () => {
  const { world, log, places } = await packed();
  for (const recordId of [1, 2, 3]) {
    await log.append([del(recordId, places.get(recordId)!)]).durable;
    expect(await log.checkpoint()).toBe(true);
  }
  world.memory.faults.fail = undefined;
  await log.clean();
  const [older, newer] = checkpoints(world);
  expect(checkpoints(world).length).toBe(2);
  for (const torn of [newer!, older!]) {
    tear(world, torn);
    const { found, restarts } = await world.recovered();
    expect(ids(found)).toEqual(upTo(500).slice(3));
    expect(restarts).toBe(0);
    expect(world.problems.map(({ kind }) => kind)).toContain('checksum');
    world.problems.length = 0;
  }
});

test('a document that was deleted stays deleted, though its old version stands in a pack that is named', async () => {
  const { world, log, places } = await packed();
  await log.append([del(7, places.get(7)!)]).durable;
  await log.checkpoint();
  await log.append([del(8, places.get(8)!)]).durable;
  await log.close();
  world.memory.faults.fail = undefined;
  const { log: next, found } = await world.recovered();
  const rest = upTo(500).filter((recordId) => recordId !== 7 && recordId !== 8);
  expect(ids(found)).toEqual(rest);
  // The tombstones of before and after the checkpoint stay while the pack holds what they keep away.
  await next.append([put(501)]).durable;
  await next.clean();
  expect(ids((await world.recovered(world.store, 'whole')).found)).toEqual([...rest, 501]);
});

test('where the channel does not bear the checkpoint out, all of it is read, and what is missing is said', async () => {
  const { world, log, places } = await packed();
  await log.checkpoint();
  const pack = places.get(1)!.record.messageId;
  world.memory.tamper(world.channel, (messages) => messages.filter(({ id }) => id !== pack));
  const { found, restarts, told } = await world.recovered();
  expect(restarts).toBe(1);
  // The old records still stand: their documents are back.
  expect(ids(found)).toEqual(upTo(500));
  expect(told.problems.map(({ kind }) => kind)).toEqual(['live-set']);
});

test('none is written while something in the channel cannot be read', async () => {
  const { world, log } = await packed();
  await log.close();
  world.memory.tamper(world.channel, ([first, ...rest]) => [{ ...first!, content: '' }, ...rest]);
  const { log: next } = await world.recovered();
  expect(await next.checkpoint()).toBe(false);
  expect(checkpoints(world)).toEqual([]);
});

test('a checkpoint of a former owner that comes too late does not count', async () => {
  const { world, log } = await packed();
  const gate = deferred<void>();
  world.memory.faults.gate = gate.promise;
  // Sealed by an owner who has lost the log by the time it arrives.
  const late = log.checkpoint();
  world.memory.faults.gate = undefined;
  const { log: next } = await world.recovered();
  await next.append([put(501)]).durable;
  gate.resolve();
  await late;
  const { found, restarts } = await world.recovered();
  expect(ids(found)).toEqual(upTo(501));
  expect(restarts).toBe(0);
  expect(world.problems.map(({ kind }) => kind)).toContain('epoch');
});

test('any bytes are a checkpoint or a RecordError, and what is written reads back', () => {
  const rowsArb = fc.array(
    fc.record({ gap: fc.integer({ min: 1, max: 1000 }), entries: fc.nat(40), dead: fc.array(fc.nat(39)) }),
    { maxLength: 20 },
  );
  fc.assert(
    fc.property(rowsArb, fc.nat(), fc.integer({ min: 1, max: 255 }), (shapes, where, flip) => {
      let seq = 0;
      const rows = shapes.map(({ gap, entries, dead }) => {
        seq += gap;
        const record = Object.assign(new LogRecord(), { seq, messageId: BigInt(seq) << 22n, entries });
        const stale = new Set(dead.filter((slot) => slot < entries));
        record.live = entries - stale.size;
        if (record.live > 0) for (const slot of stale) record.retire(slot);
        return { record, answers: entries % 2 === 0, checkpoint: entries === 0 };
      });
      for (const [at, { record }] of rows.entries()) if (at > 0) record.supersedes(rows[where % at]!.record);
      const bytes = encodeCheckpoint({ rows, unconfirmed: [5n, 7n] })!;
      const read = decodeCheckpoint([bytes.subarray(0, where % bytes.length), bytes.subarray(where % bytes.length)]);
      expect(Buffer.compare(encodeCheckpoint(read)!, bytes)).toBe(0);
      for (const [at, { record }] of rows.entries()) {
        const slots = (of: LogRecord) => Array.from({ length: of.entries }, (_, slot) => of.isLive(slot));
        expect(slots(read.rows[at]!.record)).toEqual(slots(record));
      }
      const damaged = bytes.slice();
      damaged[where % damaged.length]! ^= flip;
      for (const some of [damaged, bytes.subarray(0, where % bytes.length)]) {
        try {
          decodeCheckpoint([some]);
        } catch (error) {
          expect(error).toBeInstanceOf(RecordError);
        }
      }
    }),
  );
});

test('what the former process removed, and did not see to be gone, is known after a checkpoint', async () => {
  const world = await World.make();
  const log = world.open();
  log.startEmpty();
  const [insert] = log.append([put(1)]).placements;
  await log.append([del(1, insert!)]).durable;
  await log.append([put(2)]).durable;
  world.memory.faults.forgetRemovals = true;
  await log.clean();
  world.memory.faults.forgetRemovals = false;
  await log.checkpoint();
  await log.close();
  const { log: next } = await world.recovered();
  await next.append([put(3)]).durable;
  // Without the knowledge the deletion would go, and what it deleted would stay.
  await next.clean();
  expect(ids((await world.recovered(world.store, 'whole')).found)).toEqual([2, 3]);
});

test('what may stand unread before a checkpoint is kept away until somebody reads it', async () => {
  const world = await World.make();
  const former = world.open();
  former.startEmpty();
  await former.append([put(1)]).durable;
  const gate = deferred<void>();
  world.memory.faults.gate = gate.promise;
  const late = former.append([put(2)]);
  world.memory.faults.gate = undefined;
  // The second owner has read the channel before the first one's last write arrives, and never sees it.
  const second = await world.recovered();
  const { durable } = second.log.append([put(3, {}), put(1, { v: 2 }, second.found[0]!.placement)]);
  await durable;
  gate.resolve();
  await late.durable;
  await second.log.checkpoint();
  await second.log.close();
  const third = await world.recovered();
  expect(ids(third.found)).toEqual([1, 3]);
  const places = new Map(third.found.map(({ recordId, placement }) => [recordId, placement]));
  await third.log.append([put(3, { v: 3 }, places.get(3)), put(1, { v: 3 }, places.get(1))]).durable;
  await world.clock.advance(3 * 60 * 60 * 1000);
  for (const recordId of [4, 5]) {
    await third.log.append([put(recordId)]).durable;
    // The second owner's checkpoint is superseded twice, and all that is left of its epoch.
    await third.log.checkpoint();
    await third.log.clean();
  }
  expect(ids((await world.recovered(world.store, 'whole')).found)).toEqual([1, 3, 4, 5]);
});

test('a checkpoint that is removed while it is read is nothing to complain of', async () => {
  const { world, log } = await packed();
  await log.checkpoint();
  const { store } = meteredStore(world.store);
  const [newest] = checkpoints(world);
  const late: Store = {
    ...store,
    async download(channel, message, ...rest) {
      if (message.id === newest) world.memory.tamper(channel, (all) => all.filter(({ id }) => id !== newest));
      return store.download(channel, message, ...rest);
    },
  };
  const { found, told, restarts } = await world.recovered(late);
  expect(ids(found)).toEqual(upTo(500));
  expect(told.problems).toEqual([]);
  expect(world.problems).toEqual([]);
  expect(restarts).toBe(0);
});

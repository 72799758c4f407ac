import { expect, test } from 'vitest';
import { VirtualClock } from '../../../src/base/index.ts';
import { decode, doc, encode } from '../../../src/bson/index.ts';
import { nothingExamined, type Scan, scanLoaded } from '../../../src/engine/found.ts';
import type { Slot, Version } from '../../../src/engine/slot.ts';
import { compileFilter } from '../../../src/query/index.ts';

/** A durable read of one document whose durable version is removed while it is read; `then` says what is durable after. */
async function readWhileRemoved(then: 'a newer version' | 'the newest' | 'nothing'): Promise<unknown[]> {
  const version = (seq: number) => ({ record: { seq }, index: 0, bytes: undefined }) as unknown as Version;
  const [old, newer] = [version(1), version(2)];
  const slot = { recordId: 1, deleted: false } as Slot;
  const bytes = (v: string) => encode(doc({ _id: 1, v }));
  const unsettled = new Map([[1, { slot, durable: old, writes: 2 }]]);
  const reader = {
    readAll: async (slots: readonly Slot[]) => new Map(slots.map((each) => [each, { bytes: bytes('newest') }])),
    async readVersion(wanted: Version) {
      if (wanted === newer) return bytes('newer');
      if (then === 'a newer version') unsettled.set(1, { slot, durable: newer, writes: 1 });
      else unsettled.delete(1);
      if (then === 'nothing') slot.deleted = true;
      return undefined;
    },
  };
  const collection = { checkAlive: () => {}, contentOf: () => undefined, unsettled };
  const clock = new VirtualClock();
  const scan = {
    clock,
    loaded: { collection, reader },
    filter: compileFilter(new Map(), { now: new Date(0), random: () => 0 }),
    plan: { stage: 'COLLSCAN', exact: true },
    slots: [slot],
    read: 'durable',
    examined: nothingExamined(),
  } as unknown as Scan;
  const found: unknown[] = [];
  const reading = (async () => {
    for await (const batch of scanLoaded(scan)) found.push(...batch.map((each) => decode(each.bytes).get('v')));
  })();
  await clock.run(reading);
  return found;
}

test.each<['a newer version' | 'the newest' | 'nothing', unknown[]]>([
  ['a newer version', ['newer']],
  ['the newest', ['newest']],
  ['nothing', []],
])('a version that is removed while it is read gives way to %s', async (then, expected) => {
  expect(await readWhileRemoved(then)).toEqual(expected);
});

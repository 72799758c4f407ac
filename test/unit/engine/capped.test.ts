import fc from 'fast-check';
import { expect, it } from 'vitest';
import { doc, encode } from '../../../src/bson/index.ts';
import { NS, Stage } from './stage.ts';

const MAX = 4;

/** What a capped collection holds, whatever batches it was filled in: the newest, in order, without a gap. */
function expectWhole(ids: readonly unknown[], inserted: number): void {
  expect(ids.length).toBeLessThanOrEqual(MAX);
  const first = Number(ids[0] ?? 0);
  expect(ids).toEqual(ids.map((_, at) => first + at));
  expect(Number(ids.at(-1) ?? 0)).toBeLessThanOrEqual(inserted);
}

it('a process that dies at any moment leaves a capped collection within its cap', async () => {
  const batches = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 6 });
  await fc.assert(
    fc.asyncProperty(
      batches,
      fc.integer({ min: 0, max: 3000 }),
      fc.integer({ min: 1, max: 1000 }),
      async (sizes, after, seed) => {
        const stage = await Stage.open({ seed });
        await stage.run(stage.engine.createCollection(NS, doc({ capped: true, size: 4096, max: MAX })));
        let last = 0;
        let acknowledged = 0;
        for (const size of sizes) {
          const docs = Array.from({ length: size }, () => encode(doc({ _id: ++last, text: 'x'.repeat(last % 7) })));
          const { durable } = await stage.run(stage.engine.insert(NS, docs, stage.writing()));
          const reached = last;
          durable.then(
            () => {
              acknowledged = reached;
            },
            () => {},
          );
          expectWhole(await stage.values('_id'), last);
        }
        // The process is killed, perhaps with commits on their way.
        await stage.clock.advance(after);
        const durableBefore = acknowledged;
        await stage.reopen();
        const ids = await stage.values('_id');
        expectWhole(ids, last);
        expect(Number(ids.at(-1) ?? 0)).toBeGreaterThanOrEqual(durableBefore);
        await stage.insert([{ _id: ++last }]);
        expect((await stage.values('_id')).at(-1)).toBe(last);
      },
    ),
    { numRuns: 30 },
  );
});

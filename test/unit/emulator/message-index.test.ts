import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { unpackMessage } from '../../../src/emulator/change.ts';
import { MessageIndex } from '../../../src/emulator/message-index.ts';

const message = (id: number) => unpackMessage({ id: String(id), channelId: '1', authorId: '2' });

describe('the index of a channel', () => {
  it('pages as a sorted list would, whatever was added and removed', () => {
    const step = fc.record({
      id: fc.integer({ min: 1, max: 3000 }),
      run: fc.integer({ min: 1, max: 900 }),
      add: fc.boolean(),
    });
    const query = fc.record({ cursor: fc.integer({ min: 0, max: 4000 }), limit: fc.integer({ min: 1, max: 100 }) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 12 }), fc.array(query, { maxLength: 10 }), (steps, queries) => {
        const index = new MessageIndex();
        const model = new Set<number>();
        for (const { id, run, add } of steps) {
          for (let at = id; at < id + run; at++) {
            if (add) index.put(message(at));
            else expect(index.delete(String(at)) !== undefined).toBe(model.has(at));
            if (add) model.add(at);
            else model.delete(at);
          }
        }
        const sorted = [...model].sort((a, b) => a - b);
        expect(index.size).toBe(sorted.length);
        expect([...index].map(({ id }) => Number(id))).toEqual(sorted);
        for (const { cursor, limit } of queries) {
          const ids = (page: { id: string }[]) => page.map(({ id }) => Number(id));
          const below = sorted.filter((id) => id < cursor).slice(-limit);
          const above = sorted.filter((id) => id > cursor).slice(0, limit);
          expect(ids(index.page({ before: String(cursor), limit }))).toEqual(below.reverse());
          expect(ids(index.page({ after: String(cursor), limit }))).toEqual(above.reverse());
          expect(ids(index.page({ limit }))).toEqual(sorted.slice(-limit).reverse());
          expect(index.get(String(cursor)) !== undefined).toBe(model.has(cursor));
        }
      }),
      { numRuns: 40 },
    );
  });

  it('replaces a message of the same id', () => {
    const index = new MessageIndex();
    index.put(message(5));
    index.put({ ...message(5), content: 'new' });
    expect([index.size, index.get('5')?.content]).toEqual([1, 'new']);
  });

  it('is quick with 50,000 messages', () => {
    const index = new MessageIndex();
    for (let id = 1; id <= 50_000; id++) index.put(message(id));
    for (let id = 2; id <= 50_000; id += 2) index.delete(String(id));
    expect(index.page({ before: '40000', limit: 3 }).map(({ id }) => id)).toEqual(['39999', '39997', '39995']);
  });
});

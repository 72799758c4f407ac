import fc from 'fast-check';
import { beforeEach, describe, expect, it, test } from 'vitest';
import { type Doc, decode, doc, ObjectId } from '../../../src/bson/index.ts';
import { NS, Stage } from './stage.ts';

/** What a query reads of a collection that is not in memory: from where no `_id` that it asks for can stand before. */
const MINUTE_MS = 60_000;
const HOUR_S = 3600;

let stage: Stage;
beforeEach(async () => {
  stage = await Stage.open();
});

/** An `_id` of the clock's second, as a client makes it whose clock is `ahead` seconds off. */
let counter = 0;
function idAt(of: Stage, ahead = 0): ObjectId {
  const seconds = Math.floor(of.clock.now() / 1000) + ahead;
  return ObjectId.createFromHexString(
    seconds.toString(16).padStart(8, '0') + (++counter).toString(16).padStart(16, '0'),
  );
}

function from(of: Stage, ago: number): ObjectId {
  return ObjectId.createFromTime(Math.floor(of.clock.now() / 1000) - ago);
}

/** One message each, a minute apart. */
async function fill(count: number, ahead = 0): Promise<ObjectId[]> {
  const all: ObjectId[] = [];
  for (let n = 0; n < count; n++) {
    all.push(idAt(stage, ahead));
    await stage.insert([{ _id: all[n], n }]);
    await stage.clock.advance(MINUTE_MS);
  }
  await stage.reopen();
  return all;
}

async function pagesOf<T>(work: () => Promise<T>): Promise<{ pages: number; answer: T }> {
  const before = stage.store.requests.page;
  const answer = await work();
  return { pages: stage.store.requests.page - before, answer };
}

const numbers = async (filter: object, more: object = {}) => (await stage.values('n', filter, more)).map(Number);
const range = (low: number, high: number) => Array.from({ length: high - low }, (_, at) => low + at);

it('a clustered collection is not read as its channel stands: its order is another', async () => {
  const clusteredIndex = { v: 2, key: { _id: 1 }, name: '_id_', unique: true };
  await stage.run(stage.engine.createCollection(NS, doc({ clusteredIndex })));
  for (const n of [2, 3, 1]) await stage.insert([{ _id: n, n }]);
  await stage.reopen();
  expect(await numbers({})).toEqual([1, 2, 3]);
  await stage.reopen();
  expect(await numbers({}, { sort: doc({ $natural: -1 }), limit: 2 })).toEqual([3, 2]);
});

describe('a lower bound on an ObjectId _id', () => {
  it('of what is new costs one page', async () => {
    const all = await fill(450);
    const { pages, answer } = await pagesOf(() => numbers({ _id: { $gt: all[399] } }));
    expect(answer).toEqual(range(400, 450));
    expect(pages).toBe(1);
  });

  it('begins in the middle of the channel', async () => {
    const all = await fill(450);
    const { pages, answer } = await pagesOf(() => numbers({ _id: { $gte: all[200] } }));
    expect(answer).toEqual(range(200, 450));
    // The newest, for what is known of the channel, and 250 from the middle on, with those of the minute before.
    expect(pages).toBe(1 + 3);
  });

  it('with an upper bound and a limit reads no further than that', async () => {
    const all = await fill(450);
    const filter = { _id: { $gte: all[50], $lt: all[60] } };
    const { pages, answer } = await pagesOf(() => numbers(filter, { limit: 10 }));
    expect(answer).toEqual(range(50, 60));
    expect(pages).toBe(2);
  });

  it('by $in and $eq, and for the first match of an _id', async () => {
    const all = await fill(450);
    const { pages, answer } = await pagesOf(() => numbers({ _id: all[120] }));
    expect(answer).toEqual([120]);
    expect(pages).toBe(2);
    await stage.reopen();
    const several = await pagesOf(() => numbers({ _id: { $in: [all[420], all[440]] } }));
    expect(several.answer).toEqual([420, 440]);
    expect(several.pages).toBe(1);
  });

  it('sorts what it finds', async () => {
    const all = await fill(300);
    const answer = await numbers({ _id: { $gte: all[295] } }, { sort: doc({ n: -1 }) });
    expect(answer).toEqual([299, 298, 297, 296, 295]);
  });

  it('goes further back where clocks of clients were ahead', async () => {
    // What is asked for stands two hours, 120 messages, before its time.
    const all = await fill(450, 2 * HOUR_S);
    const { pages, answer } = await pagesOf(() => numbers({ _id: { $gte: all[330] } }));
    expect(answer).toEqual(range(330, 450));
    expect(pages).toBe(1 + 2);
    // Also when another process has gone on since.
    await stage.insert([{ _id: idAt(stage), n: -1 }]);
    await stage.reopen();
    expect(await numbers({ _id: { $gte: all[330] } })).toEqual([...range(330, 450), -1]);
  });

  it('finds the one document whose _id is far ahead, also in the newest message', async () => {
    await fill(250);
    await stage.insert([{ _id: idAt(stage, 1000 * HOUR_S), n: 'far' }]);
    await stage.reopen();
    expect(await stage.values('n', { _id: { $gte: from(stage, -HOUR_S) } })).toEqual(['far']);
    await stage.insert([{ _id: idAt(stage), n: 'last' }]);
    await stage.reopen();
    expect(await stage.values('n', { _id: { $gte: from(stage, -HOUR_S) } })).toEqual(['far']);
  });

  it('opens the collection where something was changed', async () => {
    const all = await fill(150);
    await stage.update({ n: 10 }, { $set: { n: 'changed' } });
    await stage.reopen();
    expect(await stage.values('n', { _id: { $gte: all[10], $lt: all[12] } })).toEqual(['changed', 11]);
    await stage.reopen();
    const { pages } = await pagesOf(() => numbers({ _id: { $gte: all[148] } }));
    expect(pages).toBe(2);
  });

  it('opens the collection where a bound is no ObjectId, or a match may be anything', async () => {
    const all = await fill(150);
    await stage.insert([
      { _id: 'text', n: 1000 },
      { _id: true, n: 1001 },
    ]);
    for (const filter of [
      { _id: { $gte: 'a' } },
      { _id: { $not: { $lt: all[149] } } },
      { _id: { $in: ['text', all[149]] } },
    ]) {
      await stage.reopen();
      const streamed = await numbers(filter);
      const loaded = await numbers(filter);
      expect(streamed).toEqual(loaded);
      expect(streamed.length).toBeGreaterThan(0);
    }
  });
});

describe('the greatest _ids', () => {
  const newest = (limit: number, filter: object = {}) => numbers(filter, { sort: doc({ _id: -1 }), limit });

  it('of ObjectIds are on the newest page', async () => {
    await fill(450);
    const { pages, answer } = await pagesOf(() => newest(5));
    expect(answer).toEqual([449, 448, 447, 446, 445]);
    expect(pages).toBe(1);
  });

  it('are looked for further back where clocks were ahead', async () => {
    const all = await fill(150);
    await stage.insert([{ _id: idAt(stage, 3 * HOUR_S), n: 1000 }]);
    for (let n = 0; n < 120; n++) {
      await stage.clock.advance(MINUTE_MS);
      await stage.insert([{ _id: idAt(stage), n: 2000 + n }]);
    }
    expect(all).toHaveLength(150);
    await stage.reopen();
    expect(await newest(2)).toEqual([1000, 2119]);
  });

  it('are right where some are of types above ObjectId, or below', async () => {
    await fill(20);
    await stage.insert([{ _id: true, n: 1000 }]);
    await stage.insert([{ _id: new Date(0), n: 1001 }]);
    await stage.insert([{ _id: 'text', n: 1002 }]);
    for (let n = 0; n < 250; n++) {
      await stage.clock.advance(MINUTE_MS);
      await stage.insert([{ _id: idAt(stage), n: 2000 + n }]);
    }
    await stage.reopen();
    expect(await newest(3)).toEqual([1001, 1000, 2249]);
  });

  it('of numbers open the collection', async () => {
    await stage.insert(range(0, 3000).map((_id) => ({ _id, n: _id })));
    await stage.reopen();
    expect(await newest(2)).toEqual([2999, 2998]);
  });

  it('go by the filter', async () => {
    await fill(300);
    expect(await newest(3, { n: { $lt: 200 } })).toEqual([199, 198, 197]);
  });
});

/** A cursor, to be read some documents at a time. */
async function cursorOf(filter: object, more: object = {}) {
  const cursor = await stage.run(stage.engine.find(NS, stage.query(filter, more)));
  const found: number[] = [];
  const read = async (count: number) => {
    for (const bytes of await stage.run(cursor.next(count, 2 ** 24))) found.push(Number(decode(bytes).get('n')));
  };
  return { cursor, found, read };
}

describe('a cursor that reads the channel as it stands', () => {
  const CHANGED = 1000;
  const DAY_MS = 24 * 60 * MINUTE_MS;

  /** Opens the collection, changes every document twice, and lets upkeep remove what is superseded. */
  async function change(): Promise<void> {
    for (const n of [1, CHANGED - 1]) {
      await stage.update({}, { $inc: { n } }, { multi: true });
      await stage.clock.advance(DAY_MS / 8);
    }
    expect(stage.store.requests.remove).toBeGreaterThan(0);
  }

  it.each([
    ['oldest first', {}, {}, range(0, 450)],
    ['newest first', {}, { sort: doc({ $natural: -1 }) }, range(0, 450).reverse()],
    ['from an _id on', { _id: { $gte: 100 } }, {}, range(100, 450)],
  ])('goes on from memory where the collection is opened and changed: %s', async (_, filter, more, expected) => {
    const all = await fill(450);
    const bound = '_id' in filter ? { _id: { $gte: all[100] } } : {};
    const { cursor, found, read } = await cursorOf(bound, more);
    await read(50);
    await change();
    while (!cursor.exhausted) await read(100);
    expect(found.map((n) => n % CHANGED)).toEqual(expected);
    // Some were read before, and some after.
    expect(new Set(found.map((n) => n >= CHANGED))).toEqual(new Set([false, true]));
  });
});

it('a durable read against natural order keeps it while writes are on their way', async () => {
  await fill(5);
  await stage.values('n');
  await stage.values('n');
  stage.store.faults.latency = 1000;
  const writing = stage.engine.update(
    NS,
    [{ filter: doc({ n: 2 }), update: doc({ $set: { n: 20 } }), multi: false, upsert: false }],
    stage.writing(),
  );
  const { durable } = await stage.run(writing);
  expect(await numbers({}, { sort: doc({ $natural: -1 }), read: 'durable' })).toEqual([4, 3, 2, 1, 0]);
  await stage.run(durable);
});

test('what is read without a directory is what the directory gives', async () => {
  const step = fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({
        do: fc.constant('insert' as const),
        count: fc.integer({ min: 1, max: 60 }),
        ahead: fc.integer({ min: -100, max: 100 }),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({
        do: fc.constant('insert' as const),
        count: fc.constant(1),
        ahead: fc.integer({ min: -9999, max: 9999 }),
      }),
    },
    {
      weight: 3,
      arbitrary: fc.record({ do: fc.constant('wait' as const), seconds: fc.integer({ min: 1, max: 4000 }) }),
    },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('again' as const) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('compact' as const) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('restart' as const) }) },
    {
      weight: 3,
      arbitrary: fc.record({
        do: fc.constant('read' as const),
        ago: fc.integer({ min: -5000, max: 20_000 }),
        limit: fc.integer({ min: 0, max: 20 }),
      }),
    },
  );
  const skew = fc.array(fc.integer({ min: -4000, max: 4000 }), { minLength: 1, maxLength: 5 });
  await fc.assert(
    fc.asyncProperty(skew, fc.array(step, { minLength: 5, maxLength: 40 }), async (skews, steps) => {
      stage = await Stage.open();
      const known: ObjectId[] = [];
      // More than is read in any case.
      for (let n = 0; n < 120; n++) {
        known.push(idAt(stage, skews[n % skews.length]));
        await stage.insert([{ _id: known[n], n }]);
        await stage.clock.advance(MINUTE_MS);
      }
      for (const each of steps) {
        if (each.do === 'insert') {
          // Some in a message of their own, some together.
          const docs = range(0, each.count).map((n) => ({ _id: idAt(stage, each.ahead), n }));
          known.push(...docs.map(({ _id }) => _id));
          if (each.count > 30) await stage.insert(docs);
          else for (const one of docs) await stage.insert([one]);
        } else if (each.do === 'again' && known.length > 0) {
          // An _id of long ago, given again.
          const _id = known[known.length >> 1];
          await stage.delete({ _id });
          await stage.insert([{ _id, n: -1 }]);
        } else if (each.do === 'wait') await stage.clock.advance(each.seconds * 1000);
        else if (each.do === 'compact' && known.length > 0)
          await stage.run(stage.engine.compact({ db: 'test', coll: 'things' }));
        else if (each.do === 'restart') await stage.reopen();
        else if (each.do === 'read') {
          const bound = { _id: { $gte: from(stage, each.ago) } };
          const sort = doc({ _id: -1 });
          for (const [filter, more] of [
            [bound, {}],
            [bound, { sort }],
            [{}, { sort, limit: each.limit }],
          ] as const) {
            await stage.reopen();
            // No order is promised where none is asked for.
            const shown = (found: Doc[]) => {
              const all = found.map((one) => [one.size, String(one.get('_id')), Number(one.get('n'))]);
              return 'sort' in more ? all : all.sort();
            };
            const read = shown(await stage.find(filter, more));
            expect(shown(await stage.find(filter, more))).toEqual(read);
            expect(shown(await stage.find(filter, more))).toEqual(read);
          }
        }
      }
    }),
    { numRuns: 25 },
  );
});

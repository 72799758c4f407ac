import { expect, test } from 'vitest';
import type { Doc } from '../../src/bson/index.ts';
import { Process, Stage } from '../support/stage.ts';

const MINUTES = 2;
const COLLECTIONS = 6;
const POST = 'POST /channels/:id/messages';
const BULK = 'POST /channels/:id/messages/bulk-delete';
const LIST = 'GET /channels/:id/messages';

/** About 200 bytes of BSON. */
function document(n: number): object {
  return { _id: n, n, name: `name ${n}`, padding: 'x'.repeat(140) };
}

function onStage(play: (stage: Stage, process: Process) => Promise<void>, seed = 1): () => Promise<void> {
  return () =>
    Stage.run({ seed, limits: 'discord' }, async (stage) => {
      const process = await new Process(stage).start();
      await play(stage, process);
      await process.close();
      expect(stage.errors).toEqual([]);
    });
}

type Run = (command: object) => Promise<Doc>;

function must(run: Run): Run {
  return async (command) => {
    const reply = await run({ ...command, $db: 'limits' });
    if (Number(reply.get('ok')) !== 1 || reply.has('writeErrors')) throw new Error(String(reply.get('errmsg')));
    return reply;
  };
}

/** Requests by route since the last call. */
function requests({ emulator }: Stage): Record<string, number> {
  const made = { ...(emulator.stats.toJSON() as { requests: Record<string, number> }).requests };
  emulator.stats.reset();
  return made;
}

test(
  `${MINUTES} minutes of everything at once draw no 429`,
  onStage(async (stage, process) => {
    const end = stage.clock.now() + MINUTES * 60_000;
    let commands = 0;
    const client = async (index: number) => {
      const run = must(process.connect());
      const coll = `c${index % COLLECTIONS}`;
      for (let n = index * 1_000_000; stage.clock.now() < end; n++) {
        await stage.sleep(stage.integer(400));
        const q = { n: { $mod: [7, n % 7] } };
        const dice = stage.integer(100);
        if (dice < 50) await run({ insert: coll, documents: [document(n)] });
        else if (dice < 60) {
          const documents = Array.from({ length: 300 }, (_, at) => document(n + (at + 1) / 1000));
          await run({ insert: coll, documents });
        } else if (dice < 75) await run({ update: coll, updates: [{ q, u: { $inc: { v: 1 } } }] });
        else if (dice < 80) await run({ update: coll, updates: [{ q, u: { $inc: { v: 1 } }, multi: true }] });
        else if (dice < 90) await run({ delete: coll, deletes: [{ q, limit: 1 }] });
        else if (dice < 92) await run({ delete: coll, deletes: [{ q, limit: 0 }] });
        else if (dice < 99) await run({ find: coll, filter: q, batchSize: 10, singleBatch: true });
        else {
          await run({ create: `temporary-${n}` });
          await run({ drop: `temporary-${n}` });
        }
        commands++;
      }
    };
    await Promise.all(Array.from({ length: 12 }, (_, index) => client(index)));
    const { total, limited } = stage.emulator.stats.toJSON();
    expect(commands).toBeGreaterThan(500);
    expect(total).toBeGreaterThan(300);
    expect(limited).toBe(0);
  }),
  120_000,
);

test(
  'a restart in the middle of it draws no 429 either: the new process learns the limits before it leans on them',
  onStage(async (stage, process) => {
    const run = must(process.connect());
    for (let n = 0; n < 30; n++) await run({ insert: 'things', documents: [document(n)] });
    await process.close();
    const next = await new Process(stage).start();
    const again = must(next.connect());
    const inserts = Array.from({ length: 40 }, (_, n) =>
      again({ insert: `c${n % 4}`, documents: [document(n + 100)] }),
    );
    await Promise.all(inserts);
    expect(Number((await again({ count: 'things', query: {} })).get('n'))).toBe(30);
    await next.close();
    expect(stage.emulator.stats.toJSON().limited).toBe(0);
  }),
  60_000,
);

test(
  'the budget holds with limits too',
  onStage(async (stage, process) => {
    const run = must(process.connect());
    await run({ insert: 'things', documents: [document(-1)] });
    await stage.sleep(10_000);
    const spent = async (work: () => Promise<unknown>) => {
      requests(stage);
      await work();
      return requests(stage);
    };
    const batch = (from: number, count: number) => ({
      insert: 'things',
      documents: Array.from({ length: count }, (_, n) => document(from + n)),
    });
    expect(await spent(() => run({ insert: 'things', documents: [document(0)] }))).toEqual({ [POST]: 1 });
    expect(await spent(() => run(batch(1, 1000)))).toEqual({ [POST]: 1 });
    const hundred = await spent(() =>
      Promise.all(Array.from({ length: 100 }, (_, n) => run({ insert: 'things', documents: [document(2000 + n)] }))),
    );
    expect(Object.keys(hundred)).toEqual([POST]);
    expect(hundred[POST]).toBeLessThanOrEqual(6);
    await run(batch(10_000, 10_000));
    for (const command of [
      { update: 'things', updates: [{ q: { n: { $gte: 10_000 } }, u: { $inc: { v: 1 } }, multi: true }] },
      { delete: 'things', deletes: [{ q: { n: { $gte: 10_000 } }, limit: 0 }] },
    ]) {
      const { [POST]: posts, [BULK]: bulks = 0 } = await spent(() => run(command));
      expect(posts).toBe(1);
      expect(bulks).toBeLessThanOrEqual(102);
    }
    expect(await spent(() => run({ find: 'things', filter: {} }))).toEqual({});
    await process.close();
    const next = await new Process(stage).start();
    const first = await spent(() => must(next.connect())({ find: 'things', filter: {}, limit: 10 }));
    expect(Object.keys(first)).toEqual([LIST]);
    expect(first[LIST]).toBeLessThanOrEqual(2);
    await next.close();
    expect(stage.emulator.stats.toJSON().limited).toBe(0);
  }),
  60_000,
);

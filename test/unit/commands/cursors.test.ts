import { describe, expect, it } from 'vitest';
import { Binary, Decimal128, type Doc } from '../../../src/bson/index.ts';
import { at, failure, Harness, newConnection } from './harness.ts';

const MINUTE = 60_000;
const lsid = (byte: number) => ({ id: new Binary(new Uint8Array(16).fill(byte), 4) });

async function filled(count: number): Promise<Harness> {
  const harness = new Harness();
  await harness.insert('c', ...Array.from({ length: count }, (_, i) => ({ _id: i })));
  return harness;
}

const size = (reply: Doc, batch = 'firstBatch') => (at(reply, `cursor.${batch}`) as unknown[]).length;
const id = (reply: Doc) => at(reply, 'cursor.id') as bigint;

describe('a first batch', () => {
  it('holds 101 documents unless the client says otherwise', async () => {
    const harness = await filled(250);
    const reply = await harness.run({ find: 'c' });
    expect(size(reply)).toBe(101);
    expect(id(reply) > 0n).toBe(true);
    expect(at(reply, 'cursor.ns')).toBe('test.c');
    const rest = await harness.run({ getMore: id(reply), collection: 'c' });
    expect([size(rest, 'nextBatch'), id(rest)]).toEqual([149, 0n]);
    expect(harness.engine.openCursors).toBe(0);
  });

  it('may be empty, to be read later', async () => {
    const harness = await filled(3);
    const reply = await harness.run({ find: 'c', batchSize: 0 });
    expect([size(reply), id(reply) > 0n]).toEqual([0, true]);
    expect(size(await harness.run({ getMore: id(reply), collection: 'c', batchSize: 2 }), 'nextBatch')).toBe(2);
  });

  it.each([
    ['0.5', 0],
    ['1.5', 2],
    ['2.5', 2],
    ['2.500000000000000000001', 3],
  ])('of a decimal %s has %i documents: rounded, half to even', async (text, count) => {
    const harness = await filled(5);
    expect(size(await harness.run({ find: 'c', batchSize: Decimal128.fromString(text) }))).toBe(count);
  });

  it('is all there is with singleBatch, or when the limit is reached', async () => {
    const harness = await filled(10);
    expect(id(await harness.run({ find: 'c', batchSize: 2, singleBatch: true }))).toBe(0n);
    expect(id(await harness.run({ find: 'c', limit: 5, batchSize: 5 }))).toBe(0n);
    const part = await harness.run({ find: 'c', limit: 5, batchSize: 3 });
    const rest = await harness.run({ getMore: id(part), collection: 'c', batchSize: 100 });
    expect([size(rest, 'nextBatch'), id(rest)]).toEqual([2, 0n]);
    expect(harness.engine.openCursors).toBe(0);
  });
});

describe('getMore', () => {
  it('of a cursor that is not there is CursorNotFound', async () => {
    expect(failure(await new Harness().run({ getMore: 5n, collection: 'c' }))).toEqual([
      43,
      'CursorNotFound',
      'cursor id 5 not found',
    ]);
  });

  it('on another namespace is refused', async () => {
    const harness = await filled(3);
    const cursor = id(await harness.run({ find: 'c', batchSize: 1 }));
    expect(failure(await harness.run({ getMore: cursor, collection: 'd' }))).toEqual([
      13,
      'Unauthorized',
      "Requested getMore on namespace 'test.d', but cursor belongs to a different namespace test.c",
    ]);
  });

  it('may come over any connection, but only in the session of the cursor', async () => {
    const harness = await filled(9);
    const cursor = id(await harness.run({ find: 'c', batchSize: 1, lsid: lsid(1) }));
    const more = { getMore: cursor, collection: 'c', batchSize: 1 };
    expect((await harness.run({ ...more, lsid: lsid(1) }, { connection: newConnection(2) })).get('ok')).toBe(1);
    expect(failure(await harness.run(more))[0]).toBe(50737);
    expect(failure(await harness.run({ ...more, lsid: lsid(2) }))[0]).toBe(50738);
  });

  it('while another reads is CursorInUse', async () => {
    const harness = await filled(9);
    const cursor = id(await harness.run({ find: 'c', batchSize: 1 }));
    let go = () => {};
    harness.engine.reading = new Promise((resolve) => {
      go = resolve;
    });
    const first = harness.run({ getMore: cursor, collection: 'c', batchSize: 1 });
    expect(failure(await harness.run({ getMore: cursor, collection: 'c' })).slice(0, 2)).toEqual([143, 'CursorInUse']);
    go();
    expect(size(await first, 'nextBatch')).toBe(1);
  });

  it('takes no maxTimeMS, but counts against that of the find', async () => {
    const harness = await filled(9);
    const cursor = id(await harness.run({ find: 'c', batchSize: 1, maxTimeMS: 100 }));
    const more = { getMore: cursor, collection: 'c', batchSize: 1 };
    expect(failure(await harness.run({ ...more, maxTimeMS: 5 }))[1]).toBe('BadValue');
    harness.engine.reading = new Promise(() => {});
    expect(failure(await harness.clock.run(harness.run(more)))[1]).toBe('MaxTimeMSExpired');
    expect(harness.clock.monotonic()).toBe(100);
  });
});

describe('an idle cursor', () => {
  it('ends after ten minutes and frees what it held', async () => {
    const harness = await filled(9);
    const cursor = id(await harness.run({ find: 'c', batchSize: 1 }));
    await harness.clock.advance(9 * MINUTE);
    await harness.run({ getMore: cursor, collection: 'c', batchSize: 1 });
    await harness.clock.advance(9 * MINUTE);
    expect(harness.engine.openCursors).toBe(1);
    await harness.clock.advance(2 * MINUTE);
    expect(harness.engine.openCursors).toBe(0);
    expect(failure(await harness.run({ getMore: cursor, collection: 'c' }))[1]).toBe('CursorNotFound');
  });

  it('lives on with noCursorTimeout, until its session ends', async () => {
    const harness = await filled(9);
    await harness.run({ find: 'c', batchSize: 1, noCursorTimeout: true, lsid: lsid(1) });
    await harness.clock.advance(29 * MINUTE);
    expect(harness.engine.openCursors).toBe(1);
    await harness.clock.advance(2 * MINUTE);
    expect(harness.engine.openCursors).toBe(0);
  });

  it('ends when setParameter says', async () => {
    const harness = await filled(9);
    const before = await harness.admin({ setParameter: 1, cursorTimeoutMillis: MINUTE });
    expect(before.get('was')).toBe(600_000n);
    await harness.run({ find: 'c', batchSize: 1 });
    await harness.clock.advance(MINUTE);
    expect(harness.engine.openCursors).toBe(0);
  });
});

describe('killCursors', () => {
  it('tells which cursors there were', async () => {
    const harness = await filled(9);
    const cursor = id(await harness.run({ find: 'c', batchSize: 1 }));
    const reply = await harness.run({ killCursors: 'c', cursors: [cursor, 5n] }, { connection: newConnection(2) });
    expect([...reply].slice(0, 4)).toEqual([
      ['cursorsKilled', [cursor]],
      ['cursorsNotFound', [5n]],
      ['cursorsAlive', []],
      ['cursorsUnknown', []],
    ]);
    expect(harness.engine.openCursors).toBe(0);
  });

  it('interrupts whoever reads', async () => {
    const harness = await filled(9);
    const cursor = id(await harness.run({ find: 'c', batchSize: 1 }));
    harness.engine.reading = new Promise(() => {});
    const reading = harness.run({ getMore: cursor, collection: 'c' });
    await harness.clock.settle();
    await harness.run({ killCursors: 'c', cursors: [cursor] });
    expect(failure(await reading).slice(0, 2)).toEqual([237, 'CursorKilled']);
  });
});

describe('close', () => {
  it('frees every cursor', async () => {
    const harness = await filled(9);
    await harness.run({ find: 'c', batchSize: 1, noCursorTimeout: true });
    await harness.dispatcher.close();
    expect(harness.engine.openCursors).toBe(0);
  });
});

import { describe, expect, it } from 'vitest';
import { Binary, Int32 } from '../../../src/bson/index.ts';
import { at, failure, Harness } from './harness.ts';

const lsid = (byte: number) => ({ id: new Binary(new Uint8Array(16).fill(byte), 4) });
const open = (harness: Harness, byte: number) => harness.run({ find: 'c', batchSize: 1, lsid: lsid(byte) });
const active = async (harness: Harness) =>
  at(await harness.run({ serverStatus: 1 }), 'logicalSessionRecordCache.activeSessionsCount');

async function twoSessions(): Promise<Harness> {
  const harness = new Harness();
  await harness.insert('c', { a: 1 }, { a: 2 });
  await open(harness, 1);
  await open(harness, 2);
  return harness;
}

describe('a session', () => {
  it('begins with startSession, whose id is new each time', async () => {
    const harness = new Harness();
    const [first, second] = [await harness.run({ startSession: 1 }), await harness.run({ startSession: 1 })];
    expect(at(first, 'timeoutMinutes')).toEqual(new Int32(30));
    expect((at(first, 'id.id') as Binary).sub_type).toBe(4);
    expect(at(first, 'id.id')).not.toEqual(at(second, 'id.id'));
    expect(await active(harness)).toEqual(new Int32(2));
  });

  it('begins by being used, ends after 30 idle minutes, and is kept by refreshSessions', async () => {
    const harness = await twoSessions();
    expect(await active(harness)).toEqual(new Int32(2));
    await harness.clock.advance(20 * 60_000);
    await harness.run({ refreshSessions: [lsid(1)] });
    await harness.clock.advance(11 * 60_000);
    expect(await active(harness)).toEqual(new Int32(1));
    await harness.clock.advance(20 * 60_000);
    expect(await active(harness)).toEqual(new Int32(0));
  });

  it('ends with endSessions, and its cursors with it', async () => {
    const harness = await twoSessions();
    expect((await harness.run({ endSessions: [lsid(1), lsid(9)] })).get('ok')).toBe(1);
    expect(await active(harness)).toEqual(new Int32(1));
    expect(harness.engine.openCursors).toBe(1);
  });

  it.each([
    [{ killSessions: [lsid(1)] }, 1],
    [{ killSessions: [] }, 0],
    [{ killAllSessions: [] }, 0],
    [{ killAllSessions: [{ user: 'u', db: 'd' }] }, 2],
    [{ killAllSessionsByPattern: [] }, 0],
    [{ killAllSessionsByPattern: [{ lsid: lsid(2) }] }, 1],
  ])('is interrupted: %#', async (command, left) => {
    const harness = await twoSessions();
    expect((await harness.run(command)).get('ok')).toBe(1);
    expect(harness.engine.openCursors).toBe(left);
    expect(await active(harness)).toEqual(new Int32(2));
  });

  it('that is killed loses what runs in it', async () => {
    const harness = await twoSessions();
    harness.engine.reading = new Promise(() => {});
    const reading = open(harness, 1);
    await harness.clock.settle();
    await harness.run({ killSessions: [lsid(1)] });
    expect(failure(await reading).slice(0, 2)).toEqual([11601, 'Interrupted']);
  });

  it('is known by a UUID', async () => {
    const reply = await new Harness().run({ ping: 1, lsid: { id: new Binary(new Uint8Array(3), 4) } });
    expect(failure(reply)[1]).toBe('InvalidUUID');
  });
});

describe('a transaction number', () => {
  const write = (txnNumber: bigint, session = lsid(1)) => ({ insert: 'c', documents: [{}], lsid: session, txnNumber });

  it('only grows', async () => {
    const harness = new Harness();
    expect((await harness.run(write(5n))).get('ok')).toBe(1);
    expect((await harness.run(write(5n))).get('ok')).toBe(1);
    expect((await harness.run(write(1n, lsid(2)))).get('ok')).toBe(1);
    expect(failure(await harness.run(write(4n)))).toEqual([
      225,
      'TransactionTooOld',
      'Retryable write with txnNumber 4 is prohibited on session 01010101-0101-0101-0101-010101010101 because a newer ' +
        'retryable write with txnNumber 5 has already started on this session.',
    ]);
  });

  it('needs a session and a command that can be retried', async () => {
    const harness = new Harness();
    expect(failure(await harness.run({ insert: 'c', documents: [{}], txnNumber: 1n }))[1]).toBe('InvalidOptions');
    const read = await harness.run({ find: 'c', lsid: lsid(1), txnNumber: 1n });
    expect(failure(read).slice(0, 2)).toEqual([50768, 'NotARetryableWriteCommand']);
  });
});

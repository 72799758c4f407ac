import { describe, expect, it } from 'vitest';
import { CodedError, deferred } from '../../../src/base/index.ts';
import { Binary, Int32, ObjectId, toPlain } from '../../../src/bson/index.ts';
import type { AggregateOptions, Namespace } from '../../../src/engine/index.ts';
import { at, failure, Harness } from './harness.ts';

const LSID_BYTES = new Uint8Array(16).fill(5);
const LSID = { id: new Binary(LSID_BYTES, 4) };
const int = (value: number) => new Int32(value);

class StoreError extends Error {
  override readonly name = 'StoreError';
  readonly code: string;

  constructor(code: string) {
    super('by test');
    this.code = code;
  }
}

describe('insert', () => {
  it('counts, and tells of a duplicate beside what it did', async () => {
    const harness = new Harness();
    await harness.insert('c', { _id: 1 });
    const reply = await harness.run({ insert: 'c', documents: [{ _id: 2 }, { _id: 1 }, { _id: 3 }], ordered: false });
    expect(reply.get('ok')).toBe(1);
    expect(reply.get('n')).toEqual(int(2));
    expect(toPlain(at(reply, 'writeErrors') as never)).toEqual([
      {
        index: int(1),
        code: int(11000),
        errmsg: 'E11000 duplicate key error collection: test.c index: _id_ dup key: { _id: 1 }',
        keyPattern: { _id: int(1) },
        keyValue: { _id: int(1) },
      },
    ]);
  });

  it('passes on how a retry is known', async () => {
    const harness = new Harness();
    await harness.run({ insert: 'c', documents: [{}], lsid: LSID, txnNumber: 7n, stmtIds: [3] });
    const [, , options] = harness.engine.called('insert');
    expect(options).toMatchObject({ ordered: true, retry: { lsid: LSID_BYTES, txnNumber: 7n, stmtIds: [3] } });
    await harness.run({ insert: 'c', documents: [{}] });
    expect(harness.engine.called('insert')[2]).toMatchObject({ retry: undefined });
  });
});

describe('update', () => {
  it('counts matches and changes, and names what it upserted', async () => {
    const harness = new Harness();
    await harness.insert('c', { a: 1 }, { a: 1 });
    const reply = await harness.run({
      update: 'c',
      updates: [
        { q: { a: 1 }, u: { $set: { b: 1 } }, multi: true },
        { q: { a: 9 }, u: { $set: { b: 1 } }, upsert: true },
      ],
    });
    expect([reply.get('n'), reply.get('nModified')]).toEqual([int(3), int(2)]);
    expect(at(reply, 'upserted.0.index')).toEqual(int(1));
    expect(at(reply, 'upserted.0._id')).toBeInstanceOf(ObjectId);
  });

  it('passes on pipelines, sort, hint, array filters and let', async () => {
    const harness = new Harness();
    const u = [{ $set: { a: 1 } }];
    await harness.run({
      update: 'c',
      updates: [
        { q: {}, u, sort: { a: -1 }, hint: 'a_1', arrayFilters: [{ 'x.y': 1 }], collation: { locale: 'simple' } },
      ],
      let: { v: 5, w: { $literal: '$x' } },
    });
    const [, statements, options] = harness.engine.called('update');
    expect(statements).toMatchObject([{ multi: false, upsert: false, hint: 'a_1' }]);
    expect(Array.isArray(at(new Map([['s', statements as never]]), 's.0.update') ?? [])).toBe(true);
    const { variables } = (options as { context: { variables: Map<string, unknown> } }).context;
    expect(variables).toEqual(
      new Map<string, unknown>([
        ['v', int(5)],
        ['w', '$x'],
      ]),
    );
  });

  it('of many cannot be retried, nor sorted', async () => {
    const harness = new Harness();
    const updates = [{ q: {}, u: { $set: { a: 1 } }, multi: true }];
    expect(failure(await harness.run({ update: 'c', updates, lsid: LSID, txnNumber: 1n }))).toEqual([
      72,
      'InvalidOptions',
      'Cannot use (or request) retryable writes with multi=true',
    ]);
    const sorted = [{ ...updates[0], sort: { a: 1 } }];
    expect(failure(await harness.run({ update: 'c', updates: sorted }))[1]).toBe('FailedToParse');
  });

  it('evaluates let once for the command', async () => {
    const harness = new Harness();
    const variables = { sum: { $add: [1, 2] }, now: '$$NOW', list: [1, '$$NOW'], more: { $add: ['$$sum', 1] } };
    await harness.run({ update: 'c', updates: [{ q: {}, u: { $set: { a: 1 } } }], let: variables });
    const [, , options] = harness.engine.called('update');
    const { context } = options as { context: { variables: Map<string, unknown>; now: Date } };
    expect(context.variables).toEqual(
      new Map<string, unknown>([
        ['sum', int(3)],
        ['now', context.now],
        ['list', [int(1), context.now]],
        ['more', int(4)],
      ]),
    );
  });
});

describe('delete', () => {
  it('removes one or all', async () => {
    const harness = new Harness();
    await harness.insert('c', { a: 1 }, { a: 1 }, { a: 1 });
    expect((await harness.run({ delete: 'c', deletes: [{ q: { a: 1 }, limit: 1 }] })).get('n')).toEqual(int(1));
    expect((await harness.run({ delete: 'c', deletes: [{ q: { a: 1 }, limit: 0 }] })).get('n')).toEqual(int(2));
  });
});

describe('findAndModify', () => {
  it('returns the document before or after, and what happened to it', async () => {
    const harness = new Harness();
    await harness.insert('c', { _id: 1, a: 1 });
    const before = await harness.run({ findandmodify: 'c', query: { _id: 1 }, update: { $set: { a: 2 } } });
    expect(toPlain(before.get('value'))).toEqual({ _id: int(1), a: int(1) });
    expect(toPlain(before.get('lastErrorObject'))).toEqual({ n: int(1), updatedExisting: true });
    const after = await harness.run({ findAndModify: 'c', query: { _id: 1 }, update: { $set: { a: 3 } }, new: true });
    expect(at(after, 'value.a')).toEqual(int(3));
    const removed = await harness.run({ findAndModify: 'c', query: { _id: 1 }, remove: true });
    expect(toPlain(removed.get('lastErrorObject'))).toEqual({ n: int(1) });
    const missing = await harness.run({ findAndModify: 'c', query: { _id: 1 }, update: { $set: { a: 3 } } });
    expect(missing.get('value')).toBeNull();
    expect(toPlain(missing.get('lastErrorObject'))).toEqual({ n: int(0), updatedExisting: false });
  });

  it.each([
    [{}, 'Either an update or remove=true must be specified'],
    [{ remove: true, update: {} }, 'Cannot specify both an update and remove=true'],
    [{ remove: true, upsert: true }, 'Cannot specify both upsert=true and remove=true '],
    [
      { remove: true, new: true },
      "Cannot specify both new=true and remove=true; 'remove' always returns the deleted document",
    ],
  ])('refuses %j', async (args, text) => {
    expect(failure(await new Harness().run({ findAndModify: 'c', ...args }))).toEqual([9, 'FailedToParse', text]);
  });
});

describe('count, distinct and aggregate', () => {
  it('answer as drivers read them', async () => {
    const harness = new Harness();
    await harness.insert('c', { a: 1 }, { a: 2 }, { a: 2 });
    expect((await harness.run({ count: 'c', query: { a: 2 } })).get('n')).toEqual(int(2));
    expect((await harness.run({ count: 'c', limit: -1 })).get('n')).toEqual(int(1));
    expect((await harness.run({ distinct: 'c', key: 'a' })).get('values')).toEqual([int(1), int(2)]);
    expect((await harness.run({ distinct: 'none', key: 'a' })).get('values')).toEqual([]);
    const found = await harness.run({ aggregate: 'c', pipeline: [{ $match: { a: 2 } }], cursor: {} });
    expect((at(found, 'cursor.firstBatch') as unknown[]).length).toBe(2);
    expect([at(found, 'cursor.id'), at(found, 'cursor.ns')]).toEqual([0n, 'test.c']);
  });

  it('aggregate: 1 stands for no collection', async () => {
    const harness = new Harness();
    const reply = await harness.admin({ aggregate: 1, pipeline: [{ $currentOp: {} }], cursor: {} });
    expect(at(reply, 'cursor.ns')).toBe('admin.$cmd.aggregate');
    const [ns, , { sources }] = harness.engine.called('aggregate') as [Namespace, unknown, AggregateOptions];
    const currentOp = sources!.$currentOp!;
    expect(currentOp(new Map(), ns)()).toEqual([]);
    expect(() => currentOp(new Map(), { ...ns, db: 'test' })).toThrow(/must be run against the 'admin' database/);
    expect(failure(await harness.run({ aggregate: 1, pipeline: [], cursor: {} }))[0]).toBe(73);
    expect(failure(await harness.run({ aggregate: 2, pipeline: [], cursor: {} }))[1]).toBe('BadValue');
  });

  it('$out and $merge go only where writes may go', async () => {
    const harness = new Harness();
    for (const stage of [{ $out: 'system.x' }, { $merge: 'a$b' }, { $merge: { into: { db: 'config', coll: 'c' } } }]) {
      const reply = await harness.run({ aggregate: 'c', pipeline: [stage], cursor: {} });
      expect(reply.get('ok')).toBe(0);
    }
    const writeConcern = { w: 'majority' };
    expect((await harness.run({ aggregate: 'c', pipeline: [{ $out: 'd' }], cursor: {}, writeConcern })).get('ok')).toBe(
      1,
    );
  });
});

describe('config and local', () => {
  it('are read as empty and cannot be written', async () => {
    const harness = new Harness();
    const read = await harness.run({ find: 'shards', $db: 'config' });
    expect(at(read, 'cursor.firstBatch')).toEqual([]);
    for (const db of ['config', 'local']) {
      expect(failure(await harness.run({ insert: 'c', documents: [{}], $db: db }))[1]).toBe('InvalidNamespace');
    }
  });
});

describe('write concern', () => {
  const insert = { insert: 'c', documents: [{ a: 1 }] };

  it.each([
    undefined,
    {},
    { w: 'majority' },
    { j: true },
    { w: 1, j: true },
    { w: 2 },
    { w: 0, j: true },
  ])('%j waits until the write is durable', async (writeConcern) => {
    const harness = new Harness();
    const durable = deferred();
    harness.engine.durable = durable.promise;
    let answered = false;
    const reply = harness.run({ ...insert, writeConcern }).finally(() => {
      answered = true;
    });
    await harness.clock.settle();
    expect(answered).toBe(false);
    durable.resolve();
    expect((await reply).has('writeConcernError')).toBe(false);
  });

  it.each([{ w: 1 }, { w: 0 }, { w: 1, j: false }])('%j does not wait', async (writeConcern) => {
    const harness = new Harness();
    harness.engine.durable = deferred().promise;
    expect((await harness.run({ ...insert, writeConcern })).get('ok')).toBe(1);
  });

  it('w: 0 is answered without figures and errors', async () => {
    const harness = new Harness();
    const documents = [{ _id: 1 }, { _id: 1 }];
    const told = await harness.run({ insert: 'c', documents, writeConcern: { w: 0 } });
    expect([...told.keys()]).not.toContain('n');
    expect(told.has('writeErrors')).toBe(false);
    expect(told.get('ok')).toBe(1);
    expect((await harness.run({ insert: 'c', documents, writeConcern: { w: 1 } })).get('n')).toEqual(int(0));
  });

  it('wtimeout ends the wait with an error beside the write', async () => {
    const harness = new Harness();
    harness.engine.durable = deferred().promise;
    const reply = await harness.clock.run(harness.run({ ...insert, writeConcern: { w: 'majority', wtimeout: 50 } }));
    expect([reply.get('ok'), reply.get('n')]).toEqual([1, int(1)]);
    expect(at(reply, 'writeConcernError.code')).toEqual(int(64));
    expect(at(reply, 'writeConcernError.errmsg')).toBe('waiting for replication timed out');
    expect(at(reply, 'writeConcernError.errInfo.wtimeout')).toBe(true);
  });

  it('maxTimeMS ends the wait, too', async () => {
    const harness = new Harness();
    harness.engine.durable = deferred().promise;
    const reply = await harness.clock.run(harness.run({ ...insert, maxTimeMS: 50 }));
    expect([reply.get('ok'), at(reply, 'writeConcernError.codeName')]).toEqual([1, 'MaxTimeMSExpired']);
  });

  it('a mode that nobody defined is told after the write', async () => {
    const reply = await new Harness().run({ ...insert, writeConcern: { w: 'east' } });
    expect(reply.get('ok')).toBe(1);
    expect([at(reply, 'writeConcernError.code'), at(reply, 'writeConcernError.errmsg')]).toEqual([
      int(79),
      "No write concern mode named 'east' found in replica set configuration",
    ]);
    const nameless = await new Harness().run({ ...insert, writeConcern: { w: null } });
    expect([nameless.get('n'), at(nameless, 'writeConcernError.code')]).toEqual([int(1), int(79)]);
    const created = await new Harness().run({ create: 'c', writeConcern: { w: { east: 1 } } });
    expect([created.get('ok'), at(created, 'writeConcernError.code')]).toEqual([1, int(79)]);
  });

  it.each([
    [{ w: 51 }, 'w has to be a non-negative number and not greater than 50; found: 51'],
    [{ w: -1 }, 'w has to be a non-negative number and not greater than 50; found: -1'],
    [{ j: true, fsync: true }, 'fsync and j options cannot be used together'],
    [{ w: Number.NaN }, 'w cannot be NaN'],
    [{ w: [] }, 'w has to be a number, string, or object; found: array'],
    [{ w: {} }, 'tagged write concern requires tags'],
    [{ w: { east: 'x' } }, 'tags must be a single level document with only number values; found: east: "x"'],
    [{ w: 1, wtimeout: 2 ** 31 }, 'wtimeout must be a 32-bit integer'],
  ])('%j is refused', async (writeConcern, text) => {
    expect(failure(await new Harness().run({ ...insert, writeConcern }))).toEqual([9, 'FailedToParse', text]);
  });

  it.each([
    ['forbidden', 96, /permission/],
    ['unauthorized', 96, /token/],
    ['gone', 96, /channel/],
    ['full', 14031, /room/],
    ['closed', 96, /stopped/],
  ])('a write that Discord refuses for good (%s) fails as a whole', async (code, number, text) => {
    const harness = new Harness();
    harness.engine.durable = Promise.reject(new StoreError(code));
    const reply = await harness.run({ ...insert, lsid: LSID, txnNumber: 1n });
    expect([reply.get('ok'), failure(reply)[0]]).toEqual([0, number]);
    expect(reply.get('errmsg')).toMatch(text);
    expect(reply.has('errorLabels')).toBe(false);
  });
});

describe('read concern', () => {
  it.each([
    ['local', 'local'],
    ['available', 'local'],
    ['majority', 'durable'],
    ['linearizable', 'durable'],
  ])('%s reads what is %s', async (level, read) => {
    const harness = new Harness();
    await harness.run({ find: 'c', readConcern: { level } });
    expect(harness.engine.called('find')[1]).toMatchObject({ read });
  });

  it('snapshot and unknown levels are refused', async () => {
    const harness = new Harness();
    expect(failure(await harness.run({ find: 'c', readConcern: { level: 'snapshot' } }))[1]).toBe('NotImplemented');
    expect(failure(await harness.run({ find: 'c', readConcern: { level: 'x' } }))[2]).toBe(
      "Enumeration value 'x' for field 'readConcern.level' is not a valid value.",
    );
  });
});

describe('an error of the engine', () => {
  it('keeps its code and its details', async () => {
    const harness = new Harness();
    harness.engine.failure = new CodedError('Location17053', 'by number');
    expect(failure(await harness.run({ find: 'c' }))).toEqual([17053, 'Location17053', 'by number']);
    harness.engine.failure = new CodedError('NoSuchName', 'by a name that MongoDB lacks');
    expect(failure(await harness.run({ find: 'c' })).slice(0, 2)).toEqual([1, 'InternalError']);
  });
});

import { describe, expect, it } from 'vitest';
import { CodedError, deferred } from '../../../src/base/index.ts';
import { Binary, type Doc, decode, doc, encode, Timestamp } from '../../../src/bson/index.ts';
import { at, failure, Harness, message } from './harness.ts';

const LSID = { id: new Binary(new Uint8Array(16).fill(5), 4) };

describe('a reply', () => {
  it('ends with ok, cluster time and operation time, errors too', async () => {
    const harness = new Harness();
    for (const reply of [await harness.run({ ping: 1 }), await harness.run({ nothing: 1 })]) {
      expect([...reply.keys()].slice(-2)).toEqual(['$clusterTime', 'operationTime']);
      expect(at(reply, '$clusterTime.clusterTime')).toBeInstanceOf(Timestamp);
      expect(at(reply, '$clusterTime.signature.keyId')).toBe(0n);
      expect((at(reply, '$clusterTime.signature.hash') as Binary).length()).toBe(20);
    }
    expect((await harness.run({ ping: 1 })).get('ok')).toBe(1);
    expect((await harness.run({ nothing: 1 })).get('ok')).toBe(0);
  });

  it('moves the cluster time on with every write and never back', async () => {
    const harness = new Harness();
    const time = (reply: Doc) => (reply.get('operationTime') as Timestamp).toBigInt();
    const before = time(await harness.run({ ping: 1 }));
    const first = time(await harness.run({ insert: 'c', documents: [{ a: 1 }] }));
    const second = time(await harness.run({ insert: 'c', documents: [{ a: 1 }] }));
    expect(first > before && second > first).toBe(true);
    const seen = new Timestamp({ t: Math.floor(harness.clock.now() / 1000) + 50, i: 9 });
    const gossiped = await harness.run({ ping: 1, $clusterTime: { clusterTime: seen, signature: {} } });
    expect(time(gossiped)).toBe(seen.toBigInt());
  });

  it('refuses a cluster time of a clock that is years ahead', async () => {
    const harness = new Harness();
    const far = new Timestamp({ t: Math.floor(harness.clock.now() / 1000) + 400 * 24 * 3600, i: 1 });
    const reply = await harness.run({ ping: 1, $clusterTime: { clusterTime: far } });
    expect(failure(reply).slice(0, 2)).toEqual([205, 'ClusterTimeFailsRateLimiter']);
  });

  it('that would not fit a message is an error', async () => {
    const harness = new Harness();
    const big = 'x'.repeat(9 * 1024 * 1024);
    await harness.insert('c', { _id: 1, a: `${big}1` }, { _id: 2, a: `${big}2` });
    expect(failure(await harness.run({ distinct: 'c', key: 'a' })).slice(0, 2)).toEqual([10334, 'BSONObjectTooLarge']);
  });
});

describe('a command', () => {
  it('is found by its name and by its old spellings', async () => {
    const harness = new Harness();
    for (const command of [{ buildinfo: 1 }, { dbstats: 1 }, { collstats: 'c' }, { ismaster: 1 }, { isMaster: 1 }]) {
      expect((await harness.run(command)).get('ok')).toBe(1);
    }
  });

  it('that is unknown is CommandNotFound', async () => {
    const reply = await new Harness().run({ atlasVersion: 1 });
    expect(failure(reply)).toEqual([59, 'CommandNotFound', "no such command: 'atlasVersion'"]);
  });

  it.each(['commitTransaction', 'top', 'mapReduce'])('%s does not exist yet', async (name) => {
    expect(failure(await new Harness().admin({ [name]: 1 }))[0]).toBe(59);
  });

  it('for the admin database is refused elsewhere', async () => {
    expect(failure(await new Harness().run({ listDatabases: 1 }))).toEqual([
      13,
      'Unauthorized',
      'listDatabases may only be run against the admin database.',
    ]);
  });

  it('without $db is refused', async () => {
    const harness = new Harness();
    const { body } = await harness.dispatcher.dispatch(
      { ...message({}), body: encode(doc({ ping: 1 })) },
      harness.connection,
    );
    expect(failure(decode(body))[0]).toBe(40571);
  });

  it.each([
    ['a/b', "Invalid database name: 'a/b'"],
    ['', "Invalid database name: ''"],
    ['a'.repeat(64), 'db name must be at most 63 characters, found: 64'],
  ])('on the database %j is refused', async (db, text) => {
    expect(failure(await new Harness().run({ ping: 1, $db: db }))).toEqual([73, 'InvalidNamespace', text]);
  });

  it('of broken BSON is InvalidBSON', async () => {
    const harness = new Harness();
    const { body } = await harness.dispatcher.dispatch(
      { ...message({}), body: Uint8Array.of(9, 0, 0, 0, 2, 97, 0, 255, 0) },
      harness.connection,
    );
    expect(failure(decode(body))[1]).toBe('InvalidBSON');
  });

  it('that fails inside is InternalError and keeps its text to the log', async () => {
    const harness = new Harness();
    harness.engine.failure = new Error('a secret');
    const reply = await harness.run({ find: 'c' });
    expect(failure(reply).slice(0, 2)).toEqual([1, 'InternalError']);
    expect(String(reply.get('errmsg'))).not.toContain('secret');
  });
});

describe('OP_QUERY', () => {
  it('carries the handshake, wrapped or not', async () => {
    const harness = new Harness();
    for (const body of [
      { isMaster: 1 },
      { $query: { ismaster: 1 }, $readPreference: { mode: 'primary' } },
      { hello: 1 },
    ]) {
      expect((await harness.run(body, { db: 'admin' })).get('msg')).toBe('isdbgrid');
    }
  });

  it('carries nothing else', async () => {
    const reply = await new Harness().run({ find: 'c' }, { db: 'test' });
    expect(failure(reply).slice(0, 2)).toEqual([352, 'UnsupportedOpQueryCommand']);
    expect(reply.get('errmsg')).toMatch(
      /^Unsupported OP_QUERY command: find\. The client driver may require an upgrade\./,
    );
  });
});

describe('document sequences', () => {
  it('stand for the array fields of their names', async () => {
    const harness = new Harness();
    const documents = [encode(doc({ _id: 1, a: 1 })), encode(doc({ _id: 2, a: 1 }))];
    const inserted = await harness.run({ insert: 'c' }, { sequences: new Map([['documents', documents]]) });
    expect(at(inserted, 'n')).toEqual(doc({ n: 2 }).get('n'));
    const updates = [encode(doc({ q: { a: 1 }, u: { $set: { b: 2 } }, multi: true }))];
    const updated = await harness.run({ update: 'c' }, { sequences: new Map([['updates', updates]]) });
    expect(at(updated, 'nModified')).toEqual(doc({ n: 2 }).get('n'));
  });

  it('are refused beside a field of their name, and under a name that nothing has', async () => {
    const harness = new Harness();
    const sequences = new Map([['documents', [encode(doc({ a: 1 }))]]]);
    expect(failure(await harness.run({ insert: 'c', documents: [] }, { sequences }))[0]).toBe(40413);
    const unknown = new Map([['extras', [encode(doc({ a: 1 }))]]]);
    expect(failure(await harness.run({ insert: 'c', documents: [{}] }, { sequences: unknown }))[0]).toBe(40415);
  });

  it('must be sound BSON', async () => {
    const broken = encode(doc({ a: 'text' }));
    broken[7] = 99;
    const reply = await new Harness().run({ insert: 'c' }, { sequences: new Map([['documents', [broken]]]) });
    expect(failure(reply)[1]).toBe('InvalidBSON');
  });
});

describe('generic arguments', () => {
  it('are taken by every command', async () => {
    const generic = {
      $readPreference: { mode: 'secondary' },
      lsid: LSID,
      comment: null,
      maxTimeMS: 100,
      apiVersion: '1',
      readConcern: { level: 'local', afterClusterTime: new Timestamp({ t: 1, i: 1 }) },
      $audit: {},
    };
    expect((await new Harness().run({ find: 'c', ...generic })).get('ok')).toBe(1);
  });

  it.each([
    [{ apiVersion: '2' }, 322, 'API version must be "1"'],
    [{ apiStrict: true }, 4886600, 'Provided apiStrict and/or apiDeprecationErrors without passing apiVersion'],
  ])('%j is refused', async (args, code, text) => {
    const reply = await new Harness().run({ ping: 1, ...args });
    expect([failure(reply)[0], failure(reply)[2]]).toEqual([code, text]);
  });

  it('apiStrict refuses what the stable API does not have', async () => {
    const harness = new Harness();
    const strict = { apiVersion: '1', apiStrict: true };
    expect(failure(await harness.run({ buildInfo: 1, ...strict })).slice(0, 2)).toEqual([323, 'APIStrictError']);
    expect((await harness.run({ ping: 1, ...strict })).get('ok')).toBe(1);
  });

  it.each([
    [{ find: 'c', returnKey: false }, "BSON field 'find.returnKey' is not allowed with apiStrict:true."],
    [{ find: 'c', min: { a: 1 } }, "BSON field 'find.min' is not allowed with apiStrict:true."],
    [
      { aggregate: 'c', pipeline: [{ $indexStats: {} }], cursor: {} },
      "$indexStats is not allowed with 'apiStrict: true' in API Version 1",
    ],
    [
      { aggregate: 'c', pipeline: [{ $unionWith: { coll: 'd', pipeline: [{ $indexStats: {} }] } }], cursor: {} },
      "$indexStats is not allowed with 'apiStrict: true' in API Version 1",
    ],
    [
      { aggregate: 'c', pipeline: [{ $collStats: { storageStats: {} } }], cursor: {} },
      "only the 'count' option to $collStats is supported in API Version 1",
    ],
  ])('apiStrict refuses %j', async (command, text) => {
    const reply = await new Harness().run({ ...command, apiVersion: '1', apiStrict: true });
    expect(failure(reply)).toEqual([323, 'APIStrictError', text]);
  });

  it.each([
    [-1, '-1 value for maxTimeMS is out of range [0, 2147483647]'],
    [1.5, 'maxTimeMS has non-integral value'],
    ['1', 'maxTimeMS must be a number'],
  ])('maxTimeMS %j is refused', async (maxTimeMS, text) => {
    expect(failure(await new Harness().run({ ping: 1, maxTimeMS }))).toEqual([2, 'BadValue', text]);
  });

  it('maxTimeMS ends a read that takes longer, and frees its cursor', async () => {
    const harness = new Harness();
    await harness.insert('c', { a: 1 });
    harness.engine.reading = new Promise(() => {});
    const reply = await harness.clock.run(harness.run({ find: 'c', maxTimeMS: 20 }));
    expect(failure(reply)).toEqual([50, 'MaxTimeMSExpired', 'operation exceeded time limit']);
    expect(harness.clock.monotonic()).toBe(20);
  });

  it('a write concern is for commands that write', async () => {
    const harness = new Harness();
    const writeConcern = { w: 1 };
    expect(failure(await harness.run({ find: 'c', writeConcern }))[1]).toBe('InvalidOptions');
    expect((await harness.run({ endSessions: [LSID], writeConcern: { w: 0 } })).get('ok')).toBe(1);
  });

  it.each(['available', 'linearizable', 'snapshot'])('read concern %s is for commands that read', async (level) => {
    expect(failure(await new Harness().run({ ping: 1, readConcern: { level } }))[1]).toBe('InvalidOptions');
  });

  it('a read concern above local is for commands that read', async () => {
    const harness = new Harness();
    const readConcern = { level: 'majority' };
    expect(failure(await harness.run({ ping: 1, readConcern }))[1]).toBe('InvalidOptions');
    expect((await harness.run({ count: 'c', readConcern })).get('ok')).toBe(1);
  });

  it.each([
    { autocommit: false },
    { autocommit: false, startTransaction: true },
  ])('a transaction is refused honestly: %j', async (transaction) => {
    const reply = await new Harness().run({ insert: 'c', documents: [{}], lsid: LSID, txnNumber: 1n, ...transaction });
    expect(failure(reply)).toEqual([
      263,
      'OperationNotSupportedInTransaction',
      'DiscoDB does not support multi-document transactions yet',
    ]);
    expect(reply.has('errorLabels')).toBe(false);
  });
});

describe('after close', () => {
  it('commands are interrupted, retryable writes with the label that makes drivers try again', async () => {
    const harness = new Harness();
    await harness.dispatcher.close();
    expect(failure(await harness.run({ ping: 1 })).slice(0, 2)).toEqual([11600, 'InterruptedAtShutdown']);
    const write = await harness.run({ insert: 'c', documents: [{}], lsid: LSID, txnNumber: 1n });
    expect(write.get('errorLabels')).toContain('RetryableWriteError');
  });

  it('a write that was under way when Discord was let go may be sent again', async () => {
    const harness = new Harness();
    const durable = deferred();
    harness.engine.durable = durable.promise;
    const write = harness.run({ insert: 'c', documents: [{}], lsid: LSID, txnNumber: 1n });
    await harness.clock.settle();
    await harness.dispatcher.close();
    durable.reject(Object.assign(new Error('closed'), { name: 'StoreError', code: 'closed' }));
    const reply = await write;
    expect([failure(reply)[1], reply.get('errorLabels')]).toEqual(['InterruptedAtShutdown', ['RetryableWriteError']]);
  });

  it('hello says that the server stops, with the next topology version', async () => {
    const harness = new Harness();
    await harness.dispatcher.close();
    const reply = await harness.run({ hello: 1 });
    expect(failure(reply).slice(0, 2)).toEqual([91, 'ShutdownInProgress']);
    expect(at(reply, 'topologyVersion.counter')).toBe(1n);
  });
});

describe('a client that leaves', () => {
  it('ends its read but not its write', async () => {
    const harness = new Harness();
    await harness.insert('c', { a: 1 });
    harness.engine.reading = new Promise(() => {});
    const gone = new AbortController();
    const read = harness.run({ find: 'c' }, { signal: gone.signal });
    let durable = () => {};
    harness.engine.durable = new Promise((resolve) => {
      durable = resolve;
    });
    const write = harness.run({ insert: 'c', documents: [{ a: 2 }] }, { signal: gone.signal });
    await harness.clock.settle();
    gone.abort(new CodedError('ClientDisconnect', 'gone'));
    expect(failure(await read)[1]).toBe('ClientDisconnect');
    durable();
    expect((await write).get('ok')).toBe(1);
  });
});

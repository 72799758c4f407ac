import { beforeEach, describe, expect, it } from 'vitest';
import { type Doc, decode, doc, encode } from '../../../src/bson/index.ts';
import { StoreError } from '../../../src/store/index.ts';
import { NS, plain, Stage } from './stage.ts';

let stage: Stage;
beforeEach(async () => {
  stage = await Stage.open();
});

describe('writes', () => {
  it('make a collection that a new process finds, in insertion order, byte for byte', async () => {
    const docs = Array.from({ length: 300 }, (_, n) => ({ _id: 300 - n, n, text: `text ${n}` }));
    await stage.insert(docs);
    await stage.update({ n: 7 }, { $set: { text: 'updated' } });
    await stage.delete({ n: { $gte: 200, $lt: 250 } });
    const before = await stage.find();
    await stage.reopen();
    const after = await stage.find();
    expect(after.map(encode)).toEqual(before.map(encode));
    expect(after).toHaveLength(250);
    expect(plain(after[7]?.get('_id'))).toBe(293);
    expect(after[7]?.get('text')).toBe('updated');
  });

  it('put a missing _id in front, and move one that stands elsewhere', async () => {
    await stage.insert([{ a: 1 }, { a: 2, _id: 'later', b: 3 }]);
    const [first, second] = await stage.find();
    expect([...first!.keys()]).toEqual(['_id', 'a']);
    expect([...second!.keys()]).toEqual(['_id', 'a', 'b']);
    expect(second!.get('_id')).toBe('later');
  });

  it('stop at the first error when ordered, go on when not', async () => {
    const docs = [{ _id: 1 }, { _id: 1 }, { _id: 2 }];
    const ordered = await stage.insert(docs);
    expect([ordered.n, ordered.errors.map(({ index }) => index)]).toEqual([1, [1]]);
    const unordered = await stage.insert(docs, { ordered: false });
    expect([unordered.n, unordered.errors.map(({ index }) => index)]).toEqual([1, [0, 1]]);
    expect(unordered.errors[0]?.error.message).toBe(
      'E11000 duplicate key error collection: test.things index: _id_ dup key: { _id: 1 }',
    );
  });

  it('are executed once under one transaction number, also after a restart', async () => {
    const retry = { lsid: new Uint8Array(16).fill(9), txnNumber: 5n, stmtIds: [] };
    await stage.insert([{ _id: 1, n: 0 }]);
    await stage.update({ _id: 1 }, { $inc: { n: 1 } }, { retry });
    const again = await stage.update({ _id: 1 }, { $inc: { n: 1 } }, { retry });
    expect([again.n, again.nModified, again.retriedStmtIds]).toEqual([1, 1, [0]]);
    await stage.reopen();
    const restarted = await stage.update({ _id: 1 }, { $inc: { n: 1 } }, { retry });
    expect([restarted.n, restarted.retriedStmtIds]).toEqual([1, [0]]);
    expect(await stage.values('n')).toEqual([1]);
    const older = await stage.update({ _id: 1 }, { $inc: { n: 1 } }, { retry: { ...retry, txnNumber: 4n } });
    expect(older.errors[0]?.error).toMatchObject({ codeName: 'TransactionTooOld' });
  });

  it('of commands that run at the same time each wait for their own record, and leave their own mark', async () => {
    const ids = Array.from({ length: 20 }, (_, n) => n);
    await stage.insert(ids.map((n) => ({ _id: n, n: 0 })));
    const retry = (n: number) => ({ lsid: new Uint8Array(16).fill(n), txnNumber: 1n, stmtIds: [] });
    const increment = (n: number) => {
      const statement = { filter: doc({ _id: n }), update: doc({ $inc: { n: 1 } }), multi: false, upsert: false };
      return stage.engine.update(NS, [statement], stage.writing({ retry: retry(n) }));
    };
    stage.store.faults.latency = 50;
    let durable = 0;
    const results = await stage.run(Promise.all(ids.map(increment)));
    for (const result of results) result.durable.then(() => durable++);
    await stage.clock.settle();
    expect(durable).toBe(0);
    await stage.run(Promise.all(results.map((result) => result.durable)));
    await stage.reopen();
    const repeated = await stage.run(Promise.all(ids.map(increment)));
    expect(repeated.map(({ n, retriedStmtIds }) => [n, retriedStmtIds])).toEqual(ids.map(() => [1, [0]]));
    expect(await stage.values('n')).toEqual(ids.map(() => 1));
  });

  it('of one command land in one record, however many statements there are', async () => {
    await stage.insert(Array.from({ length: 50 }, (_, n) => ({ _id: n, n })));
    const before = stage.store.requests.append;
    const statements = Array.from({ length: 50 }, (_, n) => ({
      filter: doc({ _id: n }),
      update: doc({ $inc: { n: 100 } }),
      multi: false,
      upsert: false,
    }));
    // The same document twice: only its last version is written.
    const result = await stage.run(stage.engine.update(NS, [...statements, statements[0]!], stage.writing()));
    await stage.run(result.durable);
    expect([result.n, stage.store.requests.append - before]).toEqual([51, 1]);
    await stage.reopen();
    expect(await stage.values('n', { _id: 0 })).toEqual([200]);
  });
});

describe('reads', () => {
  it('see what is applied at once, and what is durable when they ask for that', async () => {
    await stage.insert([
      { _id: 1, v: 'old' },
      { _id: 2, v: 'gone' },
    ]);
    let open = () => {};
    stage.store.faults.gate = new Promise((resolve) => {
      open = resolve;
    });
    const update = { filter: doc({ _id: 1 }), update: doc({ $set: { v: 'new' } }), multi: false, upsert: false };
    const updated = await stage.engine.update(NS, [update], stage.writing());
    const deleted = await stage.engine.delete(NS, [{ filter: doc({ _id: 2 }), limit: 1 }], stage.writing());
    const inserted = await stage.engine.insert(NS, [encode(doc({ _id: 3, v: 'fresh' }))], stage.writing());
    expect(await stage.values('v')).toEqual(['new', 'fresh']);
    expect(await stage.values('v', {}, { read: 'durable' })).toEqual(['old', 'gone']);
    expect(await stage.values('v', { v: 'old' }, { read: 'durable' })).toEqual(['old']);
    expect(await stage.values('v', { _id: 1 }, { read: 'durable' })).toEqual(['old']);
    expect(await stage.values('v', { _id: 3 }, { read: 'durable' })).toEqual([]);
    open();
    await stage.run(Promise.all([updated.durable, deleted.durable, inserted.durable]));
    expect(await stage.values('v', {}, { read: 'durable' })).toEqual(['new', 'fresh']);
  });

  it('see nothing that is on its way, where the change comes while a durable read goes on', async () => {
    await stage.insert(Array.from({ length: 100 }, (_, n) => ({ _id: n, v: 'old' })));
    const cursor = await stage.run(stage.engine.find(NS, stage.query({ v: { $exists: true } }, { read: 'durable' })));
    const seen = (await stage.run(cursor.next(1, 2 ** 24))).map((bytes) => decode(bytes));
    let open = () => {};
    stage.store.faults.gate = new Promise((resolve) => {
      open = resolve;
    });
    const update = { filter: doc({ _id: 90 }), update: doc({ $set: { v: 'new' } }), multi: false, upsert: false };
    const updated = await stage.engine.update(NS, [update], stage.writing());
    const deleted = await stage.engine.delete(NS, [{ filter: doc({ _id: 91 }), limit: 1 }], stage.writing());
    while (!cursor.exhausted) {
      for (const bytes of await stage.run(cursor.next(100, 2 ** 24))) seen.push(decode(bytes));
    }
    expect(seen).toHaveLength(100);
    expect(seen.filter((each) => each.get('v') !== 'old')).toEqual([]);
    open();
    await stage.run(Promise.all([updated.durable, deleted.durable]));
  });

  it('find evicted documents again', async () => {
    stage = await Stage.open({ cacheBytes: 2000 });
    await stage.insert(Array.from({ length: 40 }, (_, n) => ({ _id: n, text: 'x'.repeat(100) })));
    for (let n = 0; n < 40; n++) await stage.update({ _id: n }, { $set: { n } });
    expect(await stage.values('n')).toEqual(Array.from({ length: 40 }, (_, n) => n));
    const result = await stage.update({}, { $inc: { n: 1 } }, { multi: true });
    expect([result.n, result.nModified]).toEqual([40, 40]);
    expect(await stage.values('n', {}, { sort: doc({ n: -1 }), limit: 3 })).toEqual([40, 39, 38]);
  });

  it('of an unopened collection go by pages where the log is pure inserts', async () => {
    for (let n = 0; n < 350; n++) await stage.insert([{ _id: n, n }]);
    await stage.reopen();
    const before = stage.store.requests.page;
    expect(await stage.values('n', {}, { limit: 3 })).toEqual([0, 1, 2]);
    expect(stage.store.requests.page - before).toBeLessThanOrEqual(2);
    expect(await stage.values('n', { n: { $gt: 345 } })).toEqual([346, 347, 348, 349]);
    expect(await stage.values('n', {}, { sort: doc({ $natural: -1 }), limit: 2 })).toEqual([349, 348]);
  });
});

describe('failures', () => {
  it('drop from memory what was never durable, and go on when Discord does', async () => {
    await stage.insert([{ _id: 1, v: 'kept' }]);
    stage.store.faults.fail = (request) =>
      request === 'append' ? new StoreError('forbidden', 'the bot may not send messages here') : undefined;
    const result = await stage.engine.insert(NS, [encode(doc({ _id: 2 }))], stage.writing());
    await expect(stage.run(result.durable)).rejects.toThrow('may not send');
    stage.store.faults.fail = undefined;
    expect(await stage.values('_id')).toEqual([1]);
    await stage.insert([{ _id: 3 }]);
    expect(await stage.values('_id')).toEqual([1, 3]);
  });
});

describe('the catalog', () => {
  const names = () => stage.engine.collections('test').map(({ ns }) => ns.coll);

  it('remembers collections, options, indexes and names across a restart', async () => {
    await stage.run(stage.engine.createCollection({ db: 'test', coll: 'made' }, doc({ comment: 'x' })));
    await stage.insert([{ _id: 1, a: 1 }]);
    await stage.run(stage.engine.createIndexes(NS, [doc({ key: { a: 1 }, name: 'a_1', unique: true })]));
    await stage.run(stage.engine.renameCollection(NS, { db: 'test', coll: 'renamed' }, false));
    await stage.reopen();
    expect(names().sort()).toEqual(['made', 'renamed']);
    const info = stage.engine.collection({ db: 'test', coll: 'renamed' });
    expect(info?.indexes.map(({ name }) => name)).toEqual(['_id_', 'a_1']);
    expect([...info!.indexes[1]!.spec.keys()]).toEqual(['v', 'key', 'name', 'unique']);
    const insert = stage.engine.insert({ db: 'test', coll: 'renamed' }, [encode(doc({ a: 1 }))], stage.writing());
    const { errors } = await stage.run(insert);
    expect(errors[0]?.error).toMatchObject({ codeName: 'DuplicateKey' });
  });

  it('deletes the channel of a dropped collection, at the next start if need be', async () => {
    await stage.insert([{ _id: 1 }]);
    const count = async () =>
      (await stage.store.channels()).filter(({ topic }) => topic.includes('test.things')).length;
    expect(await count()).toBe(1);
    const deleteChannel = stage.store.deleteChannel.bind(stage.store);
    stage.store.deleteChannel = () => Promise.reject(new StoreError('forbidden', 'not now'));
    await stage.run(stage.engine.dropCollection(NS));
    await stage.clock.advance(1000);
    expect([names(), await count()]).toEqual([[], 1]);
    stage.store.deleteChannel = deleteChannel;
    await stage.reopen();
    await stage.clock.advance(1000);
    expect([names(), await count()]).toEqual([[], 0]);
  });

  it('makes one category for a database, and deletes it some time after the last collection, at the next start if need be', async () => {
    const categories = async () =>
      (await stage.store.channels()).filter(({ kind }) => kind === 'category').map(({ name }) => name);
    const create = (coll: string) => stage.engine.createCollection({ db: 'test', coll }, new Map());
    await stage.run(Promise.all([create('a'), create('b'), create('c')]));
    expect((await categories()).sort()).toEqual(['discodb', 'test']);
    await stage.run(stage.engine.dropCollection({ db: 'test', coll: 'a' }));
    await stage.clock.advance(61_000);
    expect((await categories()).sort()).toEqual(['discodb', 'test']);
    const deleteChannel = stage.store.deleteChannel.bind(stage.store);
    stage.store.deleteChannel = () => Promise.reject(new StoreError('forbidden', 'not now'));
    await stage.run(stage.engine.dropDatabase('test'));
    await stage.clock.advance(61_000);
    stage.store.deleteChannel = deleteChannel;
    expect((await categories()).sort()).toEqual(['discodb', 'test']);
    // A new process before the time is up.
    await stage.reopen();
    await stage.clock.advance(61_000);
    expect(await categories()).toEqual(['discodb']);
    await stage.run(create('a'));
    await stage.run(stage.engine.dropDatabase('test'));
    await stage.clock.advance(61_000);
    expect(await categories()).toEqual(['discodb']);
  });

  it('never deletes a channel that holds messages and that it does not know', async () => {
    await stage.insert([{ _id: 1 }]);
    const [category] = (await stage.store.channels()).filter(
      ({ kind, name }) => kind === 'category' && name === 'test',
    );
    const make = (name: string) =>
      stage.store.createChannel({
        name,
        kind: 'text',
        parentId: category!.id,
        topic: `DiscoDB collection test.${name}`,
      });
    const [empty, full] = [await make('empty'), await make('full')];
    await stage.store.append(full.id, () => ({ content: 'somebody was here', files: [], nonce: 'a' }));
    await stage.reopen();
    await stage.clock.advance(1000);
    const left = (await stage.store.channels()).map(({ id }) => id);
    expect([left.includes(empty.id), left.includes(full.id)]).toEqual([false, true]);
  });
});

describe('indexes', () => {
  it('fail whole when existing documents break them', async () => {
    await stage.insert([{ a: 1 }, { a: 2 }, { a: 1 }]);
    const specs = [doc({ key: { b: 1 }, name: 'b_1' }), doc({ key: { a: 1 }, name: 'a_1', unique: true })];
    await expect(stage.run(stage.engine.createIndexes(NS, specs))).rejects.toMatchObject({ codeName: 'DuplicateKey' });
    expect(stage.engine.collection(NS)?.indexes.map(({ name }) => name)).toEqual(['_id_']);
    await stage.insert([{ a: 1 }]);
  });

  it('refuse a document that they cannot hold, and nothing is changed', async () => {
    await stage.insert([{ _id: 1, a: [1], b: 1 }]);
    const specs = [doc({ key: { c: 1 }, name: 'c_1' }), doc({ key: { a: 1, b: 1 }, name: 'a_1_b_1' })];
    await stage.run(stage.engine.createIndexes(NS, specs));
    const inserted = await stage.insert([{ _id: 2, a: [1], b: [1], c: 5 }]);
    expect(inserted.errors[0]?.error).toMatchObject({ codeName: 'CannotIndexParallelArrays' });
    const updated = await stage.update({ _id: 1 }, { $set: { b: [2], c: 6 } });
    expect(updated.errors[0]?.error).toMatchObject({ codeName: 'CannotIndexParallelArrays' });
    expect(await stage.find({ c: { $gt: 0 } })).toEqual([]);
    expect(await stage.values('b')).toEqual([1]);
  });

  it('expire documents', async () => {
    const at = (seconds: number) => new Date(stage.clock.now() + seconds * 1000);
    await stage.insert([{ _id: 1, at: at(30) }, { _id: 2, at: at(3000) }, { _id: 3, at: 'never' }, { _id: 4 }]);
    await stage.run(stage.engine.createIndexes(NS, [doc({ key: { at: 1 }, name: 'at_1', expireAfterSeconds: 60 })]));
    await stage.clock.advance(150_000);
    expect(await stage.values('_id')).toEqual([2, 3, 4]);
    await stage.clock.advance(3_100_000);
    expect(await stage.values('_id')).toEqual([3, 4]);
  });

  it('expire by the earliest date of several, where the index is partial what it holds, and never what is no date', async () => {
    const past = new Date(stage.clock.now() - 1000);
    const future = new Date(stage.clock.now() + 10_000_000);
    await stage.insert([
      { _id: 1, at: [future, past], done: true },
      { _id: 2, at: [future], done: true },
      { _id: 3, at: past, done: false },
      { _id: 4, at: past.getTime(), done: true },
      { _id: 5, at: 'x', done: true },
      { _id: 6, at: [1, 'x', null], done: true },
    ]);
    const spec = { key: { at: 1 }, name: 'at_1', expireAfterSeconds: 0, partialFilterExpression: { done: true } };
    await stage.run(stage.engine.createIndexes(NS, [doc(spec)]));
    await stage.clock.advance(70_000);
    expect(await stage.values('_id')).toEqual([2, 3, 4, 5, 6]);
    expect(stage.engine.ttl.status).toEqual({ passes: 1, deletedDocuments: 1 });
  });

  it('expire as often as they are told, or not at all', async () => {
    const at = new Date(stage.clock.now() + 5000);
    await stage.insert([{ _id: 1, at }]);
    await stage.run(stage.engine.createIndexes(NS, [doc({ key: { at: 1 }, name: 'at_1', expireAfterSeconds: 0 })]));
    stage.engine.ttl.enabled = false;
    stage.engine.ttl.sleepSeconds = 1;
    await stage.clock.advance(10_000);
    expect(await stage.values('_id')).toEqual([1]);
    stage.engine.ttl.enabled = true;
    await stage.clock.advance(2000);
    expect(await stage.values('_id')).toEqual([]);
  });

  it('expire by _id where they are clustered', async () => {
    const clusteredIndex = { v: 2, key: { _id: 1 }, name: '_id_', unique: true };
    await stage.run(stage.engine.createCollection(NS, doc({ clusteredIndex, expireAfterSeconds: 60 })));
    const past = new Date(stage.clock.now() - 90_000);
    await stage.insert([{ _id: past }, { _id: 1 }, { _id: new Date(stage.clock.now() + 30_000) }]);
    await stage.clock.advance(61_000);
    expect((await stage.find()).length).toBe(2);
  });

  it('give what a scan gives, whatever is asked', async () => {
    const values = [null, 1, 2, 2.5, 10n, 'a', 'b', true, [1, 5], [], ['a', null], { x: 1 }, new Date(5)];
    const scalars = values.filter((value) => !Array.isArray(value));
    const pickScalar = () => scalars[Math.floor(stage.env.random.next() * scalars.length)];
    const pick = () => values[Math.floor(stage.env.random.next() * values.length)];
    await stage.insert(
      Array.from({ length: 300 }, (_, n) => ({ _id: n, a: pick(), ...(n % 3 ? { b: pickScalar() } : {}) })),
    );
    const operators = ['$eq', '$gt', '$gte', '$lt', '$lte', '$ne'];
    const filters: object[] = [];
    for (let n = 0; n < 60; n++) {
      const operator = operators[n % operators.length]!;
      filters.push({ a: { [operator]: pick() }, ...(n % 2 ? { b: pick() } : {}) });
      filters.push(
        { a: { $in: [pick(), pick()] } },
        { a: { $gt: 1, $lt: 3 } },
        { $and: [{ a: pick() }, { b: { $exists: n % 2 === 0 } }] },
      );
    }
    const ask = async (filter: object, sort: Doc | undefined) =>
      (await stage.values('_id', filter, { sort })).map(Number);
    const sorts = [undefined, doc({ a: 1, _id: 1 }), doc({ a: -1, b: -1, _id: -1 })];
    const scanned = [];
    for (const [n, filter] of filters.entries()) scanned.push(await ask(filter, sorts[n % 3]));
    const specs = [{ a: 1 }, { a: 1, b: 1 }, { b: -1, a: 1 }, { a: -1, b: -1, _id: -1 }].map((key, n) =>
      doc({ key, name: `index ${n}`, ...(n === 2 && { sparse: true }) }),
    );
    await stage.run(stage.engine.createIndexes(NS, specs));
    for (const [n, filter] of filters.entries()) {
      const found = await ask(filter, sorts[n % 3]);
      const order = n % 3 ? found : [...found].sort((left, right) => left - right);
      expect(
        order,
        JSON.stringify(filter, (_, value) => (typeof value === 'bigint' ? `${value}n` : value)),
      ).toEqual(scanned[n]);
    }
  });
});

it('an answer that rests on what another command did waits until Discord holds that as well', async () => {
  stage = await Stage.open({ cacheBytes: 0 });
  // As many as are fetched together, and one more.
  await stage.insert(Array.from({ length: 256 }, (_, n) => ({ _id: n })));
  await stage.insert([{ _id: 'last' }]);
  stage.store.faults.latency = 100;
  const settled: string[] = [];
  const remove = async (name: string, filter: object, limit: 0 | 1) => {
    const { durable } = await stage.engine.delete(NS, [{ filter: doc(filter), limit }], stage.writing());
    await durable;
    settled.push(name);
  };
  const all = remove('all', {}, 0);
  // The pack and its file have come, and what was in it is on its way out; the last one is being read.
  await stage.clock.advance(350);
  const one = remove('one', { _id: 'last' }, 1);
  await stage.run(Promise.all([all, one]));
  expect(settled).toEqual(['one', 'all']);
});

import { describe, expect, it } from 'vitest';
import { Binary, Int32, toPlain } from '../../../src/bson/index.ts';
import { at, failure, Harness } from './harness.ts';

const int = (value: number) => new Int32(value);

describe('collections', () => {
  it('are listed as the shell and the tools read them', async () => {
    const harness = new Harness();
    await harness.run({ create: 'a' });
    await harness.insert('b', { x: 1 });
    const all = await harness.run({ listCollections: 1, filter: {}, cursor: {} });
    expect(at(all, 'cursor.ns')).toBe('test.$cmd.listCollections');
    expect(at(all, 'cursor.firstBatch.0.info.uuid')).toBeInstanceOf(Binary);
    expect(toPlain(at(all, 'cursor.firstBatch.1') as never)).toMatchObject({
      name: 'b',
      type: 'collection',
      options: {},
      info: { readOnly: false },
      idIndex: { v: int(2), key: { _id: int(1) }, name: '_id_' },
    });
    const named = await harness.run({ listCollections: 1, filter: { name: 'b' }, nameOnly: true });
    expect(toPlain(at(named, 'cursor.firstBatch') as never)).toEqual([{ name: 'b', type: 'collection' }]);
    // The filter sees no more than is shown.
    const filter = { options: { $exists: true } };
    const none = await harness.run({ listCollections: 1, filter, nameOnly: true });
    expect(at(none, 'cursor.firstBatch')).toEqual([]);
  });

  it('are listed in batches', async () => {
    const harness = new Harness();
    for (const name of ['a', 'b', 'c']) await harness.run({ create: name });
    const first = await harness.run({ listCollections: 1, cursor: { batchSize: 2 } });
    const rest = await harness.run({ getMore: at(first, 'cursor.id'), collection: '$cmd.listCollections' });
    expect([at(rest, 'cursor.id'), (at(rest, 'cursor.nextBatch') as unknown[]).length]).toEqual([0n, 1]);
  });

  it('may be made again with the same options only', async () => {
    const harness = new Harness();
    expect((await harness.run({ create: 'a' })).get('ok')).toBe(1);
    expect((await harness.run({ create: 'a' })).get('ok')).toBe(1);
    const other = await harness.run({ create: 'a', validationLevel: 'moderate' });
    expect(failure(other).slice(0, 2)).toEqual([48, 'NamespaceExists']);
  });

  it('are dropped, there or not', async () => {
    const harness = new Harness();
    await harness.run({ create: 'a' });
    expect(toPlain(await harness.run({ drop: 'a' }))).toMatchObject({ nIndexesWas: int(1), ns: 'test.a', ok: 1 });
    expect((await harness.run({ drop: 'a' })).get('ok')).toBe(1);
  });

  it('are renamed from the admin database', async () => {
    const harness = new Harness();
    await harness.insert('a', { x: 1 });
    await harness.run({ create: 'b' });
    const rename = { renameCollection: 'test.a', to: 'test.b' };
    expect(failure(await harness.run(rename))[1]).toBe('Unauthorized');
    expect(failure(await harness.admin(rename))[1]).toBe('NamespaceExists');
    expect((await harness.admin({ ...rename, dropTarget: true })).get('ok')).toBe(1);
    expect(failure(await harness.admin(rename))[1]).toBe('NamespaceNotFound');
    expect(failure(await harness.admin({ renameCollection: 'test.b', to: 'test.b' }))[1]).toBe('IllegalOperation');
  });

  it('tell their size', async () => {
    const harness = new Harness();
    await harness.insert('c', { _id: 1 }, { _id: 2 });
    const stats = await harness.run({ collStats: 'c', scale: 2 });
    expect(toPlain(stats)).toMatchObject({ ns: 'test.c', count: int(2), size: int(14), avgObjSize: int(14) });
    expect(toPlain(stats)).toMatchObject({ nindexes: int(1), indexSizes: { _id_: int(50) }, scaleFactor: int(2) });
    expect((await harness.run({ collStats: 'none' })).get('count')).toEqual(int(0));
    expect((await harness.run({ dataSize: 'test.c' })).get('size')).toEqual(int(28));
    expect(toPlain(await harness.run({ validate: 'c' }))).toMatchObject({ valid: true, nrecords: int(2), errors: [] });
    // PyMongo asks for what MongoDB knows no more.
    expect((await harness.run({ validate: 'c', scandata: false })).get('valid')).toBe(true);
    expect(failure(await harness.run({ validate: 'none' }))[1]).toBe('NamespaceNotFound');
  });
});

describe('databases', () => {
  it('are listed with sizes, by name only, or as a filter says', async () => {
    const harness = new Harness();
    await harness.run({ insert: 'c', documents: [{ _id: 1 }], $db: 'one' });
    await harness.run({ insert: 'c', documents: [{ _id: 1 }], $db: 'two' });
    const all = await harness.admin({ listDatabases: 1 });
    expect(toPlain(at(all, 'databases') as never)).toMatchObject([{ name: 'one' }, { name: 'two', empty: false }]);
    expect([all.get('totalSize'), all.get('totalSizeMb')]).toEqual([28n, 0n]);
    const names = await harness.admin({ listDatabases: 1, nameOnly: true, filter: { name: 'two' } });
    expect(toPlain(names.get('databases'))).toEqual([{ name: 'two' }]);
    expect(names.has('totalSize')).toBe(false);
    expect(harness.engine.calls.filter(({ method }) => method === 'stats')).toEqual([]);
  });

  it('tell their size and are dropped', async () => {
    const harness = new Harness();
    await harness.insert('c', { _id: 1 });
    expect(toPlain(await harness.run({ dbStats: 1 }))).toMatchObject({
      db: 'test',
      collections: int(1),
      objects: int(1),
    });
    expect((await harness.run({ dropDatabase: 1, comment: null })).get('dropped')).toBe('test');
    expect((await harness.run({ dropDatabase: 1 })).has('dropped')).toBe(false);
    expect(failure(await harness.admin({ dropDatabase: 1 }))[1]).toBe('IllegalOperation');
  });
});

describe('indexes', () => {
  const index = (spec: object) => ({ createIndexes: 'c', indexes: [{ key: { a: 1 }, name: 'a_1', ...spec }] });

  it('are made, listed and dropped', async () => {
    const harness = new Harness();
    const made = await harness.run(index({ unique: true, ns: 'test.c', background: true }));
    expect(toPlain(made)).toMatchObject({
      numIndexesBefore: int(1),
      numIndexesAfter: int(2),
      createdCollectionAutomatically: true,
    });
    expect((await harness.run(index({ unique: true }))).get('note')).toBe('all indexes already exist');
    const listed = await harness.run({ listIndexes: 'c', cursor: {} });
    expect(at(listed, 'cursor.ns')).toBe('test.c');
    expect(at(listed, 'cursor.firstBatch.1.unique')).toBe(true);
    expect(failure(await harness.run({ dropIndexes: 'c', index: 'b_1' }))[1]).toBe('IndexNotFound');
    const dropped = await harness.run({ dropIndexes: 'c', index: '*' });
    expect([dropped.get('nIndexesWas'), dropped.get('msg')]).toEqual([
      int(2),
      'non-_id indexes dropped for collection',
    ]);
  });

  it('of what is not there are NamespaceNotFound', async () => {
    const harness = new Harness();
    expect(failure(await harness.run({ listIndexes: 'none' }))).toEqual([
      26,
      'NamespaceNotFound',
      'ns does not exist: test.none',
    ]);
    expect(failure(await harness.run({ dropIndexes: 'none', index: '*' }))[1]).toBe('NamespaceNotFound');
  });

  it.each([
    [{ key: {} }, 'CannotCreateIndex'],
    [{ key: { a: 0 } }, 'CannotCreateIndex'],
    [{ key: { 'a..b': 1 } }, 'CannotCreateIndex'],
    [{ key: { $a: 1 } }, 'CannotCreateIndex'],
    [{ expireAfterSeconds: -1 }, 'CannotCreateIndex'],
    [{ expireAfterSeconds: '5' }, 'CannotCreateIndex'],
    [{ expireAfterSeconds: Number.NaN }, 'CannotCreateIndex'],
    [{ expireAfterSeconds: 2 ** 31 }, 'CannotCreateIndex'],
    [{ expireAfterSeconds: 5, key: { a: 1, b: 1 } }, 'CannotCreateIndex'],
    [{ expireAfterSeconds: 5, key: { _id: 1 } }, 'InvalidIndexSpecificationOption'],
    [{ unique: true, key: { _id: 1 } }, 'InvalidIndexSpecificationOption'],
    [{ collation: {} }, 'BadValue'],
    [{ collation: 'de' }, 'TypeMismatch'],
    [{ name: 5 }, 'TypeMismatch'],
    [{ partialFilterExpression: 5 }, 'TypeMismatch'],
    [{ name: '*' }, 'BadValue'],
    [{ foo: 1 }, 'InvalidIndexSpecificationOption'],
  ])('with %j are refused', async (spec, codeName) => {
    expect(failure(await new Harness().run(index(spec)))[1]).toBe(codeName);
  });

  it('may let documents expire', async () => {
    const harness = new Harness();
    expect((await harness.run(index({ expireAfterSeconds: 0 }))).get('ok')).toBe(1);
    const listed = await harness.run({ listIndexes: 'c' });
    expect(at(listed, 'cursor.firstBatch.1.expireAfterSeconds')).toEqual(int(0));
    expect((await harness.admin({ getParameter: 1, ttlMonitorEnabled: 1 })).get('ttlMonitorEnabled')).toBe(true);
  });

  it('of an _id may be asked for, and are there', async () => {
    const harness = new Harness();
    const ask = { createIndexes: 'c', indexes: [{ v: 2, key: { _id: 1 }, name: '_id_' }] };
    expect((await harness.run(ask)).get('ok')).toBe(1);
  });

  it('may bear unknown options when asked to overlook them', async () => {
    const harness = new Harness();
    expect((await harness.run({ ...index({ foo: 1 }), ignoreUnknownIndexOptions: true })).get('ok')).toBe(1);
    const [, specs] = harness.engine.called('createIndexes');
    expect(toPlain(specs as never)).toEqual([{ key: { a: int(1) }, name: 'a_1', v: int(2) }]);
  });
});

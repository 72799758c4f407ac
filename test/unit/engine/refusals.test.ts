import { beforeEach, describe, expect, it } from 'vitest';
import { type Doc, doc } from '../../../src/bson/index.ts';
import { StoreError } from '../../../src/store/index.ts';
import { NS, Stage } from './stage.ts';

/** What the engine refuses as MongoDB does. */
let stage: Stage;
beforeEach(async () => {
  stage = await Stage.open();
});

describe('a collection that does not exist', () => {
  const wrong = { $nope: 1 };

  it('refuses the queries that an existing one refuses', async () => {
    const { engine } = stage;
    const badValue = { codeName: 'BadValue' };
    await expect(stage.find(wrong)).rejects.toMatchObject(badValue);
    await expect(stage.find({}, { sort: doc({ a: 7 }) })).rejects.toMatchObject({ codeName: /\w/ });
    await expect(stage.run(engine.count(NS, stage.query(wrong)))).rejects.toMatchObject(badValue);
    await expect(stage.run(engine.distinct(NS, 'a', stage.query(wrong)))).rejects.toMatchObject(badValue);
    const pipeline = [doc({ $match: wrong }), doc({ $group: { _id: 1 } })];
    const query = { read: 'local', context: stage.context } as const;
    await expect(stage.run(engine.aggregate(NS, pipeline, query))).rejects.toMatchObject(badValue);
    expect(await stage.find({ right: 1 })).toEqual([]);
  });

  it('refuses wrong statements, and stays away', async () => {
    const statement = { update: doc({ $set: { a: 1 } }), multi: false, upsert: false };
    const statements = [wrong, {}, wrong].map((filter) => ({ ...statement, filter: doc(filter) }));
    const indexes = async (ordered: boolean) => {
      const { errors } = await stage.run(stage.engine.update(NS, statements, stage.writing({ ordered })));
      return errors.map(({ index }) => index);
    };
    expect([await indexes(true), await indexes(false)]).toEqual([[0], [0, 2]]);
    expect((await stage.delete(wrong)).errors).toHaveLength(1);
    const modify = { filter: doc({}), update: doc({ $nope: { a: 1 } }), upsert: false, returnNew: false };
    await expect(stage.run(stage.engine.findAndModify(NS, modify, stage.writing()))).rejects.toMatchObject({
      codeName: 'FailedToParse',
    });
    expect(stage.engine.collection(NS)).toBeUndefined();
  });
});

it('a cursor ends with its collection', async () => {
  await stage.insert(Array.from({ length: 50 }, (_, _id) => ({ _id })));
  const cursor = await stage.run(stage.engine.find(NS, stage.query({})));
  expect(await stage.run(cursor.next(10, 2 ** 24))).toHaveLength(10);
  await stage.run(stage.engine.dropCollection(NS));
  await expect(stage.run(cursor.next(10, 2 ** 24))).rejects.toMatchObject({ codeName: 'QueryPlanKilled' });
});

it('a cursor ends with what was in memory, when Discord refuses a write for good', async () => {
  await stage.insert(Array.from({ length: 1000 }, (_, _id) => ({ _id })));
  const cursor = await stage.run(stage.engine.find(NS, stage.query({})));
  expect(await stage.run(cursor.next(10, 2 ** 24))).toHaveLength(10);
  stage.store.faults.fail = () => new StoreError('forbidden', 'no permission');
  await expect(stage.insert([{ _id: 'more' }])).rejects.toThrow('no permission');
  stage.store.faults.fail = undefined;
  await expect(stage.run(cursor.next(2000, 2 ** 24))).rejects.toThrow('no permission');
});

it('an update to more than 16 MiB is refused under a code of its own', async () => {
  const half = 'x'.repeat(9 * 2 ** 20);
  await stage.insert([{ _id: 1, half }]);
  const updated = await stage.update({ _id: 1 }, { $set: { more: half } });
  expect(updated.errors[0]?.error).toMatchObject({ codeName: 'Location17419' });
  const upserted = await stage.update({ _id: 2 }, { $set: { half, more: half } }, { upsert: true });
  expect(upserted.errors[0]?.error).toMatchObject({ codeName: 'Location17420' });
  expect(await stage.values('_id')).toEqual([1]);
});

describe('an _id', () => {
  it.each([
    [[1], 'InvalidIdField', 'InvalidIdField'],
    [/x/, 'InvalidIdField', 'InvalidIdField'],
    [{ $a: 1 }, 'DollarPrefixedFieldName', 'DollarPrefixedFieldName'],
    [{ a: 1, $ref: 'other' }, 'DollarPrefixedFieldName', 'InvalidDBRef'],
  ])('of %j is refused', async (_id, onInsert, onUpsert) => {
    const inserted = await stage.insert([{ a: 1, _id }]);
    expect(inserted.errors[0]?.error).toMatchObject({ codeName: onInsert });
    const upserted = await stage.update({ a: 1 }, { $set: { _id } }, { upsert: true });
    expect(upserted.errors[0]?.error).toMatchObject({ codeName: onUpsert });
    expect(await stage.find()).toEqual([]);
  });

  it('may have names with a dollar further within only where an upsert makes it', async () => {
    const _id = { a: [{ b: { $c: 1 } }] };
    const inserted = await stage.insert([{ _id }]);
    expect(inserted.errors[0]?.error).toMatchObject({ codeName: 'DollarPrefixedFieldName' });
    const upserted = await stage.update({ a: 1 }, { $set: { _id } }, { upsert: true });
    expect(upserted.errors).toEqual([]);
  });

  it('may be a reference', async () => {
    await stage.insert([{ _id: { $ref: 'other', $id: 5, $db: 'test' } }, { _id: { a: { $ref: 'other', $id: 5 } } }]);
    expect(await stage.find()).toHaveLength(2);
  });
});

describe('an index', () => {
  const make = (...specs: object[]) => stage.run(stage.engine.createIndexes(NS, specs.map(doc)));
  const listed = (): Doc[] => stage.engine.collection(NS)!.indexes.map(({ spec }) => spec);

  it('is listed by version, key, name and the options that are set', async () => {
    await make({ unique: false, name: 'a_1', sparse: true, key: { a: 1 }, background: true, ns: 'test.things' });
    expect([...listed()[1]!.keys()]).toEqual(['v', 'key', 'name', 'sparse', 'background']);
  });

  it.each([
    [{ key: { a: 1 }, name: 'a_1' }, undefined],
    [{ key: { a: 1 }, name: 'a_1', unique: false }, undefined],
    [{ key: { a: 1 }, name: 'a_1', background: true }, undefined],
    [{ key: { a: 1 }, name: 'a_1', unique: true }, 'IndexKeySpecsConflict'],
    [{ key: { a: 1 }, name: 'a_1', sparse: true }, 'IndexKeySpecsConflict'],
    [{ key: { b: 1 }, name: 'a_1' }, 'IndexKeySpecsConflict'],
    [{ key: { a: 1 }, name: 'other' }, 'IndexOptionsConflict'],
    [{ key: { a: 1 }, name: 'a_1', expireAfterSeconds: 5 }, 'IndexOptionsConflict'],
    [{ key: { a: 1 }, name: 'other', expireAfterSeconds: 5 }, 'IndexOptionsConflict'],
  ])('beside {a: 1}: %j', async (spec, codeName) => {
    await make({ key: { a: 1 }, name: 'a_1' });
    if (codeName) await expect(make(spec)).rejects.toMatchObject({ codeName });
    else expect(await make(spec)).toMatchObject({ before: 2, after: 2 });
    expect(listed()).toHaveLength(2);
  });

  it('may share its key with one that is unique', async () => {
    await make({ key: { a: 1 }, name: 'a_1' }, { key: { a: 1 }, name: 'once', unique: true });
    expect(listed()).toHaveLength(3);
  });
});

it.each([undefined, doc({ n: 1 })])('a scan that finds nothing can be interrupted, sorted by %j', async (sort) => {
  await stage.insert(Array.from({ length: 2000 }, (_, _id) => ({ _id })));
  const cursor = await stage.run(stage.engine.find(NS, stage.query({ none: 1 }, { sort })));
  const interrupt = new AbortController();
  const scanned = cursor.next(10, 2 ** 24, interrupt.signal);
  interrupt.abort(new Error('enough'));
  await expect(stage.run(scanned)).rejects.toThrow('enough');
});

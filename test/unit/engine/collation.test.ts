import { describe, expect, test } from 'vitest';
import { CodedError } from '../../../src/base/index.ts';
import { type Doc, doc } from '../../../src/bson/index.ts';
import { NS, Stage } from './stage.ts';

const CASELESS = { locale: 'en', strength: 2 };
const FULL = doc({
  locale: 'en',
  caseLevel: false,
  caseFirst: 'off',
  strength: 2,
  numericOrdering: false,
  alternate: 'non-ignorable',
  maxVariable: 'punct',
  normalization: false,
  backwards: false,
  version: '57.1',
});

async function collated(): Promise<Stage> {
  const stage = await Stage.open();
  await stage.run(stage.engine.createCollection(NS, doc({ collation: FULL })));
  return stage;
}

async function codeOf(work: Promise<unknown>): Promise<string> {
  const error = await work.then(
    () => undefined,
    (thrown) => thrown,
  );
  return error instanceof CodedError ? error.codeName : String(error);
}

const index = (stage: Stage, spec: object) => stage.run(stage.engine.createIndexes(NS, [doc(spec)]));
const specs = (stage: Stage) => stage.engine.collection(NS)!.indexes.map(({ spec }) => spec);

/** The stage that finds candidates, and the index that it goes by. */
async function plan(stage: Stage, filter: object, more: object = {}): Promise<string> {
  const explained = await stage.run(
    stage.engine.explain(NS, stage.query(filter, more), { kind: 'find' }, 'queryPlanner'),
  );
  const names: string[] = [];
  const visit = (at: Doc): void => {
    if (at.has('inputStage')) visit(at.get('inputStage') as Doc);
    else names.push(String(at.get('stage')), ...(at.has('indexName') ? [String(at.get('indexName'))] : []));
  };
  visit((explained.get('queryPlanner') as Doc).get('winningPlan') as Doc);
  return names.join(' ');
}

describe('a collection with a collation', () => {
  test('gives it to queries and statements that have none', async () => {
    const stage = await collated();
    await stage.insert([
      { _id: 1, a: 'x' },
      { _id: 2, a: 'X' },
      { _id: 3, a: 'y' },
    ]);
    expect(await stage.values('_id', { a: 'X' })).toEqual([1, 2]);
    expect(await stage.values('_id', { a: 'X' }, { collation: doc({ locale: 'simple' }) })).toEqual([2]);
    expect(await stage.values('_id', { a: 'X' }, { collation: doc({}) })).toEqual([1, 2]);
    expect(await stage.run(stage.engine.distinct(NS, 'a', stage.query({})))).toEqual(['x', 'y']);
    expect(await stage.run(stage.engine.count(NS, stage.query({ a: 'X' })))).toBe(2);
    await stage.update({ a: 'X' }, { $set: { b: 1 } }, { multi: true });
    expect(await stage.values('_id', { b: 1 })).toEqual([1, 2]);
    await stage.delete({ a: 'X' });
    expect(await stage.values('_id')).toEqual([3]);
  });

  test('keeps _ids apart by it, and after a restart too', async () => {
    const stage = await collated();
    await stage.insert([{ _id: 'a' }, { _id: { k: 'a' } }, { _id: 5 }]);
    const again = async (id: unknown) => (await stage.insert([{ _id: id }])).errors[0]?.error.message;
    const message = `E11000 duplicate key error collection: test.things index: _id_ collation: { locale: "en", caseLevel: false, caseFirst: "off", strength: 2, numericOrdering: false, alternate: "non-ignorable", maxVariable: "punct", normalization: false, backwards: false, version: "57.1" } dup key: { _id: "A" }`;
    expect(await again('A')).toBe(message);
    expect(await again({ k: 'A' })).toContain('E11000');
    expect(await again('á')).toBeUndefined();
    await stage.reopen();
    expect(await again('A')).toBe(message);
    expect(await again({ k: 'A' })).toContain('E11000');
    expect(await stage.values('_id', { _id: 'A' })).toEqual(['a']);
    expect(await plan(stage, { _id: 'A' })).toBe('EXPRESS_IXSCAN _id_');
    expect(await plan(stage, { _id: 'A' }, { collation: doc({ locale: 'simple' }) })).toBe('COLLSCAN');
    expect(await plan(stage, { _id: 5 }, { collation: doc({ locale: 'simple' }) })).toBe('EXPRESS_IXSCAN _id_');
    expect(await stage.values('_id', { _id: 'A' }, { collation: doc({ locale: 'simple' }) })).toEqual([]);
    await stage.delete({ _id: 'A' });
    expect(await again('A')).toBeUndefined();
    expect(await stage.values('_id', { _id: { $gte: 'a', $lt: 'b' } }, { sort: doc({ _id: 1 }) })).toEqual(['A', 'á']);
  });

  test('hands it on to indexes', async () => {
    const stage = await collated();
    await index(stage, { key: { a: 1 }, name: 'a_1' });
    await index(stage, { key: { a: 1 }, name: 'plain', collation: { locale: 'simple' } });
    await index(stage, { key: { a: 1 }, name: 'german', collation: { locale: 'de' } });
    const [id, own, plain, german] = specs(stage);
    expect(id!.get('collation')).toEqual(FULL);
    expect(own!.get('collation')).toEqual(FULL);
    expect(plain!.has('collation')).toBe(false);
    expect((german!.get('collation') as Doc).get('version')).toBe('57.1');
    await stage.reopen();
    expect(specs(stage)).toEqual([id, own, plain, german]);
  });
});

describe('an index with a collation', () => {
  test('is unique by it, and after a restart too', async () => {
    const stage = await Stage.open();
    await index(stage, { key: { a: 1, b: -1 }, name: 'u', unique: true, collation: CASELESS });
    await stage.insert([
      { _id: 1, a: 'x', b: 'y' },
      { _id: 2, a: 'x', b: 'z' },
    ]);
    const insert = async (each: object) => (await stage.insert([each])).errors.length;
    expect(await insert({ _id: 3, a: 'X', b: 'Y' })).toBe(1);
    await stage.reopen();
    expect(await insert({ _id: 3, a: 'X', b: 'Y' })).toBe(1);
    expect(await insert({ _id: 3, a: 'X', b: 'ý' })).toBe(0);
    // A document may change into its own class, and make room by leaving it.
    await stage.update({ _id: 1 }, { $set: { a: 'X' } });
    expect(await insert({ _id: 4, a: 'x', b: 'Y' })).toBe(1);
    await stage.update({ _id: 1 }, { $set: { a: 'w' } });
    expect(await insert({ _id: 4, a: 'x', b: 'Y' })).toBe(0);
  });

  test('stays right through thousands of changes', async () => {
    const stage = await Stage.open();
    await index(stage, { key: { a: 1 }, name: 'u', unique: true, collation: CASELESS });
    const ids = Array.from({ length: 1500 }, (_, n) => n);
    await stage.insert(ids.map((n) => ({ _id: n, a: `name ${n}` })));
    await stage.delete({ _id: { $lt: 1400 } });
    await stage.insert(ids.slice(0, 1400).map((n) => ({ _id: n, a: `NAME ${n}` })));
    const { errors } = await stage.insert(
      ids.map((n) => ({ _id: n + 5000, a: `Name ${n}` })),
      { ordered: false },
    );
    expect(errors).toHaveLength(1500);
    const found = await stage.find({ a: 'nAmE 77' }, { collation: doc(CASELESS) });
    expect(found.map((each) => each.get('a'))).toEqual(['NAME 77']);
  });

  test('is refused for a _id other than the collection orders them, and for kinds that hold no strings in order', async () => {
    const stage = await Stage.open();
    expect(await codeOf(index(stage, { key: { _id: 1 }, name: 'x', collation: CASELESS }))).toBe('CannotCreateIndex');
    expect(await codeOf(index(stage, { key: { a: 1 }, name: 'x', collation: { locale: 'xx' } }))).toBe('BadValue');
    await index(stage, { key: { a: 1 }, name: 'a_1', collation: CASELESS });
    const other = { key: { a: 1 }, name: 'a_1' };
    expect(await codeOf(index(stage, other))).toBe('IndexKeySpecsConflict');
    expect(await codeOf(index(stage, { ...other, name: 'b', collation: { ...CASELESS } }))).toBe(
      'IndexOptionsConflict',
    );
    await index(stage, { ...other, name: 'b' });
    expect(specs(stage)).toHaveLength(3);
    const key = doc({ a: 1 });
    expect(await codeOf(stage.run(stage.engine.dropIndexes(NS, key)))).toBe('AmbiguousIndexKeyPattern');
    await stage.insert([{ _id: 1, a: 'x' }]);
    expect(await codeOf(stage.find({ a: 'x' }, { hint: key }))).toBe('IndexNotFound');
    expect(await stage.values('_id', { a: 'X' }, { hint: 'a_1', collation: doc(CASELESS) })).toEqual([1]);
    expect(await stage.values('_id', { a: 'x' }, { hint: 'a_1' })).toEqual([1]);
  });
});

test('a query goes by an index for strings only where both order them alike', async () => {
  const stage = await Stage.open();
  await stage.insert(Array.from({ length: 300 }, (_, n) => ({ _id: n, a: n % 2 ? `Word ${n}` : n })));
  await index(stage, { key: { a: 1 }, name: 'caseless', collation: CASELESS });
  const under = { collation: doc(CASELESS) };
  const german = { collation: doc({ locale: 'de' }) };
  const byIndex = 'IXSCAN caseless';
  expect(await plan(stage, { a: 'word 7' }, under)).toBe(byIndex);
  expect(await plan(stage, { a: { $gt: 'word 7', $lt: 'word 8' } }, under)).toBe(byIndex);
  expect(await plan(stage, { a: { $in: ['word 7', 5] } }, under)).toBe(byIndex);
  expect(await plan(stage, { a: 'word 7' })).toBe('COLLSCAN');
  expect(await plan(stage, { a: 'word 7' }, german)).toBe('COLLSCAN');
  expect(await plan(stage, { a: { $in: ['word 7', 5] } }, german)).toBe('COLLSCAN');
  expect(await plan(stage, { a: { b: ['x'] } }, german)).toBe('COLLSCAN');
  expect(await plan(stage, { a: 5 })).toBe(byIndex);
  expect(await plan(stage, { a: { $gt: 5 } }, german)).toBe(byIndex);
  expect(await plan(stage, { a: { $in: [5, 7] } }, german)).toBe(byIndex);
  expect(await plan(stage, { a: /^Word 7/ }, under)).toBe('COLLSCAN');
  const sort = doc({ a: 1 });
  expect(await plan(stage, {}, { ...under, sort })).toBe(byIndex);
  expect(await plan(stage, {}, { sort })).toBe('COLLSCAN');
  expect(await plan(stage, { a: { $gt: 5 } }, { sort })).toBe(byIndex);
  const found = await stage.values('_id', { a: { $gte: 'WORD 95' } }, { ...under, sort });
  expect(found).toEqual([95, 97, 99]);
});

test('the strings beside the places of a geospatial index are in its order', async () => {
  const stage = await Stage.open();
  const place = (n: number) => ({ type: 'Point', coordinates: [n % 20, Math.floor(n / 20)] });
  const docs = Array.from({ length: 200 }, (_, n) => ({ _id: n, n: n % 2 ? 'x' : 'X', at: place(n) }));
  await stage.insert(docs);
  await index(stage, { key: { at: '2dsphere', n: 1 }, name: 'geo', collation: CASELESS });
  const ring = [
    [1.5, 1.5],
    [6.5, 1.5],
    [6.5, 4.5],
    [1.5, 4.5],
    [1.5, 1.5],
  ];
  const filter = { at: { $geoWithin: { $geometry: { type: 'Polygon', coordinates: [ring] } } }, n: 'x' };
  const collation = doc(CASELESS);
  expect(await plan(stage, filter, { collation })).toBe('IXSCAN geo');
  expect(await stage.values('_id', filter, { collation })).toHaveLength(15);
  expect(await stage.values('_id', filter)).toHaveLength(6);
  const flat = index(stage, { key: { at: '2d' }, name: 'flat', collation: CASELESS });
  expect(await codeOf(flat)).toBe('CannotCreateIndex');
});

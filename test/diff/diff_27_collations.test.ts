import { expect, test } from 'vitest';
import { BSONSymbol, type CollationOptions } from '../support/driver.ts';
import { expectRefused, ownServer } from '../support/own-server.ts';

const own = ownServer();

test.each<CollationOptions>([
  { locale: 'zh@collation=big5han' },
  { locale: 'zh_Hant@collation=gb2312han' },
  { locale: 'th', alternate: 'non-ignorable' },
  { locale: 'th', maxVariable: 'space' },
])('%o is refused', async (collation) => {
  await expectRefused(own.things.find({}, { collation }).toArray(), 238, 'NotImplemented');
  await expectRefused(own.things.createIndex({ a: 1 }, { collation }), 238, 'NotImplemented');
  await expectRefused(own.db.createCollection('refused', { collation }), 238, 'NotImplemented');
});

test('text is normalized, whether it is asked for or not', async () => {
  // Marks below and above, the wrong way round: unlike its normal form where nothing normalizes it.
  const [marked, normal] = ['a\u0301\u0323', 'a\u0323\u0301'];
  await own.things.insertOne({ _id: 1, a: marked });
  const collation = { locale: 'en', normalization: false };
  expect(await own.things.countDocuments({ a: normal }, { collation })).toBe(1);
});

test('bounds are shown as strings, and what they find is filtered again', async () => {
  const collation = { locale: 'en', strength: 1 };
  const bounded = own.db.collection('bounded');
  await bounded.createIndex({ a: 1 }, { collation });
  const { queryPlanner } = await bounded.find({ a: 'x' }, { collation }).explain('queryPlanner');
  expect(queryPlanner.winningPlan).toMatchObject({
    stage: 'FETCH',
    filter: { a: { $eq: 'x' } },
    inputStage: { stage: 'IXSCAN', indexBounds: { a: ['["x", "x"]'] } },
  });
});

test('an index takes a symbol as the string that it is', async () => {
  const symbols = own.db.collection<{ _id: number; a: unknown }>('symbols');
  await symbols.createIndex({ a: 1 }, { unique: true, collation: { locale: 'en', strength: 1 } });
  await symbols.insertOne({ _id: 1, a: new BSONSymbol('x') });
  await expect(symbols.insertOne({ _id: 2, a: 'X' })).rejects.toMatchObject({ code: 11000 });
});

test('a duplicate key is shown as it is', async () => {
  const unique = own.db.collection<{ _id: number; a: string }>('unique');
  await unique.createIndex({ a: 1 }, { unique: true, collation: { locale: 'en', strength: 1 } });
  await unique.insertOne({ _id: 1, a: 'x' });
  const failure = await unique.insertOne({ _id: 2, a: 'X' }).catch((error) => error);
  expect(failure).toMatchObject({ code: 11000, keyPattern: { a: 1 }, keyValue: { a: 'X' } });
  expect(failure.errorResponse.collation).toMatchObject({ locale: 'en', strength: 1, version: '57.1' });
  expect(failure.message).toContain('dup key: { a: "X" }');
});

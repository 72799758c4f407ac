import { expect, test } from 'vitest';
import { expectRefused, ownServer } from '../support/own-server.ts';

const own = ownServer();

test.each(['zh@collation=big5han', 'zh_Hant@collation=gb2312han'])('%s is refused', async (locale) => {
  await expectRefused(own.things.find({}, { collation: { locale } }).toArray(), 238, 'NotImplemented');
  await expectRefused(own.things.createIndex({ a: 1 }, { collation: { locale } }), 238, 'NotImplemented');
  await expectRefused(own.db.createCollection('chinese', { collation: { locale } }), 238, 'NotImplemented');
});

test('text is normalized, whether it is asked for or not', async () => {
  // Marks below and above, the wrong way round: unlike its normal form where nothing normalizes it.
  const [marked, normal] = ['a\u0301\u0323', 'a\u0323\u0301'];
  await own.things.insertOne({ _id: 1, a: marked });
  const collation = { locale: 'en', normalization: false };
  expect(await own.things.countDocuments({ a: normal }, { collation })).toBe(1);
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

import { expect, test } from 'vitest';
import { expectRefused, ownServer } from '../support/own-server.ts';

const own = ownServer();

test.each([
  'a(?R)?b',
  '(a)(?1)',
  '(?(1)a|b)',
  '(?|(a)|(b))',
  'a\\C',
  'a(*FAIL)',
])('/%s/ is refused', async (pattern) => {
  await expectRefused(own.things.findOne({ a: { $regex: pattern } }), 238, 'NotImplemented');
});

test('a group that took no part is referred to as empty', async () => {
  await own.things.insertOne({ _id: 1, a: 'b' });
  expect(await own.things.countDocuments({ a: { $regex: '^(a)?\\1b' } })).toBe(1);
});

test('a match that does not end is ended', async () => {
  await own.things.insertOne({ _id: 2, a: `${'a'.repeat(60)}bb` });
  await expectRefused(own.things.findOne({ a: { $regex: '^(a+b?)+$' } }), 51156, 'Location51156');
});

import { expect, test } from 'vitest';
import { Long, MongoClient } from '../support/driver.ts';
import { Entities } from './entities.ts';
import { expectMatch } from './match.ts';

const uri = 'mongodb://127.0.0.1/';
const entities = new Entities(uri, new MongoClient(uri));
const match = (expected: unknown, actual: unknown) => () => expectMatch(entities, expected, actual);

test.each([
  ['extra keys of a root', { a: 1 }, { a: 1, b: 2 }],
  ['extra keys of roots in a list', [{ a: 1 }], [{ a: 1, b: 2 }]],
  ['numbers of different types', { a: 5 }, { a: Long.fromNumber(5) }],
  ['a Map', { sort: { a: -1 } }, { sort: new Map([['a', -1]]) }],
  ['what must not be there', { a: { $$exists: false } }, {}],
  ['what may be unset', { a: { $$unsetOrMatches: 1 } }, {}],
  ['a type', { a: { $$type: ['string', 'int'] } }, { a: 3 }],
  ['at most', { a: { $$lte: 3 } }, { a: 3 }],
])('matches %s', (_, expected, actual) => expect(match(expected, actual)).not.toThrow());

test.each([
  ['another value', { a: 1 }, { a: 2 }, 'result.a: expected 1, got 2'],
  ['a missing value', { a: 1 }, {}, 'result.a: expected 1, got undefined'],
  ['extra keys below the root', { a: { b: 1 } }, { a: { b: 1, c: 2 } }, 'beyond those expected'],
  ['a longer list', [1], [1, 2], 'result.length: expected 1, got 2'],
  ['what must not be there', { a: { $$exists: false } }, { a: null }, 'exists'],
  ['another value where it may be unset', { a: { $$unsetOrMatches: 1 } }, { a: 2 }, 'result.a'],
  ['another type', { a: { $$type: 'string' } }, { a: 3 }, 'type'],
  ['more', { a: { $$lte: 3 } }, { a: 4 }, 'at most'],
  ['an unknown operator', { a: { $$frobnicate: 3 } }, { a: 4 }, 'does not know'],
  ['a string for a number', { a: 1 }, { a: '1' }, 'result.a'],
])('does not match %s', (_, expected, actual, message) => expect(match(expected, actual)).toThrow(message));

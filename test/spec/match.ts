import { isDeepStrictEqual } from 'node:util';
import { BSON, type Document, Long } from '../support/driver.ts';
import type { Entities } from './entities.ts';

/** Throws, with the path, unless `actual` is what the unified format calls a match of `expected`. */
export function expectMatch(entities: Entities, expected: unknown, actual: unknown, path = 'result'): void {
  matchValue(entities, expected, actual, path, true);
}

/** BSON types that `$$type` names, by what the driver reads them as. */
const TYPES: Record<string, (value: unknown) => boolean> = {
  double: (value) => typeof value === 'number',
  int: (value) => Number.isInteger(value),
  long: (value) => typeof value === 'bigint' || value instanceof Long || Number.isSafeInteger(value),
  decimal: (value) => value instanceof BSON.Decimal128,
  number: (value) => typeof value === 'number' || value instanceof Long || value instanceof BSON.Decimal128,
  string: (value) => typeof value === 'string',
  object: isDocument,
  array: Array.isArray,
  bool: (value) => typeof value === 'boolean',
  null: (value) => value === null,
  date: (value) => value instanceof Date,
  binData: (value) => value instanceof BSON.Binary,
  objectId: (value) => value instanceof BSON.ObjectId,
  timestamp: (value) => value instanceof BSON.Timestamp,
};

function matchValue(entities: Entities, expected: unknown, given: unknown, path: string, root: boolean): void {
  // The driver makes a Map of what is sorted by.
  const actual = given instanceof Map ? Object.fromEntries(given) : given;
  const [operator, operand] = specialOf(expected);
  if (operator !== undefined) {
    matchSpecial(entities, operator, operand, actual, path, root);
    return;
  }
  if (Array.isArray(expected)) {
    if (!Array.isArray(actual)) fail(path, expected, actual);
    if (expected.length !== actual.length) fail(`${path}.length`, expected.length, actual.length);
    // What an operation returned as a list is a list of root documents.
    for (const [at, each] of expected.entries()) matchValue(entities, each, actual[at], `${path}.${at}`, root);
    return;
  }
  if (isDocument(expected)) {
    if (!isDocument(actual)) fail(path, expected, actual);
    for (const [key, value] of Object.entries(expected)) {
      matchValue(entities, value, actual[key], `${path}.${key}`, false);
    }
    const extra = Object.keys(actual).filter((key) => !(key in expected) && actual[key] !== undefined);
    if (!root && extra.length > 0) fail(`${path}: keys beyond those expected`, [], extra);
    return;
  }
  if (!isDeepStrictEqual(plainNumber(expected), plainNumber(actual))) fail(path, expected, actual);
}

function matchSpecial(
  entities: Entities,
  operator: string,
  operand: unknown,
  actual: unknown,
  path: string,
  root: boolean,
): void {
  switch (operator) {
    case '$$exists':
      if ((actual !== undefined) !== operand) fail(`${path}: exists`, operand, actual !== undefined);
      return;
    case '$$unsetOrMatches':
      if (actual !== undefined && actual !== null) matchValue(entities, operand, actual, path, root);
      return;
    case '$$type': {
      const names = [operand].flat() as string[];
      if (actual === undefined || !names.some((name) => typeCheck(name)(actual))) fail(`${path}: type`, names, actual);
      return;
    }
    case '$$matchesHexBytes': {
      const bytes = Buffer.isBuffer(actual) ? actual.toString('hex') : actual;
      if (bytes !== operand) fail(`${path}: bytes`, operand, bytes);
      return;
    }
    case '$$matchesEntity':
      matchValue(entities, entities.get(String(operand)), actual, path, root);
      return;
    case '$$sessionLsid':
      matchValue(entities, entities.session(String(operand)).id, actual, path, false);
      return;
    case '$$lte':
      if (!(Number(actual) <= Number(operand))) fail(`${path}: at most`, operand, actual);
      return;
    case '$$matchAsRoot':
      matchValue(entities, operand, actual, path, true);
      return;
    case '$$matchAsDocument': {
      const document = typeof actual === 'string' ? BSON.EJSON.parse(actual) : actual;
      matchValue(entities, operand, document, path, false);
      return;
    }
    default:
      throw new Error(`the runner does not know ${operator}`);
  }
}

function typeCheck(name: string): (value: unknown) => boolean {
  const check = TYPES[name];
  if (!check) throw new Error(`the runner does not know $$type ${name}`);
  return check;
}

function specialOf(expected: unknown): [string, unknown] | [undefined, undefined] {
  if (!isDocument(expected)) return [undefined, undefined];
  const [first, ...others] = Object.entries(expected);
  return first?.[0].startsWith('$$') && others.length === 0 ? first : [undefined, undefined];
}

function isDocument(value: unknown): value is Document {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || value instanceof Date) return false;
  return !('_bsontype' in value);
}

/** Numbers match by value, whatever their type is. */
function plainNumber(value: unknown): unknown {
  return value instanceof Long || typeof value === 'bigint' ? Number(value) : value;
}

function fail(path: string, expected: unknown, actual: unknown): never {
  const show = (value: unknown) => JSON.stringify(value) ?? String(value);
  throw new Error(`${path}: expected ${show(expected)}, got ${show(actual)}`);
}

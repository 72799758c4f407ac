import { createHash, type Hash } from 'node:crypto';
import { Code, Decimal128, Int32 } from 'bson';
import { encode } from './encode.ts';
import { decimalValue } from './exact-number.ts';
import { isNumber, scopeOf, type TypeAlias, typeAlias } from './types.ts';
import type { Value } from './values.ts';

/** MongoDB's numbers of types in its order (`canonicalizeBSONType`), which hashes begin with. */
const CANONICAL: Readonly<Partial<Record<TypeAlias, number>>> = {
  minKey: -1,
  undefined: 0,
  null: 5,
  string: 15,
  symbol: 15,
  object: 20,
  array: 25,
  binData: 30,
  objectId: 35,
  bool: 40,
  date: 45,
  timestamp: 47,
  regex: 50,
  dbPointer: 55,
  javascript: 60,
  javascriptWithScope: 65,
  maxKey: 127,
};
const NUMBER = 10;

/** The end of a document, as an element without type, name and value. */
const END = int32(0);
const DEFAULT_SEED = int32(0);

/**
 * The signed 64-bit hash of a value in MongoDB's hashed indexes (`BSONElementHasher::hash64`): the first half of an MD5. Equal values
 * have equal hashes; numbers that differ behind the decimal point have the same.
 */
export function hashValue(value: Value): bigint {
  const hash = createHash('md5').update(DEFAULT_SEED);
  addValue(hash, value, '');
  return hash.digest().readBigInt64LE(0);
}

/** `name` is the field's with its terminator, empty for a value that stands alone. */
function addValue(hash: Hash, value: Value, name: string): void {
  hash.update(int32(isNumber(value) ? NUMBER : CANONICAL[typeAlias(value)]!));
  hash.update(name);
  if (isNumber(value)) hash.update(int64(wholePart(value)));
  else if (value instanceof Map) addFields(hash, value);
  else if (Array.isArray(value)) addFields(hash, value.entries());
  else if (value instanceof Code && value.scope !== null) {
    hash.update(`${value.code}\0`);
    addFields(hash, scopeOf(value));
  } else hash.update(valueBytes(value));
}

function addFields(hash: Hash, fields: Iterable<readonly [string | number, Value]>): void {
  for (const [name, value] of fields) addValue(hash, value, `${name}\0`);
  hash.update(END);
}

/** A value as it stands in a document, without type and name. */
function valueBytes(value: Value): Uint8Array {
  const length = 4;
  const typeAndName = 2;
  return encode(new Map([['', value]])).subarray(length + typeAndName, -1);
}

const MAX_LONG = 2n ** 63n - 1n;
const MIN_LONG = -(2n ** 63n);

/** The number without what is behind the point, kept within 64 bits; 0 for NaN. */
function wholePart(value: Value): bigint {
  if (typeof value === 'bigint') return value;
  if (value instanceof Int32) return BigInt(value.value);
  const exact = value instanceof Decimal128 ? decimalValue(value) : (value as number);
  if (typeof exact !== 'number') {
    const digits = String(exact.coefficient).length + exact.exponent;
    // Beyond 64 bits by far: the power of ten would be long to write out.
    if (digits > 20) return exact.coefficient < 0n ? MIN_LONG : MAX_LONG;
    if (digits < 0) return 0n;
    return within(
      exact.exponent >= 0
        ? exact.coefficient * 10n ** BigInt(exact.exponent)
        : exact.coefficient / 10n ** BigInt(-exact.exponent),
    );
  }
  if (Number.isNaN(exact)) return 0n;
  if (!Number.isFinite(exact)) return exact > 0 ? MAX_LONG : MIN_LONG;
  return within(BigInt(Math.trunc(exact)));
}

function within(value: bigint): bigint {
  return value > MAX_LONG ? MAX_LONG : value < MIN_LONG ? MIN_LONG : value;
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32LE(value);
  return bytes;
}

function int64(value: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64LE(value);
  return bytes;
}

import { Binary, Int32, MaxKey, MinKey, ObjectId, Timestamp } from 'bson';
import { assert } from '../base/index.ts';
import { dateFromMillis } from './far-date.ts';
import { KEY_TYPES } from './key-types.ts';
import type { Value } from './values.ts';

/*
 * Where the values of a compound key end. Each is written by `encodeKey`: the rank of its type (`order.ts`), then what
 * `key.ts` makes of types of that rank.
 */
const RANK = {
  minKey: 10,
  number: 30,
  string: 60,
  object: 70,
  array: 80,
  binData: 90,
  objectId: 100,
  bool: 110,
  date: 120,
  timestamp: 130,
  regex: 140,
  dbPointer: 150,
  javascript: 160,
  javascriptWithScope: 170,
  maxKey: 240,
} as const;

/** The code unit that ends a document or an array; every rank is above it. */
const END = 4;
const INVERTED = 0xffff;
const DOUBLE_UNITS = 8;
const OBJECT_ID_UNITS = 12;
/** What follows the eight bytes of a double that is not the number itself: two units of exponent, digits, an end. */
const ABOVE = 1;
const EXPONENT_UNITS = 2;
/** Below it the first byte of a double made to order is that of a negative number. */
const POSITIVE = 0x80;
/** Text that `key.ts` leaves as it is. */
const PLAIN = /^[ -\ud7ff]*$/;
const SUBTYPE_BYTE_ARRAY = 2;
/** The length of a byte array of the old subtype counts its own length field. */
const INNER_LENGTH_BYTES = 4;

/** A value that its key does not tell. */
export const UNTOLD = Symbol('untold');

/**
 * The value that begins at `at`, byte for byte what was encoded, or UNTOLD: what is missing has the key of null, numbers of
 * different types have one, and some types are not worth the trouble. `seen` are the types that the field has had
 * (`KeyTypes`). Of a field without a collation alone.
 */
export function keyValue(key: string, at: number, descending: boolean, seen: number): Value | typeof UNTOLD {
  return new Walk(key, descending).read(at, seen);
}

/** Where the value that begins at `at` ends. `descending`: it was encoded so. */
export function keyEnd(key: string, at: number, descending: boolean): number {
  return new Walk(key, descending).value(at);
}

/** Finds its way through one key, whose units may be inverted. */
class Walk {
  readonly #key: string;
  readonly #descending: boolean;

  constructor(key: string, descending: boolean) {
    this.#key = key;
    this.#descending = descending;
  }

  value(at: number): number {
    return this.#body(this.#unit(at), at + 1);
  }

  read(at: number, seen: number): Value | typeof UNTOLD {
    const from = at + 1;
    switch (this.#unit(at)) {
      case RANK.minKey:
        return new MinKey();
      case RANK.number:
        return this.#readNumber(from, seen);
      case RANK.string:
        return seen & KEY_TYPES.symbol ? UNTOLD : this.#readText(from);
      case RANK.binData: {
        const bytes = this.#bytes(from + 5, this.#binary(from));
        return new Binary(bytes, this.#unit(from + 4));
      }
      case RANK.objectId:
        return new ObjectId(this.#bytes(from, from + OBJECT_ID_UNITS));
      case RANK.bool:
        return this.#unit(from) === 1;
      case RANK.date:
        return dateFromMillis(this.#word(from).readBigInt64BE());
      case RANK.timestamp:
        return new Timestamp({ t: this.#uint32(from), i: this.#uint32(from + 4) });
      case RANK.maxKey:
        return new MaxKey();
      default:
        return UNTOLD;
    }
  }

  /** The number is of the only type that it can be of. */
  #readNumber(at: number, seen: number): Value | typeof UNTOLD {
    if (this.#unit(at + DOUBLE_UNITS) === ABOVE) return UNTOLD;
    const bytes = this.#word(at);
    // A negative number had all of its bits turned, any other one its sign.
    if (this.#unit(at) < POSITIVE) for (let byte = 1; byte < DOUBLE_UNITS; byte++) bytes[byte]! ^= 0xff;
    if (this.#unit(at) < POSITIVE) bytes[0]! ^= 0x7f;
    const value = bytes.readDoubleBE();
    if (Number.isNaN(value) || (value === 0 && seen & KEY_TYPES.negativeZero)) return UNTOLD;
    const isInt32 = value === (value | 0);
    const types =
      seen &
      (isInt32 ? KEY_TYPES.number : Number.isInteger(value) ? ~KEY_TYPES.int : KEY_TYPES.double | KEY_TYPES.decimal) &
      KEY_TYPES.number;
    if (types === KEY_TYPES.int) return new Int32(value);
    if (types === KEY_TYPES.long) return BigInt(value);
    return types === KEY_TYPES.double ? value : UNTOLD;
  }

  /** Only what stands in the key as it is. */
  #readText(at: number): string | typeof UNTOLD {
    const end = this.#text(at) - 1;
    if (!this.#descending) {
      const text = this.#key.slice(at, end);
      return PLAIN.test(text) ? text : UNTOLD;
    }
    let text = '';
    for (let next = at; next < end; next++) text += String.fromCharCode(this.#unit(next));
    return PLAIN.test(text) ? text : UNTOLD;
  }

  /** Of a date or a number made to order: with the sign turned back. */
  #word(at: number): Buffer {
    const bytes = this.#bytes(at, at + DOUBLE_UNITS);
    bytes[0]! ^= POSITIVE;
    return bytes;
  }

  #bytes(from: number, to: number): Buffer {
    const bytes = Buffer.allocUnsafe(to - from);
    for (let at = from; at < to; at++) bytes[at - from] = this.#unit(at);
    return bytes;
  }

  #unit(at: number): number {
    const unit = this.#key.charCodeAt(at);
    return this.#descending ? INVERTED - unit : unit;
  }

  #body(rank: number, at: number): number {
    switch (rank) {
      case RANK.number:
        return this.#number(at);
      case RANK.string:
        return this.#text(at);
      case RANK.object:
        return this.#document(at);
      case RANK.array:
        return this.#array(at);
      case RANK.binData:
        return this.#binary(at);
      case RANK.objectId:
        return at + OBJECT_ID_UNITS;
      case RANK.bool:
        return at + 1;
      case RANK.date:
      case RANK.timestamp:
        return at + DOUBLE_UNITS;
      case RANK.regex:
        return this.#text(this.#text(at));
      case RANK.dbPointer:
        return at + 4 + this.#uint32(at) + OBJECT_ID_UNITS;
      case RANK.javascript:
        return this.#text(at);
      case RANK.javascriptWithScope:
        return this.#document(this.#text(at));
      default:
        // Nothing follows the rank of a type that has one value.
        return at;
    }
  }

  #number(at: number): number {
    const end = at + DOUBLE_UNITS;
    if (this.#unit(end) !== ABOVE) return end + 1;
    const terminator = this.#unit(at) < POSITIVE ? 0xff : 0;
    return this.#after(terminator, end + 1 + EXPONENT_UNITS);
  }

  #text(at: number): number {
    return this.#after(0, at);
  }

  /** Behind the next of these units. */
  #after(unit: number, at: number): number {
    const found = this.#key.indexOf(String.fromCharCode(this.#descending ? INVERTED - unit : unit), at);
    assert(found >= 0, 'what a key holds ends in it');
    return found + 1;
  }

  #document(at: number): number {
    let next = at;
    for (let rank = this.#unit(next); rank !== END; rank = this.#unit(next)) {
      next = this.#body(rank, this.#text(next + 1));
    }
    return next + 1;
  }

  #array(at: number): number {
    let next = at;
    while (this.#unit(next) !== END) next = this.value(next);
    return next + 1;
  }

  #binary(at: number): number {
    const inner = this.#unit(at + 4) === SUBTYPE_BYTE_ARRAY ? INNER_LENGTH_BYTES : 0;
    return at + 4 + 1 + this.#uint32(at) - inner;
  }

  #uint32(at: number): number {
    const [first, second, third, fourth] = [0, 1, 2, 3].map((byte) => this.#unit(at + byte)) as [
      number,
      number,
      number,
      number,
    ];
    return first * 2 ** 24 + ((second << 16) | (third << 8) | fourth);
  }
}

import { assert } from '../base/index.ts';

/*
 * Where the values of a compound key end. Each is written by `encodeKey`: the rank of its type (`order.ts`), then what
 * `key.ts` makes of types of that rank.
 */
const RANK = {
  undefined: 15,
  null: 20,
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
const SUBTYPE_BYTE_ARRAY = 2;
/** The length of a byte array of the old subtype counts its own length field. */
const INNER_LENGTH_BYTES = 4;

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

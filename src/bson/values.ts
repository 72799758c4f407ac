import type {
  Binary,
  BSONRegExp,
  BSONSymbol,
  Code,
  DBRef,
  Decimal128,
  Int32,
  MaxKey,
  MinKey,
  ObjectId,
  Timestamp,
} from 'bson';

/**
 * A BSON document in memory. A Map keeps the field order that a plain object loses for number-like names, has no
 * prototype to collide with, and cannot be mistaken for a BSON type's class.
 */
export type Doc = Map<string, Value>;

/**
 * A BSON value in memory, each type told apart from every other:
 * double = `number`, int32 = `Int32`, int64 = `bigint`, decimal = `Decimal128`, date = `Date`, null = `null`,
 * the deprecated undefined type = `undefined` (a missing field is an absent key), document = `Doc`, array = `Value[]`.
 * The deprecated DBPointer is a `DBRef`. Raw documents are passed as `RawDoc`.
 */
export type Value =
  | null
  | undefined
  | boolean
  | string
  | number
  | bigint
  | Int32
  | Decimal128
  | Date
  | ObjectId
  | Binary
  | BSONRegExp
  | BSONSymbol
  | Timestamp
  | Code
  | DBRef
  | MinKey
  | MaxKey
  | RawDoc
  | Doc
  | Value[];

/** An encoded document that goes into a reply as the bytes it is. Only the encoder understands it. */
export class RawDoc {
  readonly bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }
}

import { Binary, Decimal128, Double, Long, ObjectId } from 'bson';

/**
 * A table of one family of expressions, told to the room itself and to a server over TCP. Values are as drivers take
 * them: whole numbers are int, others double, bigint is long.
 */
export interface Family {
  /** What an expression gives, for a document where it needs one. */
  readonly results: readonly (readonly [expression: unknown, result: unknown, document?: object])[];
  /** What it is refused with: MongoDB's number, and its words. */
  readonly errors: readonly (readonly [expression: unknown, code: number, message: string, document?: object])[];
}

/** The result of an expression that gives nothing. */
export const MISSING = Symbol('missing');

export const decimal = (text: string) => Decimal128.fromString(text);
/** A double that is whole. */
export const double = (value: number) => new Double(value);
export const long = (value: number | bigint) => Long.fromBigInt(BigInt(value));
export const date = (text: string) => new Date(text);
export const oid = (hex: string) => new ObjectId(hex);
export const binary = (hex: string, subtype = 0) => new Binary(Buffer.from(hex, 'hex'), subtype);
/** An object with a `then`, which must not be written as a literal. */
export const named = (fields: readonly (readonly [string, unknown])[]): object => Object.fromEntries(fields);

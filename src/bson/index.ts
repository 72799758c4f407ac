/**
 * BSON, exactly: `values.ts` says what a value is in memory, `walk.ts` finds fields in bytes, `decode.ts` and
 * `encode.ts` go between the two, `compare.ts` is MongoDB's order, `key.ts` that order as text, `collator.ts` the order of
 * strings that a collation asks for, `extended-json.ts` a document that people can read, `path.ts` what an index sees of
 * a document. Pure: no I/O, no clock.
 */
export {
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
export { type CollationSpec, parseCollation } from './collation-spec.ts';
export { Collator, sameCollation } from './collator.ts';
export { compare, compareText, comparison, equal, identical } from './compare.ts';
export { decode, decodeOnly, decodeWithout, getField } from './decode.ts';
export { nestsBeyond } from './depth.ts';
export { encode, pointerNamespace } from './encode.ts';
export { doubleValue } from './exact-number.ts';
export { fromExtendedJson, toExtendedJson } from './extended-json.ts';
export { dateFromMillis, dateMillis } from './far-date.ts';
export { FieldReader } from './field-reader.ts';
export { hashValue } from './hash.ts';
export { bytesOfKept, type KeptDoc, KeptField, KeptFinder, keptDoc } from './kept.ts';
export { encodeKey, flat } from './key.ts';
export { keyEnd, keyValue, UNTOLD } from './key-reader.ts';
export { KeyTypes } from './key-types.ts';
export { doc, toPlain, toValue } from './literal.ts';
export { newObjectId } from './object-id.ts';
export { type ArrayParts, expandPaths, type PathRow, type PathRows, type PathValues, pathValues } from './path.ts';
export { showDoc, showValue } from './show.ts';
export { type TextKeys, TextOrder, withTextKeys } from './text-order.ts';
export {
  isNumber,
  MAX_DEPTH,
  MAX_DOCUMENT_BYTES,
  scopeOf,
  TYPE,
  type TypeAlias,
  typeAlias,
  typeNumber,
} from './types.ts';
export { asBuffer } from './utf8.ts';
export { validate } from './validate.ts';
export { type Doc, RawDoc, type Value } from './values.ts';
export { fieldNames, type RawField, rawDocuments, rawField } from './walk.ts';

import type { Buffer } from 'node:buffer';
import { invalid } from './invalid.ts';
import { MIN_KEY_BYTE, TYPE } from './types.ts';
import { asBuffer, readName } from './utf8.ts';

/** The smallest document: its length and the terminator. */
const MIN_DOCUMENT_BYTES = 5;
export const OBJECT_ID_BYTES = 12;

/** Where a field's value stands: `type` is the byte on the wire, `[start, end)` the value without type and name. */
export interface RawField {
  readonly type: number;
  readonly start: number;
  readonly end: number;
}

/**
 * Steps over the fields of one document without decoding them. `next()` finds the next field, whose name and value
 * then stand at the given offsets. Every offset is proved to lie inside the document; values are not looked into.
 */
export class FieldWalker {
  readonly bytes: Buffer;
  /** The byte after the document. */
  readonly end: number;
  type = 0;
  nameStart = 0;
  nameEnd = 0;
  valueStart = 0;
  valueEnd: number;

  /** `[start, limit)` must hold the document; it may end before `limit`. */
  constructor(bytes: Buffer, start = 0, limit = bytes.length) {
    this.bytes = bytes;
    this.end = start + documentSize(bytes, start, limit);
    this.valueEnd = start + 4;
  }

  /** False at the document's end. */
  next(): boolean {
    const { bytes } = this;
    const last = this.end - 1;
    let at = this.valueEnd;
    if (at >= last) return at === last ? false : invalid('a value runs past its document');
    this.type = bytes[at++]!;
    if (this.type === 0) invalid('a document ends before its length says so');
    this.nameStart = at;
    this.nameEnd = cstringEnd(bytes, at, last);
    this.valueStart = this.nameEnd + 1;
    this.valueEnd = this.valueStart + valueSize(bytes, this.type, this.valueStart, last);
    return true;
  }

  name(): string {
    return readName(this.bytes, this.nameStart, this.nameEnd);
  }

  field(): RawField {
    return { type: this.type, start: this.valueStart, end: this.valueEnd };
  }
}

/** The length that the document at `start` gives itself: it fits below `limit`, and is terminated. */
export function documentSize(bytes: Buffer, start: number, limit: number): number {
  if (limit - start < MIN_DOCUMENT_BYTES) invalid('a document is cut off');
  const size = bytes.readInt32LE(start);
  if (size < MIN_DOCUMENT_BYTES || size > limit - start) invalid(`a document of ${size} bytes does not fit`);
  if (bytes[start + size - 1] !== 0) invalid('a document is not terminated');
  return size;
}

/** Where the NUL stands that ends the name at `start`. */
export function cstringEnd(bytes: Buffer, start: number, limit: number): number {
  for (let at = start; at < limit; at++) if (bytes[at] === 0) return at;
  return invalid('a name is not terminated');
}

/** The byte length of a value, proved to lie below `limit`. */
export function valueSize(bytes: Buffer, type: number, start: number, limit: number): number {
  const size = statedSize(bytes, type, start, limit);
  if (size > limit - start) invalid('a value runs past its document');
  return size;
}

function statedSize(bytes: Buffer, type: number, start: number, limit: number): number {
  switch (type) {
    case TYPE.undefined:
    case TYPE.null:
    case MIN_KEY_BYTE:
    case TYPE.maxKey:
      return 0;
    case TYPE.bool:
      return 1;
    case TYPE.int:
      return 4;
    case TYPE.double:
    case TYPE.date:
    case TYPE.timestamp:
    case TYPE.long:
      return 8;
    case TYPE.objectId:
      return OBJECT_ID_BYTES;
    case TYPE.decimal:
      return 16;
    case TYPE.string:
    case TYPE.javascript:
    case TYPE.symbol:
      return stringSize(bytes, start, limit);
    case TYPE.object:
    case TYPE.array:
      return documentSize(bytes, start, limit);
    case TYPE.binData:
      return 4 + 1 + prefix(bytes, start, limit, 0);
    case TYPE.regex:
      return cstringEnd(bytes, cstringEnd(bytes, start, limit) + 1, limit) + 1 - start;
    case TYPE.dbPointer:
      return stringSize(bytes, start, limit) + OBJECT_ID_BYTES;
    case TYPE.javascriptWithScope:
      return prefix(bytes, start, limit, MIN_SCOPED_CODE_BYTES);
    default:
      return invalid(`unknown BSON type ${type}`);
  }
}

/** Its own length, an empty string and an empty document. */
const MIN_SCOPED_CODE_BYTES = 4 + 5 + MIN_DOCUMENT_BYTES;

/** A length in front of a value: at least `least`. Whether it fits is for `valueSize` to say. */
function prefix(bytes: Buffer, start: number, limit: number, least: number): number {
  if (limit - start < 4) invalid('a value is cut off');
  const size = bytes.readInt32LE(start);
  return size >= least ? size : invalid(`a length of ${size} is too small`);
}

/** A string's bytes, with its length and its NUL, which must be there. */
export function stringSize(bytes: Buffer, start: number, limit: number): number {
  const size = 4 + prefix(bytes, start, limit, 1);
  if (size > limit - start) invalid('a string runs past its document');
  if (bytes[start + size - 1] !== 0) invalid('a string is not terminated');
  return size;
}

function walkDocument(bytes: Uint8Array): FieldWalker {
  const walker = new FieldWalker(asBuffer(bytes));
  if (walker.end !== bytes.length) invalid(`${bytes.length - walker.end} bytes follow the document`);
  return walker;
}

/** The names of the top-level fields, in order, as often as they are there. */
export function fieldNames(bytes: Uint8Array): string[] {
  const names: string[] = [];
  for (const walker = walkDocument(bytes); walker.next(); ) names.push(walker.name());
  return names;
}

/** The first top-level field of that name. What follows it is not looked at. */
export function rawField(bytes: Uint8Array, name: string): RawField | undefined {
  for (const walker = walkDocument(bytes); walker.next(); ) if (walker.name() === name) return walker.field();
  return undefined;
}

/** Views on the documents of a top-level array, or undefined where there is no such array, or something else in it. */
export function rawDocuments(bytes: Uint8Array, name: string): Uint8Array[] | undefined {
  const field = rawField(bytes, name);
  if (field?.type !== TYPE.array) return undefined;
  const documents: Uint8Array[] = [];
  for (const walker = new FieldWalker(asBuffer(bytes), field.start, field.end); walker.next(); ) {
    if (walker.type !== TYPE.object) return undefined;
    documents.push(bytes.subarray(walker.valueStart, walker.valueEnd));
  }
  return documents;
}

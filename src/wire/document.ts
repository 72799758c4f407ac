import { CodedError } from '../base/index.ts';
import { endOfCString, readInt32 } from './bytes.ts';

/** An empty document: its length and the closing zero. */
const DOCUMENT_SIZE_MIN = 5;

/**
 * The document that begins at `at` and ends at or before `end`, as a view. Only its length is checked here: whoever
 * decodes it checks the rest, once. Throws CodedError('InvalidBSON').
 */
export function readDocument(bytes: Uint8Array, at: number, end: number): Uint8Array {
  const room = end - at;
  const length = room < DOCUMENT_SIZE_MIN ? 0 : readInt32(bytes, at);
  if (length < DOCUMENT_SIZE_MIN || length > room) {
    throw new CodedError(
      'InvalidBSON',
      `a document of ${length} bytes does not fit where ${Math.max(0, room)} are left`,
    );
  }
  return bytes.subarray(at, at + length);
}

/** Behind the document's length and the type of its first field. */
const FIRST_NAME_AT = 5;

/** The name of a document's first field, which is the command's name; empty when it has none. */
export function firstField(document: Uint8Array): string {
  const end = endOfCString(document, FIRST_NAME_AT, document.length);
  if (end < 0) return '';
  return Buffer.from(document.buffer, document.byteOffset + FIRST_NAME_AT, end - FIRST_NAME_AT).toString('utf8');
}

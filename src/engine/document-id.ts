import { CodedError, type Env } from '../base/index.ts';
import {
  asBuffer,
  type Doc,
  decode,
  encode,
  getField,
  MAX_DOCUMENT_BYTES,
  nestsBeyond,
  newObjectId,
  rawField,
  TYPE,
  typeNumber,
  type Value,
} from '../bson/index.ts';
import { checkIdType, checkStoredId, type QueryContext, withTimestamps } from '../query/index.ts';

/** How deep what is kept may nest: less than what a command may bring, which holds it (`getMaxDepthForUserStorage`). */
const MAX_STORED_DEPTH = 180;

const REFERENCE_FIELDS: ReadonlySet<string> = new Set(['$ref', '$id', '$db']);

/**
 * The document as it is stored: `_id` in front, made when it is missing. Returns the very bytes given where they are so
 * already. Throws BSONObjectTooLarge, and InvalidIdField or DollarPrefixedFieldName for an `_id` that MongoDB refuses.
 */
export function withIdFirst(bytes: Uint8Array, env: Pick<Env, 'clock' | 'random'>): Uint8Array {
  const id = rawField(bytes, '_id');
  if (!id) return checkInsertable(splice(encode(new Map([['_id', newObjectId(env)]])), bytes, 4, 4));
  checkIdType(id.type);
  if (id.type === TYPE.object) checkIdFields(getField(bytes, '_id'));
  checkInsertable(bytes);
  // `_id` first: size (4), type (1), "_id\0" (4), then the value.
  if (id.start === 9) return bytes;
  return splice(encode(new Map([['_id', getField(bytes, '_id')]])), bytes, id.start - 5, id.end);
}

/** The same for a decoded document, as a stage of a pipeline makes it; its size is the caller's to judge. */
export function encodeWithIdFirst(doc: Doc, env: Pick<Env, 'clock' | 'random'>): Uint8Array {
  if (doc.has('_id')) {
    checkIdType(typeNumber(doc.get('_id')));
    checkIdFields(doc.get('_id'));
  }
  return idFirst(doc, env);
}

/** The same for one that an update or an upsert makes, whose `_id` is checked otherwise. */
export function encodeUpdated(doc: Doc, env: Pick<Env, 'clock' | 'random'>): Uint8Array {
  if (doc.has('_id')) checkStoredId(doc);
  return idFirst(doc, env);
}

function idFirst(doc: Doc, env: Pick<Env, 'clock' | 'random'>): Uint8Array {
  if (doc.keys().next().value === '_id') return encode(doc);
  return encode(new Map([['_id', doc.has('_id') ? doc.get('_id') : newObjectId(env)], ...doc]));
}

/** The document with the time in place of its empty timestamps; the very bytes where there are none. */
export function stamped(bytes: Uint8Array, context: QueryContext): Uint8Array {
  // Mostly the type stands nowhere in a document, and nothing is decoded.
  if (asBuffer(bytes).indexOf(TYPE.timestamp) < 0) return bytes;
  const doc = decode(bytes);
  const result = withTimestamps(doc, context);
  return result === doc ? bytes : encode(result);
}

/** `front` (a document of one field) followed by the fields of `bytes` without those in [from, to). */
function splice(front: Uint8Array, bytes: Uint8Array, from: number, to: number): Uint8Array {
  const head = front.length - 1;
  const result = new Uint8Array(head + (from - 4) + (bytes.length - to));
  result.set(front.subarray(0, head), 0);
  result.set(bytes.subarray(4, from), head);
  result.set(bytes.subarray(to), head + from - 4);
  new DataView(result.buffer).setInt32(0, result.length, true);
  return result;
}

/** The bytes, where a document may be inserted that is so large and so deep. Throws BSONObjectTooLarge and Overflow. */
export function checkInsertable(bytes: Uint8Array): Uint8Array {
  if (bytes.length > MAX_DOCUMENT_BYTES) {
    throw new CodedError(
      'BSONObjectTooLarge',
      `object to insert too large. size in bytes: ${bytes.length}, max size: ${MAX_DOCUMENT_BYTES}`,
    );
  }
  if (!nestsBeyond(bytes, MAX_STORED_DEPTH)) return bytes;
  const message = `cannot insert document because it exceeds ${MAX_STORED_DEPTH} levels of nesting`;
  throw new CodedError('Overflow', message);
}

/** Throws Overflow for what an update has made too deep. */
export function checkDepth(bytes: Uint8Array): void {
  if (!nestsBeyond(bytes, MAX_STORED_DEPTH)) return;
  throw new CodedError('Overflow', `Document exceeds maximum nesting depth of ${MAX_STORED_DEPTH}`);
}

/** Inside an `_id` that is inserted, at any depth, only a reference (`$ref` first) may have names that begin with `$`. */
function checkIdFields(value: Value | undefined): void {
  if (Array.isArray(value)) for (const element of value) checkIdFields(element);
  if (!(value instanceof Map)) return;
  const isReference = value.keys().next().value === '$ref';
  for (const [name, inner] of value) {
    if (name.startsWith('$') && !(isReference && REFERENCE_FIELDS.has(name))) {
      throw new CodedError(
        'DollarPrefixedFieldName',
        `_id fields may not contain '$'-prefixed fields: ${name} is not valid for storage.`,
      );
    }
    checkIdFields(inner);
  }
}

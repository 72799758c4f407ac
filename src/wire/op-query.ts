import { endOfCString } from './bytes.ts';
import { readDocument } from './document.ts';
import { WireError } from './wire-error.ts';

/** `flags` int32. The collection's name follows. */
const NAME_AT = 4;
/** `numberToSkip` and `numberToReturn`, which mean nothing for a command. */
const NUMBERS_SIZE = 8;
const COMMAND_COLLECTION = '.$cmd';

export interface OpQuery {
  readonly db: string;
  readonly body: Uint8Array;
}

/**
 * The legacy opcode that drivers shake hands with. Throws a fatal WireError for what is no command (the server that we
 * follow took its last other OP_QUERY in version 5.0), a CodedError('InvalidBSON') for a document that does not fit.
 */
export function parseOpQuery(payload: Uint8Array): OpQuery {
  const nameEnd = endOfCString(payload, NAME_AT, payload.length);
  if (nameEnd < 0) throw WireError.fatal('ProtocolError', 'an OP_QUERY message has no collection name');
  const namespace = Buffer.from(payload.buffer, payload.byteOffset + NAME_AT, nameEnd - NAME_AT).toString('utf8');
  if (!namespace.endsWith(COMMAND_COLLECTION)) {
    throw WireError.fatal('UnsupportedOpQueryCommand', 'OP_QUERY is supported for commands only');
  }
  const body = readDocument(payload, nameEnd + 1 + NUMBERS_SIZE, payload.length);
  return { db: namespace.slice(0, -COMMAND_COLLECTION.length), body };
}

import { readInt32, writeInt32 } from './bytes.ts';
import { WireError } from './wire-error.ts';

/** `messageLength, requestID, responseTo, opCode`, four bytes each. */
export const HEADER_SIZE = 16;

/** `maxMessageSizeBytes` of `hello`: no message is longer, header included. */
export const MAX_MESSAGE_SIZE = 48_000_000;

export const OPCODE = {
  OP_REPLY: 1,
  OP_QUERY: 2004,
  OP_COMPRESSED: 2012,
  OP_MSG: 2013,
} as const;

/** `GET ` read as a length. */
const HTTP_GET = 0x20544547;

/** For the person who opens the address in a browser. MongoDB's servers say something of the kind. */
const HTTP_TEXT = 'This is the port for MongoDB clients. A browser finds nothing here.\n';
const HTTP_ANSWER = Buffer.from(
  `HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Type: text/plain\r\nContent-Length: ${HTTP_TEXT.length}\r\n\r\n${HTTP_TEXT}`,
);

export interface Header {
  readonly length: number;
  readonly requestId: number;
  readonly responseTo: number;
  readonly opcode: number;
}

/** What a client may send; OP_REPLY is the server's alone. */
const REQUEST_OPCODES = new Set<number>([OPCODE.OP_QUERY, OPCODE.OP_COMPRESSED, OPCODE.OP_MSG]);

/**
 * The length of the message whose header stands at `at`. Throws a fatal WireError for what cannot be a message, before
 * any more of it is waited for: a TLS greeting, for one, reads as a header that promises 33 MB.
 */
export function messageLength(bytes: Uint8Array, at: number): number {
  const length = readInt32(bytes, at);
  if (length === HTTP_GET) throw WireError.fatal('ProtocolError', 'a client speaks HTTP', HTTP_ANSWER);
  if (length < HEADER_SIZE || length > MAX_MESSAGE_SIZE) {
    throw WireError.fatal(
      'ProtocolError',
      `a message length of ${length} is invalid: the least is ${HEADER_SIZE}, the most ${MAX_MESSAGE_SIZE}`,
    );
  }
  const opcode = readInt32(bytes, at + 12);
  if (!REQUEST_OPCODES.has(opcode)) throw unsupportedOpcode(opcode);
  return length;
}

export function unsupportedOpcode(opcode: number): WireError {
  return WireError.fatal('IllegalOperation', `a message has the unsupported opcode ${opcode}`);
}

export function readHeader(frame: Uint8Array): Header {
  return {
    length: readInt32(frame, 0),
    requestId: readInt32(frame, 4),
    responseTo: readInt32(frame, 8),
    opcode: readInt32(frame, 12),
  };
}

export function writeHeader(bytes: Uint8Array, header: Header): void {
  writeInt32(bytes, 0, header.length);
  writeInt32(bytes, 4, header.requestId);
  writeInt32(bytes, 8, header.responseTo);
  writeInt32(bytes, 12, header.opcode);
}

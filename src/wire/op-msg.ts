import { CodedError } from '../base/index.ts';
import { rawField } from '../bson/index.ts';
import { endOfCString, readInt32, writeInt32 } from './bytes.ts';
import { readDocument } from './document.ts';
import { WireError } from './wire-error.ts';

export const FLAG = { checksumPresent: 1 << 0, moreToCome: 1 << 1, exhaustAllowed: 1 << 16 } as const;

/** A receiver must refuse what it does not know of the low 16 bits, and may ignore the others. */
const REQUIRED_FLAGS = 0xffff;
const KNOWN_FLAGS = FLAG.checksumPresent | FLAG.moreToCome;

export const FLAGS_SIZE = 4;
export const CHECKSUM_SIZE = 4;

const SECTION = { body: 0, sequence: 1 } as const;

/** As many as `bulkWrite` needs (`ops`, `nsInfo`); MongoDB takes no more. */
const SEQUENCES_MAX = 2;

export interface OpMsg {
  readonly body: Uint8Array;
  readonly sequences: Map<string, Uint8Array[]>;
}

/** The flag bits. Throws a fatal WireError when there are none or an unknown one is required. */
export function readFlags(payload: Uint8Array): number {
  if (payload.length < FLAGS_SIZE) throw WireError.fatal('ProtocolError', 'an OP_MSG message has no flags');
  const flags = readInt32(payload, 0);
  if (flags & REQUIRED_FLAGS & ~KNOWN_FLAGS) {
    throw WireError.fatal('IllegalOpMsgFlag', `OP_MSG with unknown required flags: 0x${(flags >>> 0).toString(16)}`);
  }
  return flags;
}

/**
 * The sections of a payload between its flags and `end`. Throws a CodedError with MongoDB's code for what a client is
 * told, a fatal WireError for what ends the connection. `Location` numbers are those of MongoDB's `op_msg.cpp`.
 */
export function parseSections(payload: Uint8Array, end: number): OpMsg {
  let body: Uint8Array | undefined;
  const sequences = new Map<string, Uint8Array[]>();
  for (let at = FLAGS_SIZE; at < end; ) {
    const kind = payload[at++];
    if (kind === SECTION.body) {
      if (body) throw new CodedError('Location40430', 'Multiple body sections in message');
      body = readDocument(payload, at, end);
      at += body.length;
    } else if (kind === SECTION.sequence) {
      if (sequences.size === SEQUENCES_MAX) {
        throw WireError.fatal('TooManyDocumentSequences', 'Too many document sequences in OP_MSG');
      }
      at = readSequence(payload, at, end, sequences);
    } else {
      throw new CodedError('Location40432', `Unknown section kind ${kind}`);
    }
  }
  if (!body) throw new CodedError('Location40587', 'OP_MSG messages must have a body');
  for (const name of sequences.keys()) {
    if (rawField(body, name)) {
      throw new CodedError('Location40433', `Duplicate field between body and document sequence ${name}`);
    }
  }
  return { body, sequences };
}

/** `size` int32 (itself included), `name` C string, documents. Returns where the next section begins. */
function readSequence(payload: Uint8Array, at: number, end: number, sequences: Map<string, Uint8Array[]>): number {
  const size = at + 4 > end ? 0 : readInt32(payload, at);
  const sectionEnd = at + size;
  const nameEnd = size < 5 || sectionEnd > end ? -1 : endOfCString(payload, at + 4, sectionEnd);
  if (nameEnd < 0) throw new CodedError('ProtocolError', 'a document sequence does not fit in its OP_MSG');
  const name = Buffer.from(payload.buffer, payload.byteOffset + at + 4, nameEnd - at - 4).toString('utf8');
  if (sequences.has(name)) throw new CodedError('Location40431', `Duplicate document sequence: ${name}`);
  const documents: Uint8Array[] = [];
  for (let next = nameEnd + 1; next < sectionEnd; ) {
    const document = readDocument(payload, next, sectionEnd);
    documents.push(document);
    next += document.length;
  }
  sequences.set(name, documents);
  return sectionEnd;
}

/** Flags and the kind byte of the one section that a reply has; the body follows. */
export function replyPrefix(flags: number): Uint8Array {
  const prefix = new Uint8Array(FLAGS_SIZE + 1);
  writeInt32(prefix, 0, flags);
  prefix[FLAGS_SIZE] = SECTION.body;
  return prefix;
}

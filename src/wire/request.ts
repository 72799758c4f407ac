import { CodedError } from '../base/index.ts';
import { readInt32 } from './bytes.ts';
import { unpack } from './compressed.ts';
import { mayCompress } from './compressors.ts';
import { crc32c } from './crc32c.ts';
import { firstField } from './document.ts';
import { HEADER_SIZE, type Header, OPCODE, readHeader, unsupportedOpcode, writeHeader } from './header.ts';
import { CHECKSUM_SIZE, FLAG, FLAGS_SIZE, parseSections, readFlags } from './op-msg.ts';
import { parseOpQuery } from './op-query.ts';
import type { CompressorName, ReplyTo, WireRequest } from './types.ts';
import { WireError } from './wire-error.ts';

/** A message out of its wrapping. */
interface Envelope {
  readonly header: Header;
  readonly payload: Uint8Array;
  readonly compressor: CompressorName | undefined;
}

/** Reads a whole message (as FrameSplitter gives it). Throws nothing but WireError. */
export function parseRequest(frame: Uint8Array): WireRequest {
  const envelope = open(frame);
  switch (envelope.header.opcode) {
    case OPCODE.OP_MSG:
      return msgRequest(envelope);
    case OPCODE.OP_QUERY:
      return queryRequest(envelope);
    default:
      throw unsupportedOpcode(envelope.header.opcode);
  }
}

function open(frame: Uint8Array): Envelope {
  const header = readHeader(frame);
  const payload = frame.subarray(HEADER_SIZE);
  if (header.opcode !== OPCODE.OP_COMPRESSED) return { header, payload, compressor: undefined };
  const unpacked = unpack(payload);
  return {
    header: { ...header, opcode: unpacked.opcode, length: HEADER_SIZE + unpacked.payload.length },
    payload: unpacked.payload,
    compressor: unpacked.compressor,
  };
}

function msgRequest({ header, payload, compressor }: Envelope): WireRequest {
  const flags = readFlags(payload);
  const checksumPresent = (flags & FLAG.checksumPresent) !== 0;
  const moreToCome = (flags & FLAG.moreToCome) !== 0;
  const end = checksumPresent ? verifiedEnd(header, payload) : payload.length;
  const replyTo: ReplyTo = { requestId: header.requestId, opcode: 'OP_MSG', checksumPresent, compressor };
  const { body, sequences } = answerably(moreToCome ? undefined : replyTo, () => parseSections(payload, end));
  // Written out: a spread costs more than all the rest of the reading.
  return {
    requestId: header.requestId,
    opcode: 'OP_MSG',
    checksumPresent,
    compressor: replyCompressor(compressor, body),
    body,
    db: undefined,
    sequences,
    moreToCome,
    exhaustAllowed: (flags & FLAG.exhaustAllowed) !== 0,
  };
}

const NO_SEQUENCES: ReadonlyMap<string, readonly Uint8Array[]> = new Map();

function queryRequest({ header, payload, compressor }: Envelope): WireRequest {
  const replyTo: ReplyTo = { requestId: header.requestId, opcode: 'OP_QUERY', checksumPresent: false, compressor };
  const { body, db } = answerably(replyTo, () => parseOpQuery(payload));
  return {
    requestId: header.requestId,
    opcode: 'OP_QUERY',
    checksumPresent: false,
    compressor: replyCompressor(compressor, body),
    body,
    db,
    sequences: NO_SEQUENCES,
    moreToCome: false,
    exhaustAllowed: false,
  };
}

/** Where the sections end and the checksum begins. The checksum covers the message as it was before compression. */
function verifiedEnd(header: Header, payload: Uint8Array): number {
  const end = payload.length - CHECKSUM_SIZE;
  if (end < FLAGS_SIZE) throw WireError.fatal('ProtocolError', 'an OP_MSG message has no room for its checksum');
  const head = new Uint8Array(HEADER_SIZE);
  writeHeader(head, header);
  if (crc32c(payload.subarray(0, end), crc32c(head)) !== readInt32(payload, end) >>> 0) {
    throw WireError.fatal('ChecksumMismatch', 'OP_MSG checksum does not match contents');
  }
  return end;
}

function replyCompressor(used: CompressorName | undefined, body: Uint8Array): CompressorName | undefined {
  return used && mayCompress(firstField(body)) ? used : undefined;
}

/** Gives the client's mistakes an address to answer to. */
function answerably<T>(replyTo: ReplyTo | undefined, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (error instanceof CodedError && !(error instanceof WireError)) throw WireError.answerable(error, replyTo);
    throw error;
  }
}

import { readInt32, writeInt32 } from './bytes.ts';
import { COMPRESSOR, compressorById } from './compressors.ts';
import { HEADER_SIZE, MAX_MESSAGE_SIZE } from './header.ts';
import type { CompressorName } from './types.ts';
import { WireError } from './wire-error.ts';

/** `originalOpcode` int32, `uncompressedSize` int32 (without the header), `compressorId` byte. */
const COMPRESSED_PREFIX_SIZE = 9;

export interface Unpacked {
  readonly opcode: number;
  readonly payload: Uint8Array;
  readonly compressor: CompressorName;
}

/** The message within an OP_COMPRESSED payload. Throws a fatal WireError, as MongoDB ends such a connection. */
export function unpack(payload: Uint8Array): Unpacked {
  if (payload.length < COMPRESSED_PREFIX_SIZE) throw WireError.fatal('BadValue', 'a compressed message is cut short');
  const opcode = readInt32(payload, 0);
  const size = readInt32(payload, 4);
  const name = compressorById(payload[8]!);
  if (!name) throw WireError.fatal('InternalError', `no compressor has the number ${payload[8]}`);
  if (size < 0 || size > MAX_MESSAGE_SIZE - HEADER_SIZE) {
    throw WireError.fatal('BadValue', `a compressed message claims to hold ${size} bytes`);
  }
  const unpacked = decompress(name, payload.subarray(COMPRESSED_PREFIX_SIZE), size);
  if (unpacked.length !== size) {
    throw WireError.fatal('BadValue', `a compressed message holds ${unpacked.length} bytes and claims ${size}`);
  }
  return { opcode, payload: unpacked, compressor: name };
}

function decompress(name: CompressorName, bytes: Uint8Array, size: number): Uint8Array {
  try {
    return COMPRESSOR[name].decompress(bytes, size);
  } catch (error) {
    throw WireError.fatal('BadValue', `a message cannot be decompressed with ${name}: ${String(error)}`);
  }
}

/** The OP_COMPRESSED payload for a message. */
export function pack(
  name: CompressorName,
  opcode: number,
  payload: Uint8Array,
): [prefix: Uint8Array, content: Uint8Array] {
  const compressor = COMPRESSOR[name];
  const prefix = new Uint8Array(COMPRESSED_PREFIX_SIZE);
  writeInt32(prefix, 0, opcode);
  writeInt32(prefix, 4, payload.length);
  prefix[8] = compressor.id;
  return [prefix, compressor.compress(payload)];
}

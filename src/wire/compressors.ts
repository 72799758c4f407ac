import zlib from 'node:zlib';
import { compressSync, uncompressSync } from 'snappy';
import type { CompressorName } from './types.ts';
import { loadWasmZstd, type ZstdCodec } from './zstd-wasm.ts';

/** One algorithm. Everything runs at once on the calling thread: most messages are small, and a hand-over costs more. */
interface Compressor {
  /** `compressorId` of OP_COMPRESSED. */
  readonly id: number;
  compress(bytes: Uint8Array): Uint8Array;
  /** Throws whatever the library throws. Never makes more than `size` bytes, whatever the input claims. */
  decompress(bytes: Uint8Array, size: number): Uint8Array;
}

/** The fastest level: the thread that compresses serves every other client too. */
const ZLIB_LEVEL = zlib.constants.Z_BEST_SPEED;

/** zstd's own default, and that of MongoDB's servers and drivers. */
const ZSTD_LEVEL = 3;

/** The most that zlib gets in one piece before it has shown that there is output. */
const ZLIB_CHUNK_MAX = 1 << 20;
const ZLIB_CHUNK_MIN = 64;

const noop: Compressor = {
  id: 0,
  compress: (bytes) => bytes,
  decompress: (bytes) => bytes,
};

const snappy: Compressor = {
  id: 1,
  compress: (bytes) => compressSync(bytes),
  decompress(bytes, size) {
    // The library allocates what the preamble says before it looks further.
    if (snappyLength(bytes) !== size) throw new Error('the snappy preamble tells another length than the message');
    const result = uncompressSync(bytes, { asBuffer: true });
    if (typeof result === 'string') throw new Error('snappy gave text for bytes');
    return result;
  },
};

const deflate: Compressor = {
  id: 2,
  compress: (bytes) => zlib.deflateSync(bytes, { level: ZLIB_LEVEL }),
  decompress: (bytes, size) =>
    zlib.inflateSync(bytes, {
      maxOutputLength: Math.max(1, size),
      chunkSize: Math.min(ZLIB_CHUNK_MAX, Math.max(ZLIB_CHUNK_MIN, size)),
    }),
};

const zstd: Compressor = { id: 3, ...(nativeZstd() ?? (await loadWasmZstd(ZSTD_LEVEL))) };

export const COMPRESSOR: Readonly<Record<CompressorName, Compressor>> = { noop, snappy, zlib: deflate, zstd };

const BY_ID = new Map((Object.keys(COMPRESSOR) as CompressorName[]).map((name) => [COMPRESSOR[name].id, name]));

export function compressorById(id: number): CompressorName | undefined {
  return BY_ID.get(id);
}

/** What `hello.compression` may offer, best first: MongoDB's default order (`net.compression.compressors`). */
export function supportedCompressors(): readonly string[] {
  return ['snappy', 'zstd', 'zlib'];
}

/**
 * Commands that carry secrets or come before compression is agreed on. No driver may compress them (compression
 * specification); the reply to one that did goes out in the clear.
 */
const UNCOMPRESSED_COMMANDS = new Set([
  'hello',
  'ismaster',
  'saslstart',
  'saslcontinue',
  'getnonce',
  'authenticate',
  'createuser',
  'updateuser',
  'copydbsaslstart',
  'copydbgetnonce',
  'copydb',
]);

export function mayCompress(command: string): boolean {
  return !UNCOMPRESSED_COMMANDS.has(command.toLowerCase());
}

/** The length of the content, a little-endian base-128 number of at most 5 bytes (snappy's `format_description.txt`). */
function snappyLength(bytes: Uint8Array): number {
  let length = 0;
  for (let at = 0; at < 5; at++) {
    const byte = bytes[at];
    if (byte === undefined) return -1;
    length += (byte & 0x7f) * 2 ** (7 * at);
    if (byte < 0x80) return length;
  }
  return -1;
}

/** What node:zlib has from Node 22.15 on, and its type declarations for Node 20 do not tell. */
interface MaybeZstd {
  readonly constants: object;
  zstdCompressSync?(bytes: Uint8Array): Uint8Array;
  zstdDecompressSync?(bytes: Uint8Array, options: { maxOutputLength: number }): Uint8Array;
}

function nativeZstd(): ZstdCodec | undefined {
  const { zstdCompressSync, zstdDecompressSync }: MaybeZstd = zlib;
  if (!zstdCompressSync || !zstdDecompressSync) return undefined;
  return {
    // Level 3 unless told otherwise.
    compress: (bytes) => zstdCompressSync(bytes),
    decompress: (bytes, size) => zstdDecompressSync(bytes, { maxOutputLength: Math.max(1, size) }),
  };
}

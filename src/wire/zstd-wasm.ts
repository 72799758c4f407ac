import { Zstd } from '@hpcc-js/wasm-zstd';

/** A block in the memory of the WebAssembly module. */
interface Block {
  readonly ptr: number;
  size: number;
}

/**
 * The floor below the package's own `decompress`, which returns through `[...bytes]`: some 40 bytes of memory for each
 * byte (1.7 GB for one 48 MB message, measured), and an output buffer as large as the frame claims to need. Here the
 * output is as large as the caller allows. The names are private to the package, so its version is pinned and a test
 * meets them all.
 */
interface Internals {
  readonly _mainModule: {
    malloc(size: number): Block;
    free(block: Block): void;
    dataToHeap(bytes: Uint8Array): Block;
    heapView(block: Block): Uint8Array;
  };
  readonly _zstdClass: {
    compressBound(size: number): number;
    compress(target: number, capacity: number, source: number, size: number, level: number): number;
    decompress(target: number, capacity: number, source: number, size: number): number;
    isError(result: number): number;
    getErrorName(result: number): string;
  };
}

export interface ZstdCodec {
  compress(bytes: Uint8Array): Uint8Array;
  /** Throws when the bytes are no zstd frame or do not fit in `size` bytes. */
  decompress(bytes: Uint8Array, size: number): Uint8Array;
}

/** zstd for a Node without it (before 22.15). Takes some 60 ms to compile. */
export async function loadWasmZstd(level: number): Promise<ZstdCodec> {
  const { _mainModule: memory, _zstdClass: zstd } = (await Zstd.load()) as unknown as Internals;

  const run = (input: Uint8Array, capacity: number, step: (target: Block, source: Block) => number): Uint8Array => {
    const source = memory.dataToHeap(input);
    const target = memory.malloc(capacity);
    try {
      if (source.ptr === 0 || target.ptr === 0) throw new Error('zstd is out of memory');
      const written = step(target, source);
      if (zstd.isError(written)) throw new Error(zstd.getErrorName(written));
      return memory.heapView({ ptr: target.ptr, size: written }).slice();
    } finally {
      memory.free(target);
      memory.free(source);
    }
  };

  return {
    compress: (bytes) =>
      run(bytes, zstd.compressBound(bytes.length), (target, source) =>
        zstd.compress(target.ptr, target.size, source.ptr, source.size, level),
      ),
    decompress: (bytes, size) =>
      run(bytes, size, (target, source) => zstd.decompress(target.ptr, target.size, source.ptr, source.size)),
  };
}

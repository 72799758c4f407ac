import { Buffer } from 'node:buffer';
import type { Scratch, ScratchFile } from '../../base/index.ts';
import { asBuffer, type Doc, decode, encode, type Value } from '../../bson/index.ts';
import { carry, metadataOf } from '../metadata.ts';
import type { Metadata } from '../types.ts';

/** How items become bytes, and come back. */
export interface Codec<T> {
  encode(item: T): Uint8Array;
  decode(bytes: Uint8Array): T;
}

/** Items that were put aside together: the chunks of a file that hold them, in order. */
export type Run = readonly number[];

/** Read and written at once: large enough for a disk, and small enough to have one of each run in memory. */
const CHUNK_BYTES = 256 * 1024;
const LENGTH_BYTES = 4;

/** Puts items aside in a file, which is made when the first one comes. */
export class Spool<T> {
  readonly #scratch: Scratch;
  readonly #codec: Codec<T>;
  #file: ScratchFile | undefined;
  #chunks = 0;
  #bytes = 0;

  constructor(scratch: Scratch, codec: Codec<T>) {
    this.#scratch = scratch;
    this.#codec = codec;
  }

  /** All that it has put into its file. */
  get bytes(): number {
    return this.#bytes;
  }

  async write(batches: Iterable<Iterable<T>> | AsyncIterable<Iterable<T>>): Promise<Run> {
    const run: number[] = [];
    let parts: Uint8Array[] = [];
    let bytes = 0;
    const flush = async () => {
      this.#file ??= this.#scratch.file();
      run.push(this.#chunks++);
      this.#bytes += bytes;
      await this.#file.append(Buffer.concat(parts));
      parts = [];
      bytes = 0;
    };
    for await (const items of batches) {
      for (const item of items) {
        const encoded = this.#codec.encode(item);
        const length = Buffer.allocUnsafe(LENGTH_BYTES);
        length.writeUInt32LE(encoded.length);
        parts.push(length, encoded);
        bytes += LENGTH_BYTES + encoded.length;
        if (bytes >= CHUNK_BYTES) await flush();
      }
    }
    if (parts.length > 0) await flush();
    return run;
  }

  /** A chunk at a time. */
  async *read(run: Run): AsyncGenerator<T[]> {
    for (const number of run) {
      const chunk = Buffer.from(await this.#file!.read(number));
      const items: T[] = [];
      for (let at = 0; at < chunk.length; ) {
        const start = at + LENGTH_BYTES;
        at = start + chunk.readUInt32LE(at);
        items.push(this.#codec.decode(chunk.subarray(start, at)));
      }
      yield items;
    }
  }

  /** Nothing of it is left. */
  async close(): Promise<void> {
    await this.#file?.close();
  }
}

/** A document, then what it carries: not one within the other, for it may nest as deep as a document can. */
export const DOCUMENTS: Codec<Doc> = {
  encode(doc) {
    const metadata = metadataOf(doc);
    return metadata ? Buffer.concat([encode(doc), encode(toDoc(metadata))]) : encode(doc);
  },
  decode(bytes) {
    const length = asBuffer(bytes).readInt32LE();
    const metadata = length < bytes.length ? Object.fromEntries(decode(bytes.subarray(length))) : undefined;
    return carry(decode(bytes.subarray(0, length)), metadata);
  },
};

/** A document with what it is sorted by. */
export interface Keyed {
  readonly key: Value;
  readonly doc: Doc;
}

export const KEYED: Codec<Keyed> = {
  encode: ({ key, doc }) => Buffer.concat([encode(new Map([['', key]])), DOCUMENTS.encode(doc)]),
  decode(bytes) {
    const view = asBuffer(bytes);
    const end = view.readInt32LE();
    return { key: decode(view.subarray(0, end)).get(''), doc: DOCUMENTS.decode(view.subarray(end)) };
  },
};

function toDoc({ textScore, geoNearDistance, geoNearPoint, recordId, indexKey, sortKey }: Metadata): Doc {
  const all = Object.entries({ textScore, geoNearDistance, geoNearPoint, recordId, indexKey, sortKey });
  return new Map(all.filter(([, value]) => value !== undefined) as [string, Value][]);
}

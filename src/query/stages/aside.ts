import type { Scratch } from '../../base/index.ts';
import { type Codec, Spool } from './spool.ts';

export const PARTS = 16;
/** Parts of parts of parts ...: what is still too much then is held. */
export const MAX_DEPTH = 6;

/** What waits for its turn, in parts by a hash of keys: what is of one key is in one part, in order. */
export class Aside<T> {
  readonly #spool: Spool<T>;
  readonly #depth: number;
  /** Of a part that are written together. */
  readonly #bytes: number;
  readonly #waiting: { items: T[]; bytes: number }[] = Array.from({ length: PARTS }, () => ({ items: [], bytes: 0 }));
  readonly #chunks: number[][] = Array.from({ length: PARTS }, () => []);

  /** `bytes` are what may wait to be written; `depth` tells parts of parts apart: another hash for each. */
  constructor(scratch: Scratch, codec: Codec<T>, bytes: number, depth: number) {
    this.#bytes = bytes / PARTS;
    this.#spool = new Spool(scratch, codec);
    this.#depth = depth;
  }

  partOf(key: string): number {
    return hash(key, this.#depth) % PARTS;
  }

  put(part: number, item: T, size: number): void {
    const waiting = this.#waiting[part]!;
    waiting.items.push(item);
    waiting.bytes += size;
  }

  /** All that it has put into its file. */
  get bytes(): number {
    return this.#spool.bytes;
  }

  /** Writes what has gathered. */
  async write(): Promise<void> {
    for (const [part, { items, bytes }] of this.#waiting.entries()) {
      if (bytes < this.#bytes) continue;
      this.#chunks[part]!.push(...(await this.#spool.write([items])));
      this.#waiting[part] = { items: [], bytes: 0 };
    }
  }

  /** Those that hold something, one after the other; nothing is put in any more. */
  *parts(): Generator<AsyncGenerator<T[]>> {
    for (let part = 0; part < PARTS; part++) {
      if (this.#waiting[part]!.items.length + this.#chunks[part]!.length > 0) yield this.#read(part);
    }
  }

  async close(): Promise<void> {
    await this.#spool.close();
  }

  async *#read(part: number): AsyncGenerator<T[]> {
    yield* this.#spool.read(this.#chunks[part]!);
    const { items } = this.#waiting[part]!;
    this.#waiting[part] = { items: [], bytes: 0 };
    yield items;
  }
}

/** FNV-1a over code units (Fowler, Noll, Vo), begun differently for each depth. */
function hash(key: string, depth: number): number {
  let value = 0x811c9dc5 ^ Math.imul(depth, 0x9e3779b1);
  for (let at = 0; at < key.length; at++) value = Math.imul(value ^ key.charCodeAt(at), 0x01000193);
  return (value ^ (value >>> 15)) >>> 0;
}

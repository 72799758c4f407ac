import type { Scratch } from '../../base/index.ts';
import type { Doc } from '../../bson/index.ts';
import { DOCUMENTS, Spool } from './spool.ts';

const PARTS = 16;
/** Parts of parts of parts ...: what is still too much then is held. */
export const MAX_DEPTH = 6;

/** Documents that wait for their turn, in parts by a hash of their keys: those of one key are in one part, in order. */
export class Aside {
  readonly #spool: Spool<Doc>;
  readonly #depth: number;
  /** Of a part that are written together. */
  readonly #bytes: number;
  readonly #waiting: { docs: Doc[]; bytes: number }[] = Array.from({ length: PARTS }, () => ({ docs: [], bytes: 0 }));
  readonly #chunks: number[][] = Array.from({ length: PARTS }, () => []);

  /** `bytes` are what may wait to be written; `depth` tells parts of parts apart: another hash for each. */
  constructor(scratch: Scratch, bytes: number, depth: number) {
    this.#bytes = bytes / PARTS;
    this.#spool = new Spool(scratch, DOCUMENTS);
    this.#depth = depth;
  }

  put(key: string, doc: Doc, size: number): void {
    const part = this.#waiting[hash(key, this.#depth) % PARTS]!;
    part.docs.push(doc);
    part.bytes += size;
  }

  /** Writes what has gathered. */
  async write(): Promise<void> {
    for (const [part, { docs, bytes }] of this.#waiting.entries()) {
      if (bytes < this.#bytes) continue;
      this.#chunks[part]!.push(...(await this.#spool.write(docs)));
      this.#waiting[part] = { docs: [], bytes: 0 };
    }
  }

  /** Those that hold something, one after the other; nothing is put in any more. */
  *parts(): Generator<AsyncGenerator<Doc[]>> {
    for (let part = 0; part < PARTS; part++) {
      if (this.#waiting[part]!.docs.length + this.#chunks[part]!.length > 0) yield this.#read(part);
    }
  }

  async close(): Promise<void> {
    await this.#spool.close();
  }

  async *#read(part: number): AsyncGenerator<Doc[]> {
    yield* this.#spool.read(this.#chunks[part]!);
    const { docs } = this.#waiting[part]!;
    this.#waiting[part] = { docs: [], bytes: 0 };
    yield docs;
  }
}

/** FNV-1a over code units (Fowler, Noll, Vo), begun differently for each depth. */
function hash(key: string, depth: number): number {
  let value = 0x811c9dc5 ^ Math.imul(depth, 0x9e3779b1);
  for (let at = 0; at < key.length; at++) value = Math.imul(value ^ key.charCodeAt(at), 0x01000193);
  return (value ^ (value >>> 15)) >>> 0;
}

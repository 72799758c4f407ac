import { check } from './record-error.ts';

/** An empty BSON document: its length and its end. */
export const DOCUMENT_BYTES_MIN = 5;
/** A 64-bit number, 7 bits a byte. */
export const VARINT_BYTES_MAX = 10;

/** Where bytes stand. */
interface Span {
  readonly chunk: Uint8Array;
  readonly start: number;
  readonly end: number;
}

/** One run of bytes over several chunks. */
export class ChunkReader {
  readonly #chunks: readonly Uint8Array[];
  #chunk = 0;
  #at = 0;

  constructor(chunks: readonly Uint8Array[]) {
    this.#chunks = chunks.filter((chunk) => chunk.length > 0);
  }

  get ended(): boolean {
    return this.#chunk === this.#chunks.length;
  }

  byte(): number {
    const chunk = this.#chunks[this.#chunk];
    check(chunk, 'the bytes are cut off');
    const byte = chunk[this.#at++]!;
    if (this.#at === chunk.length) this.#next();
    return byte;
  }

  varint(): bigint {
    let value = 0n;
    for (let count = 0; count < VARINT_BYTES_MAX; count++) {
      const byte = this.byte();
      value |= BigInt(byte & 0x7f) << BigInt(7 * count);
      if (byte < 0x80) return value;
    }
    check(false, 'a number is too long');
  }

  bytes(length: number): Uint8Array {
    const { chunk, start, end } = this.span(length);
    return chunk.subarray(start, end);
  }

  /** In a chunk, or in a copy where the bytes cross from one chunk into the next. */
  span(length: number): Span {
    const chunk = this.#chunks[this.#chunk];
    check(chunk, 'the bytes are cut off');
    const start = this.#at;
    const end = start + length;
    if (end <= chunk.length) {
      this.#at = end;
      if (end === chunk.length) this.#next();
      return { chunk, start, end };
    }
    check(length <= this.#left(), 'the bytes are cut off');
    const joined = new Uint8Array(length);
    for (let filled = 0; filled < length; ) {
      const rest = this.#chunks[this.#chunk]!.subarray(this.#at, this.#at + length - filled);
      joined.set(rest, filled);
      filled += rest.length;
      this.#at += rest.length;
      if (this.#at === this.#chunks[this.#chunk]!.length) this.#next();
    }
    return { chunk: joined, start: 0, end: length };
  }

  document(): Uint8Array {
    return this.bytes(this.documentLength());
  }

  /** Of the document that comes next; it is not passed over. */
  documentLength(): number {
    const [chunk, at] = [this.#chunk, this.#at];
    const length = int32(this.bytes(4));
    [this.#chunk, this.#at] = [chunk, at];
    check(length >= DOCUMENT_BYTES_MIN, 'a document is too short');
    return length;
  }

  #left(): number {
    let left = -this.#at;
    for (let chunk = this.#chunk; chunk < this.#chunks.length; chunk++) left += this.#chunks[chunk]!.length;
    return left;
  }

  #next(): void {
    this.#chunk++;
    this.#at = 0;
  }
}

export function int32(bytes: Uint8Array): number {
  return bytes[0]! | (bytes[1]! << 8) | (bytes[2]! << 16) | (bytes[3]! << 24);
}

/** Returns where the next byte goes. */
export function writeVarint(out: Uint8Array, start: number, value: number): number {
  let at = start;
  let rest = value;
  while (rest >= 0x80) {
    out[at++] = (rest % 0x80) | 0x80;
    rest = Math.floor(rest / 0x80);
  }
  out[at++] = rest;
  return at;
}

import { assert } from '../base/index.ts';
import { ChunkReader, DOCUMENT_BYTES_MIN, int32, VARINT_BYTES_MAX, writeVarint } from './chunk-reader.ts';
import type { Payload, StoredEntry } from './payload.ts';
import { check } from './record-error.ts';
import type { RetryMark } from './types.ts';

/** What a frame begins with. Written, so never changed. */
const TAG_PUT = 1;
const TAG_DELETE = 2;
const TAG_MARK = 3;

const LSID_BYTES = 16;

/** The most bytes that an entry takes beside its document: a tag and a recordId. */
export const ENTRY_FRAME_BYTES = 1 + 8;
/** The most bytes that a mark takes beside its result. */
export const MARK_FRAME_BYTES = 1 + LSID_BYTES + VARINT_BYTES_MAX + 5;

/** The payload as one run of frames: a tag, a few numbers, and the document as it is, whose own length ends it. */
export function encodeFrames({ entries, marks }: Payload): Uint8Array {
  let bound = 0;
  for (const { bytes } of entries) bound += ENTRY_FRAME_BYTES + bytes.length;
  for (const { result } of marks) bound += MARK_FRAME_BYTES + result.length;
  const out = Buffer.allocUnsafe(bound);
  let at = 0;
  const document = (bytes: Uint8Array) => {
    assert(bytes.length >= DOCUMENT_BYTES_MIN && int32(bytes) === bytes.length, 'a document is as long as it says');
    out.set(bytes, at);
    at += bytes.length;
  };
  for (const { op, recordId, bytes } of entries) {
    out[at++] = op === 'put' ? TAG_PUT : TAG_DELETE;
    at = writeVarint(out, at, recordId);
    document(bytes);
  }
  for (const { lsid, txnNumber, stmtId, result } of marks) {
    assert(lsid.length === LSID_BYTES, 'a session id has 16 bytes');
    out[at++] = TAG_MARK;
    out.set(lsid, at);
    at = writeBigVarint(out, at + LSID_BYTES, BigInt.asUintN(64, txnNumber));
    at = writeVarint(out, at, stmtId >>> 0);
    document(result);
  }
  return out.subarray(0, at);
}

/** Reads the frames in `chunks`, which are the files in order. Documents are views unless they cross a file's end. */
export function decodeFrames(chunks: readonly Uint8Array[]): Payload {
  const reader = new ChunkReader(chunks);
  const entries: StoredEntry[] = [];
  const marks: RetryMark[] = [];
  while (!reader.ended) {
    const tag = reader.byte();
    if (tag === TAG_MARK) {
      const lsid = reader.bytes(LSID_BYTES).slice();
      const txnNumber = BigInt.asIntN(64, reader.varint());
      const stmtId = Number(reader.varint()) | 0;
      marks.push({ lsid, txnNumber, stmtId, result: reader.document().slice() });
      continue;
    }
    check(tag === TAG_PUT || tag === TAG_DELETE, 'a frame begins with a known tag');
    const recordId = Number(reader.varint());
    check(Number.isSafeInteger(recordId) && recordId > 0, 'a recordId is a positive safe integer');
    const { chunk, start, end } = reader.span(reader.documentLength());
    entries.push(new FrameEntry(tag === TAG_PUT ? 'put' : 'delete', recordId, chunk, start, end));
  }
  return { entries, marks };
}

/** An entry whose view of its chunk is made when asked for: a record may hold a hundred thousand of them. */
class FrameEntry implements StoredEntry {
  readonly op: StoredEntry['op'];
  readonly recordId: number;
  readonly #chunk: Uint8Array;
  readonly #start: number;
  readonly #end: number;

  constructor(op: StoredEntry['op'], recordId: number, chunk: Uint8Array, start: number, end: number) {
    this.op = op;
    this.recordId = recordId;
    this.#chunk = chunk;
    this.#start = start;
    this.#end = end;
  }

  get bytes(): Uint8Array {
    return this.#chunk.subarray(this.#start, this.#end);
  }
}

function writeBigVarint(out: Uint8Array, start: number, value: bigint): number {
  let at = start;
  let rest = value;
  while (rest >= 0x80n) {
    out[at++] = Number(rest & 0x7fn) | 0x80;
    rest >>= 7n;
  }
  out[at++] = Number(rest);
  return at;
}

import { type Doc, doc, encode } from '../../../src/bson/index.ts';

/** One way of keeping documents in Discord. Ids are small integers; what is asked for must be there. */
export interface Side {
  insert(client: number, ids: readonly number[]): Promise<void>;
  read(client: number, id: number): Promise<void>;
  update(client: number, id: number): Promise<void>;
  /** Up to `count` documents in order of id. */
  scan(client: number, from: number, count: number): Promise<void>;
}

const PADDING = 'x'.repeat(131);

/** 200 bytes of BSON. */
export function record(id: number): Doc {
  return doc({ _id: id, count: 0, name: `document ${String(id).padStart(10, '0')}`, padding: PADDING });
}

export function encodedRecord(id: number): Uint8Array {
  const bytes = encode(record(id));
  if (bytes.length !== 200) throw new Error(`a document of the benchmark has ${bytes.length} bytes`);
  return bytes;
}

export function range(from: number, count: number): number[] {
  return Array.from({ length: count }, (_, index) => from + index);
}

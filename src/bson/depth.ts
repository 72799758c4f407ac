import type { Buffer } from 'node:buffer';
import { TYPE } from './types.ts';
import { asBuffer } from './utf8.ts';
import { FieldWalker } from './walk.ts';

/** The fewest bytes that one more level takes: a type, an empty name, and an empty document. */
const LEVEL_BYTES = 7;

/** Whether documents and arrays nest deeper in a document than `levels`, of which it is the first itself. */
export function nestsBeyond(bytes: Uint8Array, levels: number): boolean {
  if (bytes.length < LEVEL_BYTES * levels) return false;
  const buffer = asBuffer(bytes);
  return reaches(buffer, 0, buffer.length, levels);
}

function reaches(bytes: Buffer, start: number, end: number, left: number): boolean {
  if (left === 0) return true;
  const walker = new FieldWalker(bytes, start, end);
  while (walker.next()) {
    if (walker.type !== TYPE.object && walker.type !== TYPE.array) continue;
    // What is too short to hold the levels that are left need not be looked into.
    if (walker.valueEnd - walker.valueStart < LEVEL_BYTES * (left - 1)) continue;
    if (reaches(bytes, walker.valueStart, walker.valueEnd, left - 1)) return true;
  }
  return false;
}

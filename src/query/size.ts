import type { Value } from '../bson/index.ts';
import { type Found, isArray, isDoc } from './value.ts';

/** A type, an array's index or the end of a name, and what most values take: of other types about as much. */
const FIELD_BYTES = 12;

/** About the bytes of BSON that a value takes, which nobody encodes for it. */
export function sizeOfValue(value: Found): number {
  if (typeof value === 'string') return FIELD_BYTES + value.length;
  if (typeof value !== 'object' || value === null) return FIELD_BYTES;
  if (isArray(value)) return FIELD_BYTES + sizeOfValues(value);
  if (isDoc(value)) {
    let bytes = FIELD_BYTES;
    for (const [name, item] of value) bytes += name.length + sizeOfValue(item);
    return bytes;
  }
  return FIELD_BYTES + ('buffer' in value && value.buffer instanceof Uint8Array ? value.buffer.length : 0);
}

export function sizeOfValues(values: readonly Value[]): number {
  let bytes = 0;
  for (const value of values) bytes += sizeOfValue(value);
  return bytes;
}

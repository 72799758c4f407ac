import { CodedError } from '../../base/index.ts';

const MAX_CAPPED_DOCUMENTS = 2 ** 31 - 1;
const MAX_CAPPED_BYTES = 2 ** 50;
/** Sizes are multiples of it. */
const STEP_BYTES = 256;

/** How many documents a capped collection may hold where this number is asked for. */
export function cappedMax(documents: number): number {
  if (documents > MAX_CAPPED_DOCUMENTS) {
    throw new CodedError('BadValue', 'max in a capped collection has to be < 2^31 or not set');
  }
  return documents > 0 ? documents : MAX_CAPPED_DOCUMENTS;
}

/** The size that a capped collection gets where this one is asked for. */
export function cappedSize(bytes: number): number {
  if (bytes > MAX_CAPPED_BYTES) throw new CodedError('BadValue', 'size cannot exceed 1 PB');
  return Math.ceil(bytes / STEP_BYTES) * STEP_BYTES;
}

import { CodedError } from '../../base/index.ts';

export const MAX_CAPPED_DOCUMENTS = 2 ** 31 - 1;
const MAX_CAPPED_BYTES = 2 ** 50;
/** Sizes are multiples of it. */
const STEP_BYTES = 256;

/** The size that a capped collection gets where this one is asked for. */
export function cappedSize(bytes: number): number {
  if (bytes > MAX_CAPPED_BYTES) throw new CodedError('BadValue', 'size cannot exceed 1 PB');
  return Math.ceil(bytes / STEP_BYTES) * STEP_BYTES;
}

import { CodedError, type Scratch } from '../../base/index.ts';
import { type Doc, encode } from '../../bson/index.ts';
import { type Limited, limitOf } from '../limits.ts';
import type { PipelineContext } from '../types.ts';

/** A decoded document takes about so many times its bytes (measured on Node 20: 4 to 8, by the size of its fields). */
export const DECODED = 4;
/** One document of so many is measured, and the others are taken to be like it. */
const MEASURED_EVERY = 16;

/** How much a stage may hold, in bytes, and what becomes of more. */
export interface Room {
  readonly limit: number;
  /** What a document counts for. */
  size(doc: Doc): number;
  /** What a byte of BSON counts for, once it is decoded. */
  readonly weight: number;
  /** A function makes the error that more than that ends in: the client has forbidden the disk. */
  readonly beyond: Scratch | (() => CodedError) | undefined;
}

/** What a stage that sorts says. */
export const sortTooLarge = (limit: number) =>
  new CodedError(
    'QueryExceededMemoryLimitNoDiskUseAllowed',
    `Sort exceeded memory limit of ${limit} bytes, but did not opt in to external sorting.`,
  );

export function roomFor(
  context: Pick<PipelineContext, 'allowDiskUse' | 'limits' | 'scratch'>,
  stage: Limited,
  tooLarge: (limit: number) => CodedError,
): Room {
  const { allowDiskUse, scratch } = context;
  const most = limitOf(context, stage);
  if (allowDiskUse === false) {
    return { limit: most, size: (doc) => encode(doc).length, weight: 1, beyond: () => tooLarge(most) };
  }
  const limit = scratch?.threshold ?? most;
  return { limit, size: scratch ? estimate() : () => 0, weight: scratch ? DECODED : 0, beyond: scratch };
}

function estimate(): (doc: Doc) => number {
  let [seen, size] = [0, 0];
  return (doc) => {
    if (seen++ % MEASURED_EVERY === 0) size = DECODED * encode(doc).length;
    return size;
  };
}

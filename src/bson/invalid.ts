import { CodedError } from '../base/index.ts';
import { MAX_DEPTH } from './types.ts';

/** Ends the reading of bytes that are not BSON. */
export function invalid(text: string): never {
  throw new CodedError('InvalidBSON', text);
}

/** Ends the reading or writing of a document at a depth that MongoDB does not go to either. */
export function checkDepth(depth: number): void {
  if (depth < MAX_DEPTH) return;
  throw new CodedError('Overflow', `BSONObj exceeded maximum nested object depth: ${MAX_DEPTH}`);
}

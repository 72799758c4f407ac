import { CodedError } from '../base/index.ts';

/** Ends the reading of bytes that are not BSON. */
export function invalid(text: string): never {
  throw new CodedError('InvalidBSON', text);
}

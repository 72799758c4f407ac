import { type Collator, compare } from '../bson/index.ts';
import { type Found, MISSING } from './value.ts';

/** BSON order for expressions and accumulators, where a missing value comes right before undefined and null. */
export function compareFound(left: Found, right: Found, collator?: Collator): number {
  if (left === MISSING || right === MISSING) {
    if (left === right) return 0;
    return left === MISSING ? missingOrder(right) : -missingOrder(left);
  }
  return compare(left, right, collator);
}

/** A missing value is below everything but MinKey. */
function missingOrder(other: Found): number {
  return other !== MISSING && compare(other, undefined) < 0 ? 1 : -1;
}

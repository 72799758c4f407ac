import { type Doc, Int32, type Value } from '../../bson/index.ts';
import { intOrLong } from '../number.ts';
import { isDoc, isNumeric } from '../value.ts';

/** A pipeline that asks first of all how many documents there are, and nothing else of them. */
export interface Counted {
  /** What the first stage gives for so many documents. */
  documents(count: number): Doc[];
  readonly rest: readonly Doc[];
}

/** `$count`, and the `$group` of everything that drivers write for `countDocuments`. */
export function countOf([first, ...rest]: readonly Doc[]): Counted | undefined {
  const name = first?.get('$count');
  if (typeof name === 'string') {
    return { documents: (count) => (count > 0 ? [new Map([[name, intOrLong(count)]])] : []), rest };
  }
  const group = first?.get('$group');
  if (!isDoc(group) || group.size < 2) return undefined;
  const id = group.get('_id');
  if (group.keys().next().value !== '_id' || !(id === null || isNumeric(id))) return undefined;
  const fields = [...group].slice(1);
  if (!fields.every(([, accumulator]) => countsOnes(accumulator))) return undefined;
  return {
    documents: (count) =>
      count > 0 ? [new Map([['_id', id], ...fields.map(([field]): [string, Value] => [field, intOrLong(count)])])] : [],
    rest,
  };
}

function countsOnes(accumulator: Value): boolean {
  if (!isDoc(accumulator) || accumulator.size !== 1) return false;
  const one = accumulator.get('$sum');
  return accumulator.has('$count') || (one instanceof Int32 && one.value === 1);
}

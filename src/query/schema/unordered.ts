import { compare, type Doc, type Value } from '../../bson/index.ts';
import { isArray, isDoc } from '../value.ts';

/** Equality as JSON Schema has it: the order of a document's fields does not count, numbers are equal across types. */
export function sameUnordered(a: Value, b: Value): boolean {
  if (isDoc(a) && isDoc(b)) return compare(inOrder(a), inOrder(b)) === 0;
  if (isArray(a) && isArray(b)) return compare(a.map(ordered), b.map(ordered)) === 0;
  return compare(a, b) === 0;
}

export function hasDuplicates(values: readonly Value[]): boolean {
  // Boxed: sorting would put `undefined` last without asking.
  const sorted = values.map((value) => ({ value: ordered(value) })).sort((a, b) => compare(a.value, b.value));
  return sorted.some(({ value }, at) => at > 0 && compare(sorted[at - 1]!.value, value) === 0);
}

/** The value with the fields of its documents sorted by name, all the way down. */
function ordered(value: Value): Value {
  if (isDoc(value)) return inOrder(value);
  return isArray(value) ? value.map(ordered) : value;
}

function inOrder(doc: Doc): Doc {
  const fields = [...doc].sort(([a], [b]) => (a < b ? -1 : 1));
  return new Map(fields.map(([name, value]) => [name, ordered(value)]));
}

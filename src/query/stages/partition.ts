import { type Collator, type Doc, encodeKey } from '../../bson/index.ts';
import { type Expression, rootScope } from '../expressions/index.ts';
import { resolvePath } from '../path.ts';
import { type Found, MISSING } from '../value.ts';

/** Documents with the same values, each list in the order of the whole. */
export function partitioned(
  docs: readonly Doc[],
  names: readonly string[],
  collator: Collator | undefined,
  by?: Expression,
): Doc[][] {
  const partitions = new Map<string, Doc[]>();
  const paths = names.map((name) => name.split('.'));
  for (const doc of docs) {
    const values = paths.map((path) => orNull(resolvePath(doc, path)));
    const key = encodeKey([...values, orNull(by?.(rootScope(doc)) ?? MISSING)], false, collator);
    const partition = partitions.get(key);
    if (partition) partition.push(doc);
    else partitions.set(key, [doc]);
  }
  return [...partitions.values()];
}

function orNull(found: Found) {
  return found === MISSING ? null : found;
}

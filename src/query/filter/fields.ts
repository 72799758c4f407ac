import type { Doc } from '../../bson/index.ts';
import { isArray, isDoc } from '../value.ts';

const LOGICAL: ReadonlySet<string> = new Set(['$and', '$or', '$nor']);

/** The top-level fields that a filter looks at; undefined where it may look at any, as `$expr` does. */
export function fieldsOf(filter: Doc): ReadonlySet<string> | undefined {
  const fields = new Set<string>();
  return collect(filter, fields) ? fields : undefined;
}

function collect(filter: Doc, fields: Set<string>): boolean {
  for (const [name, operand] of filter) {
    if (!name.startsWith('$')) fields.add(name.split('.', 1)[0]!);
    else if (LOGICAL.has(name)) {
      if (!isArray(operand) || !operand.every((branch) => isDoc(branch) && collect(branch, fields))) return false;
    } else if (name !== '$comment') return false;
  }
  return true;
}

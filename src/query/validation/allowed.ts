import type { Value } from '../../bson/index.ts';
import { badValue } from '../error.ts';
import { isArray, isDoc } from '../value.ts';

const NEAR = '$geoNear, $near, and $nearSphere are not allowed in this context';

/** What needs an index, an order or a script, none of which a validator has. */
const REFUSED: ReadonlyMap<string, string> = new Map([
  ['$text', '$text is not allowed in this context'],
  ['$where', '$where is not allowed in this context'],
  ['$near', NEAR],
  ['$nearSphere', NEAR],
  ['$geoNear', NEAR],
]);

/** Operators whose operand is no query. */
const OPAQUE: ReadonlySet<string> = new Set(['$expr', '$jsonSchema', '$eq', '$ne', '$in', '$nin', '$comment']);

/** Throws BadValue for an operator that is for queries alone. */
export function checkAllowed(query: Value): void {
  if (isArray(query)) query.forEach(checkAllowed);
  if (!isDoc(query)) return;
  for (const [name, operand] of query) {
    const refusal = REFUSED.get(name);
    if (refusal) throw badValue(refusal);
    if (!OPAQUE.has(name)) checkAllowed(operand);
  }
}

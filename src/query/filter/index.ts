import type { Doc } from '../../bson/index.ts';
import type { Filter, QueryContext } from '../types.ts';
import { compileMatcher } from './compile.ts';
import { fieldsOf } from './fields.ts';
import type { Details } from './predicate.ts';
import { textOperand, textSearch } from './text.ts';

export { type FieldPredicate, fieldPredicates } from './bounds.ts';
export { isExpressionDoc } from './comparison.ts';
export { compileCondition, isOnValues } from './compile.ts';
export type { Predicate } from './predicate.ts';
export { checkUpsertFilter, upsertSeed } from './seed.ts';
export { hasText } from './text.ts';
export { conjuncts, type FilterNode, filterTree, operatorNodes, showAll, showFilter } from './tree.ts';

const SCORED: Filter['metadata'] = new Set(['textScore']);
const NO_METADATA: Filter['metadata'] = new Set();

/** Compiles a filter. Throws BadValue and its like for what MongoDB refuses. */
export function compileFilter(filter: Doc, context: QueryContext): Filter {
  const matcher = compileMatcher(filter, context);
  const operand = textOperand(filter);
  const text = operand === undefined ? undefined : textSearch(operand, context);
  let positional: number | undefined;
  return {
    source: filter,
    collator: context.collator,
    text,
    metadata: text ? SCORED : NO_METADATA,
    fields: fieldsOf(filter),
    matches(doc) {
      const details: Details = { positional: undefined };
      const matched = matcher(doc, details);
      if (matched) positional = details.positional;
      return matched;
    },
    get positional() {
      return positional;
    },
  };
}

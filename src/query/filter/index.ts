import type { Doc } from '../../bson/index.ts';
import { badValue } from '../error.ts';
import { MEASURED } from '../metadata.ts';
import type { Filter, NearPredicate, QueryContext } from '../types.ts';
import { compileMatcher } from './compile.ts';
import { fieldsOf } from './fields.ts';
import { soleNear } from './geo.ts';
import { positionalFinder } from './positional.ts';
import type { Matcher } from './predicate.ts';
import { textOperand, textSearch } from './text.ts';

export { checkInValidator, checkNoSpecialFeatures } from './allowed.ts';
export { type FieldPredicate, fieldPredicates } from './bounds.ts';
export { isExpressionDoc } from './comparison.ts';
export { isOnValues } from './compile.ts';
export { geoRegions } from './geo.ts';
export { checkPartialFilter } from './partial.ts';
export type { Predicate } from './predicate.ts';
export { checkUpsertFilter, upsertSeed } from './seed.ts';
export { hasText } from './text.ts';
export { conjuncts, type FilterNode, filterTree, operatorNodes, showAll, showFilter } from './tree.ts';

const SCORED: Filter['metadata'] = new Set(['textScore']);
const NO_METADATA: Filter['metadata'] = new Set();

/** Compiles the filter of a command, which may ask for the nearest documents, too (`Filter.near`). Throws as `compileFilter`. */
export function compileQuery(filter: Doc, context: QueryContext): Filter {
  const nears: NearPredicate[] = [];
  const matcher = compileMatcher(filter, { ...context, nears });
  return filterOf(filter, matcher, context, soleNear(filter, nears));
}

/** Compiles a filter. Throws BadValue and its like for what MongoDB refuses. */
export function compileFilter(filter: Doc, context: QueryContext): Filter {
  return filterOf(filter, compileMatcher(filter, context), context, undefined);
}

function filterOf(filter: Doc, matcher: Matcher, context: QueryContext, near: NearPredicate | undefined): Filter {
  const operand = textOperand(filter);
  const text = operand === undefined ? undefined : textSearch(operand, context);
  if (text && near) throw badValue('text and geoNear not allowed in same query');
  let find: ReturnType<typeof positionalFinder> | undefined;
  return {
    source: filter,
    collator: context.collator,
    text,
    metadata: text ? SCORED : near ? MEASURED : NO_METADATA,
    fields: fieldsOf(filter),
    near,
    matches: (doc) => matcher(doc, undefined),
    positional(doc) {
      find ??= positionalFinder(filter, context);
      return find(doc);
    },
  };
}

import { BSONRegExp, type Doc, type KeptDoc } from '../../bson/index.ts';
import type { QueryContext } from '../types.ts';
import { compileMatcher } from './compile.ts';
import type { Details } from './predicate.ts';
import { conjuncts, type FilterNode, filterTree, type LeafNode, showFilter } from './tree.ts';

/**
 * Finds the array index that `$` stands for in a document that matches: that of the element which the last of the
 * conditions was met by, in the order of MongoDB's parsed queries. A negation and an `$or` tell none
 * (`OrMatchExpression::matches`), but for an `$or` that comes to an `$in`.
 */
export function positionalFinder(filter: Doc, context: QueryContext): (doc: Doc | KeptDoc) => number | undefined {
  const matchers = conjuncts(filterTree(filter))
    .flatMap(elementConditions)
    .map((condition) => compileMatcher(showFilter(condition), context));
  return (doc) => {
    const details: Details = { positional: undefined };
    for (const matcher of matchers) matcher(doc, details);
    return details.positional;
  };
}

function elementConditions(node: FilterNode): FilterNode[] {
  if (node.kind === 'leaf') return [node];
  if (node.kind !== '$or') return [];
  const [first, ...rest] = node.children;
  if (!isEquality(first) || !rest.every((other) => isEquality(other) && other.path === first.path)) return [];
  const values = node.children.map((child) => (child as LeafNode).operand);
  return [{ ...first, operator: '$in', operand: values }];
}

function isEquality(node: FilterNode | undefined): node is LeafNode {
  return node?.kind === 'leaf' && node.operator === '$eq' && !(node.operand instanceof BSONRegExp);
}

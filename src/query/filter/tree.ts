import { BSONRegExp, compare, type Doc, equal, type Value } from '../../bson/index.ts';
import { isNearOperator } from '../../geo/index.ts';
import { isArray, isDoc, textOf, truthy } from '../value.ts';
import { isExpressionDoc } from './comparison.ts';

/**
 * A filter as the planner and `explain` see it, in MongoDB's normal form: implied `$eq` and `$and` spelt out, `$ne`,
 * `$nin` and `{$exists: false}` as `$not`, `$all` as several conditions, lists of one as equality, nothing nested that need not be.
 */
export type FilterNode = LeafNode | NearNode | NotNode | BranchNode | OtherNode;

/** One operator at one path. `$regex` has a `BSONRegExp`, `$elemMatch` its operand as it was given. */
export interface LeafNode {
  readonly kind: 'leaf';
  readonly path: string;
  readonly operator: string;
  readonly operand: Value;
}

/** All that is asked of a path by distance: `$near` or `$nearSphere`, and what stands beside it. */
export interface NearNode {
  readonly kind: 'near';
  readonly path: string;
  readonly condition: Doc;
}

export interface NotNode {
  readonly kind: 'not';
  readonly child: FilterNode;
}

export interface BranchNode {
  readonly kind: '$and' | '$or' | '$nor';
  readonly children: readonly FilterNode[];
}

/** What is no condition on a path: `$expr`, `$text`, `$where`. */
export interface OtherNode {
  readonly kind: 'other';
  readonly name: string;
  readonly operand: Value;
}

/** Takes a filter apart that `compileFilter` has accepted. */
export function filterTree(filter: Doc): FilterNode {
  return conjunction(topLevel(filter));
}

/** The conditions that must all hold. */
export function conjuncts(node: FilterNode): readonly FilterNode[] {
  return node.kind === '$and' ? node.children : [node];
}

/** The conditions of a value's operators, as those of `$elemMatch: {$gt: 1}`, on a path. */
export function operatorNodes(path: string, operators: Doc): FilterNode[] {
  if (isNearCondition(operators)) return [{ kind: 'near', path, condition: operators }];
  return [...operators].flatMap(([name, operand]) => operatorNode(path, name, operand, operators));
}

function topLevel(filter: Doc): FilterNode[] {
  return [...filter].flatMap(([name, operand]): FilterNode[] => {
    if (!name.startsWith('$')) {
      if (operand instanceof BSONRegExp) return [leaf(name, '$regex', operand)];
      return isExpressionDoc(operand) ? operatorNodes(name, operand) : [leaf(name, '$eq', operand)];
    }
    if (name === '$comment') return [];
    if ((name !== '$and' && name !== '$or' && name !== '$nor') || !isArray(operand)) {
      return [{ kind: 'other', name, operand }];
    }
    const children = operand.filter(isDoc).map(filterTree);
    if (name === '$and') return children.flatMap(conjuncts);
    if (name === '$or' && children.length === 1) return [...conjuncts(children[0]!)];
    return [{ kind: name, children: sorted(children) }];
  });
}

function operatorNode(path: string, name: string, operand: Value, operators: Doc): FilterNode[] {
  switch (name) {
    case '$ne':
      return [negation([leaf(path, '$eq', operand)])];
    case '$in':
      return [inNode(path, operand)];
    case '$nin':
      return [negation([inNode(path, operand)])];
    case '$exists':
      return truthy(operand) ? [leaf(path, '$exists', true)] : [negation([leaf(path, '$exists', true)])];
    case '$not':
      return [
        negation(operand instanceof BSONRegExp ? [leaf(path, '$regex', operand)] : operatorNodes(path, operand as Doc)),
      ];
    case '$regex':
      return [leaf(path, name, regexOf(operand, operators.get('$options')))];
    case '$all':
      return allNodes(path, operand);
    case '$options':
      return [];
  }
  return [leaf(path, name, operand)];
}

function allNodes(path: string, operand: Value): FilterNode[] {
  if (!isArray(operand) || operand.length === 0) return [leaf(path, '$all', operand)];
  return operand.map((item) => {
    if (isDoc(item) && item.has('$elemMatch')) return leaf(path, '$elemMatch', item.get('$elemMatch'));
    return item instanceof BSONRegExp ? leaf(path, '$regex', item) : leaf(path, '$eq', item);
  });
}

function inNode(path: string, operand: Value): LeafNode {
  if (!isArray(operand)) return leaf(path, '$in', operand);
  const regexes = operand.filter((item) => item instanceof BSONRegExp);
  const values = operand.filter((item) => !(item instanceof BSONRegExp)).map((item) => [item]);
  values.sort(([left], [right]) => compare(left, right));
  const distinct = values.filter(([item], at) => at === 0 || !equal(item, values[at - 1]![0])).map(([item]) => item);
  if (distinct.length === 1 && regexes.length === 0) return leaf(path, '$eq', distinct[0]);
  return leaf(path, '$in', [...distinct, ...regexes]);
}

function regexOf(operand: Value, options: Value): BSONRegExp {
  const given = textOf(options) ?? '';
  if (operand instanceof BSONRegExp) return given ? new BSONRegExp(operand.pattern, given) : operand;
  return new BSONRegExp(String(operand), given);
}

function leaf(path: string, operator: string, operand: Value): LeafNode {
  return { kind: 'leaf', path, operator, operand };
}

function negation(children: FilterNode[]): FilterNode {
  return { kind: 'not', child: conjunction(children) };
}

function conjunction(children: FilterNode[]): FilterNode {
  return children.length === 1 ? children[0]! : { kind: '$and', children: sorted(children) };
}

/** MongoDB's order of kinds of conditions (`MatchExpression::MatchType`), which its parsed queries are sorted by. */
const ORDER: ReadonlyMap<string, number> = new Map(
  [
    ...['$and', '$or', '$elemMatch', '$size', '$eq', '$lte', '$lt', '$gt', '$gte', '$regex', '$mod', '$exists', '$in'],
    ...['$bitsAllSet', '$bitsAllClear', '$bitsAnySet', '$bitsAnyClear', 'not', '$nor', '$type'],
    ...['$geoWithin', '$geoIntersects', '$where', '$expr', '$near', '$nearSphere', '$text'],
  ].map((name, at) => [name, at]),
);

function sorted(nodes: readonly FilterNode[]): FilterNode[] {
  const rank = (node: FilterNode) => ORDER.get(nameOf(node)) ?? ORDER.size;
  return [...nodes].sort((left, right) => rank(left) - rank(right) || pathOrder(pathOf(left), pathOf(right)));
}

function nameOf(node: FilterNode): string {
  if (node.kind === 'leaf') return node.operator;
  if (node.kind === 'near') return '$near';
  return node.kind === 'other' ? node.name : node.kind;
}

function pathOf(node: FilterNode): string {
  if (node.kind === 'leaf' || node.kind === 'near') return node.path;
  return node.kind === 'not' ? pathOf(node.child) : '';
}

function pathOrder(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0;
}

/** The node as a filter again, as `explain` shows it. */
export function showFilter(node: FilterNode): Doc {
  switch (node.kind) {
    case 'leaf':
      return one(node.path, operatorDoc(node));
    case 'near':
      return one(node.path, node.condition);
    case 'not':
      return showNegation(node.child);
    case 'other':
      return one(node.name, node.operand);
    default:
      return node.children.length === 0 ? new Map() : one(node.kind, node.children.map(showFilter));
  }
}

/** Several conditions as one filter. */
export function showAll(nodes: readonly FilterNode[]): Doc | undefined {
  if (nodes.length === 0) return undefined;
  return nodes.length === 1 ? showFilter(nodes[0]!) : one('$and', nodes.map(showFilter));
}

function operatorDoc({ operator, operand }: LeafNode): Doc {
  if (operator !== '$regex' || !(operand instanceof BSONRegExp)) return one(operator, operand);
  const shown = one('$regex', operand.pattern);
  return operand.options ? shown.set('$options', operand.options) : shown;
}

function showNegation(child: FilterNode): Doc {
  if (child.kind === 'leaf') return one(child.path, one('$not', operatorDoc(child)));
  if (child.kind !== '$and') return one('$nor', [showFilter(child)]);
  const leaves = child.children.filter((each) => each.kind === 'leaf');
  if (leaves.length < child.children.length || leaves.length === 0) return one('$nor', [showFilter(child)]);
  const operators = new Map<string, Value>();
  for (const each of leaves) for (const [name, value] of operatorDoc(each)) operators.set(name, value);
  return one(leaves[0]!.path, one('$not', operators));
}

function one(name: string, value: Value): Doc {
  return new Map([[name, value]]);
}

/** Whether a condition on a field is one by distance: that operator stands first, before all else. */
export function isNearCondition(condition: Doc): boolean {
  const [[name, operand] = ['', undefined]] = condition;
  return isNearOperator(name) && (isDoc(operand) || isArray(operand));
}

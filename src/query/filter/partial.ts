import { CodedError } from '../../base/index.ts';
import { BSONRegExp, type Doc } from '../../bson/index.ts';
import { format, isArray, isDoc } from '../value.ts';
import { isOnValues } from './compile.ts';
import { type FilterNode, filterTree, operatorNodes, showFilter } from './tree.ts';

/** How deep conditions may nest, as `internalPartialFilterExpressionMaxDepth` has it unless it is set. */
const MAX_DEPTH = 4;

const SUPPORTED: ReadonlySet<string> = new Set([
  ...['$eq', '$lt', '$lte', '$gt', '$gte', '$exists', '$type', '$in', '$geoWithin', '$within', '$geoIntersects'],
]);

/** Throws CannotCreateIndex for a filter, accepted by `compileFilter`, that no partial index may have. */
export function checkPartialFilter(filter: Doc): void {
  check(filterTree(filter), 1);
}

function check(node: FilterNode, depth: number): void {
  if (depth > MAX_DEPTH) throw refuse(`partialFilterExpression depth may not exceed ${MAX_DEPTH}`);
  if (node.kind === '$and' || node.kind === '$or') for (const child of node.children) check(child, depth + 1);
  else if (node.kind !== 'leaf' || !SUPPORTED.has(node.operator)) {
    throw refuse(`Expression not supported in partial index: ${debugText(node, 0)}`);
  }
}

function refuse(message: string): CodedError {
  return new CodedError('CannotCreateIndex', message);
}

/** MongoDB's `MatchExpression::debugString`: a line for each condition, four spaces for each step down. */
function debugText(node: FilterNode, level: number): string {
  const line = (text: string, children: readonly FilterNode[] = []) =>
    `${'    '.repeat(level)}${text}\n${children.map((child) => debugText(child, level + 1)).join('')}`;
  if (node.kind === 'not') return line('$not', [node.child]);
  if (node.kind === 'near' || node.kind === 'other') return line(format(showFilter(node)));
  if (node.kind !== 'leaf') return line(node.kind, node.children);
  const { path, operator, operand } = node;
  switch (operator) {
    case '$regex':
      return line(`${path} regex ${operand instanceof BSONRegExp ? `/${operand.pattern}/${operand.options}` : ''}`);
    case '$size':
      return line(`${path} $size : ${format(operand)}`);
    case '$mod':
      return line(`${path} mod ${isArray(operand) ? `${format(operand[0])} % x == ${format(operand[1])}` : ''}`);
    case '$exists':
      return line(`${path} exists`);
    case '$elemMatch':
      if (!isDoc(operand)) break;
      return isOnValues(operand)
        ? line(`${path} $elemMatch (value)`, operatorNodes('', operand))
        : line(`${path} $elemMatch (obj)`, [filterTree(operand)]);
  }
  return line(`${path} ${operator} ${format(operand)}`);
}

import { CodedError } from '../../base/index.ts';
import type { Doc, Value } from '../../bson/index.ts';
import { badValue } from '../error.ts';
import { element, type Found, isArray, isDoc, MISSING, orNull } from '../value.ts';
import type { ArrayFilters } from './array-filters.ts';
import { childOf, compareParts, elementIndex, filterName, updatePath } from './path.ts';
import { checkDollarField } from './storable.ts';

/** How long an array may become by setting an element beyond its end, as in MongoDB. */
const MAX_BACKFILL = 1_500_000;

/** What an operator sees of the place that it is applied to. */
export interface Place {
  /** The path taken, `$` and identifiers resolved. */
  readonly path: string;
  /** The document before the update. */
  readonly doc: Doc;
}

/** One operator on one path. */
export interface Leaf {
  readonly kind: 'leaf';
  /** Makes the path when it is missing. When not, `apply` sees only values that exist. */
  readonly creates: boolean;
  /** Whether a path that leads through a scalar is no error but nothing to do. */
  readonly forgiving?: boolean;
  /** Only when an upsert inserts. */
  readonly insertOnly?: boolean;
  /** Whether there is anything to do at all, asked before a path is made or found to be none. */
  begins?(place: Place): boolean;
  /** The new value; the very same one for no change; MISSING takes the field away. */
  apply(value: Found, place: Place): Found;
}

export interface Branch {
  readonly kind: 'branch';
  readonly children: Map<string, UpdateNode>;
}

export type UpdateNode = Leaf | Branch;

/** What holds for one application of the tree. */
export interface Application {
  readonly doc: Doc;
  readonly positional: (() => number | undefined) | undefined;
  readonly inserting: boolean;
  readonly arrayFilters: ArrayFilters;
}

export function newBranch(): Branch {
  return { kind: 'branch', children: new Map() };
}

/**
 * Adds an operator at a path. Checks as `UpdateObjectNode::parseAndMerge` does: the path, what is given to the operator
 * (`make`), then part by part identifiers and conflicts. Throws ConflictingUpdateOperators when another one is on the
 * same way, BadValue for an identifier that stands for nothing.
 */
export function addLeaf(root: Branch, path: string, filters: ArrayFilters, make: () => Leaf): void {
  const parts = updatePath(path);
  const leaf = make();
  let branch = root;
  for (const [at, part] of parts.slice(0, -1).entries()) {
    checkIdentifier(part, at, path, filters);
    const child = branch.children.get(part) ?? newBranch();
    const isArrayUpdate = filterName(parts[at + 1]!) !== undefined;
    if (child.kind === 'leaf' || (child.children.size > 0 && isArrayUpdate !== updatesElements(child))) {
      throw conflicting(path, parts.slice(0, at + 1).join('.'));
    }
    branch.children.set(part, child);
    branch = child;
  }
  const last = parts.at(-1)!;
  checkIdentifier(last, parts.length - 1, path, filters);
  if (branch.children.has(last)) throw conflicting(path, path);
  branch.children.set(last, leaf);
}

function checkIdentifier(part: string, at: number, path: string, filters: ArrayFilters): void {
  const name = filterName(part);
  if (name === undefined) return;
  if (at === 0) {
    throw badValue(
      `Cannot have array filter identifier (i.e. '$[<id>]') element in the first position in path '${path}'`,
    );
  }
  if (name === '' || filters.has(name)) return;
  throw badValue(`No array filter found for identifier '${name}' in path '${path}'`);
}

export function applyBranch(branch: Branch, value: Found, path: string, how: Application): Found {
  if (updatesElements(branch)) return applyToElements(branch, value, path, how);
  let result = value;
  for (const [name, child] of inOrder(branch, path, how)) result = applyChild(child, name, result, path, how);
  return result;
}

function inOrder(branch: Branch, path: string, how: Application): [string, UpdateNode][] {
  return [...resolvePositional(branch, path, how)].sort(([a], [b]) => compareParts(a, b));
}

/** Whether a branch is of `$[]` and `$[id]`: it never mixes them with field names. */
function updatesElements(branch: Branch): boolean {
  const first = branch.children.keys().next().value;
  return first !== undefined && filterName(first) !== undefined;
}

function resolvePositional(branch: Branch, path: string, how: Application): Map<string, UpdateNode> {
  const positional = branch.children.get('$');
  if (!positional) return branch.children;
  const at = how.positional?.();
  if (at === undefined) {
    throw badValue('The positional operator did not find the match needed from the query.');
  }
  const name = String(at);
  const children = new Map(branch.children);
  children.delete('$');
  const other = children.get(name);
  children.set(name, other ? merge(other, positional, join(path, name)) : positional);
  return children;
}

function applyChild(child: UpdateNode, name: string, container: Found, path: string, how: Application): Found {
  const place = childOf(container, name);
  if (!place) {
    checkBlocked(child, container as Value, path, [name], how);
    return container;
  }
  const { found: before } = place;
  const here = join(path, name);
  const after = applyNode(child, before, here, how);
  if (after === before) return container;
  if (isArray(container)) return withElement(container, elementIndex(name), after);
  const copy: Doc = isDoc(container) ? new Map(container) : new Map();
  if (after === MISSING) copy.delete(name);
  else copy.set(name, after);
  if (path === '' && !how.inserting && (child.kind === 'leaf' || before === MISSING)) checkDollarField(copy, name);
  return copy;
}

/** Asks each operator below a value that has no fields of such names whether that is a mistake. */
function checkBlocked(node: UpdateNode, value: Value, path: string, rest: readonly string[], how: Application): void {
  const whole = join(path, rest.join('.'));
  if (node.kind === 'branch') {
    if (updatesElements(node)) throw mustExist(whole);
    for (const [name, child] of inOrder(node, whole, how)) checkBlocked(child, value, path, [...rest, name], how);
    return;
  }
  if (!isDue(node, whole, how)) return;
  const shown = `{${element(path.split('.').at(-1)!, value)}}`;
  if (node.creates) throw new CodedError('PathNotViable', `Cannot create field '${rest[0]}' in element ${shown}`);
  if (node.forgiving) return;
  throw new CodedError(
    'PathNotViable',
    `Cannot use the part (${rest[0]}) of (${whole}) to traverse the element (${shown})`,
  );
}

function isDue(leaf: Leaf, path: string, how: Application): boolean {
  if (leaf.insertOnly && !how.inserting) return false;
  return leaf.begins?.({ path, doc: how.doc }) ?? true;
}

function applyNode(node: UpdateNode, value: Found, path: string, how: Application): Found {
  if (node.kind === 'branch') return applyBranch(node, value, path, how);
  if (!isDue(node, path, how) || (value === MISSING && !node.creates)) return value;
  return node.apply(value, { path, doc: how.doc });
}

function applyToElements(branch: Branch, value: Found, path: string, how: Application): Found {
  if (value === MISSING) throw mustExist(path);
  if (!isArray(value)) {
    throw badValue(`Cannot apply array updates to non-array element ${element(path.split('.').at(-1)!, value)}`);
  }
  let changed = false;
  const result = value.map((item, index) => {
    const here = join(path, String(index));
    const nodes = [...branch.children]
      .filter(([name]) => selects(filterName(name)!, item, how))
      .map(([, node]) => node);
    if (nodes.length === 0) return item;
    const node = nodes.reduce((left, right) => merge(left, right, here));
    const after = applyNode(node, item, here, how);
    changed ||= after !== item;
    return orNull(after);
  });
  return changed ? result : value;
}

function selects(name: string, item: Value, how: Application): boolean {
  return name === '' || how.arrayFilters.get(name)?.single(item) === true;
}

/** Both sets of operators as one; two operators on one place are a conflict that only shows when they meet. */
function merge(left: UpdateNode, right: UpdateNode, path: string): UpdateNode {
  if (left.kind === 'leaf' || right.kind === 'leaf' || updatesElements(left) !== updatesElements(right)) {
    throw new CodedError('ConflictingUpdateOperators', `Update created a conflict at '${path}'`);
  }
  const children = new Map(left.children);
  for (const [name, node] of right.children) {
    const other = children.get(name);
    children.set(name, other ? merge(other, node, join(path, name)) : node);
  }
  return { kind: 'branch', children };
}

function withElement(array: readonly Value[], index: number, value: Found): Value[] {
  if (index - array.length > MAX_BACKFILL) {
    throw new CodedError('CannotBackfillArray', `can't backfill more than ${MAX_BACKFILL} elements`);
  }
  const copy = [...array];
  while (copy.length < index) copy.push(null);
  copy[index] = orNull(value);
  return copy;
}

function mustExist(path: string): CodedError {
  return badValue(`The path '${path}' must exist in the document in order to apply array updates.`);
}

export function join(path: string, part: string): string {
  return path === '' ? part : `${path}.${part}`;
}

function conflicting(path: string, at: string): CodedError {
  return new CodedError('ConflictingUpdateOperators', `Updating the path '${path}' would create a conflict at '${at}'`);
}

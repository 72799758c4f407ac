import { CodedError } from '../../base/index.ts';
import type { Doc, Value } from '../../bson/index.ts';
import { badValue } from '../error.ts';
import type { Predicate } from '../filter/index.ts';
import { arrayIndex, field } from '../path.ts';
import { element, type Found, isArray, isDoc, MISSING, orNull } from '../value.ts';
import { compareParts, filterName, updatePath } from './path.ts';

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
  readonly arrayFilters: ReadonlyMap<string, Pick<Predicate, 'single'>>;
}

export function newBranch(): Branch {
  return { kind: 'branch', children: new Map() };
}

/** Adds an operator at a path. Throws ConflictingUpdateOperators when another one is on the same way. */
export function addLeaf(root: Branch, path: string, leaf: Leaf): void {
  const parts = updatePath(path);
  let branch = root;
  for (const [at, part] of parts.slice(0, -1).entries()) {
    const child = branch.children.get(part) ?? newBranch();
    const isArrayUpdate = filterName(parts[at + 1]!) !== undefined;
    if (child.kind === 'leaf' || (child.children.size > 0 && isArrayUpdate !== updatesElements(child))) {
      throw conflicting(path, parts.slice(0, at + 1).join('.'));
    }
    branch.children.set(part, child);
    branch = child;
  }
  const last = parts.at(-1)!;
  if (branch.children.has(last)) throw conflicting(path, path);
  branch.children.set(last, leaf);
}

export function applyBranch(branch: Branch, value: Found, path: string, how: Application): Found {
  if (updatesElements(branch)) return applyToElements(branch, value, path, how);
  let result = value;
  const children = [...resolvePositional(branch, path, how)].sort(([a], [b]) => compareParts(a, b));
  for (const [name, child] of children) result = applyChild(child, name, result, path, how);
  return result;
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
  if (child.kind === 'leaf' && child.insertOnly && !how.inserting) return container;
  const index = isArray(container) ? arrayIndex(name) : -1;
  if (container !== MISSING && !isDoc(container) && index < 0) {
    if (isForgiving(child)) return container;
    throw notViable(container, name, path, child);
  }
  const before = isDoc(container)
    ? field(container, name)
    : isArray(container) && index < container.length
      ? container[index]
      : MISSING;
  const here = join(path, name);
  const after = applyNode(child, before, here, how);
  if (after === before) return container;
  if (isArray(container)) return withElement(container, index, after);
  const copy: Doc = isDoc(container) ? new Map(container) : new Map();
  if (after === MISSING) copy.delete(name);
  else copy.set(name, after);
  return copy;
}

function applyNode(node: UpdateNode, value: Found, path: string, how: Application): Found {
  if (node.kind === 'branch') return applyBranch(node, value, path, how);
  if (value === MISSING && !node.creates) return MISSING;
  return node.apply(value, { path, doc: how.doc });
}

function applyToElements(branch: Branch, value: Found, path: string, how: Application): Found {
  if (value === MISSING) {
    throw badValue(`The path '${path}' must exist in the document in order to apply array updates.`);
  }
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
    if (node.kind === 'leaf' && node.insertOnly && !how.inserting) return item;
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
  if (left.kind === 'leaf' || right.kind === 'leaf') {
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

function isForgiving(node: UpdateNode): boolean {
  if (node.kind === 'leaf') return node.forgiving === true;
  return [...node.children.values()].every(isForgiving);
}

function notViable(container: Value, name: string, path: string, child: UpdateNode): CodedError {
  if (!createsPath(child)) return notViablePart(container, name, path);
  return new CodedError('PathNotViable', `Cannot create field '${name}' in element ${elementAt(path, container)}`);
}

/** The error for a path that leads through a value that has no fields. */
export function notViablePart(container: Value, name: string, path: string): CodedError {
  const shown = elementAt(path, container);
  return new CodedError(
    'PathNotViable',
    `Cannot use the part (${name}) of (${join(path, name)}) to traverse the element (${shown})`,
  );
}

function elementAt(path: string, value: Value): string {
  return `{${element(path.split('.').at(-1)!, value)}}`;
}

function createsPath(node: UpdateNode): boolean {
  return node.kind === 'leaf' ? node.creates : [...node.children.values()].some(createsPath);
}

export function join(path: string, part: string): string {
  return path === '' ? part : `${path}.${part}`;
}

function conflicting(path: string, at: string): CodedError {
  return new CodedError('ConflictingUpdateOperators', `Updating the path '${path}' would create a conflict at '${at}'`);
}

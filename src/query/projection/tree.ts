import type { Doc, Value } from '../../bson/index.ts';
import { type Expression, rootScope, type Scope } from '../expressions/index.ts';
import { type Found, isArray, isDoc, MISSING } from '../value.ts';

/** What happens at the end of a projected path. */
export type Leaf =
  | { readonly kind: 'include' }
  | { readonly kind: 'exclude' }
  /** A new value in place of the old, or at the end. */
  | { readonly kind: 'compute'; readonly expression: Expression }
  /** The old value, changed where it stands; MISSING takes it away. */
  | { readonly kind: 'change'; change(value: Value): Found };

export interface Branch {
  readonly kind: 'branch';
  readonly children: Map<string, Node>;
}

export type Node = Leaf | Branch;

/** `keep` is `$addFields`: everything stays and fields are added. */
export type Mode = 'inclusion' | 'exclusion' | 'keep';

export function newBranch(): Branch {
  return { kind: 'branch', children: new Map() };
}

export function applyTree(tree: Branch, mode: Mode, doc: Doc): Doc {
  return applyToDoc(tree, mode, doc, rootScope(doc));
}

function applyToDoc(branch: Branch, mode: Mode, doc: Doc, scope: Scope): Doc {
  const result: Doc = new Map();
  for (const [name, value] of doc) {
    const node = branch.children.get(name);
    const found = node ? applyNode(node, mode, value, scope) : mode === 'inclusion' ? MISSING : value;
    if (found !== MISSING) result.set(name, found);
  }
  for (const [name, node] of branch.children) {
    if (node.kind === 'compute') assign(result, name, node.expression(scope));
    else if (node.kind === 'branch' && !doc.has(name) && computes(node)) {
      assign(result, name, applyToDoc(node, mode, new Map(), scope));
    }
  }
  return result;
}

function applyNode(node: Node, mode: Mode, value: Value, scope: Scope): Found {
  switch (node.kind) {
    case 'include':
      return value;
    case 'exclude':
      return MISSING;
    case 'change':
      return node.change(value);
    case 'compute':
      // The field holds its place until the new value comes; only an inclusion puts it at the end.
      return mode === 'inclusion' ? MISSING : value;
    case 'branch':
      return applyBranch(node, mode, value, scope);
  }
}

function applyBranch(branch: Branch, mode: Mode, value: Value, scope: Scope): Found {
  if (isDoc(value)) return applyToDoc(branch, mode, value, scope);
  if (isArray(value)) {
    return value.map((item) => applyBranch(branch, mode, item, scope)).filter((item) => item !== MISSING);
  }
  if (mode === 'exclusion') return value;
  return computes(branch) ? applyToDoc(branch, mode, new Map(), scope) : MISSING;
}

function assign(doc: Doc, name: string, value: Found): void {
  if (value === MISSING) doc.delete(name);
  else doc.set(name, value);
}

function computes(branch: Branch): boolean {
  for (const node of branch.children.values()) {
    if (node.kind === 'compute' || (node.kind === 'branch' && computes(node))) return true;
  }
  return false;
}

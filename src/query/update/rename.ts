import { CodedError } from '../../base/index.ts';
import type { Doc, Value } from '../../bson/index.ts';
import { badValue } from '../error.ts';
import { field } from '../path.ts';
import { element, type Found, isArray, isDoc, MISSING } from '../value.ts';
import type { ArrayFilters } from './array-filters.ts';
import { childOf, filterName, updatePath } from './path.ts';
import { idOf } from './scalar-operators.ts';
import { addLeaf, type Branch, type Leaf, type Place } from './tree.ts';

export interface Rename {
  readonly from: string;
  readonly to: string;
}

/** Checks a `$rename` and puts it in the tree: the value at its target, a placeholder at its source. */
export function addRename(root: Branch, from: string, operand: Value, filters: ArrayFilters): Rename {
  addLeaf(root, from, filters, () => PLACEHOLDER);
  const shown = element(from, operand);
  if (typeof operand !== 'string') throw badValue(`The 'to' field for $rename must be a string: ${shown}`);
  addLeaf(root, operand, filters, () => {
    checkPaths(from, operand, shown);
    return moved(from, operand);
  });
  return { from, to: operand };
}

function checkPaths(from: string, to: string, shown: string): void {
  if (to.includes('\0')) throw badValue("The 'to' field for $rename cannot contain an embedded null byte");
  if (from === to) throw badValue(`The source and target field for $rename must differ: ${shown}`);
  if (from.startsWith(`${to}.`) || to.startsWith(`${from}.`)) {
    throw badValue(`The source and target field for $rename must not be on the same path: ${shown}`);
  }
  if (isDynamic(from)) throw badValue(`The source field for $rename may not be dynamic: ${from}`);
  if (isDynamic(to)) throw badValue(`The destination field for $rename may not be dynamic: ${to}`);
}

/** Holds the source's place, so that no other operator takes it; the value goes once the whole tree is applied. */
const PLACEHOLDER: Leaf = { kind: 'leaf', creates: false, forgiving: true, apply: (value) => value };

function isDynamic(path: string): boolean {
  return updatePath(path).some((part) => part === '$' || filterName(part) !== undefined);
}

function moved(from: string, to: string): Leaf {
  return {
    kind: 'leaf',
    creates: true,
    begins(place) {
      if (sourceOf(place.doc, from) === MISSING) return false;
      refuseArrays(place, from, 'source');
      refuseArrays(place, to, 'destination');
      return true;
    },
    apply: (_, place) => sourceOf(place.doc, from),
  };
}

/** What stands at the source. Throws PathNotViable where its path leads through a value that has no such fields. */
function sourceOf(doc: Doc, from: string): Found {
  const parts = from.split('.');
  let value: Found = doc;
  for (const [at, part] of parts.entries()) {
    const next = childOf(value, part);
    if (next === undefined) {
      // MongoDB names the part that stops it, not the one that it stops, and leaves a bracket open.
      const stop = parts[at - 1]!;
      throw new CodedError(
        'PathNotViable',
        `cannot use the part (${stop} of ${from}) to traverse the element ({${element(stop, value)}})`,
      );
    }
    if (next.found === MISSING) return MISSING;
    value = next.found;
  }
  return value;
}

/** Throws for a path with an array above its end, and names the innermost. */
function refuseArrays(place: Place, path: string, which: 'source' | 'destination'): void {
  let value: Found = place.doc;
  let innermost: string | undefined;
  for (const part of path.split('.').slice(0, -1)) {
    const next = childOf(value, part);
    if (next === undefined || next.found === MISSING) break;
    value = next.found;
    if (isArray(value)) innermost = part;
  }
  if (innermost === undefined) return;
  throw badValue(
    `The ${which} field cannot be an array element, '${path}' in doc with ${idOf(place)} has an array field called '${innermost}'`,
  );
}

/** The document without a field, the very same where it has none. Copies only along the path. */
export function without(doc: Doc, parts: readonly string[]): Doc {
  const [name, ...rest] = parts;
  const child = field(doc, name!);
  if (child === MISSING) return doc;
  const copy = new Map(doc);
  if (rest.length === 0) copy.delete(name!);
  else {
    const left = isDoc(child) ? without(child, rest) : child;
    if (left === child) return doc;
    copy.set(name!, left);
  }
  return copy;
}

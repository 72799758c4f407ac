import type { Doc, Value } from '../../bson/index.ts';
import { badValue } from '../error.ts';
import { field } from '../path.ts';
import { element, type Found, isArray, isDoc, MISSING } from '../value.ts';
import { filterName, updatePath } from './path.ts';
import { idOf } from './scalar-operators.ts';
import { addLeaf, type Branch, type Leaf, notViablePart } from './tree.ts';

export interface Rename {
  readonly from: string;
  readonly to: string;
}

/** Checks a `$rename` and puts it in the tree: the value at its target, a placeholder at its source. */
export function addRename(root: Branch, from: string, operand: Value): Rename {
  if (typeof operand !== 'string')
    throw badValue(`The 'to' field for $rename must be a string: ${element(from, operand)}`);
  const shown = element(from, operand);
  addLeaf(root, from, PLACEHOLDER);
  if (operand.includes('\0')) throw badValue("The 'to' field for $rename cannot contain an embedded null byte");
  if (from === operand) throw badValue(`The source and target field for $rename must differ: ${shown}`);
  if (from.startsWith(`${operand}.`) || operand.startsWith(`${from}.`)) {
    throw badValue(`The source and target field for $rename must not be on the same path: ${shown}`);
  }
  if (isDynamic(from)) throw badValue(`The source field for $rename may not be dynamic: ${from}`);
  if (isDynamic(operand)) throw badValue(`The destination field for $rename may not be dynamic: ${operand}`);
  addLeaf(root, operand, moved(from, operand));
  return { from, to: operand };
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
    apply(value, place) {
      const source = sourceOf(place.doc, from);
      if (source === MISSING) return value;
      refuseArrays(place.doc, to, 'destination', idOf(place));
      return source;
    },
  };
}

function sourceOf(doc: Doc, from: string): Found {
  const id = doc.has('_id') ? element('_id', doc.get('_id')) : 'no id';
  const parts = from.split('.');
  let value: Found = doc;
  for (const [at, part] of parts.entries()) {
    if (value === MISSING) return MISSING;
    if (isArray(value)) refuseArrays(doc, from, 'source', id);
    if (!isDoc(value)) throw notViablePart(value as Value, part, parts.slice(0, at).join('.'));
    value = field(value, part);
  }
  return value;
}

function refuseArrays(doc: Doc, path: string, which: 'source' | 'destination', id: string): void {
  let value: Found = doc;
  for (const part of path.split('.').slice(0, -1)) {
    if (!isDoc(value)) return;
    const next: Found = field(value, part);
    if (isArray(next)) {
      throw badValue(
        `The ${which} field cannot be an array element, '${path}' in doc with ${id} has an array field called '${part}'`,
      );
    }
    value = next;
  }
}

/** The document without a field. Copies only along the path. */
export function without(doc: Doc, parts: readonly string[]): Doc {
  const [name, ...rest] = parts;
  if (!doc.has(name!)) return doc;
  const copy = new Map(doc);
  if (rest.length === 0) copy.delete(name!);
  else {
    const child = doc.get(name!);
    if (isDoc(child)) copy.set(name!, without(child, rest));
  }
  return copy;
}

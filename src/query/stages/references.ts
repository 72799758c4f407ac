import type { Doc, Value } from '../../bson/index.ts';
import { isArray, isDoc } from '../value.ts';

/** The dotted paths that something reads from its documents; undefined where it may read anything. */
export type Paths = ReadonlySet<string> | undefined;

const LOGICAL: ReadonlySet<string> = new Set(['$and', '$or', '$nor']);
/** Operators that reach fields by names which are no paths in the text, or that differ from one time to the next. */
const OPAQUE: ReadonlySet<string> = new Set(['$getField', '$setField', '$unsetField', '$meta', '$rand', '$function']);

/** What an expression, or a specification made of expressions, reads. More than it does where it cannot be told. */
export function expressionPaths(spec: Value): Paths {
  const paths = new Set<string>();
  return gatherExpression(spec, paths) ? paths : undefined;
}

function gatherExpression(spec: Value, paths: Set<string>): boolean {
  if (typeof spec === 'string') return gatherText(spec, paths);
  if (isArray(spec)) return spec.every((item) => gatherExpression(item, paths));
  if (!isDoc(spec)) return true;
  for (const [name, value] of spec) {
    if (OPAQUE.has(name)) return false;
    if (name === '$literal') continue;
    // The keys of a sort are names of fields.
    if (name === 'sortBy' && isDoc(value)) for (const path of value.keys()) paths.add(path);
    if (!gatherExpression(value, paths)) return false;
  }
  return true;
}

function gatherText(text: string, paths: Set<string>): boolean {
  if (!text.startsWith('$')) return true;
  if (!text.startsWith('$$')) {
    paths.add(text.slice(1));
    return true;
  }
  const [variable, ...parts] = text.slice(2).split('.');
  if (variable !== 'ROOT' && variable !== 'CURRENT') return true;
  if (parts.length === 0) return false;
  paths.add(parts.join('.'));
  return true;
}

/** What a filter reads; undefined also where it is bound to its place, as `$text` and `$sampleRate` are. */
export function filterPaths(filter: Doc): Paths {
  const paths = new Set<string>();
  return gatherFilter(filter, paths) ? paths : undefined;
}

function gatherFilter(filter: Doc, paths: Set<string>): boolean {
  for (const [name, operand] of filter) {
    if (!name.startsWith('$')) {
      if (isPlaceBound(operand)) return false;
      paths.add(name);
    } else if (LOGICAL.has(name)) {
      if (!isArray(operand) || !operand.every((branch) => isDoc(branch) && gatherFilter(branch, paths))) return false;
    } else if (name === '$expr') {
      if (!gatherExpression(operand, paths)) return false;
    } else if (name !== '$comment') return false;
  }
  return true;
}

/** `$near` orders what it finds. */
function isPlaceBound(operand: Value): boolean {
  return isDoc(operand) && ['$near', '$nearSphere', '$geoNear'].some((name) => operand.has(name));
}

/** Whether one of the two paths is the other or leads to it. */
export function overlap(one: string, other: string): boolean {
  return one === other || one.startsWith(`${other}.`) || other.startsWith(`${one}.`);
}

export function rootOf(path: string): string {
  return path.split('.', 1)[0]!;
}

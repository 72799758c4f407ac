import { CodedError } from '../../base/index.ts';
import { BSONRegExp, type Doc, type Value } from '../../bson/index.ts';
import { isArray, isDoc } from '../value.ts';
import { isExpressionDoc } from './comparison.ts';

/** Expressions fix no field that an upsert could begin with, so MongoDB allows none. Throws QueryFeatureNotAllowed. */
export function checkUpsertFilter(filter: Doc): void {
  for (const [name, operand] of filter) {
    if (name === '$expr') {
      throw new CodedError('QueryFeatureNotAllowed', '$expr is not allowed in the query predicate for an upsert');
    }
    if (!name.startsWith('$') || !isArray(operand)) continue;
    for (const branch of operand) if (isDoc(branch)) checkUpsertFilter(branch);
  }
}

/**
 * The document that an upsert starts from: the fields that the filter fixes by equality, in order of their paths.
 * With `only`, just that top-level field (a replacement keeps nothing but `_id`). Throws NotSingleValueField when the
 * filter fixes a path twice, or a path and a part of it.
 */
export function upsertSeed(filter: Doc, only?: string): Doc {
  const equalities = new Map<string, Value>();
  gather(filter, equalities, only);
  const seed: Doc = new Map();
  for (const path of [...equalities.keys()].sort()) place(seed, path.split('.'), equalities.get(path));
  return seed;
}

function gather(filter: Doc, found: Map<string, Value>, only: string | undefined): void {
  for (const [name, operand] of filter) {
    if (isBranching(name) && isArray(operand)) {
      if (name === '$or' && operand.length > 1) continue;
      for (const branch of operand) if (isDoc(branch)) gather(branch, found, only);
    } else if (!name.startsWith('$')) {
      const equality = equalityOf(operand);
      if (equality && (only === undefined || name === only || name.startsWith(`${only}.`))) {
        if (only !== undefined && name !== only) throw notExact(only, name);
        note(found, name, equality.value);
      }
    }
  }
}

/** An `$or` of one branch is that branch. */
function isBranching(name: string): boolean {
  return name === '$and' || name === '$or';
}

function equalityOf(operand: Value): { value: Value } | undefined {
  if (operand instanceof BSONRegExp) return undefined;
  if (!isExpressionDoc(operand)) return { value: operand };
  if (operand.has('$eq')) return { value: operand.get('$eq') };
  for (const name of ['$in', '$all']) {
    const list = operand.get(name);
    if (isArray(list) && list.length === 1 && !(list[0] instanceof BSONRegExp) && !isExpressionDoc(list[0])) {
      return { value: list[0] };
    }
  }
  return undefined;
}

function note(found: Map<string, Value>, path: string, value: Value): void {
  for (const other of found.keys()) {
    if (other === path) throw notSingle(`path '${path}' is matched twice`);
    if (path.startsWith(`${other}.`) || other.startsWith(`${path}.`)) {
      throw notSingle(`both paths '${path}' and '${other}' are matched`);
    }
  }
  found.set(path, value);
}

function place(seed: Doc, parts: readonly string[], value: Value): void {
  let doc = seed;
  for (const part of parts.slice(0, -1)) {
    let child = doc.get(part);
    if (!isDoc(child)) {
      child = new Map();
      doc.set(part, child);
    }
    doc = child;
  }
  doc.set(parts.at(-1)!, value);
}

function notSingle(reason: string): CodedError {
  return new CodedError('NotSingleValueField', `cannot infer query fields to set, ${reason}`);
}

function notExact(whole: string, part: string): CodedError {
  return new CodedError(
    'NotExactValueField',
    `field at '${whole}' must be exactly specified, field at sub-path '${part}'found`,
  );
}

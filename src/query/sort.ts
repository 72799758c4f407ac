import { type Collator, comparison, type Doc, type Value } from '../bson/index.ts';
import { located, notImplemented } from './error.ts';
import { clampedLong } from './number.ts';
import { type Path, parsePath, visitPath } from './path.ts';
import type { Comparator } from './types.ts';
import { element, isDoc, isNumeric, MISSING } from './value.ts';

/** Most keys that a sort may have, as in MongoDB. */
const MAX_SORT_KEYS = 32;

interface Key {
  readonly path: Path;
  readonly direction: 1 | -1;
}

/** Compiles a sort specification. Throws the errors that MongoDB gives for `$sort`. */
export function compileSort(sort: Doc, collator?: Collator): Comparator {
  const keys = [...sort].map(([name, direction]) => sortKey(name, direction));
  if (keys.length > MAX_SORT_KEYS) {
    throw located(13103, `too many compound keys: a sort may have ${MAX_SORT_KEYS} at most`);
  }
  const compare = comparison(collator);
  return (left, right) => {
    for (const { path, direction } of keys) {
      const order = compare(extreme(left, path, direction, compare), extreme(right, path, direction, compare));
      if (order !== 0) return order * direction;
    }
    return 0;
  };
}

function sortKey(name: string, operand: Value): Key {
  if (isDoc(operand)) {
    if (operand.keys().next().value !== '$meta') {
      throw located(17312, '$meta is the only expression supported by $sort right now');
    }
    throw notImplemented('DiscoDB cannot sort by $meta: it has no text or vector search');
  }
  if (!isNumeric(operand)) throw located(15974, `Illegal key in $sort specification: ${element(name, operand)}`);
  const direction = clampedLong(operand);
  if (direction !== 1n && direction !== -1n) {
    throw located(15975, '$sort key ordering must be 1 (for ascending) or -1 (for descending)');
  }
  if (name === '') throw located(40352, 'FieldPath cannot be constructed with empty string');
  if (name.endsWith('.')) throw located(40353, "FieldPath must not end with a '.'.");
  if (name.startsWith('$')) {
    throw located(16410, "FieldPath field names may not start with '$'. Consider using $getField or $setField.");
  }
  return { path: parsePath(name), direction: direction === 1n ? 1 : -1 };
}

/**
 * The value that a document sorts by: null for nothing, an array by its least element (greatest when descending), an
 * empty array below null.
 */
function extreme(doc: Doc, path: Path, direction: 1 | -1, compare: (a: Value, b: Value) => number): Value {
  let best: Value;
  let has = false;
  const consider = (value: Value) => {
    if (!has || compare(value, best) * direction < 0) best = value;
    has = true;
  };
  visitPath(doc, path, false, (value) => {
    if (!Array.isArray(value)) consider(value === MISSING ? null : value);
    // An empty array has no element to sort by: it counts as undefined, as in an index.
    else if (value.length === 0) consider(undefined);
    else for (const item of value) consider(item);
    return false;
  });
  return has ? best : null;
}

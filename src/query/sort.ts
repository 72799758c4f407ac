import { CodedError } from '../base/index.ts';
import { type Collator, comparison, type Doc, expandPaths, type PathRow, type Value } from '../bson/index.ts';
import { badValue, located } from './error.ts';
import { metaSortKey } from './metadata.ts';
import { clampedLong } from './number.ts';
import { arrayIndex, checkedParts, type Path, parsePath } from './path.ts';
import type { Comparator, Metadata } from './types.ts';
import { element, isArray, isDoc, isNumeric } from './value.ts';

/** Most keys that a sort may have, as in MongoDB. */
const MAX_SORT_KEYS = 32;

interface FieldKey {
  readonly path: Path;
  readonly direction: 1 | -1;
  /** Its place among the keys that are fields. */
  readonly at: number;
}

interface MetaKey {
  readonly meta: keyof Metadata;
}

/** Compiles a sort specification. Throws the errors that MongoDB gives for `$sort`. */
export function compileSort(sort: Doc, collator?: Collator): Comparator {
  const { keys, firstRow, compare } = compileKeys(sort, collator);
  return (left, right, leftMeta, rightMeta) => {
    let rows: readonly [readonly Value[], readonly Value[]] | undefined;
    for (const key of keys) {
      if ('meta' in key) {
        // The best comes first.
        const order = compare(rightMeta?.[key.meta] ?? null, leftMeta?.[key.meta] ?? null);
        if (order !== 0) return order;
        continue;
      }
      const { path, direction, at } = key;
      const one = rows ? rows[0][at] : plainValue(left, path);
      const other = rows ? rows[1][at] : plainValue(right, path);
      let order: number;
      if (one === ARRAY || other === ARRAY) {
        // Keys without arrays are the same in every row, so that what was compared before stands.
        rows = [firstRow(left), firstRow(right)];
        order = compare(rows[0][at], rows[1][at]);
      } else order = compare(one, other);
      if (order !== 0) return order * direction;
    }
    return 0;
  };
}

/**
 * Compares documents by the whole values at their paths, as `$sortArray` and `$push` with `$sort` do: arrays are not taken
 * apart, a number is an index of one (`compareObjectsAccordingToSort`). Directions are 1 or -1.
 */
export function compileWholeSort(sort: Doc, collator?: Collator): (left: Value, right: Value) => number {
  const compare = comparison(collator);
  const keys = [...sort].map(([path, direction]) => ({ parts: path.split('.'), direction: Number(direction) }));
  return (left, right) => {
    for (const { parts, direction } of keys) {
      const order = compare(valueAt(left, parts), valueAt(right, parts));
      if (order !== 0) return order * direction;
    }
    return 0;
  };
}

/** Null where there is nothing. */
function valueAt(start: Value, parts: readonly string[]): Value {
  let value = start;
  for (const part of parts) {
    if (isDoc(value)) value = value.has(part) ? value.get(part) : null;
    else value = isArray(value) ? (value[arrayIndex(part)] ?? null) : null;
  }
  return value;
}

/** What a document is sorted by, as `{$meta: 'sortKey'}` shows it: a value for each key, null for nothing. */
export function compileSortKey(sort: Doc, collator?: Collator): (doc: Doc, meta: Metadata | undefined) => Value[] {
  const { keys, firstRow } = compileKeys(sort, collator);
  return (doc, meta) => {
    const row = firstRow(doc);
    return keys.map((key) => ('meta' in key ? meta?.[key.meta] : row[key.at]) ?? null);
  };
}

function compileKeys(sort: Doc, collator: Collator | undefined) {
  const fields: FieldKey[] = [];
  const keys = [...sort].map(([name, direction]): FieldKey | MetaKey => {
    if (isDoc(direction)) return { meta: metaSortKey(direction) };
    const key = fieldKey(name, direction, fields.length);
    fields.push(key);
    return key;
  });
  if (keys.length > MAX_SORT_KEYS) throw located(13103, 'too many compound keys');
  const compare = comparison(collator);
  const paths = fields.map(({ path }) => path.parts);

  function compareRows(left: readonly Value[], right: readonly Value[]): number {
    for (const { at, direction } of fields) {
      const order = compare(left[at], right[at]);
      if (order !== 0) return order * direction;
    }
    return 0;
  }

  /** What a document with arrays sorts by: the first of the keys that an index of the sort's pattern would hold. */
  function firstRow(doc: Doc): readonly Value[] {
    const rows = rowsOf(doc, paths);
    return rows.reduce((first, next) => (compareRows(next.values, first.values) < 0 ? next : first)).values;
  }

  return { keys, firstRow, compare };
}

const ARRAY: unique symbol = Symbol('array');

/** A field's value where no array is on the path or at its end; null for nothing. */
function plainValue(doc: Doc, { parts }: Path): Value | typeof ARRAY {
  let value: Value = doc;
  for (const part of parts) {
    if (Array.isArray(value)) return ARRAY;
    if (!(value instanceof Map) || !value.has(part)) return null;
    value = value.get(part);
  }
  return Array.isArray(value) ? ARRAY : value;
}

function rowsOf(doc: Doc, paths: readonly (readonly string[])[]): readonly PathRow[] {
  try {
    return expandPaths(doc, paths).rows;
  } catch (error) {
    if (!(error instanceof CodedError && error.codeName === 'CannotIndexParallelArrays')) throw error;
    throw badValue('cannot sort with keys that are parallel arrays');
  }
}

function fieldKey(name: string, operand: Value, at: number): FieldKey {
  if (!isNumeric(operand)) throw located(15974, `Illegal key in $sort specification: ${element(name, operand)}`);
  const direction = clampedLong(operand);
  if (direction !== 1n && direction !== -1n) {
    throw located(15975, '$sort key ordering must be 1 (for ascending) or -1 (for descending)');
  }
  checkedParts(name);
  return { path: parsePath(name), direction: direction === 1n ? 1 : -1, at };
}

import { CodedError } from '../base/index.ts';
import type { Doc, Value } from './values.ts';

/** What one index key holds: a value for each path, null where there is none. */
export interface PathRow {
  readonly values: readonly Value[];
  /** Paths that lead nowhere in this row. */
  readonly missing: number;
}

export interface PathRows {
  /** At least one; the same row may come twice. */
  readonly rows: readonly PathRow[];
  /** Where paths met arrays; undefined where none did. */
  readonly arrays: ArrayParts | undefined;
}

/** For each path the places of its parts (from 0) whose field was an array: of `a.b` in `{a: [{b: 1}]}` part 0. */
export type ArrayParts = readonly ReadonlySet<number>[];

export interface PathValues {
  /** One value for each place it leads to; for an empty array at its end that is undefined. */
  readonly values: readonly Value[];
  /** It leads nowhere in the document, or in some element of the array on its way. */
  readonly missing: boolean;
  readonly array: boolean;
}

/** A path under way: at its end, or at an array that is still to be taken apart. */
interface Walk {
  /** Of all paths, this one. */
  readonly path: number;
  readonly value: Value;
  readonly missing: boolean;
  /** The names still to go, if `value` is an array to take apart. */
  readonly rest: readonly string[] | undefined;
  /** The name of the field that `value` stands in. */
  readonly name: string;
  /** A number in the path chose the array out of another one: at the path's end it stays whole. */
  readonly chosen: boolean;
}

/**
 * The values of several dotted paths as MongoDB's indexes expand them: where paths lead through an array, there is a
 * row for each element; a number in a path also chooses an element. Arrays right in arrays are not taken apart.
 * Throws `CannotIndexParallelArrays` when the paths lead through different arrays, and `Location16746` when a number
 * could mean an element as well as a field.
 */
export function expandPaths(doc: Doc, paths: readonly (readonly string[])[]): PathRows {
  const rows: PathRow[] = [];
  const walks = paths.map((path, at) => follow(at, doc, path));
  if (!sharedArray(walks)) return { rows: [rowOf(walks)], arrays: undefined };
  const arrays = paths.map(() => new Set<number>());
  expand(walks, rows, (walk) => arrays[walk.path]!.add(paths[walk.path]!.length - walk.rest!.length - 1));
  return { rows, arrays };
}

/** As `expandPaths`, for one path. */
export function pathValues(doc: Doc, path: string): PathValues {
  const { rows, arrays } = expandPaths(doc, [path.split('.')]);
  const found = rows.filter((row) => row.missing === 0);
  return {
    values: found.map((row) => row.values[0]),
    missing: found.length < rows.length,
    array: arrays !== undefined,
  };
}

function nowhere(path: number): Walk {
  return { path, value: null, missing: true, rest: undefined, name: '', chosen: false };
}

/** Follows the rest of path number `path` from a value as far as the next array. */
function follow(path: number, start: Value, rest: readonly string[], name = '', chosen = false): Walk {
  let value = start;
  let last = name;
  for (let at = 0; ; at++) {
    if (Array.isArray(value)) return { path, value, missing: false, rest: rest.slice(at), name: last, chosen };
    if (at === rest.length) return { path, value, missing: false, rest: undefined, name: last, chosen: false };
    last = rest[at]!;
    if (!(value instanceof Map) || !value.has(last)) return nowhere(path);
    value = value.get(last);
  }
}

function rowOf(walks: readonly Walk[]): PathRow {
  return { values: walks.map((walk) => walk.value), missing: walks.filter((walk) => walk.missing).length };
}

/** Adds the rows that the walks lead to, and tells of each walk that has come to an array. */
function expand(walks: readonly Walk[], rows: PathRow[], atArray: (walk: Walk) => void): void {
  const array = sharedArray(walks);
  if (!array) {
    rows.push(rowOf(walks));
    return;
  }
  const here = walks.filter((walk) => walk.value === array && walk.rest);
  for (const walk of here) atArray(walk);
  // An empty array has one row, where it is undefined itself and nothing stands below it.
  const once = array.length === 0 || here.every((walk) => isSingle(walk, array));
  for (const element of once ? [undefined] : array) {
    expand(
      walks.map((walk) => (here.includes(walk) ? enter(walk, array, element) : walk)),
      rows,
      atArray,
    );
  }
}

/** The one array that walks have come to. */
function sharedArray(walks: readonly Walk[]): readonly Value[] | undefined {
  let first: Walk | undefined;
  for (const walk of walks) {
    if (!walk.rest) continue;
    first ??= walk;
    if (walk.value !== first.value) {
      const names = `[${walk.name}] [${first.name}]`;
      throw new CodedError('CannotIndexParallelArrays', `cannot index parallel arrays ${names}`);
    }
  }
  return Array.isArray(first?.value) ? first.value : undefined;
}

/** Every element of the array would lead the walk to the same place. */
function isSingle(walk: Walk, array: readonly Value[]): boolean {
  return walk.rest?.length === 0 ? walk.chosen : chosenIndex(walk, array) !== undefined;
}

/** Goes on from an array, into one of its elements. */
function enter(walk: Walk, array: readonly Value[], element: Value): Walk {
  const rest = walk.rest ?? [];
  if (rest.length === 0) {
    const value = walk.chosen && array.length > 0 ? array : element;
    return { ...walk, value: value as Value, rest: undefined };
  }
  const index = chosenIndex(walk, array);
  if (index === undefined) return element instanceof Map ? follow(walk.path, element, rest) : nowhere(walk.path);
  const chosen = array[index];
  return follow(walk.path, chosen, rest.slice(1), rest[0], Array.isArray(chosen));
}

const ARRAY_INDEX = /^(?:0|[1-9]\d{0,8})$/;

/** The element that the next name of the path chooses by number. */
function chosenIndex(walk: Walk, array: readonly Value[]): number | undefined {
  const name = walk.rest?.[0];
  if (name === undefined || !ARRAY_INDEX.test(name) || Number(name) >= array.length) return undefined;
  if (array.some((element) => element instanceof Map && element.has(name))) {
    const hint = 'do not use numeric field names in embedded elements in an array';
    throw new CodedError('Location16746', `Ambiguous field name found in array (${hint}), field: '${name}'`);
  }
  return Number(name);
}

import type { ArrayParts, Doc } from '../../bson/index.ts';
import { isEverything } from '../../indexes/index.ts';
import type { FieldBounds } from './assign.ts';

/** How an index gives the order of a sort. */
export interface IndexOrder {
  readonly direction: 1 | -1;
  /** Fields in front that have several values each of which gives the order for itself: their scans are merged. */
  readonly merged: number;
}

/**
 * Whether scans of an index give a sort's order, forwards or backwards. `points` is how many fields in front are bounded
 * by single values only. Undefined: they do not.
 */
export function indexOrder(
  key: Doc,
  sort: Doc,
  bounds: readonly FieldBounds[],
  points: number,
  arrays: ArrayParts | undefined,
): IndexOrder | undefined {
  const isArray = (field: number) => (arrays?.[field]?.size ?? 0) > 0;
  const isFixed = (field: number) => field < points && bounds[field]!.intervals.length <= 1;
  const fixed = new Set([...key.keys()].filter((_, field) => isFixed(field) && !isArray(field)));
  const wanted = [...sort].filter(([path]) => !fixed.has(path));
  let direction: 1 | -1 | undefined;
  let merged = 0;
  let next = 0;
  for (const [field, [path, value]] of [...key].entries()) {
    if (next === wanted.length) break;
    const [wantedPath, wantedValue] = wanted[next]!;
    if (path === wantedPath) {
      // What stands there has an order of its kind's own.
      if (typeof value === 'string') return undefined;
      if (isArray(field) && !isWhole(field, bounds, arrays!)) return undefined;
      const same = sign(wantedValue) === sign(value) ? 1 : -1;
      if (direction !== undefined && direction !== same) return undefined;
      direction = same;
      next++;
    } else if (!isFixed(field)) {
      // Several values in front of what is sorted by: each has the order, and together they have it merged.
      if (field >= points || next > 0) return undefined;
      merged = field + 1;
    }
  }
  return next < wanted.length ? undefined : { direction: direction ?? 1, merged };
}

function sign(direction: unknown): number {
  return Math.sign(Number(direction));
}

/**
 * A document with arrays sorts by the first of its keys: that is the one that a scan meets first, where the scan leaves
 * none of its elements out.
 */
function isWhole(field: number, bounds: readonly FieldBounds[], arrays: ArrayParts): boolean {
  return bounds.every(({ intervals }, other) => {
    if (other === field) return isEverything(intervals);
    const sharesArray = [...arrays[other]!].some((part) => arrays[field]!.has(part));
    return isEverything(intervals) || !sharesArray;
  });
}

import { s2 } from 's2js';
import type { Region } from './grown.ts';
import { toS2 } from './line.ts';
import type { Shape } from './shape.ts';

/** S2 cells by their ids: a cell's id lies amid those of the cells in it. */
export interface CellLevels {
  /** Of the cells that stand for lines and areas; points are always kept by the smallest cells. */
  readonly coarsest: number;
  readonly finest: number;
}

/** Of cells of about 2,000 km and 110 m, as MongoDB chooses them. */
export const DEFAULT_LEVELS: CellLevels = { coarsest: 2, finest: 16 };
export const FINEST_LEVEL = 30;

/** Cells that a line or an area is covered by, at most (more where the coarsest level demands it). */
const MAX_CELLS = 20;
/** The finest cells that a query looks for. */
const QUERY_FINEST = 23;

/** From one id to another, both included. */
export type CellRange = readonly [bigint, bigint];

export const WHOLE_SPHERE: CellRange = [-(2n ** 63n), 2n ** 63n - 1n];

/** The cells that an index keeps a geometry under, as signed 64-bit numbers. */
export function cellsOf({ points, lines, areas }: Shape, levels: CellLevels): bigint[] {
  const coverer = new s2.RegionCoverer({ minLevel: levels.coarsest, maxLevel: levels.finest, maxCells: MAX_CELLS });
  const ids = points.map((point) => s2.cellid.fromPoint(toS2(point)));
  const regions: Region[] = [...lines.map((line) => line.region()), ...areas.map(({ region }) => region)];
  for (const region of regions) ids.push(...coverer.covering(region));
  return [...new Set(ids)].map(signed);
}

/** Where an index may hold geometries that share a point with one of the regions. */
export function rangesOf(regions: readonly Region[], levels: CellLevels): CellRange[] {
  const coverer = new s2.RegionCoverer({ minLevel: 0, maxLevel: QUERY_FINEST, maxCells: MAX_CELLS });
  const cells = new Set(regions.flatMap((region) => [...coverer.covering(region)]));
  const ranges: CellRange[] = [];
  const ancestors = new Set<bigint>();
  for (const cell of cells) {
    ranges.push([signed(s2.cellid.rangeMin(cell)), signed(s2.cellid.rangeMax(cell))]);
    for (let level = s2.cellid.level(cell) - 1; level >= levels.coarsest; level--) {
      ancestors.add(s2.cellid.parent(cell, level));
    }
  }
  for (const cell of ancestors) if (!cells.has(cell)) ranges.push([signed(cell), signed(cell)]);
  return ranges;
}

function signed(id: bigint): bigint {
  return BigInt.asIntN(64, id);
}

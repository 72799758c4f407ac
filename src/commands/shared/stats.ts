import type { CollectionStats, Engine } from '../../engine/index.ts';
import { integer, withDefault } from '../fields.ts';

/** What sizes are divided by, fractions cut off. */
export const scale = () => withDefault(integer({ min: 1 }), 1);

export function indexBytes(stats: CollectionStats): number {
  return [...stats.indexSizes.values()].reduce((sum, bytes) => sum + bytes, 0);
}

/** Bytes, not scaled. */
export interface DatabaseStats {
  readonly collections: number;
  readonly objects: number;
  readonly dataSize: number;
  readonly indexes: number;
  readonly indexSize: number;
}

export async function databaseStats(engine: Engine, db: string): Promise<DatabaseStats> {
  const all = await Promise.all(engine.collections(db).map(({ ns }) => engine.stats(ns)));
  const sum = (of: (stats: CollectionStats) => number) => all.reduce((total, stats) => total + of(stats), 0);
  return {
    collections: all.length,
    objects: sum(({ count }) => count),
    dataSize: sum(({ size }) => size),
    indexes: sum(({ indexSizes }) => indexSizes.size),
    indexSize: sum(indexBytes),
  };
}

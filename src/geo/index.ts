/**
 * Geometry: GeoJSON and legacy coordinate pairs (`geojson.ts`, `points.ts`, `stored.ts`), what queries ask of them
 * (`region.ts`, `near.ts`), and how indexes keep them (`cells.ts` on the sphere, `geohash.ts` in the plane). On the sphere
 * borders are great circles, and the library s2js knows polygons and cells; what it does not tell is in `vector.ts`. Pure.
 */
export {
  type CellLevels,
  type CellRange,
  cellsOf,
  DEFAULT_LEVELS,
  FINEST_LEVEL,
} from './cells.ts';
export type { Box, FlatPoint } from './flat.ts';
export { type Grid, geohash, geohashOf, isInGrid, squaresOf } from './geohash.ts';
export { isNearOperator, type Near, parseNear } from './near.ts';
export { type Nearest, nearestPlace, placesOf } from './places.ts';
export { shortNumber } from './points.ts';
export { type GeoOperator, type GeoRegion, parseRegion } from './region.ts';
export { type GeoRing, planeRings, sphereRings } from './rings.ts';
export { nearBox, nearRanges, regionBox, regionRanges } from './search.ts';
export type { Geometry } from './shape.ts';
export { parseStored, storedGeometry } from './stored.ts';

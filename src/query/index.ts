/**
 * The door of the query room: filters, updates, projections, sorts and aggregation pipelines on BSON values. Pure: it
 * reads no clock and no storage but through the contexts that it is given.
 */

export { letVariables } from './expressions/let.ts';
export {
  checkNoSpecialFeatures,
  checkPartialFilter,
  checkUpsertFilter,
  compileQuery as compileFilter,
  conjuncts,
  type FieldPredicate,
  type FilterNode,
  fieldPredicates,
  filterTree,
  geoRegions,
  isOnValues,
  operatorNodes,
  showAll,
  showFilter,
  upsertSeed,
} from './filter/index.ts';
export { exactOperand } from './integer.ts';
export {
  DEFAULT_LIMITS,
  defaultLimits,
  LIMIT_PARAMETERS,
  type Limited,
  type LimitParameter,
  type Limits,
  limitOf,
} from './limits.ts';
export { askedOf, carry, checkMetaSort, withMore } from './metadata.ts';
export { clampedInt, clampedLong } from './number.ts';
export { arrayIndex } from './path.ts';
export { checkPlainProjection, compileProjection, type Projection } from './projection/index.ts';
export { compileSort, compileSortKey } from './sort.ts';
export { noSearchIndexes } from './stages/atlas.ts';
export { countOf } from './stages/count.ts';
export { neededPaths } from './stages/dependencies.ts';
export {
  checkPipeline,
  compilePipeline,
  openPipeline,
  profilePipeline,
  runPipeline,
  startsPipeline,
} from './stages/index.ts';
export { roomFor, sortTooLarge } from './stages/memory.ts';
export { optimize } from './stages/optimize.ts';
export { figuresOf } from './stages/profile.ts';
export { rootOf } from './stages/references.ts';
export { Sorter, SortWork } from './stages/sorter.ts';
export type { Codec } from './stages/spool.ts';
export { streamOf } from './stages/stage.ts';
export type {
  Comparator,
  Filter,
  Foreign,
  GeoNear,
  MergeItem,
  MergeSpec,
  Metadata,
  NearPredicate,
  PipelineContext,
  QueryContext,
  Told,
  Updater,
} from './types.ts';
export { withTimestamps } from './update/empty-timestamps.ts';
export { compileUpdate, type UpdateOptions } from './update/index.ts';
export { checkIdType, checkStoredId } from './update/storable.ts';
export { compileValidator, type Validator } from './validation/index.ts';
export { format as showValue, isNumeric, type Numeric } from './value.ts';

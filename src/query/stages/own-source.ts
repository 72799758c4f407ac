import { CodedError } from '../../base/index.ts';
import type { Doc } from '../../bson/index.ts';

/** Stages that begin a pipeline with something other than a collection's documents. */
export const OWN_SOURCES: ReadonlySet<string> = new Set([
  '$collStats',
  '$currentOp',
  '$documents',
  '$geoNear',
  '$indexStats',
  '$listLocalSessions',
  '$listSessions',
  '$planCacheStats',
]);

/** Those that have no collection. */
const COLLECTIONLESS: ReadonlySet<string> = new Set(['$currentOp', '$documents', '$listLocalSessions']);

/** Throws where a pipeline on a collection begins with a stage that has none. */
export function checkOnCollection([first]: readonly Doc[]): void {
  const name = first?.keys().next().value ?? '';
  if (!COLLECTIONLESS.has(name)) return;
  throw new CodedError('InvalidNamespace', `'${name}' can only be run with {aggregate: 1}`);
}

/** The pipeline as it runs: a `$geoNear` begins it behind filters that keep all, which MongoDB leaves out. */
export function withoutEmptyFilters(stages: readonly Doc[]): readonly Doc[] {
  const first = stages.findIndex((stage) => !isEmptyFilter(stage));
  return first > 0 && stages[first]!.has('$geoNear') ? stages.slice(first) : stages;
}

function isEmptyFilter(stage: Doc): boolean {
  const filter = stage.get('$match');
  return stage.size === 1 && filter instanceof Map && filter.size === 0;
}

export function isOwnSource(stage: Doc): boolean {
  return OWN_SOURCES.has(stage.keys().next().value ?? '');
}

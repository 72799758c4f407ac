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

export function isOwnSource(stage: Doc): boolean {
  return OWN_SOURCES.has(stage.keys().next().value ?? '');
}

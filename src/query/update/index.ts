import type { Doc } from '../../bson/index.ts';
import { failedToParse, located } from '../error.ts';
import type { QueryContext, Updater } from '../types.ts';
import { parseArrayFilters } from './array-filters.ts';
import { compileOperators } from './operators.ts';
import { compilePipelineUpdate } from './pipeline.ts';
import { compileReplacement } from './replacement.ts';

export interface UpdateOptions {
  readonly context: QueryContext;
  readonly arrayFilters?: readonly Doc[] | undefined;
  /** Variables of a pipeline. */
  readonly constants?: Doc | undefined;
}

/**
 * Compiles an update: operators when its first field begins with `$`, a pipeline when it is an array, else a
 * replacement, which takes no notice of array filters, as MongoDB's does not.
 */
export function compileUpdate(update: Doc | readonly Doc[], options: UpdateOptions): Updater {
  const { context, constants } = options;
  const arrayFilters = parseArrayFilters(options.arrayFilters ?? [], context);
  if (Array.isArray(update)) {
    if (arrayFilters.size > 0) throw failedToParse('arrayFilters may not be specified for pipeline-style updates');
    const variables = new Map([...(context.variables ?? []), ...(constants ?? [])]);
    return compilePipelineUpdate(update, { ...context, variables });
  }
  if (constants) throw located(51198, 'Constant values may only be specified for pipeline updates');
  const doc = update as Doc;
  if (doc.keys().next().value?.startsWith('$')) return compileOperators(doc, context, arrayFilters);
  return compileReplacement(doc, context);
}

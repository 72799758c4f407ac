import { CodedError } from '../../base/index.ts';
import type { Doc, Value } from '../../bson/index.ts';
import { isDocument } from '../fields.ts';

/** Stages that `apiStrict` refuses: they tell of this server, and not of documents. */
const UNSTABLE_STAGES: ReadonlySet<string> = new Set([
  ...['$currentOp', '$indexStats', '$listLocalSessions', '$listSessions', '$planCacheStats'],
  ...['$listSampledQueries', '$querySettings', '$queryStats', '$listCatalog', '$shardedDataDistribution'],
  ...['$search', '$searchMeta', '$vectorSearch', '$rankFusion', '$listSearchIndexes'],
]);

/** Throws APIStrictError for a stage that is not in version 1 of the API, pipelines within stages included. */
export function checkStableStages(pipeline: readonly Value[]): void {
  for (const stage of pipeline) {
    if (!isDocument(stage)) continue;
    for (const [name, spec] of stage) {
      if (UNSTABLE_STAGES.has(name)) {
        throw new CodedError('APIStrictError', `${name} is not allowed with 'apiStrict: true' in API Version 1`);
      }
      if (name === '$collStats') checkCollStats(spec);
      const inner = !isDocument(spec) ? [] : name === '$facet' ? [...spec.values()] : [spec.get('pipeline')];
      for (const each of inner) if (Array.isArray(each)) checkStableStages(each);
    }
  }
}

function checkCollStats(spec: Value): void {
  if (!isDocument(spec) || (spec.size === 1 && spec.has('count'))) return;
  throw new CodedError('APIStrictError', "only the 'count' option to $collStats is supported in API Version 1");
}

/** Throws APIStrictError for a field that version 1 of the API does not have. */
export function checkStableFields(body: Doc, command: string, unstable: readonly string[]): void {
  const found = [...body.keys()].find((name) => unstable.includes(name));
  if (found === undefined) return;
  throw new CodedError('APIStrictError', `BSON field '${command}.${found}' is not allowed with apiStrict:true.`);
}

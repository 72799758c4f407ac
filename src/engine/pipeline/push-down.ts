import { type Doc, isNumber, type Value } from '../../bson/index.ts';
import { clampedLong, type Numeric, neededPaths, optimize } from '../../query/index.ts';
import type { AggregateOptions, FindQuery } from '../contract.ts';

/** How a pipeline runs: a query finds the documents, the stages that are left work on them. */
export interface PipelinePlan {
  readonly query: FindQuery;
  readonly rest: readonly Doc[];
}

/** Of a pipeline whose stages are valid and begin with no source of their own. */
export function planPipeline(stages: readonly Doc[], given: AggregateOptions): PipelinePlan {
  const pipeline = optimize(stages);
  let at = 0;
  const next = (name: string) => (pipeline[at]?.has(name) ? pipeline[at++]!.get(name) : undefined);
  const filter = asDoc(next('$match')) ?? new Map();
  const sort = asDoc(next('$sort'));
  let [skip, limit] = [0, Number.POSITIVE_INFINITY];
  for (; at < pipeline.length; at++) {
    const stage = pipeline[at]!;
    if (stage.has('$skip')) {
      const count = Number(stage.get('$skip'));
      // What skips all that a limit has left needs no query, and a query knows no limit of none.
      if (count >= limit) break;
      skip += count;
      limit -= count;
    } else if (stage.has('$limit')) limit = Math.min(limit, Number(stage.get('$limit')));
    else break;
  }
  const rest = pipeline.slice(at);
  const all = skip === 0 && limit === Number.POSITIVE_INFINITY;
  const sample = all ? sizeOfSample(rest[0]) : undefined;
  const paths = neededPaths(rest);
  const groups = all ? oneOfEach(rest[0], sort) : undefined;
  const found = { filter, sort, skip, limit: limit === Number.POSITIVE_INFINITY ? 0 : limit };
  return { query: { ...given, ...found, sample, paths, ...groups }, rest };
}

/** Of a `$group` that makes a group of each value of a path, and looks at nothing but the first of each, or the last. */
function oneOfEach(stage: Doc | undefined, sort: Doc | undefined): Pick<FindQuery, 'distinct' | 'firstBy'> | undefined {
  const [id, ...fields] = asDoc(stage?.get('$group')) ?? [];
  if (id?.[0] !== '_id' || typeof id[1] !== 'string' || !/^\$[^$]/.test(id[1])) return undefined;
  const distinct = id[1].slice(1);
  const order: Doc = sort ?? new Map([[distinct, 1]]);
  // Groups whose values stand apart are met again, and a sort by something else sets them apart.
  if ([...order.keys()][0] !== distinct || ![...order.values()].every(isNumber)) return undefined;
  const operators = new Set(fields.flatMap(([, accumulator]) => [...(asDoc(accumulator)?.keys() ?? [])]));
  if (operators.size === 0) return { distinct, firstBy: sort };
  const [operator, another] = operators;
  if (another !== undefined) return undefined;
  if (operator === '$first') return { distinct, firstBy: order };
  return operator === '$last' ? { distinct, firstBy: reversed(order) } : undefined;
}

function reversed(order: Doc): Doc {
  return new Map([...order].map(([path, direction]) => [path, -Number(direction)]));
}

function sizeOfSample(stage: Doc | undefined): number | undefined {
  const sample = asDoc(stage?.get('$sample'));
  return sample && Number(clampedLong(sample.get('size') as Numeric));
}

function asDoc(value: Value): Doc | undefined {
  return value instanceof Map ? value : undefined;
}

import type { Doc, Value } from '../../bson/index.ts';
import { isArray, isDoc, isNumeric, truthy } from '../value.ts';
import { expressionPaths, filterPaths, type Paths } from './references.ts';

/** What a stage reads of its documents, and whether what it hands on consists of nothing else. */
interface Needs {
  readonly paths: Paths;
  readonly exhaustive?: boolean;
}

/**
 * The dotted paths that a pipeline reads of its documents, none of them below another: given these alone it gives what
 * it gives for the whole ones. Undefined: perhaps all.
 */
export function neededPaths(stages: readonly Doc[]): Paths {
  const needed = new Set<string>();
  for (const stage of stages) {
    const [[name, spec]] = [...stage] as [[string, Value]];
    const { paths, exhaustive } = NEEDS[name]?.(spec) ?? { paths: undefined };
    if (!paths) return undefined;
    for (const path of paths) needed.add(path);
    if (exhaustive) return new Set([...needed].filter((path) => !isBelow(path, needed)));
  }
  return undefined;
}

function isBelow(path: string, paths: ReadonlySet<string>): boolean {
  for (let dot = path.indexOf('.'); dot >= 0; dot = path.indexOf('.', dot + 1)) {
    if (paths.has(path.slice(0, dot))) return true;
  }
  return false;
}

const NOTHING: Needs = { paths: new Set() };

const alone = (spec: Value): Needs => ({ paths: expressionPaths(spec), exhaustive: true });

const NEEDS: Readonly<Record<string, (spec: Value) => Needs>> = {
  $match: (spec) => ({ paths: isDoc(spec) ? filterPaths(spec) : undefined }),
  $sort: (spec) => ({
    paths: isDoc(spec) && [...spec.values()].every(isNumeric) ? new Set(spec.keys()) : undefined,
  }),
  $limit: () => NOTHING,
  $skip: () => NOTHING,
  $sample: () => NOTHING,
  $unset: () => NOTHING,
  $count: () => ({ paths: new Set(), exhaustive: true }),
  $project: projectNeeds,
  $addFields: addedNeeds,
  $set: addedNeeds,
  $unwind: (spec) => {
    const path = isDoc(spec) ? spec.get('path') : spec;
    const index = isDoc(spec) ? spec.get('includeArrayIndex') : undefined;
    if (typeof path !== 'string') return { paths: undefined };
    return { paths: new Set([path.slice(1), ...(typeof index === 'string' ? [index] : [])]) };
  },
  $group: alone,
  $bucket: alone,
  $bucketAuto: alone,
  $sortByCount: alone,
  $replaceRoot: alone,
  $replaceWith: alone,
  $lookup: (spec) => {
    if (!isDoc(spec)) return { paths: undefined };
    const [local, as] = [spec.get('localField'), spec.get('as')];
    const given = expressionPaths(spec.get('let'));
    if (typeof as !== 'string' || !given) return { paths: undefined };
    return { paths: new Set([...given, as, ...(typeof local === 'string' ? [local] : [])]) };
  },
};

/** A new value for a dotted path changes what stands there. */
function addedNeeds(spec: Value): Needs {
  if (!isDoc(spec)) return { paths: undefined };
  const paths = expressionPaths(spec);
  return { paths: paths && new Set([...paths, ...spec.keys()]) };
}

function projectNeeds(spec: Value): Needs {
  if (!isDoc(spec)) return { paths: undefined };
  const paths = expressionPaths(spec);
  if (!paths) return { paths };
  if (isExclusion(spec)) return NOTHING;
  return { paths: new Set([...paths, ...spec.keys(), ...(spec.has('_id') ? [] : ['_id'])]), exhaustive: true };
}

/** Whether a valid projection leaves fields out, rather than naming those that stay. */
export function isExclusion(spec: Doc): boolean {
  const said = [...spec].filter(([name]) => name !== '_id').map(([, value]) => excludes(value));
  return said.length > 0 ? said[0] === true : excludes(spec.get('_id')) === true;
}

function excludes(value: Value): boolean {
  if (isNumeric(value) || typeof value === 'boolean') return !truthy(value);
  if (!isDoc(value) || isArray(value)) return false;
  const [first] = value;
  return (
    first !== undefined && !first[0].startsWith('$') && isExclusion(new Map([...value].map(([k, v]) => [`.${k}`, v])))
  );
}
